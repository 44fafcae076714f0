//! DNS resolver. A silent name server takes longer than the time limit of any call, and the timeout alone would not say why:
//! so an abandoned lookup is remembered.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::lookup_host;

/// The system's look-ups, watched.
#[derive(Debug, Clone, Default)]
pub struct Lookups {
    given_up: Arc<AtomicBool>,
}

impl Lookups {
    /// Whether the last one was given up before there was an answer. It is told once.
    pub fn take_given_up(&self) -> bool {
        self.given_up.swap(false, Ordering::Relaxed)
    }
}

impl Resolve for Lookups {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(look_up(name, Pending { given_up: self.given_up.clone(), answered: false }))
    }
}

async fn look_up(name: Name, mut pending: Pending) -> Result<Addrs, Box<dyn Error + Send + Sync>> {
    // The port is that of the URL.
    let found = lookup_host((name.as_str(), 0)).await;
    pending.answered = true;
    Ok(Box::new(found?.collect::<Vec<_>>().into_iter()))
}

/// A look-up that goes on.
struct Pending {
    given_up: Arc<AtomicBool>,
    answered: bool,
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.given_up.store(!self.answered, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_a_look_up_without_an_answer_was_given_up() {
        let lookups = Lookups::default();
        let name = || "localhost".parse::<Name>().unwrap();
        assert!(lookups.resolve(name()).await.unwrap().any(|address| address.ip().is_loopback()));
        assert!(!lookups.take_given_up());
        drop(lookups.resolve(name()));
        assert!(lookups.take_given_up());
        assert!(!lookups.take_given_up());
    }
}
