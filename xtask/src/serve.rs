//! A small static server for development, on this machine only.

use std::fs::File;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, anyhow, ensure};
use clap::Args;
use tiny_http::{Header, Method, Request, Response, Server};

use crate::{build, tools, wasm};

/// How to serve.
#[derive(Args)]
pub struct Options {
    /// Port; the next free one is taken where it is in use
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Serve what was built before
    #[arg(long)]
    no_build: bool,
    #[command(flatten)]
    wasm: wasm::Options,
}

/// Builds the site and serves it until the program is ended.
pub fn run(options: &Options) -> Result<()> {
    if !options.no_build {
        build::site(options.wasm)?;
    }
    folder(&tools::root().join("dist/site"), "", options.port)
}

/// Serves a folder, and prints the address of `page` in it.
pub fn folder(site: &Path, page: &str, port: u16) -> Result<()> {
    let start = site.join(if page.is_empty() { "index.html" } else { page });
    ensure!(
        start.is_file(),
        "{} is missing; it must be built first",
        start.display()
    );
    let server = Arc::new(listen(port)?);
    println!("Lucarne is at http://{}/{page} (Ctrl-C ends it)", server.server_addr());
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let (server, site) = (server.clone(), site.to_path_buf());
            std::thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    // A browser that goes away in mid-answer is no fault of the server.
                    let _ = answer(&site, request);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| anyhow!("the server stopped"))?;
    }
    Ok(())
}

fn listen(port: u16) -> Result<Server> {
    let mut last = None;
    for port in port..=port.saturating_add(20) {
        match Server::http(("127.0.0.1", port)) {
            Ok(server) => return Ok(server),
            Err(error) => last = Some(error),
        }
    }
    Err(anyhow!(
        "no port from {port} on is free: {}",
        last.map(|e| e.to_string()).unwrap_or_default()
    ))
}

fn answer(site: &Path, request: Request) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::empty(405));
    }
    let found = resolve(site, request.url()).and_then(|path| File::open(&path).ok().map(|file| (path, file)));
    let Some((path, file)) = found else {
        return request.respond(Response::from_string("There is no such file.\n").with_status_code(404));
    };
    let header = |name: &str, value: &str| Header::from_bytes(name, value).expect("the headers below are ASCII");
    let response = Response::from_file(file)
        .with_header(header("Content-Type", content_type(&path)))
        .with_header(header("Cache-Control", "no-cache"));
    request.respond(response)
}

/// The file that a URL names: inside `site`, or none.
fn resolve(site: &Path, url: &str) -> Option<PathBuf> {
    let path = decoded(url.split(['?', '#']).next()?)?;
    let relative = Path::new(path.trim_start_matches('/'));
    if !relative.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let file = site.join(relative);
    let file = if file.is_dir() { file.join("index.html") } else { file };
    file.is_file().then_some(file)
}

/// A path with its percent signs resolved.
fn decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let digits = [rest.next()?, rest.next()?];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes)
        .ok()
        .filter(|path| !path.contains(['\0', '\\']))
}

fn content_type(path: &Path) -> &'static str {
    match path.extension().and_then(|e| e.to_str()).unwrap_or("") {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "map" => "application/json",
        "webmanifest" => "application/manifest+json",
        "wasm" => "application/wasm",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "txt" | "md" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_site_are_served() {
        let site = tools::root().join("xtask");
        assert_eq!(resolve(&site, "/src/main.rs?x"), Some(site.join("src/main.rs")));
        assert_eq!(resolve(&site, "/src/%6dain.rs"), Some(site.join("src/main.rs")));
        for url in [
            "/../Cargo.toml",
            "/%2e%2e/Cargo.toml",
            "/src/../../Cargo.toml",
            "//etc/passwd",
            "/src",
            "/%",
            "/%zz",
        ] {
            assert_eq!(resolve(&site, url), None, "{url}");
        }
    }
}
