//! The file of a folder's scores: one line a score, appended as soon as it is known, so that a run that was stopped
//! anywhere goes on where it was.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use lucarne::protocol::WireParams;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::appending;
use super::failure::Failure;

/// What became of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// There is a score.
    #[default]
    Scored,
    /// The score is not defined here.
    Undefined,
    /// The picture, the method or the metric failed.
    Failed,
    /// The picture was left out as asked.
    LeftOut,
}

/// One line. A picture that can't be scored at all has one line without a metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Row {
    /// Path below the folder, with forward slashes.
    pub picture: String,
    /// SHA-256 of the preprocessed input's little-endian f32 bytes.
    pub input_sha256: String,
    /// The picture's label, where known.
    pub label: String,
    /// The network's first answer.
    pub answer: String,
    /// Class explained.
    pub target: Option<u64>,
    /// Its label.
    pub target_label: String,
    /// `logit`, `probability` or `output`.
    pub target_kind: String,
    /// Method.
    pub method: String,
    /// Its parameters.
    pub method_params: WireParams,
    /// Imputer of a method that removes pixels.
    pub method_imputer: String,
    /// Its parameters.
    pub method_imputer_params: WireParams,
    /// Metric.
    pub metric: String,
    /// Its parameters.
    pub metric_params: WireParams,
    /// Which way is better.
    pub direction: String,
    /// Imputer, where the metric or the method it explains with removes pixels.
    pub imputer: String,
    /// Its parameters.
    pub imputer_params: WireParams,
    /// Fillings that the score is the mean over, where the imputer draws random numbers.
    pub draws: Option<u64>,
    /// The metric's `order`, where it has one.
    pub order: String,
    /// The metric's `steps`, where it has them.
    pub steps: Option<u64>,
    /// SHA-256 of the mask of the pixels known to matter, a byte a pixel, where the metric needs one.
    pub mask_sha256: String,
    /// SHA-256 of the hashes and classes of the other pictures, where the metric needs them.
    pub set_sha256: String,
    /// Method of the second map, where the metric needs one.
    pub other: String,
    /// Its parameters.
    pub other_params: WireParams,
    /// Seed.
    pub seed: Option<u64>,
    /// What became of it.
    pub status: Status,
    /// Score.
    pub score: Option<f64>,
    /// Standard deviation over the fillings, where there are several.
    pub deviation: Option<f64>,
    /// Why there is none.
    pub reason: String,
    /// Forward passes of the metric.
    pub forward: Option<u64>,
    /// Backward passes of the metric.
    pub backward: Option<u64>,
    /// Milliseconds of the metric.
    pub ms: Option<u64>,
    /// Device.
    pub device: String,
    /// Network.
    pub model: String,
    /// SHA-256 of its file.
    pub model_sha256: String,
    /// Version of Lucarne.
    pub lucarne: String,
}

/// How a cell of a CSV file is read.
#[derive(Clone, Copy, PartialEq)]
enum Cell {
    Text,
    Number,
    Object,
}

/// Fields in the order of [`Row`].
const COLUMNS: [(&str, Cell); 35] = [
    ("picture", Cell::Text),
    ("inputSha256", Cell::Text),
    ("label", Cell::Text),
    ("answer", Cell::Text),
    ("target", Cell::Number),
    ("targetLabel", Cell::Text),
    ("targetKind", Cell::Text),
    ("method", Cell::Text),
    ("methodParams", Cell::Object),
    ("methodImputer", Cell::Text),
    ("methodImputerParams", Cell::Object),
    ("metric", Cell::Text),
    ("metricParams", Cell::Object),
    ("direction", Cell::Text),
    ("imputer", Cell::Text),
    ("imputerParams", Cell::Object),
    ("draws", Cell::Number),
    ("order", Cell::Text),
    ("steps", Cell::Number),
    ("maskSha256", Cell::Text),
    ("setSha256", Cell::Text),
    ("other", Cell::Text),
    ("otherParams", Cell::Object),
    ("seed", Cell::Number),
    ("status", Cell::Text),
    ("score", Cell::Number),
    ("deviation", Cell::Number),
    ("reason", Cell::Text),
    ("forward", Cell::Number),
    ("backward", Cell::Number),
    ("ms", Cell::Number),
    ("device", Cell::Text),
    ("model", Cell::Text),
    ("modelSha256", Cell::Text),
    ("lucarne", Cell::Text),
];

