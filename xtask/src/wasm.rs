//! The engine as WebAssembly, twice: with plain SIMD, and with relaxed SIMD for browsers that have it. One glue serves
//! both.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, ValueEnum};
use wasm_bindgen_cli_support::Bindgen;

use crate::{size, tools};

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
#[derive(Args, Clone, Copy, Debug)]
#[group(skip)]
pub struct Options {
    /// `web` is what ships; `dev` keeps names, and checks arithmetic
    #[arg(long, value_enum, default_value_t = Profile::Web)]
    pub profile: Profile,
    /// Run binaryen's wasm-opt for size: minutes of work for a tenth of the size; for releases
    #[arg(long)]
    pub opt: bool,
    /// Keep the functions' names, for a browser's profiler; the limits on size are not checked
    #[arg(long)]
    pub names: bool,
}

/// A Cargo profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
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
            names: false,
        }
    }
}

/// Where the glue goes.
pub fn folder() -> PathBuf {
    tools::www().join("src/engine/wasm")
}

/// A build of the engine.
struct Build {
    /// Of its files: `NAME.wasm`, `NAME.wasm.zst`.
    name: &'static str,
    features: &'static [&'static str],
}

/// The first is the one that runs everywhere.
const BUILDS: [Build; 2] = [
    Build {
        name: "lucarne",
        features: &[],
    },
    Build {
        name: "lucarne_relaxed",
        features: &["--features", "relaxed-simd"],
    },
];

/// Compiles and writes into [`folder`]: the glue `lucarne.js` and its types, and each build as `NAME.wasm` and, as the
/// site ships it, `NAME.wasm.zst`. In the dev profile the plain build stands for both.
pub fn run(options: Options) -> Result<()> {
    tools::wasm_target()?;
    same_bindgen()?;
    let stamp = format!("{} {options:?}", sources()?);
    let stamp_file = folder().join(".built-from");
    if std::fs::read_to_string(&stamp_file).is_ok_and(|old| old == stamp) {
        return Ok(());
    }
    if folder().is_dir() {
        std::fs::remove_dir_all(folder())?;
    }
    std::fs::create_dir_all(folder())?;
    let mut glue: Option<String> = None;
    for build in &BUILDS {
        let file = folder().join(format!("{}.wasm", build.name));
        match &glue {
            Some(_) if options.profile == Profile::Dev => {
                std::fs::copy(folder().join(format!("{}.wasm", BUILDS[0].name)), &file)?;
            }
            Some(first) => {
                let (second, bytes) = bind(build, options, &tools::target().join("glue"))?;
                std::fs::write(&file, same_names(&second, first, bytes)?)?;
            }
            None => {
                let (first, bytes) = bind(build, options, &folder())?;
                std::fs::write(&file, bytes)?;
                glue = Some(first);
            }
        }
        if options.opt {
            optimise(&file)?;
        }
        let raw = std::fs::read(&file)?;
        let packed = size::packed(&raw)?;
        std::fs::write(folder().join(format!("{}.wasm.zst", build.name)), &packed)?;
        let sizes = [raw.len(), packed.len()].map(|n| tools::megabytes(n as u64));
        eprintln!("{}: {}, {} packed", build.name, sizes[0], sizes[1]);
    }
    if options.profile == Profile::Web && !options.names {
        for build in &BUILDS {
            size::within(&folder().join(format!("{}.wasm.zst", build.name)), size::ENGINE)?;
        }
    }
    std::fs::write(stamp_file, stamp)?;
    Ok(())
}

/// What the builds are made from, as one hash. Cargo would tell, but it keeps one build of a `cdylib` at a time, so that
/// asking for two makes it compile both.
fn sources() -> Result<String> {
    let mut all = String::new();
    let folders = tools::files(&tools::root().join("src"))?;
    let single = ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo/config.toml"];
    for path in folders.into_iter().chain(single.map(|name| tools::root().join(name))) {
        let bytes = std::fs::read(&path).with_context(|| format!("can't read {}", path.display()))?;
        let _ = writeln!(all, "{} {}", path.display(), tools::sha256(&bytes));
    }
    Ok(tools::sha256(all.as_bytes()))
}

