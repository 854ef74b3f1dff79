//! Every failure is one line on standard error and an exit code.

use lucarne::{Tensor, npy};

use super::{fails, folder, net, picture, tensor, with};

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    let (net, input) = (net("plain"), picture("plain-0"));
    let explain = ["explain", &net, &input, "--method"];
    let cases: &[(&[&str], &[&str], &str)] = &[
        (&[], &[], "a command is needed"),
        (&["explore"], &[], "explore"),
        (&["models", "--color"], &[], "--color"),
        (&["predict", &net], &[], "<INPUT>"),
        (&["predict", "mobilenet", &input], &[], "efficientnet-lite0"),
        (&["predict", &net, &input, "--top", "many"], &[], "--top"),
        (&["predict", &net, &input, "--workers", "0"], &[], "--workers"),
        (&explain, &["gradient"], "--output"),
        (&explain, &["gradients", "-o", "x.npy"], "input-x-gradient"),
        (&explain, &["gradient", "-o", "x.jpg"], ".png"),
        (&explain, &["gradient", "-o", "x"], ".npy"),
        (&explain, &["gradient", "-o", "x.npy", "--param", "steps"], "name=value"),
        (&explain, &["gradient", "-o", "x.npy", "--param", "steps=3"], "steps"),
        (&explain, &["occlusion", "-o", "x.npy", "--param", "window=0"], "window"),
        (
            &explain,
            &["occlusion", "-o", "x.npy", "--param", "window=wide"],
            "window",
        ),
        (
            &explain,
            &["occlusion", "-o", "x.npy", "--imputer", "void"],
            "noisy-linear",
        ),
        (
            &explain,
            &["grad-cam", "-o", "x.npy", "--param", "layer=nowhere"],
            "nowhere",
        ),
        (
            &explain,
            &["deep-lift", "-o", "x.npy", "--param", "reference=picture"],
            "reference",
        ),
        (&explain, &["gradient", "-o", "x.npy", "--target", "best"], "auto"),
        (&explain, &["gradient", "-o", "x.npy", "--target", "-1"], "-1"),
        (&explain, &["gradient", "-o", "x.npy", "--target", "100000"], "100000"),
        (&explain, &["gradient", "-o", "x.npy", "--target-kind", "loss"], "loss"),
        (&explain, &["gradient", "-o", "x.npy", "--seed", "4294967296"], "--seed"),
        (
            &["evaluate", &net, &input, "--attribution", "gradient"],
            &[],
            "--metric",
        ),
        (
            &[
                "evaluate",
                &net,
                &input,
                "--attribution",
                "gradient",
                "--metric",
                "trust",
            ],
            &[],
            "insertion",
        ),
        (
            &[
                "evaluate",
                &net,
                &input,
                "--attribution",
                "map.txt",
                "--metric",
                "deletion",
            ],
            &[],
            "map.txt",
        ),
        (
            &[
                "evaluate",
                &net,
                &input,
                "--attribution",
                "gradient",
                "--metric",
                "deletion",
                "--param",
                "samples=2",
            ],
            &[],
            "samples",
        ),
        (
            &[
                "impute",
                &input,
                "--mask",
                &input,
                "--imputer",
                "constant",
                "-o",
                "x.json",
            ],
            &[],
            ".npy",
        ),
    ];
    for (first, more, part) in cases {
        let said = fails(2, &[*first, *more].concat());
        assert!(said.contains(part), "{first:?} {more:?} should speak of {part}: {said}");
    }
}

#[test]
fn failures_are_one_line_and_exit_code_1() {
    let folder = folder("failures");
    let file = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (net, input) = (net("plain"), picture("plain-0"));
    let shape = tensor(&input).shape().to_vec();
    let [channels, height, width] = shape[..] else {
        panic!("a picture has three axes")
    };
    let nan = npy::write(&Tensor::full(&shape, f32::NAN));
    let other = npy::write(&Tensor::zeros(&[channels + 1, height, width]));
    let flat = npy::write(&Tensor::zeros(&[height * width]));
    let everything = npy::write(&Tensor::full(&[height, width], 1.0));
    let (empty, junk) = (file("empty", b""), file("junk.png", b"\x89PNG\r\n\x1a\nnot one"));
    let (nan, other, flat) = (
        file("nan.npy", &nan),
        file("other.npy", &other),
        file("flat.npy", &flat),
    );
    let everything = file("everything.npy", &everything);
    let (no_npy, no_net) = (file("no.npy", b"1 2 3"), file("no.onnx", b"\x08\x07junk"));
    let (empty_net, few) = (file("empty.onnx", b""), file("few.txt", b"one\n"));
    let (card, binary) = (file("card.toml", b"id = 3"), file("binary.txt", &[0xff, 0xfe, 0x00]));
    let cut = file("cut.onnx", &std::fs::read(&net).unwrap()[..2000]);
    let out = folder.join("out.npy").to_str().unwrap().to_owned();
    let here = folder.to_str().unwrap();
    let there = folder.join("missing/out.npy").to_str().unwrap().to_owned();
    let score =
        |map: &'_ str| ["evaluate", &net, &input, "--metric", "deletion", "--attribution", map].map(str::to_owned);
    let impute = |input: &str, mask: &str, id: &str| {
        ["impute", input, "--mask", mask, "--imputer", id, "-o", &out].map(str::to_owned)
    };
    let predict = |net: &str, input: &str| ["predict", net, input].map(str::to_owned).to_vec();
    let cases: Vec<(Vec<String>, &str)> = vec![
        (predict(&net, "nothing.png"), "nothing.png"),
        (predict("nothing.onnx", &input), "nothing.onnx"),
        (predict(&net, here), "folder"),
        (predict(&net, &empty), "decoded"),
        (predict(&net, &junk), "junk.png"),
        (predict(&net, &nan), "finite"),
        (predict(&net, &other), "shape"),
        (predict(&net, &flat), "[C, H, W]"),
        (predict(&net, &no_npy), "no.npy"),
        (predict(&no_net, &input), "no.onnx"),
        (predict(&empty_net, &input), "empty.onnx"),
        (predict(&cut, &input), "cut.onnx"),
        (with(predict(&net, &input), &["--card", &card]), "card"),
        (with(predict(&net, &input), &["--card", "nothing.toml"]), "nothing.toml"),
        (with(predict(&net, &input), &["--labels", &few]), "1 labels"),
        (with(predict(&net, &input), &["--labels", &binary]), "binary.txt"),
        (
            vec![
                "explain".into(),
                net.clone(),
                input.clone(),
                "--method".into(),
                "gradient".into(),
                "-o".into(),
                there,
            ],
            "out.npy",
        ),
        (score(&nan).to_vec(), "finite"),
        (score(&other).to_vec(), "shape"),
        (score(&flat).to_vec(), "[C, H, W]"),
        (score("nothing.npy").to_vec(), "nothing.npy"),
        (impute(&input, &flat, "constant").to_vec(), "shape"),
        (impute(&input, &nan, "constant").to_vec(), "finite"),
        (impute(&input, &everything, "noisy-linear").to_vec(), "kept pixels"),
        (impute(&nan, &everything, "constant").to_vec(), "finite"),
        (vec!["inspect".into(), no_net.clone()], "ONNX"),
        (vec!["inspect".into(), here.to_owned()], "folder"),
    ];
    for (arguments, part) in cases {
        let said = fails(1, &arguments);
        assert!(said.contains(part), "{arguments:?} should speak of {part}: {said}");
    }
}
