//! Fast marching from the rim of the holes inwards, in the order of OpenCV's `inpaint`, which Telea's and the
//! Navier–Stokes filling share.
//!
//! Fields live on the picture with a border of one cell on each side, as OpenCV's do: the border counts as known, and
//! as far away. Times are single precision and sums are ordered as there, because the order in which pixels are filled
//! hangs on the last bit of a time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{ImputeContext, fill};
use crate::job::Passes;
use crate::{Error, Input, Mask, Tensor};

/// Pixels between two looks at the job: some milliseconds at radius 3.
const PATIENCE: usize = 1024;
/// Grey levels from black to white.
const WHITE: f32 = 255.0;

/// How one pixel is filled from known ones near it.
pub(super) trait Brush {
    /// Whether times are needed outside the holes too, and how far.
    fn outwards(&self) -> Option<usize>;
    /// The grey levels of the cell `k`, one a channel, from the picture's planes `[H, W]`.
    fn paint(&mut self, front: &Front, k: usize, planes: &[Vec<f32>], out: &mut [f32]);
}

/// Fills the removed pixels of `input` in the order of the front, in grey levels 0 to 255, whatever they were before.
pub(super) async fn march(
    cx: &ImputeContext<'_>,
    input: &Input,
    removed: &Mask,
    brush: &mut impl Brush,
) -> Result<Tensor, Error> {
    let mut planes = grey_levels(input, removed);
    let mut front = Front::new(removed);
    cx.job.step(Passes::default()).await?;
    if let Some(range) = brush.outwards() {
        let mut outside = front.outwards(range);
        let mut count = 0;
        while outside.advance() {
            count += 1;
            if count % (4 * PATIENCE) == 0 {
                cx.job.step(Passes::default()).await?;
            }
        }
    }
    let (mut levels, mut count) = (vec![0.0; planes.len()], 0);
    while let Some(k) = front.advance() {
        brush.paint(&front, k, &planes, &mut levels);
        let (y, x) = front.place(k);
        for (plane, level) in planes.iter_mut().zip(&levels) {
            plane[y * removed.width() + x] = *level;
        }
        count += 1;
        if count % PATIENCE == 0 {
            cx.job.step(Passes::default()).await?;
        }
    }
    Ok(fill(input, removed, |c, i| {
        input.space.forward(c, planes[c][i] / WHITE)
    }))
}

/// The channels in grey levels. OpenCV looks at some pixels near the border before they are filled: removed ones are
/// given the mean of the kept ones, so that nothing of what was removed is seen.
fn grey_levels(input: &Input, removed: &Mask) -> Vec<Vec<f32>> {
    let kept = (removed.bits().len() - removed.count()) as f64;
    let plane = |c: usize| {
        let level = |&x: &f32| input.space.inverse(c, x) * WHITE;
        let mut plane: Vec<f32> = input.tensor.row(c).iter().map(level).collect();
        let known = plane.iter().zip(removed.bits()).filter(|&(_, &gone)| !gone);
        let mean = known.map(|(&v, _)| f64::from(v)).sum::<f64>() / kept;
        for (v, _) in plane.iter_mut().zip(removed.bits()).filter(|&(_, &gone)| gone) {
            *v = mean as f32;
        }
        plane
    };
    (0..input.dims()[0]).map(plane).collect()
}

/// The time of cells that no front has reached.
const FAR: f32 = 1e6;

/// A front that moves through unknown cells, nearest first; of equally near ones the first found comes first.
pub(super) struct Front {
    /// Rows with the border.
    height: usize,
    /// Columns with the border.
    pub width: usize,
    /// Which cells are not yet known.
    pub unknown: Vec<bool>,
    /// When the front arrived at each cell: 0 on the rim, negative outside where [`Front::outwards`] was.
    pub time: Vec<f32>,
    /// By time (no time here is negative, so its bits are in order), then by number.
    queue: BinaryHeap<Reverse<(u32, u32, usize)>>,
    pushed: u32,
    /// The cell whose neighbours are looked at, and the number of the next one.
    around: Option<(usize, usize)>,
    /// The cell handed out last.
    last: Option<usize>,
}

