//! Commands that setup prints for the operator to run in a shell.

use std::path::Path;

/// Quotes a word for a shell if it needs quotes.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "@._-/:=".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// Quotes a path for a shell if it needs quotes.
pub(super) fn quoted_path(path: &Path) -> String {
    quoted(&path.display().to_string())
}

/// Returns a command with its arguments as the operator would type it.
pub(super) fn command(words: &[String]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

/// Returns the command that removes a text from a file. Its first and its last line mark the text
/// in the file. `separator` is what precedes the text: line breaks, or nothing.
pub(super) fn removal(path: &Path, separator: &str, text: &str) -> String {
    let pattern = |line: Option<&str>| line.unwrap_or_default().replace('.', "\\.");
    let first = pattern(text.lines().next());
    let last = pattern(text.lines().next_back());
    let separator = separator.replace('\n', "\\n");
    // With -z, sed treats the whole file as one line. The path may be a symbolic link.
    format!(
        "sed -i --follow-symlinks -z 's/{separator}{first}\\n.*{last}\\n//' {}",
        quoted_path(path)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_quotes_what_a_shell_would_read() {
        for (word, expected) in [
            ("acme@example.com", "acme@example.com"),
            ("/etc/ami-bridge", "/etc/ami-bridge"),
            ("a b", "'a b'"),
            ("it's", "'it'\\''s'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }

    #[test]
    fn removal_leaves_the_other_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("real.conf");
        let link = folder.path().join("a b.conf");
        std::os::unix::fs::symlink("real.conf", &link).expect("a link");
        let text = "; Added: a.b\n[a.b]\nsecret = x\n; End of a.b\n";
        for (old, separator, later) in [
            ("", "", ""),
            ("[x]\n", "\n", "[y]\n"),
            ("[x]\n; Added: aXb", "\n\n", "; End of aXb\n"),
        ] {
            std::fs::write(&file, [old, separator, text, later].concat()).expect("written");
            let command = removal(&link, separator, text);
            let status = std::process::Command::new("sh")
                .args(["-c", &command])
                .status();
            assert!(status.expect("a shell").success(), "{command}");
            assert!(link.is_symlink(), "{command}");
            let left = std::fs::read_to_string(&file).expect("a file");
            assert_eq!(left, [old, later].concat(), "{command}");
        }
    }
}
