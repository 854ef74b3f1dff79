//! Rules against central differences, and the contract of the transform.

mod contract;
mod operators;
mod windows;

use crate::graph::backward::differentiate;
use crate::graph::fast::{Store, rewrite};
use crate::graph::vjp::prelude::*;

/// Wires `op` under a fresh name.
fn wire(m: &mut TypedModel, op: impl Into<Box<dyn TypedOp>>, inputs: &[OutletId]) -> OutletId {
    let name = format!("node-{}", m.nodes().len());
    m.wire_node(name, op, inputs).unwrap()[0]
}

fn konst(m: &mut TypedModel, tensor: impl IntoArcTensor) -> OutletId {
    let name = format!("const-{}", m.nodes().len());
    m.add_const(name, tensor).unwrap()
}

/// `number` values evenly spread over `range`, in a scrambled order: no two are closer than the spacing.
fn spread(number: usize, range: (f32, f32), seed: usize) -> Vec<f32> {
    let step = (number..8 * number + 64)
        .find(|step| gcd(*step, number) == 1 && *step % 7 == 3 + seed % 3)
        .unwrap();
    let at = |i: usize| ((i * step + seed) % number) as f32;
    (0..number)
        .map(|i| range.0 + (at(i) + 0.5) / number as f32 * (range.1 - range.0))
        .collect()
}

