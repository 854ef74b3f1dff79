//! Operators on masks. A mask is `[h, w]`: 1 where a place is known, 0 where it is missing, -1 where it is padding that the
//! network put there itself.

use tract_onnx::tract_core::ops::cnn::PoolSpec;

use crate::graph::vjp::prelude::*;

/// What missing places are set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blank {
    Zero,
    Lowest,
    Highest,
}

/// An operator; inputs in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Masking {
    /// (picture `[1, C, H, W]`): the same with NaN as 0.
    Values,
    /// (picture `[1, C, H, W]`): its mask. A pixel is missing where one of its channels is NaN.
    Marks,
    /// (value, mask): the value with its missing places blank. `space` are the value's axes down and across.
    Blanked { space: [usize; 2], blank: Blank },
    /// (value `[1, C, h, w]`, mask): the value whose missing places next to known ones are the mean of those of their eight
    /// neighbours that are known, ring by ring so many times; places beyond are 0.
    Filled { rounds: usize },
    /// (mask): the mask of what these windows see: known where one place is known, missing where none is and one is missing.
    Windows(PoolSpec),
    /// (mask): `[1, 1, h, w]`: for each of these windows its places over those that are not missing; 1 where all are.
    Shares(PoolSpec),
    /// (mask): ones of this rank times the places of the mask over those that are not missing; 1 where all are.
    WholeShare { rank: usize },
    /// (mask): `[1, 1]`: whether a place is not missing.
    Any,
    /// (masks): known where all are.
    All,
    /// (masks): known where more than half are.
    Most,
}

/// Input positions that each window along one axis sees: first, step and count.
fn taps(spec: &PoolSpec, axis: usize, len: usize) -> Vec<(usize, usize, usize)> {
    let (kernel, dilation, stride) = (spec.kernel_shape[axis], spec.dilation(axis), spec.stride(axis));
    let geometry = spec.padding.compute_one(axis, &len, kernel, dilation, stride);
    let before = geometry.pad_before;
    (0..geometry.convoluted)
        .map(|output| {
            let start = output * stride;
            let inside = |k: &usize| (before..before + len).contains(&(start + k * dilation));
            let first = (0..kernel).find(inside).unwrap_or(0);
            let count = (0..kernel).filter(inside).count();
            ((start + first * dilation).saturating_sub(before), dilation, count)
        })
        .collect()
}

/// `f` of the marks that each window of `spec` sees.
fn windowed(spec: &PoolSpec, mask: &[f32], [h, w]: [usize; 2], f: impl Fn(&[f32]) -> f32) -> Vec<f32> {
    let (rows, columns) = (taps(spec, 0, h), taps(spec, 1, w));
    let mut found = Vec::with_capacity(rows.len() * columns.len());
    let mut seen = Vec::new();
    for &(top, down, height) in &rows {
        for &(left, right, width) in &columns {
            seen.clear();
            for y in (0..height).map(|k| top + k * down) {
                seen.extend((0..width).map(|k| mask[y * w + left + k * right]));
            }
            found.push(f(&seen));
        }
    }
    found
}

fn mark(seen: &[f32]) -> f32 {
    if seen.iter().any(|&m| m > 0.0) {
        1.0
    } else if seen.iter().any(|&m| m >= 0.0) {
        0.0
    } else {
        -1.0
    }
}

/// How much larger the sum of all is than that of those not missing, if the missing ones are like the others.
fn share(seen: &[f32]) -> f32 {
    let there = seen.iter().filter(|&&m| m != 0.0).count();
    if there == 0 {
        1.0
    } else {
        seen.len() as f32 / there as f32
    }
}

/// Places to fill in their order, each with the neighbours that are known by then.
struct Rings {
    places: Vec<usize>,
    /// Ends of the places' neighbours.
    ends: Vec<usize>,
    neighbours: Vec<usize>,
}

impl Rings {
    fn new(mask: &[f32], [h, w]: [usize; 2], rounds: usize) -> Self {
        let mut known: Vec<bool> = mask.iter().map(|&m| m > 0.0).collect();
        let mut missing: Vec<usize> = (0..mask.len()).filter(|&i| mask[i] == 0.0).collect();
        let mut rings = Self {
            places: Vec::new(),
            ends: Vec::new(),
            neighbours: Vec::new(),
        };
        for _ in 0..rounds {
            let start = rings.places.len();
            missing.retain(|&place| {
                let (y, x) = (place / w, place % w);
                let before = rings.neighbours.len();
                for row in y.saturating_sub(1)..(y + 2).min(h) {
                    let around = x.saturating_sub(1)..(x + 2).min(w);
                    rings
                        .neighbours
                        .extend(around.map(|column| row * w + column).filter(|&i| known[i]));
                }
                let found = rings.neighbours.len() > before;
                if found {
                    rings.places.push(place);
                    rings.ends.push(rings.neighbours.len());
                }
                !found
            });
            if rings.places.len() == start {
                break;
            }
            for &place in &rings.places[start..] {
                known[place] = true;
            }
        }
        rings
    }

