//! Formatting, lints and types, the cheapest first.

use anyhow::Result;

use crate::{regenerate, tools, wasm};

/// `cargo fmt` follows `mod` items only, and so does not see the modules that the registries' macros declare.
fn registered() -> Result<()> {
    let mut command = std::process::Command::new("rustfmt");
    command
        .current_dir(tools::root())
        .args(["--check", "--edition", "2024"]);
    for folder in ["src/attribution", "src/imputer", "src/metric"] {
        for entry in std::fs::read_dir(tools::root().join(folder))? {
            let path = entry?.path();
            if path.extension().is_some_and(|e| e == "rs") {
                command.arg(path);
            }
        }
    }
    tools::run(&mut command)
}

/// Runs every check; stops at the first that fails.
pub fn run() -> Result<()> {
    tools::run(tools::cargo().args(["fmt", "--all", "--check"]))?;
    registered()?;
    let deny = ["--", "-D", "warnings"];
    // One package at a time here and in the tests: built together, their shared dependencies would have other features,
    // and everything would be compiled twice.
    for package in ["xtask", "lucarne"] {
        let clippy = ["clippy", "--package", package, "--all-targets"];
        tools::run(tools::cargo().args(clippy).args(deny))?;
    }
    tools::wasm_target()?;
    let wasm = [
        "clippy",
        "--package",
        "lucarne",
        "--lib",
        "--no-default-features",
        "--target",
        "wasm32-unknown-unknown",
    ];
    tools::run(tools::cargo().args(wasm).args(deny))?;
    // The page's types, which its lints look at too, come in part from the engine's glue.
    wasm::run(wasm::Options::default())?;
    tools::npm_packages()?;
    tools::run(&mut tools::npm_run("lint"))?;
    tools::run(&mut tools::npm_run("typecheck"))?;
    // The index of models is held by tests/tidy.rs.
    regenerate::run(&regenerate::Options::check(&[
        regenerate::What::Notices,
        regenerate::What::Types,
        regenerate::What::Docs,
    ]))
}
