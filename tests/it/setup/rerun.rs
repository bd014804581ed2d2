//! Setup with a configuration that exists.

use super::{Site, layouts};
use crate::support::on_both_versions;

on_both_versions!(
    every_flag_that_differs_is_shown,
    organizations_share_agents_only_with_a_flag,
);

fn every_flag_that_differs_is_shown(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let password = site.write_secret("password", "first-password");
    let first = [
        "--yes",
        "--organization",
        "acme",
        "--password-file",
        &password,
        "--listen",
        "127.0.0.1:18088",
        "--agents",
        "1001-1009,2*",
    ];
    site.setup(&first).assert(0, &["Logged in"]);
    let files = site.files();
    let same = site.setup(&first);
    same.assert(0, &["exists. Setup changes nothing in it."]);
    for flag in first.iter().filter(|flag| flag.starts_with("--")) {
        assert!(!same.text.contains(flag), "{}", same.text);
    }
    // Only the member that matches no template differs.
    assert_eq!(same.text.matches("differs:").count(), 1, "{}", same.text);

    let other_secret = site.write_secret("secret", "another-secret");
    let other_password = site.write_secret("other-password", "second-password");
    for (flags, expected) in [
        (
            &["--pbx", "192.0.2.1:5038"][..],
            "no [pbx] has the address 192.0.2.1:5038",
        ),
        (
            &["--ami-username", "other"],
            "no [pbx] has the username other",
        ),
        (
            &["--ami-secret-file", &other_secret],
            "no [pbx] has the secret in",
        ),
        (
            &["--organization", "globex"],
            "there is no [organization.globex]",
        ),
        (
            &["--organization", "globex"],
            "[organization.acme] exists, and --organization does not",
        ),
        (
            &["--queues", "6001"],
            "organization.acme.queues is \"*\", not \"6001\"",
        ),
        (
            &["--queue-name", "x-{queue}"],
            "organization.acme.queue_name is \"{queue}\", not \"x-{queue}\"",
        ),
        (
            &["--agents", "2*"],
            "organization.acme.agents is \"1001-1009,2*\", not \"2*\"",
        ),
        (
            &["--interface", "SIP/{agent}"],
            "organization.acme.interface is \"PJSIP/{agent}\", not",
        ),
        (
            &["--state-interface", "Custom:{agent}"],
            "organization.acme.state_interface is \"\", not",
        ),
        (&["--shared"], "organization.acme.shared is false, not true"),
        (
            &["--username", "dana"],
            "organization.acme has no user dana",
        ),
        (
            &["--password-file", &other_password],
            "the user acme has another password than the one",
        ),
        (
            &["--listen", "127.0.0.1:1"],
            "http.listen is \"127.0.0.1:18088\", not \"127.0.0.1:1\"",
        ),
    ] {
        let again = site.setup(&[&["--yes"], flags].concat());
        again.assert(0, &[&format!("differs: {expected}")]);
        for secret in ["another-secret", "second-password", &site.secret()] {
            assert!(!again.text.contains(secret), "{}", again.text);
        }
    }
    assert_eq!(site.files(), files);
    // The PBX does not answer.
    let text = site.read("ami-bridge.toml");
    let address = format!("127.0.0.1:{}", site.asterisk.port);
    let closed = text.replace(&address, "127.0.0.1:1");
    std::fs::write(site.directory().join("ami-bridge.toml"), closed).expect("written");
    let again = site.setup(&["--yes"]);
    again.assert(1, &["It matches the flags. Setup did not compare it"]);
}

fn organizations_share_agents_only_with_a_flag(version: u32) {
    let queues = "[general]\n[acme-6001]\nmember => PJSIP/1001\n[acme-6002]\n\
                  [globex-6001]\nmember => PJSIP/1001\n[globex-6002]\n";
    let site = Site::start(version, &layouts::debian().with("queues.conf", queues));
    let arguments = ["--yes", "--organization", "acme,globex"];
    let refused = site.setup(&arguments);
    refused.assert(
        2,
        &["acme and globex have agents in common", "with --shared"],
    );
    assert!(!site.directory().join("ami-bridge.toml").exists());
    let shared = [&arguments[..], &["--shared"]].concat();
    site.setup(&shared).assert(0, &["organization acme"]);
    let configuration = site.read("ami-bridge.toml");
    assert_eq!(
        configuration.matches("shared = true\n").count(),
        2,
        "{configuration}"
    );
}
