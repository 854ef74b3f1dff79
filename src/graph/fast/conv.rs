//! A convolution with what follows it, as an operator of the graph.

use super::super::vjp::prelude::*;
use super::{evaluate, with_scratch};
use crate::kernel::{self, Region, Window};

/// From `[N, in, h, w]`, and what is added to it `[N, out, h', w']` if anything is, to `[N, out, h', w']`.
#[derive(Clone, Debug)]
pub(in crate::graph) struct Conv {
    kernel: Arc<kernel::Conv>,
    adds: bool,
}

impl Conv {
    /// An operator with two inputs if it `adds` the second, else with one.
    pub fn new(kernel: Arc<kernel::Conv>, adds: bool) -> Self {
        Self { kernel, adds }
    }

    /// The geometry.
    pub fn window(&self) -> &Window {
        self.kernel.window()
    }

    /// Multiplications that one place of the output takes, over all channels.
    pub fn products(&self) -> usize {
        self.kernel.products()
    }

    /// Writes the places of `region` (none: all) of `output`, from the inputs of one picture; see
    /// [`kernel::Conv::run`].
    pub fn run_into(&self, inputs: &[&[f32]], output: &mut [f32], region: Option<&Region>) {
        with_scratch(|scratch| {
            self.kernel
                .run(inputs[0], inputs.get(1).copied(), output, region, scratch);
        });
    }

    fn shape(&self, pictures: usize) -> [usize; 4] {
        let [h, w] = self.window().output;
        [pictures, self.kernel.channels()[1], h, w]
    }
}

impl PartialEq for Conv {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.kernel, &other.kernel) && self.adds == other.adds
    }
}

impl Eq for Conv {}

impl Op for Conv {
    fn name(&self) -> StaticName {
        "FastConv".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        let [from, to] = self.kernel.channels();
        Ok(vec![format!("{from} to {to}, {:?}", self.window())])
    }

    op_as_typed_op!();
}

impl EvalOp for Conv {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        evaluate(
            &inputs,
            |pictures| self.shape(pictures),
            |inputs, output| self.run_into(inputs, output, None),
        )
    }
}

impl TypedOp for Conv {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs.len() == 1 + usize::from(self.adds), "{} inputs", inputs.len());
        ensure!(inputs.iter().all(|input| input.datum_type == f32::datum_type()));
        let pictures = inputs[0].shape.as_concrete().context("a shape is not known")?[0];
        Ok(tvec!(f32::fact(self.shape(pictures))))
    }

    as_op!();
}
