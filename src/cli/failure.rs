//! What went wrong, as one line.

use std::fmt;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use lucarne::Error;
use lucarne::error::InputError;

/// A reason to end, and whether the command was wrong (2) or the work failed (1).
#[derive(Debug)]
pub struct Failure {
    message: String,
    hint: String,
    usage: bool,
}

impl Failure {
    /// The work failed.
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: hint.into(),
            usage: false,
        }
    }

    /// The command was wrong.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            usage: true,
            ..Self::new(message, hint)
        }
    }

    /// A file can't be read or written.
    pub fn file(verb: &str, path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("can't {verb} {}: {error}", path.display()), "")
    }

    /// An error about a file's contents, with the file's name.
    pub fn about(path: &Path, error: impl Into<Error>) -> Self {
        let mut failure = Self::from(error.into());
        failure.message = format!("{}: {}", path.display(), failure.message);
        failure
    }

    /// For the process.
    pub fn exit_code(&self) -> u8 {
        if self.usage { 2 } else { 1 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        f.write_str(line(&self.message).trim_end_matches('.'))?;
        f.write_str(".")?;
        if !self.hint.is_empty() {
            write!(f, " {}", line(&self.hint))?;
        }
        Ok(())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let usage = matches!(error.code(), "parameter" | "unknown-id" | "no-layer");
        let hint = match error.code() {
            "unknown-id" => "`lucarne methods`, `metrics`, `imputers` and `models` list what there is.",
            _ => error.hint(),
        };
        Self {
            message: error.to_string(),
            hint: hint.to_owned(),
            usage,
        }
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Error::from(error).into()
    }
}

/// Clap's messages take several lines: the first paragraph says what is wrong, and the usage is a command away.
impl Failure {
    /// Of a command line that clap refused.
    pub fn from_clap(error: &clap::Error) -> Self {
        if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Self::usage("a command is needed", "`lucarne help` lists them.");
        }
        let text = error.render().to_string();
        let first: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).collect();
        let message = first.join(" ");
        let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
        let suggestion = [
            ContextKind::SuggestedArg,
            ContextKind::SuggestedSubcommand,
            ContextKind::SuggestedValue,
        ]
        .into_iter()
        .find_map(|kind| match error.get(kind) {
            Some(ContextValue::String(word)) => Some(word.clone()),
            Some(ContextValue::Strings(words)) => words.first().cloned(),
            _ => None,
        });
        let meant = suggestion
            .map(|word| format!("Did you mean `{word}`? "))
            .unwrap_or_default();
        Self::usage(
            message,
            format!("{meant}`lucarne help` and `lucarne help COMMAND` say what there is."),
        )
    }
}
