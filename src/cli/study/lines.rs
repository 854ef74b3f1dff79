//! A file of the study that is being written: a line a result, appended as soon as it is known.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use lucarne::study::table;

use super::super::appending;
use super::super::failure::Failure;
use super::packed;

/// The open file. It is locked: a second run can't write into it.
pub struct Lines {
    file: File,
    path: PathBuf,
    words: usize,
    done: HashSet<String>,
}

impl Lines {
    /// Opens `path`, or makes it, for results of which the first `words` cells say what they are of. A last line that was cut is
    /// dropped and told of; any other damage, and a file that was asked something else, is refused and left as it is. Results that
    /// were packed beside it count as there.
    pub fn open(path: &Path, about: &str, columns: &str, words: usize) -> Result<Self, Failure> {
        let (file, bytes) = appending::open(path, "Wait for it, or take another --shard or --out.")?;
        let mut lines = Self {
            file,
            path: path.to_path_buf(),
            words,
            done: HashSet::new(),
        };
        lines.take_over(&bytes, &table::head(about, columns), columns)?;
        let beside = packed::beside(path);
        if beside.is_file() {
            let found = packed::table(&beside, words)?;
            if found.about != about || found.columns.join(",") != columns {
                let message = format!("{} was asked something else", beside.display());
                return Err(Failure::new(message, "Name another --out."));
            }
            lines.done.extend(found.rows.iter().map(|row| row[..words].join(",")));
        }
        Ok(lines)
    }

    fn damaged(&self, what: &str) -> Failure {
        let hint = "It was left as it is: mend that line or take it out, and what it held is computed again; or name another --out.";
        Failure::new(format!("{} {what}", self.path.display()), hint)
    }

    fn take_over(&mut self, bytes: &[u8], head: &str, columns: &str) -> Result<(), Failure> {
        let fail = |path: &Path, e: std::io::Error| Failure::file("write", path, &e);
        let known = bytes.len().min(head.len());
        if bytes[..known] != head.as_bytes()[..known] {
            return Err(self.damaged("was asked something else, or is no file of this study"));
        }
        if bytes.len() < head.len() {
            self.file.set_len(0).map_err(|e| fail(&self.path, e))?;
            return self.append(head);
        }
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let text = std::str::from_utf8(&bytes[head.len()..whole]).map_err(|_| self.damaged("is no text"))?;
        let columns: Vec<String> = columns.split(',').map(str::to_owned).collect();
        for (at, line) in text.lines().enumerate() {
            let cells = table::cells(line, &columns, self.words)
                .map_err(|why| self.damaged(&format!("is damaged in line {}: {why}", at + 3)))?;
            self.done.insert(cells[..self.words].join(","));
        }
        if whole < bytes.len() {
            self.file.set_len(whole as u64).map_err(|e| fail(&self.path, e))?;
            eprintln!(
                "lucarne: the last line of {} was cut short; it is computed again.",
                self.path.display()
            );
        }
        Ok(())
    }

    fn append(&mut self, text: &str) -> Result<(), Failure> {
        // One write a line: whoever stops the process cuts at most the last one.
        self.file
            .write_all(text.as_bytes())
            .map_err(|e| Failure::file("write", &self.path, &e))
    }

    /// Whether the result of `key` is there.
    pub fn has(&self, key: &str) -> bool {
        self.done.contains(key)
    }

    /// How many results there are.
    pub fn known(&self) -> usize {
        self.done.len()
    }

    /// Adds a result, unless it is there.
    pub fn add(&mut self, key: &str, rest: &[String]) -> Result<(), Failure> {
        if self.done.insert(key.to_owned()) {
            self.append(&format!("{key},{}\n", rest.join(",")))?;
        }
        Ok(())
    }
}
