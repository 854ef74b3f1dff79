//! Every rule but those of sliding windows, in the forms that change what it does.

use tract_onnx::tract_core::ops::array::{
    CumSum, FiniteReshape, Gather, GatherElements, GatherNd, MultiBroadcastTo, Pad, PadMode, ScatterElements,
    ScatterReduction, Slice, StridedSlice, Tile, Topk, Trilu, TypedConcat,
};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::conv::KernelFormat;
use tract_onnx::tract_core::ops::cnn::{Conv, PaddingSpec};
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::element_wise::ElementWiseOp;
use tract_onnx::tract_core::ops::nn::resize::{CoordTransformer, Interpolator, Nearest, NearestUpsample, Resize};
use tract_onnx::tract_core::ops::nn::{
    Reduce, Reducer, Softmax, SoftmaxKind, gelu_approximate, gelu_exact, hard_swish, leaky_relu, sigmoid, silu,
};
use tract_onnx::tract_core::ops::{Downsample, logic, math};
use tract_onnx_opl::lrn::Lrn;
use tract_onnx_opl::resize as onnx;

use super::windows::{Geometry, spec};
use super::{Case, check, konst, tensor, wire};
use crate::graph::vjp::prelude::*;

fn einsum(name: &'static str, expression: &'static str, shapes: &[&[usize]]) -> Case {
    Case::new(name, shapes, move |m, x| {
        wire(m, EinSum::new(expression.parse().unwrap(), f32::datum_type()), x)
    })
    .linear()
}

#[test]
fn contractions() {
    check(vec![
        einsum("matrix product", "mk,kn->mn", &[&[3, 4], &[4, 2]]),
        einsum("transposed", "km,nk->nm", &[&[4, 3], &[2, 4]]),
        einsum("batched", "bhik,bhjk->bhij", &[&[2, 2, 3, 2], &[2, 2, 4, 2]]),
        einsum("attention values", "bhij,bhjd->bihd", &[&[1, 2, 3, 4], &[1, 2, 4, 2]]),
        einsum("shared weights", "bik,kj->bij", &[&[2, 3, 4], &[4, 2]]),
        einsum("broadcast operand", "bik,bkj->bij", &[&[2, 3, 4], &[1, 4, 2]]),
        einsum("summed alone", "abk,kc->ac", &[&[2, 3, 4], &[4, 2]]),
        einsum("outer", "a,b->ab", &[&[3], &[4]]),
        einsum("inner", "ab,ab->", &[&[3, 2], &[3, 2]]),
        einsum("one operand", "abc->ca", &[&[2, 3, 2]]),
        einsum("three operands", "ab,bc,cd->ad", &[&[2, 3], &[3, 2], &[2, 2]]),
        Case::new("constant weights", &[&[2, 3, 4]], |m, x| {
            let weights = konst(m, tensor(&[1, 4, 3, 5], (-1.0, 1.0), 1));
            wire(
                m,
                EinSum::new("btk,zktn->zbn".parse().unwrap(), f32::datum_type()),
                &[x[0], weights],
            )
        })
        .linear(),
        einsum("unit axes", "nchw,cd->ndhw", &[&[1, 3, 1, 2], &[3, 1]]),
    ]);
}

fn binary(name: &'static str, op: fn() -> TypedBinOp, a: &[usize], b: &[usize]) -> Case {
    Case::new(name, &[a, b], move |m, x| wire(m, op(), x))
}

/// `x` and a constant.
fn with_constant(name: &'static str, op: fn() -> TypedBinOp, constant: f32, constant_first: bool) -> Case {
    Case::new(name, &[&[2, 3, 2]], move |m, x| {
        let c = konst(m, tensor0(constant).broadcast_into_rank(3).unwrap());
        let inputs = if constant_first { [c, x[0]] } else { [x[0], c] };
        wire(m, op(), &inputs)
    })
}

