//! Fails in a chosen way.
fn main() {}
