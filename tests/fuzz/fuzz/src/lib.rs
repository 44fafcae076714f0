//! What makes a target of the library a program of the fuzzer.

pub use libfuzzer_sys;
use rand::{SeedableRng, rngs::StdRng};

/// A program that runs a target on whatever the fuzzer makes up.
#[macro_export]
macro_rules! program {
    ($target:ident) => {
        $crate::libfuzzer_sys::fuzz_target!(|bytes: &[u8]| muster_fuzz::$target(bytes));
        $crate::libfuzzer_sys::fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
            $crate::mutate(data, size, max_size, seed)
        });
    };
}

/// One change: by what the fuzzer knows of bytes, or by what the library knows of inputs.
pub fn mutate(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if seed.is_multiple_of(4) {
        return libfuzzer_sys::fuzzer_mutate(data, size, max_size);
    }
    let changed = muster_fuzz::mutate(&data[..size], &mut StdRng::seed_from_u64(seed.into()));
    let length = changed.len().min(max_size);
    data[..length].copy_from_slice(&changed[..length]);
    length
}
