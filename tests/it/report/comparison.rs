//! Compares rows of a report with expected rows.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::eventually;

/// Waits until `compare` finds no difference. Panics with the last difference.
pub(super) fn assert_equal(compare: impl Fn() -> Result<(), String>) {
    let difference = RefCell::new(String::new());
    let is_equal = || match compare() {
        Ok(()) => Some(()),
        Err(text) => {
            difference.replace(text);
            None
        }
    };
    let deadline = Instant::now() + Duration::from_secs(10);
    eventually("the comparison ends", || {
        (is_equal().is_some() || Instant::now() > deadline).then_some(())
    });
    compare().unwrap_or_else(|_| panic!("{}", difference.borrow()));
}

/// Compares the fields of `expected` with those of a row. `is_allowed` compares numbers.
pub(super) fn compare(
    what: &str,
    row: &Value,
    expected: &Value,
    is_allowed: impl Fn(i64, &str) -> bool,
) -> Result<(), String> {
    for (name, value) in expected.as_object().expect("an object") {
        let Some(_) = value.as_i64() else {
            continue;
        };
        let found = row[name].as_i64().unwrap_or(i64::MIN);
        if !is_allowed(found, name) {
            return Err(format!("{what}: {name} is {found}, not {value}: {row}"));
        }
    }
    Ok(())
}

pub(super) fn compare_reasons(agent: &str, row: &Value, expected: &Value) -> Result<(), String> {
    for reason in expected["reasons"].as_array().expect("reasons") {
        let rows = row["reasons"].as_array().expect("reasons");
        let found = rows.iter().find(|row| row["reason"] == reason["reason"]);
        let found = found.ok_or_else(|| format!("{agent}: no {reason} in {row}"))?;
        compare(agent, found, reason, |number, name| number == reason[name])?;
    }
    Ok(())
}