#[test]
fn arithmetic() {
    check(vec![
        binary("add", math::add, &[2, 3], &[2, 3]),
        binary("add broadcast", math::add, &[2, 3, 2], &[1, 3, 1]),
        binary("sub", math::sub, &[1, 3], &[2, 3]),
        binary("sub flipped", math::subf, &[2, 3], &[2, 1]),
        binary("mul", math::mul, &[2, 3], &[2, 3]),
        binary("mul broadcast both", math::mul, &[2, 1, 3], &[1, 4, 3]),
        binary("div", math::div, &[2, 3], &[2, 3]).over(0.7, 2.5),
        binary("div broadcast", math::div, &[1, 3], &[2, 1]).over(0.7, 2.5),
        binary("max", math::max, &[2, 3], &[2, 3]),
        binary("max broadcast", math::max, &[2, 3], &[1, 3]),
        binary("min", math::min, &[2, 3], &[2, 3]),
        binary("pow", math::pow, &[2, 3], &[2, 3]).over(0.5, 2.0),
        binary("pow broadcast", math::pow, &[2, 3], &[1, 1]).over(0.5, 2.0),
        with_constant("relu", math::max, 0.0, false),
        with_constant("relu, constant first", math::max, 0.0, true),
        with_constant("min with a constant", math::min, 0.3, false),
        with_constant("constant over x", math::div, 3.0, true).over(0.7, 2.5),
        with_constant("x over constant", math::div, 3.0, false),
        with_constant("square by pow", math::pow, 2.0, false),
        with_constant("cube", math::pow, 3.0, false),
        with_constant("root by pow", math::pow, 0.5, false).over(0.5, 2.0),
        with_constant("exponential of x", math::pow, 2.5, true),
        Case::new("x times x", &[&[2, 3]], |m, x| wire(m, math::mul(), &[x[0], x[0]])),
        Case::new("clip", &[&[3, 8]], |m, x| {
            let low = konst(m, tensor2(&[[-0.9f32]]));
            let high = konst(m, tensor2(&[[1.2f32]]));
            let inside = wire(m, math::max(), &[x[0], low]);
            wire(m, math::min(), &[inside, high])
        }),
        Case::new("clip, upper bound first", &[&[3, 8]], |m, x| {
            let low = konst(m, tensor2(&[[-0.9f32]]));
            let high = konst(m, tensor2(&[[1.2f32]]));
            let inside = wire(m, math::min(), &[x[0], high]);
            wire(m, math::max(), &[inside, low])
        }),
        Case::new("two clips of the wrong order", &[&[3, 8]], |m, x| {
            let low = konst(m, tensor2(&[[0.5f32]]));
            let high = konst(m, tensor2(&[[-0.4f32]]));
            let inside = wire(m, math::max(), &[x[0], low]);
            let below = wire(m, math::min(), &[inside, high]);
            wire(m, math::add(), &[below, x[0]])
        }),
        Case::new("bound by channel", &[&[2, 3, 2]], |m, x| {
            let bounds = konst(m, tensor3(&[[[-0.5f32], [0.1], [0.4]]]));
            wire(m, math::max(), &[bounds, x[0]])
        }),
        Case::new("bound that broadcasts x", &[&[1, 3]], |m, x| {
            let bounds = konst(m, tensor(&[4, 3], (0.3, 0.3), 0));
            wire(m, math::max(), &[x[0], bounds])
        }),
        Case::new("select", &[&[2, 3], &[1, 3]], |m, x| {
            let zero = konst(m, tensor2(&[[0f32]]));
            let condition = wire(m, TypedBinOp(logic::comp_lt(), None), &[x[0], zero]);
            wire(m, logic::Iff, &[condition, x[1], x[0]])
        }),
        Case::new("prelu", &[&[2, 3, 2]], |m, x| {
            let zero = konst(m, tensor3(&[[[0f32]]]));
            let slope = konst(m, tensor3(&[[[0.1f32], [0.2], [0.3]]]));
            let scaled = wire(m, math::mul(), &[x[0], slope]);
            let condition = wire(m, TypedBinOp(logic::comp_lt(), None), &[x[0], zero]);
            wire(m, logic::Iff, &[condition, scaled, x[0]])
        }),
    ]);
}

fn unary(name: &'static str, op: fn() -> ElementWiseOp, low: f32, high: f32) -> Case {
    Case::new(name, &[&[2, 9]], move |m, x| wire(m, op(), x)).over(low, high)
}

