//! From file and environment to [`super::Settings`].

use std::path::{Path, PathBuf};

use config::{Config, Environment, File as FileSource, FileFormat, Value, ValueKind};
use serde::Deserialize;
use zeroize::Zeroizing;

use super::duplicate;
use super::file;
use super::mistake::Mistake;
use super::validate::{Settings, validate};

/// Why there is no usable configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// There is no file in any of the usual places.
    #[error(
        "no configuration: name a file with --config or AMI_BRIDGE_CONFIG, \
         or put one at ./ami-bridge.toml or /etc/ami-bridge/ami-bridge.toml"
    )]
    NoFile,
    /// The file can't be read.
    #[error("{file}: {source}")]
    Unreadable {
        /// Its path.
        file: String,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file is not TOML.
    #[error("{file}:{line}:{column}: not valid TOML here (a quote, bracket or = missing?)")]
    Syntax {
        /// Its path.
        file: String,
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// A key stands twice.
    #[error("{file}:{second}: the key \"{key}\" stands twice, in lines {first} and {second}")]
    Duplicate {
        /// The file's path.
        file: String,
        /// The key, without the table that it is in.
        key: String,
        /// The line of the first one, from 1.
        first: usize,
        /// The line of the second one, from 1.
        second: usize,
    },
    /// Everything that is wrong.
    #[error("{file}: {} in the configuration:{}", count(mistakes), lines(mistakes))]
    Mistakes {
        /// The file's path.
        file: String,
        /// All of them.
        mistakes: Vec<Mistake>,
    },
}

fn count(mistakes: &[Mistake]) -> String {
    match mistakes.len() {
        1 => "1 mistake".to_owned(),
        n => format!("{n} mistakes"),
    }
}

fn lines(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|m| format!("\n  {m}")).collect()
}

/// The file to read: the one named, here or in AMI_BRIDGE_CONFIG, or the first
/// that is in its usual place.
///
/// # Errors
/// [`ConfigError::NoFile`] where there is none.
pub fn find(named: Option<PathBuf>) -> Result<PathBuf, ConfigError> {
    let usual = ["ami-bridge.toml", "/etc/ami-bridge/ami-bridge.toml"];
    // A variable that is set to nothing names nothing.
    let variable = std::env::var_os("AMI_BRIDGE_CONFIG").filter(|name| !name.is_empty());
    named
        .or(variable.map(PathBuf::from))
        .or_else(|| usual.map(PathBuf::from).into_iter().find(|p| p.exists()))
        .ok_or(ConfigError::NoFile)
}

/// Reads the file, lays the environment over it, and checks everything.
///
/// # Errors
/// [`ConfigError`], with all mistakes at once; no secret is in it.
pub fn load(path: &Path) -> Result<Settings, ConfigError> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        file: name.clone(),
        source,
    })?;
    let text = Zeroizing::new(text);
    check(name, &text, true)
}

/// Checks a configuration that is no file; `name` stands for one in mistakes. The
/// environment has no say.
///
/// # Errors
/// As [`load`].
pub fn load_text(name: &str, text: &str) -> Result<Settings, ConfigError> {
    check(name.to_owned(), text, false)
}

fn check(name: String, text: &str, environment: bool) -> Result<Settings, ConfigError> {
    let mut tree = layers(&name, text, environment)?;
    prefer_environment(&mut tree);
    let all = tree.clone();
    let mut mistakes = Vec::new();
    let file = deserialize(&mut tree, &mut mistakes);
    let settings = validate(file, &mut mistakes);
    for mistake in &mut mistakes {
        if is_of_environment(&all, &mistake.key) {
            mistake.message += " (set by an environment variable)";
        }
    }
    match settings {
        Some(settings) if mistakes.is_empty() => Ok(settings),
        _ => Err(ConfigError::Mistakes {
            file: name,
            mistakes,
        }),
    }
}

fn layers(name: &str, text: &str, environment: bool) -> Result<Value, ConfigError> {
    // Parsed once more by itself: the crate's message quotes the line that is
    // wrong, which may hold a secret; the position is enough.
    if let Err(error) = text.parse::<toml::Table>() {
        return Err(syntax_error(name, text, &error));
    }
    let mut layers = Config::builder().add_source(FileSource::from_str(text, FileFormat::Toml));
    if environment {
        let environment = Environment::with_prefix("AMI_BRIDGE")
            .prefix_separator("__")
            .separator("__")
            .ignore_empty(true);
        layers = layers.add_source(environment);
    }
    layers
        .build()
        .map(|config| config.cache)
        // What is left is a variable that contradicts the file's tables.
        .map_err(|_| ConfigError::Mistakes {
            file: name.to_owned(),
            mistakes: vec![Mistake {
                key: "AMI_BRIDGE__…".to_owned(),
                message: "an environment variable does not fit the configuration".to_owned(),
            }],
        })
}

