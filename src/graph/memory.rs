//! How much memory a typed graph needs, from its shapes alone.

use std::collections::BTreeMap;

use tract_onnx::prelude::{TypedFact, TypedModel};

use super::build::cause;
use crate::error::LoadError;

/// Bytes of the constants, plus the most that results take at any one time of a forward pass.
pub(super) fn estimate(model: &TypedModel) -> Result<u64, LoadError> {
    let order = model.eval_order().map_err(|e| LoadError::Parse { why: cause(&e) })?;
    let bytes = |fact: &TypedFact| {
        let count = fact
            .shape
            .as_concrete()
            .unwrap_or_default()
            .iter()
            .fold(1u64, |n, &d| n.saturating_mul(d as u64));
        count.saturating_mul(fact.datum_type.size_of() as u64)
    };
    let mut last_use: BTreeMap<usize, usize> = BTreeMap::new();
    for (when, &id) in order.iter().enumerate() {
        last_use.extend(model.node(id).inputs.iter().map(|i| (i.node, when)));
    }
    let mut ends: Vec<Vec<usize>> = vec![Vec::new(); order.len()];
    for (&node, &when) in &last_use {
        ends[when].push(node);
    }
    let size = |id: usize| {
        model
            .node(id)
            .outputs
            .iter()
            .map(|o| bytes(&o.fact))
            .fold(0u64, u64::saturating_add)
    };
    let (mut constant, mut live, mut peak) = (0u64, 0u64, 0u64);
    for (when, &id) in order.iter().enumerate() {
        let is_const = |id: usize| model.node(id).outputs.iter().all(|o| o.fact.konst.is_some());
        if is_const(id) {
            constant = constant.saturating_add(size(id));
            continue;
        }
        live = live.saturating_add(size(id));
        peak = peak.max(live);
        for &done in ends[when].iter().filter(|&&n| !is_const(n)) {
            live = live.saturating_sub(size(done));
        }
    }
    Ok(constant.saturating_add(peak))
}
