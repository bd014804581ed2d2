//! The command line, and the configuration errors that it reports.

use std::process::Output;

use crate::support::{Asterisk, bridge_command, configuration, on_both_versions};

on_both_versions!(
    check_reports_success_and_each_failure,
    check_warns_about_excess_permissions_and_plain_passwords,
);

fn run(arguments: &[&str], environment: &[(&str, &str)], configuration: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bridge.toml");
    std::fs::write(&file, configuration).expect("a writable file");
    let mut command = bridge_command();
    command.args(arguments).arg("--config").arg(file);
    command.envs(environment.iter().copied());
    command.output().expect("the output of ami-bridge")
}

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    String::from_utf8_lossy(&[out.as_slice(), err].concat()).into_owned()
}

fn check_reports_success_and_each_failure(version: u32) {
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
    let unreachable = full.replace(&address, "127.0.0.1:1");
    let missing = full.replace("\"6002\"", "\"6777\", \"7*\"");
    for (configuration, status, expected_texts) in [
        (
            &full,
            0,
            vec![
                "configuration: ok".to_owned(),
                format!("Asterisk {version}"),
                "organization acme: reaches 2 of the PBX's 7 queues".to_owned(),
            ],
        ),
        (
            &missing,
            0,
            vec![
                "organization acme: reaches 1 of the PBX's 7 queues".to_owned(),
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
        (&unreachable, 1, vec!["not reachable".to_owned()]),
    ] {
        let output = run(&["check"], &[], configuration);
        let output_text = text(&output);
        assert_eq!(output.status.code(), Some(status), "{output_text}");
        for expected in expected_texts {
            assert!(
                output_text.contains(&expected),
                "{expected} is not in {output_text}"
            );
        }
        assert!(!output_text.contains("secret-change-me") && !output_text.contains("full-secret"));
    }
}

#[test]
fn check_reports_all_mistakes_at_once_without_secrets() {
    let wrong = r#"
[http]
listen = "everywhere"
max_connections = "many"
path = "/events"
color = "blue"

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
    let output_text = text(&output);
    assert_eq!(output.status.code(), Some(2), "{output_text}");
    for key in [
        "http.listen: must be address:port",
        "http.max_connections: must be",
        "http.color: unknown key",
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
        assert!(output_text.contains(key), "{key} is not in {output_text}");
    }
    assert!(output_text.contains("16 mistakes"), "{output_text}");
    assert!(!output_text.contains("hidden"), "{output_text}");
}

#[test]
fn syntax_error_report_contains_only_the_position() {
    let output = run(&["check"], &[], "[pbx.main]\nsecret = \"hidden\n");
    let output_text = text(&output);
    assert_eq!(output.status.code(), Some(2));
    assert!(output_text.contains("bridge.toml:2:"), "{output_text}");
    assert!(!output_text.contains("hidden"), "{output_text}");
}

#[test]
fn missing_keys_are_reported() {
    let output = run(&["run"], &[], "[pbx.main]\n[organization.acme]\n");
    let output_text = text(&output);
    assert_eq!(output.status.code(), Some(2));
    for key in [
        "pbx.main.username: is missing",
        "pbx.main.secret: is missing",
        "organization.acme.queues: is missing",
        "organization.acme.user: is missing",
    ] {
        assert!(output_text.contains(key), "{key} is not in {output_text}");
    }
    let output = bridge_command()
        .current_dir("/")
        .output()
        .expect("the output of ami-bridge");
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output).contains("--config or AMI_BRIDGE_CONFIG"));
}

#[test]
fn environment_variables_override_the_file() {
    let valid = configuration(5038);
    for (variables, expected) in [
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
            "\"x\" must be an IP address or a network",
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
            &[("AMI_BRIDGE__ORGANIZATION__ACME__WRAPUP", "soon")],
            "organization.acme.wrapup: must be a duration",
        ),
        (
            &[("AMI_BRIDGE__ORGANIZATION__ACME__WRAPUP__6009", "5s")],
            "organization.acme.wrapup.6009: matches none",
        ),
        (
            &[("AMI_BRIDGE__ORGANIZATION__ACME__REASON_REQUIRED", "maybe")],
            "organization.acme.reason_required: must be true or false",
        ),
        (
            &[("AMI_BRIDGE__HTTP__COLOR", "blue")],
            "http.color: unknown key",
        ),
    ] {
        let output = run(&["check"], variables, &valid);
        let output_text = text(&output);
        assert_eq!(output.status.code(), Some(2), "{output_text}");
        assert!(
            output_text.contains(expected),
            "{expected} is not in {output_text}"
        );
        assert!(
            output_text.contains("(set by an environment variable)"),
            "{output_text}"
        );
    }
}

#[test]
fn help_and_version_are_printed() {
    for (argument, expected_texts) in [
        (
            "--help",
            &[
                "check",
                "create-token",
                "hash-password",
                "--config",
                "AMI_BRIDGE_CONFIG",
            ][..],
        ),
        ("--version", &[env!("CARGO_PKG_VERSION")]),
    ] {
        let output = bridge_command()
            .arg(argument)
            .output()
            .expect("the output of ami-bridge");
        assert!(output.status.success());
        for expected in expected_texts {
            assert!(text(&output).contains(expected), "{expected}");
        }
    }
    let output = bridge_command()
        .arg("--fly")
        .output()
        .expect("the output of ami-bridge");
    assert_eq!(output.status.code(), Some(2));
}

