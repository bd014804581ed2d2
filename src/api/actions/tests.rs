//! Tests of the parameters that each action accepts.

use super::*;
use crate::organizations::{Limits, Organization};
use crate::queues::{PauseReason, ReasonCatalog};

fn parse_result(query: &str) -> String {
    parse_result_for(&Organization::for_test(&["*"], "{queue}"), query)
}

fn parse_result_for(organization: &Organization, query: &str) -> String {
    let account = Account::for_test(organization.clone(), Limits::default());
    let command = || {
        let form = Form::parse(&[query], true)?;
        (requested_action(&form)?.parse)(&form, &account)
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
            r#"Pause { agents: ["1001"], queues: Omitted, paused: true, reason: Some("Lunch"), duration_seconds: None, keep_existing: false }"#,
        ),
        (
            "action=unpause&agent=1001&queue=6001,6002,6001&reason=",
            r#"Pause { agents: ["1001"], queues: Named(["6001", "6002"]), paused: false, reason: None, duration_seconds: None, keep_existing: false }"#,
        ),
        (
            "action=add&agent=1001&queue=6001&reason=x",
            r#"Add { agents: ["1001"], queues: ["6001"], alias: None, penalty: 0, paused: false, reason: None, duration_seconds: None }"#,
        ),
        (
            "action=add&agent=1001&queue=6001&alias=Dana&penalty=1000000&paused=Yes&reason=x",
            r#"Add { agents: ["1001"], queues: ["6001"], alias: Some("Dana"), penalty: 1000000, paused: true, reason: Some("x"), duration_seconds: None }"#,
        ),
        (
            "action=remove&agent=1001&queue=6001",
            r#"Remove { agents: ["1001"], queues: Named(["6001"]) }"#,
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
            r#"ShowState { agents: ["a"], queues: None, fresh: false }"#,
        ),
        (
            "action=remove&agent=a,B,A,b&queue=*",
            r#"Remove { agents: ["a", "B"], queues: Every }"#,
        ),
        (
            "action=unpause&agent=1001&queue=*",
            r#"Pause { agents: ["1001"], queues: Every, paused: false, reason: None, duration_seconds: None, keep_existing: false }"#,
        ),
        (
            "action=add&agent=1,2,1&queue=6001&alias=",
            r#"Add { agents: ["1", "2"], queues: ["6001"], alias: None, penalty: 0, paused: false, reason: None, duration_seconds: None }"#,
        ),
        (
            "action=showstate&agent=1,2",
            r#"ShowState { agents: ["1", "2"], queues: None, fresh: false }"#,
        ),
        ("action=ShowReasons&reason=x&fresh=x", "ShowReasons"),
        ("action=whoami", "WhoAmI"),
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
        ("action=pause&agent=1,", "invalid_parameter agent"),
        ("action=showstate&agent=1,,2", "invalid_parameter agent"),
        ("action=remove&agent=1,*&queue=1", "invalid_parameter agent"),
        ("action=remove&agent=1&queue=*,1", "invalid_parameter queue"),
        ("action=pause&agent=1&queue=1,*", "invalid_parameter queue"),
        ("action=unpause&agent=1&queue=**", "invalid_parameter queue"),
        ("action=add&agent=1&queue=*", "invalid_parameter queue"),
        ("action=showqueue&queue=*", "invalid_parameter queue"),
        ("action=showqueuestat&queue=*", "invalid_parameter queue"),
        (
            "action=showstate&agent=1&queue=*",
            "invalid_parameter queue",
        ),
        ("action=add&agent=1001", "missing_parameter queue"),
        ("action=remove&queue=1", "missing_parameter agent"),
        ("action=showqueue&agent=1", "invalid_parameter agent"),
        ("action=showqueuestat&agent=", "invalid_parameter agent"),
        ("action=showstate", "missing_parameter agent"),
        ("action=showreasons&agent=1001", "invalid_parameter agent"),
        ("action=showreasons&queue=", "invalid_parameter queue"),
        ("action=whoami&agent=1001", "invalid_parameter agent"),
        ("action=whoami&queue=6001", "invalid_parameter queue"),
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
    let several = "action=add&agent=1001,1002&queue=1&alias=Dana";
    assert_eq!(parse_result(several), "invalid_parameter alias");
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

/// An organization that lists a reason with an end and one without a limit.
fn with_reasons(reason_required: bool, other_reasons: bool) -> Organization {
    let reason = |name: &str, limit_seconds: Option<u64>| PauseReason {
        name: name.to_owned(),
        limit_seconds,
        ends: limit_seconds.is_some(),
    };
    let reasons = [reason("Lunch", Some(2700)), reason("Back office", None)];
    Organization {
        reasons: ReasonCatalog::new(reasons),
        reason_required,
        other_reasons,
        ..Organization::for_test(&["*"], "{queue}")
    }
}

#[test]
fn reason_and_duration_follow_the_organization() {
    let organization = with_reasons(false, true);
    let pause = |parameters: &str| {
        let query = format!("action=pause&agent=1&{parameters}");
        parse_result_for(&organization, &query)
    };
    for (parameters, expected) in [
        (
            "reason=LUNCH",
            r#"Some("Lunch"), duration_seconds: Some(2700)"#,
        ),
        (
            "reason=lunch&duration=60",
            r#"Some("Lunch"), duration_seconds: Some(60)"#,
        ),
        (
            "reason=lunch&duration=2700",
            r#"Some("Lunch"), duration_seconds: Some(2700)"#,
        ),
        ("reason=Other", r#"Some("Other"), duration_seconds: None"#),
        (
            "reason=back+office&duration=86400",
            r#"Some("Back office"), duration_seconds: Some(86400)"#,
        ),
        ("duration=1", "None, duration_seconds: Some(1)"),
        (
            "keep_existing=YES",
            "None, duration_seconds: None, keep_existing: true",
        ),
    ] {
        let result = pause(parameters);
        let expected = format!("reason: {expected}");
        assert!(result.contains(&expected), "{parameters}: {result}");
    }
    for (parameters, expected) in [
        ("reason=lunch&duration=2701", "invalid_parameter duration"),
        ("duration=", "invalid_parameter duration"),
        ("duration=0", "invalid_parameter duration"),
        ("duration=86401", "invalid_parameter duration"),
        ("duration=%2B5", "invalid_parameter duration"),
        ("duration=1.5", "invalid_parameter duration"),
        ("duration=5s", "invalid_parameter duration"),
        (
            "duration=99999999999999999999",
            "invalid_parameter duration",
        ),
        ("keep_existing=", "invalid_parameter keep_existing"),
    ] {
        assert_eq!(pause(parameters), expected, "{parameters}");
    }
}

#[test]
fn parameters_of_a_pause_are_ignored_without_a_pause() {
    let organization = with_reasons(true, false);
    for (query, expected) in [
        (
            "action=unpause&agent=1&reason=back+OFFICE&duration=x&keep_existing=x",
            r#"reason: Some("Back office"), duration_seconds: None, keep_existing: false"#,
        ),
        (
            "action=unpause&agent=1&reason=Other",
            r#"reason: Some("Other"), duration_seconds: None"#,
        ),
        (
            "action=add&agent=1&queue=1&reason=Other&duration=x&keep_existing=x",
            "reason: None, duration_seconds: None",
        ),
        ("action=remove&agent=1&queue=1&duration=x", "Remove"),
        ("action=showqueue&duration=x&keep_existing=x", "ShowQueue"),
    ] {
        let result = parse_result_for(&organization, query);
        assert!(result.contains(expected), "{query}: {result}");
    }
}

#[test]
fn pause_needs_a_listed_reason_if_the_organization_requires_it() {
    for (reason_required, other_reasons, reason, expected) in [
        (true, true, "", "missing_parameter reason"),
        (true, true, "&reason=", "missing_parameter reason"),
        (true, true, "&reason=Other", "accepted"),
        (true, false, "&reason=Other", "invalid_parameter reason"),
        (true, false, "&reason=lunch", "accepted"),
        (false, false, "&reason=Other", "invalid_parameter reason"),
        (false, false, "", "accepted"),
    ] {
        let organization = with_reasons(reason_required, other_reasons);
        for action in ["pause&agent=1", "add&agent=1&queue=1&paused=1"] {
            let query = format!("action={action}{reason}");
            let result = parse_result_for(&organization, &query);
            if expected == "accepted" {
                assert!(!result.contains("_parameter"), "{query}: {result}");
            } else {
                assert_eq!(result, expected, "{query}");
            }
        }
    }
    let form = Form::parse(&["action=pause&agent=1&reason=x"], true).expect("a form");
    let account = Account::for_test(with_reasons(true, false), Limits::default());
    let refusal = (pause::PAUSE.parse)(&form, &account).expect_err("refused");
    assert!(
        refusal.message.contains("Lunch, Back office"),
        "{}",
        refusal.message
    );
}

fn assert_rejected(cases: &[(&str, &str)]) {
    for (query, expected) in cases {
        assert_eq!(parse_result(query), *expected, "{query}");
    }
}

#[test]
fn at_most_100_different_queues_and_agents_are_accepted() {
    for (query, count, expected) in [
        ("action=showqueue&queue", 100, "ShowQueue"),
        ("action=showqueue&queue", 101, "invalid_parameter queue"),
        ("action=showstate&agent", 100, "ShowState"),
        ("action=showstate&agent", 101, "invalid_parameter agent"),
    ] {
        // Duplicates count once.
        let numbers = (0..count).chain(0..count);
        let list: Vec<_> = numbers.map(|number| number.to_string()).collect();
        let result = parse_result(&format!("{query}={}", list.join(",")));
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
