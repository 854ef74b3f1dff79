//! The adjoint of a convolution with what follows it, as an operator of the graph.

use super::super::vjp::prelude::*;
use super::{evaluate, with_scratch};
use crate::kernel::{self, Region, Window};

/// From `[N, out, h', w']`, and what is added to the result `[N, in, h, w]` if anything is, to `[N, in, h, w]`.
#[derive(Clone, Debug)]
pub(in crate::graph) struct Deconv {
    kernel: Arc<kernel::Deconv>,
    adds: bool,
}

impl Deconv {
    /// An operator with two inputs if it `adds` the second, else with one.
    pub fn new(kernel: Arc<kernel::Deconv>, adds: bool) -> Self {
        Self { kernel, adds }
    }

    /// The geometry of the convolution that it is the adjoint of.
    pub fn window(&self) -> &Window {
        self.kernel.window()
    }

    /// Writes the places of `region` (none: all) of `output`, from the inputs of one picture; see
    /// [`kernel::Deconv::run`].
    pub fn run_into(&self, inputs: &[&[f32]], output: &mut [f32], region: Option<&Region>) {
        with_scratch(|scratch| {
            self.kernel
                .run(inputs[0], inputs.get(1).copied(), output, region, scratch);
        });
    }

    fn shape(&self, pictures: usize) -> [usize; 4] {
        let [h, w] = self.window().input;
        [pictures, self.kernel.channels()[0], h, w]
    }
}

impl PartialEq for Deconv {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.kernel, &other.kernel) && self.adds == other.adds
    }
}

impl Eq for Deconv {}

impl Op for Deconv {
    fn name(&self) -> StaticName {
        "FastDeconv".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        let [to, from] = self.kernel.channels();
        Ok(vec![format!("{from} to {to}, adjoint of {:?}", self.window())])
    }

    op_as_typed_op!();
}

impl EvalOp for Deconv {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        evaluate(
            &inputs,
            |pictures| self.shape(pictures),
            |inputs, output| self.run_into(inputs, output, None),
        )
    }
}

impl TypedOp for Deconv {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs.len() == 1 + usize::from(self.adds), "{} inputs", inputs.len());
        ensure!(inputs.iter().all(|input| input.datum_type == f32::datum_type()));
        let pictures = inputs[0].shape.as_concrete().context("a shape is not known")?[0];
        Ok(tvec!(f32::fact(self.shape(pictures))))
    }

    as_op!();
}
