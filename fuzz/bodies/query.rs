//! The query parser: what must hold for any query. Shared by the fuzz target and
//! by the replay among the tests (`tests/it/security/fuzz_replay.rs`).

use ami_bridge::ami::value::is_control;
use ami_bridge::api::{ActionName, Command, Form};

/// A query string: whatever comes is refused with a code of its own, or is clean.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let command = Form::parse(&[text], true)
        .and_then(|form| Command::from_form(ActionName::from_form(&form)?, &form));
    match command {
        Ok(command) => {
            let queues = command
                .queues()
                .unwrap_or_default()
                .iter()
                .map(String::as_str);
            for number in queues.chain(command.agent()) {
                let clean = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
                assert!(
                    !number.is_empty() && number.bytes().all(clean),
                    "{number:?}"
                );
            }
            for text in format!("{command:?}").split('"') {
                assert!(!text.bytes().any(is_control));
            }
        }
        Err(error) => assert_eq!(error.code.status(), 400),
    }
}
