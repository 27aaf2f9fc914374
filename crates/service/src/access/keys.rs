//! API keys: made, listed, revoked, checked. A key is `lanes_<id>_<secret>`; the store has the id and
//! an Argon2id hash of the whole.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use jiff::{Timestamp, ToSpan};
use lanes_model::FieldError;
use lanes_store::StoredKey;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::fingerprint::random;
use super::{Access, Scope, is_over};
use crate::ServiceError;

/// Letters and digits that nobody takes for one another: 32 of them, five bits each.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
/// The length of an id: 40 bits.
const ID: usize = 8;
/// The length of a secret: 160 bits.
const SECRET: usize = 32;
/// The most keys.
const MOST_KEYS: usize = 200;
/// The longest name, in characters.
const LONGEST_NAME: usize = 80;
/// The longest life of a key that has an end, in days.
const MOST_DAYS: i64 = 3_650;

/// A key as people see it: never its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ApiKey {
    /// The part that is not secret.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is good for.
    pub scope: String,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
    /// When it ends, if it does.
    pub expires_at: Option<String>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<String>,
    /// Whether it has ended.
    pub expired: bool,
}

/// A key as asked for: the body of `POST /api/keys`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KeyRequest {
    /// What to call it.
    #[serde(default)]
    pub name: String,
    /// `read`, `run` or `admin`.
    #[serde(default)]
    pub scope: String,
    /// In how many days it ends; never, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<i64>,
}

/// A key just made.
#[derive(Clone)]
pub struct MadeKey {
    /// The key as it is listed from now on.
    pub key: ApiKey,
    /// All of it, which nobody can read again.
    pub secret: SecretString,
}

impl Access {
    /// All keys, in the order in which they were made.
    ///
    /// # Errors
    /// A store that fails.
    pub async fn keys(&self) -> Result<Vec<ApiKey>, ServiceError> {
        Ok(self.inner.store.api_keys().await?.into_iter().map(view).collect())
    }

    /// Makes a key.
    ///
    /// # Errors
    /// [`ServiceError::Invalid`] with everything that is wrong with the request,
    /// [`ServiceError::Conflict`] when there are too many, or a store that fails.
    pub async fn create_key(&self, request: &KeyRequest) -> Result<MadeKey, ServiceError> {
        let now = Timestamp::now();
        let (name, scope, expires_at) = check(request, now).map_err(ServiceError::Invalid)?;
        if self.inner.store.api_keys().await?.len() >= MOST_KEYS {
            return Err(ServiceError::Conflict(format!(
                "There are {MOST_KEYS} keys: revoke one that is not used before you make another."
            )));
        }
        let id = letters::<ID>()?;
        let secret = SecretString::from(format!("lanes_{id}_{}", letters::<SECRET>()?));
        let (salt, hashed) = (random::<16>()?, secret.clone());
        let hash = tokio::task::spawn_blocking(move || hash(&hashed, &salt))
            .await
            .map_err(|e| ServiceError::Random(e.to_string()))??;
        let key = StoredKey {
            id,
            name,
            scope: scope.id().to_owned(),
            hash,
            created_at: rfc3339(now),
            expires_at,
            last_used_at: None,
        };
        self.inner.store.put_api_key(&key).await?;
        Ok(MadeKey { key: view(key), secret })
    }

    /// Revokes a key, and ends the sessions that were opened with it.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], or a store that fails.
    pub async fn revoke_key(&self, id: &str) -> Result<(), ServiceError> {
        if self.inner.store.delete_api_key(id).await? {
            return Ok(());
        }
        let shown: String = id.chars().filter(|c| !c.is_control()).take(40).collect();
        Err(ServiceError::NotFound(format!("There is no key “{shown}”.")))
    }
}

type Checked = (String, Scope, Option<String>);

fn check(request: &KeyRequest, now: Timestamp) -> Result<Checked, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut wrong = |pointer: &str, detail: String| errors.push(FieldError::new(pointer, detail));
    let name = request.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)
    {
        wrong(
            "/name",
            format!("Give the key a name of 1 to {LONGEST_NAME} characters on one line."),
        );
    }
    let scope = Scope::from_id(request.scope.trim());
    if scope.is_none() {
        wrong("/scope", "Choose the scope read, run or admin.".to_owned());
    }
    let end = match request.expires_in_days {
        None => None,
        Some(days) if (1..=MOST_DAYS).contains(&days) => {
            now.checked_add((days * 24).hours()).ok().map(rfc3339)
        }
        Some(_) => {
            wrong(
                "/expires_in_days",
                format!("A key ends in 1 to {MOST_DAYS} days; leave it out for one that does not."),
            );
            None
        }
    };
    match scope {
        Some(scope) if errors.is_empty() => Ok((name.to_owned(), scope, end)),
        _ => Err(errors),
    }
}

fn view(key: StoredKey) -> ApiKey {
    let expired = is_over(&key);
    let StoredKey { id, name, scope, created_at, expires_at, last_used_at, .. } = key;
    ApiKey { id, name, scope, created_at, expires_at, last_used_at, expired }
}

/// To the second.
pub(super) fn rfc3339(at: Timestamp) -> String {
    Timestamp::from_second(at.as_second()).unwrap_or(at).to_string()
}

/// The id of what looks like a key.
pub(super) fn id_of(secret: &str) -> Option<&str> {
    let (id, rest) = secret.strip_prefix("lanes_")?.split_once('_')?;
    let fits =
        |text: &str, length| text.len() == length && text.bytes().all(|b| LETTERS.contains(&b));
    (fits(id, ID) && fits(rest, SECRET)).then_some(id)
}

/// Whether the hash is of this secret. Slow, and of a time that does not depend on the secret.
pub(super) fn is_right(secret: &SecretString, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else { return false };
    Argon2::default().verify_password(secret.expose_secret().as_bytes(), &hash).is_ok()
}

fn hash(secret: &SecretString, salt: &[u8]) -> Result<String, ServiceError> {
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(secret.expose_secret().as_bytes(), salt)
        .map_err(|e| ServiceError::Random(format!("the key cannot be hashed: {e}")))?;
    Ok(hash.to_string())
}

/// Random letters. There are 32, so that a byte gives each with the same chance.
pub(super) fn letters<const N: usize>() -> Result<String, ServiceError> {
    let letter = |byte: &u8| char::from(LETTERS[usize::from(byte % 32)]);
    Ok(random::<N>()?.iter().map(letter).collect())
}
