//! The command line: arguments, dispatch, exit codes. 0 is success, 1 failure, 2 wrong usage; what went wrong is one
//! line on standard error.

mod appending;
mod arguments;
mod engines;
mod evaluate;
mod failure;
mod folder;
mod gauge;
mod inspect;
mod ledger;
mod lists;
mod models;
mod output;
mod pictures;
mod progress;
mod study;
mod tasks;
mod values;
mod visualise;

use std::panic::AssertUnwindSafe;
use std::process::ExitCode;

use arguments::{Arguments, Command};
use clap::Parser;
use failure::Failure;

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => return told(&Failure::from_clap(&error)),
        Err(help) => {
            output::print(&help.render().to_string());
            return ExitCode::SUCCESS;
        }
    };
    let panicked = std::sync::Arc::new(std::sync::Mutex::new(String::new()));
    let note = panicked.clone();
    std::panic::set_hook(Box::new(move |info| {
        if let Ok(mut note) = note.lock() {
            *note = info.to_string();
        }
    }));
    match std::panic::catch_unwind(AssertUnwindSafe(|| run(arguments))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => told(&failure),
        Err(_) => {
            let what = panicked.lock().map(|note| note.clone()).unwrap_or_default();
            told(&Failure::new(
                format!("this is a bug: {what}"),
                "Please report it with the command that led here.",
            ))
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let json = arguments.json;
    match arguments.command {
        Command::Devices => engines::list(json),
        Command::Models => lists::models(json),
        Command::Methods => lists::methods(json),
        Command::Metrics => lists::metrics(json),
        Command::Imputers => lists::imputers(json),
        Command::Criteria => lists::criteria(json),
        Command::Predict(a) => tasks::predict(&a, json),
        Command::Explain(a) => tasks::explain(&a, json),
        Command::Evaluate(a) => evaluate::run(&a, json),
        Command::Impute(a) => tasks::impute(&a, json),
        Command::Gauge(a) => gauge::run(&a, json),
        Command::Visualise(a) => visualise::run(&a, json),
        Command::Study(a) => study::run(&a, json),
        Command::Inspect(a) => inspect::run(&a, json),
    }
}

fn told(failure: &Failure) -> ExitCode {
    progress::clear();
    eprintln!("lucarne: {failure}");
    ExitCode::from(failure.exit_code())
}
