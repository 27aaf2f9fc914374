//! Sessions of browsers. The browser has a random id, the store its hash; one that was opened with the
//! environment's token is hashed together with that, so that it ends when the token changes.

use jiff::Timestamp;
use lanes_store::NewSession;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use super::{Access, Caller, caller, is_over, keys};
use crate::ServiceError;

/// How long a session lasts.
pub const SESSION_SECONDS: i64 = 7 * 24 * 3_600;
/// The length of an id: 200 bits.
const LENGTH: usize = 40;

impl Access {
    /// Opens a session for the holder of a secret; none when the secret is wrong.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn open_session(&self, secret: &str) -> Result<Option<SecretString>, ServiceError> {
        let Some(caller) = self.holder(secret).await? else { return Ok(None) };
        let session = keys::letters::<LENGTH>()?;
        let now = Timestamp::now().as_second();
        let (id, key) = match caller {
            Caller::Key { id, .. } => (hash(&session, ""), Some(id)),
            _ => (hash(&session, self.token()), None),
        };
        let new = NewSession { id, key, expires: now + SESSION_SECONDS };
        self.inner.store.put_session(&new, now).await?;
        Ok(Some(SecretString::from(session)))
    }

    /// Whose session it is; none when there is no such session, or it is over.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn session(&self, session: &str) -> Result<Option<Caller>, ServiceError> {
        if session.len() != LENGTH {
            return Ok(None);
        }
        let (store, now) = (&self.inner.store, Timestamp::now().as_second());
        if let Some(Some(id)) = store.session(&hash(session, ""), now).await? {
            let key = store.api_key(&id).await?.filter(|key| !is_over(key));
            if let Some(key) = &key {
                self.note(&key.id);
            }
            return Ok(key.and_then(caller));
        }
        if self.inner.token.is_none() {
            return Ok(None);
        }
        let of_token = store.session(&hash(session, self.token()), now).await?;
        Ok(matches!(of_token, Some(None)).then_some(Caller::Token))
    }

    /// Ends a session, if there is one.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn close_session(&self, session: &str) -> Result<(), ServiceError> {
        for id in [hash(session, ""), hash(session, self.token())] {
            self.inner.store.delete_session(&id).await?;
        }
        Ok(())
    }

    fn token(&self) -> &str {
        self.inner.token.as_ref().map_or("", |token| token.expose_secret())
    }
}

/// The id has more bits than anyone can try, so that a fast hash is enough.
fn hash(session: &str, token: &str) -> [u8; 32] {
    let hash = Sha256::new().chain_update("lanes session\0").chain_update(session);
    hash.chain_update("\0").chain_update(token).finalize().into()
}
