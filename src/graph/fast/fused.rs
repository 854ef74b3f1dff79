//! A convolution, or the adjoint of one, with what follows it, as an operator of the graph.

use super::super::vjp::prelude::*;
use super::{evaluate, with_scratch};
use crate::kernel::{self, Region, Scratch, Window};

/// What both kernels have.
pub(in crate::graph) trait Kernel: std::fmt::Debug + Send + Sync + 'static {
    /// The operator's name.
    const NAME: &'static str;
    /// The geometry of the convolution.
    fn window(&self) -> &Window;
    /// Channels that are read and made.
    fn channels(&self) -> [usize; 2];
    /// Height and width of the planes that are made.
    fn size(&self) -> [usize; 2];
    /// Writes the places of `region` (none: all) of `output`.
    fn run(&self, input: &[f32], added: Option<&[f32]>, output: &mut [f32], region: Option<&Region>, s: &mut Scratch);
}

impl Kernel for kernel::Conv {
    const NAME: &'static str = "FastConv";

    fn window(&self) -> &Window {
        self.window()
    }

    fn channels(&self) -> [usize; 2] {
        self.channels()
    }

    fn size(&self) -> [usize; 2] {
        self.window().output
    }

    fn run(&self, input: &[f32], added: Option<&[f32]>, output: &mut [f32], region: Option<&Region>, s: &mut Scratch) {
        self.run(input, added, output, region, s);
    }
}

impl Kernel for kernel::Deconv {
    const NAME: &'static str = "FastDeconv";

    fn window(&self) -> &Window {
        self.window()
    }

    fn channels(&self) -> [usize; 2] {
        let [made, read] = self.channels();
        [read, made]
    }

    fn size(&self) -> [usize; 2] {
        self.window().input
    }

    fn run(&self, input: &[f32], added: Option<&[f32]>, output: &mut [f32], region: Option<&Region>, s: &mut Scratch) {
        self.run(input, added, output, region, s);
    }
}

/// From `[N, read, h, w]`, and what is added to the result if anything is, to `[N, made, h', w']`.
#[derive(Debug)]
pub(in crate::graph) struct Fused<K> {
    kernel: Arc<K>,
    adds: bool,
}

/// A convolution.
pub(in crate::graph) type Conv = Fused<kernel::Conv>;
/// The adjoint of one.
pub(in crate::graph) type Deconv = Fused<kernel::Deconv>;

impl<K: Kernel> Fused<K> {
    /// An operator with two inputs if it `adds` the second, else with one.
    pub fn new(kernel: Arc<K>, adds: bool) -> Self {
        Self { kernel, adds }
    }

    /// The geometry of the convolution.
    pub fn window(&self) -> &Window {
        self.kernel.window()
    }

    /// Writes the places of `region` (none: all) of `output`, from the inputs of one picture; see
    /// [`kernel::Conv::run`] and [`kernel::Deconv::run`].
    pub fn run_into(&self, inputs: &[&[f32]], output: &mut [f32], region: Option<&Region>) {
        with_scratch(|scratch| {
            self.kernel
                .run(inputs[0], inputs.get(1).copied(), output, region, scratch);
        });
    }

    fn shape(&self, pictures: usize) -> [usize; 4] {
        let [h, w] = self.kernel.size();
        [pictures, self.kernel.channels()[1], h, w]
    }
}

impl Conv {
    /// Multiplications that one place of the output takes, over all channels.
    pub fn products(&self) -> usize {
        self.kernel.products()
    }
}

impl<K> Clone for Fused<K> {
    fn clone(&self) -> Self {
        Self {
            kernel: self.kernel.clone(),
            adds: self.adds,
        }
    }
}

impl<K> PartialEq for Fused<K> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.kernel, &other.kernel) && self.adds == other.adds
    }
}

impl<K> Eq for Fused<K> {}

impl<K: Kernel> Op for Fused<K> {
    fn name(&self) -> StaticName {
        K::NAME.into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        let [from, to] = self.kernel.channels();
        Ok(vec![format!("{from} to {to}, {:?}", self.window())])
    }

    op_as_typed_op!();
}

impl<K: Kernel> EvalOp for Fused<K> {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let pictures = inputs[0].shape()[0];
        evaluate(inputs, pictures, &self.shape(pictures), |inputs, output| {
            self.run_into(inputs, output, None);
        })
    }
}

impl<K: Kernel> TypedOp for Fused<K> {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs.len() == 1 + usize::from(self.adds), "{} inputs", inputs.len());
        ensure!(inputs.iter().all(|input| input.datum_type == f32::datum_type()));
        let pictures = inputs[0].shape.as_concrete().context("a shape is not known")?[0];
        Ok(tvec!(f32::fact(self.shape(pictures))))
    }

    as_op!();
}
