//! NumPy's `.npy` files, read as `f32` tensors and written as such.

use npyz::{DType, NpyFile, Order, TypeChar, WriterBuilder};

use crate::Tensor;
use crate::error::InputError;

/// Values of one array.
const VALUES: u64 = 1 << 28;
/// Bytes of a header; real ones take about a hundred.
const HEADER: usize = 1 << 16;

fn fail(why: impl Into<String>) -> InputError {
    InputError::Decode {
        what: "the .npy file".into(),
        why: why.into(),
    }
}

/// Reads an array of numbers or booleans of any rank, in C or Fortran order, little- or big-endian. Values of other
/// types are converted to `f32`. The header is checked against the size of the file before memory is taken.
pub fn read(bytes: &[u8]) -> Result<Tensor, InputError> {
    if bytes.get(..6) != Some(b"\x93NUMPY") {
        return Err(fail("it does not begin as one"));
    }
    let header = match bytes[6..] {
        [1, _, a, b, ..] => usize::from(u16::from_le_bytes([a, b])),
        [2 | 3, _, a, b, c, d, ..] => u32::from_le_bytes([a, b, c, d]) as usize,
        [version, ..] => return Err(fail(format!("its format version {version} is not known"))),
        [] => return Err(fail("it is cut off")),
    };
    if header > HEADER.min(bytes.len()) {
        return Err(fail("it is cut off"));
    }
    // The reader of headers recurses; a plain array's needs no more than this.
    let nested = bytes[6..]
        .iter()
        .take(header + 6)
        .filter(|b| b"([{".contains(b))
        .count();
    if nested > 8 {
        return Err(fail("it holds records, not numbers"));
    }
    let text = |e: std::io::Error| fail(e.to_string());
    // The reader multiplies sizes without a check.
    let file = crate::guard::catch(|| NpyFile::new(bytes))
        .map_err(|_| fail("its shape is too large"))?
        .map_err(text)?;
    let count = file.shape().iter().try_fold(1u64, |n, &d| n.checked_mul(d));
    let count = count.filter(|&n| n <= VALUES).ok_or_else(|| InputError::OverLimit {
        what: "the number of values of the .npy file".into(),
        found: count.unwrap_or(u64::MAX),
        limit: VALUES,
    })?;
    if count > bytes.len() as u64 {
        return Err(fail(format!(
            "its shape {:?} needs more values than it holds",
            file.shape()
        )));
    }
    let shape: Vec<usize> = file.shape().iter().map(|&d| d as usize).collect();
    let order = file.order();
    let DType::Plain(kind) = file.dtype() else {
        return Err(fail("it holds records, not numbers"));
    };
    macro_rules! values {
        ($t:ty, $convert:expr) => {
            file.into_vec::<$t>()
                .map_err(text)?
                .into_iter()
                .map($convert)
                .collect::<Vec<f32>>()
        };
    }
    let data = match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 4) => file.into_vec::<f32>().map_err(text)?,
        (TypeChar::Float, 8) => values!(f64, |v| v as f32),
        (TypeChar::Int, 1) => values!(i8, f32::from),
        (TypeChar::Int, 2) => values!(i16, f32::from),
        (TypeChar::Int, 4) => values!(i32, |v| v as f32),
        (TypeChar::Int, 8) => values!(i64, |v| v as f32),
        (TypeChar::Uint, 1) => values!(u8, f32::from),
        (TypeChar::Uint, 2) => values!(u16, f32::from),
        (TypeChar::Uint, 4) => values!(u32, |v| v as f32),
        (TypeChar::Uint, 8) => values!(u64, |v| v as f32),
        (TypeChar::Bool, _) => file
            .into_vec::<bool>()
            .map_err(text)?
            .into_iter()
            .map(f32::from)
            .collect(),
        _ => {
            return Err(fail(format!(
                "values of the type {kind} can't be read; save it as float32"
            )));
        }
    };
    if data.len() as u64 != count {
        return Err(fail("it is cut off"));
    }
    Ok(match order {
        Order::C => Tensor::new(&shape, data),
        Order::Fortran => from_fortran(&shape, &data),
    })
}

fn from_fortran(shape: &[usize], data: &[f32]) -> Tensor {
    Tensor::from_fn(shape, |i| {
        let (mut rest, mut at, mut stride) = (i, 0, data.len());
        for &d in shape.iter().rev() {
            stride /= d;
            at += rest % d * stride;
            rest /= d;
        }
        data[at]
    })
}

/// Writes format 1.0, little-endian `f32`, C order.
///
/// # Panics
/// Never: writing to memory does not fail.
pub fn write(tensor: &Tensor) -> Vec<u8> {
    let mut bytes = Vec::new();
    let shape: Vec<u64> = tensor.shape().iter().map(|&d| d as u64).collect();
    let done = (|| {
        let mut writer = npyz::WriteOptions::<f32>::new()
            .default_dtype()
            .shape(&shape)
            .writer(&mut bytes)
            .begin_nd()?;
        writer.extend(tensor.data().iter().copied())?;
        writer.finish()
    })();
    done.expect("writing to memory");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for shape in [vec![], vec![3], vec![2, 0, 3], vec![2, 3, 4]] {
            let tensor = Tensor::from_fn(&shape, |i| i as f32 - 1.5);
            assert_eq!(read(&write(&tensor)), Ok(tensor));
        }
    }

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn other_types_and_orders_become_c_ordered_floats() {
        let data: Vec<u8> = [1i16, 2, 3, 4, 5, 6].iter().flat_map(|v| v.to_be_bytes()).collect();
        let bytes = file("{'descr': '>i2', 'fortran_order': True, 'shape': (2, 3), }\n", &data);
        assert_eq!(
            read(&bytes),
            Ok(Tensor::new(&[2, 3], vec![1.0, 3.0, 5.0, 2.0, 4.0, 6.0]))
        );
        let bytes = file("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }\n", &[0, 1]);
        assert_eq!(read(&bytes), Ok(Tensor::new(&[2], vec![0.0, 1.0])));
    }

    #[test]
    fn hostile_headers_are_refused() {
        let huge = "{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }\n";
        let overflow = "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 2), }\n";
        let short = "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }\n";
        let text = "{'descr': '<U4', 'fortran_order': False, 'shape': (1,), }\n";
        for header in [huge, overflow, short, text, "not a header", ""] {
            assert!(read(&file(header, &[0; 12])).is_err(), "{header}");
        }
        for bytes in [
            &b""[..],
            b"\x93NUMPY",
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff",
            b"\x93NUMPY\x09\x00    ",
        ] {
            assert!(read(bytes).is_err());
        }
    }
}
