//! Dense ReLU networks in f64, differentiated by their gates.

/// One layer: weights `[outputs][inputs]` and bias.
pub type Layer = (Vec<Vec<f32>>, Vec<f32>);

fn dense((weights, bias): &Layer, x: &[f64]) -> Vec<f64> {
    weights
        .iter()
        .zip(bias)
        .map(|(row, &b)| f64::from(b) + row.iter().zip(x).map(|(&w, x)| f64::from(w) * x).sum::<f64>())
        .collect()
}

/// Values before each ReLU, then the logits.
pub fn activations(layers: &[Layer], x: &[f64]) -> Vec<Vec<f64>> {
    let mut out: Vec<Vec<f64>> = Vec::new();
    for layer in layers {
        let from = out
            .last()
            .map_or_else(|| x.to_vec(), |z| z.iter().map(|v| v.max(0.0)).collect());
        out.push(dense(layer, &from));
    }
    out
}

/// The logit of `class`.
pub fn logit(layers: &[Layer], x: &[f64], class: usize) -> f64 {
    activations(layers, x).last().expect("a network has a layer")[class]
}

/// The gradient of the logit of `class`: weights multiplied backwards, rows of closed gates left out.
pub fn gradient(layers: &[Layer], x: &[f64], class: usize) -> Vec<f64> {
    let z = activations(layers, x);
    let mut adjoint: Vec<f64> = (0..z[z.len() - 1].len())
        .map(|k| f64::from(u8::from(k == class)))
        .collect();
    for (i, (weights, _)) in layers.iter().enumerate().rev() {
        if i + 1 < layers.len() {
            for (a, z) in adjoint.iter_mut().zip(&z[i]) {
                *a *= f64::from(u8::from(*z > 0.0));
            }
        }
        adjoint = (0..weights[0].len())
            .map(|j| weights.iter().zip(&adjoint).map(|(row, a)| f64::from(row[j]) * a).sum())
            .collect();
    }
    adjoint
}

/// Integrated gradients of a network of at most two layers from a baseline of zeros, exactly: along the line every gate
/// opens or closes at most once, and between these places the gradient is constant.
pub fn integrated_gradients(layers: &[Layer], x: &[f64], class: usize) -> Vec<f64> {
    assert!(layers.len() <= 2, "gates of deeper layers may switch more than once");
    let start = &activations(layers, &vec![0.0; x.len()])[0];
    let end = &activations(layers, x)[0];
    let mut cuts: Vec<f64> = start
        .iter()
        .zip(end)
        .map(|(a, b)| a / (a - b))
        .filter(|t| (0.0..1.0).contains(t))
        .chain([0.0, 1.0])
        .collect();
    cuts.sort_by(f64::total_cmp);
    let mut sum = vec![0.0; x.len()];
    for pair in cuts.windows(2) {
        let middle = f64::midpoint(pair[0], pair[1]);
        let point: Vec<f64> = x.iter().map(|v| v * middle).collect();
        for (sum, g) in sum.iter_mut().zip(gradient(layers, &point, class)) {
            *sum += (pair[1] - pair[0]) * g;
        }
    }
    sum.iter().zip(x).map(|(g, x)| g * x).collect()
}

/// How far the nearest ReLU of the first layer is from its kink, relative to the largest.
pub fn margin(layers: &[Layer], x: &[f64]) -> f64 {
    let z = &activations(layers, x)[0];
    let top = z.iter().fold(0.0f64, |top, v| top.max(v.abs()));
    z.iter().fold(f64::INFINITY, |low, v| low.min(v.abs())) / top.max(1e-30)
}
