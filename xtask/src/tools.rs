//! The programs that the commands call, and what to say where one is missing.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Oldest Node.js that the site's build runs on.
const NODE: (u32, u32) = (20, 19);

/// The repository's root: of the checkout that Cargo was called in, which need not be the one that compiled this where
/// several share a target folder.
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let here = Path::new(&here);
    here.parent()
        .expect("xtask lies in the repository's root")
        .to_path_buf()
}

/// The folder of the site's sources.
pub fn www() -> PathBuf {
    root().join("www")
}

/// Cargo's folder for build results.
pub fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |dir| root().join(dir))
}

/// Cargo, of the toolchain that runs this program, started in the repository's root.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    // The variables of the cargo that runs this program must not leak into the one that it starts: build scripts
    // that watch them would run again.
    for (name, _) in std::env::vars_os() {
        if name
            .to_str()
            .is_some_and(|n| n.starts_with("CARGO_PKG_") || n.starts_with("CARGO_MANIFEST_"))
        {
            command.env_remove(name);
        }
    }
    command
}

/// `npm run SCRIPT` in `www`; packages must be there ([`npm_packages`]).
pub fn npm_run(script: &str) -> Command {
    let mut command = Command::new(npm());
    command.current_dir(www()).args(["run", "--silent", script, "--"]);
    command
}

fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Runs a command; its failure is an error.
pub fn run(command: &mut Command) -> Result<()> {
    ensure!(succeeds(command)?, "`{}` failed", shown(command));
    Ok(())
}

/// Runs a command and says whether it succeeded.
pub fn succeeds(command: &mut Command) -> Result<bool> {
    eprintln!("$ {}", shown(command));
    let status = command.status().with_context(|| missing(command))?;
    Ok(status.success())
}

/// What a command prints on standard output; its failure is an error.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| missing(command))?;
    ensure!(output.status.success(), "`{}` failed", shown(command));
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs a command, passing its standard output on and also returning it; says whether it succeeded.
pub fn watched(command: &mut Command) -> Result<(bool, String)> {
    eprintln!("$ {}", shown(command));
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| missing(command))?;
    let mut text = String::new();
    let mut lines = BufReader::new(child.stdout.take().context("no standard output")?);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        std::io::stdout().write_all(&line)?;
        text.push_str(&String::from_utf8_lossy(&line));
        line.clear();
    }
    Ok((child.wait()?.success(), text))
}

fn missing(command: &Command) -> String {
    format!(
        "`{}` can't be started; is it installed?",
        command.get_program().to_string_lossy()
    )
}

/// Makes sure that the compiler can build for the browser.
pub fn wasm_target() -> Result<()> {
    let sysroot = output(Command::new("rustc").current_dir(root()).args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim())
        .join("lib/rustlib/wasm32-unknown-unknown")
        .is_dir()
    {
        return Ok(());
    }
    let add = ["target", "add", "wasm32-unknown-unknown"];
    run(Command::new("rustup").current_dir(root()).args(add)).context(
        "the Rust target wasm32-unknown-unknown is missing; `rustup target add wasm32-unknown-unknown` gets it",
    )
}

