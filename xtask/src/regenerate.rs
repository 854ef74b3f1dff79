//! Generated files that are committed: wire types, credits, the index of models, the texts of the catalogue's pages.

use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::{docs, notices, parity, tools};

/// What to write.
#[derive(Args)]
pub struct Options {
    /// Which files; all where none is named
    #[arg(value_enum)]
    what: Vec<What>,
    /// Write nothing; fail where a committed file is not what would be written
    #[arg(long)]
    check: bool,
}

/// A generated file.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// www/src/protocol.gen.ts
    Types,
    /// NOTICES.md
    Notices,
    /// models/models.json
    Models,
    /// www/src/docs.gen.json
    Docs,
    /// docs/parity.md, from the goldens; only where it is named, for its last digits vary with the processor
    Parity,
}

impl Options {
    /// Checks these files.
    pub fn check(what: &[What]) -> Self {
        Self {
            what: what.to_vec(),
            check: true,
        }
    }
}

/// Writes or checks.
pub fn run(options: &Options) -> Result<()> {
    let all = [What::Models, What::Types, What::Notices, What::Docs];
    let what = if options.what.is_empty() {
        &all[..]
    } else {
        &options.what
    };
    for what in what {
        match what {
            What::Types => {
                let file = tools::www().join("src/protocol.gen.ts");
                let before = std::fs::read_to_string(&file).ok();
                let export = ["test", "--quiet", "--package", "lucarne", "--lib", "export_bindings"];
                tools::run(tools::cargo().args(export))?;
                let after = std::fs::read_to_string(&file)?;
                if options.check && before.as_ref() != Some(&after) {
                    // A check leaves things as they were.
                    before.map(|text| std::fs::write(&file, text)).transpose()?;
                    return drift(&file);
                }
            }
            What::Parity => parity::run()?,
            What::Models => {
                let name = if options.check { "" } else { "1" };
                let test = [
                    "test",
                    "--quiet",
                    "--package",
                    "lucarne",
                    "--test",
                    "tidy",
                    "the_index_of_models_is_current",
                ];
                tools::run(tools::cargo().args(test).env("LUCARNE_WRITE_GENERATED", name))?;
            }
            What::Notices => write(&tools::root().join("NOTICES.md"), notices::text()?, options.check)?,
            What::Docs => write(&tools::www().join("src/docs.gen.json"), docs::text()?, options.check)?,
        }
    }
    Ok(())
}

/// Writes a file, or checks that it would be written so.
fn write(file: &Path, text: String, check: bool) -> Result<()> {
    if !check {
        std::fs::write(file, text)?;
    } else if std::fs::read_to_string(file).ok() != Some(text) {
        return drift(file);
    }
    Ok(())
}

fn drift(file: &Path) -> Result<()> {
    let name = file
        .strip_prefix(tools::root())
        .context("generated files lie in the repository")?;
    bail!(
        "{} is not what `cargo xtask gen` writes; run that and commit it",
        name.display()
    )
}
