//! The program `lucarne` as one runs it: results equal the goldens, every failure is one line and an exit code.

#![allow(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod errors;
mod evaluate;
mod folder;
mod study;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use lucarne::model::ModelCard;
use lucarne::{Tensor, npy};
use serde_json::Value;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn net(name: &str) -> String {
    root()
        .join(format!("tests/nets/{name}.onnx"))
        .to_str()
        .unwrap()
        .to_owned()
}

fn picture(name: &str) -> String {
    root()
        .join(format!("tests/golden/inputs/{name}.npy"))
        .to_str()
        .unwrap()
        .to_owned()
}

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(name);
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn lucarne<S: AsRef<str>>(arguments: &[S]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lucarne"));
    command
        .args(arguments.iter().map(AsRef::as_ref))
        .env_remove("LUCARNE_MODELS")
        .output()
        .unwrap()
}

/// What a command that must succeed prints.
fn prints<S: AsRef<str>>(arguments: &[S]) -> String {
    let output = lucarne(arguments);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        output.status.success() && errors.is_empty(),
        "{:?}: {errors}",
        words(arguments)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn json<S: AsRef<str>>(arguments: &[S]) -> Value {
    let all: Vec<&str> = words(arguments).into_iter().chain(["--json"]).collect();
    serde_json::from_str(&prints(&all)).unwrap()
}

fn words<S: AsRef<str>>(arguments: &[S]) -> Vec<&str> {
    arguments.iter().map(AsRef::as_ref).collect()
}

/// What a command that must fail says: one line.
fn fails<S: AsRef<str>>(code: i32, arguments: &[S]) -> String {
    let output = lucarne(arguments);
    let (said, printed) = (
        String::from_utf8(output.stderr).unwrap(),
        String::from_utf8(output.stdout).unwrap(),
    );
    let what = words(arguments);
    assert_eq!(output.status.code(), Some(code), "{what:?}: {said}");
    assert_eq!(printed, "", "{what:?} prints nothing on standard output");
    assert_eq!(said.lines().count(), 1, "{what:?}: {said}");
    assert!(
        said.starts_with("lucarne: ") && said.ends_with(['.', '?', '\n']),
        "{what:?}: {said}"
    );
    assert!(!said.contains("bug") && !said.contains("panicked"), "{what:?}: {said}");
    said
}

fn tensor(path: impl AsRef<Path>) -> Tensor {
    npy::read(&std::fs::read(path.as_ref()).unwrap()).unwrap()
}

fn close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let top = expected.iter().fold(0.0f32, |top, v| top.max(v.abs()));
    for (i, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!(
            (a - b).abs() <= tolerance * top,
            "{what}: [{i}] is {a}, not {b} (of {top})"
        );
    }
}

struct Case {
    folder: PathBuf,
    table: toml::Table,
}

impl Case {
    fn new(name: &str) -> Self {
        let folder = root().join("tests/golden").join(name);
        let table = std::fs::read_to_string(folder.join("case.toml"))
            .unwrap()
            .parse()
            .unwrap();
        Self { folder, table }
    }

    fn text(&self, key: &str) -> &str {
        self.table[key].as_str().unwrap()
    }

    fn file(&self, key: &str) -> String {
        self.folder.join(self.text(key)).to_str().unwrap().to_owned()
    }

    fn tolerance(&self) -> f32 {
        self.table["tolerance"]["relative"].as_float().unwrap() as f32
    }

    /// `--flag k=v …` of a table of parameters.
    fn params(&self, key: &str, flag: &str) -> Vec<String> {
        let Some(table) = self.table.get(key).and_then(toml::Value::as_table) else {
            return Vec::new();
        };
        let one = |(name, value): (&String, &toml::Value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (name != "id").then(|| [flag.to_owned(), format!("{name}={value}")])
        };
        table.iter().filter_map(one).flatten().collect()
    }

    /// `explain MODEL INPUT …` without an output.
    fn explain(&self) -> Vec<String> {
        let method = self.table.get("id").map_or("gradient", |id| id.as_str().unwrap());
        let target = &self.table["target"];
        let (class, kind) = (target["class"].to_string(), target["kind"].as_str().unwrap());
        let (model, input) = (net(self.text("model")), self.file("input"));
        let fixed = [
            "explain",
            &model,
            &input,
            "--method",
            method,
            "--target",
            &class,
            "--target-kind",
            kind,
        ];
        let params = self.params("params", "--param");
        fixed.iter().map(|&w| w.to_owned()).chain(params).collect()
    }
}

fn with(mut arguments: Vec<String>, more: &[&str]) -> Vec<String> {
    arguments.extend(more.iter().map(|&w| w.to_owned()));
    arguments
}