    fn fill(&self, plane: &mut [f32]) {
        let mut start = 0;
        for (&place, &end) in self.places.iter().zip(&self.ends) {
            let sum: f32 = self.neighbours[start..end].iter().map(|&i| plane[i]).sum();
            plane[place] = sum / (end - start) as f32;
            start = end;
        }
    }
}

fn pair(shape: &[usize]) -> TractResult<[usize; 2]> {
    <[usize; 2]>::try_from(shape).map_err(|_| format_err!("a mask of the shape {shape:?}"))
}

fn blanked(value: &mut [f32], shape: &[usize], space: [usize; 2], mask: &[f32], blank: f32) {
    let step = |axis: usize| shape[axis + 1..].iter().product::<usize>();
    let (h, w) = (shape[space[0]], shape[space[1]]);
    if space == [shape.len() - 2, shape.len() - 1] {
        for plane in value.chunks_exact_mut(h * w) {
            for (value, &m) in plane.iter_mut().zip(mask) {
                if m == 0.0 {
                    *value = blank;
                }
            }
        }
        return;
    }
    let (down, across) = (step(space[0]), step(space[1]));
    for (i, value) in value.iter_mut().enumerate() {
        if mask[i / down % h * w + i / across % w] == 0.0 {
            *value = blank;
        }
    }
}

impl Op for Masking {
    fn name(&self) -> StaticName {
        match self {
            Self::Values => "MaskValues",
            Self::Marks => "MaskMarks",
            Self::Blanked { .. } => "MaskBlanked",
            Self::Filled { .. } => "MaskFilled",
            Self::Windows(_) => "MaskWindows",
            Self::Shares(_) => "MaskShares",
            Self::WholeShare { .. } => "MaskWholeShare",
            Self::Any => "MaskAny",
            Self::All => "MaskAll",
            Self::Most => "MaskMost",
        }
        .into()
    }

    op_as_typed_op!();
}

impl EvalOp for Masking {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let shape: TVec<usize> = inputs[0].shape().into();
        let plains = inputs
            .iter()
            .map(|t| t.try_as_plain_ram())
            .collect::<TractResult<Vec<_>>>()?;
        let slices = plains
            .iter()
            .map(PlainView::as_slice::<f32>)
            .collect::<TractResult<Vec<_>>>()?;
        let first = slices[0];
        let joined = |f: &dyn Fn(&[f32]) -> f32| -> TractResult<Tensor> {
            let at = |i: usize| f(&slices.iter().map(|mask| mask[i]).collect::<Vec<_>>());
            Tensor::from_shape(&shape, &(0..first.len()).map(at).collect::<Vec<_>>())
        };
        let found = match self {
            Self::Values => {
                let values: Vec<f32> = first.iter().map(|&v| if v.is_nan() { 0.0 } else { v }).collect();
                Tensor::from_shape(&shape, &values)?
            }
            Self::Marks => {
                let mut mask = vec![1f32; shape[2] * shape[3]];
                for plane in first.chunks_exact(mask.len()) {
                    for (m, v) in mask.iter_mut().zip(plane) {
                        if v.is_nan() {
                            *m = 0.0;
                        }
                    }
                }
                Tensor::from_shape(&shape[2..], &mask)?
            }
            Self::Blanked { space, blank } => {
                let mask = slices[1];
                if mask.iter().all(|&m| m != 0.0) {
                    return Ok(tvec!(inputs[0].clone()));
                }
                let blank = match blank {
                    Blank::Zero => 0.0,
                    Blank::Lowest => f32::MIN,
                    Blank::Highest => f32::MAX,
                };
                let mut values = first.to_vec();
                blanked(&mut values, &shape, *space, mask, blank);
                Tensor::from_shape(&shape, &values)?
            }
            Self::Filled { rounds } => {
                let mask = slices[1];
                if mask.iter().all(|&m| m != 0.0) {
                    return Ok(tvec!(inputs[0].clone()));
                }
                let rings = Rings::new(mask, [shape[2], shape[3]], *rounds);
                let mut values = first.to_vec();
                blanked(&mut values, &shape, [2, 3], mask, 0.0);
                for plane in values.chunks_exact_mut(mask.len()) {
                    rings.fill(plane);
                }
                Tensor::from_shape(&shape, &values)?
            }
            Self::Windows(spec) | Self::Shares(spec) => {
                let size = pair(&shape)?;
                let (down, across) = (taps(spec, 0, size[0]).len(), taps(spec, 1, size[1]).len());
                if matches!(self, Self::Windows(_)) {
                    Tensor::from_shape(&[down, across], &windowed(spec, first, size, mark))?
                } else {
                    Tensor::from_shape(&[1, 1, down, across], &windowed(spec, first, size, share))?
                }
            }
            Self::WholeShare { rank } => Tensor::from_shape(&vec![1; *rank], &[share(first)])?,
            Self::Any => {
                let any = first.iter().any(|&m| m != 0.0);
                Tensor::from_shape(&[1, 1], &[f32::from(u8::from(any))])?
            }
            Self::All => joined(&|marks| {
                if marks.contains(&0.0) {
                    0.0
                } else {
                    marks.iter().copied().fold(-1.0, f32::max)
                }
            })?,
            Self::Most => joined(&|marks| {
                let known = marks.iter().filter(|&&m| m > 0.0).count();
                if 2 * known > marks.len() {
                    1.0
                } else if marks.contains(&0.0) {
                    0.0
                } else {
                    marks.iter().copied().fold(-1.0, f32::max)
                }
            })?,
        };
        Ok(tvec!(found.into_tvalue()))
    }
}

