//! Authentication, user permissions, and the lockout.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use crate::support::{
    API_PATH, Asterisk, Bridge, bridge_command, configuration, on_every_pbx, request, start,
};

on_every_pbx!(
    every_stored_password_form_accepts_plain_and_md5_passwords,
    credentials_are_accepted_in_body_and_header,
    allowed_actions_and_networks_are_enforced,
    first_failed_check_determines_the_error,
    lockout_affects_only_one_pair_of_user_and_address,
    parallel_guesses_all_count_toward_the_lockout,
    parallel_logins_do_not_increase_memory_use,
);

/// MD5 of `acme-password`.
const MD5: &str = "fd0dee714724a4894fda4f2cf174f44d";

fn hash_password(password: &str) -> String {
    use std::io::Write;
    let mut child = bridge_command()
        .arg("hash-password")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("a hash-password process");
    let mut stdin = child.stdin.take().expect("a piped stdin");
    writeln!(stdin, "{password}").expect("a writable stdin");
    drop(stdin);
    let output = child
        .wait_with_output()
        .expect("the output of hash-password");
    String::from_utf8(output.stdout)
        .expect("UTF-8")
        .trim()
        .to_owned()
}

fn every_stored_password_form_accepts_plain_and_md5_passwords(version: u32) {
    let asterisk = Asterisk::start(version);
    let hash = hash_password("acme-password");
    assert!(hash.starts_with("$argon2id$"), "{hash}");
    for stored in [
        "password = \"acme-password\"".to_owned(),
        format!("password_md5 = \"{}\"", MD5.to_uppercase()),
        format!("password_hash = \"{hash}\""),
    ] {
        let configuration =
            configuration(asterisk.port).replace("password = \"acme-password\"", &stored);
        let bridge = Bridge::start(&configuration);
        let outcome_of = |username: &str, password: &str| {
            bridge
                .get(&format!(
                    "username={username}&password={password}&action=showqueue"
                ))
                .outcome()
        };
        let acme = "acme%40example.com";
        for password in ["acme-password", MD5, &MD5.to_uppercase(), "acme-password"] {
            assert_eq!(outcome_of(acme, password), "200 success", "{stored}");
        }
        let wrong_md5 = "0".repeat(32);
        for (username, password) in [
            (acme, "acme-passwore"),
            (acme, "ACME-password"),
            (acme, &wrong_md5),
            ("nobody", "acme-password"),
            ("ACME%40example.com", "acme-password"),
            ("globex", "acme-password"),
        ] {
            assert_eq!(
                outcome_of(username, password),
                "401 unauthorized",
                "{stored}"
            );
        }
        // An unknown user and a wrong password get the same response.
        let body = |username: &str| {
            let query = format!("username={username}&password=x&action=showqueue");
            let mut json = bridge.get(&query).json();
            json["request_id"].take();
            json
        };
        assert_eq!(body("nobody"), body(acme));
    }
}