#[test]
fn element_wise() {
    check(vec![
        unary("neg", math::neg, -2.0, 2.0),
        unary("abs", math::abs, -2.0, 2.0),
        unary("square", math::square, -2.0, 2.0),
        unary("sqrt", math::sqrt, 0.5, 3.0),
        unary("rsqrt", math::rsqrt, 0.5, 3.0),
        unary("recip", math::recip, 0.5, 3.0),
        unary("exp", math::exp, -2.0, 2.0),
        unary("ln", math::ln, 0.5, 3.0),
        unary("pow-const", || math::pow_const(2.5), 0.5, 3.0),
        unary("erf", math::erf, -2.0, 2.0),
        unary("sigmoid", sigmoid, -4.0, 4.0),
        unary("tanh", math::tanh, -3.0, 3.0),
        unary("hard-swish", hard_swish, -4.5, 4.5),
        unary("leaky-relu", || leaky_relu(0.1), -2.0, 2.0),
        unary("silu", silu::silu, -4.0, 4.0),
        unary("gelu", gelu_exact::gelu_exact, -3.0, 3.0),
        unary("gelu by tanh", || gelu_approximate::gelu_approximate(false), -3.0, 3.0),
        unary(
            "fast gelu by tanh",
            || gelu_approximate::gelu_approximate(true),
            -3.0,
            3.0,
        ),
        unary("sin", math::sin, -2.0, 2.0),
        unary("cos", math::cos, -2.0, 2.0),
        unary("tan", math::tan, -1.0, 1.0),
        unary("asin", math::asin, -0.8, 0.8),
        unary("acos", math::acos, -0.8, 0.8),
        unary("atan", math::atan, -2.0, 2.0),
        unary("sinh", math::sinh, -2.0, 2.0),
        unary("cosh", math::cosh, -2.0, 2.0),
        unary("asinh", math::asinh, -2.0, 2.0),
        unary("acosh", math::acosh, 1.5, 3.0),
        unary("atanh", math::atanh, -0.8, 0.8),
        Case::new("silu, decomposed", &[&[2, 9]], |m, x| {
            let gate = wire(m, sigmoid(), x);
            wire(m, math::mul(), &[x[0], gate])
        }),
        // A flat part adds nothing to the path beside it.
        Case::new("x plus floor", &[&[2, 9]], |m, x| {
            let floor = wire(m, math::floor(), x);
            wire(m, math::add(), &[x[0], floor])
        })
        .over(0.1, 0.9),
    ]);
}

fn reduction(name: &'static str, axes: &[usize], reducer: Reducer) -> Case {
    let axes: TVec<usize> = axes.into();
    Case::new(name, &[&[2, 3, 4]], move |m, x| {
        wire(m, Reduce::new(axes.clone(), reducer), x)
    })
}

#[test]
fn reductions() {
    let softmax = |name, axes: &[usize], kind| {
        let axes: TVec<usize> = axes.into();
        Case::new(name, &[&[2, 3, 4]], move |m, x| {
            wire(m, Softmax::new(axes.clone(), None, kind), x)
        })
    };
    check(vec![
        reduction("sum", &[1], Reducer::Sum),
        reduction("sum of several", &[0, 2], Reducer::Sum),
        reduction("max", &[1, 2], Reducer::Max),
        reduction("min", &[0], Reducer::Min),
        reduction("mean of squares", &[1, 2], Reducer::MeanOfSquares),
        reduction("product", &[2], Reducer::Prod),
        Case::new("product with a zero", &[&[1, 4]], |m, x| {
            // The first factor is 0 where the differences are taken.
            let at = super::values(&tensor(&[1, 4], (-2.0, 2.0), 0))[0];
            let offset = konst(m, tensor2(&[[at, 0.0, 0.0, 0.0]]));
            let factors = wire(m, math::sub(), &[x[0], offset]);
            wire(m, Reduce::new(tvec![1], Reducer::Prod), &[factors])
        }),
        softmax("softmax", &[2], SoftmaxKind::Softmax),
        softmax("softmax over two axes", &[1, 2], SoftmaxKind::Softmax),
        softmax("log-softmax", &[1], SoftmaxKind::LogSoftmax),
        Case::new("cumulative sum", &[&[2, 5]], |m, x| {
            wire(
                m,
                CumSum {
                    axis: 1,
                    exclusive: false,
                    reverse: false,
                },
                x,
            )
        }),
        Case::new("exclusive cumulative sum from the end", &[&[2, 5]], |m, x| {
            wire(
                m,
                CumSum {
                    axis: 1,
                    exclusive: true,
                    reverse: true,
                },
                x,
            )
        }),
        Case::new("layer norm", &[&[2, 6]], |m, x| {
            let mean = wire(m, Reduce::new(tvec![1], Reducer::Sum), x);
            let six = konst(m, tensor2(&[[6f32]]));
            let mean = wire(m, math::div(), &[mean, six]);
            let centred = wire(m, math::sub(), &[x[0], mean]);
            let square = wire(m, math::square(), &[centred]);
            let variance = wire(m, Reduce::new(tvec![1], Reducer::Sum), &[square]);
            let epsilon = konst(m, tensor2(&[[0.1f32]]));
            let variance = wire(m, math::add(), &[variance, epsilon]);
            let scale = wire(m, math::rsqrt(), &[variance]);
            wire(m, math::mul(), &[centred, scale])
        }),
    ]);
}

