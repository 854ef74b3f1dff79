//! Hostile files and arrays: each is refused by a typed error before memory is taken for it.

mod support;

use lucarne::error::LoadError;
use lucarne::model::{Limits, Model};
use lucarne::picture::Picture;
use support::{DataType, File, With, card, floats, ints, load, node, value};
use tract_onnx::pb::GraphProto;

/// Whether the process ever held more than this much beyond what it held before; a refusal takes next to nothing.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|l| l.starts_with("VmHWM:"))
        .unwrap_or("VmHWM: 0 kB")
        .to_owned();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

fn over(result: Result<std::sync::Arc<Model>, LoadError>, part: &str) {
    match result {
        Err(LoadError::OverLimit { what, found, limit }) => {
            assert!(what.contains(part) && found > limit, "{what}: {found} {limit}");
        }
        other => panic!("expected a limit on {part}, got {other:?}"),
    }
}

#[test]
fn declared_sizes_are_refused_before_memory_is_taken() {
    let before = peak_kib();
    let huge = 1_000_000_000_000;
    let side = 1 << 20;
    let mut weight = File::small();
    weight.graph.initializer[0].dims = vec![huge];
    over(weight.load(), "\"w\"");
    let mut overflow = File::small();
    overflow.graph.initializer[0].dims = vec![i64::MAX, i64::MAX, 2];
    over(overflow.load(), "\"w\"");

    let shape = |dims: &[i64]| ints("shape", &[dims.len() as i64], dims);
    let growing = [
        (
            "ConstantOfShape",
            File::of(
                vec![
                    node("ConstantOfShape", "grow", &["shape"], &["big"]),
                    node("Add", "add", &["input", "big"], &["logits"]),
                ],
                vec![shape(&[1, 3, side, side])],
            ),
        ),
        (
            "Expand",
            File::of(
                vec![node("Expand", "grow", &["input", "shape"], &["logits"])],
                vec![shape(&[16 * side, 3, 8, 8])],
            ),
        ),
        (
            "Tile",
            File::of(
                vec![node("Tile", "grow", &["input", "shape"], &["logits"])],
                vec![shape(&[1, side, side, 1])],
            ),
        ),
        (
            "Pad",
            File::of(
                vec![node("Pad", "grow", &["input", "shape"], &["logits"])],
                vec![shape(&[0, 0, 0, 0, 0, 0, side, side])],
            ),
        ),
        (
            "Resize",
            File::of(
                vec![node("Resize", "grow", &["input", "", "scales"], &["logits"])],
                vec![floats("scales", &[4], [1.0, 1.0, 1e5, 1e5])],
            ),
        ),
        (
            "Range",
            File::of(
                vec![
                    node("Range", "grow", &["zero", "end", "one"], &["big"]),
                    node("Cast", "cast", &["big"], &["float"]).int("to", DataType::Float as i64),
                    node("ReduceSum", "sum", &["float"], &["s"]),
                    node("Add", "add", &["input", "s"], &["logits"]),
                ],
                vec![
                    ints("zero", &[], &[0]),
                    ints("end", &[], &[huge]),
                    ints("one", &[], &[1]),
                ],
            ),
        ),
        (
            "OneHot",
            File::of(
                vec![
                    node("OneHot", "grow", &["at", "depth", "values"], &["big"]),
                    node("Add", "add", &["input", "big"], &["logits"]),
                ],
                vec![
                    ints("at", &[1], &[0]),
                    ints("depth", &[], &[huge]),
                    floats("values", &[2], [0.0, 1.0]),
                ],
            ),
        ),
    ];
    let sized = |end: i64| {
        let nodes = vec![
            node("Range", "grow", &["zero", "end", "one"], &["big"]),
            node("Cast", "cast", &["big"], &["float"]).int("to", DataType::Float as i64),
            node("Add", "add", &["input", "float"], &["logits"]),
        ];
        File::of(
            nodes,
            vec![
                ints("zero", &[], &[0]),
                ints("end", &[], &[end]),
                ints("one", &[], &[1]),
            ],
        )
    };
    // Of these, 32 bits make a small number.
    let wrapping = [("wraps to 8", sized((1 << 32) + 8)), ("wraps to 0", sized(1 << 40))];
    for (op, file) in growing.into_iter().chain(wrapping) {
        match file.load() {
            Err(LoadError::OverLimit { what, .. }) => assert!(what.contains("\"grow\""), "{op}: {what}"),
            other => panic!("{op}: {other:?}"),
        }
    }
    let taken = peak_kib() - before;
    assert!(taken < 64 << 10, "refusing took {taken} KiB");
}

#[test]
fn doubling_a_thousand_times_is_refused() {
    let mut nodes = Vec::new();
    let mut at = "input".to_owned();
    for i in 0..1000 {
        let next = format!("v{i}");
        nodes.push(node("Concat", &format!("double{i}"), &[&at, &at], &[&next]).int("axis", 1));
        at = next;
    }
    nodes.push(node("Identity", "end", &[&at], &["logits"]));
    over(File::of(nodes, Vec::new()).load(), "double");
}

#[test]
fn outer_products_of_constants_are_refused() {
    let n = 1 << 16;
    let nodes = vec![
        node("Mul", "outer", &["a", "b"], &["m"]),
        node("Add", "add", &["input", "m"], &["logits"]),
    ];
    let ramp = |name: &str, dims: &[i64]| floats(name, dims, (0..n).map(|i| i as f32));
    over(
        File::of(nodes, vec![ramp("a", &[n, 1]), ramp("b", &[1, n])]).load(),
        "outer",
    );
}

