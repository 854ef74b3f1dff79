//! Indexing. Values that are read several times gather the sum of their cotangents.

use tract_onnx::tract_core::ops::array::{
    Gather, GatherElements, GatherNd, ScatterElements, ScatterNd, ScatterReduction, Topk,
};

use super::linear_axis::LinearAxis;
use super::prelude::*;
use super::shape::placed;
use super::{Adjoint, Cotangents, VjpTable, first};

pub(super) fn register(table: VjpTable) -> VjpTable {
    table
        .with_rule_for::<Gather>("gather", gather)
        .with_rule_for::<GatherElements>("gather-elements", |a, op| {
            let g = a.cotangent()?;
            first(scattered(a, op.axis, a.inputs[1], g)?)
        })
        .with_rule_for::<GatherNd>("gather-nd", gather_nd)
        .with_rule_for::<ScatterElements>("scatter-elements", scatter_elements)
        .with_rule_for::<Topk>("top-k", |a, op| {
            let g = a.cotangent()?;
            first(scattered(a, op.axis, a.outputs[1], g)?)
        })
}

/// `g` added into zeros of the shape of the first input, at `indices` along `axis`.
fn scattered(a: &mut Adjoint, axis: usize, indices: OutletId, g: OutletId) -> TractResult<OutletId> {
    let shape = a.shape(a.inputs[0])?;
    let zeros = a.zeros(&shape, g)?;
    a.wire(ScatterElements::new(axis, ScatterReduction::Add), &[zeros, indices, g])
}

fn gather(a: &mut Adjoint, op: &Gather) -> Cotangents {
    let (g, axis) = (a.cotangent()?, op.axis);
    let (shape, indices_shape) = (a.shape(a.inputs[0])?, a.shape(a.inputs[1])?);
    let number: usize = indices_shape.iter().product();
    // The gathered axes as one, at `axis`.
    let gathered: TVec<TDim> = indices_shape.iter().map(ToDim::to_dim).collect();
    let flat = match gathered.len() {
        0 => a.wire(AxisOp::Add(axis), &[g])?,
        1 => g,
        _ => a.wire(AxisOp::Reshape(axis, gathered, tvec![number.to_dim()]), &[g])?,
    };
    if let Some(konst) = a.konst(a.inputs[1])? {
        let indices = konst.cast_to::<i64>()?;
        let indices = indices.try_as_plain_ram()?;
        let len = shape[axis];
        let sources: Vec<usize> = indices
            .as_slice::<i64>()?
            .iter()
            .map(|i| if *i < 0 { (len as i64 + i) as usize } else { *i as usize })
            .collect();
        ensure!(sources.iter().all(|source| *source < len), "an index is out of range");
        if sources.windows(2).all(|pair| pair[1] == pair[0] + 1) && !sources.is_empty() {
            return first(placed(a, flat, axis, sources[0], sources[0] + number)?);
        }
        let f32_only = a.fact(flat)?.datum_type == f32::datum_type();
        ensure!(f32_only, "it is not computed in F32");
        return first(a.wire(LinearAxis::copies(axis, len, sources), &[flat])?);
    }
    let flat_shape = a.shape(flat)?;
    let mut indices = a.inputs[1];
    if indices_shape.len() != 1 {
        let from = indices_shape.iter().map(ToDim::to_dim).collect();
        indices = a.wire(AxisOp::Reshape(0, from, tvec![number.to_dim()]), &[indices])?;
    }
    for _ in 0..axis {
        indices = a.wire(AxisOp::Add(0), &[indices])?;
    }
    for rank in axis + 1..flat_shape.len() {
        indices = a.wire(AxisOp::Add(rank), &[indices])?;
    }
    let indices = a.broadcast_to(indices, &flat_shape)?;
    first(scattered(a, axis, indices, flat)?)
}

fn gather_nd(a: &mut Adjoint, op: &GatherNd) -> Cotangents {
    ensure!(op.batch_dims == 0, "it has {} batch axes", op.batch_dims);
    let g = a.cotangent()?;
    let shape = a.shape(a.inputs[0])?;
    let zeros = a.zeros(&shape, g)?;
    first(a.wire(ScatterNd::new(ScatterReduction::Add), &[zeros, a.inputs[1], g])?)
}

fn scatter_elements(a: &mut Adjoint, op: &ScatterElements) -> Cotangents {
    let g = a.cotangent()?;
    let data = match (a.wanted[0], op.reduction) {
        (false, _) => None,
        (true, ScatterReduction::Add) => Some(g),
        (true, ScatterReduction::None) => {
            let shape = a.shape(a.inputs[2])?;
            let zeros = a.zeros(&shape, g)?;
            Some(a.wire(op.clone(), &[g, a.inputs[1], zeros])?)
        }
        (true, other) => bail!("it reduces by {}", other.as_str()),
    };
    let updates = match (a.wanted[2], op.reduction) {
        (false, _) => None,
        (true, ScatterReduction::Add | ScatterReduction::None) => {
            Some(a.wire(GatherElements::new(op.axis), &[g, a.inputs[1]])?)
        }
        (true, other) => bail!("it reduces by {}", other.as_str()),
    };
    Ok(tvec![data, None, updates])
}
