//! A convolution with what follows it, as an operator of the graph.

use super::super::vjp::prelude::*;
use super::with_scratch;
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
        let plains = inputs
            .iter()
            .map(|input| input.try_as_plain_ram())
            .collect::<TractResult<TVec<_>>>()?;
        let slices = plains
            .iter()
            .map(PlainView::as_slice::<f32>)
            .collect::<TractResult<TVec<_>>>()?;
        let pictures = inputs[0].shape()[0];
        let mut result = Tensor::zero::<f32>(&self.shape(pictures))?;
        let mut plain = result.try_as_plain_ram_mut()?;
        let output = plain.as_slice_mut::<f32>()?;
        for (n, output) in output
            .chunks_exact_mut((output.len() / pictures.max(1)).max(1))
            .enumerate()
        {
            let of_picture = |all: &&[f32]| {
                let length = all.len() / pictures;
                n * length..(n + 1) * length
            };
            let inputs: TVec<&[f32]> = slices.iter().map(|&all| &all[of_picture(&all)]).collect();
            self.run_into(&inputs, output, None);
        }
        Ok(tvec!(result.into_tvalue()))
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
