//! The caller of a request, once it has shown a credential. Written by [`super::auth`], read by what bounds callers and by the
//! access log.

use std::sync::{Arc, OnceLock};

use axum::http::Extensions;

/// The caller of one request. Cheap to clone: the same one.
#[derive(Debug, Clone, Default)]
pub struct Known(Arc<OnceLock<String>>);

impl Known {
    /// Of the request with these extensions.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    /// It is this one: `user:<id>`, `key:<id>`, `host:<id>` or `token:<id>`.
    pub fn becomes(&self, caller: String) {
        // Whoever was known first stays the caller.
        self.0.get_or_init(|| caller);
    }

    /// Which one; empty as long as no credential was shown.
    pub fn caller(&self) -> &str {
        self.0.get().map_or("", String::as_str)
    }

    /// Whether no credential was shown.
    pub fn is_stranger(&self) -> bool {
        self.0.get().is_none()
    }
}