fn gcd(a: usize, b: usize) -> usize {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn tensor(shape: &[usize], range: (f32, f32), seed: usize) -> Tensor {
    let number = shape.iter().product();
    Tensor::from_shape(shape, &spread(number, range, seed)).unwrap()
}

/// Cases that a GPU does not run: places that are computed or written to, and windows over three axes.
const UNCOVERED: [&str; 8] = [
    "3-d",
    "max 3-d",
    "gather at computed places",
    "gather elements",
    "gather n-d",
    "scatter elements",
    "scatter elements, adding",
    "the largest",
];

/// Wires the operator and gives its output.
type Build = Box<dyn Fn(&mut TypedModel, &[OutletId]) -> OutletId>;

/// One operator in a small graph.
struct Case {
    name: &'static str,
    /// Of each source; all are differentiated.
    sources: Vec<(Vec<usize>, (f32, f32))>,
    build: Build,
    /// Step of the differences.
    step: f32,
}

impl Case {
    fn new(
        name: &'static str,
        shapes: &[&[usize]],
        build: impl Fn(&mut TypedModel, &[OutletId]) -> OutletId + 'static,
    ) -> Self {
        let sources = shapes.iter().map(|shape| (shape.to_vec(), (-2.0, 2.0))).collect();
        Self {
            name,
            sources,
            build: Box::new(build),
            step: 1.0 / 256.0,
        }
    }

    /// Draws every source from `range`.
    fn over(mut self, low: f32, high: f32) -> Self {
        self.sources.iter_mut().for_each(|source| source.1 = (low, high));
        self
    }

    /// For operators that are linear in each source: differences are exact at any step.
    fn linear(mut self) -> Self {
        self.step = 0.25;
        self
    }

    fn nonlinear(mut self) -> Self {
        self.step = 1.0 / 256.0;
        self
    }

    fn model(&self) -> (TypedModel, Vec<OutletId>, OutletId) {
        let mut model = TypedModel::default();
        let sources: Vec<OutletId> = self
            .sources
            .iter()
            .enumerate()
            .map(|(i, (shape, _))| model.add_source(format!("x{i}"), f32::fact(&**shape)).unwrap())
            .collect();
        let of = (self.build)(&mut model, &sources);
        model.select_output_outlets(&[of]).unwrap();
        (model, sources, of)
    }

    /// Fails unless the gradients, of the plain graph, the optimised one and the one with kernels, are the central differences.
    fn check(&self) -> Result<(), String> {
        let (model, sources, of) = self.model();
        let shape: Vec<usize> = model.outlet_fact(of).unwrap().shape.as_concrete().unwrap().into();
        let cotangent = tensor(&shape, (-1.0, 1.5), 2);
        let inputs: Vec<Tensor> = self
            .sources
            .iter()
            .enumerate()
            .map(|(i, (shape, range))| tensor(shape, *range, i))
            .collect();
        let graph = differentiate(&model, of, &sources).map_err(|error| error.to_string())?;
        let lowered: Vec<Tensor> = inputs.iter().cloned().chain([cotangent.clone()]).collect();
        match crate::graph::lower::tests::agrees(&graph, &lowered) {
            Ok(()) if UNCOVERED.contains(&self.name) => return Err("it is lowered, against expectation".into()),
            Ok(()) => {}
            Err(why) if UNCOVERED.contains(&self.name) && why.contains("no GPU form") => {}
            Err(why) => return Err(why),
        }
        let forward = model.into_runnable().unwrap();
        let loss = |inputs: &[Tensor]| -> f64 {
            let inputs = inputs.iter().map(|x| x.clone().into_tvalue()).collect();
            let y = forward.run(inputs).unwrap().remove(0);
            values(&y)
                .iter()
                .zip(values(&cotangent))
                .map(|(y, c)| f64::from(*y) * f64::from(c))
                .sum()
        };
        let all: TVec<TValue> = inputs
            .iter()
            .cloned()
            .chain([cotangent.clone()])
            .map(IntoTValue::into_tvalue)
            .collect();
        let plain = graph
            .clone()
            .into_runnable()
            .unwrap()
            .run(all.clone())
            .map_err(|e| format!("plain: {e:#}"))?;
        let run_optimised = |graph: TypedModel| {
            let optimised = graph.into_optimized().map_err(|e| format!("optimising: {e:#}"))?;
            let run = optimised.into_runnable().unwrap().run(all.clone());
            run.map_err(|e| format!("optimised: {e:#}"))
        };
        let fast = rewrite(&graph, &Store::default()).map_err(|e| format!("rewriting: {e:#}"))?;
        let fast = run_optimised(fast)?;
        let optimised = run_optimised(graph)?;
        for (i, input) in inputs.iter().enumerate() {
            let differences: Vec<f64> = (0..input.len())
                .map(|at| {
                    let shifted = |by: f32| {
                        let mut inputs = inputs.clone();
                        inputs[i].try_as_plain_ram_mut().unwrap().as_slice_mut::<f32>().unwrap()[at] += by;
                        loss(&inputs)
                    };
                    let h = self.step;
                    let near = shifted(h) - shifted(-h);
                    let far = shifted(2.0 * h) - shifted(-2.0 * h);
                    (8.0 * near - far) / (12.0 * f64::from(h))
                })
                .collect();
            let largest = differences.iter().fold(0f64, |largest, d| largest.max(d.abs()));
            if largest < 0.05 {
                return Err(format!("x{i} has no gradient to compare"));
            }
            for (which, outputs) in [("plain", &plain), ("optimised", &optimised), ("with kernels", &fast)] {
                if outputs[i + 1].shape() != input.shape() {
                    return Err(format!(
                        "{which}: the gradient of x{i} has the shape {:?}",
                        outputs[i + 1].shape()
                    ));
                }
                let gradient = values(&outputs[i + 1]);
                for (at, (g, d)) in gradient.iter().zip(&differences).enumerate() {
                    let error = (f64::from(*g) - d).abs();
                    if error.is_nan() || error > 1e-3 * largest {
                        return Err(format!(
                            "{which}: d/dx{i}[{at}] is {g}, by differences {d} (of {largest})"
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec()
}

/// Checks all cases, and names every one that fails.
fn check(cases: Vec<Case>) {
    let failures: Vec<String> = cases
        .iter()
        .filter_map(|case| case.check().err().map(|error| format!("{}: {error}", case.name)))
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {} fail:\n{}",
        failures.len(),
        cases.len(),
        failures.join("\n")
    );
}
