//! Keeps the engine's panics from reaching the user where the target unwinds. On wasm a panic traps, and the worker
//! that ran it is discarded.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work`; a panic in it becomes `Err` with the panic's text.
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    let outer = GUARDED.replace(true);
    let result = catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| {
        let text = payload
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned());
        format!(
            "the engine stopped: {}",
            text.unwrap_or_else(|| "no reason given".into())
        )
    })
}

/// Like [`catch`] for work that can also fail in the engine's own way.
pub(crate) fn attempt<T, E: std::fmt::Display>(
    explain: impl FnOnce(&E) -> String,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, String> {
    catch(work)?.map_err(|e| explain(&e))
}

/// Makes panics of the engine that are caught, and reported as errors, print nothing; the hook in place keeps
/// handling all others. For programs to call once at their start.
pub fn quiet_caught_panics() {
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if !GUARDED.get() {
            previous(info);
        }
    }));
}
