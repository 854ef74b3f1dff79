//! The rules of sliding windows: convolutions and pools, in the forms that change what they do.

use tract_onnx::tract_core::ops::cnn::conv::KernelFormat;
use tract_onnx::tract_core::ops::cnn::{Conv, Deconv, MaxPool, PaddingSpec, PoolSpec, SumPool};
use tract_onnx::tract_core::ops::nn::DataFormat;

use super::{Case, check, konst, tensor, wire};

pub(super) struct Geometry {
    pub(super) kernel: &'static [usize],
    pub(super) strides: &'static [usize],
    pub(super) dilations: &'static [usize],
    pub(super) padding: PaddingSpec,
}

pub(super) fn spec(g: &Geometry, from: usize, to: usize) -> PoolSpec {
    PoolSpec::new(
        DataFormat::NCHW,
        g.kernel.into(),
        g.padding.clone(),
        Some(g.dilations.into()),
        Some(g.strides.into()),
        from,
        to,
    )
}

fn explicit(before: &[usize], after: &[usize]) -> PaddingSpec {
    PaddingSpec::Explicit(before.into(), after.into())
}

fn onnx_pool(before: &[usize], after: &[usize], ceil: bool) -> PaddingSpec {
    PaddingSpec::ExplicitOnnxPool(before.into(), after.into(), ceil)
}

/// `[2, from, ..space]` through weights of `group` groups.
fn conv(name: &'static str, space: &[usize], (from, to, group): (usize, usize, usize), g: Geometry) -> Case {
    let shape = [&[2, from], space].concat();
    Case::new(name, &[&shape, &[to]], move |m, x| {
        let kernel = konst(m, tensor(&[&[to, from / group], g.kernel].concat(), (-1.0, 1.0), 1));
        wire(
            m,
            Conv::new(spec(&g, from, to), KernelFormat::OIHW, group, None),
            &[x[0], kernel, x[1]],
        )
    })
    .linear()
}

fn deconv(
    name: &'static str,
    space: &[usize],
    (from, to, group): (usize, usize, usize),
    g: Geometry,
    adjustments: &'static [usize],
) -> Case {
    let shape = [&[2, from], space].concat();
    Case::new(name, &[&shape, &[to]], move |m, x| {
        let kernel = konst(m, tensor(&[&[to, from / group], g.kernel].concat(), (-1.0, 1.0), 1));
        let op = Deconv::new(spec(&g, from, to), KernelFormat::OIHW, adjustments.into(), group);
        wire(m, op, &[x[0], kernel, x[1]])
    })
    .linear()
}