fn syntax_error(name: &str, text: &str, error: &toml::de::Error) -> ConfigError {
    let file = name.to_owned();
    if let Some(found) = duplicate::find(text, error) {
        return ConfigError::Duplicate {
            file,
            key: found.key,
            first: found.first,
            second: found.second,
        };
    }
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    ConfigError::Syntax {
        file,
        line: duplicate::line(text, at),
        column: text[line_start..at].chars().count() + 1,
    }
}

/// A secret of the environment takes the place of the file's, in either form.
fn prefer_environment(tree: &mut Value) {
    let ValueKind::Table(root) = &mut tree.kind else {
        return;
    };
    let Some(ValueKind::Table(pbxes)) = root.get_mut("pbx").map(|pbxes| &mut pbxes.kind) else {
        return;
    };
    for pbx in pbxes.values_mut() {
        let ValueKind::Table(keys) = &mut pbx.kind else {
            continue;
        };
        for (given, other) in [("secret", "secret_file"), ("secret_file", "secret")] {
            let overrides = keys
                .get(given)
                .is_some_and(|value| value.origin().is_some());
            if overrides
                && keys
                    .get(other)
                    .is_some_and(|value| value.origin().is_none())
            {
                keys.remove(other);
            }
        }
    }
}

/// The file is given as a text without a name; the environment has one.
fn is_of_environment(tree: &Value, key: &str) -> bool {
    let mut node = tree;
    for segment in key.split('.') {
        let ValueKind::Table(table) = &node.kind else {
            return false;
        };
        let Some(next) = table.get(segment) else {
            return false;
        };
        node = next;
    }
    node.origin().is_some()
}

/// Deserializes; whatever does not fit is noted and taken out, until the rest
/// fits. So one mistake does not hide the others.
fn deserialize(tree: &mut Value, mistakes: &mut Vec<Mistake>) -> file::File {
    loop {
        let mut track = serde_path_to_error::Track::new();
        let deserializer = serde_path_to_error::Deserializer::new(tree.clone(), &mut track);
        let error = match file::File::deserialize(deserializer) {
            Ok(file) => return file,
            Err(error) => error,
        };
        let path: Vec<String> = track.path().iter().map(ToString::to_string).collect();
        mistakes.push(Mistake {
            key: join(&path),
            message: expectation(&error),
        });
        if !remove(tree, &path) {
            return file::File::default();
        }
    }
}

/// `organization.acme.user[0].password`, from segments of which indices come
/// as `[0]` already.
fn join(path: &[String]) -> String {
    let mut key = String::new();
    for segment in path {
        if !key.is_empty() && !segment.starts_with('[') {
            key.push('.');
        }
        key += segment;
    }
    key
}

/// What was expected. serde's message also tells what was found, which may be
/// a secret: only the part behind "expected" is used.
fn expectation(error: &config::ConfigError) -> String {
    let text = error.to_string();
    if text.contains("unknown field") {
        let known = text.split_once("expected").map_or("", |(_, known)| known);
        let known = known.split(" for key").next().unwrap_or_default();
        let known = known.replace("one of", "").replace('`', "");
        return format!("unknown key; known here: {}", known.trim());
    }
    match text.rsplit_once("expected ") {
        Some((_, expected)) => {
            let expected = expected.split(" for key").next().unwrap_or(expected);
            let expected = expected.split(" in ").next().unwrap_or(expected);
            match expected.trim() {
                "a map" => "must be a table: [NAME]".to_owned(),
                "a sequence" => "must be a list of tables: [[…]] with two brackets".to_owned(),
                expected => format!("must be {expected}"),
            }
        }
        None => "is not of the right type".to_owned(),
    }
}

fn remove(tree: &mut Value, path: &[String]) -> bool {
    let Some((last, parents)) = path.split_last() else {
        return false;
    };
    let mut node = tree;
    for segment in parents {
        let next = match &mut node.kind {
            ValueKind::Table(table) => table.get_mut(segment),
            ValueKind::Array(items) => index(segment).and_then(|index| items.get_mut(index)),
            _ => None,
        };
        let Some(next) = next else {
            return false;
        };
        node = next;
    }
    match &mut node.kind {
        ValueKind::Table(table) => table.remove(last).is_some(),
        ValueKind::Array(items) => match index(last) {
            Some(index) if index < items.len() => {
                items.remove(index);
                true
            }
            _ => false,
        },
        _ => false,
    }
}

fn index(segment: &str) -> Option<usize> {
    segment.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}
