//! # Partition SHAP
//!
//! **What it computes.** Owen values of a tree that halves the picture again and again: each half gets the mean of what
//! it adds to the answer without and with the other half, and hands it on to its own halves.
//!
//! **Formula.** A rectangle `N` seen beside `C` is worth `v = g(C and N) - g(C)`. Its halves `A` and `B` are worth
//! `(v(A | C) + v(A | C and B)) / 2` and likewise, each of the two being handed on by the same rule. Rectangles of which
//! the most is at stake (`|v|` times its share) are halved first; what is not halved spreads evenly. Rows are halved
//! where there are as many as columns or more, else columns; of an odd number the first half gets one more. Hidden pixels are filled by the chosen imputer.
//!
//! **Shapes and sign.** `[1, H, W]`; positive where seeing the pixels raises the target. The map sums to
//! `g(x) - g(nothing)`.
//!
//! **Parameters.** `evaluations`: passes at most, at least four; two more for each rectangle halved.
//!
//! **When it misleads.** The halves are blind to what the picture shows, so that edges of the map are edges of
//! rectangles. With few passes it is coarse. Imputers that fill from kept pixels are refused: nothing is kept at the
//! start.
//!
//! **Reference.** Lundberg & Lee 2017, arXiv:1705.07874; Owen, Values of games with a priori unions, 1977; the algorithm
//! is `shap.PartitionExplainer`'s.
//!
//! **Parity.** `shap.PartitionExplainer` 0.51 with `maskers.Image(0)`, summed over channels, which it would halve only
//! below one pixel: within 1e-4. Equal stakes are taken in the order in which they came up; there by chance.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::coalition::forward;
use super::{Attribution, Axiom, Family, Method, MethodMeta, Need};
use crate::imputer::Remover;
use crate::job::Passes;
use crate::{Context, Error, Input, Mask, Model, Tensor};

/// See the [module](self).
pub struct PartitionShap;

crate::params! {
    /// Parameters of [`PartitionShap`].
    pub struct PartitionShapParams {
        /// Passes at most; more give a finer map.
        evaluations: usize = 500usize, int(4, 100_000);
    }
}

/// Pictures that are tried before the stakes are weighed again; the reference's.
const ROUND: usize = 10;

/// Rows and columns `from..to`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Rectangle {
    rows: (usize, usize),
    columns: (usize, usize),
}

impl Rectangle {
    fn area(self) -> usize {
        (self.rows.1 - self.rows.0) * (self.columns.1 - self.columns.0)
    }

    fn halves(self) -> Option<[Self; 2]> {
        let (height, width) = (self.rows.1 - self.rows.0, self.columns.1 - self.columns.0);
        let cut = |(from, to): (usize, usize)| from + (to - from).div_ceil(2);
        if height >= width && height > 1 {
            let at = cut(self.rows);
            Some([
                Self {
                    rows: (self.rows.0, at),
                    ..self
                },
                Self {
                    rows: (at, self.rows.1),
                    ..self
                },
            ])
        } else if width > 1 {
            let at = cut(self.columns);
            Some([
                Self {
                    columns: (self.columns.0, at),
                    ..self
                },
                Self {
                    columns: (at, self.columns.1),
                    ..self
                },
            ])
        } else {
            None
        }
    }

    fn pixels(self, width: usize) -> impl Iterator<Item = usize> {
        (self.rows.0..self.rows.1).flat_map(move |y| (self.columns.0..self.columns.1).map(move |x| y * width + x))
    }

    /// Rectangles that the whole tree below halves, each as often as it is reached, but not more than `most`: a node is
    /// reached twice for each time its parent is.
    fn halvings(self, times: usize, most: usize) -> usize {
        let Some(halves) = self.halves() else { return 0 };
        let mut sum = times.min(most);
        for half in halves {
            if sum < most {
                sum += half.halvings(times.saturating_mul(2), most - sum);
            }
        }
        sum.min(most)
    }
}

/// A rectangle that waits to be halved.
struct Node {
    at: Rectangle,
    /// The rectangles seen beside it.
    beside: Vec<Rectangle>,
    /// The target without and with it.
    without: f64,
    with: f64,
    share: f64,
    number: usize,
}