fn moving(name: &'static str, shape: &[usize], op: impl TypedOp + Clone) -> Case {
    Case::new(name, &[shape], move |m, x| wire(m, op.clone(), x)).linear()
}

fn strided(
    name: &'static str,
    begin: &'static [i64],
    end: &'static [i64],
    axes: &'static [i64],
    steps: &'static [i64],
) -> Case {
    Case::new(name, &[&[2, 7, 3]], move |m, x| {
        let op = StridedSlice {
            optional_axes_input: Some(3),
            optional_steps_input: Some(4),
            begin_mask: 0,
            end_mask: 0,
            shrink_axis_mask: 0,
        };
        let lists: Vec<OutletId> = [begin, end, axes, steps]
            .into_iter()
            .map(|list| konst(m, tensor1(list)))
            .collect();
        wire(m, op, &[x, &lists].concat())
    })
    .linear()
}

#[test]
fn shapes() {
    let pad = |pads: &[(usize, usize)], mode| Pad {
        pads: pads.to_vec(),
        mode,
    };
    check(vec![
        moving("add axis", &[2, 3], AxisOp::Add(1)),
        moving("remove axis", &[2, 1, 3], AxisOp::Rm(1)),
        moving("move axis", &[2, 3, 4], AxisOp::Move(0, 2)),
        moving("move axis back", &[2, 3, 4], AxisOp::Move(2, 0)),
        moving(
            "reshape",
            &[2, 6],
            AxisOp::Reshape(1, tvec![6.to_dim()], tvec![2.to_dim(), 3.to_dim()]),
        ),
        moving("whole reshape", &[2, 6], FiniteReshape::new(tvec![3, 4])),
        moving(
            "broadcast",
            &[1, 3, 1],
            MultiBroadcastTo::new(ShapeFact::from_dims([2, 3, 4].map(|d| d.to_dim()))),
        ),
        moving(
            "broadcast to a rank",
            &[3, 1],
            MultiBroadcastTo::new(ShapeFact::from_dims([2, 3, 4].map(|d| d.to_dim()))),
        ),
        moving(
            "tile",
            &[2, 3],
            Tile {
                multipliers: tvec![2.to_dim(), 3.to_dim()],
            },
        ),
        moving("slice", &[2, 5], Slice::new(1, 1, 4)),
        moving("downsample", &[2, 7], Downsample::new(1, 3, 1)),
        moving("downsample backwards", &[2, 7], Downsample::new(1, -2, 0)),
        moving("pad", &[2, 3], pad(&[(1, 0), (2, 1)], PadMode::default())),
        moving("pad by reflection", &[3, 4], pad(&[(2, 1), (0, 3)], PadMode::Reflect)),
        moving("pad by edges", &[3, 2], pad(&[(2, 1), (0, 3)], PadMode::Edge)),
        strided("strided slice", &[1], &[6], &[1], &[1]),
        strided("strided slice of two axes", &[0, 1], &[i64::MAX, 7], &[2, 1], &[2, 3]),
        strided("strided slice from the end", &[-3], &[i64::MAX], &[-2], &[1]),
        strided("strided slice backwards", &[-1], &[i64::MIN], &[1], &[-2]),
        Case::new("concat", &[&[2, 1], &[2, 3]], |m, x| {
            let c = konst(m, tensor(&[2, 2], (0.0, 1.0), 0));
            wire(m, TypedConcat::new(1), &[x[0], c, x[1], x[0]])
        })
        .linear(),
        Case::new("lower triangle", &[&[4, 4]], |m, x| {
            let k = konst(m, tensor0(0i64));
            wire(m, Trilu { upper: false }, &[x[0], k])
        })
        .linear(),
    ]);
}

