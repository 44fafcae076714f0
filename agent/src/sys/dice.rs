//! Random numbers for jitter; a simulation seeds them.

use std::cell::RefCell;

use rand::{RngExt, SeedableRng, rngs::StdRng};

thread_local! {
    static LOADED: RefCell<Option<StdRng>> = const { RefCell::new(None) };
}

/// From 0 (included) to 1.
pub fn random() -> f64 {
    LOADED.with_borrow_mut(|loaded| loaded.as_mut().map_or_else(rand::random, RngExt::random))
}

/// From now on this thread throws what follows from this seed.
pub fn load(seed: u64) {
    LOADED.replace(Some(StdRng::seed_from_u64(seed)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same() {
        let thrown = |seed| {
            load(seed);
            [(); 3].map(|()| random().to_bits())
        };
        assert_eq!(thrown(1), thrown(1));
        assert_ne!(thrown(1), thrown(2));
    }
}
