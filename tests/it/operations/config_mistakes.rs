//! Mistakes in configuration values: empty values, surrounding spaces, missing units, capital
//! letters, and look-alike characters.

use ami_bridge::config::load_text;

/// Returns a valid configuration with `line` in `section`. `line` replaces the line with the
/// same key.
fn configuration_with(section: &str, line: &str) -> String {
    let mut text = String::new();
    let valid = "[http]\n[admin]\n[log]\n[lockout]\n[state]\n[pbx.main]\nusername = \"u\"\nsecret = \"s\"\n\
        [organization.acme]\nqueues = [\"6001\"]\nagents = [\"1001\"]\n\
        [[organization.acme.user]]\nusername = \"a\"\npassword = \"p\"\n";
    let key = line.split(' ').next().unwrap_or_default();
    let mut is_in_section = false;
    for valid_line in valid.lines() {
        if valid_line.starts_with('[') {
            is_in_section = valid_line == section;
        }
        // `line` replaces the valid line with the same key.
        if !is_in_section || valid_line.split(' ').next() != Some(key) {
            text += &format!("{valid_line}\n");
        }
        if valid_line == section {
            text += &format!("{line}\n");
        }
    }
    assert!(text.contains(line), "{section} {line}");
    text
}

/// Returns the error that `line` causes, or an empty string if `line` is accepted.
fn error_for(section: &str, line: &str) -> String {
    let loaded = load_text("t", &configuration_with(section, line));
    loaded
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

const USER: &str = "[[organization.acme.user]]";
const DURATIONS: [(&str, &str); 5] = [
    ("[pbx.main]", "action_timeout"),
    ("[pbx.main]", "connect_timeout"),
    ("[pbx.main]", "resync_interval"),
    ("[lockout]", "window"),
    ("[lockout]", "duration"),
];
const NUMBERS: [(&str, &str); 3] = [
    ("[pbx.main]", "max_pending"),
    ("[http]", "max_connections"),
    ("[lockout]", "attempts"),
];
const SWITCHES: [(&str, &str); 6] = [
    ("[pbx.main]", "tls"),
    ("[http]", "serve_stale"),
    ("[http]", "panel"),
    ("[admin]", "queue_metrics"),
    ("[organization.acme]", "shared"),
    ("[organization.acme]", "reason_required"),
];

/// Asserts that each value of each key causes exactly one mistake, whose message contains
/// `message`.
fn assert_mistakes(keys: &[(&str, &str)], values: &[&str], message: &str) {
    for (section, key) in keys {
        for value in values {
            let line = format!("{key} = {value}");
            let error = error_for(section, &line);
            let name = section.trim_matches(['[', ']']);
            let key_path = if *section == USER {
                format!("{name}[0].{key}: ")
            } else {
                format!("{name}.{key}: ")
            };
            assert!(error.contains(&key_path), "{line}: {error:?}");
            assert!(error.contains(message), "{line}: {error}");
            assert!(error.contains("1 mistake "), "{line}: {error}");
        }
    }
}

/// Asserts that each key accepts each value.
fn assert_accepted(keys: &[(&str, &str)], values: &[&str]) {
    for (section, key) in keys {
        for value in values {
            assert_eq!(
                error_for(section, &format!("{key} = {value}")),
                "",
                "{key} = {value}"
            );
        }
    }
}

#[test]
fn durations_need_a_unit_and_no_surrounding_spaces() {
    let invalid = "\"\" \" 5s\" \"5S\" \"5M\" \"5\" \"-5s\" \"0s\" \"2d\" \"5٠s\" \"５s\" \"soon\"";
    assert_mistakes(
        &DURATIONS,
        &quoted(invalid),
        "must be a duration greater than 0",
    );
    assert_mistakes(&DURATIONS, &["\"5s \"", "\" 5s\""], "must be a duration");
    assert_mistakes(&DURATIONS, &["5", "5.0", "true"], "with a unit");
    assert_accepted(&DURATIONS, &quoted("\"5s\" \"500ms\" \"1m\" \"PT5S\""));
}

#[test]
fn numbers_must_be_whole_and_switches_true_or_false() {
    let invalid = [
        "5.7", "-5", "true", "\"yes\"", "\"\"", "\" 5\"", "\"+5\"", "\"0x10\"", "\"５\"",
    ];
    assert_mistakes(&NUMBERS, &invalid, "must be a whole number");
    assert_mistakes(&NUMBERS, &["0", "1000001"], "from 1 to 1000000");
    assert_accepted(&NUMBERS, &["5", "\"5\""]);
    let invalid = [
        "5",
        "1",
        "-5",
        "0.0",
        "\"\"",
        "\" true\"",
        "\"ja\"",
        "[true]",
    ];
    assert_mistakes(&SWITCHES, &invalid, "must be true or false");
    // Values from environment variables are strings.
    assert_accepted(
        &SWITCHES[1..],
        &quoted("\"true\" \"FALSE\" \"no\" \"On\" \"0\""),
    );
}

#[test]
fn address_errors_show_the_expected_form() {
    let address = [("[pbx.main]", "address")];
    for (value, message) in [
        ("tcp://127.0.0.1:5038", "without a scheme"),
        (" 127.0.0.1:5038", "the character ' '"),
        ("::1:5038", "as \"[::1]:5038\""),
        ("127.0.0.1", "as \"127.0.0.1:5038\""),
        ("", "as \"127.0.0.1:5038\""),
        ("127.0.0.1:５038", "as \"127.0.0.1:5038\""),
    ] {
        assert_mistakes(&address, &[&format!("\"{value}\"")], message);
    }
    assert_accepted(&address, &quoted("\"LOCALHOST:5038\" \"[::1]:5038\""));
    let invalid = "\" 127.0.0.1:1\" \"localhost:1\" \"http://127.0.0.1:1\" \"::1:1\" \"127.0.0.1\"";
    for listen in [("[http]", "listen"), ("[admin]", "listen")] {
        assert_mistakes(&[listen], &quoted(invalid), "must be address:port");
    }
    assert_mistakes(&[("[http]", "listen")], &["\"\""], "must be address:port");
}

#[test]
fn networks_and_origins_that_can_never_match_are_rejected() {
    let networks = [(USER, "allow_from"), ("[http]", "trusted_proxies")];
    let invalid = [
        "[\"\"]",
        "[\" 10.0.0.0/8\"]",
        "[\"010.0.0.0/8\"]",
        "[\"10.0.0.0/33\"]",
    ];
    assert_mistakes(&networks, &invalid, "must be an IP address or a network");
    let wide = ["[\"::ffff:10.0.0.0/8\"]"];
    assert_mistakes(&networks, &wide, "write an IPv4 network");
    assert_accepted(
        &networks,
        &["[\"::ffff:10.0.0.0/104\"]", "[\"2001:DB8::/32\"]"],
    );
    let invalid = [
        "[\"https://panel.example.com:443\"]",
        "[\"https://Panel.example.com\"]",
        "[\" https://panel.example.com\"]",
        "[\"https://panel.example.com/\"]",
        "[\"https://pаnel.example.com\"]",
        "[\"\"]",
    ];
    assert_mistakes(&[("[http]", "cors_origins")], &invalid, "is not an origin");
}

#[test]
fn log_filters_that_would_silence_the_log_are_rejected() {
    let level = [("[log]", "level")];
    let invalid = "\"\" \"info \" \" info\" \"info;x=debug\" \"ａmi_bridge=debug\" \"loud\" \"x=\"";
    assert_mistakes(&level, &quoted(invalid), "must be a level");
    assert_mistakes(&level, &["\"info, audit=debug\""], "must be a level");
    let valid =
        "\"INFO\" \"warn,audit=info\" \"info,ami_bridge::wire=TRACE\" \"info,[link]=debug\"";
    assert_accepted(&level, &quoted(valid));
    let choices = [("[log]", "format"), ("[http]", "unknown_parameters")];
    let invalid = "\"\" \"JSON\" \"Reject\" \"ignore \" \" json\"";
    assert_mistakes(&choices, &quoted(invalid), "must be \"");
}

#[test]
fn paths_that_no_request_can_have_are_rejected() {
    let invalid = "\"\" \"/\" \"x\" \"/x \" \"/a//b\" \"//x\" \"/a/../b\" \"/./x\" \"/é\" \"/a%20b\" \
        \"/events\" \"/panel/board/page.js\" \"/openapi.json\" \
        \"/agent\" \"/wall\" \"/wall/x\"";
    let path = [("[http]", "path")];
    assert_mistakes(&path, &quoted(invalid), "must be a path below /");
    assert_mistakes(&path, &["\"/a b\""], "must be a path below /");
    assert_accepted(
        &path,
        &quoted("\"/x\" \"/X/y.php\" \"/x/\" \"/eventsource\" \"/wallpaper\""),
    );
}

#[test]
fn state_directory_must_be_an_absolute_path() {
    let directory = [("[state]", "directory")];
    let invalid = quoted("\"state\" \"./state\" \"~/state\"");
    assert_mistakes(&directory, &invalid, "must be an absolute path, such as");
    assert_mistakes(&directory, &["\"\"", "\" /state\""], "is not a path");
    assert_accepted(&directory, &["\"/var/lib/ami-bridge\""]);
}

#[test]
fn names_and_secrets_with_invisible_characters_are_rejected() {
    let keys = [
        ("[pbx.main]", "username"),
        ("[pbx.main]", "secret"),
        (USER, "username"),
        (USER, "password"),
    ];
    let invalid = [
        "\"a\\u200b\"",
        "\"\\ufeffa\"",
        "\"a\\u00a0b\"",
        "\"a\\u202eb\"",
        "\"a\\u0000\"",
    ];
    assert_mistakes(&keys, &invalid, "invisible character");
    assert_mistakes(&keys, &["\" a\"", "\"a \""], "begins or ends with a space");
    assert_mistakes(&keys, &["\"\"", "\"a\\nb\""], "must be a single line");
    assert_accepted(&keys, &["\"dana.é@example.com\"", "\"a b\""]);
}

#[test]
fn invalid_organization_lists_and_templates_are_rejected() {
    let queues = [("[organization.acme]", "queues")];
    let agents = [("[organization.acme]", "agents")];
    let invalid = ["[\"\"]", "[\" 6001\"]", "[\"６001\"]", "[\"60**\"]"];
    assert_mistakes(&queues, &invalid, "\"");
    assert_mistakes(&agents, &invalid, "\"");
    assert_mistakes(&agents, &["[\"1099-1001\"]", "[\"1001–1099\"]"], "\"10");
    assert_mistakes(&agents, &["[]"], "remove the key to allow any agent");
    let actions = ["[\"\"]", "[\" pause\"]", "[\"paüse\"]"];
    assert_mistakes(&[(USER, "actions")], &actions, "is not one of");
    assert_accepted(&[(USER, "actions")], &["[\"PAUSE\"]"]);
    let templates = "\"\" \"PJSIP/1001\" \"PJSIP/{agent} \" \"PJSIP／{agent}\" \"PJSIP/{Agent}\"";
    let interface = [("[organization.acme]", "interface")];
    assert_mistakes(&interface, &quoted(templates), "must ");
}

/// Returns the quoted values in `line`, including their quotes.
fn quoted(line: &str) -> Vec<&str> {
    let mut values = Vec::new();
    let mut rest = line;
    while let Some(start) = rest.find('"') {
        let end = start + 2 + rest[start + 1..].find('"').expect("a closing quote");
        values.push(&rest[start..end]);
        rest = &rest[end..];
    }
    values
}
