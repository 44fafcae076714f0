//! The server of Muster: stateless handlers over a key-value table and an object store.

pub mod blobs;
pub mod store;