impl Front {
    /// At the kept pixels that touch a removed one by a side.
    pub fn new(removed: &Mask) -> Self {
        let (height, width) = (removed.height() + 2, removed.width() + 2);
        let mut unknown = vec![false; height * width];
        for (y, row) in removed.bits().chunks(removed.width().max(1)).enumerate() {
            let at = (y + 1) * width + 1;
            unknown[at..at + row.len()].copy_from_slice(row);
        }
        let mut front = Self {
            height,
            width,
            unknown,
            time: vec![FAR; height * width],
            queue: BinaryHeap::new(),
            pushed: 0,
            around: None,
            last: None,
        };
        let rim: Vec<usize> = front.cells().filter(|&k| front.is_rim(k)).collect();
        for k in rim {
            front.time[k] = 0.0;
            front.push(k);
        }
        front
    }

    /// Rows and columns of the picture.
    pub fn size(&self) -> (usize, usize) {
        (self.height - 2, self.width - 2)
    }

    /// The row and column in the picture of the cell `k`.
    pub fn place(&self, k: usize) -> (usize, usize) {
        (k / self.width - 1, k % self.width - 1)
    }

    /// All cells but the border, row by row.
    fn cells(&self) -> impl Iterator<Item = usize> + use<> {
        let (height, width) = (self.height, self.width);
        (1..height - 1).flat_map(move |y| (1..width - 1).map(move |x| y * width + x))
    }

    /// Above, left, below, right: the order in which neighbours are looked at.
    fn neighbours(&self, k: usize) -> [usize; 4] {
        [k - self.width, k - 1, k + self.width, k + 1]
    }

    fn is_rim(&self, k: usize) -> bool {
        !self.unknown[k] && self.neighbours(k).iter().any(|&n| self.unknown[n])
    }

    fn push(&mut self, k: usize) {
        self.queue.push(Reverse((self.time[k].to_bits(), self.pushed, k)));
        self.pushed += 1;
    }

    /// Moves on to the next unknown cell and sets its time. The cell counts as unknown until the next call, by which it
    /// must be filled.
    pub fn advance(&mut self) -> Option<usize> {
        if let Some(filled) = self.last.take() {
            self.unknown[filled] = false;
            self.push(filled);
        }
        loop {
            let (centre, first) = match self.around.take() {
                Some(place) => place,
                None => (self.queue.pop()?.0.2, 0),
            };
            let neighbours = self.neighbours(centre);
            let found = (first..4).find(|&q| self.unknown[neighbours[q]]);
            if let Some(q) = found {
                let k = neighbours[q];
                self.around = Some((centre, q + 1));
                self.last = Some(k);
                self.time[k] = self.arrival(k);
                return Some(k);
            }
        }
    }

    /// The earliest arrival at `k` from any two neighbours that meet at a corner.
    fn arrival(&self, k: usize) -> f32 {
        let [above, left, below, right] = self.neighbours(k);
        let ways = [(above, left), (below, left), (above, right), (below, right)];
        ways.into_iter().fold(f32::INFINITY, |t, (a, b)| t.min(self.meet(a, b)))
    }

    /// When a front at speed 1 that came through `a` and `b` arrives at the cell between them.
    fn meet(&self, a: usize, b: usize) -> f32 {
        let (first, second) = (f64::from(self.time[a]), f64::from(self.time[b]));
        let time = match (self.unknown[a], self.unknown[b]) {
            (false, false) if (first - second).abs() < 1.0 => {
                let apart = first - second;
                (first + second + (2.0 - apart * apart).sqrt()) * 0.5
            }
            (false, true) => 1.0 + first,
            (true, false) => 1.0 + second,
            _ => 1.0 + first.min(second),
        };
        time as f32
    }

