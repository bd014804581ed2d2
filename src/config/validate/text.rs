//! Checks text for surrounding spaces and invisible characters, which are easy to copy by
//! mistake and hard to see.

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Returns the first invisible character: a control character, white space other than a space,
/// or a zero-width character. The two zero-width joiners are allowed, since Persian and Indic
/// scripts need them.
pub(super) fn invisible_character(text: &str) -> Option<char> {
    text.chars().find(|c| {
        c.is_control()
            || (c.is_whitespace() && *c != ' ')
            || matches!(
                *c,
                '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}'
            )
            || matches!(*c, '\u{2060}'..='\u{206f}' | BYTE_ORDER_MARK)
    })
}

/// Checks that a value is one line without invisible characters.
///
/// # Errors
/// Returns a message for the operator. The message contains no part of the value except an
/// invisible character, since the value may be a secret.
pub(super) fn check_line(text: &str) -> Result<(), String> {
    if text.is_empty() || text.contains(['\r', '\n']) {
        Err("must be a single line that is not empty".to_owned())
    } else if let Some(invisible) = invisible_character(text) {
        Err(format!(
            "contains the invisible character {invisible:?}: type the value again"
        ))
    } else if text.trim() != text {
        Err("begins or ends with a space".to_owned())
    } else {
        Ok(())
    }
}

/// Removes the characters that editors add to a file: a byte-order mark at the start, and
/// spaces, tabs and line breaks at the end.
pub(crate) fn line_of_file(text: &str) -> &str {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    text.trim_end_matches([' ', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_of_file_removes_only_characters_that_editors_add() {
        for (file, line, is_valid) in [
            ("secret", "secret", true),
            ("\u{feff}secret\r\n", "secret", true),
            ("secret \t\r\n\n", "secret", true),
            ("a secret of words\n", "a secret of words", true),
            ("gehéim\n", "gehéim", true),
            ("می\u{200c}خواهم\n", "می\u{200c}خواهم", true),
            (" secret\n", " secret", false),
            ("\nsecret", "\nsecret", false),
            ("one\ntwo\n", "one\ntwo", false),
            ("one\rtwo\n", "one\rtwo", false),
            ("sec\u{200b}ret", "sec\u{200b}ret", false),
            ("secret\u{a0}\n", "secret\u{a0}", false),
            ("\u{feff}\u{feff}secret", "\u{feff}secret", false),
            ("sec\0ret", "sec\0ret", false),
            ("\u{feff}\r\n", "", false),
            ("", "", false),
        ] {
            assert_eq!(line_of_file(file), line, "{file:?}");
            assert_eq!(check_line(line).is_ok(), is_valid, "{file:?}");
        }
    }
}