/// Makes sure that Node.js is new enough and that the packages of the lock file are installed.
pub fn npm_packages() -> Result<()> {
    let node = Command::new("node").arg("--version").output();
    let how = format!(
        "get Node.js {}.{} or newer, for example Debian's packages nodejs and npm",
        NODE.0, NODE.1
    );
    let Ok(node) = node else {
        bail!("Node.js is missing: {how}")
    };
    let version = String::from_utf8_lossy(&node.stdout).trim().to_owned();
    let mut numbers = version
        .trim_start_matches('v')
        .split('.')
        .map(|part| part.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    ensure!(found >= NODE, "Node.js {version} is too old: {how}");
    let lock_file = www().join("package-lock.json");
    let lock = std::fs::read_to_string(&lock_file).with_context(|| format!("can't read {}", lock_file.display()))?;
    let installed = www().join("node_modules/.lucarne-lock");
    if std::fs::read_to_string(&installed).is_ok_and(|stamp| stamp == lock) {
        return Ok(());
    }
    run(Command::new(npm())
        .current_dir(www())
        .args(["ci", "--no-audit", "--no-fund"]))
    .context("the site's packages can't be installed; npm needs its registry, or a filled cache")?;
    std::fs::write(&installed, lock)?;
    Ok(())
}

/// A Chromium for the browser tests; installs Debian's where it is missing and that is allowed.
pub fn chromium() -> Result<PathBuf> {
    if let Some(path) = find_chromium()? {
        return Ok(path);
    }
    let how = "get it by `sudo apt-get install chromium` (Debian), or name one by the variable CHROMIUM";
    ensure!(debian(), "the browser tests need Chromium, and there is none: {how}");
    install(&["chromium"]).context(how)?;
    find_chromium()?.with_context(|| format!("apt-get put no chromium on the path: {how}"))
}

/// A software Vulkan driver for the tests of the GPU, by the path of its manifest: Chromium's own or Mesa's. On Debian what is
/// missing is installed; elsewhere there may be none, and these tests are then skipped.
pub fn vulkan() -> Result<Option<PathBuf>> {
    if let Some(path) = find_vulkan() {
        return Ok(Some(path));
    }
    if !debian() {
        return Ok(None);
    }
    let how = "the GPU's tests need a Vulkan driver: `sudo apt-get install libvulkan1 mesa-vulkan-drivers`";
    install(&["libvulkan1", "mesa-vulkan-drivers"]).context(how)?;
    find_vulkan().context(how).map(Some)
}

fn find_vulkan() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("VK_DRIVER_FILES") {
        return Some(PathBuf::from(named));
    }
    let entries = |folder: &str| {
        let found = std::fs::read_dir(folder).into_iter().flatten().flatten();
        found.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let folders = entries("/usr/lib").into_iter().chain(["/usr/lib64".into()]);
    let loader = folders
        .map(|folder| folder.join("libvulkan.so.1"))
        .any(|file| file.exists());
    let mut drivers = entries("/usr/lib/chromium");
    drivers.extend(entries("/usr/share/vulkan/icd.d"));
    let software = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let is_one = |name: String| name == "vk_swiftshader_icd.json" || name.starts_with("lvp_icd");
        name.is_some_and(is_one)
    };
    drivers.into_iter().find(software).filter(|_| loader)
}

fn debian() -> bool {
    std::fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line.trim() == "ID=debian"))
}

/// Installs Debian packages, as root or by sudo without a password.
fn install(packages: &[&str]) -> Result<()> {
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|o| o.stdout.trim_ascii() == b"0");
    let sudo = || {
        Command::new("sudo")
            .args(["-n", "true"])
            .output()
            .is_ok_and(|o| o.status.success())
    };
    let prefix: &[&str] = if is_root {
        &["env"]
    } else if sudo() {
        &["sudo", "-n", "env"]
    } else {
        bail!("{} can't be installed without root", packages.join(" "))
    };
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(prefix[0]);
        command
            .args(&prefix[1..])
            .args(["DEBIAN_FRONTEND=noninteractive", "apt-get"])
            .args(arguments);
        run(&mut command)
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

fn find_chromium() -> Result<Option<PathBuf>> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        let path = PathBuf::from(named);
        ensure!(path.is_file(), "CHROMIUM names {}, which is no file", path.display());
        return Ok(Some(path));
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    Ok(std::env::split_paths(&folders)
        .flat_map(|dir| names.map(|name| dir.join(name)))
        .find(|path| path.is_file()))
}

/// Bytes for people.
pub fn megabytes(bytes: u64) -> String {
    format!("{:.2} MB", bytes as f64 / 1e6)
}

/// The files under a folder, in order.
pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = std::fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

/// SHA-256 in lower-case hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
