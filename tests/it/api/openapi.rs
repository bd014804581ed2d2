//! The bridge's responses match the contract in `/openapi.json`. tests/openapi/check sends
//! many more requests, but does not detect response fields that the contract lacks.

use serde_json::Value;

use crate::support::{
    ACME, API_PATH, GLOBEX, SIMULATED, configuration, eventually, request, start,
};
use crate::support::{Asterisk, Bridge};

/// A schema in the contract. Resolves references to other schemas.
pub(crate) struct Schema<'a> {
    document: &'a Value,
    schema: &'a Value,
}

impl<'a> Schema<'a> {
    pub(crate) fn named(document: &'a Value, name: &str) -> Self {
        let schema = &document["components"]["schemas"][name];
        Self { document, schema }
    }

    fn resolve(&self, schema: &'a Value) -> Self {
        let schema = match schema["$ref"].as_str() {
            Some(reference) => self.document.pointer(&reference[1..]).expect("a reference"),
            None => schema,
        };
        Self {
            document: self.document,
            schema,
        }
    }

    /// Asserts, at every level of `value`, that the schema has all its fields and that no
    /// required field is missing. `path` is the path of `value` in failure messages.
    pub(crate) fn assert_describes(&self, value: &Value, path: &str) {
        match value {
            Value::Object(fields) => {
                let required = self.schema["required"].as_array().into_iter().flatten();
                for name in required.filter_map(Value::as_str) {
                    assert!(fields.contains_key(name), "{path} lacks {name}");
                }
                for (name, value) in fields {
                    let path = format!("{path}.{name}");
                    let property = &self.schema["properties"][name];
                    assert!(property.is_object(), "the contract lacks {path}");
                    self.resolve(property).assert_describes(value, &path);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.resolve(&self.schema["items"])
                        .assert_describes(item, path);
                }
            }
            _ => {}
        }
    }
}

/// Fetches the contract.
pub(crate) fn contract(bridge: &Bridge) -> Value {
    request(bridge.address, "GET", "/openapi.json", &[], b"").json()
}

#[test]
fn every_field_of_every_response_is_in_the_contract() {
    let (asterisk, bridge) = start(SIMULATED);
    let document = contract(&bridge);
    asterisk.cli("channel originate Local/acme-6002@callers application Wait 60");
    eventually("a caller waits, for a response with a caller", || {
        let statistics = bridge.acme_ok("action=showqueuestat")["total"].clone();
        (statistics["callers_waiting"] == 1).then_some(())
    });
    for (query, schema) in [
        ("action=add&agent=1001&queue=6001,6002&alias=Dana", "Change"),
        ("action=pause&agent=1001&reason=Lunch", "Change"),
        ("action=pause&agent=1002&queue=6001", "Error"),
        ("action=pause&agent=1050&queue=6001,6002", "Change"),
        ("action=fly", "Error"),
        ("action=showqueue", "QueueList"),
        ("action=showqueuestat", "QueueFigures"),
        ("action=showstate&agent=1001", "AgentState"),
        (
            "action=pause&agent=1001,1002&reason=Lunch",
            "ChangeOfAgents",
        ),
        ("action=pause&agent=1002,2001", "Error"),
        ("action=showstate&agent=1001,1002", "AgentStates"),
        ("action=showreasons", "Reasons"),
        ("action=whoami", "WhoAmI"),
        ("action=showreport&by=day,queue", "Report"),
        ("action=showreport&by=reason", "Report"),
        ("action=showreport", "Report"),
        ("action=remove&agent=1001&queue=6001", "Change"),
    ] {
        let body = bridge.get_as(ACME, query).json();
        Schema::named(&document, schema).assert_describes(&body, query);
    }
}

#[test]
fn contract_needs_no_login_and_names_the_configured_path() {
    let asterisk = Asterisk::start(SIMULATED);
    let path = "[http]\npath = \"/queues\"";
    let bridge = Bridge::start(&configuration(asterisk.port).replace("[http]", path));
    let response = request(bridge.address, "GET", "/openapi.json", &[], b"");
    assert_eq!(response.status, 200);
    for (name, value) in [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Cache-Control", "no-cache"),
        ("X-Content-Type-Options", "nosniff"),
    ] {
        assert_eq!(response.header(name), Some(value));
    }
    let document = response.json();
    assert!(document["paths"]["/queues"]["get"].is_object());
    assert_eq!(document["paths"].get(API_PATH), None);
    let post = request(bridge.address, "POST", "/openapi.json", &[], b"");
    assert_eq!(post.outcome(), "405 method_not_allowed");
    assert_eq!(post.header("Allow"), Some("GET, HEAD"));
}

#[test]
fn each_path_accepts_only_the_methods_in_the_contract() {
    let (_asterisk, bridge) = start(SIMULATED);
    let document = contract(&bridge);
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let documented = operations.as_object().expect("operations").keys();
        let documented: Vec<_> = documented.map(|method| method.to_uppercase()).collect();
        let other_methods = ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];
        let is_documented = |method: &str| documented.iter().any(|documented| documented == method);
        for method in other_methods
            .into_iter()
            .filter(|method| !is_documented(method))
        {
            let response = request(bridge.address, method, path, &[], b"");
            assert_eq!(response.status, 405, "{method} {path}");
            assert_eq!(response.header("Allow"), Some(&*documented.join(", ")));
        }
        for method in &documented {
            let response = request(bridge.address, method, path, &[], b"");
            assert!(![404, 405].contains(&response.status), "{method} {path}");
        }
    }
}

/// A user's `actions` list can contain every action in the contract.
#[test]
fn users_can_be_allowed_every_action_in_the_contract() {
    let (asterisk, bridge) = start(SIMULATED);
    let document = contract(&bridge);
    let parameters = &document["paths"][API_PATH]["get"]["parameters"];
    let parameters = parameters.as_array().expect("parameters").iter();
    let mut action = parameters.filter(|parameter| parameter["name"] == "action");
    let actions = &action.next().expect("action")["schema"]["enum"];
    assert!(actions.as_array().is_some_and(|actions| actions.len() >= 7));
    let user = format!("username = \"globex\"\nactions = {actions}");
    let restricted = configuration(asterisk.port).replace("username = \"globex\"", &user);
    assert!(restricted.contains("actions = ["));
    let bridge = Bridge::start(&restricted);
    for action in actions.as_array().into_iter().flatten() {
        let action = action.as_str().expect("text");
        let query = format!("action={action}&agent=1001&queue=6001");
        assert_ne!(bridge.get_as(GLOBEX, &query).status, 403, "{action}");
    }
}
