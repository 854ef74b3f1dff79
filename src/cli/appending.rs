//! Files that grow by a line a result, and that only one run at a time writes to.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::Path;

use super::failure::Failure;

/// Opens `path` to append, or makes it, and locks it; also its bytes so far. `otherwise` is the cure where another run
/// holds it. Where the file system knows no locks there is none.
pub fn open(path: &Path, otherwise: &str) -> Result<(File, Vec<u8>), Failure> {
    let fail = |e: std::io::Error| Failure::file("write", path, &e);
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .open(path)
        .map_err(fail)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let message = format!("another run is writing to {}", path.display());
            return Err(Failure::new(message, otherwise));
        }
        Err(TryLockError::Error(e)) if e.kind() == std::io::ErrorKind::Unsupported => {}
        Err(TryLockError::Error(e)) => return Err(fail(e)),
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(fail)?;
    Ok((file, bytes))
}
