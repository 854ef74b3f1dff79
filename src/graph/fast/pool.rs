//! Pools as operators of the graph.

use tract_onnx::tract_core::ops::cnn::{MaxPool, PaddingSpec, SumPool};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::super::vjp::prelude::*;
use super::chain::window;
use super::{evaluate, with_scratch};
use crate::kernel::{self, Pooling, Region, Window};

/// From `[N, C, h, w]` to `[N, C, h', w']`.
#[derive(Clone, Debug)]
pub(in crate::graph) struct Pool {
    kernel: Arc<kernel::Pool>,
    channels: usize,
}

impl Pool {
    /// The operator that computes what `node` does, if that is a pool of planes.
    pub fn of(model: &TypedModel, node: &TypedNode) -> TractResult<Option<Self>> {
        let (spec, pooling) = if let Some(op) = node.op_as::<MaxPool>().filter(|op| op.with_index_outputs.is_none()) {
            (&op.pool_spec, Pooling::Max)
        } else if let Some(op) = node.op_as::<SumPool>() {
            let pooling = match (op.normalize, op.count_include_pad) {
                (false, _) => Pooling::Sum,
                (true, false) => Pooling::MeanOfPresent,
                (true, true) => Pooling::Mean,
            };
            (&op.pool_spec, pooling)
        } else {
            return Ok(None);
        };
        let fact = model.outlet_fact(node.inputs[0])?;
        // Rounded up, the last window may reach over the padding, which a mean then leaves out.
        let rounded_up = matches!(spec.padding, PaddingSpec::ExplicitOnnxPool(_, _, true));
        if fact.datum_type != f32::datum_type()
            || spec.data_format != DataFormat::NCHW
            || spec.rank() != 2
            || (rounded_up && pooling == Pooling::Mean)
        {
            return Ok(None);
        }
        Ok(window(spec, fact, &node.outputs[0].fact).map(|window| Self {
            kernel: Arc::new(kernel::Pool::new(window, pooling)),
            channels: spec.input_channels,
        }))
    }

    /// The geometry.
    pub fn window(&self) -> &Window {
        self.kernel.window()
    }

    /// Writes the places of `region` (none: all) of `output`, from the input of one picture; see
    /// [`kernel::Pool::run`].
    pub fn run_into(&self, inputs: &[&[f32]], output: &mut [f32], region: Option<&Region>) {
        with_scratch(|scratch| self.kernel.run(inputs[0], output, region, scratch));
    }

    fn shape(&self, pictures: usize) -> [usize; 4] {
        let [h, w] = self.window().output;
        [pictures, self.channels, h, w]
    }
}

impl PartialEq for Pool {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.kernel, &other.kernel)
    }
}

impl Eq for Pool {}

impl Op for Pool {
    fn name(&self) -> StaticName {
        "FastPool".into()
    }

    fn info(&self) -> TractResult<Vec<String>> {
        Ok(vec![format!("{:?}", self.kernel)])
    }

    op_as_typed_op!();
}

impl EvalOp for Pool {
    op_out_of_plan!();

    fn eval(&self, _ctx: &EvalContext, inputs: TVec<TValue>) -> TractResult<TVec<TValue>> {
        let pictures = inputs[0].shape()[0];
        evaluate(inputs, pictures, &self.shape(pictures), |inputs, output| {
            self.run_into(inputs, output, None);
        })
    }
}

impl TypedOp for Pool {
    fn output_facts(&self, inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        ensure!(inputs[0].datum_type == f32::datum_type());
        let pictures = inputs[0].shape.as_concrete().context("a shape is not known")?[0];
        Ok(tvec!(f32::fact(self.shape(pictures))))
    }

    as_op!();
}
