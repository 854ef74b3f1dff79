//! Scores of a folder: every line, its continuation, its failures.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{fails, folder, json, lucarne, prints, root};

/// Pictures in folders named as classes, one of them no picture; masks beside them.
struct Gallery {
    folder: PathBuf,
}

impl Gallery {
    fn new(name: &str) -> Self {
        let folder = folder(name);
        for label in ["dog", "cat"] {
            for part in ["images", "masks"] {
                std::fs::create_dir_all(folder.join(part).join(label)).unwrap();
            }
            let samples = root().join("models/objects/samples");
            let copy = |from: String, to: PathBuf| std::fs::copy(samples.join(from), to).unwrap();
            copy(
                format!("{label}.png"),
                folder.join(format!("images/{label}/one, two.png")),
            );
            copy(
                format!("{label}-mask.png"),
                folder.join(format!("masks/{label}/one, two.png")),
            );
        }
        std::fs::write(folder.join("images/broken.png"), b"no picture").unwrap();
        Self { folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn arguments(&self, output: &str) -> Vec<String> {
        let (images, masks, output) = (self.path("images"), self.path("masks"), self.path(output));
        let words = [
            "evaluate",
            "objects",
            "--images",
            &images,
            "--masks",
            &masks,
            "--output",
            &output,
            "--attribution",
            "gradient",
            "sobel",
            "--metric",
            "deletion",
            "insertion",
            "--imputer",
            "constant",
            "channel-mean",
            "--param",
            "steps=4",
        ];
        words.map(str::to_owned).to_vec()
    }

    fn lines(&self, output: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path(output)).unwrap();
        assert!(text.ends_with('\n'));
        text.lines().map(str::to_owned).collect()
    }
}

fn with(mut arguments: Vec<String>, more: &[&str]) -> Vec<String> {
    arguments.extend(more.iter().map(|&w| w.to_owned()));
    arguments
}

fn rows(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A line without the time it took.
fn timeless(line: &str) -> String {
    let mut row: Value = serde_json::from_str(line).unwrap();
    row.as_object_mut().unwrap().remove("ms");
    row.to_string()
}

fn sorted(lines: &[String]) -> BTreeSet<String> {
    lines.iter().map(|line| timeless(line)).collect()
}

/// Cells of a line of CSV by Python's rule: a quote ends a cell unless it is doubled.
fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut open, mut cell) = (Vec::new(), false, String::new());
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if open && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' => open = !open,
            ',' if !open => cells.push(std::mem::take(&mut cell)),
            other => cell.push(other),
        }
    }
    cells.push(cell);
    cells
}

#[test]
fn every_score_of_a_folder_is_one_line() {
    let gallery = Gallery::new("folder");
    let told = prints(&gallery.arguments("scores.jsonl"));
    assert!(told.contains("3 pictures, 16 scored, 0 undefined, 1 failed"), "{told}");
    let rows = rows(&gallery.lines("scores.jsonl"));
    assert_eq!(rows.len(), 2 * 2 * 2 * 2 + 1);
    let broken: Vec<&Value> = rows.iter().filter(|r| r["picture"] == "broken.png").collect();
    assert_eq!(broken.len(), 1);
    assert!(broken[0]["status"] == "failed" && broken[0]["reason"].as_str().unwrap().contains("broken.png"));
    let mut seen = BTreeSet::new();
    for row in rows.iter().filter(|r| r["picture"] != "broken.png") {
        let label = row["picture"].as_str().unwrap().split('/').next().unwrap();
        assert!(
            row["label"] == label && row["answer"] == label && row["targetLabel"] == label,
            "{row}"
        );
        assert!(
            row["status"] == "scored" && row["score"].is_f64() && row["reason"] == "",
            "{row}"
        );
        assert!(row["steps"] == 4 && row["metricParams"]["steps"] == 4.0 && row["forward"].as_u64() > Some(1));
        assert_eq!(row["modelSha256"].as_str().map(str::len), Some(64));
        assert_eq!(row["inputSha256"].as_str().map(str::len), Some(64));
        seen.insert(["picture", "method", "metric", "imputer"].map(|key| row[key].to_string()));
    }
    assert_eq!(seen.len(), 16);

    // The same scores as of one picture alone, and the same in the other form.
    let dog = gallery.path("images/dog/one, two.png");
    let alone = json(&[
        "evaluate",
        "objects",
        &dog,
        "--attribution",
        "gradient",
        "--metric",
        "deletion",
        "--imputer",
        "channel-mean",
        "--param",
        "steps=4",
    ]);
    let same = |row: &&Value| {
        row["picture"] == "dog/one, two.png"
            && row["method"] == "gradient"
            && row["metric"] == "deletion"
            && row["imputer"] == "channel-mean"
    };
    let row = rows.iter().find(same).unwrap();
    assert_eq!(row["score"], alone["scores"][0]["score"]);
    assert_eq!(row["metricParams"], alone["scores"][0]["provenance"]["of"]["params"]);
    prints(&gallery.arguments("scores.csv"));
    let lines = gallery.lines("scores.csv");
    let names = cells(&lines[0]);
    assert_eq!(lines.len(), rows.len() + 1);
    for (line, row) in lines[1..].iter().zip(&rows) {
        for (name, cell) in names.iter().zip(cells(line)).filter(|(name, _)| *name != "ms") {
            if let Value::Number(number) = &row[name] {
                // Reading JSON, serde may miss a float by its last bit.
                let (found, expected): (f64, f64) = (cell.parse().unwrap(), number.as_f64().unwrap());
                assert!(
                    (found - expected).abs() <= 1e-15 * expected.abs(),
                    "{name}: {cell}, not {number}"
                );
                continue;
            }
            let expected = match &row[name] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                Value::Object(map) if map.is_empty() => String::new(),
                other => other.to_string(),
            };
            assert_eq!(cell, expected, "{name}");
        }
    }
}

