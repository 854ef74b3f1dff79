//! What the imputers that run a network share: from network values to what the network takes, and back.

use super::{ImputeContext, fill};
use crate::error::{Error, InputError};
use crate::job::Passes;
use crate::{Input, Mask, Tensor};

/// The networks take heights and widths that are multiples of this.
const MULTIPLE: usize = 32;
/// Pixels, padding included, that are filled at most: 768 x 768.
const MOST: usize = 768 * 768;
/// Pixel values this far outside of `[0, 1]` are taken for rounding.
const SLACK: f32 = 1e-3;

/// Channels of noise, or none.
pub(super) struct Noise {
    /// The stream of standard normal draws, `[channels, H', W']` of the padded picture.
    pub stream: &'static str,
    /// How many.
    pub channels: usize,
    /// Factor of every draw.
    pub scale: f64,
}

/// `input` with the pixels of `removed` filled by the network `id` from the others. Three channels are filled together, as
/// red, green and blue; any other number one by one, as grey pictures.
pub(super) async fn filled(
    cx: &ImputeContext<'_>,
    id: &'static str,
    noise: Option<Noise>,
    input: &Input,
    removed: &Mask,
) -> Result<Tensor, Error> {
    let [channels, height, width] = input.dims();
    let padded = [height, width].map(|side| side.next_multiple_of(MULTIPLE));
    if padded[0] * padded[1] > MOST {
        return Err(InputError::OverLimit {
            what: format!("the number of pixels that the imputer {id} is to fill at once"),
            found: (height * width) as u64,
            limit: MOST as u64,
        }
        .into());
    }
    let draws: Vec<f32> = noise.map_or_else(Vec::new, |noise| {
        let mut stream = cx.random.stream(noise.stream);
        let count = noise.channels * padded[0] * padded[1];
        (0..count)
            .map(|_| (noise.scale * f64::from(stream.normal())) as f32)
            .collect()
    });
    let range = Range::of(input, removed);
    let mut values = Vec::with_capacity(input.tensor.len());
    let groups: Vec<[usize; 3]> = if channels == 3 {
        vec![[0, 1, 2]]
    } else {
        (0..channels).map(|c| [c; 3]).collect()
    };
    for group in groups {
        cx.job.step(Passes::default()).await?;
        let x = question(input, removed, &range, group, padded, &draws);
        let y = match on_device(cx, id, &x).await {
            Some(y) => y,
            None => cx.networks.run(id, &x)?,
        };
        check(id, &y, padded)?;
        let at = |c: usize, i: usize| y.data()[(c * padded[0] + i / width) * padded[1] + i % width];
        let pixels = height * width;
        if channels == 3 {
            values.extend((0..3 * pixels).map(|k| range.back(input, k / pixels, at(k / pixels, k % pixels))));
        } else {
            let grey = |i| (at(0, i) + at(1, i) + at(2, i)) / 3.0;
            values.extend((0..pixels).map(|i| range.back(input, group[0], grey(i))));
        }
    }
    cx.job.step(Passes::default()).await?;
    Ok(fill(input, removed, |c, i| values[c * height * width + i]))
}

/// What the network answers on the device, if there is one.
async fn on_device(cx: &ImputeContext<'_>, id: &str, x: &Tensor) -> Option<Tensor> {
    let describe = || cx.networks.lowered(id, x.shape());
    let key = format!("{id}, {:?}, {}", x.shape(), cx.networks.sha256(id)?);
    let outputs = cx.device?.compute(&key, &describe, vec![x.clone()]).await?;
    outputs.into_iter().next()
}

/// What the network is shown, `[1, 4 + noise, H', W']`: the kept pixels, 1 where removed or padded, the noise.
fn question(
    input: &Input,
    removed: &Mask,
    range: &Range,
    group: [usize; 3],
    padded: [usize; 2],
    draws: &[f32],
) -> Tensor {
    let [_, height, width] = input.dims();
    let [rows, columns] = padded;
    let mut data = vec![0.0; 4 * rows * columns];
    data[3 * rows * columns..].fill(1.0);
    for i in (0..height * width).filter(|&i| !removed.bits()[i]) {
        let place = i / width * columns + i % width;
        for (k, &c) in group.iter().enumerate() {
            data[k * rows * columns + place] = range.forth(input, c, input.tensor.row(c)[i]);
        }
        data[3 * rows * columns + place] = 0.0;
    }
    data.extend_from_slice(draws);
    let channels = data.len() / (rows * columns);
    Tensor::new(&[1, channels, rows, columns], data)
}

fn check(id: &str, y: &Tensor, [rows, columns]: [usize; 2]) -> Result<(), InputError> {
    let what = || format!("the answer of the imputer's network {id}");
    if y.shape() != [1, 3, rows, columns] {
        return Err(InputError::Shape {
            what: what(),
            found: y.shape().to_vec(),
            expected: format!("[1, 3, {rows}, {columns}]"),
        });
    }
    if !y.is_finite() {
        return Err(InputError::NotFinite { what: what() });
    }
    Ok(())
}

/// Where the pixel values lie that become 0 and 1 for the network: there, if all kept ones lie between; else at the least
/// and the greatest kept value, as tensors of unknown preprocessing need it.
struct Range {
    low: f32,
    size: f32,
}

impl Range {
    fn of(input: &Input, removed: &Mask) -> Self {
        let (mut low, mut high) = (f32::INFINITY, f32::NEG_INFINITY);
        for c in 0..input.dims()[0] {
            for (&x, _) in input
                .tensor
                .row(c)
                .iter()
                .zip(removed.bits())
                .filter(|&(_, &gone)| !gone)
            {
                let v = input.space.inverse(c, x);
                (low, high) = (low.min(v), high.max(v));
            }
        }
        if low >= -SLACK && high <= 1.0 + SLACK {
            Self { low: 0.0, size: 1.0 }
        } else {
            Self { low, size: high - low }
        }
    }

    fn forth(&self, input: &Input, c: usize, x: f32) -> f32 {
        if self.size > 0.0 {
            ((input.space.inverse(c, x) - self.low) / self.size).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    fn back(&self, input: &Input, c: usize, y: f32) -> f32 {
        input.space.forward(c, self.low + self.size * y)
    }
}
