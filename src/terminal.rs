//! Text for the operator, who may read it on a terminal with 80 columns.

use std::io::IsTerminal;

/// Maximum length of a line in characters.
const WIDTH: usize = 78;

/// Maximum number of items in a list.
const MAX_LISTED: usize = 6;

/// Returns the text as `output` shows it. On a terminal, breaks each long line, and indents the
/// rest of it by two more blanks. Elsewhere, returns the text unchanged, because a program or a
/// person who searches a log expects one message a line.
#[must_use]
pub fn fitted(text: &str, output: &impl IsTerminal) -> String {
    if !output.is_terminal() {
        return text.to_owned();
    }
    text.lines().map(fitted_line).collect()
}

fn fitted_line(line: &str) -> String {
    if line.chars().count() <= WIDTH {
        return format!("{line}\n");
    }
    let indent = &line[..line.len() - line.trim_start().len()];
    filled(line, indent, &format!("{indent}  "))
}

/// Breaks a paragraph into lines. Each line begins with `indent`.
pub(crate) fn wrapped(text: &str, indent: &str) -> String {
    filled(text, indent, indent)
}

fn filled(text: &str, first_indent: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in words(text) {
        if line.is_empty() {
            line = format!("{first_indent}{word}");
        } else if line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines += &line;
            lines.push('\n');
            line = format!("{indent}{word}");
        } else {
            line.push(' ');
            line += word;
        }
    }
    lines + &line + "\n"
}

/// Splits a text at its blanks, but not within backticks or double quotes: they enclose commands
/// and values.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut quote = None;
    let words = text.split(move |c: char| {
        match quote {
            None if "`\"".contains(c) => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        quote.is_none() && c.is_whitespace()
    });
    words.filter(|word| !word.is_empty())
}

/// Returns the first items, and the number of the others.
pub(crate) fn listed(items: &[String]) -> String {
    let text = items[..items.len().min(MAX_LISTED)].join(", ");
    match items.len().saturating_sub(MAX_LISTED) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_fit_on_a_terminal() {
        let text = wrapped(&"word ".repeat(100), "  ");
        assert!(text.lines().count() > 5);
        assert!(
            text.lines()
                .all(|line| line.len() <= 78 && line.starts_with("  word"))
        );
        let long = "x".repeat(100);
        assert_eq!(
            wrapped(&format!("a {long} b"), ""),
            format!("a\n{long}\nb\n")
        );
    }

    #[test]
    fn fitted_line_is_broken_only_if_it_is_long() {
        let short = "  read = agent,system";
        assert_eq!(fitted_line(short), format!("{short}\n"));
        let words = "word ".repeat(20);
        let lines = fitted_line(&format!("  key: {words}"));
        let lines: Vec<&str> = lines.lines().collect();
        assert!(
            lines[0].starts_with("  key: ") && lines[1].starts_with("    word"),
            "{lines:?}"
        );
    }

    #[test]
    fn command_is_not_broken() {
        let command = "asterisk -rx \"manager show settings\"";
        for text in [
            format!("{} (`{command}`)", "x".repeat(60)),
            format!("{} \"a value with blanks\"", "x".repeat(70)),
        ] {
            let (_, rest) = text.split_once(' ').expect("a blank");
            assert!(
                wrapped(&text, "").ends_with(&format!("\n{rest}\n")),
                "{text}"
            );
        }
    }

    #[test]
    fn long_lists_are_shortened() {
        let items: Vec<String> = (1..=8).map(|n| n.to_string()).collect();
        assert_eq!(listed(&items), "1, 2, 3, 4, 5, 6 and 2 more");
        assert_eq!(listed(&items[..2]), "1, 2");
    }
}