    /// The march away from the unknown cells, through known ones within `range` rows and columns of an unknown one: each
    /// gets the negative of the time that a front from the rim takes to it.
    pub fn outwards(&mut self, range: usize) -> Outwards<'_> {
        let (height, width) = (self.height, self.width);
        let across = spread(&self.unknown, (0..height).map(|y| y * width), width, 1, range);
        let mut zone = spread(&across, 0..width, height, width, range);
        let inside: Vec<bool> = self.inside();
        for (k, open) in zone.iter_mut().enumerate() {
            *open = *open && inside[k] && !self.unknown[k] && !self.is_rim(k);
        }
        let front = Self {
            height,
            width,
            unknown: zone,
            time: self.time.clone(),
            queue: self.queue.clone(),
            pushed: self.pushed,
            around: None,
            last: None,
        };
        Outwards { of: self, front }
    }

    fn inside(&self) -> Vec<bool> {
        let mut inside = vec![false; self.unknown.len()];
        self.cells().for_each(|k| inside[k] = true);
        inside
    }

    /// The known pixels within `radius` of the cell `k`, row by row.
    pub fn known_near(&self, k: usize, radius: usize) -> impl Iterator<Item = Near> + '_ {
        let (y, x) = (k / self.width, k % self.width);
        let rows = y.saturating_sub(radius).max(1)..=(y + radius).min(self.height - 2);
        rows.flat_map(move |row| {
            let columns = x.saturating_sub(radius).max(1)..=(x + radius).min(self.width - 2);
            columns.map(move |column| (row, column))
        })
        .filter_map(move |(row, column)| {
            let cell = row * self.width + column;
            let (down, right) = (row as isize - y as isize, column as isize - x as isize);
            let close = down * down + right * right <= (radius * radius) as isize;
            (close && !self.unknown[cell]).then_some(Near { cell, down, right })
        })
    }
}

/// A known pixel near the one being filled.
pub(super) struct Near {
    /// Its cell of the front.
    pub cell: usize,
    /// Rows below the pixel being filled.
    pub down: isize,
    /// Columns to the right of it.
    pub right: isize,
}

/// `field` with every true cell made `range` cells longer on both sides of its line.
fn spread(field: &[bool], starts: impl Iterator<Item = usize>, length: usize, step: usize, range: usize) -> Vec<bool> {
    let mut out = vec![false; field.len()];
    for start in starts {
        for i in (0..length).filter(|i| field[start + i * step]) {
            for j in i.saturating_sub(range)..=(i + range).min(length - 1) {
                out[start + j * step] = true;
            }
        }
    }
    out
}

/// A march away from the holes under way.
pub(super) struct Outwards<'a> {
    of: &'a mut Front,
    front: Front,
}

impl Outwards<'_> {
    /// One cell further; false when all are reached.
    pub fn advance(&mut self) -> bool {
        let reached = self.front.advance();
        if let Some(k) = reached {
            self.of.time[k] = -self.front.time[k];
        }
        reached.is_some()
    }
}

/// Where differences along one axis are read around place `i` of `n`. As in OpenCV, the first place stands one further
/// in for differences with what comes before, and the last one further out of the way of what comes after; a single
/// place stands for all.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    /// The place itself, or the second.
    pub here: usize,
    /// Before [`Axis::here`].
    pub before: usize,
    /// The place itself, or the last but one.
    pub there: usize,
    /// After [`Axis::there`].
    pub after: usize,
}

impl Axis {
    pub fn of(i: usize, n: usize) -> Self {
        let here = if i == 0 { 1.min(n - 1) } else { i };
        let there = if i + 1 == n { i.saturating_sub(1) } else { i };
        Self {
            here,
            before: here.saturating_sub(1),
            there,
            after: (there + 1).min(n - 1),
        }
    }
}