#[test]
fn indexing() {
    let gather = |name, shape: &[usize], axis, indices: Tensor| {
        Case::new(name, &[shape], move |m, x| {
            let indices = konst(m, indices.clone());
            wire(m, Gather::new(axis), &[x[0], indices])
        })
        .linear()
    };
    // Indices that the graph computes from the values: the places of the largest.
    let places = |m: &mut TypedModel, x: OutletId| wire(m, Reduce::new(tvec![1], Reducer::ArgMax(false)), &[x]);
    check(vec![
        gather("gather one", &[2, 3, 2], 1, tensor0(1i64)),
        gather("gather a range", &[2, 5], 1, tensor1(&[1i64, 2, 3])),
        gather("gather some", &[2, 5], 1, tensor1(&[4i64, 0, 4, -2])),
        gather("gather a matrix", &[4, 2], 0, tensor2(&[[0i64, 3], [3, 1]])),
        Case::new("gather at computed places", &[&[4, 4]], move |m, x| {
            let at = places(m, x[0]);
            wire(m, Gather::new(0), &[x[0], at])
        }),
        Case::new("gather elements", &[&[2, 4]], |m, x| {
            let indices = konst(m, tensor2(&[[0i64, 3, 3], [1, -1, 2]]));
            wire(m, GatherElements::new(1), &[x[0], indices])
        })
        .linear(),
        Case::new("gather n-d", &[&[3, 4, 2]], |m, x| {
            let indices = konst(m, tensor2(&[[0i64, 3], [2, 1], [0, 3]]));
            wire(m, GatherNd::new(0), &[x[0], indices])
        })
        .linear(),
        Case::new("scatter elements", &[&[2, 4], &[2, 2]], |m, x| {
            let indices = konst(m, tensor2(&[[0i64, 3], [1, 2]]));
            wire(
                m,
                ScatterElements::new(1, ScatterReduction::None),
                &[x[0], indices, x[1]],
            )
        })
        .linear(),
        Case::new("scatter elements, adding", &[&[2, 4], &[2, 3]], |m, x| {
            let indices = konst(m, tensor2(&[[0i64, 3, 3], [1, 2, 1]]));
            wire(
                m,
                ScatterElements::new(1, ScatterReduction::Add),
                &[x[0], indices, x[1]],
            )
        })
        .linear(),
        Case::new("the largest", &[&[3, 5]], |m, x| {
            let k = konst(m, tensor0(2i64));
            wire(m, Topk::new(1, true, 2.to_dim()), &[x[0], k])
        }),
    ]);
}

#[test]
fn resampling() {
    use CoordTransformer::{
        AlignCorners, Asymmetric, HalfPixel, HalfPixelSymmetric, PytorchHalfPixel, TfHalfPixelForNn,
    };
    let resize = |name, transform: CoordTransformer, interpolator: Interpolator, nearest, scales: [f32; 2]| {
        Case::new(name, &[&[1, 2, 4, 3]], move |m, x| {
            let scales = konst(m, tensor1(&[1.0, 1.0, scales[0], scales[1]]));
            let op = Resize {
                coord_transformer: transform.clone(),
                interpolator: interpolator.clone(),
                nearest,
                optional_scales_input: Some(1),
                optional_sizes_input: None,
            };
            wire(m, op, &[x[0], scales])
        })
        .linear()
    };
    let sized = |name, op: onnx::Resize, sizes: &'static [i64]| {
        Case::new(name, &[&[1, 2, 4, 3]], move |m, x| {
            let sizes = konst(m, tensor1(sizes));
            wire(m, op.clone(), &[x[0], sizes])
        })
        .linear()
    };
    let plain = onnx::Resize {
        axes: None,
        coord_transformer: onnx::CoordTransform::Plain(HalfPixel),
        interpolator: Interpolator::Linear,
        nearest: onnx::Nearest::RoundPreferFloor,
        antialias: false,
        cubic_coeff_a_bits: (-0.75f32).to_bits(),
        exclude_outside: false,
        extrapolation_value_bits: 0,
        keep_aspect_ratio_policy: onnx::AspectRatio::Stretch,
        optional_roi_input: None,
        optional_scales_input: None,
        optional_sizes_input: Some(1),
    };
    let with = |interpolator: Interpolator, nearest, axes: Option<Vec<i64>>, antialias, exclude_outside| onnx::Resize {
        interpolator,
        nearest,
        axes,
        antialias,
        exclude_outside,
        ..plain.clone()
    };
    let (linear, near, cubic) = (Interpolator::Linear, Interpolator::Nearest, Interpolator::Cubic);
    let (floor, round) = (Nearest::Floor, Nearest::RoundPreferCeil);
    check(vec![
        resize("bilinear, half pixel", HalfPixel, linear.clone(), floor, [2.0, 1.5]),
        resize(
            "bilinear, aligned corners",
            AlignCorners,
            linear.clone(),
            floor,
            [2.0, 3.0],
        ),
        resize("bilinear, asymmetric", Asymmetric, linear.clone(), floor, [2.0, 2.0]),
        resize("bilinear, PyTorch", PytorchHalfPixel, linear.clone(), floor, [0.5, 2.0]),
        resize(
            "bilinear, symmetric",
            HalfPixelSymmetric,
            linear.clone(),
            floor,
            [1.4, 2.0],
        ),
        resize("nearest", Asymmetric, near.clone(), floor, [2.0, 2.0]),
        resize("nearest, fractional", HalfPixel, near.clone(), round, [1.5, 2.5]),
        resize("nearest, TensorFlow", TfHalfPixelForNn, near.clone(), floor, [2.0, 0.7]),
        resize("cubic", HalfPixel, cubic.clone(), floor, [2.0, 1.5]),
        sized("onnx bilinear", plain.clone(), &[1, 2, 7, 5]),
        sized(
            "onnx nearest, up",
            with(near.clone(), onnx::Nearest::Ceil, None, false, false),
            &[1, 2, 7, 5],
        ),
        sized(
            "onnx nearest, down",
            with(near, onnx::Nearest::RoundPreferFloor, Some(vec![2, 3]), false, false),
            &[3, 2],
        ),
        sized(
            "onnx antialiased",
            with(linear, onnx::Nearest::Floor, Some(vec![-1]), true, false),
            &[2],
        ),
        sized(
            "onnx cubic",
            with(cubic, onnx::Nearest::Floor, None, false, true),
            &[1, 2, 3, 6],
        ),
        moving(
            "nearest upsample",
            &[1, 2, 2, 3],
            NearestUpsample {
                scales: tvec![1, 1, 3, 2],
            },
        ),
        moving(
            "local response normalisation",
            &[1, 5, 2, 2],
            Lrn {
                alpha: 0.4,
                beta: 0.75,
                bias: 1.0,
                size: 3,
            },
        )
        .nonlinear(),
        moving(
            "even neighbourhood",
            &[1, 5, 2, 2],
            Lrn {
                alpha: 0.4,
                beta: 0.6,
                bias: 1.5,
                size: 4,
            },
        )
        .nonlinear(),
    ]);
}

