//! Setup with all answers given by flags.

use std::os::unix::fs::MetadataExt;

use super::{Site, layouts};
use crate::support::{ACME, on_both_versions};

on_both_versions!(
    debian_layout_gets_a_user_in_manager_d,
    freepbx_layout_gets_a_user_in_its_custom_file,
    issabel_layout_gets_a_user_in_its_custom_file,
    freepbx_section_for_default_settings_is_no_queue,
    disabled_ami_is_enabled_for_this_machine,
    disabled_ami_is_enabled_after_an_early_include,
    organization_leaves_the_queues_of_a_longer_name,
    existing_user_is_used_without_changes_to_asterisk,
);

fn debian_layout_gets_a_user_in_manager_d(version: u32) {
    let site = Site::start(version, &layouts::debian());
    let before = site.files();
    let password_file = site.write_secret("password", ACME.password);
    let arguments = [
        "--yes",
        "--organization",
        "acme",
        "--username",
        "acme@example.com",
        "--password-file",
        &password_file,
    ];
    let outcome = site.setup(&arguments);
    outcome.assert(
        0,
        &[
            &format!("Logged in to Asterisk {version} as queuebridge"),
            "queues * (now 2)",
            "agents 1000-1099",
            "interface PJSIP/{agent}",
            "can't change them: Local/1003@desks.",
            "\"my queue\"",
            "manager.d/ami-bridge.conf",
        ],
    );
    let secret = site.secret();
    assert!(secret.len() == 64 && !outcome.text.contains(&secret));
    assert!(!outcome.text.contains(ACME.password));
    // What existed is unchanged, and three files are new.
    let after = site.files();
    assert!(before.iter().all(|(path, text)| after[path] == *text));
    assert_eq!(after.len(), before.len() + 3);
    for (name, mode) in [("ami-bridge.toml", 0o640), ("pbx-main.secret", 0o640)] {
        let metadata = site.directory().join(name).metadata().expect("a file");
        assert_eq!(metadata.mode() & 0o777, mode, "{name}");
    }
    // The unit does not read this folder.
    assert!(!site.read("ami-bridge.toml").contains("systemctl"));
    site.assert_pause_works((ACME.username, ACME.password), "1001", "6001");

    let again = site.setup(&arguments);
    again.assert(
        0,
        &[
            "exists. Setup changes nothing in it.",
            "differs: no organization has the members Local/1003@desks",
        ],
    );
    assert_eq!(site.files(), after);
}

fn freepbx_layout_gets_a_user_in_its_custom_file(version: u32) {
    custom_file_gets_a_user(&Site::start(version, &layouts::freepbx()), "FreePBX");
}

fn issabel_layout_gets_a_user_in_its_custom_file(version: u32) {
    custom_file_gets_a_user(&Site::start(version, &layouts::issabel()), "Issabel");
}

fn custom_file_gets_a_user(site: &Site, distribution: &str) {
    let old = site.asterisk.read_config("manager_custom.conf");
    let outcome = site.setup(&["--yes", "--organization", "acme"]);
    outcome.assert(
        0,
        &[
            &format!("PBX ({distribution})"),
            // Without the section for default settings.
            "queues 6* (now 2)",
            "reaches 2 of the PBX's 2 queues",
            "interface Local/{agent}@from-queue/n",
            "state hint:{agent}@ext-local",
            "undo: sed -i --follow-symlinks -z",
        ],
    );
    let new = site.asterisk.read_config("manager_custom.conf");
    let added = new.strip_prefix(&old).expect("the old lines");
    let secret = format!("\nsecret = {}\n", site.secret());
    assert!(
        added.contains("[queuebridge]\n") && added.contains(&secret),
        "{added}"
    );
    let password = outcome.password_of("acme");
    site.assert_pause_works(("acme", &password), "1001", "6001");
    let files = site.files();
    site.setup(&["--yes", "--organization", "acme"])
        .assert(0, &["It matches the PBX"]);
    assert_eq!(site.files(), files);
}

/// Asterisk takes FreePBX's section for default settings for a queue.
fn freepbx_section_for_default_settings_is_no_queue(version: u32) {
    let layout = layouts::freepbx().with("queues_additional.conf", "");
    let site = Site::start(version, &layout);
    assert!(
        site.asterisk
            .cli("queue show")
            .contains("default has 0 calls")
    );
    let arguments = ["--yes", "--organization", "acme", "--agents", "1001-1099"];
    let expected = [
        "The PBX has no queues yet.",
        "queues * (now 0)",
        "reaches 0 of the PBX's 0 queues",
    ];
    site.setup(&arguments).assert(0, &expected);

    // With a member, it is a queue.
    let member = "Local/1001@from-queue/n";
    let command = format!("queue add member {member} to default");
    site.asterisk.cli(&command);
    let count = ["reaches 1 of the PBX's 1 queues"];
    site.setup(&["--yes"]).assert(0, &count);
    let command = format!("queue remove member {member} from default");
    site.asterisk.cli(&command);
    site.setup(&["--yes"]).assert(0, &expected[2..]);

    // The operator uses it as a queue.
    let path = site.directory().join("ami-bridge.toml");
    let listed = site.read("ami-bridge.toml").replace("\"*\"", "\"default\"");
    std::fs::write(path, listed).expect("written");
    site.setup(&["--yes"]).assert(0, &count);
}

