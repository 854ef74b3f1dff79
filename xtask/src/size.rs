//! The sizes of what was built.

use std::io::Write;

use anyhow::{Result, ensure};
use flate2::{Compression, write::GzEncoder};

use crate::tools;

/// Prints each file's size as it is and gzipped, and the sums.
pub fn run() -> Result<()> {
    let dist = tools::root().join("dist");
    ensure!(
        dist.is_dir(),
        "nothing was built; run `cargo xtask build` or `cargo xtask single-file`"
    );
    println!("{:>12} {:>12}  file", "raw", "gzip");
    let (mut raw_sum, mut gzip_sum) = (0, 0);
    for path in tools::files(&dist)? {
        let bytes = std::fs::read(&path)?;
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(&bytes)?;
        let (raw, gzip) = (bytes.len() as u64, encoder.finish()?.len() as u64);
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
