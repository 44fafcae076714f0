//! Password hashing with Argon2id. It is expensive by design, so only a few hashes are computed at once.

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier, password_hash::phc::PasswordHash};
use muster_schemas::{
    problems::{Problem, ProblemCode},
    secrets::Secret,
};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::api::problem::Failure;

/// Two at a time leave the server able to do something else.
static HASHING: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(2));

/// How many sign-ins may wait for their turn; more are sent away, so that guessing locks nobody out for long.
static WAITING: Semaphore = Semaphore::const_new(32);

/// A place in the queue of sign-ins, to be kept until the password was verified.
pub fn place_in_the_queue() -> Result<SemaphorePermit<'static>, Failure> {
    WAITING.try_acquire().map_err(|_| Failure::of(ProblemCode::TooManyRequests))
}

/// Whether a password is long enough, and short enough to be hashed.
pub fn check(password: &Secret) -> Result<(), Failure> {
    if (12..=256).contains(&password.reveal().chars().count()) {
        Ok(())
    } else {
        Err(Problem::invalid("password", "must be 12 to 256 characters").into())
    }
}

/// A password as it is stored.
pub async fn hash(password: Secret) -> Result<String, Failure> {
    let _turn = HASHING.acquire().await.map_err(Failure::broken)?;
    let hashing = move || Argon2::default().hash_password(password.reveal().as_bytes()).map(|hash| hash.to_string());
    let hashed = tokio::task::spawn_blocking(hashing).await.map_err(Failure::broken)?;
    hashed.map_err(Failure::broken)
}

/// Whether a password is the stored one. Without a stored one it takes as long.
pub async fn verify(password: Secret, stored: Option<String>) -> Result<bool, Failure> {
    /// Of a password that nobody has.
    static NOBODY: LazyLock<String> = LazyLock::new(|| {
        let password = rand::random::<[u8; 32]>();
        Argon2::default().hash_password(&password).map(|hash| hash.to_string()).unwrap_or_default()
    });
    let _turn = HASHING.acquire().await.map_err(Failure::broken)?;
    let verifying = move || {
        let stored = stored.unwrap_or_else(|| NOBODY.clone());
        let hash = PasswordHash::new(&stored).ok();
        hash.is_some_and(|hash| Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok())
    };
    tokio::task::spawn_blocking(verifying).await.map_err(Failure::broken)
}
