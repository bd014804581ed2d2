//! Checks lists of patterns.

use crate::config::mistake::Mistakes;
use crate::organizations::Pattern;

/// Parses a list of patterns. Reports invalid items as mistakes for `key`.
pub(super) fn patterns(
    key: &str,
    items: &[String],
    parse: fn(&str) -> Result<Pattern, String>,
    mistakes: &mut Mistakes,
) -> Vec<Pattern> {
    let mut patterns = Vec::new();
    for item in items {
        patterns.extend(mistakes.ok_or_add(key, parse(item)));
    }
    patterns
}
