//! The configuration of pause reasons and wrap-up times, and the mistakes in it.

use ami_bridge::config::{Settings, load_text};
use ami_bridge::organizations::Organization;
use ami_bridge::queues::TimingRules;

/// Returns a valid configuration with `lines` in `[organization.acme]`.
fn text_with(lines: &str) -> String {
    format!(
        "[pbx.main]\nusername = \"u\"\nsecret = \"s\"\n\
         [organization.acme]\nqueues = [\"6001\", \"70*\"]\nagents = [\"1001\"]\n{lines}\n\
         [[organization.acme.user]]\nusername = \"a\"\npassword = \"p\"\n"
    )
}

fn settings(lines: &str) -> Settings {
    load_text("t", &text_with(lines)).unwrap_or_else(|error| panic!("{lines}: {error}"))
}

fn organization(settings: &Settings) -> &Organization {
    &settings.directory.organizations()[0]
}

/// Asserts that `lines` cause exactly one mistake, for this key and with this message.
fn assert_mistake(lines: &str, key: &str, message: &str) {
    let error = load_text("t", &text_with(lines))
        .expect_err(lines)
        .to_string();
    let expected_start = format!("organization.acme.{key}: ");
    assert!(error.contains(&expected_start), "{lines}: {error}");
    assert!(error.contains(message), "{lines}: {error}");
    assert!(error.contains("1 mistake "), "{lines}: {error}");
}

