//! The network seen from afar: which layer reads which, where the values of each layer lie on the picture, and which
//! layers are attention matrices.

use std::collections::{BTreeMap, BTreeSet};

use tract_onnx::tract_core::axes::{AxesMapping, Axis};
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, MaxPool, SumPool};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::nn::Softmax;

use super::Layer;
use super::vjp::prelude::*;

/// Tokens in front of those of the picture: none, a class token, with a distillation token, with four registers.
const PREFIXES: [usize; 4] = [0, 1, 2, 5];

/// How a layer's output is laid out as `channels` maps of `height` by `width` locations on the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// Number of maps.
    pub channels: usize,
    /// Locations down the picture.
    pub height: usize,
    /// Locations across.
    pub width: usize,
    /// Tokens before the first location: those that stand for no place.
    skip: usize,
    channel_stride: usize,
    place_stride: usize,
}

impl Grid {
    /// Number of locations.
    pub fn places(&self) -> usize {
        self.height * self.width
    }

    /// Number of locations, and of tokens before the first one.
    pub fn tokens(&self) -> usize {
        self.skip + self.places()
    }

    /// Number of tokens before the first location.
    pub fn skip(&self) -> usize {
        self.skip
    }

    /// Where the value of map `k` at location `i` lies among the layer's values for one picture.
    pub fn at(&self, k: usize, i: usize) -> usize {
        k * self.channel_stride + (self.skip + i) * self.place_stride
    }

    /// A layer's values for one picture as maps `[channels, height, width]`.
    pub fn maps(&self, values: &[f32]) -> Vec<f64> {
        let places = self.places();
        (0..self.channels * places)
            .map(|j| f64::from(values[self.at(j / places, j % places)]))
            .collect()
    }

    /// Where all values of map `k` lie, those of the tokens without a place included.
    pub fn channel(&self, k: usize, len: usize) -> impl Iterator<Item = usize> + use<> {
        let (start, step) = (k * self.channel_stride, self.place_stride);
        (0..len / self.channels).map(move |i| start + i * step)
    }

    /// Tokens `[T, D]`, or `[D, T]` where `first` says that channels come first. `known` is the grid that they were cut
    /// from, where it could be followed.
    pub(super) fn of_tokens(tokens: usize, channels: usize, first: bool, known: Option<[usize; 2]>) -> Option<Self> {
        let square = |n: usize| {
            let side = n.isqrt();
            (side * side == n && side > 1).then_some([side, side])
        };
        let followed = known.filter(|[h, w]| PREFIXES.contains(&tokens.wrapping_sub(h * w)));
        let guessed = || PREFIXES.iter().find_map(|p| square(tokens.checked_sub(*p)?));
        let [height, width] = followed.or_else(guessed)?;
        Some(Self {
            channels,
            height,
            width,
            skip: tokens - height * width,
            channel_stride: if first { tokens } else { 1 },
            place_stride: if first { 1 } else { channels },
        })
    }

    /// A feature map of this shape without the batch: `[C, h, w]`, or `[h, w, C]` where `first` is not set.
    pub(super) fn of_maps(shape: [usize; 3], first: bool) -> Self {
        let [a, b, c] = shape;
        let (channels, height, width) = if first { (a, b, c) } else { (c, a, b) };
        Self {
            channels,
            height,
            width,
            skip: 0,
            channel_stride: if first { height * width } else { 1 },
            place_stride: if first { 1 } else { channels },
        }
    }
}

/// Which axes of a value run over the picture, the batch counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lie {
    /// Down and across.
    Maps { y: usize, x: usize },
    /// One axis over `h * w` locations, and perhaps some more.
    Tokens { axis: usize, grid: [usize; 2] },
}

impl Lie {
    /// Each axis through `f`; nothing where one is lost or down no longer comes before across.
    fn through(self, f: impl Fn(usize) -> Option<usize>) -> Option<Self> {
        match self {
            Self::Maps { y, x } => match (f(y)?, f(x)?) {
                (y, x) if y < x => Some(Self::Maps { y, x }),
                _ => None,
            },
            Self::Tokens { axis, grid } => Some(Self::Tokens { axis: f(axis)?, grid }),
        }
    }

