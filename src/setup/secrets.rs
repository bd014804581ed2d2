//! Random secrets and passwords, and files with a secret.

use std::path::Path;

use zeroize::Zeroizing;

use super::error::{SetupError, at};
use crate::ami::value::is_trimmed_line;
use crate::config::line_of_file;

/// Letters and digits that nobody confuses when reading them aloud. Their number is a power of
/// two, so that each random byte gives one of them with equal probability.
const PASSWORD_CHARACTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Number of characters in a password, of 5 random bits each.
const PASSWORD_LENGTH: usize = 20;

/// Number of random bytes in a secret.
const SECRET_BYTES: usize = 32;

fn random_bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>, SetupError> {
    let mut bytes = Zeroizing::new([0; N]);
    let error = |error| SetupError::Missing(format!("no random bytes: {error}"));
    getrandom::fill(bytes.as_mut()).map_err(error)?;
    Ok(bytes)
}

/// Makes an AMI user's secret: 64 hex digits.
///
/// # Errors
/// Returns an error if the operating system can't provide random bytes.
pub(super) fn random_secret() -> Result<Zeroizing<String>, SetupError> {
    let bytes = random_bytes::<SECRET_BYTES>()?;
    Ok(Zeroizing::new(
        bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
    ))
}

/// Makes a password in groups of five characters.
///
/// # Errors
/// Returns an error if the operating system can't provide random bytes.
pub(super) fn random_password() -> Result<Zeroizing<String>, SetupError> {
    let bytes = random_bytes::<PASSWORD_LENGTH>()?;
    let mut password = Zeroizing::new(String::with_capacity(PASSWORD_LENGTH + 3));
    for (index, byte) in bytes.iter().enumerate() {
        if index > 0 && index % 5 == 0 {
            password.push('-');
        }
        password.push(char::from(PASSWORD_CHARACTERS[usize::from(byte % 32)]));
    }
    Ok(password)
}

/// Minimum number of characters of a secret that setup gives to a new AMI user.
const MIN_SECRET: usize = 16;

/// Checks a secret that setup is about to give to a new AMI user.
///
/// # Errors
/// Returns a message if the secret is easy to guess, or if `manager.conf` can't contain it. The
/// message does not contain the secret.
pub(super) fn check_new_secret(secret: &str) -> Result<(), String> {
    // Asterisk would take the rest of the line for a comment.
    if secret.contains(';') {
        return Err("contains a semicolon, which begins a comment in manager.conf".to_owned());
    }
    let has_digit = secret.contains(|c: char| c.is_ascii_digit());
    let has_letter = secret.contains(char::is_alphabetic);
    if secret.chars().count() < MIN_SECRET || !has_digit || !has_letter {
        return Err(format!(
            "is easy to guess: it must have {MIN_SECRET} characters or more, with letters and digits"
        ));
    }
    Ok(())
}

/// Reads a file with one line, which is a secret.
///
/// # Errors
/// Returns an error if the file can't be read or has more than one line. The error does not
/// contain the secret.
pub(super) fn read_line_of(path: &Path) -> Result<Zeroizing<String>, SetupError> {
    let bytes = Zeroizing::new(std::fs::read(path).map_err(at(path))?);
    let text = std::str::from_utf8(&bytes).unwrap_or_default();
    let line = line_of_file(text);
    if !is_trimmed_line(line) {
        let message = "must be one line of UTF-8 text that is not empty";
        return Err(SetupError::Mistake(format!(
            "{}: {message}",
            path.display()
        )));
    }
    Ok(Zeroizing::new(line.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_passwords_are_random() {
        let secrets = [
            random_secret().expect("a secret"),
            random_secret().expect("a secret"),
        ];
        assert_ne!(secrets[0], secrets[1]);
        assert!(secrets[0].len() == 64 && secrets[0].bytes().all(|b| b.is_ascii_hexdigit()));
        let passwords = [random_password(), random_password()].map(|p| p.expect("a password"));
        assert_ne!(passwords[0], passwords[1]);
        assert_eq!(
            passwords[0].split('-').map(str::len).collect::<Vec<_>>(),
            [5; 4]
        );
    }

    #[test]
    fn new_secret_must_be_hard_to_guess_and_fit_into_manager_conf() {
        let random = random_secret().expect("a secret");
        for (secret, is_valid) in [
            (random.as_str(), true),
            ("correct horse battery 7", true),
            ("PUT-THE-SECRET-HERE", false),
            ("0123456789012345", false),
            ("short7", false),
            ("0123456789abcdef;x", false),
        ] {
            assert_eq!(check_new_secret(secret).is_ok(), is_valid, "{secret}");
        }
    }

    #[test]
    fn secret_file_must_have_one_line() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        for (content, expected) in [
            ("secret\r\n", Some("secret")),
            ("two words\n", Some("two words")),
            ("", None),
            ("one\ntwo\n", None),
            (" secret", None),
        ] {
            std::fs::write(file.path(), content).expect("written");
            let line = read_line_of(file.path());
            assert_eq!(
                line.ok().as_deref().map(String::as_str),
                expected,
                "{content:?}"
            );
        }
    }
}
