//! Vectors of `f32` of the instruction sets that kernels are compiled for, as one trait.

use super::tile::{self, Strip};

/// A vector of [`Lanes::N`] values.
///
/// # Safety
/// An implementation may need instructions that not every processor has. Its functions are called only from below
/// [`super::isa::run`], which has checked for them; nothing else names an implementation.
#[allow(unsafe_code)]
pub(super) unsafe trait Lanes: Copy {
    /// Values of a vector.
    const N: usize;
    /// Output channels of a tile of the matrix product.
    const ROWS: usize;
    /// Vectors of a tile's row.
    const WIDE: usize;

    /// The same value in every lane.
    fn splat(value: f32) -> Self;

    /// Reads `N` values.
    ///
    /// # Safety
    /// They lie in one allocation; no alignment is needed.
    unsafe fn load(from: *const f32) -> Self;

    /// Writes `N` values.
    ///
    /// # Safety
    /// As [`Lanes::load`].
    unsafe fn store(self, to: *mut f32);

    /// Sum.
    fn plus(self, other: Self) -> Self;

    /// Difference.
    fn minus(self, other: Self) -> Self;

    /// Product.
    fn times(self, other: Self) -> Self;

    /// `self + a · b`, rounded once or twice as the instruction set does.
    fn plus_product(self, a: Self, b: Self) -> Self;

    /// Values below `low` become `low`; NaN stays, and a NaN of `low` changes nothing.
    fn raised(self, low: Self) -> Self;

    /// Values below `low` become `low`, values above `high` become `high`; NaN stays. The bounds are numbers.
    fn clamped(self, low: Self, high: Self) -> Self;

    /// The values of even and of odd number, of two vectors one after the other.
    fn parted(self, next: Self) -> [Self; 2];

    /// The values of two vectors in turn: what [`Lanes::parted`] parts.
    fn joined(self, other: Self) -> [Self; 2];

    /// One strip of a matrix product, `wide` vectors across, at most [`Lanes::WIDE`].
    ///
    /// # Safety
    /// As [`tile::strip`].
    unsafe fn strip(strip: &Strip<'_>, wide: usize);
}

/// Four values without named instructions, for every other processor.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[derive(Clone, Copy)]
pub(super) struct Portable([f32; 4]);

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
impl Portable {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(f32, f32) -> f32) -> Self {
        let ([a, b, c, d], [p, q, r, s]) = (self.0, other.0);
        Self([f(a, p), f(b, q), f(c, r), f(d, s)])
    }
}

// SAFETY: needs no special instructions.
#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
#[allow(unsafe_code)]
unsafe impl Lanes for Portable {
    const N: usize = 4;
    const ROWS: usize = 4;
    const WIDE: usize = 2;

    #[inline(always)]
    fn splat(value: f32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: the caller's promise.
        Self(unsafe { from.cast::<[f32; 4]>().read_unaligned() })
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: the caller's promise.
        unsafe { to.cast::<[f32; 4]>().write_unaligned(self.0) }
    }

    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        self.zip(other, |a, b| a + b)
    }

    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        self.zip(other, |a, b| a - b)
    }

    #[inline(always)]
    fn times(self, other: Self) -> Self {
        self.zip(other, |a, b| a * b)
    }

    #[inline(always)]
    fn plus_product(self, a: Self, b: Self) -> Self {
        self.plus(a.times(b))
    }

    #[inline(always)]
    fn raised(self, low: Self) -> Self {
        self.zip(low, |v, low| if v < low { low } else { v })
    }

    #[inline(always)]
    fn clamped(self, low: Self, high: Self) -> Self {
        self.raised(low).zip(high, |v, high| if v > high { high } else { v })
    }

    #[inline(always)]
    fn parted(self, next: Self) -> [Self; 2] {
        let ([a, b, c, d], [p, q, r, s]) = (self.0, next.0);
        [Self([a, c, p, r]), Self([b, d, q, s])]
    }

    #[inline(always)]
    fn joined(self, other: Self) -> [Self; 2] {
        let ([a, b, c, d], [p, q, r, s]) = (self.0, other.0);
        [Self([a, p, b, q]), Self([c, r, d, s])]
    }

    #[inline(always)]
    unsafe fn strip(strip: &Strip<'_>, wide: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            match wide {
                1 => tile::strip::<Self, 4, 1>(strip),
                _ => tile::strip::<Self, 4, 2>(strip),
            }
        }
    }
}