#[test]
fn lists_name_everything_there_is() {
    for command in ["models", "methods", "metrics", "imputers"] {
        let entries = json(&[command]);
        let text = prints(&[command]);
        let entries = entries.as_array().unwrap();
        assert!(!entries.is_empty(), "{command}");
        let facts = match command {
            "methods" => "id name family summary caution reference signed needs axioms stochastic params",
            "metrics" => {
                "id name category direction range summary caution sensitive reference needs imputer stochastic params"
            }
            "imputers" => "id name summary reference stochastic needsKept params",
            _ => "id name",
        };
        for entry in entries {
            let id = entry["id"].as_str().unwrap();
            assert!(
                text.lines().any(|line| line.split_whitespace().next() == Some(id)),
                "{command}: {id}"
            );
            for fact in facts.split(' ') {
                assert!(!entry[fact].is_null(), "{command}: {id}: {fact}");
            }
            for param in entry["params"].as_array().into_iter().flatten() {
                assert!(
                    !param["default"].is_null() && param["doc"].as_str() != Some(""),
                    "{command}: {id}: {param}"
                );
            }
        }
    }
}

#[test]
fn answers_equal_the_reference() {
    for name in ["logits-plain", "logits-nhwc", "logits-tiny-vit"] {
        let case = Case::new(name);
        let found = json(&["predict", &net(case.text("model")), &case.file("input"), "--top", "0"]);
        let mut classes: Vec<(usize, f32, f32)> = Vec::new();
        for class in found["classes"].as_array().unwrap() {
            let number = |key: &str| class[key].as_f64().unwrap() as f32;
            classes.push((
                class["class"].as_u64().unwrap() as usize,
                number("logit"),
                number("probability"),
            ));
        }
        assert!(classes.is_sorted_by(|a, b| a.2 >= b.2), "{name}: the best is first");
        assert!(
            (classes.iter().map(|c| c.2).sum::<f32>() - 1.0).abs() < 1e-5,
            "{name}: probabilities"
        );
        classes.sort_by_key(|c| c.0);
        let logits: Vec<f32> = classes.iter().map(|c| c.1).collect();
        close(&logits, tensor(case.file("expected")).data(), case.tolerance(), name);
    }
}