fn credentials_are_accepted_in_body_and_header(version: u32) {
    let (_asterisk, bridge) = start(version);
    let form = (
        "Content-Type",
        "application/x-www-form-urlencoded; charset=UTF-8",
    );
    let basic = format!(
        "Basic {}",
        BASE64_STANDARD.encode("acme@example.com:acme-password")
    );
    let basic = ("Authorization", basic.as_str());
    let login = "username=acme%40example.com&password=acme-password";
    let all = format!("{login}&action=showqueue&queue=6001");
    for (method, query, headers, body, expected) in [
        ("POST", "", &[form][..], all.as_str(), "200 success"),
        ("POST", "?action=showqueue", &[form], login, "200 success"),
        ("GET", "?action=showqueue", &[basic], "", "200 success"),
        ("POST", "?action=showqueue", &[basic], "", "200 success"),
        (
            "POST",
            "",
            &[form, basic],
            "action=showqueue",
            "200 success",
        ),
        (
            "POST",
            "?action=showqueue",
            &[form],
            &all,
            "400 duplicate_parameter",
        ),
        (
            "GET",
            &format!("?{all}"),
            &[basic],
            "",
            "400 duplicate_parameter",
        ),
        (
            "GET",
            "?action=showqueue",
            &[basic, basic],
            "",
            "400 duplicate_parameter",
        ),
        (
            "GET",
            "?action=showqueue",
            &[("Authorization", "Digest x")],
            "",
            "400 invalid_parameter",
        ),
        ("GET", "?action=showqueue", &[], "", "401 unauthorized"),
        (
            "POST",
            "",
            &[("Content-Type", "application/json")],
            "{}",
            "415 unsupported_media_type",
        ),
        ("POST", "", &[form], "action=%ff", "400 invalid_parameter"),
    ] {
        let target = format!("{API_PATH}{query}");
        let response = request(bridge.address, method, &target, headers, body.as_bytes());
        assert_eq!(
            response.outcome(),
            expected,
            "{method} {query} {headers:?} {body}"
        );
    }
}

fn allowed_actions_and_networks_are_enforced(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration = configuration(asterisk.port)
        .replace(
            "password = \"acme-password\"",
            "password = \"acme-password\"\nactions = [\"ShowQueue\", \"pause\"]",
        )
        .replace(
            "password = \"globex-password\"",
            "password = \"globex-password\"\nallow_from = [\"192.0.2.0/24\"]",
        )
        .replace("[http]", "[http]\ntrusted_proxies = [\"127.0.0.1\"]");
    let bridge = Bridge::start(&configuration);
    let outcome_of = |login: &str, query: &str, from: &[(&str, &str)]| {
        let target = format!("{API_PATH}?{login}&{query}");
        request(bridge.address, "GET", &target, from, b"").outcome()
    };
    let acme = "username=acme%40example.com&password=acme-password";
    let globex = "username=globex&password=globex-password";
    for (login, query, from, expected) in [
        (acme, "action=showqueue", &[][..], "200 success"),
        (acme, "action=pause&agent=1050", &[], "200 success"),
        (acme, "action=unpause&agent=1050", &[], "403 forbidden"),
        (acme, "action=showqueuestat", &[], "403 forbidden"),
        (globex, "action=showqueue", &[], "403 forbidden"),
        (
            globex,
            "action=showqueue",
            &[("X-Forwarded-For", "\u{ff}, 203.0.113.1")],
            "403 forbidden",
        ),
        (
            globex,
            "action=showqueue",
            &[("X-Forwarded-For", "192.0.2.7")],
            "200 success",
        ),
        (
            globex,
            "action=showqueue",
            &[("X-Forwarded-For", "192.0.2.7, 203.0.113.1")],
            "403 forbidden",
        ),
    ] {
        assert_eq!(outcome_of(login, query, from), expected, "{query} {from:?}");
    }
}

fn first_failed_check_determines_the_error(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration = configuration(asterisk.port).replace(
        "password = \"acme-password\"",
        "password = \"acme-password\"\nactions = [\"pause\", \"add\"]",
    );
    let bridge = Bridge::start(&configuration);
    let login = "username=acme%40example.com&password=acme-password";
    for (query, expected) in [
        (
            "username=x&password=y&action=fly&agent=/",
            "400 unknown_action",
        ),
        (
            "username=x&password=y&action=pause&agent=/&zz=1",
            "400 unknown_parameter",
        ),
        (
            "username=x&password=y&action=pause&agent=%0a",
            "400 invalid_parameter",
        ),
        (
            "username=x&password=y&action=pause&agent=/",
            "401 unauthorized",
        ),
        (&format!("{login}&action=remove&agent=/"), "403 forbidden"),
        (
            &format!("{login}&action=pause&agent=/&queue=9999"),
            "400 invalid_parameter",
        ),
        (
            &format!("{login}&action=pause&agent=2001&queue=9999"),
            "404 unknown_agent",
        ),
        (
            &format!("{login}&action=pause&agent=1001&queue=9999"),
            "404 unknown_queue",
        ),
        (
            &format!("{login}&action=pause&agent=1001&queue=6001"),
            "404 not_a_member",
        ),
        ("username=&password=y&action=pause", "400 missing_parameter"),
        ("username=x&action=pause", "400 missing_parameter"),
        ("username=x&password=y", "400 missing_parameter"),
    ] {
        assert_eq!(bridge.get(query).outcome(), expected, "{query}");
    }
}

