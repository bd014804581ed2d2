//! What can be held against the program of what the documents say.

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

/// The name of a heading in a link.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        letter if letter.is_alphanumeric() || "-_".contains(letter) => Some(letter),
        _ => None,
    });
    kept.collect()
}

#[test]
fn links_lead_somewhere() {
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

/// The literals of a macro call that are text, and not the name of something.
fn texts(call: &str) -> Vec<String> {
    let joined = call.replace("\\\n", "\n");
    let literals = joined.split('"').skip(1).step_by(2);
    let words = literals.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    words.filter(|text| text.contains(' ')).collect()
}

#[test]
fn every_warning_and_error_of_the_log_is_explained() {
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
                    // Its text is that of the error.
                    assert!(call.contains("LoginError::Rejected"), "{file:?}: {call}");
                    continue;
                }
                found += 1;
                let is_there = |text: &String| explained.iter().any(|told| text.contains(told));
                assert!(texts.iter().any(is_there), "{file:?}: {texts:?}");
            }
        }
    }
    assert!(found > 10, "only {found} were found");
}
