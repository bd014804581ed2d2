//! Merges the file and the environment variables into one tree of values.

use config::{Config, Environment, File, FileFormat, Value, ValueKind};

use super::error::ConfigError;
use super::mistake::Mistake;

/// The directory that systemd has created for the service's state (`StateDirectory=`). If there
/// are several, the variable lists them with colons between them.
const STATE_DIRECTORY: &str = "STATE_DIRECTORY";

/// Merges the file with the environment variables, which take precedence. Only systemd's
/// `STATE_DIRECTORY` is a default, which the file overrides.
///
/// # Errors
/// Returns [`ConfigError::Mistakes`] if an environment variable replaces a table in the file
/// with a plain value. The `config` crate does not report which variable.
pub(super) fn merge(
    file_name: &str,
    text: &str,
    with_environment: bool,
) -> Result<Value, ConfigError> {
    let mut layers = Config::builder().add_source(File::from_str(text, FileFormat::Toml));
    if with_environment {
        let environment = Environment::with_prefix("AMI_BRIDGE")
            .prefix_separator("__")
            .separator("__")
            .ignore_empty(true);
        layers = layers.add_source(environment);
        if let Some(directory) = systemd_state_directory() {
            // Only an invalid key could be an error.
            layers = layers
                .set_default("state.directory", directory)
                .map_err(|_| conflict(file_name))?;
        }
    }
    let merged = layers.build().map_err(|_| conflict(file_name))?;
    let mut tree = merged.cache;
    prefer_environment_secrets(&mut tree);
    Ok(tree)
}

fn conflict(file_name: &str) -> ConfigError {
    ConfigError::Mistakes {
        file: file_name.to_owned(),
        mistakes: vec![Mistake {
            key: "AMI_BRIDGE__…".to_owned(),
            message: "an environment variable conflicts with a table in the file".to_owned(),
        }],
    }
}

fn systemd_state_directory() -> Option<String> {
    let directories = std::env::var(STATE_DIRECTORY).ok()?;
    let first = directories.split(':').next()?;
    (!first.is_empty()).then(|| first.to_owned())
}

/// If the environment sets a PBX's `secret`, removes `secret_file` from the file's values, and
/// vice versa. Otherwise the PBX would have both, which is a mistake.
fn prefer_environment_secrets(tree: &mut Value) {
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
        for (preferred, overridden) in [("secret", "secret_file"), ("secret_file", "secret")] {
            let is_overridden = keys.get(preferred).is_some_and(has_environment_origin)
                && keys
                    .get(overridden)
                    .is_some_and(|value| !has_environment_origin(value));
            if is_overridden {
                keys.remove(overridden);
            }
        }
    }
}

/// Returns true if an environment variable set the value of `key`.
pub(super) fn is_from_environment(tree: &Value, key: &str) -> bool {
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
    has_environment_origin(node)
}

/// Returns true if an environment variable set the value. Values from the file have no origin,
/// since the `config` crate receives the file as unnamed text.
fn has_environment_origin(value: &Value) -> bool {
    value.origin().is_some()
}
