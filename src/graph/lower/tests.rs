//! Lowered graphs, run as their description says, against what tract computes of the same graphs.

use std::path::{Path, PathBuf};

use tract_onnx::prelude::IntoRunnable;
use tract_onnx::tract_core::internal::{IntoTValue, Tensor as Array, TypedModel};

use super::{NotLowered, lower};
use crate::gpu::{ir::Graph, reference};
use crate::graph::{Network, inspect};
use crate::model::{Limits, ModelCard};
use crate::program::{Backward, LayerRule, Lrp, Program, Rules, Start, Wrt};
use crate::{Tensor, npy};

/// The largest difference, of the largest magnitude of `expected`.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let largest = expected.iter().fold(1e-3_f32, |m, v| m.max(v.abs()));
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    worst.fold(0f32, |m, d| if d.is_nan() { f32::INFINITY } else { m.max(d) }) / largest
}

/// Whether `model` computes the same lowered as tract does with it as it is.
pub(in crate::graph) fn agrees(model: &TypedModel, inputs: &[Array]) -> Result<(), String> {
    let graph = lower(model).map_err(|why| why.to_string())?;
    let plain = |t: &Array| t.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec();
    let found = reference::run(&graph, &inputs.iter().map(plain).collect::<Vec<_>>());
    let given = inputs.iter().map(|x| x.clone().into_tvalue()).collect();
    let expected = model.clone().into_runnable().unwrap().run(given).unwrap();
    for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let shape = graph.shape(graph.outputs[k]);
        if shape != expected.shape() {
            return Err(format!("result {k} has the shape {shape:?}"));
        }
        let error = difference(found, &plain(expected));
        if error > 1e-5 {
            return Err(format!("result {k} differs by {error:e} once lowered"));
        }
    }
    Ok(())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every network of `tests/nets` with a picture for it, `[C, H, W]`.
fn networks() -> Vec<(String, Network, Tensor)> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(root().join("tests/nets"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "onnx"))
        .collect();
    files.sort();
    let load = |path: PathBuf| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let picture = std::fs::read(root().join(format!("tests/golden/inputs/{name}-0.npy"))).ok()?;
        let bytes = std::fs::read(path).unwrap();
        let card = inspect::inspect(&bytes, &Limits::default()).unwrap().card;
        let network = Network::import(&bytes, &card, &Limits::default()).unwrap();
        Some((name, network, npy::read(&picture).unwrap()))
    };
    files.into_iter().filter_map(load).collect()
}

fn run(graph: &Graph, inputs: &[Tensor]) -> Vec<Tensor> {
    let inputs: Vec<Vec<f32>> = inputs.iter().map(|t| t.data().to_vec()).collect();
    let outputs = reference::run(graph, &inputs);
    let shapes = graph.outputs.iter().map(|&id| graph.shape(id));
    shapes
        .zip(outputs)
        .map(|(shape, data)| Tensor::new(shape, data))
        .collect()
}

/// Pictures that differ by contrast, cotangents and, for the rules that compare, baselines.
fn inputs(network: &Network, picture: &Tensor, n: usize, program: &Program) -> Vec<Tensor> {
    let contrast = |by: f32| Tensor::new(picture.shape(), picture.data().iter().map(|v| v * by).collect());
    let pictures: Vec<Tensor> = (0..n).map(|i| contrast(1.0 - 0.15 * i as f32)).collect();
    let mut inputs = vec![Tensor::stack(&pictures)];
    if let Some(layer) = program.replaced {
        let shape = [&[n], network.layers()[layer].shape.as_slice()].concat();
        inputs.push(Tensor::from_fn(&shape, |i| ((i * 31) % 17) as f32 / 17.0 - 0.4));
    }
    if program.backward.is_some() {
        let weight = |i: usize| ((3 * i + 5) % 7) as f32 / 3.0 - 0.9;
        inputs.push(Tensor::from_fn(&[n, network.classes()], weight));
    }
    inputs
}

/// What a program gives for one of some pictures: by its plan, lowered for all of them together, and in `f64`.
struct Row {
    planned: Vec<Tensor>,
    lowered: Vec<Tensor>,
    exact: Vec<Tensor>,
}

impl Row {
    fn worst(found: &[Tensor], expected: &[Tensor]) -> f32 {
        assert_eq!(found.len(), expected.len());
        let pairs = found.iter().zip(expected);
        pairs.fold(0.0, |worst: f32, (found, expected)| {
            assert_eq!(found.shape(), expected.shape());
            worst.max(difference(found.data(), expected.data()))
        })
    }
}

fn rows(network: &Network, picture: &Tensor, n: usize, program: &Program) -> Result<Vec<Row>, NotLowered> {
    let graph = network.lowered(n, program)?;
    let inputs = inputs(network, picture, n, program);
    let given: Vec<Vec<f32>> = inputs.iter().map(|t| t.data().to_vec()).collect();
    let shapes = graph.outputs.iter().map(|&id| graph.shape(id));
    let exact: Vec<Tensor> = shapes
        .zip(reference::exact(&graph, &given))
        .map(|(shape, values)| Tensor::new(shape, values.into_iter().map(|v| v as f32).collect()))
        .collect();
    let lowered = run(&graph, &inputs);
    let plan = network.plan(1, program).unwrap();
    let of = |all: &[Tensor], i: usize| all.iter().map(|t| t.rows(i, i + 1)).collect::<Vec<_>>();
    let row = |i: usize| Row {
        planned: plan.run(&of(&inputs, i).iter().collect::<Vec<_>>()).unwrap(),
        lowered: of(&lowered, i),
        exact: of(&exact, i),
    };
    Ok((0..n).map(row).collect())
}