    fn reshaped(self, at: usize, from: &[usize], to: &[usize]) -> Option<Self> {
        let moved = |axis: usize| match axis {
            a if a < at => Some(a),
            a if a >= at + from.len() => Some(a + to.len() - from.len()),
            a => (from.len() == to.len() && from[a - at] == to[a - at]).then_some(a),
        };
        if let Some(kept) = self.through(moved) {
            return Some(kept);
        }
        let axes = match self {
            Self::Maps { y, x } if x == y + 1 => y..y + 2,
            Self::Maps { .. } => return None,
            Self::Tokens { axis, .. } => axis..axis + 1,
        };
        let (start, end) = (axes.start.checked_sub(at)?, axes.end.checked_sub(at)?);
        let (merged, apart) = match self {
            Self::Maps { .. } => {
                let grid = [*from.get(start)?, *from.get(start + 1)?];
                (vec![grid[0] * grid[1]], Self::Tokens { axis: axes.start, grid })
            }
            Self::Tokens { axis, grid } => (grid.to_vec(), Self::Maps { y: axis, x: axis + 1 }),
        };
        let whole = from.get(start..end)?.iter().product::<usize>() == merged.iter().product::<usize>();
        let expected = [from.get(..start)?, &merged, from.get(end..)?].concat();
        (whole && to == expected).then_some(apart)
    }
}

/// How every value that depends on the input lies on the picture; nothing where that could not be followed.
pub(super) fn lies(model: &TypedModel) -> TractResult<BTreeMap<OutletId, Option<Lie>>> {
    let mut known: BTreeMap<OutletId, Option<Lie>> = BTreeMap::new();
    for &source in model.input_outlets()? {
        known.insert(source, Some(Lie::Maps { y: 2, x: 3 }));
    }
    let mut seen: BTreeMap<Vec<usize>, Lie> = BTreeMap::new();
    for id in model.eval_order()? {
        let node = model.node(id);
        let rank = |outlet: OutletId| model.outlet_fact(outlet).map_or(0, TypedFact::rank);
        let out = OutletId::new(id, 0);
        if !node.inputs.iter().any(|i| known.contains_key(i)) {
            continue;
        }
        let followed = node
            .inputs
            .iter()
            .enumerate()
            .find_map(|(slot, i)| Some((slot, *i, (*known.get(i)?)?)));
        let windowed =
            node.op_is::<Conv>() || node.op_is::<Deconv>() || node.op_is::<MaxPool>() || node.op_is::<SumPool>();
        let found = match followed {
            _ if windowed && rank(out) == 4 => Some(Lie::Maps { y: 2, x: 3 }),
            None => None,
            Some((slot, input, lie)) => {
                if let Some(op) = node.op_as::<AxisOp>() {
                    rearranged(lie, op)?
                } else if let Some(op) = node.op_as::<EinSum>() {
                    lie.through(|a| contracted(&op.axes, slot, a))
                } else {
                    (rank(input) == rank(out)).then_some(lie)
                }
            }
        };
        let shape = model.outlet_fact(out)?.shape.as_concrete().map(<[usize]>::to_vec);
        let found = match (found, shape) {
            (Some(lie @ Lie::Maps { .. }), Some(shape)) => {
                seen.entry(shape).or_insert(lie);
                found
            }
            // Out of groups or windows, and back in the shape that maps had before.
            (None, Some(shape)) if node.op_is::<AxisOp>() => seen.get(&shape).copied(),
            _ => found,
        };
        known.insert(out, found);
    }
    Ok(known)
}

fn rearranged(lie: Lie, op: &AxisOp) -> TractResult<Option<Lie>> {
    Ok(match op {
        AxisOp::Add(at) => lie.through(|a| Some(if a >= *at { a + 1 } else { a })),
        AxisOp::Rm(at) => lie.through(|a| match a {
            a if a == *at => None,
            a => Some(if a > *at { a - 1 } else { a }),
        }),
        AxisOp::Move(from, to) => lie.through(|a| Some(moved(a, *from, *to))),
        AxisOp::Reshape(at, from, to) => {
            let sizes = |dims: &[TDim]| dims.iter().map(|d| Ok(d.to_usize()?)).collect::<TractResult<Vec<_>>>();
            lie.reshaped(*at, &sizes(from)?, &sizes(to)?)
        }
    })
}

