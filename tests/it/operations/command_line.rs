//! The command line and the configuration, as an operator meets them.

use std::process::Output;

use crate::support::{Asterisk, bridge_command, configuration, on_both_versions};

on_both_versions!(
    check_tells_what_works_and_what_does_not,
    check_tells_what_is_more_than_needed,
);

fn run(arguments: &[&str], environment: &[(&str, &str)], configuration: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, configuration).expect("written");
    let mut command = bridge_command();
    command.args(arguments).arg("--config").arg(file);
    command.envs(environment.iter().copied());
    command.output().expect("the program")
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(&[out.as_slice(), err].concat()).into_owned()
}

fn check_tells_what_works_and_what_does_not(version: u32) {
    let unprivileged = "[general]\nenabled=yes\nbindaddr=127.0.0.1\nport = 5038\n\
        [queuebridge]\nsecret=sample-secret-change-me\n\
        permit=127.0.0.1/255.255.255.255\nread=system\n\
        [full]\nsecret=full-secret\nread=agent,system\nwrite=agent\n";
    let asterisk = Asterisk::start_with(version, &[("manager.conf", unprivileged)]);
    let port = asterisk.port;
    let configuration = configuration(port);
    let full = configuration
        .replace("queuebridge", "full")
        .replace("sample-secret-change-me", "full-secret");
    let address = format!("127.0.0.1:{port}");
    let rejected = full.replace("full-secret", "not-the-secret");
    let nobody = full.replace(&address, "127.0.0.1:1");
    let missing = full.replace("\"6002\"", "\"6777\", \"7*\"");
    for (configuration, status, parts) in [
        (
            &full,
            0,
            vec![
                "configuration: ok".to_owned(),
                format!("Asterisk {version}"),
                "organization acme: reaches 2 of the PBX's 4 queues".to_owned(),
            ],
        ),
        (
            &missing,
            0,
            vec![
                "organization acme: reaches 1 of the PBX's 4 queues".to_owned(),
                "the PBX has no queue acme-6777 for \"6777\"".to_owned(),
                "the PBX has no queue acme-7* for \"7*\"".to_owned(),
            ],
        ),
        (
            &configuration,
            1,
            vec!["[queuebridge]".to_owned(), "write = agent".to_owned()],
        ),
        (
            &rejected,
            1,
            vec!["as full: Asterisk rejects the AMI user or its secret".to_owned()],
        ),
        (&nobody, 1, vec!["not reachable".to_owned()]),
    ] {
        let output = run(&["check"], &[], configuration);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(status), "{said}");
        for part in parts {
            assert!(said.contains(&part), "{part} is not in {said}");
        }
        assert!(!said.contains("secret-change-me") && !said.contains("full-secret"));
    }
}

#[test]
fn all_mistakes_are_told_at_once_and_no_secret() {
    let wrong = r#"
[http]
listen = "everywhere"
max_connections = "many"
path = "/events"
colour = "blue"

[log]
level = "loud"

[pbx.main]
username = "queuebridge"
secret = ["hidden-secret"]
action_timeout = "soon"

[organization.acme]
queues = ["6001", "60/1"]
agents = ["1-99"]
interface = "{agent}"
user = [{ username = "a", password_md5 = "hidden-secret" }]

[organization.globex]
queues = ["6*"]
agents = ["2001"]
[[organization.globex.user]]
username = "a"
password_hash = "hidden-secret"
actions = ["fly"]
allow_from = ["nowhere"]
"#;
    let output = run(&["check"], &[], wrong);
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for key in [
        "http.listen: must be address:port",
        "http.max_connections: must be",
        "http.colour: unknown key",
        "http.path: must be a path below /",
        "log.level: must be a level",
        "pbx.main.secret: must be a string",
        "pbx.main.action_timeout: must be a duration",
        "organization.acme.queues: \"60/1\" is not a number or pattern",
        "organization.acme.agents: both ends",
        "organization.acme.interface: must name the technology",
        "organization.acme.user[0].password_md5: must be the 32 hex digits",
        "organization.globex.user[0].username: is already the name of another user",
        "organization.globex.user[0].password_hash: is not an argon2id hash",
        "organization.globex.user[0].actions: \"fly\"",
        "organization.globex.user[0].allow_from: \"nowhere\"",
        "organization.globex.queues: the queue 6001 can also be reached by organization acme",
    ] {
        assert!(said.contains(key), "{key} is not in {said}");
    }
    assert!(said.contains("16 mistakes"), "{said}");
    assert!(!said.contains("hidden"), "{said}");
}