/// The largest difference between `program` lowered for `n` pictures and its plan for one.
fn error(network: &Network, picture: &Tensor, n: usize, program: &Program) -> Result<f32, NotLowered> {
    let rows = rows(network, picture, n, program)?;
    let errors = rows.iter().map(|row| Row::worst(&row.lowered, &row.planned));
    Ok(errors.fold(0.0, f32::max))
}

#[test]
fn networks_are_themselves_once_lowered() {
    let networks = networks();
    assert!(networks.len() > 20, "only {} networks have a picture", networks.len());
    let (mut failures, mut single) = (vec![], vec![]);
    for (name, network, picture) in &networks {
        let layers: Vec<usize> = network.default_layer().into_iter().collect();
        let wrt: Vec<Wrt> = [Wrt::Input]
            .into_iter()
            .chain(layers.iter().copied().map(Wrt::Layer))
            .collect();
        let mut programs = vec![Program::forward(&layers), Program::gradient(&wrt)];
        programs.extend(layers.first().map(|&layer| Program {
            replaced: Some(layer),
            ..Program::default()
        }));
        for (k, program) in programs.iter().enumerate() {
            let n = if network.lowered(2, program).is_ok() { 2 } else { 1 };
            if n == 1 && k == 0 {
                single.push(name.as_str());
            }
            match error(network, picture, n, program) {
                Ok(error) if error < 1e-4 => {}
                Ok(error) => failures.push(format!("{name}, program {k}: {error:e}")),
                Err(why) => failures.push(format!("{name}, program {k}: {why}")),
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    // Traced with the batch written into their shapes.
    assert_eq!(single, ["pooled-vit", "tiny-vit", "windowed-vit"]);
}

#[test]
fn rules_are_themselves_once_lowered() {
    let lrp = |rule: LayerRule| {
        Rules::Lrp(Lrp {
            conv: rule.clone(),
            dense: LayerRule::Epsilon(1e-3),
            first_conv: None,
            first_dense: None,
            stabiliser: 1e-6,
            biases: true,
            start: Start::Answer,
        })
    };
    let rules = [
        Rules::GuidedRelu,
        Rules::DeconvRelu,
        Rules::FullGradient,
        lrp(LayerRule::Gamma(0.25)),
        lrp(LayerRule::ZPlus),
        lrp(LayerRule::Flat),
    ];
    let kept = ["plain", "residual", "dense-concat", "depthwise-se"];
    for (name, network, picture) in networks().iter().filter(|(name, ..)| kept.contains(&name.as_str())) {
        for rules in &rules {
            let program = Program::backward(rules.clone(), &[Wrt::Input]);
            let n = if *rules == Rules::FullGradient { 1 } else { 2 };
            for row in rows(network, picture, n, &program).unwrap_or_else(|why| panic!("{name}, {rules:?}: {why}")) {
                // LRP divides by sums that may be close to 0, which enlarges any rounding: where the processor itself is
                // farther than this from the rule in f64, no other order of sums needs to be nearer.
                let plain = Row::worst(&row.planned, &row.exact);
                let lowered = Row::worst(&row.lowered, &row.exact);
                let apart = Row::worst(&row.lowered, &row.planned);
                println!(
                    "{name}, {rules:?}: the processor is off by {plain:e}, lowered by {lowered:e}, apart {apart:e}"
                );
                let divides = matches!(rules, Rules::Lrp(_));
                let level = if divides { f32::max(1e-4, plain) } else { 1e-4 };
                assert!(lowered < level, "{name}, {rules:?}: {lowered:e} from f64");
                assert!(divides || apart < 1e-4, "{name}, {rules:?}: {apart:e} from the plan");
            }
        }
        // Slopes between two points are taken in f64, by purpose.
        let program = Program::backward(Rules::DeepLift, &[Wrt::Input]);
        match network.lowered(1, &program) {
            Err(NotLowered::Uncovered { op, .. }) => assert_eq!(op, "Secant", "{name}"),
            other => panic!("{name}: {:?}", other.map(|_| ())),
        }
    }
}

#[test]
fn bundled_networks_lower_whole() {
    for id in ["efficientnet-lite0", "objects"] {
        let folder = root().join("models").join(id);
        let card = ModelCard::parse(&std::fs::read_to_string(folder.join("card.toml")).unwrap()).unwrap();
        let bytes = std::fs::read(folder.join(&card.file)).unwrap();
        let network = Network::import(&bytes, &card, &Limits::default()).unwrap();
        let layer = network.default_layer().unwrap();
        for program in [
            Program::forward(&[layer]),
            Program::gradient(&[Wrt::Input, Wrt::Layer(layer)]),
        ] {
            let graph = network.lowered(4, &program).unwrap();
            assert_eq!(graph.shape(graph.outputs[0]), [4, network.classes()], "{id}");
            assert_eq!(graph.outputs.len(), 2 + usize::from(program.backward.is_some()), "{id}");
        }
    }
}

#[test]
fn pictures_with_missing_values_stay_on_the_processor() {
    let (_, network, _) = networks().swap_remove(0);
    let missing = Program {
        missing: true,
        ..Program::default()
    };
    assert_eq!(network.lowered(1, &missing).err(), Some(NotLowered::Missing));
    let nowhere = Program {
        backward: Some(Backward {
            of: Some(10_000),
            ..Backward::default()
        }),
        ..Program::default()
    };
    assert!(matches!(network.lowered(1, &nowhere), Err(NotLowered::Invalid { .. })));
}
