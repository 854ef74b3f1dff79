//! The shapes of results, and whether operands fit.

use super::ir::{Index, Op, Window};

fn operands<const K: usize>(shapes: &[&[usize]]) -> Result<[Vec<usize>; K], String> {
    let owned: Vec<Vec<usize>> = shapes.iter().map(|s| s.to_vec()).collect();
    <[Vec<usize>; K]>::try_from(owned).map_err(|_| format!("it has {} operands, not {K}", shapes.len()))
}

fn picture(shape: &[usize]) -> Result<[usize; 4], String> {
    <[usize; 4]>::try_from(shape).map_err(|_| format!("its operand has the shape {shape:?}, not [N, C, H, W]"))
}

fn require(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

fn checked(window: &Window) -> Result<(), String> {
    let numbers = [window.kernel, window.stride, window.dilation, window.windows];
    require(numbers.iter().flatten().all(|&n| n > 0), || {
        format!("{window:?} has a 0")
    })
}

fn axes_of(rank: usize, axes: &[usize]) -> Result<(), String> {
    let rising = axes.windows(2).all(|pair| pair[0] < pair[1]);
    require(rising && axes.last().is_none_or(|&last| last < rank), || {
        format!("its axes {axes:?} are not rising axes of {rank}")
    })
}

/// The shape that arrays of one rank broadcast to.
pub(super) fn broadcast(shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
    let mut result = shapes[0].to_vec();
    for shape in &shapes[1..] {
        require(shape.len() == result.len(), || format!("{shapes:?} differ in rank"))?;
        for (r, &s) in result.iter_mut().zip(*shape) {
            require(*r == s || *r == 1 || s == 1, || format!("{shapes:?} do not broadcast"))?;
            if s != 1 {
                *r = s;
            }
        }
    }
    Ok(result)
}

/// Steps of a dense row-major array.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut steps = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        steps[axis - 1] = steps[axis] * shape[axis];
    }
    steps
}

fn bias(shapes: &[&[usize]], channels: usize) -> Result<(), String> {
    require(shapes.len() == 2 || shapes.len() == 3, || {
        format!("it has {} operands, not 2 or 3", shapes.len())
    })?;
    require(shapes.get(2).is_none_or(|&s| s == [channels]), || {
        format!("its bias has the shape {:?}, not [{channels}]", shapes[2])
    })
}

