//! Parses the lines of Asterisk's configuration files. Does no IO.

use zeroize::Zeroizing;

/// A line with a meaning.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// `[name](option,option)`
    Section { name: String, options: Vec<String> },
    /// `key = value` or `key => value`
    Setting {
        key: String,
        value: Zeroizing<String>,
    },
    /// `#include "pattern"` or `#tryinclude`
    Include(String),
}

/// Returns the lines that have a meaning.
pub(super) fn lines(text: &str) -> Vec<Line> {
    let mut is_comment = false;
    let lines = text
        .lines()
        .filter_map(|line| parse_line(&without_comments(line, &mut is_comment)));
    lines.collect()
}

/// Removes comments. `is_comment` is true while a block comment (`;--` to `--;`) is open.
fn without_comments(line: &str, is_comment: &mut bool) -> Zeroizing<String> {
    let mut result = Zeroizing::new(String::new());
    let mut rest = line;
    loop {
        if *is_comment {
            let Some((_, after)) = rest.split_once("--;") else {
                return result;
            };
            *is_comment = false;
            rest = after;
        }
        let Some(position) = rest.find(';') else {
            result.push_str(rest);
            return result;
        };
        let (before, comment) = rest.split_at(position);
        if let Some(before) = before.strip_suffix('\\') {
            result.push_str(before);
            result.push(';');
            rest = &comment[1..];
            continue;
        }
        result.push_str(before);
        // A line of dashes is an ordinary comment.
        if !comment.starts_with(";--") || comment.starts_with(";---") {
            return result;
        }
        *is_comment = true;
        rest = &comment[3..];
    }
}

fn parse_line(line: &str) -> Option<Line> {
    let line = line.trim();
    if let Some((name, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let options = rest.trim().strip_prefix('(').unwrap_or_default();
        let options = options.split(')').next().unwrap_or_default().split(',');
        return Some(Line::Section {
            name: name.to_owned(),
            options: options.map(|option| option.trim().to_owned()).collect(),
        });
    }
    if let Some(directive) = line.strip_prefix('#') {
        let (name, argument) = directive.split_once(char::is_whitespace)?;
        let argument = argument.trim().trim_matches(['"', '<', '>']);
        let is_include = ["include", "tryinclude"].contains(&name.to_ascii_lowercase().as_str());
        return (is_include && !argument.is_empty()).then(|| Line::Include(argument.to_owned()));
    }
    let (key, value) = line.split_once('=')?;
    let value = value.strip_prefix('>').unwrap_or(value).trim();
    Some(Line::Setting {
        key: key.trim().to_owned(),
        value: Zeroizing::new(value.to_owned()),
    })
}

/// Returns whether a file name matches a pattern with the wildcards `*` and `?`.
pub(super) fn matches_wildcards(pattern: &str, name: &str) -> bool {
    let (mut pattern, mut name) = (pattern.chars(), name.chars());
    match (pattern.next(), name.clone().next()) {
        (None, first) => first.is_none(),
        (Some('*'), _) => {
            let rest = pattern.as_str();
            loop {
                if matches_wildcards(rest, name.as_str()) {
                    return true;
                }
                if name.next().is_none() {
                    return false;
                }
            }
        }
        (Some('?'), Some(_)) => {
            matches_wildcards(pattern.as_str(), &name.as_str()[first_len(&name)..])
        }
        (Some(expected), Some(actual)) => {
            expected == actual
                && matches_wildcards(pattern.as_str(), &name.as_str()[actual.len_utf8()..])
        }
        (Some(_), None) => false,
    }
}

fn first_len(name: &std::str::Chars<'_>) -> usize {
    name.clone().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_ignores_comments() {
        let text = "; [no]\n[yes](!,a) ; comment\n;--- dashes\nsecret = a\\;b ;c\n;-- block\n\
                    [no]\n--; key => value\n#include \"manager.d/*.conf\" \n#tryinclude x.conf\n\
                    #exec y\nnothing\n";
        let setting = |key: &str, value: &str| Line::Setting {
            key: key.to_owned(),
            value: Zeroizing::new(value.to_owned()),
        };
        let expected = [
            Line::Section {
                name: "yes".to_owned(),
                options: vec!["!".to_owned(), "a".to_owned()],
            },
            setting("secret", "a;b"),
            setting("key", "value"),
            Line::Include("manager.d/*.conf".to_owned()),
            Line::Include("x.conf".to_owned()),
        ];
        assert_eq!(lines(text), expected);
    }

    #[test]
    fn wildcards_match_whole_names() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("manager__*.conf", "manager__50-x.conf", true),
            ("manager__*.conf", "manager.conf", false),
            ("?.conf", "é.conf", true),
            ("?.conf", ".conf", false),
            ("*", "", true),
            ("a", "b", false),
        ] {
            assert_eq!(
                matches_wildcards(pattern, name),
                expected,
                "{pattern} {name}"
            );
        }
    }
}
