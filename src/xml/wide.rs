//! Loops over many bytes, compiled once for each kind of registers there are; the machine at hand tells which to run.

use fearless_simd::{Level, Simd, dispatch};

/// Runs a loop of which the compiler makes one over many bytes at once, in the widest registers of the machine.
///
/// The closure and what it calls must be ones that are always inlined, or they are compiled for any machine.
#[inline(always)]
pub fn widely<R>(run: impl FnOnce() -> R) -> R {
    dispatch!(Level::new(), simd => simd.vectorize(run))
}
