//! The two outputs of one source: a folder of plain files, and one file.

use anyhow::{Result, ensure};

use crate::{models, size, tools, wasm};

/// `dist/site`.
pub fn site(options: wasm::Options) -> Result<()> {
    parts(options)?;
    tools::run(&mut tools::npm_run("build"))?;
    let site = tools::root().join("dist/site");
    ensure!(
        site.join("index.html").is_file(),
        "the site's build wrote no dist/site/index.html"
    );
    for file in ["NOTICES.md", "LICENSE-MIT", "LICENSE-APACHE"] {
        std::fs::copy(tools::root().join(file), site.join(file))?;
    }
    Ok(())
}

/// `dist/bench`: the page's benchmark, beside onnxruntime-web.
pub fn bench(options: wasm::Options) -> Result<()> {
    parts(options)?;
    tools::run(&mut tools::npm_run("build:bench"))?;
    kernels("kernels.wasm", &[])?;
    kernels("kernels_relaxed.wasm", &["--cfg", "feature=\"relaxed-simd\""])
}

/// `benches/kernels.rs` as a module of its own, optimised as the engine is.
fn kernels(name: &str, more: &[&str]) -> Result<()> {
    tools::wasm_target()?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut command = std::process::Command::new(rustc);
    command.current_dir(tools::root());
    command.args([
        "--edition",
        "2024",
        "--crate-type",
        "cdylib",
        "--target",
        "wasm32-unknown-unknown",
    ]);
    command.args([
        "-C",
        "opt-level=3",
        "-C",
        "panic=abort",
        "-C",
        "strip=symbols",
        "-C",
        "codegen-units=16",
    ]);
    command.args(["-C", "target-feature=+simd128", "-o"]);
    command.arg(tools::root().join("dist/bench").join(name));
    tools::run(command.args(more).arg("benches/kernels.rs"))
}

/// `dist/lucarne.html`.
pub fn single_file(options: wasm::Options) -> Result<()> {
    parts(options)?;
    tools::run(&mut tools::npm_run("build:single"))?;
    let file = tools::root().join("dist/lucarne.html");
    ensure!(file.is_file(), "the build wrote no dist/lucarne.html");
    size::within(&file, size::SINGLE_FILE)?;
    let size = std::fs::metadata(&file)?.len();
    eprintln!("dist/lucarne.html: {}", tools::megabytes(size));
    Ok(())
}

/// What both outputs are made of: engine, models, npm packages.
fn parts(options: wasm::Options) -> Result<()> {
    tools::npm_packages()?;
    models::run()?;
    wasm::run(options)
}
