//! The parameters of a request: what must hold for any query string. Shared by the fuzz
//! target and by the test that replays its corpus (`tests/it/security/fuzz_replay.rs`).

use ami_bridge::ami::value::is_control;
use ami_bridge::api::check_query;

/// Any query string is refused with status 400, or yields clean parameters.
pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match check_query(text) {
        Ok((parameters, all)) => {
            let numbers = parameters
                .queues
                .into_iter()
                .flatten()
                .chain(parameters.agent);
            for number in numbers {
                let is_clean = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
                assert!(
                    !number.is_empty() && number.bytes().all(is_clean),
                    "{number:?}"
                );
            }
            for text in all.split('"') {
                assert!(!text.bytes().any(is_control));
            }
        }
        Err(error) => assert_eq!(error.code.status(), 400),
    }
}