fn check_warns_about_excess_permissions_and_plain_passwords(version: u32) {
    let sample = Asterisk::start(version);
    let minimal = configuration(sample.port);
    let excessive = minimal
        .replace("queuebridge", "tester")
        .replace("sample-secret-change-me", "tester-secret");
    for (configuration, is_excessive) in [(&minimal, false), (&excessive, true)] {
        let output_text = text(&run(&["check"], &[], configuration));
        assert!(output_text.contains("linked to"), "{output_text}");
        let has_warning = output_text.contains("may do more than the bridge needs: Command, ");
        assert_eq!(has_warning, is_excessive, "{output_text}");
        // Both users in the file have plain passwords.
        assert_eq!(
            output_text.matches("use password_hash").count(),
            2,
            "{output_text}"
        );
    }
}

#[test]
fn organizations_may_overlap_only_if_both_are_shared() {
    let separate = configuration(1);
    let overlapping = separate.replace("@globex-agents", "@acme-agents");
    let one_shared =
        overlapping.replace("[organization.acme]", "[organization.acme]\nshared = true");
    let both_shared = one_shared.replace(
        "[organization.globex]",
        "[organization.globex]\nshared = true",
    );
    for (configuration, status, expected) in [
        (&separate, 1, "configuration: ok"),
        (
            &overlapping,
            2,
            "organization.globex.agents: the interface Local/1001@acme-agents",
        ),
        (
            &one_shared,
            2,
            "organization.globex.agents: the interface Local/1001@acme-agents",
        ),
        (
            &both_shared,
            1,
            "warning: acme and globex share Local/1001@acme-agents",
        ),
    ] {
        let output = run(&["check"], &[], configuration);
        let output_text = text(&output);
        assert_eq!(output.status.code(), Some(status), "{output_text}");
        assert!(
            output_text.contains(expected),
            "{expected} is not in {output_text}"
        );
    }
}

#[test]
fn misleading_values_are_rejected() {
    let valid = configuration(1);
    let second = "[pbx.other]\naddress = \"localhost:1\"\nusername = \"u\"\nsecret = \"s\"\n";
    let same_address = valid
        .replace(
            "[organization.acme]",
            &format!("{second}[organization.acme]\npbx = \"main\""),
        )
        .replace(
            "[organization.globex]",
            "[organization.globex]\npbx = \"other\"",
        );
    let with_options = valid.replace("@globex-agents", "@acme-agents/n");
    let secret = "secret = \"sample-secret-change-me\"";
    let pasted_secret = valid.replace(secret, "secret_file = \"S3cretPasted\"");
    let pasted_key = valid.replace(
        "[http]",
        "[http]\ntls_certificate = \"x\"\ntls_key = \"S3cretPasted\"",
    );
    let no_networks = valid.replace("acme-password\"", "acme-password\"\nallow_from = \"\"");
    let empty_secret = valid.replace("sample-secret-change-me", "");
    for (configuration, expected) in [
        (
            &same_address,
            "pbx.other.address: is also the address of pbx.main",
        ),
        (
            &with_options,
            "the interface Local/1001@acme-agents can also be reached by organization acme",
        ),
        (
            &pasted_secret,
            "pbx.main.secret_file: can't be read as a file",
        ),
        (
            &pasted_key,
            "http.tls_certificate: the certificate can't be read",
        ),
        (
            &empty_secret,
            "pbx.main.secret: must be a single line that is not empty",
        ),
        (
            &no_networks,
            "organization.acme.user[0].allow_from: must be a list",
        ),
    ] {
        let output = run(&["check"], &[], configuration);
        let output_text = text(&output);
        assert_eq!(output.status.code(), Some(2), "{output_text}");
        assert!(
            output_text.contains(expected),
            "{expected} is not in {output_text}"
        );
        assert!(!output_text.contains("S3cret"), "{output_text}");
    }
    // An empty variable counts as unset.
    let output_text = text(&run(&["check"], &[("AMI_BRIDGE_CONFIG", "")], &valid));
    assert!(output_text.contains("configuration: ok"), "{output_text}");
}

#[test]
fn secret_file_may_name_a_systemd_credential() {
    let folder = tempfile::tempdir().expect("a folder");
    let secret = "secret = \"sample-secret-change-me\"";
    let configuration = configuration(1).replace(secret, "secret_file = \"pbx-main.secret\"");
    let credentials = folder.path().to_str().expect("UTF-8");
    let environment = [("CREDENTIALS_DIRECTORY", credentials)];
    for (content, code, expected) in [
        (None, 2, "can't be read as a file"),
        (Some(""), 2, "an empty file"),
        (Some("from-systemd\nand more\n"), 2, "more than one line"),
        (Some("from-systemd\n"), 1, "configuration: ok"),
    ] {
        if let Some(content) = content {
            std::fs::write(folder.path().join("pbx-main.secret"), content)
                .expect("a writable file");
        }
        let output = run(&["check"], &environment, &configuration);
        let output_text = text(&output);
        assert_eq!(output.status.code(), Some(code), "{output_text}");
        assert!(
            output_text.contains(expected) && !output_text.contains("from-systemd"),
            "{output_text}"
        );
    }
}
