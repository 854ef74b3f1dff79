//! How fast the convolutions of three networks are, layer by layer: beside each time the two that it can't be shorter
//! than, that of its multiplications and additions in registers alone, and that of reading its input and weights and
//! writing its output once, as fast as a long copy does.
//!
//! `cargo bench --bench kernels [FILTER]`. Each layer's best time of many short runs is given, in which its arrays are
//! in the caches where they fit; both limits are measured before every network. Sums are given by kind of layer.

use std::hint::black_box;
use std::time::Instant;

use lucarne::kernel::peak::multiply_adds;
use lucarne::kernel::{Conv, Epilogue, Scratch, Window};

/// Seconds of one measurement, at least: so short that other work rarely falls into all of them.
const SPAN: f64 = 1e-3;
const MEASUREMENTS: usize = 40;
/// Values of a copy that no cache holds.
const COPIED: usize = 16 << 20;

/// A convolution with padding to half its kernel.
#[derive(Clone, Copy, PartialEq)]
struct Layer {
    size: usize,
    kernel: usize,
    stride: usize,
    channels: [usize; 2],
    groups: usize,
}

impl Layer {
    const fn new(size: usize, kernel: usize, stride: usize, channels: [usize; 2], groups: usize) -> Self {
        Self {
            size,
            kernel,
            stride,
            channels,
            groups,
        }
    }

    /// Height and width of the output.
    fn made(&self) -> usize {
        (self.size + self.kernel / 2 * 2 - self.kernel) / self.stride + 1
    }

    /// Operations, two for each multiplication with its addition.
    fn operations(&self) -> f64 {
        let [from, to] = self.channels;
        (2 * self.made().pow(2) * self.kernel.pow(2) * (from / self.groups) * to) as f64
    }

    /// Bytes of input, weights and output.
    fn bytes(&self) -> f64 {
        let [from, to] = self.channels;
        let weights = self.kernel.pow(2) * (from / self.groups) * to;
        (4 * (from * self.size.pow(2) + weights + to * self.made().pow(2))) as f64
    }

    /// The kind of layer that sums are given of.
    fn kind(&self) -> &'static str {
        match (self.groups, self.kernel) {
            (2.., _) => "depthwise",
            (_, 1) => "pointwise",
            _ => "others",
        }
    }

    /// Best time of one run, in seconds.
    fn time(&self) -> f64 {
        let [from, to] = self.channels;
        let window = Window {
            input: [self.size; 2],
            output: [self.made(); 2],
            kernel: [self.kernel; 2],
            stride: [self.stride; 2],
            dilation: [1; 2],
            before: [self.kernel / 2; 2],
        };
        let values = |n: usize| {
            (0..n)
                .map(|i| (i * 7919 % 1013) as f32 / 1013.0 - 0.5)
                .collect::<Vec<_>>()
        };
        let weights = values(to * (from / self.groups) * self.kernel.pow(2));
        let epilogue = Epilogue {
            bias: Some(values(to)),
            low: 0.0,
            high: 6.0,
        };
        let conv = Conv::new(window, self.channels, self.groups, &weights, epilogue);
        let input = values(from * self.size.pow(2));
        let mut output = vec![0.0; to * self.made().pow(2)];
        let mut scratch = Scratch::default();
        best(|| {
            conv.run(black_box(&input), None, black_box(&mut output), None, &mut scratch);
        })
    }
}

/// Best time of one run of `run` in seconds.
fn best(mut run: impl FnMut()) -> f64 {
    let mut time = |repeats: usize| {
        let start = Instant::now();
        (0..repeats).for_each(|_| run());
        start.elapsed().as_secs_f64() / repeats as f64
    };
    let first = time(1).min(time(1));
    let repeats = (SPAN / first).ceil() as usize;
    (0..MEASUREMENTS).fold(first, |best, _| best.min(time(repeats)))
}

fn resnet18() -> Vec<Layer> {
    let mut layers = vec![Layer::new(224, 7, 2, [3, 64], 1)];
    layers.extend([Layer::new(56, 3, 1, [64, 64], 1); 4]);
    for (size, from) in [(56, 64), (28, 128), (14, 256)] {
        let to = 2 * from;
        layers.push(Layer::new(size, 3, 2, [from, to], 1));
        layers.push(Layer::new(size, 1, 2, [from, to], 1));
        layers.extend([Layer::new(size / 2, 3, 1, [to, to], 1); 3]);
    }
    layers.push(Layer::new(1, 1, 1, [512, 1000], 1));
    layers
}

