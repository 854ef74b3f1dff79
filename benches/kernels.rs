//! How fast the convolutions of three networks are, layer by layer: beside each time the two that it can't be shorter
//! than, that of its multiplications and additions in registers alone, and that of reading its input and weights and
//! writing its output once, as fast as a long copy does.
//!
//! `cargo bench --bench kernels [FILTER]`. Each layer's best time of many short runs is given, in which its arrays are
//! in the caches where they fit; both limits are measured before every network. Sums are given by kind of layer.
//!
//! The kernels are compiled into this file, so that it is also a small WebAssembly module: the page's benchmark runs it
//! in the browser (`cargo xtask bench --page`).

use std::hint::black_box;

#[allow(dead_code, unused_imports, reason = "pooling and adjoints are not timed here")]
#[path = "../src/kernel/mod.rs"]
mod kernel;

use kernel::peak::multiply_adds;
use kernel::{Conv, Epilogue, Scratch, Window};

/// Seconds of one measurement, at least: so short that other work rarely falls into all of them, and long beside a tick of
/// the clock, which is a tenth of a millisecond in browsers.
const SPAN: f64 = if cfg!(target_arch = "wasm32") { 4e-3 } else { 1e-3 };
const MEASUREMENTS: usize = if cfg!(target_arch = "wasm32") { 20 } else { 40 };
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

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            size, kernel, stride, ..
        } = self;
        let [from, to] = self.channels;
        let groups = if self.groups > 1 { " depthwise" } else { "" };
        write!(f, "{size}² {kernel}×{kernel}/{stride} {from} → {to}{groups}")
    }
}

