//! Which buffer holds which value: buffers are planned once, and one holds several values one after the other.

use std::collections::HashMap;

use super::ir::{Graph, ValueId};
use super::wgsl::{Buffer, Kernel};

/// Where values lie.
#[derive(Debug)]
pub(super) struct Plan {
    /// Elements of each buffer.
    pub slots: Vec<usize>,
    /// The buffer of each value that has one.
    pub slot: HashMap<ValueId, usize>,
}

#[derive(Clone, Copy)]
struct Life {
    /// Index of the first kernel that writes it, counted from 1; 0 for inputs.
    from: usize,
    /// Index of the last kernel that touches it.
    to: usize,
}

/// Plans buffers for values that are given, computed, and kept to the end. Two values whose lives overlap never share one,
/// and no kernel reads the buffer that it writes.
pub(super) fn plan(graph: &Graph, root: &[ValueId], kernels: &[Kernel]) -> Plan {
    let mut lives: Vec<Option<Life>> = vec![None; graph.values.len()];
    let mut touch = |id: ValueId, at: usize| {
        if graph.values[id.0].constant.is_none() {
            let life = lives[id.0].get_or_insert(Life { from: at, to: at });
            life.to = life.to.max(at);
        }
    };
    for &input in &graph.inputs {
        touch(root[input.0], 0);
    }
    for (at, kernel) in kernels.iter().enumerate() {
        touch(kernel.out, at + 1);
        for read in &kernel.reads {
            if let Buffer::Value(id) = read {
                touch(*id, at + 1);
            }
        }
    }
    for &output in &graph.outputs {
        touch(root[output.0], usize::MAX);
    }
    let mut plan = Plan {
        slots: vec![],
        slot: HashMap::new(),
    };
    let mut free: Vec<usize> = vec![];
    for at in 0..=kernels.len() {
        for (value, life) in lives.iter().enumerate() {
            if life.is_some_and(|life| life.from == at) {
                let size = graph.values[value].len();
                let slot = take(&mut plan.slots, &mut free, size);
                plan.slot.insert(ValueId(value), slot);
            }
        }
        for (value, life) in lives.iter().enumerate() {
            if life.is_some_and(|life| life.to == at) {
                free.push(plan.slot[&ValueId(value)]);
            }
        }
    }
    plan
}

/// The smallest free buffer that is large enough, else the largest one, made larger, else a new one.
fn take(slots: &mut Vec<usize>, free: &mut Vec<usize>, size: usize) -> usize {
    let fits = (0..free.len())
        .filter(|&i| slots[free[i]] >= size)
        .min_by_key(|&i| slots[free[i]]);
    let chosen = fits.or_else(|| (0..free.len()).max_by_key(|&i| slots[free[i]]));
    let slot = chosen.map_or_else(
        || {
            slots.push(0);
            slots.len() - 1
        },
        |i| free.swap_remove(i),
    );
    slots[slot] = slots[slot].max(size);
    slot
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::fuse::fuse;
    use crate::gpu::ir::{Op, Reduction};
    use crate::gpu::wgsl::{Known, Target, kernels};

    #[test]
    fn a_chain_takes_two_buffers() {
        let mut graph = Graph::default();
        let mut x = graph.input(&[1, 8, 4, 4]);
        for _ in 0..5 {
            let softmax = Op::Softmax {
                axes: vec![3],
                log: false,
            };
            x = graph.push(softmax, &[x]).expect("it fits");
        }
        let sum = Op::Reduce {
            by: Reduction::Sum,
            axes: vec![1],
        };
        let y = graph.push(sum, &[x]).expect("it fits");
        graph.outputs.push(y);
        let fused = fuse(&graph);
        let known = Known {
            graph: &graph,
            root: &fused.root,
        };
        let target = Target {
            half: false,
            tiles: false,
        };
        let made: Vec<Kernel> = fused.groups.iter().flat_map(|g| kernels(known, g, target)).collect();
        let plan = plan(&graph, &fused.root, &made);
        assert_eq!(plan.slots, [128, 128]);
        for kernel in &made {
            for read in &kernel.reads {
                let Buffer::Value(id) = read else { continue };
                assert_ne!(plan.slot[id], plan.slot[&kernel.out], "a kernel reads what it writes");
            }
        }
    }
}
