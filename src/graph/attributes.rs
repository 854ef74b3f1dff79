//! Whole numbers in attributes that no network has. The engine takes them as they are: it then counts to them, takes memory
//! for them, or reads beyond its arrays.

use tract_onnx::pb::NodeProto;

use super::onnx::attribute;

/// Largest number that a window is made of: products of two of them stay far below 32 bits.
const WINDOW: i64 = 1 << 14;
/// Largest number of an axis, from the first or from the last.
const AXIS: i64 = 16;

/// Attributes with the least and the largest value that they may hold. (`pads` of `Pad` may be negative; it is checked by
/// the size of the result.)
const RANGES: &[(&str, i64, i64)] = &[
    ("axes", -AXIS, AXIS),
    ("axis", -AXIS, AXIS),
    ("batch_dims", -AXIS, AXIS),
    ("block_size", 1, WINDOW),
    ("blocksize", 1, WINDOW),
    ("dilations", 1, WINDOW),
    ("group", 1, 1 << 20),
    ("kernel_shape", 1, WINDOW),
    ("num_groups", 1, 1 << 20),
    ("num_outputs", 1, WINDOW),
    ("output_padding", 0, WINDOW),
    ("output_shape", 1, WINDOW),
    ("pads", 0, WINDOW),
    ("size", 1, WINDOW),
    ("stash_type", 0, 64),
    ("strides", 1, WINDOW),
];

/// Refuses a node with a number outside of its range, or an order of axes that holds one of them twice; says which.
pub(super) fn check(node: &NodeProto) -> Result<(), String> {
    for &(name, least, most) in RANGES {
        let Some(attribute) = attribute(node, name).filter(|_| (name, &*node.op_type) != ("pads", "Pad")) else {
            continue;
        };
        let single = attribute.ints.is_empty().then_some(&attribute.i);
        // An attribute that is left empty holds 0.
        let given = |value: &&i64| **value != 0 || !attribute.ints.is_empty();
        for value in attribute.ints.iter().chain(single.filter(given)) {
            if !(least..=most).contains(value) {
                return Err(format!("its {name} holds {value}, which is not in {least}..={most}"));
            }
        }
    }
    check_order(node)
}

/// An order of axes holds each of them once.
fn check_order(node: &NodeProto) -> Result<(), String> {
    let order = attribute(node, "perm").filter(|_| node.op_type == "Transpose");
    let Some(order) = order.map(|a| &a.ints).filter(|ints| !ints.is_empty()) else {
        return Ok(());
    };
    let mut axes = order.clone();
    axes.sort_unstable();
    if axes.iter().copied().eq(0..order.len() as i64) {
        Ok(())
    } else {
        Err(format!("its perm {order:?} is not an order of its axes"))
    }
}