/// Best time of one run of `run` in seconds.
fn best(mut run: impl FnMut()) -> f64 {
    let mut time = |repeats: usize| {
        let start = seconds();
        (0..repeats).for_each(|_| run());
        (seconds() - start) / repeats as f64
    };
    // A tick, where that is longer than the run.
    let first = time(1).min(time(1)).max(1e-4);
    let first = time((SPAN / first).ceil() as usize);
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

fn squeezenet() -> Vec<Layer> {
    let mut layers = vec![Layer::new(224, 3, 2, [3, 64], 1)];
    // Without padding, each plane is a place or two smaller than this.
    for (size, from, squeezed, expanded) in [
        (55, 64, 16, 64),
        (55, 128, 16, 64),
        (27, 128, 32, 128),
        (27, 256, 32, 128),
        (13, 256, 48, 192),
        (13, 384, 48, 192),
        (13, 384, 64, 256),
        (13, 512, 64, 256),
    ] {
        layers.push(Layer::new(size, 1, 1, [from, squeezed], 1));
        layers.push(Layer::new(size, 1, 1, [squeezed, expanded], 1));
        layers.push(Layer::new(size, 3, 1, [squeezed, expanded], 1));
    }
    layers.push(Layer::new(13, 1, 1, [512, 1000], 1));
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

/// A layer with its times in milliseconds: the best run's, and both limits.
struct Timed {
    layer: Layer,
    ms: [f64; 3],
    /// How often the network has it.
    times: usize,
}

/// One network: GFLOP/s in registers, GB/s of a long copy, and its layers.
struct Found {
    peak: f64,
    copied: f64,
    layers: Vec<Timed>,
}

fn measure(layers: Vec<Layer>) -> Found {
    let rounds = 100_000;
    let peak = multiply_adds(rounds) as f64 / best(|| _ = black_box(multiply_adds(rounds))) / 1e9;
    let from = vec![1.0_f32; COPIED];
    let mut to = vec![0.0_f32; COPIED];
    let copying = best(|| black_box(&mut to).copy_from_slice(black_box(&from)));
    let copied = (2 * 4 * COPIED) as f64 / copying / 1e9;
    let mut found: Vec<Timed> = Vec::new();
    for layer in layers {
        match found.iter_mut().find(|timed| timed.layer == layer) {
            Some(known) => known.times += 1,
            None => found.push(Timed {
                ms: [
                    layer.time() * 1e3,
                    layer.operations() / peak / 1e6,
                    layer.bytes() / copied / 1e6,
                ],
                layer,
                times: 1,
            }),
        }
    }
    Found {
        peak,
        copied,
        layers: found,
    }
}

/// The networks that engines are compared on, as `benches/networks` calls them.
fn networks() -> [(&'static str, Vec<Layer>); 4] {
    let mobilenet = [
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 32, 3, 2, 3),
        (6, 64, 4, 2, 3),
        (6, 96, 3, 1, 3),
        (6, 160, 3, 2, 3),
        (6, 320, 1, 1, 3),
    ];
    let efficientnet = [
        (1, 16, 1, 1, 3),
        (6, 24, 2, 2, 3),
        (6, 40, 2, 2, 5),
        (6, 80, 3, 2, 3),
        (6, 112, 3, 1, 5),
        (6, 192, 4, 2, 5),
        (6, 320, 1, 1, 3),
    ];
    [
        ("efficientnet-lite0", mobile(&efficientnet)),
        ("mobilenet-v2", mobile(&mobilenet)),
        ("squeezenet-1-1", squeezenet()),
        ("resnet-18", resnet18()),
    ]
}

#[cfg(not(target_arch = "wasm32"))]
fn main() {
    let filter = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    for (name, layers) in networks() {
        if filter.as_ref().is_some_and(|f| !name.contains(f.as_str())) {
            continue;
        }
        let Found { peak, copied, layers } = measure(layers);
        println!("{name}: {peak:.0} GFLOP/s in registers, {copied:.0} GB/s copied");
        println!("  {:<38} {:>8}    {:>8} {:>8}", "", "ms", "products", "memory");
        let mut sums: Vec<(&str, [f64; 3])> = Vec::new();
        for Timed { layer, ms, times } in layers {
            row(&layer.to_string(), ms);
            for kind in [layer.kind(), "all layers"] {
                if !sums.iter().any(|(k, _)| *k == kind) {
                    sums.push((kind, [0.0; 3]));
                }
                for (_, sum) in sums.iter_mut().filter(|(k, _)| *k == kind) {
                    sum.iter_mut().zip(ms).for_each(|(sum, ms)| *sum += times as f64 * ms);
                }
            }
        }
        for (kind, ms) in sums {
            row(kind, ms);
        }
    }
}

/// Prints a time and its two limits.
#[cfg(not(target_arch = "wasm32"))]
fn row(name: &str, [time, products, memory]: [f64; 3]) {
    let share = 100.0 * products.max(memory) / time;
    println!("  {name:<38} {time:>8.3} ms {products:>8.3} {memory:>8.3} {share:>5.0} %");
}

/// Seconds since some moment.
#[cfg(not(target_arch = "wasm32"))]
fn seconds() -> f64 {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed().as_secs_f64()
}

/// What `www/src/bench/layers.ts` gives the module and asks of it.
#[cfg(target_arch = "wasm32")]
mod host {
    use super::{Found, Timed, measure, networks};

    #[link(wasm_import_module = "host")]
    unsafe extern "C" {
        /// Milliseconds since some moment.
        pub safe fn now() -> f64;
        /// Takes `length` bytes of text at `start`.
        safe fn say(start: *const u8, length: usize);
    }

    /// Says, as JSON, what was found of network `index`, `null` beyond the last.
    #[unsafe(no_mangle)]
    extern "C" fn layers(index: usize) {
        let Some((name, layers)) = networks().into_iter().nth(index) else {
            return say("null".as_ptr(), 4);
        };
        let Found { peak, copied, layers } = measure(layers);
        let layer = |Timed { layer, ms, times }: &Timed| {
            let [ms, products, memory] = ms;
            let kind = layer.kind();
            format!(
                r#"{{"layer":"{layer}","kind":"{kind}","times":{times},"ms":{ms},"products":{products},"memory":{memory}}}"#
            )
        };
        let layers: Vec<String> = layers.iter().map(layer).collect();
        let layers = layers.join(",");
        let text = format!(r#"{{"network":"{name}","peak":{peak},"copied":{copied},"layers":[{layers}]}}"#);
        say(text.as_ptr(), text.len());
    }
}

#[cfg(target_arch = "wasm32")]
fn seconds() -> f64 {
    host::now() / 1e3
}
