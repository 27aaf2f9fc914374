//! Signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body, in base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

/// What a written secret begins with.
const PREFIX: &str = "whsec_";
/// The length of a secret that is made here; the standard wants 24 to 64 bytes.
const LENGTH: usize = 32;

/// What messages to one webhook are signed with. Nothing prints it.
#[derive(Clone)]
pub(crate) struct Secret(pub(super) Vec<u8>);

impl Secret {
    /// A new one; none when the system has no random numbers.
    pub(crate) fn generate() -> Option<Self> {
        Some(Self(crate::random::bytes::<LENGTH>().ok()?.to_vec()))
    }

    /// As receivers are given it.
    pub(crate) fn written(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }

    /// The header `webhook-signature` of a message.
    pub(crate) fn sign(&self, id: &str, timestamp_s: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, format!("{id}.{timestamp_s}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(tag))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Secret {
        Secret(STANDARD.decode(text.trim_start_matches(PREFIX)).unwrap())
    }

    #[test]
    fn the_examples_of_standard_webhooks_come_out_as_published() {
        let secret = written("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        let body = r#"{"email":"test@example.com","username":"test_user"}"#;
        let signed = secret.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1_649_367_553, body);
        assert_eq!(signed, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
        let secret = written("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        let signed = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_new_secret_is_long_and_new_and_written_in_the_usual_way() {
        let (one, other) = (Secret::generate().unwrap(), Secret::generate().unwrap());
        assert_ne!(one.0, other.0);
        assert!(one.written().starts_with("whsec_") && one.written().len() == 50);
        assert_eq!(written(&one.written()).0, one.0);
    }
}