/// What two runs must share for a score to be the same, besides the code: what came out is left out.
const KEY: [&str; 21] = [
    "picture",
    "inputSha256",
    "target",
    "targetKind",
    "method",
    "methodParams",
    "methodImputer",
    "methodImputerParams",
    "metric",
    "metricParams",
    "imputer",
    "imputerParams",
    "draws",
    "maskSha256",
    "setSha256",
    "other",
    "otherParams",
    "seed",
    "model",
    "modelSha256",
    "lucarne",
];

impl Row {
    fn fields(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(fields)) => fields,
            // A struct of texts, numbers and parameters is always an object.
            _ => Map::new(),
        }
    }

    fn key(&self) -> String {
        let fields = self.fields();
        let mut key: Vec<String> = KEY.iter().map(|name| fields[*name].to_string()).collect();
        if self.metric.is_empty() {
            key.push(self.reason.clone());
        }
        key.join("\u{1f}")
    }
}

/// The form of the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    JsonLines,
}

impl Form {
    fn of(path: &Path) -> Result<Self, Failure> {
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("csv") => Ok(Self::Csv),
            Some("jsonl" | "ndjson") => Ok(Self::JsonLines),
            _ => {
                let message = format!("{} does not say in which form to write", path.display());
                Err(Failure::usage(message, "End it in .csv or .jsonl."))
            }
        }
    }

    /// What every file begins with.
    fn start(self) -> String {
        match self {
            Self::Csv => COLUMNS.map(|(name, _)| name).join(","),
            Self::JsonLines => format!("{{\"{}\":", COLUMNS[0].0),
        }
    }

    fn write(self, row: &Row) -> Result<String, serde_json::Error> {
        if self == Self::JsonLines {
            return serde_json::to_string(row);
        }
        let fields = row.fields();
        let cell = |(name, _): &(&str, Cell)| match &fields[*name] {
            Value::Null => String::new(),
            Value::String(text) => quoted(text),
            Value::Object(map) if map.is_empty() => String::new(),
            other => quoted(&other.to_string()),
        };
        Ok(COLUMNS.iter().map(cell).collect::<Vec<_>>().join(","))
    }

    fn read(self, line: &str) -> Option<Row> {
        if self == Self::JsonLines {
            return serde_json::from_str(line).ok();
        }
        let cells = cells(line)?;
        if cells.len() != COLUMNS.len() {
            return None;
        }
        let mut fields = Map::new();
        for ((name, kind), text) in COLUMNS.iter().zip(cells) {
            let value = match kind {
                Cell::Text => Value::String(text),
                Cell::Number if text.is_empty() => Value::Null,
                Cell::Object if text.is_empty() => Value::Object(Map::new()),
                Cell::Number | Cell::Object => serde_json::from_str(&text).ok()?,
            };
            fields.insert((*name).to_owned(), value);
        }
        serde_json::from_value(Value::Object(fields)).ok()
    }
}

/// A cell as RFC 4180 has it. No cell holds a line break: see [`line`].
fn quoted(text: &str) -> String {
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The cells of a line of CSV, or none where a quote is open.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = Vec::new();
    let mut rest = line;
    loop {
        if let Some(inside) = rest.strip_prefix('"') {
            let mut cell = String::new();
            let mut parts = inside;
            loop {
                let (before, after) = parts.split_once('"')?;
                cell.push_str(before);
                let Some(more) = after.strip_prefix('"') else {
                    rest = after;
                    break;
                };
                cell.push('"');
                parts = more;
            }
            cells.push(cell);
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            cells.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.is_empty().then_some(cells),
        }
    }
}

/// `text` on one line.
pub fn line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// The open file. It is locked: a second run can't write into it.
pub struct Ledger {
    file: File,
    path: PathBuf,
    form: Form,
    done: HashSet<String>,
    /// What is told once: that a half-written line was dropped.
    pub note: Option<String>,
}

