//! Checks of the documentation: its links, and that it explains every warning and error.

use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found
}

/// The anchor of a heading, as GitHub generates it.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let anchor = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        letter if letter.is_alphanumeric() || "-_".contains(letter) => Some(letter),
        _ => None,
    });
    anchor.collect()
}

#[test]
fn links_in_the_documentation_have_targets() {
    let mut documents = files(&root().join("docs"), "md");
    documents.push(root().join("README.md"));
    for document in documents {
        let text = read_to_string(&document).expect("a document");
        let links = text.split("](").skip(1);
        let links = links.filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://")) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => document.clone(),
                file => document.parent().expect("a folder").join(file),
            };
            assert!(target.exists(), "{document:?}: {link}");
            if heading.is_empty() {
                continue;
            }
            let target = read_to_string(&target).expect("a document");
            let mut headings = target.lines().filter(|line| line.starts_with('#'));
            assert!(
                headings.any(|line| anchor(line) == heading),
                "{document:?}: {link}"
            );
        }
    }
}

/// The string literals of a macro call that contain a space, and so are messages.
fn texts(call: &str) -> Vec<String> {
    let joined = call.replace("\\\n", "\n");
    let literals = joined.split('"').skip(1).step_by(2);
    let words = literals.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    words.filter(|text| text.contains(' ')).collect()
}

#[test]
fn documentation_explains_every_logged_warning_and_error() {
    let document = read_to_string(root().join("docs/OPERATIONS.md")).expect("a document");
    let rows = document.lines().filter(|line| line.starts_with("| "));
    let explained: Vec<&str> = rows.filter_map(|row| row.split('`').nth(1)).collect();
    let mut found = 0;
    for file in files(&root().join("src"), "rs") {
        let source = read_to_string(&file).expect("a source");
        for start in ["warn!(", "error!("] {
            for call in source.split(start).skip(1) {
                let call = call.split(");").next().unwrap_or_default();
                let texts = texts(call);
                if texts.is_empty() {
                    // The message is the text of the error.
                    assert!(call.contains("LoginError::Rejected"), "{file:?}: {call}");
                    continue;
                }
                found += 1;
                let is_explained = |text: &String| explained.iter().any(|row| text.contains(row));
                assert!(texts.iter().any(is_explained), "{file:?}: {texts:?}");
            }
        }
    }
    assert!(found > 10, "found only {found} messages");
}