/// Implements [`Lanes`] by intrinsics, whose operands are in the order of their manuals.
macro_rules! lanes {
    (
        $(#[$doc:meta])* $name:ident($vector:ty) of $n:literal, $rows:literal x $wide:literal by [$($w:literal),*];
        $splat:ident $load:ident $store:ident $add:ident $sub:ident $mul:ident;
        madd |$c:ident, $a:ident, $b:ident| $madd:expr;
        raised |$v:ident, $low:ident| $raised:expr;
        clamped |$u:ident, $least:ident, $high:ident| $clamped:expr;
        parted |$one:ident, $two:ident| $parted:expr;
        joined |$left:ident, $right:ident| $joined:expr;
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy)]
        pub(in super::super) struct $name($vector);

        // SAFETY (of every block): `isa::run` has checked that the processor has these instructions; loads and stores
        // are of addresses that the caller vouches for.
        #[allow(unsafe_code, unused_unsafe, reason = "some intrinsics are safe on some targets")]
        unsafe impl Lanes for $name {
            const N: usize = $n;
            const ROWS: usize = $rows;
            const WIDE: usize = $wide;

            #[inline(always)]
            fn splat(value: f32) -> Self {
                Self(unsafe { $splat(value) })
            }

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                Self(unsafe { $load(from.cast()) })
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                unsafe { $store(to.cast(), self.0) }
            }

            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                Self(unsafe { $add(self.0, other.0) })
            }

            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                Self(unsafe { $sub(self.0, other.0) })
            }

            #[inline(always)]
            fn times(self, other: Self) -> Self {
                Self(unsafe { $mul(self.0, other.0) })
            }

            #[inline(always)]
            fn plus_product(self, a: Self, b: Self) -> Self {
                let ($c, $a, $b) = (self.0, a.0, b.0);
                Self(unsafe { $madd })
            }

            #[inline(always)]
            fn raised(self, low: Self) -> Self {
                let ($v, $low) = (self.0, low.0);
                Self(unsafe { $raised })
            }

            #[inline(always)]
            fn clamped(self, low: Self, high: Self) -> Self {
                let ($u, $least, $high) = (self.0, low.0, high.0);
                Self(unsafe { $clamped })
            }

            #[inline(always)]
            fn parted(self, next: Self) -> [Self; 2] {
                let ($one, $two) = (self.0, next.0);
                let [even, odd] = unsafe { $parted };
                [Self(even), Self(odd)]
            }

            #[inline(always)]
            fn joined(self, other: Self) -> [Self; 2] {
                let ($left, $right) = (self.0, other.0);
                let [first, second] = unsafe { $joined };
                [Self(first), Self(second)]
            }

            #[inline(always)]
            unsafe fn strip(strip: &Strip<'_>, wide: usize) {
                unsafe {
                    match wide {
                        $($w => tile::strip::<Self, $rows, $w>(strip),)*
                        _ => tile::strip::<Self, $rows, $wide>(strip),
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
pub(super) mod x86 {
    //! AVX2 with FMA, and AVX-512. `max` and `min` hand on their second operand where one is NaN.

    use std::arch::x86_64::{
        __m256, __m512, _mm256_add_ps, _mm256_castpd_ps, _mm256_castps_pd, _mm256_fmadd_ps, _mm256_loadu_ps,
        _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_permute2f128_ps, _mm256_permute4x64_pd, _mm256_set1_ps,
        _mm256_shuffle_ps, _mm256_storeu_ps, _mm256_sub_ps, _mm256_unpackhi_ps, _mm256_unpacklo_ps, _mm512_add_ps,
        _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_max_ps, _mm512_min_ps, _mm512_mul_ps, _mm512_permutex2var_ps,
        _mm512_set1_ps, _mm512_setr_epi32, _mm512_storeu_ps, _mm512_sub_ps,
    };

    use super::{Lanes, Strip, tile};

    lanes! {
        /// Sixteen registers of eight values.
        Avx2(__m256) of 8, 4 x 3 by [1, 2];
        _mm256_set1_ps _mm256_loadu_ps _mm256_storeu_ps _mm256_add_ps _mm256_sub_ps _mm256_mul_ps;
        madd |c, a, b| _mm256_fmadd_ps(a, b, c);
        raised |v, low| _mm256_max_ps(low, v);
        clamped |v, low, high| _mm256_min_ps(high, _mm256_max_ps(low, v));
        parted |a, b| {
            // Within halves, then the middle quarters change places.
            let (even, odd) = (_mm256_shuffle_ps::<0b10_00_10_00>(a, b), _mm256_shuffle_ps::<0b11_01_11_01>(a, b));
            let even = _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(even));
            let odd = _mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(odd));
            [_mm256_castpd_ps(even), _mm256_castpd_ps(odd)]
        };
        joined |a, b| {
            // Within halves, then the halves change places.
            let (low, high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
            [_mm256_permute2f128_ps::<0x20>(low, high), _mm256_permute2f128_ps::<0x31>(low, high)]
        };
    }

    lanes! {
        /// Thirty-two registers of sixteen values.
        Avx512(__m512) of 16, 8 x 2 by [1];
        _mm512_set1_ps _mm512_loadu_ps _mm512_storeu_ps _mm512_add_ps _mm512_sub_ps _mm512_mul_ps;
        madd |c, a, b| _mm512_fmadd_ps(a, b, c);
        raised |v, low| _mm512_max_ps(low, v);
        clamped |v, low, high| _mm512_min_ps(high, _mm512_max_ps(low, v));
        parted |a, b| {
            let even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
            let odd = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
            [_mm512_permutex2var_ps(a, even, b), _mm512_permutex2var_ps(a, odd, b)]
        };
        joined |a, b| {
            let first = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            let second = _mm512_setr_epi32(8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
            [_mm512_permutex2var_ps(a, first, b), _mm512_permutex2var_ps(a, second, b)]
        };
    }
}

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(super) mod wasm {
    //! SIMD128, and relaxed SIMD where it is built for. `pmax` and `pmin` hand on their first operand where one is NaN.
    //! With relaxed SIMD the compiler makes other instructions of them, which need not; so NaN is put back there.

    use std::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat, f32x4_sub, i32x4_shuffle, v128, v128_load, v128_store};
    #[cfg(feature = "relaxed-simd")]
    use std::arch::wasm32::{
        f32x4_lt, f32x4_ne, f32x4_relaxed_madd, f32x4_relaxed_max, f32x4_relaxed_min, v128_bitselect, v128_or,
    };
    #[cfg(not(feature = "relaxed-simd"))]
    use std::arch::wasm32::{f32x4_pmax, f32x4_pmin};

    use super::{Lanes, Strip, tile};

    #[cfg(not(feature = "relaxed-simd"))]
    lanes! {
        /// Four values; products are rounded before they are added.
        Simd128(v128) of 4, 4 x 2 by [1];
        f32x4_splat v128_load v128_store f32x4_add f32x4_sub f32x4_mul;
        madd |c, a, b| f32x4_add(c, f32x4_mul(a, b));
        raised |v, low| f32x4_pmax(v, low);
        clamped |v, low, high| f32x4_pmin(f32x4_pmax(v, low), high);
        parted |a, b| [i32x4_shuffle::<0, 2, 4, 6>(a, b), i32x4_shuffle::<1, 3, 5, 7>(a, b)];
        joined |a, b| [i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b)];
    }

    #[cfg(feature = "relaxed-simd")]
    lanes! {
        /// Four values; products are fused with sums where the processor can.
        Simd128(v128) of 4, 4 x 2 by [1];
        f32x4_splat v128_load v128_store f32x4_add f32x4_sub f32x4_mul;
        madd |c, a, b| f32x4_relaxed_madd(a, b, c);
        raised |v, low| v128_bitselect(low, v, f32x4_lt(v, low));
        clamped |v, low, high| {
            let clamped = f32x4_relaxed_min(f32x4_relaxed_max(v, low), high);
            v128_or(clamped, f32x4_ne(v, v))
        };
        parted |a, b| [i32x4_shuffle::<0, 2, 4, 6>(a, b), i32x4_shuffle::<1, 3, 5, 7>(a, b)];
        joined |a, b| [i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b)];
    }
}
