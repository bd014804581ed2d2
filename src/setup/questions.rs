//! Asks the operator on a terminal.

use std::io::{BufRead, IsTerminal, Write, stdin, stdout};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use super::error::{SetupError, unknown};
use super::question::Question;
use crate::terminal::wrapped;

/// True while the terminal does not show the typed characters.
static ECHO_IS_OFF: AtomicBool = AtomicBool::new(false);

/// Writes text for the operator.
pub(super) fn say(text: &str) {
    let mut stdout = stdout();
    // Ignores errors: the reader of a pipe may close it early.
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// Turns the terminal's echo on again if an interrupted question for a secret turned it off.
pub(super) fn restore_echo() {
    if ECHO_IS_OFF.load(Ordering::Acquire) {
        let _ = Command::new("stty")
            .arg("echo")
            .stdin(Stdio::inherit())
            .status();
    }
}

/// Asks the operator, if there is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Questions {
    can_ask: bool,
}

impl Questions {
    /// Asks only if standard input is a terminal and the operator has not answered everything in
    /// advance.
    pub(super) fn new(is_answered: bool) -> Self {
        Self {
            can_ask: !is_answered && stdin().is_terminal(),
        }
    }

    /// Returns whether there is an operator to ask.
    pub(super) fn can_ask(self) -> bool {
        self.can_ask
    }

    /// Asks until `parse` accepts the answer. An empty answer means `default`.
    ///
    /// # Errors
    /// Returns a mistake that names the question's flag if nobody can be asked and there is no
    /// default, or if `parse` does not accept the default.
    pub(super) fn ask<T>(
        self,
        question: Question,
        default: Option<&str>,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Result<T, SetupError> {
        if !self.can_ask {
            let default = default.ok_or_else(|| unknown(question))?;
            let flags = question.flags().join(", ");
            return parse(default)
                .map_err(|error| SetupError::Mistake(format!("{flags}: {error}")));
        }
        let text = question.text();
        let hint = default.map_or(String::new(), |default| format!(" [{default}]"));
        loop {
            say(&format!("{text}{hint}: "));
            let answer = read_line()?;
            let answer = match (answer.trim(), default) {
                ("", None) => continue,
                ("", Some(default)) => default,
                (answer, _) => answer,
            };
            match parse(answer) {
                Ok(value) => return Ok(value),
                Err(error) => say(&wrapped(&error, "  ")),
            }
        }
    }

    /// Asks a question that is answered with yes or no. Without an operator, returns `unasked`.
    ///
    /// # Errors
    /// Returns an error if standard input ends.
    pub(super) fn confirm(
        self,
        question: Question,
        default: bool,
        unasked: bool,
    ) -> Result<bool, SetupError> {
        if !self.can_ask {
            return Ok(unasked);
        }
        let hint = if default { "[Y/n]" } else { "[y/N]" };
        loop {
            say(&format!("{} {hint} ", question.text()));
            match read_line()?.trim().to_ascii_lowercase().as_str() {
                "" => return Ok(default),
                "y" | "yes" => return Ok(true),
                "n" | "no" => return Ok(false),
                _ => say("  Answer y or n.\n"),
            }
        }
    }

    /// Waits for the Enter key.
    ///
    /// # Errors
    /// Returns an error if standard input ends.
    pub(super) fn wait_for_enter(self, question: Question) -> Result<(), SetupError> {
        say(&format!("\n{} (Ctrl-C ends setup). ", question.text()));
        read_line().map(|_| ())
    }

    /// Asks for a secret. The terminal does not show it.
    ///
    /// # Errors
    /// Returns an error if there is no terminal.
    pub(super) fn secret(self, question: Question) -> Result<Zeroizing<String>, SetupError> {
        ECHO_IS_OFF.store(true, Ordering::Release);
        let secret = rpassword::prompt_password(format!("{}: ", question.text()));
        ECHO_IS_OFF.store(false, Ordering::Release);
        let secret = secret.map_err(|error| SetupError::Missing(error.to_string()))?;
        Ok(Zeroizing::new(secret.trim().to_owned()))
    }
}

fn read_line() -> Result<String, SetupError> {
    let mut line = String::new();
    match stdin().lock().read_line(&mut line) {
        Ok(0) => Err(SetupError::Mistake("the answers ended early".to_owned())),
        Ok(_) => Ok(line),
        Err(error) => Err(SetupError::Missing(format!("standard input: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unasked_question_needs_a_default_or_names_the_flag() {
        let questions = Questions { can_ask: false };
        let parse = |text: &str| text.parse::<u16>().map_err(|error| error.to_string());
        let answer = questions.ask(Question::Agents, Some("1001"), parse);
        assert_eq!(answer.expect("an answer"), 1001);
        for default in [None, Some("x")] {
            let error = questions.ask(Question::Agents, default, parse);
            let error = error.expect_err("no answer");
            assert!(error.to_string().contains("--agents"), "{error}");
            assert_eq!(error.status(), 2);
        }
    }
}