impl Node {
    fn stake(&self) -> f64 {
        (self.with - self.without).abs() * self.share
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Node {}
impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Node {
    /// The larger stake is greater; of equal ones the earlier.
    fn cmp(&self, other: &Self) -> Ordering {
        self.stake()
            .total_cmp(&other.stake())
            .then(other.number.cmp(&self.number))
    }
}

fn whole(height: usize, width: usize) -> Rectangle {
    Rectangle {
        rows: (0, height),
        columns: (0, width),
    }
}

fn halvings(height: usize, width: usize, evaluations: usize) -> usize {
    whole(height, width).halvings(1, (evaluations - 2) / 2)
}

impl Method for PartitionShap {
    type Params = PartitionShapParams;
    const META: MethodMeta = MethodMeta {
        id: "partition-shap",
        name: "Partition SHAP",
        family: Family::Perturbation,
        summary: "Shares the answer out over halves of the picture, and over their halves, where most is at stake first.",
        caution: "Edges of the map are edges of rectangles, whatever the picture shows.",
        reference: "Lundberg & Lee 2017, arXiv:1705.07874; Owen 1977",
        signed: true,
        needs: &[Need::Imputer],
        axioms: &[Axiom::Completeness, Axiom::ImplementationInvariance],
        stochastic: false,
    };

    fn passes(&self, model: &Model, p: &PartitionShapParams) -> Result<Passes, Error> {
        let [_, height, width] = model.input_dims();
        Ok(forward(2 + 2 * halvings(height, width, p.evaluations)))
    }

    async fn attribute(&self, cx: &Context<'_>, input: &Input, p: &PartitionShapParams) -> Result<Attribution, Error> {
        let [_, height, width] = input.dims();
        let remover = Remover::new(cx, input).await?;
        remover.everything("Shapley values need the answer to a picture with nothing kept")?;
        let all = whole(height, width);
        let score = async |shown: &[Vec<Rectangle>]| -> Result<Vec<f64>, Error> {
            let mut worth = Vec::with_capacity(shown.len());
            for turn in cx.batches(shown.len()) {
                let hidden = |rectangles: &Vec<Rectangle>| {
                    let mut removed = Mask::all(height, width, true);
                    for i in rectangles.iter().flat_map(|r| r.pixels(width)) {
                        removed.bits_mut()[i] = false;
                    }
                    removed
                };
                let masks: Vec<Mask> = shown[turn].iter().map(hidden).collect();
                let scores = cx.scores(&remover.without(&masks).await?).await?;
                worth.extend(scores.into_iter().map(f64::from));
            }
            Ok(worth)
        };
        let ends = score(&[Vec::new(), vec![all]]).await?;
        let mut values = vec![0.0f64; height * width];
        let mut queue = BinaryHeap::from([Node {
            at: all,
            beside: Vec::new(),
            without: ends[0],
            with: ends[1],
            share: 1.0,
            number: 0,
        }]);
        let mut left = halvings(height, width, p.evaluations);
        let mut number = 0;
        while left > 0 {
            let mut round: Vec<(Node, [Rectangle; 2])> = Vec::new();
            while round.len() < left.min(ROUND / 2) {
                let Some(node) = queue.pop() else { break };
                match node.at.halves() {
                    Some(halves) => round.push((node, halves)),
                    None => spread(&node, width, &mut values),
                }
            }
            if round.is_empty() {
                break;
            }
            left -= round.len();
            let seen =
                |(node, halves): &(Node, [Rectangle; 2])| halves.map(|half| [&node.beside[..], &[half]].concat());
            let shown: Vec<Vec<Rectangle>> = round.iter().flat_map(seen).collect();
            let worth = score(&shown).await?;
            for ((node, [first, second]), ([one, two], sides)) in round
                .into_iter()
                .zip(worth.as_chunks().0.iter().zip(shown.as_chunks::<2>().0))
            {
                let [beside_first, beside_second] = sides;
                let next = [
                    (first, node.beside.clone(), node.without, *one),
                    (second, node.beside.clone(), node.without, *two),
                    (first, beside_second.clone(), *two, node.with),
                    (second, beside_first.clone(), *one, node.with),
                ];
                for (at, beside, without, with) in next {
                    number += 1;
                    let share = node.share / 2.0;
                    queue.push(Node {
                        at,
                        beside,
                        without,
                        with,
                        share,
                        number,
                    });
                }
            }
            cx.job.offer(|| {
                let mut so_far = values.clone();
                for node in &queue {
                    spread(node, width, &mut so_far);
                }
                map(&so_far, height, width)
            });
        }
        for node in &queue {
            spread(node, width, &mut values);
        }
        Ok(Attribution {
            completeness_gap: Some(values.iter().sum::<f64>() - (ends[1] - ends[0])),
            ..Attribution::on_input(map(&values, height, width))
        })
    }
}

/// Gives a rectangle's worth to its pixels, evenly.
fn spread(node: &Node, width: usize, values: &mut [f64]) {
    let each = (node.with - node.without) * node.share / node.at.area() as f64;
    for i in node.at.pixels(width) {
        values[i] += each;
    }
}

fn map(values: &[f64], height: usize, width: usize) -> Tensor {
    Tensor::from_fn(&[1, height, width], |i| values[i] as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_side_is_halved_and_the_whole_tree_counted() {
        let halves = whole(3, 4).halves().unwrap();
        assert_eq!(halves.map(|h| h.columns), [(0, 2), (2, 4)]);
        let halves = whole(3, 3).halves().unwrap();
        assert_eq!(halves.map(|h| h.rows), [(0, 2), (2, 3)]);
        assert_eq!(whole(1, 1).halves(), None);
        // One halving for 2 pixels; for 4 in a row: one, then two halves reached twice each.
        assert_eq!(whole(1, 2).halvings(1, 100), 1);
        assert_eq!(whole(1, 4).halvings(1, 100), 5);
        assert_eq!(whole(224, 224).halvings(1, 249), 249);
        assert_eq!(halvings(1, 1, 500), 0);
    }
}
