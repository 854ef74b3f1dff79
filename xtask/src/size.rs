//! The sizes of what was built, their limits, and what the engine is made of.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use flate2::{Compression, write::GzEncoder};
use wasmparser::{KnownCustom, Name, Parser, Payload};

use crate::{tools, wasm};

/// Largest single file, bytes.
pub const SINGLE_FILE: u64 = 30_000_000;
/// Largest build of the engine as it is shipped, packed by [`packed`]; bytes.
pub const ENGINE: u64 = 3_000_000;

/// What to print.
#[derive(Args)]
pub struct Options {
    /// Print what the engine's functions cost, by crate, as in docs/size.md: of a module with names, or of one that is
    /// compiled now
    #[arg(long, value_name = "FILE")]
    #[expect(clippy::option_option, reason = "an option with an optional value")]
    engine: Option<Option<PathBuf>>,
}

/// Prints sizes.
pub fn run(options: &Options) -> Result<()> {
    match &options.engine {
        Some(module) => engine(module.as_deref()),
        None => outputs(),
    }
}

/// An error where a file is larger than its limit.
pub fn within(file: &Path, limit: u64) -> Result<()> {
    let size = std::fs::metadata(file)
        .with_context(|| format!("can't read {}", file.display()))?
        .len();
    ensure!(
        size <= limit,
        "{} has {}, more than {}",
        file.display(),
        tools::megabytes(size),
        tools::megabytes(limit)
    );
    Ok(())
}

/// Packed as the site ships the engine: by Zstandard, whose level 19 takes seconds once and no longer to unpack.
pub fn packed(bytes: &[u8]) -> Result<Vec<u8>> {
    Ok(zstd::bulk::compress(bytes, 19)?)
}

/// Packed as most hosts send what is not packed.
fn gzip(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// Prints each file's size as it is and gzipped, and the sums.
fn outputs() -> Result<()> {
    let dist = tools::root().join("dist");
    ensure!(
        dist.is_dir(),
        "nothing was built; run `cargo xtask build` or `cargo xtask single-file`"
    );
    println!("{:>12} {:>12}  file", "raw", "gzip");
    let (mut raw_sum, mut gzip_sum) = (0, 0);
    for path in tools::files(&dist)? {
        let bytes = std::fs::read(&path)?;
        let (raw, gzip) = (bytes.len() as u64, gzip(&bytes)?.len() as u64);
        println!(
            "{:>12} {:>12}  {}",
            tools::megabytes(raw),
            tools::megabytes(gzip),
            path.strip_prefix(&dist)?.display()
        );
        if path.starts_with(dist.join("site")) {
            raw_sum += raw;
            gzip_sum += gzip;
        }
    }
    println!(
        "{:>12} {:>12}  site, all files",
        tools::megabytes(raw_sum),
        tools::megabytes(gzip_sum)
    );
    Ok(())
}

/// Crates below this share of the code are summed up in one row.
const SHOWN: f64 = 0.005;
/// Functions listed.
const LARGEST: usize = 25;

/// Prints the sections, the code by crate, and the largest functions, as Markdown.
fn engine(module: Option<&Path>) -> Result<()> {
    let bytes = match module {
        Some(file) => std::fs::read(file).with_context(|| format!("can't read {}", file.display()))?,
        None => wasm::compile(&[], wasm::Profile::Web)?,
    };
    print!("{}", table(&Content::of(&bytes)?));
    Ok(())
}

/// A module, taken apart.
struct Content {
    /// Bytes of code without its count, of data, and of all else but names and other custom sections.
    code: usize,
    data: usize,
    other: usize,
    /// Demangled name and bytes.
    functions: Vec<(String, usize)>,
}

impl Content {
    fn of(bytes: &[u8]) -> Result<Self> {
        let (mut code, mut data, mut other) = (0, 0, 8);
        let (mut bodies, mut names, mut imported) = (Vec::new(), BTreeMap::new(), 0);
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            match &payload {
                Payload::CodeSectionStart { size, .. } => code = *size as usize,
                Payload::CodeSectionEntry(body) => bodies.push(body.range().len()),
                Payload::DataSection(section) => data = section.range().len(),
                Payload::ImportSection(section) => {
                    other += section.range().len();
                    for import in section.clone().into_imports() {
                        let import = import?;
                        imported += usize::from(matches!(import.ty, wasmparser::TypeRef::Func(_)));
                    }
                }
                Payload::CustomSection(section) => {
                    let KnownCustom::Name(subsections) = section.as_known() else {
                        continue;
                    };
                    for subsection in subsections {
                        let Name::Function(map) = subsection? else { continue };
                        for naming in map {
                            let naming = naming?;
                            names.insert(naming.index as usize, naming.name.to_owned());
                        }
                    }
                }
                _ => other += payload.as_section().map_or(0, |(_, range)| range.len()),
            }
        }
        ensure!(!names.is_empty(), "the module has no names");
        let name = |k: usize| {
            let name = names.get(&(k + imported)).map_or("", String::as_str);
            format!("{:#}", rustc_demangle::demangle(name))
        };
        let functions = bodies.into_iter().enumerate().map(|(k, size)| (name(k), size));
        Ok(Self {
            code,
            data,
            other,
            functions: functions.collect(),
        })
    }
}

