//! [`Shared`]: what many viewers are told, written as JSON once for all of them.
//!
//! A thousand viewers of a run are told the same a thousand times: whoever needs the words first writes
//! them, everyone after that copies them.

use std::ops::Deref;
use std::sync::OnceLock;

use serde::Serialize;

/// A value and, once somebody has asked for it, its JSON.
#[derive(Debug)]
pub struct Shared<T> {
    value: T,
    json: OnceLock<Box<str>>,
}

impl<T> Shared<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self { value, json: OnceLock::new() }
    }
}

impl<T: Serialize> Shared<T> {
    /// Its JSON. What we tell always serialises; if it ever did not, an empty text is the least harm.
    pub fn json(&self) -> &str {
        self.json
            .get_or_init(|| serde_json::to_string(&self.value).unwrap_or_default().into_boxed_str())
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use serde::Serializer;

    use super::*;

    static WRITTEN: AtomicU32 = AtomicU32::new(0);

    struct Counted;

    impl Serialize for Counted {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            WRITTEN.fetch_add(1, Ordering::Relaxed);
            to.serialize_str("told")
        }
    }

    #[test]
    fn what_a_thousand_viewers_are_told_is_written_once() {
        let told = Shared::new(Counted);
        assert!((0..1_000).all(|_| told.json() == "\"told\""));
        assert_eq!(WRITTEN.load(Ordering::Relaxed), 1);
    }
}