#[test]
fn a_syntax_error_is_told_by_its_place_alone() {
    let output = run(&["check"], &[], "[pbx.main]\nsecret = \"hidden\n");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(said.contains("bridge.toml:2:"), "{said}");
    assert!(!said.contains("hidden"), "{said}");
}

#[test]
fn what_is_missing_is_told() {
    let output = run(&["run"], &[], "[pbx.main]\n[organization.acme]\n");
    let said = text(&output);
    assert_eq!(output.status.code(), Some(2));
    for key in [
        "pbx.main.username: is missing",
        "pbx.main.secret: is missing",
        "organization.acme.queues: is missing",
        "organization.acme.user: is missing",
    ] {
        assert!(said.contains(key), "{key} is not in {said}");
    }
    let output = bridge_command()
        .current_dir("/")
        .output()
        .expect("the program");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("--config or AMI_BRIDGE_CONFIG"));
}

#[test]
fn the_environment_overrides_the_file() {
    let sound = configuration(5038);
    for (variables, part) in [
        (
            &[("AMI_BRIDGE__HTTP__LISTEN", "nowhere")][..],
            "http.listen: must be",
        ),
        (
            &[("AMI_BRIDGE__PBX__MAIN__SECRET_FILE", "/nowhere")],
            "secret_file: can't be read as a file: No such file",
        ),
        (
            &[("AMI_BRIDGE__HTTP__TRUSTED_PROXIES", "10.0.0.0/8,x")],
            "\"x\" is not a network",
        ),
        (
            &[("AMI_BRIDGE__HTTP__MAX_CONNECTIONS", "0")],
            "http.max_connections: must be",
        ),
        (
            &[("AMI_BRIDGE__PBX__MAIN__SECRET_FILE", "nowhere")],
            "; a relative path is looked up in $CREDENTIALS_DIRECTORY",
        ),
        (
            &[
                ("AMI_BRIDGE__HTTP__LISTEN", "127.0.0.1:8190"),
                ("AMI_BRIDGE__ADMIN__LISTEN", "127.0.0.1:8190"),
            ],
            "admin.listen: must differ from http.listen",
        ),
        (
            &[("AMI_BRIDGE__HTTP__COLOUR", "blue")],
            "http.colour: unknown key",
        ),
    ] {
        let output = run(&["check"], variables, &sound);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(part), "{part} is not in {said}");
        assert!(said.contains("(set by an environment variable)"), "{said}");
    }
}

#[test]
fn help_and_version_are_there() {
    for (argument, parts) in [
        (
            "--help",
            &["check", "hash-password", "--config", "AMI_BRIDGE_CONFIG"][..],
        ),
        ("--version", &[env!("CARGO_PKG_VERSION")]),
    ] {
        let output = bridge_command()
            .arg(argument)
            .output()
            .expect("the program");
        assert!(output.status.success());
        for part in parts {
            assert!(text(&output).contains(part), "{part}");
        }
    }
    let output = bridge_command().arg("--fly").output().expect("the program");
    assert_eq!(output.status.code(), Some(2));
}

fn check_tells_what_is_more_than_needed(version: u32) {
    let sample = Asterisk::start(version);
    let least = configuration(sample.port);
    let most = least
        .replace("queuebridge", "tester")
        .replace("sample-secret-change-me", "tester-secret");
    for (configuration, expected) in [(&least, false), (&most, true)] {
        let said = text(&run(&["check"], &[], configuration));
        assert!(said.contains("linked to"), "{said}");
        let excess = said.contains("may do more than the bridge needs: Command, ");
        assert_eq!(excess, expected, "{said}");
        // Both users' passwords stand in the file as they are.
        assert_eq!(said.matches("use password_hash").count(), 2, "{said}");
    }
}

