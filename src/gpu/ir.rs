//! What a GPU runs: a plain description of a network with static shapes, all in `f32`. It knows neither the engine that it
//! is made from nor the device.
//!
//! Values are dense and row-major. Truth is 1, falsehood 0; every value but 0 counts as true. A graph is built in the order
//! of its evaluation by [`Graph::input`], [`Graph::constant`] and [`Graph::push`], which checks shapes.

use std::sync::Arc;

/// A value of a graph, by its place in [`Graph::values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ValueId(pub usize);

/// An array that is given, constant or computed.
#[derive(Clone, Debug)]
pub struct Value {
    /// Sizes, outermost first. No size is 0.
    pub shape: Vec<usize>,
    /// What it holds, where it is constant. Constants of equal content are one on the device, also across graphs.
    pub constant: Option<Arc<[f32]>>,
}

impl Value {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds nothing, which no value of a graph does.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The only element of a constant, if it is one value throughout.
    pub fn uniform(&self) -> Option<f32> {
        let constant = self.constant.as_ref()?;
        let first = *constant.first()?;
        constant.iter().all(|v| v.to_bits() == first.to_bits()).then_some(first)
    }
}

/// One operator with what it reads and writes.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it computes.
    pub op: Op,
    /// What it reads, in the operator's order.
    pub inputs: Vec<ValueId>,
    /// What it writes.
    pub output: ValueId,
}

/// A network: nodes in the order of evaluation.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    /// All arrays.
    pub values: Vec<Value>,
    /// All operators; each reads only what is given, constant or written before it.
    pub nodes: Vec<Node>,
    /// What is given to a run, in this order.
    pub inputs: Vec<ValueId>,
    /// What a run gives back, in this order. Inputs and constants may be among them.
    pub outputs: Vec<ValueId>,
}

/// Windows that slide over the last two axes of `[N, C, H, W]`. Window `o` covers the positions
/// `o * stride + k * dilation - before` for `k < kernel`; positions outside the picture are padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Window {
    /// Taps down and across.
    pub kernel: [usize; 2],
    /// Positions between windows.
    pub stride: [usize; 2],
    /// Positions between taps.
    pub dilation: [usize; 2],
    /// Padding above and left. That below and right follows from `windows`.
    pub before: [usize; 2],
    /// Number of windows: the size of what comes out.
    pub windows: [usize; 2],
}

/// What the sum over a window is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Divisor {
    /// Nothing: a sum.
    One,
    /// The number of its taps inside the picture; a window with none gives 0.
    Inside,
    /// The number of its taps whose position, counted from the padding's start, is below `end`.
    Padded {
        /// Size of the padded picture, [`usize::MAX`] where each tap counts.
        end: [usize; 2],
    },
}

/// One index of a [`Op::Contract`], with its steps in the flat operands and result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Index {
    /// Its extent.
    pub len: usize,
    /// Step in the first operand; 0 where that does not have the index.
    pub a: usize,
    /// Step in the second operand; 0 where that does not have the index.
    pub b: usize,
    /// Whether it is summed over; else it is an axis of the result.
    pub summed: bool,
}

/// How values along some axes become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Reduction {
    Sum,
    Mean,
    MeanOfSquares,
    Prod,
    Max,
    Min,
}

/// A function of one number.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unary {
    Neg,
    Abs,
    /// -1, 0 or 1.
    Sign,
    Floor,
    Ceil,
    /// Halves away from 0.
    Round,
    /// Halves to even.
    RoundHalfToEven,
    Recip,
    Square,
    Sqrt,
    Rsqrt,
    Exp,
    Ln,
    /// To 2e-7, absolute.
    Erf,
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `x * clamp(x + 3, 0, 6) / 6`.
    HardSwish,
    /// `x * sigmoid(x)`.
    Silu,
    /// `x / 2 * (1 + erf(x / sqrt(2)))`.
    Gelu,
    /// `x / 2 * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))`.
    GeluTanh,
    /// `x` over 0, else `slope * x`.
    LeakyRelu(f32),
    /// `min(max(x, low), high)`. Bounds may be infinite.
    Clamp(f32, f32),
    Sin,
    Cos,
    Tan,
    Asin,
    Acos,
    Atan,
    Sinh,
    Cosh,
    Asinh,
    Acosh,
    Atanh,
    /// 1 where `x` is 0, else 0.
    Not,
}

/// A function of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Binary {
    Add,
    Sub,
    Mul,
    Div,
    Max,
    Min,
    /// `a^b`; of a negative `a` for whole `b` only, else not a number.
    Pow,
    /// 1 where `a < b`, else 0; the others likewise.
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
    Xor,
}

