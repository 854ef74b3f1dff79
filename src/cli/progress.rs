//! Progress on standard error, where that is a terminal.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

use lucarne::BoxFuture;
use lucarne::job::{Host, Report};

/// Shows a line that is written over.
pub struct Terminal {
    shown: bool,
    about: String,
    start: Instant,
    last: Cell<Option<Instant>>,
}

impl Terminal {
    /// Silent where standard error is no terminal.
    pub fn new() -> Self {
        Self::about(String::new())
    }

    /// Begins the line with `about`.
    pub fn about(about: String) -> Self {
        Self {
            shown: std::io::stderr().is_terminal(),
            about,
            start: Instant::now(),
            last: Cell::new(None),
        }
    }
}

/// Removes the line.
pub fn clear() {
    let mut stderr = std::io::stderr();
    if stderr.is_terminal() {
        let _ = write!(stderr, "\r\x1b[K");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        clear();
    }
}

impl Host for Terminal {
    fn report(&self, report: Report) {
        let Report::Progress { done, total } = report else {
            return;
        };
        let recent = self
            .last
            .get()
            .is_some_and(|last| last.elapsed() < Duration::from_millis(100));
        if !self.shown || recent || total == 0 {
            return;
        }
        self.last.set(Some(Instant::now()));
        let left = self.start.elapsed().as_secs_f64() / done.max(1) as f64 * total.saturating_sub(done) as f64;
        let _ = write!(
            std::io::stderr(),
            "\r\x1b[K{}{done} of {total} passes, {left:.0} s left",
            self.about
        );
    }

    fn breathe(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }

    fn cancelled(&self) -> bool {
        false
    }

    fn due(&self) -> bool {
        false
    }
}
