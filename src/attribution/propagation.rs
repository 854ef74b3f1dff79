//! What the methods share that carry something back by rules of their own.

use super::Attribution;
use crate::program::{LayerRule, Lrp, Rules, Start, Wrt};
use crate::{Context, Error, Input, Program, Tensor};

/// What `rules` bring to the picture, `[C, H, W]`, and the target's value.
pub(super) async fn carried(cx: &Context<'_>, input: &Input, rules: Rules) -> Result<(Tensor, f32), Error> {
    let x = Tensor::stack(std::slice::from_ref(&input.tensor));
    let program = Program::backward(rules, &[Wrt::Input]);
    let mut outputs = cx.backward(program, &[x]).await?;
    let map = outputs.remove(1).reshape(input.tensor.shape());
    let value = cx.target.values(cx.exec.model().network().head(), &outputs[0]);
    Ok((map, value[0]))
}

/// A relevance map, with the sum of the map minus the target's value as its gap.
pub(super) async fn relevance(cx: &Context<'_>, input: &Input, lrp: Lrp) -> Result<Attribution, Error> {
    let (map, value) = carried(cx, input, Rules::Lrp(lrp)).await?;
    Ok(Attribution {
        completeness_gap: Some(map.sum() - f64::from(value)),
        ..Attribution::on_input(map)
    })
}

/// One rule for all layers with weights.
pub(super) fn uniform(rule: LayerRule, stabiliser: f64, zero_bias: bool) -> Lrp {
    Lrp {
        conv: rule.clone(),
        dense: rule,
        first_conv: None,
        first_dense: None,
        stabiliser: stabiliser as f32,
        biases: !zero_bias,
        start: Start::Answer,
    }
}

/// The rule z-box for a picture between two pixel values, in the network's values.
pub(super) fn z_box(input: &Input, low: f64, high: f64) -> LayerRule {
    let bounds = |v: f64| (0..input.dims()[0]).map(|c| input.space.forward(c, v as f32)).collect();
    LayerRule::ZBox {
        low: bounds(low),
        high: bounds(high),
    }
}

/// Refuses bounds in the wrong order.
pub(super) fn check_bounds(low: f64, high: f64) -> Result<(), Error> {
    if low < high {
        Ok(())
    } else {
        Err(Error::param("low", format!("{low} is not below high, {high}")))
    }
}