/// Weighted copies along one axis: output position `o` is the sum over its taps of `weight * input[position]`, in their
/// order. Resizing, indexing by constants, reflected padding, strided and reversed slices are all of this kind, and so is
/// the adjoint of each.
#[derive(Clone, Debug, PartialEq)]
pub struct Taps {
    /// `(position, weight)` of all outputs, one output after the other.
    pub taps: Vec<(u32, f32)>,
    /// Where the taps of each output end. An output without taps is 0.
    pub ends: Vec<u32>,
}

impl Taps {
    /// From a list for each output.
    pub fn new<I: IntoIterator<Item = (usize, f32)>>(outputs: impl IntoIterator<Item = I>) -> Self {
        let mut this = Self {
            taps: vec![],
            ends: vec![],
        };
        for taps in outputs {
            this.taps.extend(taps.into_iter().map(|(i, w)| (i as u32, w)));
            this.ends.push(this.taps.len() as u32);
        }
        this
    }

    /// The map back from outputs to `len` inputs, with the taps of each input by rising output.
    #[must_use]
    pub fn adjoint(&self, len: usize) -> Self {
        let mut back = vec![vec![]; len];
        let mut start = 0;
        for (output, &end) in self.ends.iter().enumerate() {
            for &(input, weight) in &self.taps[start as usize..end as usize] {
                back[input as usize].push((output, weight));
            }
            start = end;
        }
        Self::new(back)
    }
}

/// The vocabulary.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// `(x [N, C, H, W], w [O, C / groups, kh, kw])` and optionally `bias [O]`, to `[N, O, oh, ow]`: correlation.
    Conv {
        /// Its windows; padding counts as 0.
        window: Window,
        /// Channels fall into so many groups that do not mix.
        groups: usize,
    },
    /// `(g [N, O, oh, ow], w [C, O / groups, kh, kw])` and optionally `bias [C]`, to `[N, C, H, W]`: the adjoint of a
    /// convolution with these windows by its input, equal to a transposed convolution. The weights have the channels of the
    /// **result** first: those of the convolution with its two channel axes exchanged within each group.
    ConvTransposed {
        /// Of the convolution; `window.windows` is `[oh, ow]`.
        window: Window,
        /// As the convolution's.
        groups: usize,
        /// `[H, W]`. Positions that no window covers get 0 (and the bias).
        size: [usize; 2],
    },
    /// `(a, b)`: the sum over all summed indices of the products, which is a matrix product where each operand has an index
    /// of its own. The result's axes are the indices that are not summed, in their order.
    Contract(Vec<Index>),
    /// `(x [N, C, H, W])` to `[N, C, oh, ow]`. A window without a tap inside the picture gives the lowest `f32`.
    MaxPool(Window),
    /// `(g [N, C, oh, ow], x [N, C, H, W])` to the shape of `x`: each window's `g` is sent to its first (row-major) maximum.
    MaxPoolAdjoint(Window),
    /// `(x [N, C, H, W])` to `[N, C, oh, ow]`.
    SumPool {
        /// Its windows; padding counts as 0.
        window: Window,
        /// What each sum is divided by.
        divisor: Divisor,
    },
    /// `(g [N, C, oh, ow])` to `[N, C, H, W]`.
    SumPoolAdjoint {
        /// Of the pool.
        window: Window,
        /// Of the pool.
        divisor: Divisor,
        /// `[H, W]`.
        size: [usize; 2],
    },
    /// `(x)`: the axes stay, with size 1.
    Reduce {
        /// How.
        by: Reduction,
        /// Rising.
        axes: Vec<usize>,
    },
    /// `(x)` to its shape, over all `axes` together. The largest value is subtracted first.
    Softmax {
        /// Rising.
        axes: Vec<usize>,
        /// Whether the logarithm of it is given.
        log: bool,
    },
    /// `(x)`, element by element.
    Unary(Unary),
    /// `(a, b)` with broadcasting: of one rank, sizes equal or 1.
    Binary(Binary),
    /// `(condition, a, b)`: `a` where true, else `b`. Broadcasts like [`Op::Binary`].
    Select,
    /// Any number of arrays, one after the other along an axis.
    Concat {
        /// Along which.
        axis: usize,
    },
    /// `(x)`: positions `start + i * step` for `i < len` along one axis.
    Slice {
        /// Along which.
        axis: usize,
        /// First position.
        start: usize,
        /// Steps, backwards if negative.
        step: isize,
        /// Number of positions.
        len: usize,
    },
    /// `(x)` with `before` and `after` positions of a value added to each axis.
    Pad {
        /// For each axis.
        before: Vec<usize>,
        /// For each axis.
        after: Vec<usize>,
        /// What is added.
        value: f32,
    },
    /// `(x)`: axis `i` of the result is axis `permutation[i]` of `x`.
    Transpose {
        /// A permutation of the axes.
        permutation: Vec<usize>,
    },
    /// `(x)` under another shape of the same size; also adds and drops axes.
    Reshape {
        /// The new shape.
        shape: Vec<usize>,
    },
    /// `(x)` repeated along its axes of size 1.
    Broadcast {
        /// The new shape, of the same rank.
        shape: Vec<usize>,
    },
    /// `(x)`: weighted copies along one axis.
    Taps {
        /// Along which.
        axis: usize,
        /// For each position of the result.
        taps: Arc<Taps>,
    },
}

