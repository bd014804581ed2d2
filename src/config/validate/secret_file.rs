//! Reads the file that `secret_file` names.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::text::{check_line, line_of_file};

/// Reads the secret from the file at `path`.
///
/// # Errors
/// Returns a message that explains why the file can't be used. The message contains neither
/// the secret nor the path, since an operator may have set `secret_file` to the secret itself.
pub(super) fn read_secret(path: &str) -> Result<Zeroizing<String>, String> {
    check_line(path).map_err(|problem| format!("is not a path: {problem}"))?;
    let bytes = std::fs::read(resolve(path)).map_err(|error| {
        let hint = if Path::new(&path).is_relative() {
            "; a relative path is looked up in $CREDENTIALS_DIRECTORY, or in the current \
             directory if that is not set"
        } else {
            ""
        };
        format!("can't be read as a file: {error}{hint}")
    })?;
    let bytes = Zeroizing::new(bytes);
    let Ok(text) = std::str::from_utf8(&bytes) else {
        let message = "names a file that is not UTF-8: save it as UTF-8 text (PowerShell's > \
                       writes UTF-16)";
        return Err(message.to_owned());
    };
    let secret = line_of_file(text);
    if secret.is_empty() {
        return Err("names an empty file".to_owned());
    }
    if secret.contains(['\r', '\n']) {
        return Err("names a file with more than one line".to_owned());
    }
    check_line(secret).map_err(|problem| format!("names a file whose line {problem}"))?;
    Ok(Zeroizing::new(secret.to_owned()))
}

/// Resolves a relative path against `CREDENTIALS_DIRECTORY`, the directory where systemd stores a
/// unit's credentials (`LoadCredential=`).
fn resolve(path: &str) -> PathBuf {
    let directory = std::env::var_os("CREDENTIALS_DIRECTORY").unwrap_or_default();
    // `join` returns an absolute `path` unchanged.
    PathBuf::from(directory).join(path)
}
