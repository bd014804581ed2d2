//! Creating tokens, and noticing in time that one expires.

use std::process::Output;

use ami_bridge::organizations::TokenHash;
use jiff::{SignedDuration, Timestamp};

use crate::support::{
    API_PATH, Asterisk, Bridge, SIMULATED, bridge_command, configuration, request,
};

fn create_token() -> String {
    let output = bridge_command().arg("create-token").output();
    let output = output.expect("the output of create-token");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(output.stderr, b"");
    String::from_utf8(output.stdout).expect("UTF-8")
}

#[test]
fn created_token_logs_in_after_its_lines_are_pasted() {
    let text = create_token();
    let (token, lines) = text.split_once('\n').expect("several lines");
    let random = token.strip_prefix("amib_").expect("a prefix");
    // 256 bits in base64url without padding.
    assert_eq!(random.len(), 43, "{token}");
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    assert!(random.bytes().all(is_base64url), "{token}");
    assert!(!lines.contains(random), "{text}");
    assert!(lines.contains(&TokenHash::of(token).to_string()), "{text}");
    assert_ne!(create_token().lines().next(), Some(token));

    // Also with the commented keys.
    let lines = lines.replace("organization.NAME", "organization.acme");
    let lines = lines.replace("# expires", "expires");
    let lines = lines.replace("# actions = [\"showqueuestat\"", "actions = [\"showqueue\"");
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&(configuration(asterisk.port) + &lines));
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str())];
    let target = format!("{API_PATH}?action=showqueue");
    let response = request(bridge.address, "GET", &target, &headers, b"");
    assert_eq!(response.outcome(), "200 success");
    let target = format!("{API_PATH}?action=showqueuestat");
    let response = request(bridge.address, "GET", &target, &headers, b"");
    assert_eq!(response.outcome(), "403 forbidden");
}

/// Returns an entry for a token that expires at this time.
fn entry(name: &str, expires: Option<Timestamp>) -> String {
    let expires = expires.map_or(String::new(), |time| format!("expires = \"{time}\"\n"));
    let hash = TokenHash::of(name);
    format!("[[organization.acme.token]]\nname = \"{name}\"\ntoken_hash = \"{hash}\"\n{expires}")
}

fn check(configuration: &str, arguments: &[&str]) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, configuration).expect("a writable file");
    let mut command = bridge_command();
    command
        .arg("check")
        .args(arguments)
        .arg("--config")
        .arg(file);
    command.output().expect("the output of ami-bridge")
}

#[test]
fn check_warns_about_tokens_that_expire_within_two_weeks() {
    let asterisk = Asterisk::start(SIMULATED);
    let now = Timestamp::now();
    let in_hours = |hours: i64| Some(now + SignedDuration::from_hours(hours));
    let tokens = [
        entry("forever", None),
        entry("later", in_hours(15 * 24)),
        entry("soon", in_hours(13 * 24 + 1)),
        entry("expired", in_hours(-1)),
    ];
    let configuration = configuration(asterisk.port) + &tokens.concat();
    for arguments in [&[][..], &["--json"]] {
        let output = check(&configuration, arguments);
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        for expected in [
            "organization acme: token soon expires at 20",
            "in 13 days",
            "organization acme: token expired expired at 20",
        ] {
            assert_eq!(text.matches(expected).count(), 1, "{expected}: {text}");
        }
        for other in ["forever", "later", "sha256"] {
            assert!(!text.contains(other), "{other}: {text}");
        }
    }
}

#[test]
fn metric_shows_when_tokens_expire_also_after_a_reload() {
    let asterisk = Asterisk::start(SIMULATED);
    let base = configuration(asterisk.port);
    let time = |seconds: i64| Some(Timestamp::from_second(seconds).expect("a time"));
    let first = [entry("forever", None), entry("crm", time(4_000_000_000))];
    let bridge = Bridge::start(&(base.clone() + &first.concat()));
    let samples = || {
        let text = request(bridge.admin, "GET", "/metrics", &[], b"").body;
        let lines = text.lines();
        let lines = lines.filter(|line| line.starts_with("ami_bridge_token_expiry_"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let name = "ami_bridge_token_expiry_timestamp_seconds";
    let crm = format!("{name}{{organization=\"acme\",name=\"crm\"}} 4000000000");
    assert_eq!(samples(), [crm]);
    bridge.reconfigure(&(base.clone() + &entry("wall", time(1_000_000_000))));
    let wall = format!("{name}{{organization=\"acme\",name=\"wall\"}} 1000000000");
    assert_eq!(samples(), [wall]);
    bridge.reconfigure(&base);
    assert_eq!(samples(), Vec::<String>::new());
}
