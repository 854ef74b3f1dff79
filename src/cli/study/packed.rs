//! Files of results as gzip packs them, `<network>.csv.gz`: what `study merge` leaves and every part of the study reads.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use lucarne::study::Table;

use super::super::failure::Failure;
use super::super::{output, pictures};

/// Largest file of results, packed or not, bytes.
const BYTES: u64 = 1 << 30;

/// Whether a file's name says that it is packed.
pub fn is(path: &Path) -> bool {
    let csv = |stem: &OsStr| Path::new(stem).extension().is_some_and(|e| e == "csv");
    path.extension().is_some_and(|e| e == "gz") && path.file_stem().is_some_and(csv)
}

/// The packed file of the network that the results in `path` are of.
pub fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
    let name = name.unwrap_or_default();
    let network = name.split('.').next().unwrap_or_default();
    path.with_file_name(format!("{network}.csv.gz"))
}

fn text(path: &Path, packed: bool) -> Result<String, Failure> {
    let mut bytes = pictures::read(path, BYTES)?;
    if packed {
        let mut whole = Vec::new();
        let damaged = |e: std::io::Error| Failure::new(format!("{} is damaged: {e}", path.display()), "");
        MultiGzDecoder::new(&bytes[..])
            .take(BYTES + 1)
            .read_to_end(&mut whole)
            .map_err(damaged)?;
        if whole.len() as u64 > BYTES {
            let message = format!("{} holds more than {BYTES} bytes", path.display());
            return Err(Failure::new(message, ""));
        }
        bytes = whole;
    }
    String::from_utf8(bytes).map_err(|_| Failure::new(format!("{} is no text", path.display()), ""))
}

/// The results in a file, packed or not, of whose columns the first `words` hold words.
pub fn table(path: &Path, words: usize) -> Result<Table, Failure> {
    let hint = if is(path) {
        "It was packed from whole files: take it from where it came from."
    } else {
        "Take that line out, and run the study again: it computes what is missing."
    };
    Table::parse(&text(path, is(path))?, words)
        .map_err(|why| Failure::new(format!("{} is damaged: {why}", path.display()), hint))
}

/// Writes the results, packed, in place of what is there, and gives the number of bytes. The file is exchanged only once what it
/// holds was read back.
pub fn write(path: &Path, table: &Table) -> Result<usize, Failure> {
    let fail = |e: std::io::Error| Failure::file("write", path, &e);
    let whole = table.text();
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(whole.as_bytes()).map_err(fail)?;
    let bytes = packer.finish().map_err(fail)?;
    // A name that no part of the study reads, should the process end here.
    let new = path.with_extension("new");
    output::write(&new, &bytes)?;
    if text(&new, true)? != whole {
        return Err(Failure::new(format!("{} can't be read back", new.display()), ""));
    }
    std::fs::rename(&new, path).map_err(fail)?;
    Ok(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_file_has_its_networks_name() {
        assert!(is(Path::new("a/x.csv.gz")) && !is(Path::new("x.csv")) && !is(Path::new("x.gz")));
        for name in ["x.csv", "x.2-of-3.csv", "x.csv.gz"] {
            assert_eq!(beside(&Path::new("a").join(name)), Path::new("a").join("x.csv.gz"));
        }
    }
}