/// Asterisk's own sample has the AMI off, and would listen on all addresses.
fn disabled_ami_is_enabled_for_this_machine(version: u32) {
    let manager = "[general]\nenabled = no\nport = 5038\nbindaddr = 0.0.0.0\n";
    let site = Site::start(version, &layouts::debian().with("manager.conf", manager));
    let outcome = site.setup(&["--yes", "--organization", "acme"]);
    outcome.assert(0, &["enabled = yes", "bindaddr = 127.0.0.1"]);
    let conf = site.asterisk.read_config("manager.conf");
    assert!(conf.contains("[general](+)\nenabled = yes\n"), "{conf}");
    let settings = site.asterisk.cli("manager show settings");
    let port = site.asterisk.port;
    assert!(
        settings.contains(&format!("127.0.0.1:{port}")),
        "{settings}"
    );
}

/// Asterisk refuses `[general](+)` in a file that is included before `[general]`.
fn disabled_ami_is_enabled_after_an_early_include(version: u32) {
    let manager = "#include \"manager.d/*.conf\"\n[general]\nenabled = no\nport = 5038\n";
    let site = Site::start(version, &layouts::debian().with("manager.conf", manager));
    let arguments = ["--yes", "--organization", "acme"];
    site.setup(&arguments).assert(0, &["Logged in"]);
    let conf = site.asterisk.read_config("manager.conf");
    assert!(conf.contains("[general](+)\nenabled = yes\n"), "{conf}");
    site.setup(&arguments)
        .assert(0, &["Setup changes nothing in it"]);
}

fn organization_leaves_the_queues_of_a_longer_name(version: u32) {
    let queues = "[general]\n[acme-6001]\nmember => PJSIP/1001\n\
                  [acme-west-6001]\nmember => PJSIP/1002\n\
                  [globex-6001]\nmember => PJSIP/3001\n";
    let site = Site::start(version, &layouts::debian().with("queues.conf", queues));
    let unknown = site.setup(&["--yes", "--organization", "acme,initech"]);
    unknown.assert(
        2,
        &[
            "begins with initech",
            "begin with acme-, acme-west-, globex-.",
        ],
    );
    for (names, own, expected) in [
        (
            "acme,globex",
            ["acme-", "globex-"],
            "agents 1000-1099 interface",
        ),
        // Both have agents in one hundred.
        (
            "acme,acme-west",
            ["acme-", "acme-west-"],
            "agents 1001 interface",
        ),
    ] {
        site.setup(&["--yes", "--organization", names])
            .assert(0, &[expected]);
        let text = site.read("ami-bridge.toml");
        for prefix in own {
            assert!(
                text.contains(&format!("queue_name = \"{prefix}{{queue}}\"\n")),
                "{text}"
            );
        }
        assert!(
            text.contains("queues = [\"6*\"]\nqueue_name = \"acme-{queue}\""),
            "{text}"
        );
        std::fs::remove_file(site.directory().join("ami-bridge.toml")).expect("removed");
    }
    // As the message says, one organization can have all queues.
    site.setup(&["--yes", "--organization", "acme", "--queue-name", "{queue}"])
        .assert(0, &["queues * (now 3)"]);
}

fn existing_user_is_used_without_changes_to_asterisk(version: u32) {
    let user = "[bridge]\nsecret = from-the-file\nread = agent,system\nwrite = agent\n";
    let mut layout = layouts::debian();
    layout
        .others
        .push(("etc/manager.d/bridge.conf", user.to_owned()));
    let site = Site::start(version, &layout);
    let before = site.files();
    let name = [
        "--yes",
        "--organization",
        "acme",
        "--ami-username",
        "bridge",
    ];
    let dry_run = site.setup(&[&name[..], &["--dry-run"]].concat());
    dry_run.assert(
        0,
        &["secret_file = \"pbx-main.secret\"", "nothing was written"],
    );
    assert!(!dry_run.text.contains("from-the-file"));
    assert_eq!(site.files(), before);
    // The secret is in the file of Asterisk.
    site.setup(&name).assert(0, &["Logged in"]);
    assert_eq!(site.secret(), "from-the-file");
    assert_eq!(site.files().len(), before.len() + 2);
    // The secret is in a file of the operator's.
    std::fs::remove_dir_all(site.directory()).expect("removed");
    let file = site.write_secret("secret", "from-the-file");
    site.setup(&[&name[..], &["--ami-secret-file", &file]].concat())
        .assert(0, &["Logged in"]);
}