/// Chains in which tract's optimiser meets a repeated cotangent.
#[test]
fn repeated_cotangents() {
    let spec = || {
        spec(
            &Geometry {
                kernel: &[1, 1],
                strides: &[1, 1],
                dilations: &[1, 1],
                padding: PaddingSpec::Valid,
            },
            3,
            4,
        )
    };
    let pooled = move |m: &mut TypedModel, x: OutletId| wire(m, Reduce::new(tvec![2, 3], Reducer::Sum), &[x]);
    check(vec![
        Case::new(
            "pool after a pointwise convolution",
            &[&[1, 3, 4, 2], &[4]],
            move |m, x| {
                let kernel = konst(m, tensor(&[4, 3, 1, 1], (-1.0, 1.0), 1));
                let y = wire(m, Conv::new(spec(), KernelFormat::OIHW, 1, None), &[x[0], kernel, x[1]]);
                pooled(m, y)
            },
        )
        .linear(),
        Case::new("pool after an activation", &[&[1, 3, 4, 2]], move |m, x| {
            let zero = konst(m, tensor4(&[[[[0f32]]]]));
            let y = wire(m, math::max(), &[x[0], zero]);
            pooled(m, y)
        }),
        Case::new("mean of tokens after a product", &[&[2, 3, 4], &[4, 5]], |m, x| {
            let y = wire(m, EinSum::new("btk,kn->btn".parse().unwrap(), f32::datum_type()), x);
            let y = wire(m, Reduce::new(tvec![1], Reducer::Sum), &[y]);
            wire(m, AxisOp::Rm(1), &[y])
        })
        .linear(),
        Case::new("mean of tokens after axes moved", &[&[1, 4, 2, 3], &[4, 5]], |m, x| {
            let y = wire(
                m,
                AxisOp::Reshape(2, tvec![2.to_dim(), 3.to_dim()], tvec![6.to_dim()]),
                &[x[0]],
            );
            let y = wire(m, AxisOp::Move(1, 2), &[y]);
            let y = wire(
                m,
                EinSum::new("btk,kn->btn".parse().unwrap(), f32::datum_type()),
                &[y, x[1]],
            );
            wire(m, Reduce::new(tvec![1], Reducer::Sum), &[y])
        })
        .linear(),
    ]);
}
