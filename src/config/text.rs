//! Characters that nobody types on purpose: they come with a copy, and can't be seen.
//! Pure.

/// What stands before the text of files that some editors write.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// The first character that is invisible: a control character, white space other than
/// a blank, or one without width; but for the two joiners, which Persian and Indic words
/// need.
pub(super) fn odd_character(text: &str) -> Option<char> {
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

/// What is wrong with a value that has to be one visible line.
pub(super) fn check_line(text: &str) -> Result<(), String> {
    if text.is_empty() || text.contains(['\r', '\n']) {
        Err("must be one line, and not empty".to_owned())
    } else if let Some(odd) = odd_character(text) {
        // Only the odd one is shown: the rest may be a secret.
        Err(format!("has the invisible character {odd:?}: type it anew"))
    } else if text.trim() != text {
        Err("begins or ends with a blank".to_owned())
    } else {
        Ok(())
    }
}

/// The one line of a file, without what editors add to it: a byte-order mark before it,
/// and blanks, carriage returns and line feeds after it.
pub(super) fn line_of_file(text: &str) -> &str {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    text.trim_end_matches([' ', '\t', '\r', '\n'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_add_is_taken_off_and_the_rest_is_not_touched() {
        for (file, line, is_sound) in [
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
            assert_eq!(check_line(line).is_ok(), is_sound, "{file:?}");
        }
    }
}
