//! Where secrets come from: the environment, a file, the keyring of the system. They are held as
//! secrets from the first moment, and no message has one in it.

use std::path::Path;

use secrecy::SecretString;

use super::{ConfigError, env, value};

/// The largest file that is taken for a secret.
const LARGEST: u64 = 64 << 10;

/// What a file holds, without the space around it.
///
/// # Errors
/// [`ConfigError`] naming the setting, when it cannot be read or is empty.
pub fn secret_file(setting: &str, path: &Path) -> Result<SecretString, ConfigError> {
    let wrong = |why: &str| value(format!("{setting}: {} {why}", path.display()));
    let bytes = std::fs::metadata(path).map_err(|e| wrong(&format!("cannot be read: {e}")))?.len();
    if bytes > LARGEST {
        return Err(wrong("is too large for a key"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| wrong(&format!("cannot be read: {e}")))?;
    match text.trim() {
        "" => Err(wrong("is empty")),
        secret => Ok(SecretString::from(secret)),
    }
}

/// What the system's keyring has under `service/user`.
///
/// # Errors
/// [`ConfigError`] naming the setting, when there is nothing.
fn from_keyring(setting: &str, place: &str) -> Result<SecretString, ConfigError> {
    let wrong = |why: String| value(format!("{setting} is “{place}”; {why}"));
    let (service, user) = place
        .split_once('/')
        .filter(|(service, user)| !service.is_empty() && !user.is_empty())
        .ok_or_else(|| wrong("it must be service/user".to_owned()))?;
    let found = keyring::Entry::new(service, user).and_then(|entry| entry.get_password());
    match found {
        Ok(secret) if !secret.trim().is_empty() => Ok(SecretString::from(secret.trim())),
        Ok(_) => Err(wrong("the keyring has an empty key there".to_owned())),
        Err(error) => Err(wrong(format!("the keyring of the system does not give it: {error}"))),
    }
}

/// The key of a provider of the file: named by one setting at most.
///
/// # Errors
/// [`ConfigError`] naming the provider and the setting.
pub fn of_provider(
    name: &str,
    variable: Option<&str>,
    file: Option<&Path>,
    keyring: Option<&str>,
) -> Result<Option<SecretString>, ConfigError> {
    let setting = |field: &str| format!("provider “{name}”: {field}");
    match (variable, file, keyring) {
        (None, None, None) => Ok(None),
        (Some(variable), None, None) => Ok(env(variable).map(SecretString::from)),
        (None, Some(path), None) => secret_file(&setting("api_key_file"), path).map(Some),
        (None, None, Some(place)) => from_keyring(&setting("api_key_keyring"), place).map(Some),
        _ => Err(value(format!(
            "provider “{name}”: give one of api_key_env, api_key_file and api_key_keyring"
        ))),
    }
}

/// The key of the provider that the well-known variables describe.
///
/// # Errors
/// [`ConfigError`] naming the variable.
pub fn of_openai() -> Result<Option<SecretString>, ConfigError> {
    if let Some(key) = env("OPENAI_API_KEY") {
        return Ok(Some(SecretString::from(key)));
    }
    if let Some(path) = env("OPENAI_API_KEY_FILE") {
        return secret_file("OPENAI_API_KEY_FILE", path.as_ref()).map(Some);
    }
    let place = env("OPENAI_API_KEY_KEYRING");
    place.map(|place| from_keyring("OPENAI_API_KEY_KEYRING", &place)).transpose()
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_file_gives_its_text_without_the_space_around_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, "planted-key-123\r\n").unwrap();
        assert_eq!(secret_file("X", &path).unwrap().expose_secret(), "planted-key-123");
        for (content, words) in [(" \n".to_owned(), "is empty"), ("x".repeat(70_000), "too large")]
        {
            std::fs::write(&path, content).unwrap();
            let said = secret_file("X_FILE", &path).unwrap_err().to_string();
            assert!(said.starts_with("X_FILE: ") && said.contains(words), "{said}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(secret_file("X", &path).unwrap_err().to_string().contains("cannot be read"));
    }

    #[test]
    fn a_key_comes_from_one_place() {
        let both = of_provider("p", Some("A"), None, Some("b/c"));
        assert!(both.unwrap_err().to_string().contains("give one of"));
        for wrong in ["", "service", "/user", "service/"] {
            let said = of_provider("p", None, None, Some(wrong)).unwrap_err().to_string();
            assert!(said.contains("it must be service/user"), "{said}");
        }
    }
}
