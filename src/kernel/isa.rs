//! Which instructions the kernels run on, chosen once for a process: every result of a process comes from one set.

use std::sync::OnceLock;

use super::lanes::Lanes;

/// Work that is compiled for each instruction set.
pub(super) trait Work {
    /// Does it. Everything on the way to the inner loops is inlined into the function that names the instructions.
    fn run<L: Lanes>(self);
}

/// An instruction set that this build has kernels for and this processor runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Isa(Set);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    Simd128,
}

impl Isa {
    /// The fastest one.
    pub fn best() -> Self {
        static BEST: OnceLock<Isa> = OnceLock::new();
        *BEST.get_or_init(|| Self::all().last().copied().unwrap_or(Self::all()[0]))
    }

    /// Every one, slowest first.
    pub fn all() -> Vec<Self> {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        return vec![Self(Set::Simd128)];
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        {
            #[allow(unused_mut, reason = "other processors have no more")]
            let mut all = vec![Self(Set::Portable)];
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                all.push(Self(Set::Avx2));
                if is_x86_feature_detected!("avx512f") {
                    all.push(Self(Set::Avx512));
                }
            }
            all
        }
    }

    /// Output channels of a tile.
    pub fn rows(self) -> usize {
        match self.0 {
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Set::Portable => super::lanes::Portable::ROWS,
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => super::lanes::x86::Avx2::ROWS,
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => super::lanes::x86::Avx512::ROWS,
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Set::Simd128 => super::lanes::wasm::Simd128::ROWS,
        }
    }

    /// Does `work` with these instructions.
    #[allow(unsafe_code)]
    pub fn run(self, work: impl Work) {
        match self.0 {
            #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
            Set::Portable => work.run::<super::lanes::Portable>(),
            // SAFETY: only `all` makes this value, having found the instructions.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { on_avx2(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { on_avx512(work) },
            #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
            Set::Simd128 => on_simd128(work),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn on_avx2(work: impl Work) {
    work.run::<super::lanes::x86::Avx2>();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f")]
fn on_avx512(work: impl Work) {
    work.run::<super::lanes::x86::Avx512>();
}

// A module with relaxed instructions is compiled by a browser that has them or not at all.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[cfg_attr(feature = "relaxed-simd", target_feature(enable = "relaxed-simd"))]
fn on_simd128(work: impl Work) {
    work.run::<super::lanes::wasm::Simd128>();
}