impl Ledger {
    /// Opens `path`, or makes it. A last line that was cut is dropped; any other damage is refused, and the file left
    /// as it is.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let form = Form::of(path)?;
        let (file, bytes) = appending::open(path, "Wait for it, or name another file.")?;
        let mut ledger = Self {
            file,
            path: path.to_path_buf(),
            form,
            done: HashSet::new(),
            note: None,
        };
        ledger.take_over(&bytes)?;
        Ok(ledger)
    }

    fn damaged(&self, what: &str) -> Failure {
        let message = format!("{} {what}", self.path.display());
        Failure::new(
            message,
            "It was left as it is: mend it, move it away or name another file.",
        )
    }

    fn take_over(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let whole = bytes.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let (lines, cut) = bytes.split_at(whole);
        let start = self.form.start();
        let stranger = "is no file of scores by this version";
        let first = &bytes[..bytes.len().min(start.len())];
        if !start.as_bytes().starts_with(first) || (whole > 0 && first.len() < start.len()) {
            return Err(self.damaged(stranger));
        }
        let text = std::str::from_utf8(lines).map_err(|_| self.damaged("is no text"))?;
        let mut numbered = text.lines().enumerate();
        if self.form == Form::Csv
            && let Some((_, header)) = numbered.next()
            && header != start
        {
            return Err(self.damaged(stranger));
        }
        for (at, line) in numbered {
            let Some(row) = self.form.read(line) else {
                return Err(self.damaged(&format!("is damaged in line {}", at + 1)));
            };
            self.done.insert(row.key());
        }
        if !cut.is_empty() {
            let fail = |e: std::io::Error| Failure::file("write", &self.path, &e);
            self.file.set_len(whole as u64).map_err(fail)?;
            let name = self.path.display();
            self.note = Some(format!("the last line of {name} was cut short; it is computed again"));
        }
        if whole == 0 && self.form == Form::Csv {
            self.append(&start)?;
        }
        Ok(())
    }

    fn append(&mut self, line: &str) -> Result<(), Failure> {
        // One write a line: whoever stops the process cuts at most the last one.
        self.file
            .write_all(format!("{line}\n").as_bytes())
            .map_err(|e| Failure::file("write", &self.path, &e))
    }

    /// Lines that were there.
    pub fn known(&self) -> usize {
        self.done.len()
    }

    /// Whether the outcome of `row` is there.
    pub fn has(&self, row: &Row) -> bool {
        self.done.contains(&row.key())
    }

    /// Adds a line.
    pub fn add(&mut self, row: &Row) -> Result<(), Failure> {
        let line = self
            .form
            .write(row)
            .map_err(|e| Failure::new(format!("a score can't be written: {e}"), ""))?;
        self.append(&line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lucarne::protocol::WireValue;

    fn row() -> Row {
        Row {
            picture: "cats, \"big\"/ä.png".into(),
            label: "cat".into(),
            target: Some(3),
            method: "rise".into(),
            method_params: [("samples".to_owned(), WireValue::Number(40.0))].into(),
            metric: "deletion".into(),
            metric_params: [
                ("order".to_owned(), WireValue::Text("morf".into())),
                ("together".to_owned(), WireValue::Flag(true)),
            ]
            .into(),
            status: Status::Scored,
            score: Some(0.1 + 0.2),
            ms: Some(12),
            ..Row::default()
        }
    }

    #[test]
    fn columns_are_the_fields_of_a_row_in_order() {
        let text = serde_json::to_string(&row()).expect("a row is JSON");
        let mut at = 0;
        for (name, _) in COLUMNS {
            // Parameters are objects inside, whose names may be those of columns.
            at += text[at..].find(&format!("\"{name}\":")).expect(name);
        }
        assert_eq!(row().fields().len(), COLUMNS.len());
        assert!(KEY.iter().all(|name| COLUMNS.iter().any(|(column, _)| column == name)));
    }

    #[test]
    fn lines_are_read_as_they_were_written() {
        for form in [Form::Csv, Form::JsonLines] {
            let full = row();
            let line = form.write(&full).expect("a row is written");
            assert_eq!(line.lines().count(), 1);
            assert_eq!(form.read(&line), Some(full.clone()), "{line}");
            let empty = Row::default();
            assert_eq!(form.read(&form.write(&empty).expect("a row is written")), Some(empty));
            for cut in 1..line.len() {
                if line.is_char_boundary(cut) {
                    assert!(form.read(&line[..cut]).is_none_or(|r| r != full), "{}", &line[..cut]);
                }
            }
        }
    }

    #[test]
    fn the_key_is_what_a_score_depends_on() {
        let other = |change: &dyn Fn(&mut Row)| {
            let mut changed = row();
            change(&mut changed);
            changed.key() == row().key()
        };
        assert!(other(&|r| r.score = None) && other(&|r| r.ms = None) && other(&|r| r.reason = "x".into()));
        assert!(!other(&|r| r.seed = Some(1)) && !other(&|r| r.target = Some(4)));
        assert!(!other(&|r| drop(
            r.metric_params.insert("steps".into(), WireValue::Number(2.0))
        )));
    }

    #[test]
    fn reasons_stay_on_one_line() {
        assert_eq!(line("a\r\nb\u{0} \t c"), "a b c");
    }
}