#[test]
fn bundled_networks_know_their_samples() {
    for entry in json(&["models"]).as_array().unwrap() {
        let id = entry["id"].as_str().unwrap();
        let sample = &entry["sample"][0];
        let file = root().join("models").join(id).join(sample["file"].as_str().unwrap());
        let answer = json(&["predict", id, file.to_str().unwrap(), "--top", "3"]);
        let labels: Vec<_> = answer["classes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| &c["label"])
            .collect();
        assert!(
            labels.contains(&&sample["label"]),
            "{id}: {labels:?}, not {}",
            sample["label"]
        );
        assert_eq!(labels.len(), 3);
    }
}

#[test]
fn maps_equal_the_reference() {
    let names = [
        "gradient-plain",
        "gradient-plain-probability",
        "gradient-softmax-head-output",
        "input-x-gradient-residual",
        "integrated-gradients-riemann-left",
        "occlusion-plain-5-2",
        "grad-cam-plain-1-relu",
        "sobel-plain",
    ];
    let folder = folder("maps");
    for name in names {
        let case = Case::new(name);
        let out = folder.join(format!("{name}.npy"));
        let told = prints(&with(case.explain(), &["-o", out.to_str().unwrap()]));
        assert!(told.contains("passes"), "{told}");
        let (found, expected) = (tensor(&out), tensor(case.file("expected")));
        assert_eq!(found.shape(), expected.shape(), "{name}");
        close(found.data(), expected.data(), case.tolerance(), name);
    }
}

#[test]
fn a_json_map_says_how_it_came_about() {
    let folder = folder("json");
    let case = Case::new("occlusion-plain-5-2");
    let (file, raw) = (folder.join("map.json"), folder.join("map.npy"));
    prints(&with(case.explain(), &["--seed", "7", "-o", file.to_str().unwrap()]));
    let printed = json(&with(case.explain(), &["--seed", "7", "-o", raw.to_str().unwrap()]));
    let written: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let map: Vec<f32> = written["map"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_f64().unwrap() as f32)
        .collect();
    assert_eq!(map, tensor(raw).data());
    let provenance = &written["provenance"];
    assert_eq!(*provenance, printed["provenance"]);
    assert_eq!(provenance["of"]["id"], "occlusion");
    assert_eq!(
        (
            &provenance["of"]["params"]["window"],
            &provenance["of"]["params"]["stride"]
        ),
        (&5.0.into(), &2.0.into())
    );
    assert_eq!(
        (provenance["seed"].as_u64(), provenance["target"]["kind"].as_str()),
        (Some(7), Some("logit"))
    );
    assert_eq!(provenance["modelSha256"].as_str().map(str::len), Some(64));
    assert_eq!(provenance["inputSha256"].as_str().map(str::len), Some(64));
    assert!(provenance["forward"].as_u64() > Some(1));
    assert_eq!(written["shape"].as_array().map(Vec::len), Some(3));
}

#[test]
fn workers_change_nothing_and_seeds_do() {
    let folder = folder("workers");
    let map = |name: &str, more: &[&str]| {
        let out = folder.join(name).to_str().unwrap().to_owned();
        let (net, input) = (net("plain"), picture("plain-0"));
        let fixed = [
            "explain",
            &net,
            &input,
            "--method",
            "rise",
            "--param",
            "samples=40",
            "-o",
            &out,
        ];
        prints(&[&fixed, more].concat());
        std::fs::read(out).unwrap()
    };
    let one = map("one.npy", &["--workers", "1"]);
    assert_eq!(one, map("three.npy", &["--workers", "3"]));
    assert_eq!(one, map("zero.npy", &["--seed", "0"]));
    assert_ne!(one, map("five.npy", &["--seed", "5"]));
}

#[test]
fn a_picture_of_a_map_has_the_inputs_size_and_no_bias() {
    let folder = folder("png");
    let (net, input) = (net("residual"), picture("residual-0"));
    let [_, height, width] = *tensor(&input).shape() else {
        panic!("a picture has three axes")
    };
    for method in ["gradient", "grad-cam", "constant"] {
        let out = folder.join(format!("{method}.png")).to_str().unwrap().to_owned();
        prints(&["explain", &net, &input, "--method", method, "-o", &out]);
        let picture = image::open(&out).unwrap().into_rgb8();
        assert_eq!(
            (picture.width() as usize, picture.height() as usize),
            (width, height),
            "{method}"
        );
    }
}

#[test]
fn filled_pixels_equal_the_reference_and_kept_ones_stay() {
    let folder = folder("impute");
    let out = folder.join("out.npy").to_str().unwrap().to_owned();
    let case = Case::new("imputer-noisy-linear-scattered-50");
    let (input, mask) = (case.file("input"), case.file("mask"));
    let fixed = [
        "impute",
        &input,
        "--mask",
        &mask,
        "--imputer",
        "noisy-linear",
        "-o",
        &out,
    ];
    let fixed = [
        fixed.map(str::to_owned).to_vec(),
        case.params("params", "--imputer-param"),
    ]
    .concat();
    assert!(prints(&fixed).contains("pixels filled"));
    close(
        tensor(&out).data(),
        tensor(case.file("expected")).data(),
        1e-3,
        "noisy-linear",
    );

    // A picture of its own size, and a mask drawn white.
    let (picture, hole) = (folder.join("in.png"), folder.join("hole.png"));
    let drawn = image::RgbImage::from_fn(20, 10, |x, y| image::Rgb([x as u8 * 12, y as u8 * 25, 90]));
    drawn.save(&picture).unwrap();
    let white = image::RgbImage::from_fn(20, 10, |x, _| image::Rgb([if x < 5 { 255 } else { 0 }; 3]));
    white.save(&hole).unwrap();
    let out = folder.join("out.png").to_str().unwrap().to_owned();
    let (picture, hole) = (picture.to_str().unwrap(), hole.to_str().unwrap());
    let grey = ["--imputer", "constant", "--imputer-param", "colour=white"];
    let told = json(&[&["impute", picture, "--mask", hole, "-o", &out][..], &grey].concat());
    assert_eq!(told["removed"].as_u64(), Some(50));
    let filled = image::open(&out).unwrap().into_rgb8();
    for (x, y, pixel) in filled.enumerate_pixels() {
        let expected = if x < 5 {
            image::Rgb([255; 3])
        } else {
            *drawn.get_pixel(x, y)
        };
        assert_eq!(*pixel, expected, "{x}, {y}");
    }
}

#[test]
fn an_inspected_file_gives_a_card_that_loads_it() {
    let folder = folder("inspect");
    let (net, input) = (net("residual"), picture("residual-0"));
    let text = prints(&["inspect", &net, "--layers"]);
    assert!(text.contains("# layer "), "{text}");
    let card = ModelCard::parse(&text).unwrap();
    assert_eq!(
        json(&["inspect", &net])["card"]["input"]["name"].as_str(),
        Some(card.input.name.as_str())
    );
    let file = folder.join("card.toml");
    std::fs::write(&file, text).unwrap();
    let labels = folder.join("labels.txt");
    let classes = json(&["predict", &net, &input, "--top", "0"])["classes"]
        .as_array()
        .unwrap()
        .len();
    let lines: Vec<String> = (0..classes).map(|k| format!("thing {k}")).collect();
    std::fs::write(
        &labels,
        lines.join(
            "
",
        ),
    )
    .unwrap();
    let (file, labels) = (file.to_str().unwrap(), labels.to_str().unwrap());
    let answer = json(&[
        "predict", &net, &input, "--card", file, "--labels", labels, "--top", "1",
    ]);
    let best = &answer["classes"][0];
    assert_eq!(best["label"].as_str().unwrap(), format!("thing {}", best["class"]));
}

#[test]
fn the_folder_of_bundled_networks_can_be_named() {
    let run = |folder: &Path| {
        Command::new(env!("CARGO_BIN_EXE_lucarne"))
            .arg("models")
            .env("LUCARNE_MODELS", folder)
            .output()
            .unwrap()
    };
    let output = run(&root().join("models"));
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("efficientnet-lite0"));
    let output = run(Path::new("nowhere"));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("LUCARNE_MODELS"));
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [
        vec!["--help"],
        vec!["help", "explain"],
        vec!["--version"],
        vec!["evaluate", "--help"],
    ] {
        assert!(prints(&arguments).contains("lucarne"), "{arguments:?}");
    }
}