#[test]
fn bytes_nodes_and_memory_are_counted_first() {
    let file = File::small();
    let bytes = file.bytes();
    let with = |limits: Limits| Model::load(&bytes, card(), Vec::new(), &limits);
    over(
        with(Limits {
            model_bytes: 100,
            ..Limits::default()
        }),
        "size in bytes",
    );
    over(
        with(Limits {
            nodes: 4,
            ..Limits::default()
        }),
        "nodes",
    );
    over(
        with(Limits {
            tensor_values: 100,
            ..Limits::default()
        }),
        "\"w\"",
    );
    over(
        with(Limits {
            memory_bytes: 5_000,
            ..Limits::default()
        }),
        "memory",
    );
    over(
        with(Limits {
            input_side: 7,
            ..Limits::default()
        }),
        "side",
    );
    assert!(with(Limits::default()).is_ok());
}

#[test]
fn activations_are_estimated_from_shapes_alone() {
    let file = File::of(
        vec![
            node("Resize", "grow", &["input", "", "scales"], &["big"]),
            node("Relu", "relu", &["big"], &["r"]),
            node("GlobalAveragePool", "pool", &["r"], &["p"]),
            node("Flatten", "flat", &["p"], &["logits"]).int("axis", 1),
        ],
        vec![floats("scales", &[4], [1.0, 1.0, 500.0, 500.0])],
    );
    let before = peak_kib();
    let limits = Limits {
        memory_bytes: 256 << 20,
        ..Limits::default()
    };
    over(
        Model::load(&file.bytes(), card(), Vec::new(), &limits),
        "estimated memory",
    );
    assert!(file.load().is_ok(), "two maps of 192 MB are below the default limit");
    assert!(peak_kib() - before < 64 << 10, "estimating took memory");
}

#[test]
fn nodes_of_subgraphs_count() {
    let inner = GraphProto {
        node: vec![node("Identity", "", &["input"], &["i"]); 100],
        ..GraphProto::default()
    };
    let branch = node("If", "if", &["c"], &["logits"])
        .graph("then_branch", inner.clone())
        .graph("else_branch", inner);
    let file = File::of(vec![branch], Vec::new());
    over(
        Model::load(
            &file.bytes(),
            card(),
            Vec::new(),
            &Limits {
                nodes: 200,
                ..Limits::default()
            },
        ),
        "nodes",
    );
}

#[test]
fn a_chain_as_long_as_the_limit_loads_or_is_refused_without_overflowing_the_stack() {
    let mut nodes = Vec::new();
    let mut at = "input".to_owned();
    for i in 0..3000 {
        let next = format!("v{i}");
        nodes.push(node("Identity", &format!("n{i}"), &[&at], &[&next]));
        at = next;
    }
    nodes.push(node("GlobalAveragePool", "pool", &[&at], &["p"]));
    nodes.push(node("Flatten", "flat", &["p"], &["logits"]).int("axis", 1));
    nodes.reverse();
    assert_eq!(File::of(nodes, Vec::new()).load().expect("a long chain").classes(), 3);
}

#[test]
fn deep_subgraphs_are_refused() {
    let mut inner = GraphProto {
        output: vec![value("o", DataType::Float, &[1])],
        ..GraphProto::default()
    };
    for _ in 0..100 {
        let branch = node("If", "if", &["c"], &["o"])
            .graph("then_branch", inner.clone())
            .graph("else_branch", GraphProto::default());
        inner = GraphProto {
            node: vec![branch],
            output: vec![value("o", DataType::Float, &[1])],
            ..GraphProto::default()
        };
    }
    let mut file = File::small();
    file.graph.node = inner.node;
    let error = file.load().expect_err("too deep");
    assert!(error.to_string().contains("nest too deep"), "{error}");
}

#[test]
fn truncated_and_random_bytes_never_load_or_panic() {
    let bytes = File::small().bytes();
    for end in 0..bytes.len() {
        // A cut may fall between two fields, and leave a file that is whole but lacks a part.
        if let Ok(model) = load(&bytes[..end]) {
            panic!("{end} of {} bytes loaded: {model:?}", bytes.len());
        }
    }
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    for round in 0..300 {
        let mut noisy = bytes.clone();
        for _ in 0..=(round % 8) {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let at = (state >> 33) as usize % noisy.len();
            noisy[at] = (state >> 20) as u8;
        }
        // Any answer will do, so long as it is one.
        let _ = load(&noisy).map(|m| m.classes());
        let _ = lucarne::graph::inspect::inspect(&noisy, &Limits::default());
    }
}

/// A PNG header that declares `side` × `side` pixels, without them.
fn png_of(side: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    bytes.extend(side.to_be_bytes());
    bytes.extend(side.to_be_bytes());
    bytes.extend([8, 2, 0, 0, 0]);
    let crc = !bytes[12..].iter().fold(!0u32, |crc, &b| {
        (0..8).fold(crc ^ u32::from(b), |c, _| {
            (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg())
        })
    });
    bytes.extend(crc.to_be_bytes());
    bytes.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e\0\0\0\0IEND\xae\x42\x60\x82");
    bytes
}

#[test]
fn a_picture_that_declares_too_many_pixels_is_refused_before_they_are_decoded() {
    let before = peak_kib();
    let error = Picture::decode(&png_of(100_000), &Limits::default()).expect_err("10^10 pixels");
    assert!(
        matches!(
            error,
            lucarne::error::InputError::OverLimit {
                found: 10_000_000_000,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(peak_kib() - before < 64 << 10);
    assert!(
        Picture::decode(&png_of(16), &Limits::default()).is_err(),
        "a picture without its pixels"
    );
    assert!(Picture::from_rgba(2, 2, &[0; 15], &Limits::default()).is_err());
    assert!(Picture::from_rgba(u32::MAX, u32::MAX, &[], &Limits::default()).is_err());
}
