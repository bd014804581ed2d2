//! The configuration as bytes: duplicate keys, byte order marks and line endings.

use std::process::Output;

use ami_bridge::config::load_text;

use crate::support::{Asterisk, SIMULATED, bridge_command, configuration, http_tls_section};

fn check(configuration: &[u8], folder: &std::path::Path) -> (Option<i32>, String) {
    let file = folder.join("bridge.toml");
    std::fs::write(&file, configuration).expect("a writable file");
    let mut command = bridge_command();
    command.args(["check", "--config"]).arg(file);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("the output of ami-bridge");
    let text = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    (status.code(), text)
}

#[test]
fn duplicate_key_is_reported_with_both_lines() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "[pbx.main]\nsecret = \"hidden-a\"\n\n[pbx.other]\nsecret = \"hidden-b\"\n\
        username = \"u\"\nsecret = \"hidden-c\"\n";
    let (code, error) = check(text.as_bytes(), folder.path());
    assert_eq!(code, Some(2), "{error}");
    let expected = "bridge.toml:7: duplicate key \"secret\", first set in line 5";
    assert!(error.contains(expected), "{error}");
    assert!(!error.contains("hidden"), "{error}");
}

/// Windows editors add byte order marks and CRLF line endings.
#[test]
fn byte_order_marks_and_crlf_are_accepted() {
    let asterisk = Asterisk::start(SIMULATED);
    let folder = tempfile::tempdir().expect("a folder");
    let secret = folder.path().join("secret");
    let with_secret_file = configuration(asterisk.port).replace(
        "secret = \"sample-secret-change-me\"",
        &format!("secret_file = {secret:?}"),
    );
    let with_byte_order_mark = format!("\u{feff}{}", with_secret_file.replace('\n', "\r\n"));
    for text in [
        "sample-secret-change-me",
        "sample-secret-change-me\r\n",
        "\u{feff}sample-secret-change-me \t\r\n\r\n",
    ] {
        std::fs::write(&secret, text).expect("a writable file");
        let (code, error) = check(with_byte_order_mark.as_bytes(), folder.path());
        assert_eq!(code, Some(0), "{error}");
    }
    let utf16 = "\u{feff}sample-secret-change-me\r\n".encode_utf16();
    let utf16: Vec<u8> = utf16.flat_map(u16::to_le_bytes).collect();
    for (bytes, message) in [
        (utf16.as_slice(), "that is not UTF-8"),
        (b" sample-secret-change-me\n", "begins or ends with a space"),
        (b"sample\0secret", "the invisible character '\\0'"),
        (b"\xef\xbb\xbf\r\n", "names an empty file"),
    ] {
        std::fs::write(&secret, bytes).expect("a writable file");
        let (code, error) = check(with_secret_file.as_bytes(), folder.path());
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains("pbx.main.secret_file: names"), "{error}");
        assert!(
            error.contains(message) && !error.contains("sample"),
            "{error}"
        );
    }
}

#[test]
fn byte_order_mark_before_a_certificate_is_accepted() {
    let folder = tempfile::tempdir().expect("a folder");
    let http = http_tls_section(folder.path(), |_| ());
    for file in ["own.pem", "own.key"] {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).expect("PEM");
        std::fs::write(&path, format!("\u{feff}{text}")).expect("a writable file");
    }
    let ami = format!(
        "tls = true\ntls_ca_file = {:?}",
        folder.path().join("own.pem")
    );
    let text = configuration(1)
        .replace("[http]", &http)
        .replace("[pbx.main]", &format!("[pbx.main]\n{ami}"));
    load_text("t", &text).expect("a valid configuration");
}