#[test]
fn organizations_share_only_where_both_say_so() {
    let apart = configuration(1);
    let overlapping = apart.replace("@globex-agents", "@acme-agents");
    let one = overlapping.replace("[organization.acme]", "[organization.acme]\nshared = true");
    let both = one.replace(
        "[organization.globex]",
        "[organization.globex]\nshared = true",
    );
    for (configuration, status, part) in [
        (&apart, 1, "configuration: ok"),
        (
            &overlapping,
            2,
            "organization.globex.agents: the interface Local/1001@acme-agents",
        ),
        (
            &one,
            2,
            "organization.globex.agents: the interface Local/1001@acme-agents",
        ),
        (
            &both,
            1,
            "warning: acme and globex share Local/1001@acme-agents",
        ),
    ] {
        let output = run(&["check"], &[], configuration);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains(part), "{part} is not in {said}");
    }
}

#[test]
fn what_looks_harmless_and_is_not_is_refused() {
    let sound = configuration(1);
    let second = "[pbx.other]\naddress = \"localhost:1\"\nusername = \"u\"\nsecret = \"s\"\n";
    let twice = sound
        .replace(
            "[organization.acme]",
            &format!("{second}[organization.acme]\npbx = \"main\""),
        )
        .replace(
            "[organization.globex]",
            "[organization.globex]\npbx = \"other\"",
        );
    let options = sound.replace("@globex-agents", "@acme-agents/n");
    let secret = "secret = \"sample-secret-change-me\"";
    let pasted = sound.replace(secret, "secret_file = \"S3cretPasted\"");
    let key = sound.replace(
        "[http]",
        "[http]\ntls_certificate = \"x\"\ntls_key = \"S3cretPasted\"",
    );
    let any = sound.replace("acme-password\"", "acme-password\"\nallow_from = \"\"");
    let empty = sound.replace("sample-secret-change-me", "");
    for (configuration, part) in [
        (&twice, "pbx.other.address: is also the address of pbx.main"),
        (
            &options,
            "the interface Local/1001@acme-agents can also be reached by organization acme",
        ),
        (&pasted, "pbx.main.secret_file: can't be read as a file"),
        (&key, "http.tls_certificate: the certificate can't be read"),
        (
            &empty,
            "pbx.main.secret: must be a single line that is not empty",
        ),
        (&any, "organization.acme.user[0].allow_from: must be a list"),
    ] {
        let output = run(&["check"], &[], configuration);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(part), "{part} is not in {said}");
        assert!(!said.contains("S3cret"), "{said}");
    }
    // A variable that is set to nothing is as good as none.
    let said = text(&run(&["check"], &[("AMI_BRIDGE_CONFIG", "")], &sound));
    assert!(said.contains("configuration: ok"), "{said}");
}

#[test]
fn a_secret_may_be_a_credential_of_systemd() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = "secret = \"sample-secret-change-me\"";
    let configuration = configuration(1).replace(secret, "secret_file = \"pbx-main.secret\"");
    let credentials = folder.path().to_str().expect("text");
    let environment = [("CREDENTIALS_DIRECTORY", credentials)];
    for (content, code, told) in [
        (None, 2, "can't be read as a file"),
        (Some(""), 2, "an empty file"),
        (Some("from-systemd\nand more\n"), 2, "more than one line"),
        (Some("from-systemd\n"), 1, "configuration: ok"),
    ] {
        if let Some(content) = content {
            std::fs::write(folder.path().join("pbx-main.secret"), content).expect("written");
        }
        let output = run(&["check"], &environment, &configuration);
        let said = text(&output);
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(
            said.contains(told) && !said.contains("from-systemd"),
            "{said}"
        );
    }
}
