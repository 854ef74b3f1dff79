//! The engine as WebAssembly, with its JavaScript glue and types.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::{Args, ValueEnum};
use wasm_bindgen_cli_support::Bindgen;

use crate::tools;

/// The features that the engine uses, for the optimiser. `--all-features` would let it emit what browsers refuse.
const FEATURES: [&str; 9] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
    "--enable-multivalue",
    "--enable-relaxed-simd",
];

/// How the engine is compiled.
#[derive(Args, Clone, Copy)]
#[group(skip)]
pub struct Options {
    /// `web` is what ships; `dev` keeps names, and checks arithmetic
    #[arg(long, value_enum, default_value_t = Profile::Web)]
    pub profile: Profile,
    /// Run binaryen's wasm-opt for size: minutes of work for a tenth of the size; for releases
    #[arg(long)]
    pub opt: bool,
}

/// A Cargo profile.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Profile {
    /// Optimised.
    Web,
    /// Quick to build.
    Dev,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::Web,
            opt: false,
        }
    }
}

/// Where the glue goes.
pub fn folder() -> PathBuf {
    tools::www().join("src/engine/wasm")
}

/// Compiles and writes the glue.
pub fn run(options: Options) -> Result<()> {
    tools::wasm_target()?;
    same_bindgen()?;
    let (profile, built) = match options.profile {
        Profile::Web => ("web", "web"),
        Profile::Dev => ("dev", "debug"),
    };
    let target = ["--target", "wasm32-unknown-unknown"];
    let crate_ = ["build", "--package", "lucarne", "--lib", "--no-default-features"];
    tools::run(tools::cargo().args(crate_).args(target).args(["--profile", profile]))?;
    let file = tools::target()
        .join("wasm32-unknown-unknown")
        .join(built)
        .join("lucarne.wasm");
    let bytes = std::fs::read(&file).with_context(|| format!("can't read {}", file.display()))?;
    let stamp = format!("{} {profile} {}", tools::sha256(&bytes), options.opt);
    let stamp_file = folder().join(".built-from");
    if std::fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    if folder().is_dir() {
        std::fs::remove_dir_all(folder())?;
    }
    Bindgen::new()
        .input_bytes("lucarne", bytes)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .remove_name_section(options.profile == Profile::Web)
        .remove_producers_section(true)
        .generate(folder())
        .context("wasm-bindgen can't make the glue")?;
    if options.opt {
        optimise(&folder().join("lucarne_bg.wasm"))?;
    }
    std::fs::write(stamp_file, stamp)?;
    let size = std::fs::metadata(folder().join("lucarne_bg.wasm"))?.len();
    eprintln!("engine: {}", tools::megabytes(size));
    Ok(())
}

fn optimise(file: &Path) -> Result<()> {
    tools::npm_packages()?;
    let program = tools::www().join("node_modules/.bin/wasm-opt");
    ensure!(
        program.is_file(),
        "the npm package binaryen is missing: `npm install --save-dev binaryen` in www"
    );
    tools::run(
        Command::new(program)
            .arg("-O3")
            .args(FEATURES)
            .arg(file)
            .arg("-o")
            .arg(file),
    )
}

/// The library and the generator speak a private protocol, so their versions must be one.
fn same_bindgen() -> Result<()> {
    let lock: toml::Table = std::fs::read_to_string(tools::root().join("Cargo.lock"))?.parse()?;
    let packages = lock
        .get("package")
        .and_then(toml::Value::as_array)
        .context("Cargo.lock lists no packages")?;
    let version = |name: &str| {
        let package = packages
            .iter()
            .find(|p| p.get("name").and_then(toml::Value::as_str) == Some(name));
        let version = package.and_then(|p| p.get("version")).and_then(toml::Value::as_str);
        version.with_context(|| format!("Cargo.lock has no {name}"))
    };
    let (library, generator) = (version("wasm-bindgen")?, version("wasm-bindgen-cli-support")?);
    ensure!(
        library == generator,
        "wasm-bindgen is {library} but wasm-bindgen-cli-support is {generator}; \
         `cargo update -p wasm-bindgen-cli-support --precise {library}` makes them equal"
    );
    Ok(())
}
