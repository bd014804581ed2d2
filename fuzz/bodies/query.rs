//! Checks the query parser with arbitrary query strings. The fuzz target and the replay in the
//! tests share this file (`tests/it/security/fuzz_replay.rs`).

use ami_bridge::ami::value::is_control;
use ami_bridge::api::check_query;
use std::sync::Arc;

use ami_bridge::organizations::{
    Account, AccountSecret, Organization, PasswordDigest, StoredPassword, Template, WrapupTimes,
};
use ami_bridge::queues::{PauseReason, ReasonCatalog};

/// Asserts that the query string is refused with status 400, or that its parameters are valid.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match check_query(text, &account()) {
        Ok((parameters, debug_text)) => {
            let queues = parameters.queues.into_iter().flatten();
            let queues = queues.filter(|queue| queue != "*");
            for number in queues.chain(parameters.agents) {
                let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
                assert!(
                    !number.is_empty() && number.bytes().all(is_allowed),
                    "{number:?}"
                );
            }
            for text in debug_text.split('"') {
                assert!(!text.bytes().any(is_control));
            }
        }
        Err(error) => assert_eq!(error.code.status(), 400),
    }
}

fn account() -> Account {
    let password = StoredPassword::Digest(PasswordDigest::of("password"));
    let secret = AccountSecret::Password(password);
    Account::new(
        "acme@example.com".to_owned(),
        Arc::new(organization()),
        secret,
    )
}

fn organization() -> Organization {
    let reason = PauseReason {
        name: "Lunch".to_owned(),
        limit_seconds: Some(2700),
        ends: true,
    };
    Organization {
        name: "acme".to_owned(),
        pbx: "main".to_owned(),
        queues: Vec::new(),
        queue_name: Template::new("{queue}", "queue").expect("a template"),
        agents: None,
        interface: Template::new("PJSIP/{agent}", "agent").expect("a template"),
        state_interface: None,
        shared: false,
        reasons: ReasonCatalog::new([reason]),
        reason_required: false,
        other_reasons: true,
        wrapup: WrapupTimes::default(),
        time_zone: ami_bridge::time_zone::NamedZone::of_machine(),
    }
}