/// Where axis `a` is after the axis `from` went to `to`.
pub(super) fn moved(a: usize, from: usize, to: usize) -> usize {
    match a {
        a if a == from => to,
        a if from < a && a <= to => a - 1,
        a if to <= a && a < from => a + 1,
        a => a,
    }
}

/// Where axis `a` of operand `slot` is in the result of a contraction.
pub(super) fn contracted(axes: &AxesMapping, slot: usize, a: usize) -> Option<usize> {
    let holds = |axis: &&Axis| axis.inputs.get(slot).is_some_and(|at| at.contains(&a));
    axes.iter_all_axes().find(holds)?.outputs.first()?.first().copied()
}

/// What a softmax whose rows mix values is to the tokens of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mixing {
    /// All tokens by all tokens: `[1, heads, T, T]` or `[heads, T, T]`.
    Whole,
    /// Within windows, or by fewer or other tokens.
    Partial,
}

/// Whether `outlet` holds attention: rows that sum to 1, which then mix values.
pub(super) fn mixing(model: &TypedModel, outlet: OutletId) -> Option<Mixing> {
    let shape: Vec<usize> = model.outlet_fact(outlet).ok()?.shape.as_concrete()?.to_vec();
    let rank = shape.len();
    let op = model.node(outlet.node).op_as::<Softmax>()?;
    if rank < 3 || op.axes[..] != [rank - 1] || shape[rank - 1] < 2 {
        return None;
    }
    let square = shape[rank - 1] == shape[rank - 2];
    let whole = square && (rank == 3 || (rank == 4 && shape[0] == 1));
    let mut at = outlet;
    while let [reader] = model.outlet_successors(at)[..] {
        let next = model.node(reader.node);
        if next.op_is::<EinSum>() {
            return Some(if whole { Mixing::Whole } else { Mixing::Partial });
        }
        if next.inputs.len() != 1 {
            return None;
        }
        at = OutletId::new(next.id, 0);
    }
    None
}

/// For each of `layers`, the indices of the layers that it is computed from without another layer between.
pub(super) fn reads(model: &TypedModel, layers: &[OutletId]) -> Vec<Vec<usize>> {
    let index: BTreeMap<OutletId, usize> = layers.iter().enumerate().map(|(i, &o)| (o, i)).collect();
    let before = |layer: &OutletId| {
        let mut found = BTreeSet::new();
        let mut seen = BTreeSet::new();
        let mut waiting = model.node(layer.node).inputs.clone();
        while let Some(at) = waiting.pop() {
            if let Some(&i) = index.get(&at) {
                found.insert(i);
            } else if seen.insert(at.node) {
                waiting.extend_from_slice(&model.node(at.node).inputs);
            }
        }
        found.into_iter().collect()
    };
    layers.iter().map(before).collect()
}

/// How an output of this `shape`, the batch left out, lies on the picture. Tokens that could not be followed are taken
/// for those of a square.
pub(super) fn grid(shape: &[usize], lie: Option<Lie>) -> Option<Grid> {
    match (shape, lie) {
        (&[a, b, c], Some(Lie::Maps { y: 2, x: 3 })) => Some(Grid::of_maps([a, b, c], true)),
        (&[a, b, c], Some(Lie::Maps { y: 1, x: 2 })) => Some(Grid::of_maps([a, b, c], false)),
        (&[d, t], Some(Lie::Tokens { axis: 2, grid })) => Grid::of_tokens(t, d, true, Some(grid)),
        (&[t, d], Some(Lie::Tokens { axis: 1, grid })) => Grid::of_tokens(t, d, false, Some(grid)),
        (&[t, d], None) => Grid::of_tokens(t, d, false, None),
        _ => None,
    }
}