#[test]
fn a_run_goes_on_where_it_was_stopped() {
    let gallery = Gallery::new("resume");
    for output in ["a.jsonl", "a.csv"] {
        let path = gallery.path(output);
        prints(&gallery.arguments(output));
        let whole = std::fs::read(&path).unwrap();
        // Nothing is left to do: nothing is written.
        let told = prints(&gallery.arguments(output));
        assert!(
            told.contains(" 0 scored") && told.contains("17 lines were there"),
            "{told}"
        );
        assert_eq!(std::fs::read(&path).unwrap(), whole);
        // Cut anywhere in the last lines: what is whole stays, the rest comes again.
        let starts: Vec<usize> = whole
            .iter()
            .enumerate()
            .filter(|(_, b)| **b == b'\n')
            .map(|(at, _)| at + 1)
            .collect();
        let kept = starts[starts.len() - 4];
        for cut in [kept, kept + 9, starts[starts.len() - 3] - 1] {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let out = lucarne(&gallery.arguments(output));
            let said = String::from_utf8(out.stderr).unwrap();
            assert!(out.status.success());
            assert_eq!(said.contains("cut short"), cut != kept, "{cut}: {said}");
            let again = std::fs::read(&path).unwrap();
            assert_eq!(&again[..kept], &whole[..kept]);
            let count = |bytes: &[u8]| bytes.split(|&b| b == b'\n').count();
            assert_eq!(count(&again), count(&whole));
        }
        // Other settings are other scores, beside these.
        prints(&with(gallery.arguments(output), &["--seed", "3"]));
        assert_eq!(gallery.lines(output).len(), starts.len() + 17);
    }
}