#[test]
fn convolutions() {
    let valid = PaddingSpec::Valid;
    let g = |kernel, strides, dilations, padding| Geometry {
        kernel,
        strides,
        dilations,
        padding,
    };
    check(vec![
        conv("1x1", &[3, 2], (3, 4, 1), g(&[1, 1], &[1, 1], &[1, 1], valid.clone())),
        conv(
            "3x3 padded",
            &[4, 5],
            (2, 3, 1),
            g(&[3, 3], &[1, 1], &[1, 1], explicit(&[1, 1], &[1, 1])),
        ),
        conv("valid", &[4, 5], (2, 3, 1), g(&[3, 2], &[1, 1], &[1, 1], valid.clone())),
        conv(
            "asymmetric padding",
            &[4, 4],
            (2, 2, 1),
            g(&[3, 3], &[1, 1], &[1, 1], explicit(&[0, 2], &[1, 0])),
        ),
        conv(
            "padding over the reach",
            &[3, 3],
            (1, 2, 1),
            g(&[2, 2], &[1, 1], &[1, 1], explicit(&[2, 2], &[3, 2])),
        ),
        conv(
            "stride with remainder",
            &[6, 5],
            (2, 3, 1),
            g(&[3, 3], &[2, 2], &[1, 1], explicit(&[1, 1], &[1, 1])),
        ),
        conv(
            "stride over kernel",
            &[7, 6],
            (2, 2, 1),
            g(&[1, 2], &[3, 3], &[1, 1], valid.clone()),
        ),
        conv(
            "dilated",
            &[6, 5],
            (2, 2, 1),
            g(&[3, 2], &[1, 1], &[2, 3], explicit(&[2, 1], &[2, 1])),
        ),
        conv(
            "dilated, strided",
            &[7, 6],
            (1, 2, 1),
            g(&[3, 2], &[2, 1], &[2, 2], explicit(&[1, 0], &[2, 1])),
        ),
        conv(
            "grouped",
            &[3, 4],
            (4, 6, 2),
            g(&[3, 3], &[1, 1], &[1, 1], explicit(&[1, 1], &[1, 1])),
        ),
        conv(
            "grouped, strided",
            &[5, 4],
            (4, 6, 2),
            g(&[3, 3], &[2, 2], &[1, 1], explicit(&[1, 1], &[1, 1])),
        ),
        conv(
            "depthwise",
            &[4, 4],
            (3, 3, 3),
            g(&[3, 3], &[1, 1], &[1, 1], explicit(&[1, 1], &[1, 1])),
        ),
        conv(
            "depthwise, strided",
            &[5, 6],
            (3, 3, 3),
            g(&[3, 3], &[2, 2], &[1, 1], explicit(&[0, 1], &[1, 1])),
        ),
        conv(
            "depthwise, multiplied",
            &[4, 4],
            (2, 4, 2),
            g(&[3, 3], &[1, 1], &[1, 1], explicit(&[1, 1], &[1, 1])),
        ),
        conv(
            "depthwise multiplied, strided",
            &[5, 5],
            (2, 4, 2),
            g(&[3, 3], &[2, 2], &[1, 1], valid.clone()),
        ),
        conv(
            "depthwise, dilated, strided",
            &[9, 8],
            (2, 2, 2),
            g(&[3, 2], &[2, 3], &[2, 1], explicit(&[3, 0], &[1, 2])),
        ),
        conv(
            "depthwise, stride over kernel",
            &[6, 7],
            (2, 2, 2),
            g(&[1, 2], &[3, 4], &[1, 1], explicit(&[0, 1], &[0, 3])),
        ),
        conv(
            "depthwise, same",
            &[6, 5],
            (3, 3, 3),
            g(&[3, 5], &[2, 2], &[1, 1], PaddingSpec::SameUpper),
        ),
        conv(
            "depthwise, padded over the reach",
            &[3, 3],
            (2, 2, 2),
            g(&[2, 2], &[1, 1], &[1, 1], explicit(&[2, 2], &[3, 2])),
        ),
        conv(
            "depthwise 1-d strided",
            &[8],
            (2, 2, 2),
            g(&[3], &[2], &[1], explicit(&[1], &[0])),
        ),
        conv(
            "same upper",
            &[5, 6],
            (2, 2, 1),
            g(&[3, 3], &[2, 2], &[1, 1], PaddingSpec::SameUpper),
        ),
        conv(
            "same lower",
            &[6, 5],
            (2, 2, 1),
            g(&[2, 3], &[1, 2], &[1, 1], PaddingSpec::SameLower),
        ),
        conv("1-d", &[7], (2, 3, 1), g(&[3], &[1], &[1], explicit(&[1], &[1]))),
        conv(
            "1-d strided",
            &[8],
            (2, 3, 1),
            g(&[3], &[2], &[1], explicit(&[1], &[0])),
        ),
        conv(
            "3-d",
            &[3, 3, 4],
            (1, 2, 1),
            g(&[2, 2, 2], &[1, 1, 2], &[1, 1, 1], explicit(&[1, 0, 0], &[0, 0, 1])),
        ),
        Case::new("scalar bias", &[&[1, 2, 3, 3], &[]], |m, x| {
            let kernel = konst(m, tensor(&[2, 2, 2, 2], (-1.0, 1.0), 1));
            let spec = spec(
                &Geometry {
                    kernel: &[2, 2],
                    strides: &[1, 1],
                    dilations: &[1, 1],
                    padding: PaddingSpec::Valid,
                },
                2,
                2,
            );
            wire(m, Conv::new(spec, KernelFormat::OIHW, 1, None), &[x[0], kernel, x[1]])
        })
        .linear(),
    ]);
}