/// Why a graph cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{op}: {why}")]
pub struct Malformed {
    /// The operator.
    pub op: String,
    /// What is wrong.
    pub why: String,
}

impl Graph {
    /// A new value that is given to each run.
    pub fn input(&mut self, shape: &[usize]) -> ValueId {
        let id = self.value(shape, None);
        self.inputs.push(id);
        id
    }

    /// A new constant.
    ///
    /// # Panics
    /// If `data` does not hold exactly the product of `shape` values; that is a bug of the caller.
    pub fn constant(&mut self, shape: &[usize], data: Arc<[f32]>) -> ValueId {
        assert_eq!(
            shape.iter().product::<usize>(),
            data.len(),
            "a constant fills its shape"
        );
        self.value(shape, Some(data))
    }

    /// A constant of one element, of this rank.
    pub fn scalar(&mut self, value: f32, rank: usize) -> ValueId {
        self.constant(&vec![1; rank], Arc::new([value]))
    }

    /// The shape of a value.
    ///
    /// # Panics
    /// If the value is of another graph.
    pub fn shape(&self, id: ValueId) -> &[usize] {
        &self.values[id.0].shape
    }

    /// A new node; its result.
    ///
    /// # Errors
    /// If the operator does not take operands of these shapes.
    pub fn push(&mut self, op: Op, inputs: &[ValueId]) -> Result<ValueId, Malformed> {
        let refuse = |why: String| Malformed {
            op: op.name().to_owned(),
            why,
        };
        if let Some(unknown) = inputs.iter().find(|id| id.0 >= self.values.len()) {
            return Err(refuse(format!("it reads value {}, which does not exist", unknown.0)));
        }
        let shapes: Vec<&[usize]> = inputs.iter().map(|&id| self.shape(id)).collect();
        let shape = super::shapes::infer(&op, &shapes).map_err(refuse)?;
        if shape.contains(&0) {
            return Err(refuse(format!("its result {shape:?} is empty")));
        }
        let number = |n: u32, &size: &usize| n.checked_mul(u32::try_from(size).ok()?);
        if shape.iter().try_fold(1, number).is_none() {
            return Err(refuse(format!(
                "its result {shape:?} has more elements than 32 bits count"
            )));
        }
        let output = self.value(&shape, None);
        self.nodes.push(Node {
            op,
            inputs: inputs.to_vec(),
            output,
        });
        Ok(output)
    }

    fn value(&mut self, shape: &[usize], constant: Option<Arc<[f32]>>) -> ValueId {
        self.values.push(Value {
            shape: shape.to_vec(),
            constant,
        });
        ValueId(self.values.len() - 1)
    }
}

impl Op {
    /// Its name, for messages.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Conv { .. } => "Conv",
            Self::ConvTransposed { .. } => "ConvTransposed",
            Self::Contract(_) => "Contract",
            Self::MaxPool(_) => "MaxPool",
            Self::MaxPoolAdjoint(_) => "MaxPoolAdjoint",
            Self::SumPool { .. } => "SumPool",
            Self::SumPoolAdjoint { .. } => "SumPoolAdjoint",
            Self::Reduce { .. } => "Reduce",
            Self::Softmax { .. } => "Softmax",
            Self::Unary(_) => "Unary",
            Self::Binary(_) => "Binary",
            Self::Select => "Select",
            Self::Concat { .. } => "Concat",
            Self::Slice { .. } => "Slice",
            Self::Pad { .. } => "Pad",
            Self::Transpose { .. } => "Transpose",
            Self::Reshape { .. } => "Reshape",
            Self::Broadcast { .. } => "Broadcast",
            Self::Taps { .. } => "Taps",
        }
    }

    /// A contraction in Einstein's notation: `letters` of `a`, `b` and the result, which broadcast over sizes of 1.
    ///
    /// # Errors
    /// If a letter occurs twice in one operand, sizes differ, or the result has a letter that no operand has.
    pub fn einsum(a: (&[char], &[usize]), b: (&[char], &[usize]), result: &[char]) -> Result<Self, Malformed> {
        super::shapes::einsum(a, b, result)
            .map(Self::Contract)
            .map_err(|why| Malformed {
                op: "Contract".into(),
                why,
            })
    }
}