/// A network of inverted residuals from its table: expansion, channels, repeats, stride and kernel of each stage.
fn mobile(stages: &[(usize, usize, usize, usize, usize)]) -> Vec<Layer> {
    let mut layers = vec![Layer::new(224, 3, 2, [3, 32], 1)];
    let (mut size, mut from) = (112, 32);
    for &(expansion, to, repeats, stride, kernel) in stages {
        for repeat in 0..repeats {
            let stride = if repeat == 0 { stride } else { 1 };
            let wide = from * expansion;
            if expansion > 1 {
                layers.push(Layer::new(size, 1, 1, [from, wide], 1));
            }
            layers.push(Layer::new(size, kernel, stride, [wide, wide], wide));
            size /= stride;
            layers.push(Layer::new(size, 1, 1, [wide, to], 1));
            from = to;
        }
    }
    layers.push(Layer::new(size, 1, 1, [from, 1280], 1));
    layers.push(Layer::new(1, 1, 1, [1280, 1000], 1));
    layers
}

fn main() {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    let networks = [
        ("resnet18", resnet18()),
        (
            "mobilenetv2",
            mobile(&[
                (1, 16, 1, 1, 3),
                (6, 24, 2, 2, 3),
                (6, 32, 3, 2, 3),
                (6, 64, 4, 2, 3),
                (6, 96, 3, 1, 3),
                (6, 160, 3, 2, 3),
                (6, 320, 1, 1, 3),
            ]),
        ),
        (
            "efficientnet-lite0",
            mobile(&[
                (1, 16, 1, 1, 3),
                (6, 24, 2, 2, 3),
                (6, 40, 2, 2, 5),
                (6, 80, 3, 2, 3),
                (6, 112, 3, 1, 5),
                (6, 192, 4, 2, 5),
                (6, 320, 1, 1, 3),
            ]),
        ),
    ];
    for (name, layers) in networks {
        if filter.as_ref().is_some_and(|f| !name.contains(f.as_str())) {
            continue;
        }
        let rounds = 100_000;
        let peak = multiply_adds(rounds) as f64 / best(|| _ = black_box(multiply_adds(rounds))) / 1e9;
        let from = vec![1.0_f32; COPIED];
        let mut to = vec![0.0_f32; COPIED];
        let copied = best(|| black_box(&mut to).copy_from_slice(black_box(&from)));
        let memory = (2 * 4 * COPIED) as f64 / copied / 1e9;
        println!("{name}: {peak:.0} GFLOP/s in registers, {memory:.0} GB/s copied");
        println!("  {:<38} {:>8}    {:>8} {:>8}", "", "ms", "products", "memory");
        let mut timed: Vec<(Layer, f64)> = Vec::new();
        let mut sums: Vec<(&str, [f64; 3])> = Vec::new();
        for layer in layers {
            let known = timed.iter().find(|(l, _)| *l == layer).map(|(_, time)| *time);
            let time = known.unwrap_or_else(|| layer.time());
            let ms = [
                time * 1e3,
                layer.operations() / peak / 1e6,
                layer.bytes() / memory / 1e6,
            ];
            for kind in [layer.kind(), "all layers"] {
                match sums.iter_mut().find(|(k, _)| *k == kind) {
                    Some((_, sum)) => sum.iter_mut().zip(ms).for_each(|(sum, ms)| *sum += ms),
                    None => sums.push((kind, ms)),
                }
            }
            if known.is_none() {
                timed.push((layer, time));
                let [from, to] = layer.channels;
                let Layer {
                    size, kernel, stride, ..
                } = layer;
                let groups = if layer.groups > 1 { " depthwise" } else { "" };
                row(&format!("{size}² {kernel}×{kernel}/{stride} {from} → {to}{groups}"), ms);
            }
        }
        for (kind, ms) in sums {
            row(kind, ms);
        }
    }
}

/// Prints a time and its two limits.
fn row(name: &str, [time, products, memory]: [f64; 3]) {
    let share = 100.0 * products.max(memory) / time;
    println!("  {name:<38} {time:>8.3} ms {products:>8.3} {memory:>8.3} {share:>5.0} %");
}
