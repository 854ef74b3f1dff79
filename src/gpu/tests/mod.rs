//! Kernels against the definitions, on a software adapter. Without one the tests are skipped, unless the environment says
//! `LUCARNE_REQUIRE_GPU=1`.

mod operators;
mod programs;

use std::sync::Arc;

use super::ir::{Graph, Op, ValueId};
use super::wgsl::Target;
use super::{Gpu, Options, reference};
use crate::Tensor;

/// The device, or nothing if there is none and none is required.
fn gpu() -> Option<Gpu> {
    match pollster::block_on(Gpu::open(Options { software: true })) {
        Ok(gpu) => {
            println!("on {:?}", gpu.adapter());
            Some(gpu)
        }
        Err(why) => {
            let required = std::env::var_os("LUCARNE_REQUIRE_GPU").is_some_and(|v| v == "1");
            assert!(!required, "{why}");
            println!("skipped: {why}");
            None
        }
    }
}

/// Numbers between -1 and 1 without a pattern that shapes could hide.
fn noise(len: usize, salt: u32) -> Vec<f32> {
    (0..len as u32)
        .map(|i| {
            let mut v = (i ^ (salt << 16)).wrapping_mul(0x9e37_79b9);
            v = (v ^ (v >> 15)).wrapping_mul(0x85eb_ca6b);
            v = (v ^ (v >> 13)).wrapping_mul(0xc2b2_ae35);
            ((v ^ (v >> 16)) >> 8) as f32 / 8_388_608.0 - 1.0
        })
        .collect()
}

/// A graph under construction, with inputs and constants of noise.
#[derive(Default)]
struct Case {
    graph: Graph,
    inputs: Vec<Vec<f32>>,
    salt: u32,
}

impl Case {
    fn input(&mut self, shape: &[usize]) -> ValueId {
        self.salt += 1;
        let values = noise(shape.iter().product(), self.salt);
        self.given(shape, values)
    }

    fn given(&mut self, shape: &[usize], values: Vec<f32>) -> ValueId {
        self.inputs.push(values);
        self.graph.input(shape)
    }

    fn constant(&mut self, shape: &[usize]) -> ValueId {
        self.salt += 1;
        let values: Arc<[f32]> = noise(shape.iter().product(), self.salt + 1000).into();
        self.graph.constant(shape, values)
    }

    fn push(&mut self, op: Op, inputs: &[ValueId]) -> ValueId {
        self.graph.push(op, inputs).expect("it is well formed")
    }

    fn output(&mut self, id: ValueId) {
        self.graph.outputs.push(id);
    }

    fn tensors(&self) -> Vec<Tensor> {
        let shapes = self.graph.inputs.iter().map(|&id| self.graph.shape(id));
        shapes
            .zip(&self.inputs)
            .map(|(shape, v)| Tensor::new(shape, v.clone()))
            .collect()
    }

    fn run(&self, gpu: &Gpu, target: Target) -> Vec<Tensor> {
        let compiled = pollster::block_on(gpu.compile_for(&self.graph, target));
        let compiled = compiled.unwrap_or_else(|why| panic!("{why}"));
        pollster::block_on(compiled.run(&self.tensors())).unwrap_or_else(|why| panic!("{why}"))
    }

    /// The largest difference from the definitions, over the largest value or 1.
    fn error(&self, gpu: &Gpu, target: Target) -> f32 {
        let expected = reference::run(&self.graph, &self.inputs);
        let mut worst = 0f32;
        for (found, expected) in self.run(gpu, target).iter().zip(&expected) {
            let largest = expected
                .iter()
                .filter(|v| v.is_finite())
                .fold(1f32, |m, v| m.max(v.abs()));
            for (f, e) in found.data().iter().zip(expected) {
                let same = f.to_bits() == e.to_bits() || (f.is_nan() && e.is_nan());
                // Beyond what 16 bits hold.
                let same = same || (target.half && e.abs() > 60_000.0);
                let difference = if same { 0.0 } else { (f - e).abs() / largest };
                worst = if difference.is_finite() {
                    worst.max(difference)
                } else {
                    f32::INFINITY
                };
            }
        }
        worst
    }

    /// Checks all variants of the kernels.
    fn check(&self, gpu: &Gpu, name: &str, tolerance: f32) {
        let tiled = |op: &Op| matches!(op, Op::Conv { .. } | Op::ConvTransposed { .. } | Op::Contract(_));
        let variants = if self.graph.nodes.iter().any(|n| tiled(&n.op)) {
            2
        } else {
            1
        };
        for tiles in [false, true].into_iter().take(variants) {
            let error = self.error(gpu, Target { half: false, tiles });
            assert!(error <= tolerance, "{name} (tiles: {tiles}): {error}");
        }
        if gpu.adapter().half {
            let target = Target {
                half: true,
                tiles: false,
            };
            let error = self.error(gpu, target);
            assert!(error <= 0.01, "{name} with 16 bits: {error}");
        }
    }
}
