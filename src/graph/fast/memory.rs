//! Memory of results that nothing reads any more, for the results of the operators that follow.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::super::vjp::prelude::*;

/// Values that are kept at most; what was freed longest ago goes first.
const MOST: usize = 8 << 20;
/// Arrays of one length that are kept at most: as many as are read and made at a time, with one that is added later.
/// The picture's own are never taken again.
const ALIKE: usize = 3;

thread_local! {
    static FREE: RefCell<VecDeque<Tensor>> = RefCell::default();
}

/// An array of this shape, whose values are any; not a number, where the engine is built with its checks.
pub(super) fn taken(shape: &[usize]) -> TractResult<Tensor> {
    let length = shape.iter().product::<usize>();
    let found = FREE.with_borrow_mut(|free| {
        let at = free.iter().rposition(|tensor| tensor.len() == length)?;
        free.remove(at)
    });
    let Some(mut tensor) = found else {
        return Tensor::zero::<f32>(shape);
    };
    tensor.set_shape(shape)?;
    if cfg!(debug_assertions) {
        tensor.try_as_plain_ram_mut()?.as_slice_mut::<f32>()?.fill(f32::NAN);
    }
    Ok(tensor)
}

/// Keeps the memory of those values that nothing else holds.
pub(super) fn left(values: TVec<TValue>) {
    for value in values {
        if value.is_exclusive() && value.datum_type() == f32::datum_type() && value.is_plain_ram() {
            FREE.with_borrow_mut(|free| {
                if free.iter().filter(|tensor| tensor.len() == value.len()).count() >= ALIKE {
                    return;
                }
                free.push_back(value.into_tensor());
                let mut kept: usize = free.iter().map(Tensor::len).sum();
                while kept > MOST {
                    kept -= free.pop_front().map_or(kept, |tensor| tensor.len());
                }
            });
        }
    }
}
