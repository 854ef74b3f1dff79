//! One job under every long loop: progress, cancellation, and yielding to the host's event loop.

use std::cell::{Cell, RefCell};

use crate::{BoxFuture, Error, Tensor};

/// What a running job tells its owner.
#[derive(Clone, Debug)]
pub enum Report {
    /// `done` of `total` passes are finished; `total` is an estimate until the job ends.
    Progress {
        /// Passes finished.
        done: u64,
        /// Passes expected.
        total: u64,
    },
    /// A usable intermediate map of the same shape as the final one.
    Partial {
        /// The map so far.
        map: Tensor,
    },
}

/// The owner of a job: where it runs and who watches.
pub trait Host {
    /// Called with every report. Must be cheap.
    fn report(&self, report: Report);
    /// Gives other work (the event loop of a browser worker) a turn. Returns at once where there is none.
    fn breathe(&self) -> BoxFuture<'_, ()>;
    /// Whether the job should end now.
    fn cancelled(&self) -> bool;
    /// Whether the last turn of other work was long enough ago that [`Host::breathe`] should be called.
    fn due(&self) -> bool;
}

/// A host for tests and plain native calls: never cancels, never yields, drops reports.
#[derive(Debug, Default)]
pub struct Silent;

impl Host for Silent {
    fn report(&self, _: Report) {}
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

/// Progress, cancellation and yielding of one long computation.
pub struct Job<'a> {
    host: &'a dyn Host,
    forward: Cell<u64>,
    backward: Cell<u64>,
    total: Cell<u64>,
    partial: RefCell<Option<u64>>,
    hushed: Cell<bool>,
    /// How often what is announced now will be run.
    times: Cell<u64>,
}

/// Passes run through the network: a forward pass and a backward pass of one picture count one each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Passes {
    /// Forward passes.
    pub forward: u64,
    /// Backward passes (each also runs its forward pass, counted there).
    pub backward: u64,
}

impl Passes {
    /// Forward and backward passes together.
    pub fn total(self) -> u64 {
        self.forward + self.backward
    }
}

impl<'a> Job<'a> {
    /// A job watched by `host`.
    pub fn new(host: &'a dyn Host) -> Self {
        Self {
            host,
            forward: Cell::new(0),
            backward: Cell::new(0),
            total: Cell::new(0),
            partial: RefCell::new(None),
            hushed: Cell::new(false),
            times: Cell::new(1),
        }
    }

    /// Announces that about `passes` more passes will be run, for the progress bar.
    pub fn expect(&self, passes: Passes) {
        self.total.set(self.total.get() + self.times.get() * passes.total());
    }

    /// From here on what is announced counts `times` times: 0 for repetitions of what was announced already.
    pub fn repeat(&self, times: u64) {
        self.times.set(times);
    }

    /// Corrects what [`Job::expect`] was told, once a number that depends on the picture is known.
    pub fn expect_instead(&self, announced: Passes, now: Passes) {
        let total = self.total.get() + self.times.get() * now.total();
        self.total
            .set(total.saturating_sub(self.times.get() * announced.total()));
    }

    /// Counts finished passes, reports progress, lets the host breathe, and stops if cancelled.
    /// Every long loop calls this at least every few tens of milliseconds of work.
    pub async fn step(&self, passes: Passes) -> Result<(), Error> {
        self.forward.set(self.forward.get() + passes.forward);
        self.backward.set(self.backward.get() + passes.backward);
        if self.host.due() {
            self.host.breathe().await;
        }
        if self.host.cancelled() {
            return Err(Error::Cancelled);
        }
        let done = self.passes().total();
        self.host.report(Report::Progress {
            done,
            total: self.total.get().max(done),
        });
        Ok(())
    }

    /// From here on intermediate maps are not reported: they are not of what the job computes.
    pub fn hush(&self) {
        self.hushed.set(true);
    }

    /// Offers an intermediate map; `map` is built only when about a tenth of the passes have gone by since the last.
    pub fn offer(&self, map: impl FnOnce() -> Tensor) {
        if self.hushed.get() {
            return;
        }
        let done = self.passes().total();
        let mut last = self.partial.borrow_mut();
        if done >= last.unwrap_or(0) + (self.total.get() / 10).max(1) {
            *last = Some(done);
            self.host.report(Report::Partial { map: map() });
        }
    }

    /// Passes run so far.
    pub fn passes(&self) -> Passes {
        Passes {
            forward: self.forward.get(),
            backward: self.backward.get(),
        }
    }
}
