//! Secrets of webhooks at rest: encrypted (ChaCha20-Poly1305) with a key in a file beside the database.
//!
//! They must be readable to sign with, so that they cannot be hashed. The file makes the database alone
//! worthless to who finds it, as in a backup; it does not help against who can read the whole folder.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::error::Unspecified;

use super::signature::Secret;
use crate::random;

/// The length of the key.
const KEY: usize = 32;

/// Encrypts and decrypts.
pub(crate) struct Vault {
    key: LessSafeKey,
}

impl Vault {
    /// With the key in that file, which is made when it is not there, for its owner alone.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let invalid = || {
            let words = format!(
                "{} is not the key of the webhooks' secrets: put the file back, or remove it and make \
                 the webhooks anew",
                path.display()
            );
            std::io::Error::new(ErrorKind::InvalidData, words)
        };
        let mut bytes = Vec::with_capacity(KEY);
        match std::fs::File::open(path) {
            Ok(file) => {
                only_ours(&file)?;
                file.take(KEY as u64 + 1).read_to_end(&mut bytes)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                bytes = random::bytes::<KEY>()?.to_vec();
                let mut options = std::fs::OpenOptions::new();
                options.write(true).create_new(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(path)?;
                file.write_all(&bytes)?;
                file.sync_all()?;
            }
            Err(error) => return Err(error),
        }
        let key = UnboundKey::new(&CHACHA20_POLY1305, &bytes).map_err(|_| invalid())?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// A secret as it is kept; it belongs to that webhook and can be read as no other's.
    pub(crate) fn seal(&self, webhook: &str, secret: &Secret) -> std::io::Result<Vec<u8>> {
        let mut sealed = random::bytes::<NONCE_LEN>()?.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(&sealed).map_err(failed)?;
        let mut bytes = secret.0.clone();
        self.key
            .seal_in_place_append_tag(nonce, Aad::from(webhook.as_bytes()), &mut bytes)
            .map_err(failed)?;
        sealed.append(&mut bytes);
        Ok(sealed)
    }

    /// A secret as it was; none when it was kept under another key.
    pub(crate) fn unseal(&self, webhook: &str, sealed: &[u8]) -> Option<Secret> {
        let (nonce, bytes) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut bytes = bytes.to_vec();
        let plain = self.key.open_in_place(nonce, Aad::from(webhook.as_bytes()), &mut bytes);
        plain.ok().map(|plain| Secret(plain.to_vec()))
    }
}

/// The library says no more than that it failed.
fn failed(error: Unspecified) -> std::io::Error {
    std::io::Error::other(error.to_string())
}

/// Takes the rights of others away.
fn only_ours(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if file.metadata()?.permissions().mode() & 0o077 != 0 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_comes_back_for_its_webhook_and_under_its_key_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("webhooks.key");
        let vault = Vault::open(&path).unwrap();
        let secret = Secret::generate().unwrap();
        let sealed = vault.seal("one", &secret).unwrap();
        assert!(!sealed.windows(8).any(|part| secret.0.starts_with(part)));
        let again = Vault::open(&path).unwrap();
        assert_eq!(again.unseal("one", &sealed).unwrap().0, secret.0);
        assert!(again.unseal("other", &sealed).is_none());
        assert!(again.unseal("one", &sealed[..20]).is_none());
        std::fs::remove_file(&path).unwrap();
        assert!(Vault::open(&path).unwrap().unseal("one", &sealed).is_none());
    }

    #[test]
    #[cfg(unix)]
    fn the_key_is_for_its_owner_alone_and_one_that_is_damaged_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("webhooks.key");
        let rights = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        Vault::open(&path).unwrap();
        assert_eq!(rights(), 0o600);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        Vault::open(&path).unwrap();
        assert_eq!(rights(), 0o600);
        std::fs::write(&path, "short").unwrap();
        let refused = Vault::open(&path).err().unwrap().to_string();
        assert!(refused.contains("webhooks.key is not the key"), "{refused}");
    }
}
