//! Scores of one picture.

use lucarne::{Tensor, npy};
use serde_json::Value;

use super::{folder, json, net, picture, prints, root};

/// The imputer that `lucarne metrics` names.
fn reference_imputer(metric: &str) -> String {
    let all = json(&["metrics"]);
    let entry = all.as_array().unwrap().iter().find(|m| m["id"] == metric).unwrap();
    entry["imputer"].as_str().unwrap().to_owned()
}

#[test]
fn scores_are_the_same_for_a_map_and_for_its_method() {
    let folder = folder("scores");
    let map = folder.join("map.npy").to_str().unwrap().to_owned();
    let (net, input) = (net("plain"), picture("plain-0"));
    prints(&["explain", &net, &input, "--method", "input-x-gradient", "-o", &map]);
    let evaluate = |attribution: &str, more: &[&str]| {
        let metrics = [
            "evaluate",
            &net,
            &input,
            "--metric",
            "deletion",
            "--metric",
            "insertion",
        ];
        json(&[&metrics[..], &["--attribution", attribution], more].concat())
    };
    let (file, method) = (evaluate(&map, &[]), evaluate("input-x-gradient", &[]));
    assert_eq!(file["scores"], method["scores"]);
    assert_eq!(file["map"].as_str(), Some(map.as_str()));
    assert_eq!(method["attribution"]["provenance"]["of"]["id"], "input-x-gradient");
    for (score, metric, direction) in [(0, "deletion", "lower"), (1, "insertion", "higher")] {
        let score = &file["scores"][score];
        assert_eq!(
            (score["metric"].as_str(), score["direction"].as_str()),
            (Some(metric), Some(direction))
        );
        assert!(
            score["score"].is_f64() && !score["curves"][0]["y"].as_array().unwrap().is_empty(),
            "{score}"
        );
        assert_eq!(score["provenance"]["removal"]["id"], reference_imputer(metric));
    }
    // A parameter without an owner goes to every metric that has it, one with an owner to that one.
    let steps = |answer: &Value, k: usize| answer["scores"][k]["provenance"]["of"]["params"]["steps"].as_f64();
    let both = evaluate(&map, &["--param", "steps=4"]);
    assert_eq!((steps(&both, 0), steps(&both, 1)), (Some(4.0), Some(4.0)));
    let one = evaluate(&map, &["--param", "insertion.steps=4"]);
    assert_eq!((steps(&one, 0), steps(&one, 1)), (steps(&file, 0), Some(4.0)));
    let table = prints(&["evaluate", &net, &input, "--attribution", &map, "--metric", "deletion"]);
    assert!(
        table.starts_with("deletion") && table.contains("lower is better"),
        "{table}"
    );
}

#[test]
fn the_imputer_is_the_references_unless_one_is_given() {
    let (net, input) = (net("plain"), picture("plain-0"));
    let fixed = [
        "evaluate",
        &net,
        &input,
        "--attribution",
        "gradient",
        "--metric",
        "road",
        "--metric",
        "deletion",
    ];
    let removals = |more: &[&str]| -> Vec<String> {
        let answer = json(&[&fixed[..], more].concat());
        let scores = answer["scores"].as_array().unwrap();
        scores
            .iter()
            .map(|s| s["provenance"]["removal"]["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        removals(&[]),
        [reference_imputer("road"), reference_imputer("deletion")]
    );
    assert_eq!(
        removals(&["--imputer", "channel-mean"]),
        ["channel-mean", "channel-mean"]
    );
    let two = [
        "--imputer",
        "channel-mean",
        "--imputer",
        "constant",
        "--imputer-param",
        "constant.value=0.5",
    ];
    assert_eq!(removals(&two), ["channel-mean", "constant", "channel-mean", "constant"]);
}

#[test]
fn a_mask_is_brought_to_the_input_as_its_picture_is() {
    let samples = root().join("models/objects/samples");
    let (dog, mask) = (samples.join("dog.png"), samples.join("dog-mask.png"));
    let (dog, mask) = (dog.to_str().unwrap(), mask.to_str().unwrap());
    let folder = folder("mask");
    let wrong = folder.join("wrong.png");
    image::RgbImage::new(7, 5).save(&wrong).unwrap();
    let fixed = [
        "evaluate",
        "objects",
        dog,
        "--attribution",
        "gradient",
        "--metric",
        "deletion",
    ];
    // The metric does not look at it, and still every mask is checked.
    prints(&[&fixed[..], &["--mask", mask]].concat());
    let said = super::fails(1, &[&fixed[..], &["--mask", wrong.to_str().unwrap()]].concat());
    assert!(said.contains("wrong.png") && said.contains("shape"), "{said}");
    let side = folder.join("side.npy");
    std::fs::write(&side, npy::write(&Tensor::zeros(&[63, 64]))).unwrap();
    let said = super::fails(1, &[&fixed[..], &["--mask", side.to_str().unwrap()]].concat());
    assert!(said.contains("[64, 64]"), "{said}");
    let many = [&fixed[..], &["--attribution", "sobel"]].concat();
    assert!(super::fails(2, &many).contains("--images"));
    let by = [&fixed[..], &["--made-by", "sobel"]].concat();
    assert!(super::fails(2, &by).contains("map file"));
}

#[test]
fn several_fillings_give_a_mean_and_a_spread() {
    let (net, input) = (net("plain"), picture("plain-0"));
    let fixed = [
        "evaluate",
        &net,
        &input,
        "--attribution",
        "gradient",
        "--metric",
        "deletion",
        "--param",
        "steps=4",
        "--imputer",
        "uniform-noise",
        "--imputer",
        "constant",
    ];
    let scores = |more: &[&str]| json(&[&fixed[..], more].concat())["scores"].clone();
    let (once, thrice) = (scores(&[]), scores(&["--draws", "3"]));
    assert!(once[0]["spread"].is_null() && once[1]["spread"].is_null(), "{once}");
    let spread = &thrice[0]["spread"];
    assert_eq!(spread["draws"], 3);
    let number = |value: &Value| value.as_f64().unwrap();
    let (low, mean, high) = (
        number(&spread["lowest"]),
        number(&thrice[0]["score"]),
        number(&spread["highest"]),
    );
    assert!(
        low < mean && mean < high && number(&spread["deviation"]) > 0.0,
        "{spread}"
    );
    // The first filling is the only one where one is asked for.
    assert!((low..=high).contains(&number(&once[0]["score"])));
    assert!(
        thrice[1]["spread"].is_null() && thrice[1]["score"] == once[1]["score"],
        "{thrice}"
    );
    assert_eq!(scores(&["--draws", "3"]), thrice);
    let table = prints(&[&fixed[..], &["--draws", "3"]].concat());
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].contains(" ± ") && !lines[1].contains('±'), "{table}");
    for bad in ["0", "1001", "many"] {
        let told = super::fails(2, &[&fixed[..], &["--draws", bad]].concat());
        assert!(told.contains("--draws"), "{told}");
    }
}
