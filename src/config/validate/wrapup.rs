//! `wrapup` in `[organization.NAME]`

use super::value::whole_seconds;
use crate::config::mistake::Mistakes;
use crate::config::wrapup_field::Wrapup;
use crate::organizations::{Pattern, WrapupTimes, patterns_overlap};

/// The longest wrap-up time, in hours.
const MAX_HOURS: u64 = 24;

/// Validates the wrap-up times of an organization with these queues. `key` is the key of the
/// wrap-up times, such as `organization.acme.wrapup`.
pub(super) fn validate(
    key: &str,
    wrapup: &Wrapup,
    queues: &[Pattern],
    mistakes: &mut Mistakes,
) -> WrapupTimes {
    let items = match wrapup {
        Wrapup::AllQueues(time) => vec![(key.to_owned(), "*", time)],
        Wrapup::PerQueue(times) => times
            .iter()
            .map(|(pattern, time)| (format!("{key}.{pattern}"), pattern.as_str(), time))
            .collect(),
    };
    let mut times: Vec<(Pattern, u64)> = Vec::new();
    for (key, text, time) in items {
        let pattern = queue_pattern(text, queues).and_then(|pattern| {
            let mut earlier = times.iter();
            match earlier.find(|(earlier, _)| is_same(earlier, &pattern)) {
                Some((earlier, _)) => Err(format!("is the same as \"{earlier}\"")),
                None => Ok(pattern),
            }
        });
        let pattern = mistakes.ok_or_add(&key, pattern);
        let seconds = whole_seconds(time, MAX_HOURS).ok_or_else(|| {
            format!("must be a duration in whole seconds of at most {MAX_HOURS}h, such as \"15s\"")
        });
        let seconds = mistakes.ok_or_add(&key, seconds);
        times.extend(pattern.zip(seconds));
    }
    WrapupTimes::new(times)
}

fn queue_pattern(text: &str, queues: &[Pattern]) -> Result<Pattern, String> {
    let pattern = Pattern::parse_queue(text)?;
    let may_match = queues.iter().any(|queue| patterns_overlap(queue, &pattern));
    // A missing list of queues is reported already.
    if may_match || queues.is_empty() {
        Ok(pattern)
    } else {
        Err("matches none of the organization's queues".to_owned())
    }
}

/// Whether two patterns differ only in case, which has no meaning.
fn is_same(a: &Pattern, b: &Pattern) -> bool {
    a.to_string().eq_ignore_ascii_case(&b.to_string())
}