/// The shape of the result of `op`.
pub(super) fn infer(op: &Op, shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
    require(!shapes.is_empty(), || "it has no operand".into())?;
    let x = shapes[0];
    match op {
        Op::Conv { window, groups } => {
            checked(window)?;
            let (n, c, ..) = picture(x).map(|[n, c, h, w]| (n, c, h, w))?;
            let [o, i, kh, kw] = picture(shapes.get(1).ok_or("it has no weights")?)?;
            require(
                *groups > 0 && o % groups == 0 && i * groups == c && [kh, kw] == window.kernel,
                || format!("weights {:?} for the operand {x:?} in {groups} groups", shapes[1]),
            )?;
            bias(shapes, o)?;
            Ok(vec![n, o, window.windows[0], window.windows[1]])
        }
        Op::ConvTransposed { window, groups, size } => {
            checked(window)?;
            let [n, o, h, w] = picture(x)?;
            let [c, i, kh, kw] = picture(shapes.get(1).ok_or("it has no weights")?)?;
            require(
                *groups > 0 && c % groups == 0 && i * groups == o && [kh, kw] == window.kernel,
                || format!("weights {:?} for the operand {x:?} in {groups} groups", shapes[1]),
            )?;
            require([h, w] == window.windows, || format!("{window:?} does not give {x:?}"))?;
            bias(shapes, c)?;
            Ok(vec![n, c, size[0], size[1]])
        }
        Op::Contract(indices) => contract(indices, shapes),
        Op::MaxPool(window) | Op::SumPool { window, .. } => {
            checked(window)?;
            let [x] = operands(shapes)?;
            let [n, c, ..] = picture(&x)?;
            Ok(vec![n, c, window.windows[0], window.windows[1]])
        }
        Op::MaxPoolAdjoint(window) => {
            checked(window)?;
            let [g, x] = operands(shapes)?;
            let [n, c, h, w] = picture(&g)?;
            let [xn, xc, ..] = picture(&x)?;
            require([n, c] == [xn, xc] && [h, w] == window.windows, || {
                format!("{window:?} over {x:?} does not give {g:?}")
            })?;
            Ok(x)
        }
        Op::SumPoolAdjoint { window, size, .. } => {
            checked(window)?;
            let [g] = operands(shapes)?;
            let [n, c, h, w] = picture(&g)?;
            require([h, w] == window.windows, || format!("{window:?} does not give {g:?}"))?;
            Ok(vec![n, c, size[0], size[1]])
        }
        Op::Reduce { axes, .. } => {
            let [mut x] = operands(shapes)?;
            axes_of(x.len(), axes)?;
            for &axis in axes {
                x[axis] = 1;
            }
            Ok(x)
        }
        Op::Softmax { axes, .. } => {
            let [x] = operands(shapes)?;
            axes_of(x.len(), axes)?;
            Ok(x)
        }
        Op::Unary(_) => operands(shapes).map(|[x]| x),
        Op::Binary(_) => {
            operands::<2>(shapes)?;
            broadcast(shapes)
        }
        Op::Select => {
            operands::<3>(shapes)?;
            broadcast(shapes)
        }
        Op::Concat { axis } => {
            let mut result = x.to_vec();
            require(*axis < x.len(), || format!("it has no axis {axis}"))?;
            for shape in &shapes[1..] {
                let mut same = shape.to_vec();
                require(same.len() == x.len(), || format!("{shapes:?} differ in rank"))?;
                same[*axis] = x[*axis];
                require(same == x, || format!("{shapes:?} differ in another axis than {axis}"))?;
                result[*axis] += shape[*axis];
            }
            Ok(result)
        }
        Op::Slice { axis, start, step, len } => {
            let [mut x] = operands(shapes)?;
            let extent = *x.get(*axis).ok_or_else(|| format!("it has no axis {axis}"))?;
            let last = (*len as isize - 1)
                .checked_mul(*step)
                .and_then(|d| d.checked_add(*start as isize));
            require(
                *len > 0 && *start < extent && last.is_some_and(|last| (0..extent as isize).contains(&last)),
                || format!("{start} and {len} steps of {step} leave the {extent} positions"),
            )?;
            x[*axis] = *len;
            Ok(x)
        }
        Op::Pad { before, after, .. } => {
            let [x] = operands(shapes)?;
            require(before.len() == x.len() && after.len() == x.len(), || {
                format!("its padding has not the rank of {x:?}")
            })?;
            Ok(x.iter()
                .zip(before.iter().zip(after))
                .map(|(x, (b, a))| x + b + a)
                .collect())
        }
        Op::Transpose { permutation } => {
            let [x] = operands(shapes)?;
            let mut sorted = permutation.clone();
            sorted.sort_unstable();
            require(sorted.iter().copied().eq(0..x.len()), || {
                format!("{permutation:?} does not permute {} axes", x.len())
            })?;
            Ok(permutation.iter().map(|&axis| x[axis]).collect())
        }
        Op::Reshape { shape } => {
            let [x] = operands(shapes)?;
            require(x.iter().product::<usize>() == shape.iter().product::<usize>(), || {
                format!("{x:?} and {shape:?} differ in size")
            })?;
            Ok(shape.clone())
        }
        Op::Broadcast { shape } => {
            let [x] = operands(shapes)?;
            require(broadcast(&[&x, shape]).as_ref() == Ok(shape), || {
                format!("{x:?} does not broadcast to {shape:?}")
            })?;
            Ok(shape.clone())
        }
        Op::Taps { axis, taps } => {
            let [mut x] = operands(shapes)?;
            let extent = *x.get(*axis).ok_or_else(|| format!("it has no axis {axis}"))?;
            let rising = taps.ends.windows(2).all(|pair| pair[0] <= pair[1]);
            require(
                rising
                    && taps.ends.last().is_some_and(|&end| end as usize == taps.taps.len())
                    && taps.taps.iter().all(|tap| (tap.0 as usize) < extent),
                || format!("its taps leave the {extent} positions"),
            )?;
            x[*axis] = taps.ends.len();
            Ok(x)
        }
    }
}

fn contract(indices: &[Index], shapes: &[&[usize]]) -> Result<Vec<usize>, String> {
    let [a, b] = operands(shapes)?;
    for (operand, step) in [(a, (|i: &Index| i.a) as fn(&Index) -> usize), (b, |i| i.b)] {
        let last: usize = indices.iter().map(|i| (i.len.max(1) - 1) * step(i)).sum();
        require(last < operand.iter().product(), || {
            format!("its indices leave the operand {operand:?}")
        })?;
    }
    Ok(indices.iter().filter(|i| !i.summed).map(|i| i.len).collect())
}

/// The indices of a contraction in Einstein's notation.
pub(super) fn einsum(a: (&[char], &[usize]), b: (&[char], &[usize]), result: &[char]) -> Result<Vec<Index>, String> {
    for (letters, shape) in [a, b] {
        let twice = letters
            .iter()
            .enumerate()
            .any(|(i, letter)| letters[..i].contains(letter));
        require(letters.len() == shape.len() && !twice, || {
            format!("{letters:?} do not name the axes of {shape:?}")
        })?;
    }
    let step = |(letters, shape): (&[char], &[usize]), letter: char| {
        let at = letters.iter().position(|&l| l == letter);
        at.map_or((1, 0), |at| {
            (shape[at], if shape[at] == 1 { 0 } else { strides(shape)[at] })
        })
    };
    let index = |letter: char, summed: bool| {
        let ((in_a, a), (in_b, b)) = (step(a, letter), step(b, letter));
        require(in_a == in_b || in_a == 1 || in_b == 1, || {
            format!("{letter} is {in_a} long in one operand and {in_b} in the other")
        })?;
        Ok(Index {
            len: in_a.max(in_b),
            a,
            b,
            summed,
        })
    };
    if let Some(unknown) = result
        .iter()
        .find(|letter| !a.0.contains(letter) && !b.0.contains(letter))
    {
        return Err(format!("no operand has {unknown}"));
    }
    let mut indices = result
        .iter()
        .map(|&l| index(l, false))
        .collect::<Result<Vec<_>, String>>()?;
    let inner = a.0.iter().chain(b.0.iter().filter(|l| !a.0.contains(l)));
    for &letter in inner.filter(|l| !result.contains(l)) {
        indices.push(index(letter, true)?);
    }
    Ok(indices)
}