/// Compiles a build; its WebAssembly as it left the compiler, which has names.
pub fn compile(features: &[&str], profile: Profile) -> Result<Vec<u8>> {
    let (profile, built) = match profile {
        Profile::Web => ("web", "web"),
        Profile::Dev => ("dev", "debug"),
    };
    let target = ["--target", "wasm32-unknown-unknown"];
    let crate_ = ["build", "--package", "lucarne", "--lib", "--no-default-features"];
    tools::run(
        tools::cargo()
            .args(crate_)
            .args(target)
            .args(["--profile", profile])
            .args(features),
    )?;
    let file = tools::target()
        .join("wasm32-unknown-unknown")
        .join(built)
        .join("lucarne.wasm");
    std::fs::read(&file).with_context(|| format!("can't read {}", file.display()))
}

/// Compiles a build and writes its glue into `folder`; the glue's text, and the WebAssembly that goes with it.
fn bind(build: &Build, options: Options, folder: &Path) -> Result<(String, Vec<u8>)> {
    let compiled = compile(build.features, options.profile)?;
    Bindgen::new()
        .input_bytes("lucarne", compiled)
        .web(true)?
        .typescript(true)
        .omit_default_module_path(true)
        .remove_name_section(options.profile == Profile::Web && !options.names)
        .remove_producers_section(true)
        .generate(folder)
        .context("wasm-bindgen can't make the glue")?;
    let wasm = folder.join("lucarne_bg.wasm");
    let bytes = std::fs::read(&wasm)?;
    std::fs::remove_file(wasm)?;
    Ok((std::fs::read_to_string(folder.join("lucarne.js"))?, bytes))
}

/// The compiler's hashes in a glue's names: `h` and sixteen hexadecimal digits.
fn hashes(glue: &str) -> Vec<(usize, &str)> {
    const LENGTH: usize = 17;
    let hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
    glue.match_indices("_h")
        .filter_map(|(at, _)| Some((at + 1, glue.get(at + 1..at + 1 + LENGTH)?)))
        .filter(|(_, hash)| hash.as_bytes()[1..].iter().all(hex))
        .collect()
}

/// The lines of a glue but those of comment, which number the compiler's functions.
fn statements(glue: &str) -> impl Iterator<Item = &str> {
    glue.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// The WebAssembly of the glue `own`, with its names as the glue `other` calls them. Two builds of the same source
/// differ in the compiler's hashes and in nothing else that the glue sees; anything more is an error.
fn same_names(own: &str, other: &str, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
    let (ours, theirs) = (hashes(own), hashes(other));
    let mut names = BTreeMap::new();
    let mut renamed = own.to_owned();
    for ((at, from), (_, to)) in ours.iter().zip(&theirs) {
        renamed.replace_range(*at..at + from.len(), to);
        if names
            .insert(from.as_bytes(), to.as_bytes())
            .is_some_and(|before| before != to.as_bytes())
        {
            bail!("the glue calls {from} by two names in the other build");
        }
    }
    ensure!(
        statements(&renamed).eq(statements(other)),
        "the builds' glues differ in more than names, so that one can't serve both: compare {} with {}",
        folder().join("lucarne.js").display(),
        tools::target().join("glue/lucarne.js").display()
    );
    for at in 0..bytes.len().saturating_sub(16) {
        if bytes[at] == b'h'
            && let Some(name) = names.get(&bytes[at..at + 17])
        {
            bytes[at..at + 17].copy_from_slice(name);
        }
    }
    Ok(bytes)
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

#[cfg(test)]
mod tests {
    use super::same_names;

    const GLUE: &str = "wasm.invoke_h0123456789abcdef(); wasm.drop_hfedcba9876543210(); wasm.other_header";

    #[test]
    fn a_build_is_called_by_the_names_of_the_other() {
        let own = GLUE
            .replace("0123456789abcdef", "aaaaaaaaaaaaaaaa")
            .replace("fedcba9876543210", "0123456789abcdef");
        let wasm = b"\0..drop_h0123456789abcdef..invoke_haaaaaaaaaaaaaaaa..h012".to_vec();
        let renamed = same_names(&own, GLUE, wasm).expect("only hashes differ");
        assert_eq!(renamed, b"\0..drop_hfedcba9876543210..invoke_h0123456789abcdef..h012");
    }

    #[test]
    fn comments_may_differ() {
        let [own, other] = [3, 4].map(|k| format!("{GLUE}\n  // shim {k}\nlast"));
        assert!(same_names(&own, &other, Vec::new()).is_ok());
    }

    #[test]
    fn glues_that_differ_in_more_are_refused() {
        assert!(same_names(&GLUE.replace("drop", "keep"), GLUE, Vec::new()).is_err());
        assert!(same_names(&format!("{GLUE} more"), GLUE, Vec::new()).is_err());
    }
}