/// The library that comes with the compiler: what is named by it was made for somebody else, where there is one.
const STANDARD: [&str; 6] = ["core", "alloc", "std", "hashbrown", "compiler_builtins", "dlmalloc"];

/// The crate that a function was made for: the first that its name holds beside the standard library.
fn crate_of(name: &str) -> &str {
    let mut standard = None;
    let starts = name
        .match_indices("::")
        .map(|(end, _)| {
            let before = &name[..end];
            let from = before
                .rfind(|c: char| !c.is_alphanumeric() && c != '_')
                .map_or(0, |k| k + 1);
            (from, &before[from..])
        })
        // Only the first word of a path is a crate.
        .filter(|&(from, word)| !word.is_empty() && !name[..from].ends_with("::"))
        .filter(|(_, word)| word.starts_with(|c: char| c.is_lowercase()));
    for (_, word) in starts {
        if !STANDARD.contains(&word) {
            return word;
        }
        standard.get_or_insert(word);
    }
    if standard.is_some() { "std" } else { "other" }
}

/// The tables of docs/size.md.
fn table(content: &Content) -> String {
    let mut out = String::new();
    let mb = |bytes: usize| tools::megabytes(bytes as u64);
    let _ = writeln!(
        out,
        "Code {}, data {}, all else {}; {} functions.\n",
        mb(content.code),
        mb(content.data),
        mb(content.other),
        content.functions.len()
    );
    let mut crates: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (name, size) in &content.functions {
        let entry = crates.entry(crate_of(name)).or_default();
        entry.0 += 1;
        entry.1 += size;
    }
    let mut rows: Vec<_> = crates.into_iter().collect();
    rows.sort_by_key(|&(name, (_, size))| (std::cmp::Reverse(size), name));
    let share = |size: usize| size as f64 / content.code.max(1) as f64;
    out += "| made for | functions | code | share |\n|---|---:|---:|---:|\n";
    let row = |name: &str, count: usize, size: usize| {
        format!("| {name} | {count} | {} | {:.1} % |\n", mb(size), 100.0 * share(size))
    };
    let (shown, rest): (Vec<_>, Vec<_>) = rows.into_iter().partition(|&(_, (_, size))| share(size) >= SHOWN);
    for (name, (count, size)) in shown {
        out += &row(name, count, size);
    }
    let sum = |f: fn(&(usize, usize)) -> usize| rest.iter().map(|(_, both)| f(both)).sum();
    out += &row(&format!("{} others", rest.len()), sum(|b| b.0), sum(|b| b.1));
    let mut largest: Vec<_> = content.functions.iter().collect();
    largest.sort_by_key(|(name, size)| (std::cmp::Reverse(*size), name.clone()));
    out += "\n| bytes | largest functions |\n|---:|---|\n";
    for (name, size) in largest.into_iter().take(LARGEST) {
        let short: String = name.chars().take(110).collect();
        let _ = writeln!(out, "| {size} | `{}` |", short.replace('|', "\\|"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Content, crate_of, table};

    #[test]
    fn a_function_is_its_makers() {
        for (name, of) in [
            ("tract_core::ops::cnn::conv::Conv::wire", "tract_core"),
            ("<lucarne::metric::Foo as core::clone::Clone>::clone", "lucarne"),
            ("<alloc::vec::Vec<ndarray::Dim> as core::ops::Drop>::drop", "ndarray"),
            ("core::slice::sort::quicksort", "std"),
            ("<&mut A as core::fmt::Debug>::fmt", "std"),
            ("memcpy", "other"),
        ] {
            assert_eq!(crate_of(name), of, "{name}");
        }
    }

    #[test]
    fn the_sizes_of_a_module_are_read() {
        // One function `() -> ()` named `a::b`, whose body takes 4 bytes.
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, 6, 1, 4, 0, 1, 1, 0x0b]);
        module.extend([0, 14, 4]);
        module.extend(b"name");
        module.extend([1, 7, 1, 0, 4]);
        module.extend(b"a::b");
        let content = Content::of(&module).expect("a module");
        assert_eq!(content.functions, [("a::b".to_owned(), 4)]);
        assert_eq!((content.code, content.data), (5, 0));
        assert!(table(&content).contains("| a | 1 | 0.00 MB |"));
    }
}
