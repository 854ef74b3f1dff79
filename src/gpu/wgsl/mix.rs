//! Pictures between a given one and what is left where it is removed, one for each mask.

use super::{Buffer, Kernel, Source, Target};
use crate::gpu::ir::ValueId;

/// How masks are written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::gpu) enum Form {
    /// A word a pixel: a number.
    Shares,
    /// A bit a pixel.
    Bits,
    /// The shift down and right, then `grid * grid` numbers.
    Cells { grid: usize },
}

impl Form {
    /// Words of one mask.
    pub fn words(self, pixels: usize) -> usize {
        match self {
            Self::Shares => pixels,
            Self::Bits => pixels.div_ceil(32),
            Self::Cells { grid } => 2 + grid * grid,
        }
    }
}

/// The kernel for pictures `[n, c, h, w]`. It reads the picture, what is left, the masks, and for cells a table of
/// `(first, second, share)` for each row, then, from entry `columns`, for each column of the enlarged grid.
pub(in crate::gpu) fn kernel([n, c, h, w]: [usize; 4], form: Form, columns: usize, target: Target) -> Kernel {
    let mut source = Source::new(target);
    let mut read = |at: usize, element: &'static str| source.read(Buffer::Value(ValueId(at)), element);
    let (picture, fill, masks) = (read(0, "f32"), read(1, "f32"), read(2, "u32"));
    let pixels = h * w;
    let words = form.words(pixels);
    let share = match form {
        Form::Shares => format!("  let m = bitcast<f32>({masks}[mask + p]);\n"),
        Form::Bits => format!("  let m = f32(({masks}[mask + p / 32u] >> (p % 32u)) & 1u);\n"),
        Form::Cells { grid } => {
            let table = read(3, "u32");
            let cell = |row: &str, column: &str| {
                format!("bitcast<f32>({masks}[mask + 2u + {table}[{row}] * {grid}u + {table}[{column}]])")
            };
            let across = |row: &str| {
                let (a, b) = (cell(row, "column"), cell(row, "column + 1u"));
                format!("{a} + bitcast<f32>({table}[column + 2u]) * ({b} - {a})")
            };
            format!(
                "  let row = (p / {w}u + {masks}[mask]) * 3u;
  let column = ({columns}u + p % {w}u + {masks}[mask + 1u]) * 3u;
  let above = {};
  let below = {};
  let m = above + bitcast<f32>({table}[row + 2u]) * (below - above);\n",
                across("row"),
                across("row + 1u")
            )
        }
    };
    let body = format!(
        "  let p = i % {pixels}u;
  let mask = i / {all}u * {words}u;
{share}  let x = {picture}[i % {all}u];
  let f = {fill}[i % {all}u];
  var v = m * x + (1.0 - m) * f;
  if (m == 1.0) {{ v = x; }}
  if (m == 0.0) {{ v = f; }}
  out[i] = S(v);\n",
        all = c * pixels
    );
    source.flat(ValueId(4), n * c * pixels, &body)
}
