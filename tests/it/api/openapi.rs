//! The responses of the bridge match `/openapi.json`. tests/openapi/check sends many more
//! requests, but does not notice response fields that the contract lacks.

use serde_json::Value;

use crate::support::{
    ACME, API_PATH, GLOBEX, SIMULATED, configuration, eventually, request, start,
};
use crate::support::{Asterisk, Bridge};

/// A schema of the contract, with its references resolved.
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

    /// Asserts, at every level of `value`, that the schema has each field and that no
    /// required field is missing.
    pub(crate) fn assert_describes(&self, value: &Value, place: &str) {
        match value {
            Value::Object(fields) => {
                let required = self.schema["required"].as_array().into_iter().flatten();
                for name in required.filter_map(Value::as_str) {
                    assert!(fields.contains_key(name), "{place} lacks {name}");
                }
                for (name, value) in fields {
                    let place = format!("{place}.{name}");
                    let property = &self.schema["properties"][name];
                    assert!(property.is_object(), "the contract lacks {place}");
                    self.resolve(property).assert_describes(value, &place);
                }
            }
            Value::Array(items) => {
                for item in items {
                    self.resolve(&self.schema["items"])
                        .assert_describes(item, place);
                }
            }
            _ => {}
        }
    }
}

pub(crate) fn contract(bridge: &Bridge) -> Value {
    request(bridge.address, "GET", "/openapi.json", &[], b"").json()
}

#[test]
fn every_field_of_every_response_is_in_the_contract() {
    let (asterisk, bridge) = start(SIMULATED);
    let document = contract(&bridge);
    asterisk.cli("channel originate Local/acme-6002@callers application Wait 60");
    eventually(
        "a caller waits, so that the responses contain a caller",
        || {
            let statistics = bridge.acme_ok("action=showqueuestat")["total"].clone();
            (statistics["callers_waiting"] == 1).then_some(())
        },
    );
    for (query, schema) in [
        ("action=add&agent=1001&queue=6001,6002&alias=Dana", "Change"),
        ("action=pause&agent=1001&reason=Lunch", "Change"),
        ("action=pause&agent=1002&queue=6001", "Error"),
        ("action=pause&agent=1050&queue=6001,6002", "Change"),
        ("action=fly", "Error"),
        ("action=showqueue", "QueueList"),
        ("action=showqueuestat", "QueueFigures"),
        ("action=showstate&agent=1001", "AgentState"),
        ("action=remove&agent=1001&queue=6001", "Change"),
    ] {
        let answer = bridge.get_as(ACME, query).json();
        Schema::named(&document, schema).assert_describes(&answer, query);
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
    let refused = request(bridge.address, "POST", "/openapi.json", &[], b"");
    assert_eq!(refused.outcome(), "405 method_not_allowed");
    assert_eq!(refused.header("Allow"), Some("GET, HEAD"));
}

#[test]
fn each_path_accepts_exactly_the_methods_in_the_contract() {
    let (_asterisk, bridge) = start(SIMULATED);
    let document = contract(&bridge);
    for (path, operations) in document["paths"].as_object().expect("paths") {
        let documented = operations.as_object().expect("operations").keys();
        let documented: Vec<_> = documented.map(|method| method.to_uppercase()).collect();
        let others = ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];
        let is_documented = |method: &str| documented.iter().any(|known| known == method);
        for method in others.into_iter().filter(|method| !is_documented(method)) {
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
fn a_user_can_be_allowed_every_action_in_the_contract() {
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