fn lockout_affects_only_one_pair_of_user_and_address(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration = configuration(asterisk.port).replace(
        "[http]",
        "[lockout]\nattempts = 3\n[http]\ntrusted_proxies = [\"127.0.0.1\"]",
    );
    let bridge = Bridge::start(&configuration);
    let log_in = |username: &str, password: &str, from: &str| {
        let query = format!("username={username}&password={password}&action=showqueue");
        let headers = [("X-Forwarded-For", from)];
        request(
            bridge.address,
            "GET",
            &format!("{API_PATH}?{query}"),
            &headers,
            b"",
        )
    };
    let acme = "acme%40example.com";
    for _ in 0..3 {
        assert_eq!(
            log_in(acme, "wrong", "192.0.2.1").outcome(),
            "401 unauthorized"
        );
    }
    let locked = log_in(acme, "acme-password", "192.0.2.1");
    assert_eq!(locked.outcome(), "429 too_many_attempts");
    let seconds = locked
        .header("Retry-After")
        .and_then(|after| after.parse::<u32>().ok());
    assert!(
        seconds.is_some_and(|seconds| (1..=60).contains(&seconds)),
        "{locked:?}"
    );
    assert_eq!(
        log_in(acme, "acme-password", "192.0.2.2").outcome(),
        "200 success"
    );
    assert_eq!(
        log_in("globex", "globex-password", "192.0.2.1").outcome(),
        "200 success"
    );
    let log = bridge.log();
    assert!(
        log.contains("locked out: too many failures from 192.0.2.1"),
        "{log}"
    );
}

fn parallel_guesses_all_count_toward_the_lockout(version: u32) {
    let asterisk = Asterisk::start(version);
    let configuration =
        configuration(asterisk.port).replace("[http]", "[lockout]\nattempts = 4\n[http]");
    let bridge = Bridge::start(&configuration);
    let bridge = &bridge;
    let outcomes = std::thread::scope(|scope| {
        let guesses: Vec<_> = (0..40)
            .map(|guess| {
                let query = format!("username=globex&password=bad{guess}&action=showqueue");
                scope.spawn(move || bridge.get(&query).outcome())
            })
            .collect();
        let outcomes = guesses
            .into_iter()
            .map(|guess| guess.join().expect("a response"));
        outcomes.collect::<Vec<_>>()
    });
    let refused = outcomes
        .iter()
        .filter(|outcome| *outcome == "401 unauthorized")
        .count();
    assert_eq!(refused, 4, "{outcomes:?}");
    let locked = outcomes
        .iter()
        .filter(|outcome| *outcome == "429 too_many_attempts")
        .count();
    assert_eq!(locked, 36);
}

fn parallel_logins_do_not_increase_memory_use(version: u32) {
    let (_asterisk, bridge) = start(version);
    let before = bridge.usage().resident_kilobytes;
    let bridge = &bridge;
    std::thread::scope(|scope| {
        for client in 0..8 {
            scope.spawn(move || {
                for guess in 0..8 {
                    let query = format!("username=u{client}-{guess}&password=x&action=showqueue");
                    assert_eq!(bridge.get(&query).outcome(), "401 unauthorized");
                }
            });
        }
    });
    // Each password check needs 19 MiB of memory.
    let after = bridge.usage().resident_kilobytes;
    assert!(after < before + 10_000, "{before} kB, then {after} kB");
}
