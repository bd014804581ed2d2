//! The contract for machines, as `/openapi.json` tells it.

/// With the default path of the interface.
const TEXT: &str = include_str!("openapi.json");

/// The interface's path in that text: it stands there once, as a key.
const DEFAULT_PATH: &str = "\"/API/UpdateAgentState.php\": {";

/// The contract of an interface at that path.
pub(super) fn text(path: &str) -> String {
    // In JSON a path is a string, and may need escapes.
    let key = serde_json::Value::from(path);
    TEXT.replacen(DEFAULT_PATH, &format!("{key}: {{"), 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::routes::{CONTRACT, EVENTS};
    use super::*;
    use crate::api::{Code, NAMES};

    fn document(path: &str) -> Value {
        serde_json::from_str(&text(path)).expect("JSON")
    }

    fn keys(value: &Value) -> BTreeSet<&str> {
        let object = value.as_object().expect("an object");
        object.keys().map(String::as_str).collect()
    }

    /// The object that a reference means.
    fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
        let reference = value["$ref"].as_str();
        reference.map_or(value, |reference| {
            let place = reference.trim_start_matches('#');
            document
                .pointer(place)
                .unwrap_or_else(|| panic!("there is no {reference}"))
        })
    }

    fn references<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
        if value["$ref"].is_string() {
            found.push(value);
        }
        match value {
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| references(field, found)),
            _ => {}
        }
    }

    #[test]
    fn it_has_the_routes_that_there_are() {
        assert_eq!(TEXT.matches(DEFAULT_PATH).count(), 1);
        for path in ["/API/UpdateAgentState.php", "/queues", "/a\"b"] {
            let document = document(path);
            assert_eq!(
                keys(&document["paths"]),
                BTreeSet::from([path, EVENTS, CONTRACT])
            );
            for (at, methods) in [
                (path, &["get", "post"][..]),
                (EVENTS, &["get"]),
                (CONTRACT, &["get", "head"]),
            ] {
                let documented = keys(&document["paths"][at]);
                assert_eq!(documented, methods.iter().copied().collect(), "{at}");
            }
        }
        assert_eq!(document("/x")["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn it_has_the_parameters_that_there_are() {
        let document = document("/x");
        let known = BTreeSet::from(NAMES);
        let schemes = &document["components"]["securitySchemes"];
        let schemes = schemes.as_object().expect("schemes").values();
        let in_query = |item: &&Value| item["in"] == "query";
        let name = |item: &'_ Value| item["name"].as_str().expect("a name").to_owned();
        let mut found: BTreeSet<String> = schemes.filter(in_query).map(name).collect();
        let parameters = document["paths"]["/x"]["get"]["parameters"].as_array();
        let parameters = parameters.expect("parameters").iter();
        let parameters = parameters.map(|item| resolve(&document, item));
        found.extend(parameters.filter(in_query).map(name));
        assert_eq!(
            found.iter().map(String::as_str).collect::<BTreeSet<_>>(),
            known
        );

        let form = "/paths/~1x/post/requestBody/content/application~1x-www-form-urlencoded/schema";
        let form = document.pointer(form).expect("a form");
        assert_eq!(keys(&form["properties"]), known);
    }

    #[test]
    fn it_has_the_errors_that_there_are() {
        let document = document("/x");
        let mut found = BTreeSet::new();
        for (status, response) in document["components"]["responses"]
            .as_object()
            .expect("responses")
        {
            let Ok(status) = status.parse::<u16>() else {
                continue;
            };
            let content = &response["content"]["application/json"];
            let codes = content["schema"]["allOf"][1]["properties"]["code"]["enum"].as_array();
            for code in codes.expect("codes") {
                found.insert((status, code.as_str().expect("a code")));
            }
            assert!(
                codes.expect("codes").contains(&content["example"]["code"]),
                "{status}"
            );
        }
        let known = Code::ALL.iter().map(|code| (code.status(), code.as_str()));
        assert_eq!(found, known.collect());
    }

    #[test]
    fn its_references_lead_somewhere_and_nothing_is_left_over() {
        let document = document("/x");
        let mut found = Vec::new();
        references(&document, &mut found);
        for reference in &found {
            resolve(&document, reference);
        }
        let used: BTreeSet<_> = found
            .iter()
            .filter_map(|found| found["$ref"].as_str())
            .collect();
        for kind in ["parameters", "headers", "responses", "schemas"] {
            for name in keys(&document["components"][kind]) {
                let reference = format!("#/components/{kind}/{name}");
                // What events hold is told in words: a stream has no schema.
                let is_event = name.ends_with("Event");
                assert!(
                    is_event || used.contains(&*reference),
                    "{reference} is not used"
                );
            }
        }
    }
}
