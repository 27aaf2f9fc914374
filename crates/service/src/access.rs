//! Who may use the program: the token of the environment, API keys with scopes, sessions of browsers.
//!
//! [`Access`] needs a store and nothing else, so that `lanes keys` works beside a server that runs.
//! The rules: a secret is compared by its hash alone; what is not known to be allowed is not; a key
//! that is revoked is worth nothing from its next use on, whoever revoked it.

mod fingerprint;
mod keys;
mod scope;
mod sessions;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use lanes_store::{Store, StoredKey};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Semaphore;

use crate::ServiceError;
use fingerprint::{Fingerprint, Pepper};

pub use keys::{ApiKey, KeyRequest, MadeKey};
pub use scope::Scope;
pub use sessions::SESSION_SECONDS;

/// Keys whose hash is being computed at the same time: each takes 19 MB and a thread.
const HASHING: usize = 2;
/// The most keys remembered as right.
const MOST_REMEMBERED: usize = 1_024;
/// The time of a key's last use is written once in so many seconds.
const NOTED_EVERY: i64 = 60;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caller {
    /// Anyone at all: the program is on loopback and asks for no key.
    Anyone,
    /// The holder of the environment's token.
    Token,
    /// The holder of a key.
    Key {
        /// Its id.
        id: String,
        /// What people call it.
        name: String,
        /// What it is good for.
        scope: Scope,
    },
}

impl Caller {
    /// What the caller may do.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match self {
            Self::Anyone | Self::Token => Scope::Admin,
            Self::Key { scope, .. } => *scope,
        }
    }

    /// What people read.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Anyone => "everybody on this machine",
            Self::Token => "LANES_TOKEN",
            Self::Key { name, .. } => name,
        }
    }
}

/// Keys and sessions. Cheap to clone.
#[derive(Clone)]
pub struct Access {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    token: Option<SecretString>,
    required: bool,
    pepper: Pepper,
    /// Secrets that were right, each with the stored hash that it was right for.
    right: Mutex<HashMap<Fingerprint, String>>,
    /// When each key's use was written last.
    noted: Mutex<HashMap<String, i64>>,
    hashing: Semaphore,
}

impl Access {
    /// Over a store, with the environment's token, if there is one. `required` says whether every
    /// request needs one of them.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(
        store: Store,
        token: Option<SecretString>,
        required: bool,
    ) -> Result<Self, ServiceError> {
        Ok(Self {
            inner: Arc::new(Inner {
                store,
                token,
                required,
                pepper: Pepper::new()?,
                right: Mutex::default(),
                noted: Mutex::default(),
                hashing: Semaphore::new(HASHING),
            }),
        })
    }

    /// Whether every request needs a key, the token or a session.
    #[must_use]
    pub fn is_required(&self) -> bool {
        self.inner.required
    }

    /// Whether there is anything with which somebody could come in.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn has_a_way_in(&self) -> Result<bool, ServiceError> {
        let keys = self.inner.store.api_keys().await?;
        Ok(self.inner.token.is_some() || keys.iter().any(|key| !is_over(key)))
    }

    /// Whether this secret was right before: then trying it again tells nobody anything.
    #[must_use]
    pub fn is_remembered(&self, secret: &str) -> bool {
        lock(&self.inner.right).contains_key(&self.inner.pepper.fingerprint(secret))
    }

    /// Who holds this secret: the environment's token or a key; none when it is neither.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn holder(&self, secret: &str) -> Result<Option<Caller>, ServiceError> {
        let inner = &self.inner;
        let presented = inner.pepper.fingerprint(secret);
        if let Some(token) = &inner.token
            && presented.is(&inner.pepper.fingerprint(token.expose_secret()))
        {
            self.remember(presented, String::new());
            return Ok(Some(Caller::Token));
        }
        let Some(id) = keys::id_of(secret) else { return Ok(None) };
        let Some(key) = inner.store.api_key(id).await?.filter(|key| !is_over(key)) else {
            return Ok(None);
        };
        let known = lock(&inner.right).get(&presented).is_some_and(|hash| *hash == key.hash);
        if !known {
            let Ok(_one) = inner.hashing.acquire().await else { return Ok(None) };
            let (secret, hash) = (SecretString::from(secret), key.hash.clone());
            let right = tokio::task::spawn_blocking(move || keys::is_right(&secret, &hash));
            if !right.await.unwrap_or(false) {
                return Ok(None);
            }
            self.remember(presented, key.hash.clone());
        }
        self.note(&key.id);
        Ok(caller(key))
    }

    fn remember(&self, presented: Fingerprint, hash: String) {
        let mut right = lock(&self.inner.right);
        if right.len() >= MOST_REMEMBERED {
            right.clear();
        }
        right.insert(presented, hash);
    }

    /// Notes that a key is used, beside what it is used for.
    fn note(&self, id: &str) {
        let now = Timestamp::now();
        let seconds = now.as_second();
        {
            let mut noted = lock(&self.inner.noted);
            if noted.get(id).is_some_and(|last| seconds - last < NOTED_EVERY) {
                return;
            }
            noted.insert(id.to_owned(), seconds);
        }
        let (store, id) = (self.inner.store.clone(), id.to_owned());
        tokio::spawn(async move {
            let at = keys::rfc3339(now);
            if let Err(error) = store.touch_api_key(&id, &at).await {
                tracing::debug!(%error, "the use of a key could not be noted");
            }
        });
    }
}

/// The holder of a stored key; none when its scope is of another version of the program.
fn caller(key: StoredKey) -> Option<Caller> {
    let scope = Scope::from_id(&key.scope)?;
    Some(Caller::Key { id: key.id, name: key.name, scope })
}

/// Whether a key has ended. One whose end cannot be read has.
fn is_over(key: &StoredKey) -> bool {
    let end = key.expires_at.as_deref().map(str::parse::<Timestamp>);
    end.is_some_and(|end| end.map_or(true, |end| end <= Timestamp::now()))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
