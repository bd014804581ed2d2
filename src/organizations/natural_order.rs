//! Natural ordering of queue numbers.

use std::cmp::Ordering;

/// Compares runs of digits as numbers: `9` sorts before `10`, and `a2` before `a10`.
pub(crate) fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (a_digits, a_rest) = split_digits(a);
        let (b_digits, b_rest) = split_digits(b);
        if !a_digits.is_empty() && !b_digits.is_empty() {
            let (x, y) = (
                a_digits.trim_start_matches('0'),
                b_digits.trim_start_matches('0'),
            );
            let order = x.len().cmp(&y.len()).then_with(|| x.cmp(y));
            if order.is_ne() {
                return order;
            }
            (a, b) = (a_rest, b_rest);
            continue;
        }
        let (mut a_chars, mut b_chars) = (a.chars(), b.chars());
        match (a_chars.next(), b_chars.next()) {
            (Some(x), Some(y)) if x == y => (a, b) = (a_chars.as_str(), b_chars.as_str()),
            (x, y) => return x.cmp(&y),
        }
    }
}

/// Splits off the leading digits.
fn split_digits(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natural_order_compares_runs_of_digits_as_numbers() {
        let mut numbers = ["10", "9", "a10", "a9", "009", "a"];
        numbers.sort_by(|a, b| natural_order(a, b));
        assert_eq!(numbers, ["9", "009", "10", "a", "a9", "a10"]);
    }
}