#[test]
fn a_killed_run_loses_nothing() {
    let gallery = Gallery::new("killed");
    prints(&gallery.arguments("whole.jsonl"));
    let path = gallery.path("killed.jsonl");
    for _ in 0..3 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lucarne"))
            .args(gallery.arguments("killed.jsonl"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let before = std::fs::metadata(&path).map_or(0, |facts| facts.len());
        while child.try_wait().unwrap().is_none() && std::fs::metadata(&path).map_or(0, |f| f.len()) == before {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(lucarne(&gallery.arguments("killed.jsonl")).status.success());
    let (whole, killed) = (gallery.lines("whole.jsonl"), gallery.lines("killed.jsonl"));
    assert_eq!(killed.len(), whole.len(), "no line is there twice");
    assert_eq!(sorted(&killed), sorted(&whole));
}

#[test]
fn damaged_and_foreign_files_are_refused_and_kept() {
    let gallery = Gallery::new("damaged");
    prints(&gallery.arguments("a.csv"));
    prints(&gallery.arguments("a.jsonl"));
    let refuses = |name: &str, bytes: &[u8], part: &str| {
        std::fs::write(gallery.path(name), bytes).unwrap();
        let said = fails(1, &gallery.arguments(name));
        assert!(said.contains(name) && said.contains(part), "{said}");
        assert_eq!(std::fs::read(gallery.path(name)).unwrap(), bytes, "{name}");
    };
    for name in ["a.csv", "a.jsonl"] {
        let text = std::fs::read_to_string(gallery.path(name)).unwrap();
        let third: usize = text.split_inclusive('\n').take(2).map(str::len).sum();
        let broken = format!("{}{}", &text[..third], &text[third + 5..]);
        refuses(name, broken.as_bytes(), "line 3");
    }
    refuses("notes.csv", b"name,age\nAnna,7\n", "no file of scores");
    refuses("notes.csv", b"shopping list", "no file of scores");
    refuses("notes.jsonl", b"{\"name\":\"Anna\"}\n", "no file of scores");
    refuses(
        "notes.jsonl",
        &[b"{\"picture\":\"", &[0xff; 4][..], b"\"}\n"].concat(),
        "no text",
    );
}

#[test]
fn labels_say_what_is_explained_and_what_is_left_out() {
    let gallery = Gallery::new("labels");
    let file = gallery.path("labels.txt");
    std::fs::write(&file, "dog/one, two.png\tdog\n\ncat/one, two.png\tguitar\n").unwrap();
    let labels = ["--labels-file", file.as_str()];
    prints(&with(
        gallery.arguments("correct.jsonl"),
        &[&labels[..], &["--only-correct"]].concat(),
    ));
    let of = |output: &str| -> BTreeMap<String, Vec<Value>> {
        let mut by = BTreeMap::<String, Vec<Value>>::new();
        for row in rows(&gallery.lines(output)) {
            by.entry(row["picture"].as_str().unwrap().to_owned())
                .or_default()
                .push(row);
        }
        by
    };
    let correct = of("correct.jsonl");
    let cat = &correct["cat/one, two.png"];
    assert!(
        cat.len() == 1 && cat[0]["status"] == "left-out" && cat[0]["label"] == "guitar",
        "{cat:?}"
    );
    assert!(cat[0]["reason"].as_str().unwrap().contains("answers cat"));
    assert_eq!(correct["dog/one, two.png"].len(), 8);
    prints(&with(
        gallery.arguments("label.jsonl"),
        &[&labels[..], &["--target", "label"]].concat(),
    ));
    let label = of("label.jsonl");
    assert!(
        label["cat/one, two.png"]
            .iter()
            .all(|r| r["targetLabel"] == "guitar" && r["answer"] == "cat")
    );

    std::fs::write(&file, "dog/one, two.png\tunicorn\n").unwrap();
    let said = fails(1, &with(gallery.arguments("x.csv"), &labels));
    assert!(said.contains("line 1") && said.contains("unicorn"), "{said}");
    assert!(
        !Path::new(&gallery.path("x.csv")).exists(),
        "nothing is written before the labels are read"
    );
}

#[test]
fn wrong_usage_of_a_folder_is_told_before_anything_runs() {
    let gallery = Gallery::new("usage");
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--target", "100"], 2, "no class 100"),
        (&["--param", "gradient.samples=3"], 2, "samples"),
        (&["--imputer-param", "noisy-linear.noise=1"], 2, "noisy-linear"),
        (&["--other", "map.npy"], 2, "map.npy"),
        (&["--mask", "x.png"], 2, "--mask"),
        (&["--labels-file", "nothing.txt"], 1, "nothing.txt"),
    ];
    for (more, code, part) in cases {
        let said = fails(*code, &with(gallery.arguments("x.csv"), more));
        assert!(said.contains(part), "{more:?}: {said}");
        assert!(!Path::new(&gallery.path("x.csv")).exists(), "{more:?}");
    }
    let images = gallery.path("masks/empty");
    std::fs::create_dir_all(&images).unwrap();
    let run = |images: &str, output: &str| {
        [
            "evaluate",
            "objects",
            "--images",
            images,
            "--attribution",
            "gradient",
            "--metric",
            "deletion",
            "-o",
            output,
        ]
        .map(str::to_owned)
    };
    assert!(fails(1, &run(&images, "x.csv")).contains("no picture"));
    assert!(fails(1, &run("nowhere", "x.csv")).contains("nowhere"));
    assert!(fails(2, &run(&gallery.path("images"), "x.txt")).contains(".jsonl"));
    let unlabelled = with(run(&gallery.path("masks/dog"), "x.csv").to_vec(), &["--only-correct"]);
    assert!(fails(2, &unlabelled).contains("label"));
}

#[test]
fn fillings_of_a_folder_have_columns_of_their_own() {
    let gallery = Gallery::new("draws");
    let path = gallery.path("images/dog/one, two.png");
    let mut base = gallery.arguments("draws.jsonl");
    let at = base.iter().position(|word| word == "constant").unwrap();
    base[at] = "uniform-noise".to_owned();
    prints(&with(base.clone(), &["--draws", "3"]));
    let lines = gallery.lines("draws.jsonl");
    let scored: Vec<Value> = rows(&lines).into_iter().filter(|r| r["status"] == "scored").collect();
    assert_eq!(scored.len(), 16);
    for row in &scored {
        if row["imputer"] == "uniform-noise" {
            assert!(row["draws"] == 3 && row["deviation"].as_f64() > Some(0.0), "{row}");
        } else {
            assert!(row["draws"].is_null() && row["deviation"].is_null(), "{row}");
        }
    }
    let alone = json(&[
        "evaluate",
        "objects",
        &path,
        "--attribution",
        "sobel",
        "--metric",
        "insertion",
        "--imputer",
        "uniform-noise",
        "--param",
        "steps=4",
        "--draws",
        "3",
    ]);
    let same = |row: &&Value| {
        row["picture"] == "dog/one, two.png"
            && row["method"] == "sobel"
            && row["metric"] == "insertion"
            && row["imputer"] == "uniform-noise"
    };
    let row = scored.iter().find(same).unwrap();
    assert_eq!(row["score"], alone["scores"][0]["score"]);
    assert_eq!(row["deviation"], alone["scores"][0]["spread"]["deviation"]);
    // Another number of fillings is another score, and only where there are any; the file goes on.
    let told = prints(&with(base, &["--draws", "2"]));
    assert!(
        told.contains(" 8 scored") && told.contains("17 lines were there"),
        "{told}"
    );
    let twice = rows(&gallery.lines("draws.jsonl")[lines.len()..]);
    assert!(
        twice.len() == 8
            && twice
                .iter()
                .all(|row| row["draws"] == 2 && row["imputer"] == "uniform-noise")
    );
}
