//! The OpenAPI document, served at `/openapi.json`. The tests compare it with the code.

/// The OpenAPI document, with the API's default path.
const TEXT: &str = include_str!("openapi.json");

/// The API's default path, a key that occurs once in the document.
const DEFAULT_PATH: &str = "\"/API/UpdateAgentState.php\": {";

/// Returns the OpenAPI document for an API at `path`.
pub(super) fn text(path: &str) -> String {
    // Some characters in a path must be escaped in JSON.
    let key = serde_json::Value::from(path);
    TEXT.replacen(DEFAULT_PATH, &format!("{key}: {{"), 1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::super::routes::{EVENTS_PATH, OPENAPI_PATH, TICKET_PATH};
    use super::*;
    use crate::api::{Code, PARAMETER_NAMES, TICKET_PARAMETER_NAMES};

    fn document(path: &str) -> Value {
        serde_json::from_str(&text(path)).expect("valid JSON")
    }

    fn keys(value: &Value) -> BTreeSet<&str> {
        let object = value.as_object().expect("an object");
        object.keys().map(String::as_str).collect()
    }

    /// Returns the referenced value if `value` is a reference, otherwise `value`.
    fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
        let reference = value["$ref"].as_str();
        reference.map_or(value, |reference| {
            let pointer = reference.trim_start_matches('#');
            document
                .pointer(pointer)
                .unwrap_or_else(|| panic!("{reference} does not exist"))
        })
    }

    fn collect_references<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
        if value["$ref"].is_string() {
            found.push(value);
        }
        match value {
            Value::Array(items) => items
                .iter()
                .for_each(|item| collect_references(item, found)),
            Value::Object(fields) => fields
                .values()
                .for_each(|field| collect_references(field, found)),
            _ => {}
        }
    }

    #[test]
    fn document_lists_exactly_the_api_routes() {
        assert_eq!(TEXT.matches(DEFAULT_PATH).count(), 1);
        for path in ["/API/UpdateAgentState.php", "/queues", "/a\"b"] {
            let document = document(path);
            assert_eq!(
                keys(&document["paths"]),
                BTreeSet::from([path, EVENTS_PATH, TICKET_PATH, OPENAPI_PATH])
            );
            for (route, methods) in [
                (path, &["get", "post"][..]),
                (EVENTS_PATH, &["get"]),
                (TICKET_PATH, &["post"]),
                (OPENAPI_PATH, &["get", "head"]),
            ] {
                let documented = keys(&document["paths"][route]);
                assert_eq!(documented, methods.iter().copied().collect(), "{route}");
            }
        }
        assert_eq!(document("/x")["info"]["version"], env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn document_lists_exactly_the_api_parameters() {
        let document = document("/x");
        let known = BTreeSet::from(PARAMETER_NAMES);
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
        let form = document.pointer(form).expect("a form schema");
        assert_eq!(keys(&form["properties"]), known);
    }

    #[test]
    fn document_lists_exactly_the_ticket_parameters() {
        let document = document("/x");
        let body = &document["paths"][TICKET_PATH]["post"]["requestBody"];
        let form = &body["content"]["application/x-www-form-urlencoded"]["schema"];
        let mut known = BTreeSet::from(TICKET_PARAMETER_NAMES);
        // The bridge knows these names only to refuse them.
        assert!(known.remove("agent") && known.remove("queue"));
        assert_eq!(keys(&form["properties"]), known);
    }

    #[test]
    fn document_lists_exactly_the_api_error_codes() {
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
    fn references_resolve_and_every_component_is_used() {
        let document = document("/x");
        let mut found = Vec::new();
        collect_references(&document, &mut found);
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
                // OpenAPI has no schema for streams, so the document describes in prose which
                // schema each event has.
                let is_event = name.ends_with("Event");
                assert!(
                    is_event || used.contains(&*reference),
                    "{reference} is not used"
                );
            }
        }
    }
}