#[test]
fn transposed_convolutions() {
    let valid = PaddingSpec::Valid;
    let g = |kernel, strides, dilations, padding| Geometry {
        kernel,
        strides,
        dilations,
        padding,
    };
    check(vec![
        deconv(
            "2x2 stride 2",
            &[3, 2],
            (3, 2, 1),
            g(&[2, 2], &[2, 2], &[1, 1], valid.clone()),
            &[0, 0],
        ),
        deconv(
            "padded",
            &[3, 3],
            (2, 3, 1),
            g(&[3, 3], &[2, 2], &[1, 1], explicit(&[1, 1], &[1, 0])),
            &[0, 0],
        ),
        deconv(
            "adjusted",
            &[3, 3],
            (2, 2, 1),
            g(&[3, 3], &[2, 2], &[1, 1], explicit(&[1, 1], &[1, 1])),
            &[1, 1],
        ),
        deconv(
            "adjusted by a stride",
            &[2, 3],
            (1, 2, 1),
            g(&[2, 2], &[2, 2], &[1, 1], valid.clone()),
            &[2, 3],
        ),
        deconv(
            "dilated",
            &[3, 3],
            (2, 2, 1),
            g(&[2, 3], &[1, 2], &[2, 1], valid.clone()),
            &[0, 0],
        ),
        deconv(
            "grouped",
            &[3, 2],
            (4, 6, 2),
            g(&[3, 3], &[2, 2], &[1, 1], explicit(&[1, 1], &[1, 1])),
            &[1, 0],
        ),
        deconv(
            "depthwise",
            &[3, 3],
            (3, 3, 3),
            g(&[4, 4], &[2, 2], &[1, 1], explicit(&[1, 1], &[1, 1])),
            &[0, 0],
        ),
        deconv("1-d", &[4], (2, 3, 1), g(&[3], &[2], &[1], explicit(&[1], &[1])), &[0]),
    ]);
}

#[test]
fn pools() {
    let max = |name, space: &[usize], g: Geometry| {
        let shape = [&[2, 2], space].concat();
        Case::new(name, &[&shape], move |m, x| {
            wire(
                m,
                MaxPool {
                    pool_spec: spec(&g, 2, 2),
                    with_index_outputs: None,
                },
                x,
            )
        })
    };
    let sum = |name, space: &[usize], g: Geometry, normalize, count_include_pad| {
        let shape = [&[2, 2], space].concat();
        Case::new(name, &[&shape], move |m, x| {
            wire(
                m,
                SumPool {
                    pool_spec: spec(&g, 2, 2),
                    normalize,
                    count_include_pad,
                },
                x,
            )
        })
        .linear()
    };
    let g = |kernel, strides, dilations, padding| Geometry {
        kernel,
        strides,
        dilations,
        padding,
    };
    let valid = PaddingSpec::Valid;
    check(vec![
        max("max 2x2", &[4, 4], g(&[2, 2], &[2, 2], &[1, 1], valid.clone())),
        max("max overlapping", &[5, 4], g(&[3, 3], &[1, 1], &[1, 1], valid.clone())),
        max(
            "max padded",
            &[5, 5],
            g(&[3, 3], &[2, 2], &[1, 1], onnx_pool(&[1, 1], &[1, 1], false)),
        ),
        max(
            "max ceil",
            &[6, 5],
            g(&[3, 2], &[2, 2], &[1, 1], onnx_pool(&[0, 0], &[0, 0], true)),
        ),
        max(
            "max dilated",
            &[5, 5],
            g(&[2, 2], &[1, 2], &[2, 2], onnx_pool(&[0, 1], &[0, 0], false)),
        ),
        max(
            "max same",
            &[5, 4],
            g(&[3, 3], &[2, 2], &[1, 1], PaddingSpec::SameUpper),
        ),
        max("max 1-d", &[7], g(&[3], &[2], &[1], valid.clone())),
        max(
            "max 3-d",
            &[3, 4, 2],
            g(&[2, 2, 2], &[1, 2, 1], &[1, 1, 1], valid.clone()),
        ),
        sum(
            "sum",
            &[4, 5],
            g(&[2, 3], &[2, 1], &[1, 1], valid.clone()),
            false,
            false,
        ),
        sum(
            "mean",
            &[4, 4],
            g(&[2, 2], &[2, 2], &[1, 1], valid.clone()),
            true,
            false,
        ),
        sum(
            "mean inside",
            &[4, 5],
            g(&[3, 3], &[2, 2], &[1, 1], onnx_pool(&[1, 1], &[1, 0], false)),
            true,
            false,
        ),
        sum(
            "mean padded",
            &[4, 5],
            g(&[3, 3], &[2, 2], &[1, 1], onnx_pool(&[1, 1], &[1, 0], false)),
            true,
            true,
        ),
        sum(
            "mean ceil",
            &[6, 5],
            g(&[3, 2], &[2, 2], &[1, 1], onnx_pool(&[1, 0], &[0, 0], true)),
            true,
            false,
        ),
        sum(
            "mean ceil padded",
            &[6, 5],
            g(&[3, 2], &[2, 2], &[1, 1], onnx_pool(&[0, 1], &[0, 0], true)),
            true,
            true,
        ),
        sum(
            "mean dilated",
            &[5, 5],
            g(&[2, 2], &[1, 1], &[2, 1], onnx_pool(&[1, 1], &[1, 1], false)),
            true,
            false,
        ),
    ]);
}