impl TypedOp for Masking {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs.iter().all(|input| input.datum_type == f32::datum_type()));
        let shape: TVec<usize> = inputs[0].shape.as_concrete().context("a shape is not known")?.into();
        let along = |spec: &PoolSpec, axis: usize| taps(spec, axis, shape[axis]).len();
        Ok(tvec!(match self {
            Self::Values | Self::Blanked { .. } | Self::Filled { .. } | Self::All | Self::Most => f32::fact(&*shape),
            Self::Marks => f32::fact(&shape[2..]),
            Self::Windows(spec) => f32::fact([along(spec, 0), along(spec, 1)]),
            Self::Shares(spec) => f32::fact([1, 1, along(spec, 0), along(spec, 1)]),
            Self::WholeShare { rank } => f32::fact(vec![1usize; *rank]),
            Self::Any => f32::fact([1usize, 1]),
        }))
    }

    as_op!();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(op: &Masking, inputs: &[(&[usize], Vec<f32>)]) -> Vec<f32> {
        let inputs = inputs
            .iter()
            .map(|(shape, values)| Tensor::from_shape(shape, values).expect("it fits").into_tvalue())
            .collect();
        let found = op.eval(&EvalContext::out_of_plan(), inputs).expect("it runs");
        let view = found[0].to_plain_array_view::<f32>().expect("floats");
        view.iter().copied().collect()
    }

    #[test]
    fn rings_take_the_mean_of_known_neighbours_only() {
        let value = vec![4.0, 9.0, 9.0, 9.0, 2.0];
        let mask = vec![1.0, 0.0, 0.0, 0.0, 1.0];
        let of = |rounds| {
            run(
                &Masking::Filled { rounds },
                &[(&[1, 1, 1, 5], value.clone()), (&[1, 5], mask.clone())],
            )
        };
        assert_eq!(of(1), [4.0, 4.0, 0.0, 2.0, 2.0]);
        assert_eq!(of(2), [4.0, 4.0, 3.0, 2.0, 2.0]);
        assert_eq!(of(3), of(2));
        // Padding is neither filled nor filled from.
        let padded = run(
            &Masking::Filled { rounds: 3 },
            &[
                (&[1, 1, 1, 4], vec![0.0, 7.0, 7.0, 5.0]),
                (&[1, 4], vec![-1.0, 0.0, 0.0, 1.0]),
            ],
        );
        assert_eq!(padded, [0.0, 5.0, 5.0, 5.0]);
    }

    #[test]
    fn masks_join_by_hand() {
        let masks: [(&[usize], Vec<f32>); 3] = [
            (&[1, 4], vec![1.0, 1.0, 0.0, -1.0]),
            (&[1, 4], vec![1.0, 0.0, 0.0, -1.0]),
            (&[1, 4], vec![1.0, 1.0, 1.0, -1.0]),
        ];
        assert_eq!(run(&Masking::All, &masks), [1.0, 0.0, 0.0, -1.0]);
        assert_eq!(run(&Masking::Most, &masks), [1.0, 1.0, 0.0, -1.0]);
        assert_eq!(run(&Masking::Any, &masks[..1]), [1.0]);
        let half = vec![0.0, 1.0, 0.0, -1.0];
        assert_eq!(run(&Masking::WholeShare { rank: 3 }, &[(&[1, 4], half)]), [2.0]);
        assert_eq!(run(&Masking::WholeShare { rank: 1 }, &[(&[1, 2], vec![0.0; 2])]), [1.0]);
    }

    #[test]
    fn blanks_lie_where_the_space_says() {
        let value: Vec<f32> = (0..12u8).map(f32::from).collect();
        let mask = vec![1.0, 0.0, 1.0, 1.0];
        let last = Masking::Blanked {
            space: [1, 2],
            blank: Blank::Zero,
        };
        let found = run(&last, &[(&[1, 2, 2, 3], value.clone()), (&[2, 2], mask.clone())]);
        assert_eq!(found, [0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0]);
        let first = Masking::Blanked {
            space: [2, 3],
            blank: Blank::Zero,
        };
        let found = run(&first, &[(&[1, 3, 2, 2], value), (&[2, 2], mask)]);
        assert_eq!(found, [0.0, 0.0, 2.0, 3.0, 4.0, 0.0, 6.0, 7.0, 8.0, 0.0, 10.0, 11.0]);
    }
}
