//! Programs that measure: a line of JSON in, a line of JSON out.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// A running program.
pub struct Server {
    name: &'static str,
    /// What it says of itself: versions.
    pub title: String,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Server {
    /// Starts `command` and waits until it says `{"ready": versions}`.
    pub fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("{name} can't be started"))?;
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().context("it has no standard output")?);
        let mut server = Self {
            name,
            title: String::new(),
            child,
            to,
            from,
        };
        let ready = server.line()?;
        ready["ready"]
            .as_str()
            .with_context(|| format!("{name} said {ready} instead of being ready"))?
            .clone_into(&mut server.title);
        Ok(server)
    }

    /// Measures; a measurement that failed is an error.
    pub fn ask(&mut self, spec: &Value) -> Result<Value> {
        let to = self.to.as_mut().context("it was ended")?;
        writeln!(to, "{spec}")?;
        to.flush()?;
        let answer = self.line()?;
        if let Some(why) = answer.get("failed").and_then(Value::as_str) {
            bail!("{}: {spec}: {why}", self.name);
        }
        Ok(answer)
    }

    fn line(&mut self) -> Result<Value> {
        let mut line = String::new();
        ensure!(
            self.from.read_line(&mut line)? > 0,
            "{} ended before it answered",
            self.name
        );
        serde_json::from_str(&line).with_context(|| format!("{} said {line:?}", self.name))
    }
}

impl Drop for Server {
    /// The end of its input ends it.
    fn drop(&mut self) {
        self.to = None;
        // It has nothing left to say; how it ends does not matter.
        let _ = self.child.wait();
    }
}
