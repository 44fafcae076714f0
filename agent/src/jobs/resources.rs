//! One running job per resource.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::Semaphore;

/// Resources that jobs act on.
#[derive(Debug, Default)]
pub struct Resources(Mutex<BTreeMap<String, Arc<Semaphore>>>);

impl Resources {
    /// The queue for a resource, first come first served.
    pub fn queue(&self, resource: &str) -> Arc<Semaphore> {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queues.retain(|_, queue| Arc::strong_count(queue) > 1);
        queues.entry(resource.into()).or_insert_with(|| Arc::new(Semaphore::new(1))).clone()
    }
}
