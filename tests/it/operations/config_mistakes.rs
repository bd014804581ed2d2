//! What operators really write: every value of the configuration empty, with blanks
//! around it, without its unit, in capitals, with characters that only look right.

use std::process::Output;

use ami_bridge::config::load_text;

use crate::support::{SIMULATED, bridge_command, configuration, http_tls_section};

/// With everything that is needed; a value is put into its section.
fn with(section: &str, line: &str) -> String {
    let mut text = String::new();
    let sound = "[http]\n[admin]\n[log]\n[lockout]\n[pbx.main]\nusername = \"u\"\nsecret = \"s\"\n\
        [organization.acme]\nqueues = [\"6001\"]\nagents = [\"1001\"]\n\
        [[organization.acme.user]]\nusername = \"a\"\npassword = \"p\"\n";
    let key = line.split(' ').next().unwrap_or_default();
    let mut inside = false;
    for sound in sound.lines() {
        if sound.starts_with('[') {
            inside = sound == section;
        }
        // The value takes the place of the sound one.
        if !inside || sound.split(' ').next() != Some(key) {
            text += &format!("{sound}\n");
        }
        if sound == section {
            text += &format!("{line}\n");
        }
    }
    assert!(text.contains(line), "{section} {line}");
    text
}

/// What is said of that line; nothing if it is taken.
fn said(section: &str, line: &str) -> String {
    let loaded = load_text("t", &with(section, line));
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
const SWITCHES: [(&str, &str); 5] = [
    ("[pbx.main]", "tls"),
    ("[http]", "serve_stale"),
    ("[http]", "panel"),
    ("[admin]", "queue_metrics"),
    ("[organization.acme]", "shared"),
];

/// Each of these values of each of these keys is a mistake of that key, which says that.
fn are_mistakes(keys: &[(&str, &str)], values: &[&str], part: &str) {
    for (section, key) in keys {
        for value in values {
            let line = format!("{key} = {value}");
            let said = said(section, &line);
            let name = section.trim_matches(['[', ']']);
            let place = if *section == USER {
                format!("{name}[0].{key}: ")
            } else {
                format!("{name}.{key}: ")
            };
            assert!(said.contains(&place), "{line}: {said:?}");
            assert!(said.contains(part), "{line}: {said}");
            assert!(said.contains("1 mistake "), "{line}: {said}");
        }
    }
}

fn are_taken(keys: &[(&str, &str)], values: &[&str]) {
    for (section, key) in keys {
        for value in values {
            assert_eq!(
                said(section, &format!("{key} = {value}")),
                "",
                "{key} = {value}"
            );
        }
    }
}

#[test]
fn durations_need_a_unit_and_nothing_around() {
    let odd = "\"\" \" 5s\" \"5S\" \"5M\" \"5\" \"-5s\" \"0s\" \"2d\" \"5٠s\" \"５s\" \"soon\"";
    are_mistakes(
        &DURATIONS,
        &quoted(odd),
        "must be a duration greater than 0",
    );
    are_mistakes(&DURATIONS, &["\"5s \"", "\" 5s\""], "must be a duration");
    are_mistakes(&DURATIONS, &["5", "5.0", "true"], "with a unit");
    are_taken(&DURATIONS, &quoted("\"5s\" \"500ms\" \"1m\" \"PT5S\""));
}

#[test]
fn numbers_are_whole_and_switches_are_true_or_false() {
    let odd = [
        "5.7", "-5", "true", "\"yes\"", "\"\"", "\" 5\"", "\"+5\"", "\"0x10\"", "\"５\"",
    ];
    are_mistakes(&NUMBERS, &odd, "must be a whole number");
    are_mistakes(&NUMBERS, &["0", "1000001"], "from 1 to 1000000");
    are_taken(&NUMBERS, &["5", "\"5\""]);
    let odd = [
        "5",
        "1",
        "-5",
        "0.0",
        "\"\"",
        "\" true\"",
        "\"ja\"",
        "[true]",
    ];
    are_mistakes(&SWITCHES, &odd, "must be true or false");
    // As the environment has them.
    are_taken(
        &SWITCHES[1..],
        &quoted("\"true\" \"FALSE\" \"no\" \"On\" \"0\""),
    );
}

#[test]
fn addresses_say_what_would_be_right() {
    let address = [("[pbx.main]", "address")];
    for (value, part) in [
        ("tcp://127.0.0.1:5038", "without a scheme"),
        (" 127.0.0.1:5038", "the character ' '"),
        ("::1:5038", "as \"[::1]:5038\""),
        ("127.0.0.1", "as \"127.0.0.1:5038\""),
        ("", "as \"127.0.0.1:5038\""),
        ("127.0.0.1:５038", "as \"127.0.0.1:5038\""),
    ] {
        are_mistakes(&address, &[&format!("\"{value}\"")], part);
    }
    are_taken(&address, &quoted("\"LOCALHOST:5038\" \"[::1]:5038\""));
    let odd = "\" 127.0.0.1:1\" \"localhost:1\" \"http://127.0.0.1:1\" \"::1:1\" \"127.0.0.1\"";
    for listen in [("[http]", "listen"), ("[admin]", "listen")] {
        are_mistakes(&[listen], &quoted(odd), "must be address:port");
    }
    are_mistakes(&[("[http]", "listen")], &["\"\""], "must be address:port");
}

#[test]
fn networks_and_origins_that_never_match_are_mistakes() {
    let networks = [(USER, "allow_from"), ("[http]", "trusted_proxies")];
    let odd = [
        "[\"\"]",
        "[\" 10.0.0.0/8\"]",
        "[\"010.0.0.0/8\"]",
        "[\"10.0.0.0/33\"]",
    ];
    are_mistakes(&networks, &odd, "is not a network");
    let wide = ["[\"::ffff:10.0.0.0/8\"]"];
    are_mistakes(&networks, &wide, "write an IPv4 network");
    are_taken(
        &networks,
        &["[\"::ffff:10.0.0.0/104\"]", "[\"2001:DB8::/32\"]"],
    );
    let odd = [
        "[\"https://panel.example.com:443\"]",
        "[\"https://Panel.example.com\"]",
        "[\" https://panel.example.com\"]",
        "[\"https://panel.example.com/\"]",
        "[\"https://pаnel.example.com\"]",
        "[\"\"]",
    ];
    are_mistakes(&[("[http]", "cors_origins")], &odd, "is not an origin");
}

#[test]
fn a_filter_that_would_silence_the_log_is_a_mistake() {
    let level = [("[log]", "level")];
    let odd = "\"\" \"info \" \" info\" \"info;x=debug\" \"ａmi_bridge=debug\" \"loud\" \"x=\"";
    are_mistakes(&level, &quoted(odd), "must be a level");
    are_mistakes(&level, &["\"info, audit=debug\""], "must be a level");
    let good = "\"INFO\" \"warn,audit=info\" \"info,ami_bridge::wire=TRACE\" \"info,[link]=debug\"";
    are_taken(&level, &quoted(good));
    let words = [("[log]", "format"), ("[http]", "unknown_parameters")];
    let odd = "\"\" \"JSON\" \"Reject\" \"ignore \" \" json\"";
    are_mistakes(&words, &quoted(odd), "must be \"");
}

#[test]
fn paths_that_nobody_can_ask_for_are_mistakes() {
    let odd = "\"\" \"/\" \"x\" \"/x \" \"/a//b\" \"//x\" \"/a/../b\" \"/./x\" \"/é\" \"/a%20b\" \
        \"/events\" \"/panel/main.js\" \"/openapi.json\"";
    let path = [("[http]", "path")];
    are_mistakes(&path, &quoted(odd), "must be a path below /");
    are_mistakes(&path, &["\"/a b\""], "must be a path below /");
    are_taken(
        &path,
        &quoted("\"/x\" \"/X/y.php\" \"/x/\" \"/eventsource\""),
    );
}

#[test]
fn names_and_secrets_have_no_invisible_characters() {
    let keys = [
        ("[pbx.main]", "username"),
        ("[pbx.main]", "secret"),
        (USER, "username"),
        (USER, "password"),
    ];
    let odd = [
        "\"a\\u200b\"",
        "\"\\ufeffa\"",
        "\"a\\u00a0b\"",
        "\"a\\u202eb\"",
        "\"a\\u0000\"",
    ];
    are_mistakes(&keys, &odd, "invisible character");
    are_mistakes(&keys, &["\" a\"", "\"a \""], "begins or ends with a space");
    are_mistakes(&keys, &["\"\"", "\"a\\nb\""], "must be a single line");
    are_taken(&keys, &["\"dana.é@example.com\"", "\"a b\""]);
}

#[test]
fn lists_of_the_organization_say_what_is_wrong() {
    let queues = [("[organization.acme]", "queues")];
    let agents = [("[organization.acme]", "agents")];
    let odd = ["[\"\"]", "[\" 6001\"]", "[\"６001\"]", "[\"60**\"]"];
    are_mistakes(&queues, &odd, "\"");
    are_mistakes(&agents, &odd, "\"");
    are_mistakes(&agents, &["[\"1099-1001\"]", "[\"1001–1099\"]"], "\"10");
    are_mistakes(&agents, &["[]"], "remove the key to allow any agent");
    let actions = ["[\"\"]", "[\" pause\"]", "[\"paüse\"]"];
    are_mistakes(&[(USER, "actions")], &actions, "is not one of");
    are_taken(&[(USER, "actions")], &["[\"PAUSE\"]"]);
    let templates = "\"\" \"PJSIP/1001\" \"PJSIP/{agent} \" \"PJSIP／{agent}\" \"PJSIP/{Agent}\"";
    let interface = [("[organization.acme]", "interface")];
    are_mistakes(&interface, &quoted(templates), "must ");
}

/// The values of a line, each between its quotes.
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

fn check(configuration: &[u8], folder: &std::path::Path) -> (Option<i32>, String) {
    let file = folder.join("bridge.toml");
    std::fs::write(&file, configuration).expect("written");
    let mut command = bridge_command();
    command.args(["check", "--config"]).arg(file);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the program");
    let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    (status.code(), text)
}

#[test]
fn a_key_that_stands_twice_is_told_with_both_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[pbx.main]\nsecret = \"hidden-a\"\n\n[pbx.other]\nsecret = \"hidden-b\"\n\
        username = \"u\"\nsecret = \"hidden-c\"\n";
    let (code, said) = check(text.as_bytes(), folder.path());
    assert_eq!(code, Some(2), "{said}");
    let told = "bridge.toml:7: duplicate key \"secret\", first set in line 5";
    assert!(said.contains(told), "{said}");
    assert!(!said.contains("hidden"), "{said}");
}