/// The layer that the methods which weigh a layer's channels look at by default. In a transformer, the last tokens that
/// all of the last attention is computed from, of the width that most tokens have: what comes later moves no token but the
/// one that answers. Else the last feature map, and in a network without any, the last tokens.
pub(super) fn default_layer(layers: &[Layer]) -> Option<usize> {
    let last = |rank: usize| layers.iter().rposition(|l| l.grid.is_some() && l.shape.len() == rank);
    let mut widths: BTreeMap<usize, usize> = BTreeMap::new();
    for grid in layers.iter().filter(|l| l.shape.len() == 2).filter_map(|l| l.grid) {
        *widths.entry(grid.channels).or_default() += 1;
    }
    let width = widths
        .into_iter()
        .max_by_key(|&(_, count)| count)
        .map(|(width, _)| width);
    let mut frontier: BTreeSet<usize> = layers.iter().rposition(|l| l.attention).into_iter().collect();
    while let Some(next) = frontier.pop_last() {
        let tokens = layers[next].shape.len() == 2;
        if frontier.is_empty() && tokens && layers[next].grid.map(|g| g.channels) == width {
            return Some(next);
        }
        frontier.extend(&layers[next].reads);
    }
    last(3).or_else(|| last(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_without_a_place_are_dropped_in_front() {
        let grid = |tokens| Grid::of_tokens(tokens, 8, false, None).map(|g| (g.height, g.skip));
        assert_eq!(grid(16), Some((4, 0)));
        assert_eq!(grid(17), Some((4, 1)));
        assert_eq!(grid(198), Some((14, 2)));
        assert_eq!(grid(201), Some((14, 5)));
        assert_eq!(grid(12), None);
        assert_eq!(grid(1), None);
        // Where they come from is known, they need not be a square.
        let wide = Grid::of_tokens(13, 8, false, Some([3, 4])).expect("3 by 4 and a class token");
        assert_eq!((wide.height, wide.width, wide.at(2, 0)), (3, 4, 8 + 2));
        let first = Grid::of_tokens(13, 8, true, Some([3, 4])).expect("the same, channels first");
        assert_eq!(first.at(2, 3), 2 * 13 + 1 + 3);
    }

    #[test]
    fn maps_are_read_in_either_layout() {
        let values: Vec<f32> = (0..24u8).map(f32::from).collect();
        let (first, last) = (Grid::of_maps([2, 3, 4], true), Grid::of_maps([3, 4, 2], false));
        let places = (first.maps(&values)[13].to_bits(), last.maps(&values)[13].to_bits());
        assert_eq!(places, (13f64.to_bits(), 3f64.to_bits()));
        assert_eq!(first.channel(1, 24).collect::<Vec<_>>(), (12..24).collect::<Vec<_>>());
        assert_eq!(
            last.channel(1, 24).collect::<Vec<_>>(),
            (1..24).step_by(2).collect::<Vec<_>>()
        );
    }

    #[test]
    fn axes_are_followed_through_moves_and_reshapes() {
        let maps = Lie::Maps { y: 2, x: 3 };
        let tokens = Lie::Tokens { axis: 2, grid: [4, 5] };
        assert_eq!(maps.through(|a| Some(moved(a, 1, 3))), Some(Lie::Maps { y: 1, x: 2 }));
        assert_eq!(maps.reshaped(2, &[4, 5], &[20]), Some(tokens));
        assert_eq!(maps.reshaped(0, &[1, 8, 4, 5], &[1, 8, 20]), Some(tokens));
        assert_eq!(maps.reshaped(0, &[1, 8, 4, 5], &[1, 160]), None);
        assert_eq!(
            tokens.reshaped(1, &[8], &[2, 4]),
            Some(Lie::Tokens { axis: 3, grid: [4, 5] })
        );
        assert_eq!(maps.reshaped(1, &[8], &[2, 4]), Some(Lie::Maps { y: 3, x: 4 }));
        assert_eq!(tokens.reshaped(0, &[1, 8, 20], &[1, 8, 4, 5]), Some(maps));
        // Windows of 2 by 5: no longer rows of the picture.
        assert_eq!(maps.reshaped(2, &[4, 5], &[2, 2, 5]), None);
    }
}
