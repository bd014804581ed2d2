//! Tests of the parameters that each action accepts.

use super::*;

fn parse_result(query: &str) -> String {
    let command = || {
        let form = Form::parse(&[query], true)?;
        (requested_action(&form)?.parse)(&form)
    };
    match command() {
        Ok(command) => format!("{command:?}"),
        Err(error) => {
            let parameter = error.parameter.unwrap_or_default();
            format!("{} {parameter}", error.code.as_str())
        }
    }
}

#[test]
fn each_action_accepts_its_parameters() {
    for (query, expected) in [
        (
            "action=PAUSE&agent=1001&reason=Lunch&alias=x",
            r#"Pause { agent: "1001", queues: None, paused: true, reason: Some("Lunch") }"#,
        ),
        (
            "action=unpause&agent=1001&queue=6001,6002,6001&reason=",
            r#"Pause { agent: "1001", queues: Some(["6001", "6002"]), paused: false, reason: None }"#,
        ),
        (
            "action=add&agent=1001&queue=6001&reason=x",
            r#"Add { agent: "1001", queues: ["6001"], alias: "1001", penalty: 0, paused: false, reason: None }"#,
        ),
        (
            "action=add&agent=1001&queue=6001&alias=Dana&penalty=1000000&paused=Yes&reason=x",
            r#"Add { agent: "1001", queues: ["6001"], alias: "Dana", penalty: 1000000, paused: true, reason: Some("x") }"#,
        ),
        (
            "action=remove&agent=1001&queue=6001",
            r#"Remove { agent: "1001", queues: ["6001"] }"#,
        ),
        (
            "action=showqueue&fresh=1",
            "ShowQueue(QueueSelection { queues: None, fresh: true })",
        ),
        (
            "action=ShowQueueStat&queue=q",
            r#"ShowQueueStat(QueueSelection { queues: Some(["q"]), fresh: false })"#,
        ),
        (
            "action=showstate&agent=a",
            r#"ShowState { agent: "a", queues: None, fresh: false }"#,
        ),
    ] {
        assert_eq!(parse_result(query), expected, "{query}");
    }
}

#[test]
fn invalid_action_agent_or_queue_is_rejected() {
    assert_rejected(&[
        ("", "missing_parameter action"),
        ("action=", "missing_parameter action"),
        ("action=fly", "unknown_action action"),
        ("action=pause", "missing_parameter agent"),
        ("action=pause&agent=", "invalid_parameter agent"),
        ("action=pause&agent=-1", "invalid_parameter agent"),
        ("action=pause&agent=.1", "invalid_parameter agent"),
        ("action=pause&agent=trunk/1", "invalid_parameter agent"),
        ("action=pause&agent=1@x", "invalid_parameter agent"),
        ("action=pause&agent=1%26x", "invalid_parameter agent"),
        ("action=pause&agent=%D7%90", "invalid_parameter agent"),
        ("action=pause&agent=1&queue=", "invalid_parameter queue"),
        (
            "action=pause&agent=1&queue=6001,",
            "invalid_parameter queue",
        ),
        ("action=pause&agent=1&queue=1,+2", "invalid_parameter queue"),
        ("action=add&agent=1001", "missing_parameter queue"),
        ("action=remove&queue=1", "missing_parameter agent"),
        ("action=showqueue&agent=1", "invalid_parameter agent"),
        ("action=showqueuestat&agent=", "invalid_parameter agent"),
        ("action=showstate", "missing_parameter agent"),
    ]);
}

#[test]
fn invalid_value_of_another_parameter_is_rejected() {
    assert_rejected(&[
        (
            "action=pause&agent=1&reason=a|b",
            "invalid_parameter reason",
        ),
        (
            "action=pause&agent=1&reason=a,b",
            "invalid_parameter reason",
        ),
        ("action=showqueue&fresh=maybe", "invalid_parameter fresh"),
    ]);
    let add = |value: &str| format!("action=add&agent=1001&queue=1&{value}");
    for (value, expected) in [
        ("alias=a;b", "invalid_parameter alias"),
        ("penalty=-1", "invalid_parameter penalty"),
        ("penalty=%2B1", "invalid_parameter penalty"),
        ("penalty=", "invalid_parameter penalty"),
        ("penalty=1000001", "invalid_parameter penalty"),
        ("paused=banana", "invalid_parameter paused"),
    ] {
        assert_eq!(parse_result(&add(value)), expected, "{value}");
    }
}

fn assert_rejected(cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        assert_eq!(parse_result(query), *expected, "{query}");
    }
}

#[test]
fn at_most_100_different_queues_are_accepted() {
    for (count, expected) in [(100, "ShowQueue"), (101, "invalid_parameter queue")] {
        // Duplicates count once.
        let numbers = (0..count).chain(0..count);
        let list: Vec<_> = numbers.map(|number| number.to_string()).collect();
        let list = list.join(",");
        let result = parse_result(&format!("action=showqueue&queue={list}"));
        assert!(result.starts_with(expected), "{result}");
    }
}

#[test]
fn values_up_to_the_maximum_length_are_accepted() {
    for (limit, name, query) in [
        (32, "agent", "action=pause&agent="),
        (64, "queue", "action=pause&agent=1&queue="),
        (79, "reason", "action=pause&agent=1&reason="),
    ] {
        let with_length = |length| parse_result(&format!("{query}{}", "x".repeat(length)));
        let fits = with_length(limit);
        assert!(fits.starts_with("Pause"), "{name}: {fits}");
        let expected = format!("invalid_parameter {name}");
        assert_eq!(with_length(limit + 1), expected);
    }
}