/// Files that an editor on Windows has saved.
#[test]
fn what_editors_add_to_files_does_no_harm() {
    let asterisk = crate::support::Asterisk::start(SIMULATED);
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    let named = configuration(asterisk.port).replace(
        "secret = \"sample-secret-change-me\"",
        &format!("secret_file = {secret:?}"),
    );
    let marked = format!("\u{feff}{}", named.replace('\n', "\r\n"));
    for text in [
        "sample-secret-change-me",
        "sample-secret-change-me\r\n",
        "\u{feff}sample-secret-change-me \t\r\n\r\n",
    ] {
        std::fs::write(&secret, text).expect("written");
        let (code, said) = check(marked.as_bytes(), folder.path());
        assert_eq!(code, Some(0), "{said}");
    }
    let sixteen = "\u{feff}sample-secret-change-me\r\n".encode_utf16();
    let sixteen: Vec<u8> = sixteen.flat_map(u16::to_le_bytes).collect();
    for (bytes, part) in [
        (sixteen.as_slice(), "that is not UTF-8"),
        (b" sample-secret-change-me\n", "begins or ends with a space"),
        (b"sample\0secret", "the invisible character '\\0'"),
        (b"\xef\xbb\xbf\r\n", "names an empty file"),
    ] {
        std::fs::write(&secret, bytes).expect("written");
        let (code, said) = check(named.as_bytes(), folder.path());
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("pbx.main.secret_file: names"), "{said}");
        assert!(said.contains(part) && !said.contains("sample"), "{said}");
    }
}

#[test]
fn a_byte_order_mark_hides_no_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let http = http_tls_section(folder.path(), |_| ());
    for file in ["own.pem", "own.key"] {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).expect("PEM");
        std::fs::write(&path, format!("\u{feff}{text}")).expect("written");
    }
    let ami = format!(
        "tls = true\ntls_ca_file = {:?}",
        folder.path().join("own.pem")
    );
    let text = configuration(1)
        .replace("[http]", &http)
        .replace("[pbx.main]", &format!("[pbx.main]\n{ami}"));
    load_text("t", &text).expect("a sound configuration");
}
