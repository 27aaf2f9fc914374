//! Secrets as hashes with a key that lives as long as the process: what is compared is never the
//! secret, so that the time of a comparison says nothing of it.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::ServiceError;

/// The key of this process's fingerprints.
pub(super) struct Pepper([u8; 32]);

/// A secret's hash. Equal exactly when the secrets are, and of one length whatever theirs is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Fingerprint([u8; 32]);

impl Pepper {
    pub(super) fn new() -> Result<Self, ServiceError> {
        Ok(Self(random()?))
    }

    pub(super) fn fingerprint(&self, secret: &str) -> Fingerprint {
        Fingerprint(Sha256::new().chain_update(self.0).chain_update(secret).finalize().into())
    }
}

impl Fingerprint {
    /// Whether both are of the same secret, in a time that does not depend on them.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

/// Bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> Result<[u8; N], ServiceError> {
    crate::random::bytes()
        .map_err(|e| ServiceError::Random(format!("the system gives no random bytes: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_fingerprint_has_nothing_of_its_secret_and_is_another_in_every_process() {
        let (one, other) = (Pepper::new().unwrap(), Pepper::new().unwrap());
        let (long, short) = ("x".repeat(10_000), "x");
        assert_eq!(one.fingerprint(&long).0.len(), one.fingerprint(short).0.len());
        assert_ne!(one.fingerprint(short).0, other.fingerprint(short).0);
    }

    proptest! {
        #[test]
        fn fingerprints_are_the_same_exactly_when_the_secrets_are(a in "[ab]{0,4}", b in "[ab]{0,4}") {
            let pepper = Pepper::new().unwrap();
            let same = pepper.fingerprint(&a).is(&pepper.fingerprint(&b));
            prop_assert_eq!(same, a == b);
        }
    }
}
