//! Password hashing with Argon2id. It is expensive by design, so one hash is computed at a time, always in the same memory:
//! allocators keep what every thread once had.

use std::sync::{LazyLock, Mutex, PoisonError};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use muster_schemas::{problems::Problem, secrets::Secret};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::api::problem::Failure;

/// Whose turn it is, in the order in which they came: what waits is no thread.
static TURN: Semaphore = Semaphore::const_new(1);
/// The memory that a hash is computed in: 19 MiB from the first one on.
static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// The passwords of this length that are tried first, without what is neither letter nor digit.
const COMMON: &str = include_str!("common_passwords.txt");
/// A password that repeats so few characters is like one of their number.
const LONGEST_REPEATED: usize = 3;
/// How many different characters a password has at least.
const FEWEST_CHARACTERS: usize = 5;

/// Whether a password is long enough, short enough to be hashed, and not among the first that somebody would try.
pub fn check(password: &Secret, username: &str) -> Result<(), Failure> {
    let rule = rule_against(password.reveal(), username);
    rule.map_or(Ok(()), |rule| Err(Problem::invalid("password", rule).into()))
}

fn rule_against(password: &str, username: &str) -> Option<&'static str> {
    let plain =
        |text: &str| text.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let (bare, name): (String, String) = (plain(password), plain(username));
    let different = password.chars().collect::<std::collections::BTreeSet<_>>().len();
    if !(12..=256).contains(&password.chars().count()) {
        Some("must be 12 to 256 characters")
    } else if password.trim().is_empty() {
        Some("must not be blank")
    } else if different < FEWEST_CHARACTERS {
        Some("must have at least 5 different characters")
    } else if is_name(&bare, &name) {
        Some("must be more than the name of the account")
    } else if is_repeated(password) || COMMON.lines().any(|common| common == bare) {
        Some("must not be a common password")
    } else {
        None
    }
}

/// Whether a text is the name, with digits before or behind it at most.
fn is_name(text: &str, name: &str) -> bool {
    !name.is_empty()
        && text.trim_matches(|letter: char| letter.is_ascii_digit())
            == name.trim_matches(|letter: char| letter.is_ascii_digit())
}

/// Whether a text is nothing but its first characters, again and again.
fn is_repeated(text: &str) -> bool {
    let letters = text.chars().collect::<Vec<_>>();
    (1..=LONGEST_REPEATED).any(|length| letters.chunks(length).all(|part| letters.starts_with(part)))
}

/// A password as it is stored.
pub async fn hash(password: Secret) -> Result<String, Failure> {
    let hashed = in_turn(move || {
        let salt = Salt::new(&rand::random::<[u8; 16]>()).ok()?;
        let argon2 = Argon2::default();
        let output = computed(&argon2, &password, &salt, Params::DEFAULT_OUTPUT_LEN)?;
        let hash = PasswordHash {
            algorithm: Algorithm::default().ident(),
            version: Some(Version::default().into()),
            params: ParamsString::try_from(argon2.params()).ok()?,
            salt: Some(salt),
            hash: Some(output),
        };
        Some(hash.to_string())
    });
    hashed.await?.ok_or_else(|| Failure::broken(std::io::Error::other("the password could not be hashed")))
}

/// Whether a password is the stored one. Without a stored one it takes as long.
pub async fn verify(password: Secret, stored: Option<String>) -> Result<bool, Failure> {
    /// Of a password that nobody has.
    static NOBODY: LazyLock<PasswordHash> = LazyLock::new(|| PasswordHash {
        algorithm: Algorithm::default().ident(),
        version: Some(Version::default().into()),
        params: ParamsString::try_from(&Params::default()).unwrap_or_default(),
        salt: Salt::new(&rand::random::<[u8; 16]>()).ok(),
        hash: Output::new(&rand::random::<[u8; 32]>()).ok(),
    });
    in_turn(move || {
        let known = stored.and_then(|stored| PasswordHash::new(&stored).ok());
        is_of(&password, known.as_ref().unwrap_or(&NOBODY)).unwrap_or(false)
    })
    .await
}

/// Whether a password is the one that this is the hash of.
fn is_of(password: &Secret, hash: &PasswordHash) -> Option<bool> {
    let (salt, expected) = (hash.salt.as_ref()?, hash.hash.as_ref()?);
    let version = hash.version.map(Version::try_from).transpose().ok()?.unwrap_or_default();
    let algorithm = Algorithm::try_from(hash.algorithm.as_str()).ok()?;
    let argon2 = Argon2::new(algorithm, version, Params::try_from(hash).ok()?);
    let output = computed(&argon2, password, salt, expected.len())?;
    Some(bool::from(output.as_bytes().ct_eq(expected.as_bytes())))
}

/// A hash, in the memory that all of them share.
fn computed(argon2: &Argon2<'_>, password: &Secret, salt: &Salt, length: usize) -> Option<Output> {
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let blocks = argon2.params().block_count();
    if memory.len() < blocks {
        *memory = vec![Block::new(); blocks];
    }
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..length)?;
    argon2.hash_password_into_with_memory(password.reveal().as_bytes(), salt, output, &mut memory[..blocks]).ok()?;
    Output::new(output).ok()
}

/// On a thread that may take long, one after the other. The turn goes with the work: a caller that goes away meanwhile ends
/// neither, so that no second thread waits for the memory.
async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    let turn = TURN.acquire().await.map_err(Failure::broken)?;
    let in_turn = move || {
        let _turn = turn;
        work()
    };
    tokio::task::spawn_blocking(in_turn).await.map_err(Failure::broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_told_from_others_in_the_memory_that_all_hashes_share() {
        let hashed = hash(Secret::new("a password of mine")).await.expect("it is hashed");
        assert!(hashed.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hashed}");
        for (password, right) in [("a password of mine", true), ("a password of yours", false)] {
            let verified = verify(Secret::new(password), Some(hashed.clone())).await;
            assert!(verified.is_ok_and(|verified| verified == right), "{password}");
        }
        assert!(verify(Secret::new("any"), None).await.is_ok_and(|verified| !verified));
    }

    /// What servers of before have stored, by the library's own functions.
    #[tokio::test]
    async fn a_hash_that_was_stored_before_is_still_believed() {
        use argon2::PasswordHasher as _;
        let stored = Argon2::default().hash_password(b"a password of mine").expect("it is hashed").to_string();
        assert!(verify(Secret::new("a password of mine"), Some(stored)).await.is_ok_and(|verified| verified));
    }

    #[test]
    fn what_somebody_would_try_first_is_no_password() {
        let weak = [
            "            ",
            "aaaaaaaaaaaa",
            "abcabcabcabc",
            "password1234",
            "Password1234!",
            "123456789012",
            "qwertyuiop123",
            "adminadminadmin",
            "anna12345678",
            "changemechangeme",
        ];
        for password in weak {
            assert!(rule_against(password, "anna").is_some(), "{password}");
        }
        for password in [
            "twelve chars",
            "race race race race",
            "viewer viewer viewer",
            "in no golden sample",
            "anna eats the red apple",
            "9f86d081884c7d659a2feaa0",
        ] {
            assert_eq!(rule_against(password, "anna"), None, "{password}");
        }
        assert!(rule_against("administrator1", "administrator").is_some());
    }
}
