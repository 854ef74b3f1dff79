//! The project's commands, one file each. `cargo xtask help` lists them.

mod bench;
mod build;
mod docs;
mod fuzz;
mod licences;
mod lint;
mod models;
mod notices;
mod parity;
mod regenerate;
mod serve;
mod size;
mod test;
mod tools;
mod wasm;
mod zoo;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    about = "Builds, serves and tests Lucarne",
    disable_version_flag = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Compiles the engine to WebAssembly and writes its glue to www/src/engine/wasm
    Wasm(wasm::Options),
    /// Checks the bundled models against their cards
    Models,
    /// Builds the site into dist/site: plain files for any static host and any sub-path
    Build(wasm::Options),
    /// Builds dist/lucarne.html: one file with everything in it, also for a double-click
    SingleFile(wasm::Options),
    /// Builds the site and serves it on this machine
    Serve(serve::Options),
    /// Prints the sizes of what was built, or what the engine is made of
    Size(size::Options),
    /// Runs tests: everything, or the suites that are named
    Test(test::Options),
    /// Checks formatting, lints and types
    Lint,
    /// Writes the generated files that are committed
    Gen(regenerate::Options),
    /// Feeds random bytes to the loader and the picture decoder
    Fuzz(fuzz::Options),
    /// Holds gradients against exports made by tests/zoo/make.py; writes docs/gradient-coverage.md
    Zoo(zoo::Options),
    /// Times forward and gradient passes: natively, or in the page beside onnxruntime-web
    Bench(bench::Options),
}

fn main() -> std::process::ExitCode {
    let result = match Arguments::parse().command {
        Command::Wasm(options) => wasm::run(options),
        Command::Models => models::run(),
        Command::Build(options) => build::site(options),
        Command::SingleFile(options) => build::single_file(options),
        Command::Serve(options) => serve::run(&options),
        Command::Size(options) => size::run(&options),
        Command::Test(options) => return test::run(&options),
        Command::Lint => lint::run(),
        Command::Gen(options) => regenerate::run(&options),
        Command::Fuzz(options) => fuzz::run(&options),
        Command::Bench(options) => bench::run(&options),
        Command::Zoo(options) => zoo::run(&options),
    };
    match result {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_of_every_command_agree() {
        super::Arguments::command().debug_assert();
    }
}
