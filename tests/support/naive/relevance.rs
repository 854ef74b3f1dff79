//! Relevance propagation as the papers write it, in f64: every layer an explicit matrix, every rule a share for each pair
//! of an input and an output. Nothing is shared with the crate, which works with changed layers instead.

use super::mlp::Layer;

/// Bach et al. 2015 (epsilon, alpha-beta), Montavon et al. 2017 (z⁺, z-box, w²), Lapuschkin et al. 2019 (flat), Montavon
/// et al. 2019 (gamma), here for inputs of both signs as Andéol et al. 2021 write it.
#[derive(Clone, Copy, Debug)]
pub enum Rule {
    Epsilon(f64),
    Gamma(f64),
    AlphaBeta(f64),
    ZBox(f64, f64),
    WSquare,
    Flat,
}

/// What is added to a denominator that must not be 0, away from it.
const STABILISER: f64 = 1e-6;

fn stable(z: f64, by: f64) -> f64 {
    if z < 0.0 { z - by } else { z + by }
}

/// What each input gets of an output's relevance. The bias takes its share where it is `counted`; which sign the output
/// has, it has a part in anyhow.
fn messages(rule: Rule, x: &[f64], row: &[f64], bias: f64, counted: bool, relevance: f64) -> Vec<f64> {
    let products: Vec<f64> = row.iter().zip(x).map(|(w, x)| w * x).collect();
    let z = products.iter().sum::<f64>() + bias;
    let bias = if counted { bias } else { 0.0 };
    let share = |parts: &[f64], of_bias: f64, by: f64| -> Vec<f64> {
        let total = stable(parts.iter().sum::<f64>() + of_bias, by);
        parts.iter().map(|p| p / total * relevance).collect()
    };
    let map = |f: &dyn Fn(f64) -> f64| products.iter().map(|&p| f(p)).collect::<Vec<_>>();
    match rule {
        Rule::Epsilon(epsilon) => share(&products, bias, epsilon),
        Rule::Gamma(_) if z == 0.0 => vec![0.0; x.len()],
        Rule::Gamma(gamma) => {
            let favoured = |p: f64| if (p > 0.0) == (z > 0.0) { p * (1.0 + gamma) } else { p };
            share(&map(&favoured), favoured(bias), STABILISER)
        }
        Rule::AlphaBeta(alpha) => {
            let up = share(&map(&|p| p.max(0.0)), bias.max(0.0), STABILISER);
            let down = share(&map(&|p| p.min(0.0)), bias.min(0.0), STABILISER);
            up.iter()
                .zip(down)
                .map(|(u, d)| alpha * u - (alpha - 1.0) * d)
                .collect()
        }
        Rule::ZBox(low, high) => {
            let parts: Vec<f64> = row
                .iter()
                .zip(&products)
                .map(|(w, p)| p - low * w.max(0.0) - high * w.min(0.0))
                .collect();
            share(&parts, 0.0, STABILISER)
        }
        Rule::WSquare => share(&row.iter().map(|w| w * w).collect::<Vec<_>>(), bias * bias, STABILISER),
        // What an output does not see is no input of it.
        Rule::Flat => {
            let seen: Vec<f64> = row.iter().map(|w| f64::from(u8::from(*w != 0.0))).collect();
            share(&seen, 0.0, STABILISER)
        }
    }
}

/// The relevance of the input of a network of layers with ReLUs between them, from the logit of `class` (its own value).
/// `rules` has one for each layer; without `biases` they take no share, and gates are what they are with them.
pub fn relevance(layers: &[Layer], rules: &[Rule], x: &[f64], class: usize, biases: bool) -> Vec<f64> {
    let z = super::mlp::activations(layers, x);
    let mut relevance = vec![0.0; z[z.len() - 1].len()];
    relevance[class] = z[z.len() - 1][class];
    for (i, (weights, bias)) in layers.iter().enumerate().rev() {
        let input: Vec<f64> = match i {
            0 => x.to_vec(),
            _ => z[i - 1].iter().map(|v| v.max(0.0)).collect(),
        };
        let mut below = vec![0.0; input.len()];
        for ((row, &b), &r) in weights.iter().zip(bias).zip(&relevance) {
            let row: Vec<f64> = row.iter().map(|&w| f64::from(w)).collect();
            let sent = messages(rules[i], &input, &row, f64::from(b), biases, r);
            for (below, message) in below.iter_mut().zip(sent) {
                *below += message;
            }
        }
        relevance = below;
    }
    relevance
}