#[test]
fn reasons_have_the_configured_order_limits_and_ends() {
    let settings = settings(
        "reason_required = true\nother_reasons = \"no\"\n\
         [[organization.acme.reason]]\nname = \"Lunch\"\nlimit = \"45m\"\nends = true\n\
         [[organization.acme.reason]]\nname = \"Back office\"\n\
         [[organization.acme.reason]]\nname = \"Été\"\nlimit = \"48h\"\n",
    );
    let acme = organization(&settings);
    assert!(acme.reason_required);
    assert!(!acme.other_reasons);
    let reasons: Vec<_> = acme
        .reasons
        .iter()
        .map(|reason| (reason.name.as_str(), reason.limit_seconds, reason.ends))
        .collect();
    let expected = [
        ("Lunch", Some(2700), true),
        ("Back office", None, false),
        ("Été", Some(172_800), false),
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn time_zone_is_a_known_name() {
    let settings = settings("time_zone = \"Asia/Jerusalem\"");
    assert_eq!(organization(&settings).time_zone.name, "Asia/Jerusalem");
    for name in ["", "Jerusalem", "../UTC", "asia/jerusalem "] {
        let line = format!("time_zone = {name:?}");
        assert_mistake(&line, "time_zone", "must be the name of a time zone");
    }
}

#[test]
fn organization_without_these_keys_allows_any_reason() {
    let settings = settings("");
    let acme = organization(&settings);
    assert!(!acme.reason_required);
    assert!(acme.other_reasons);
    assert!(acme.reasons.is_empty());
    assert_eq!(acme.wrapup_seconds("6001"), 0);
}

#[test]
fn each_mistake_in_a_reason_is_reported_with_its_key() {
    let long_name = "x".repeat(80);
    for (reason, key, message) in [
        ("", "name", "is missing"),
        ("limit = \"5m\"", "name", "is missing"),
        ("name = \"\"", "name", "single line that is not empty"),
        ("name = \" Lunch\"", "name", "begins or ends with a space"),
        ("name = \"a|b\"", "name", "contains |, comma or ;"),
        ("name = \"a,b\"", "name", "contains |, comma or ;"),
        ("name = \"a;b\"", "name", "contains |, comma or ;"),
        ("name = \"a\\tb\"", "name", "invisible character"),
        ("name = \"a\\nb\"", "name", "single line"),
        (
            &*format!("name = \"{long_name}\""),
            "name",
            "longer than 79 bytes",
        ),
        ("name = [\"a\"]", "name", "must be a string"),
        (
            "name = \"a\"\nends = true",
            "limit",
            "ends = true needs the limit",
        ),
        ("name = \"a\"\nends = 1", "ends", "must be true or false"),
        ("name = \"a\"\nlimit = 45", "limit", "with a unit"),
        ("name = \"a\"\nlimit = \"0s\"", "limit", "greater than 0"),
        ("name = \"a\"\nlimit = \"45\"", "limit", "whole seconds"),
        ("name = \"a\"\nlimit = \"-5m\"", "limit", "whole seconds"),
        ("name = \"a\"\nlimit = \" 5m\"", "limit", "whole seconds"),
        ("name = \"a\"\nlimit = \"1500ms\"", "limit", "whole seconds"),
        ("name = \"a\"\nlimit = \"8761h\"", "limit", "at most 8760h"),
        (
            "name = \"a\"\nlimit = \"24h1s\"\nends = true",
            "limit",
            "at most 24h with ends = true",
        ),
        ("name = \"a\"\ncolor = \"red\"", "color", "unknown key"),
    ] {
        let lines = format!("[[organization.acme.reason]]\n{reason}");
        assert_mistake(&lines, &format!("reason[0].{key}"), message);
    }
    settings("[[organization.acme.reason]]\nname = \"a\"\nlimit = \"24h\"\nends = true");
    settings("[[organization.acme.reason]]\nname = \"a\"\nlimit = \"8760h\"");
}

#[test]
fn reasons_that_differ_only_in_case_are_a_mistake() {
    for (first, second) in [("Lunch", "LUNCH"), ("Größe", "GRÖSSE"), ("Обед", "обед")] {
        let reason = |name: &str| format!("[[organization.acme.reason]]\nname = \"{name}\"\n");
        let lines = reason(first) + &reason("Other") + &reason(second);
        let message = format!("is the same as \"{first}\"");
        assert_mistake(&lines, "reason[2].name", &message);
    }
}

#[test]
fn forbidding_other_reasons_needs_a_reason() {
    assert_mistake("other_reasons = false", "reason", "other_reasons = false");
    assert_mistake(
        "other_reasons = 0",
        "other_reasons",
        "must be true or false",
    );
    assert_mistake("reason = \"Lunch\"", "reason", "list of tables");
    settings("other_reasons = false\n[[organization.acme.reason]]\nname = \"Lunch\"");
}

#[test]
fn wrapup_applies_to_all_queues_or_by_pattern() {
    for (line, expected) in [
        ("wrapup = \"15s\"", [15, 15, 15]),
        ("wrapup = \"0s\"", [0, 0, 0]),
        ("wrapup = \"PT1M\"", [60, 60, 60]),
        ("wrapup = { \"*\" = \"24h\" }", [86400, 86400, 86400]),
        ("wrapup = { \"6001\" = \"30s\" }", [30, 0, 0]),
        (
            "wrapup = { \"6001\" = \"30s\", \"7*\" = \"5s\", \"70*1\" = \"0s\", \"*\" = \"15s\" }",
            [30, 5, 0],
        ),
    ] {
        let settings = settings(line);
        let acme = organization(&settings);
        let seconds = ["6001", "7002", "7001"].map(|queue| acme.wrapup_seconds(queue));
        assert_eq!(seconds, expected, "{line}");
        assert_eq!(acme.wrapup_seconds("6002"), 0, "a queue of nobody");
    }
}

#[test]
fn each_mistake_in_wrapup_is_reported_with_its_key() {
    for (value, key, message) in [
        (
            "15",
            "wrapup",
            "a quoted duration with a unit, such as \"15s\", or a table",
        ),
        ("[\"15s\"]", "wrapup", "or a table"),
        ("\"\"", "wrapup", "whole seconds"),
        ("\"15\"", "wrapup", "whole seconds"),
        ("\"-15s\"", "wrapup", "whole seconds"),
        ("\"1500ms\"", "wrapup", "whole seconds"),
        ("\"25h\"", "wrapup", "at most 24h"),
        ("{ \"6001\" = 5 }", "wrapup.6001", "with a unit"),
        ("{ \"6001\" = \"soon\" }", "wrapup.6001", "whole seconds"),
        (
            "{ \"6002\" = \"5s\" }",
            "wrapup.6002",
            "none of the organization's queues",
        ),
        (
            "{ \"8*\" = \"5s\" }",
            "wrapup.8*",
            "none of the organization's queues",
        ),
        ("{ \"**\" = \"5s\" }", "wrapup.**", "more than one *"),
        ("{ \"\" = \"5s\" }", "wrapup.", "not a number or pattern"),
        (
            "{ \"70A*\" = \"5s\", \"70a*\" = \"6s\" }",
            "wrapup.70a*",
            "is the same as",
        ),
    ] {
        assert_mistake(&format!("wrapup = {value}"), key, message);
    }
}
