//! Takes personal data out of what is about to leave for a provider: e-mail addresses, phone numbers,
//! card numbers, IBANs and US social security numbers become placeholders such as `[EMAIL_1]`, the same
//! one for the same original within a request.
//!
//! What is found is found by its form (`find`), so that names and addresses are not. The rules: putting
//! the originals back gives exactly the text that there was, and in what leaves nothing is found again.

mod find;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use lanes_engine::RequestImage;
use lanes_model::{Failure, FailureKind, Redaction};

/// Texts are looked through again after each change, since what is taken out can lay bare something
/// else; more often than this it does not happen.
const ROUNDS: usize = 16;

/// Takes personal data out of the texts of one request.
pub(crate) struct Redactor {
    /// What in the texts could be taken for a placeholder.
    taken: HashSet<String>,
    /// The number of the next placeholder, by its name.
    next: HashMap<&'static str, u32>,
    redaction: Redaction,
}

impl Redactor {
    /// For these texts and no others: what looks like a placeholder in them is none.
    pub(crate) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let taken = texts.into_iter().flat_map(alike).map(str::to_owned).collect();
        Self { taken, next: HashMap::new(), redaction: Redaction::default() }
    }

    /// One of the texts with placeholders in it.
    pub(crate) fn hide(&mut self, text: &str) -> String {
        let mut text = text.to_owned();
        for _ in 0..ROUNDS {
            let found = find::all(&text);
            if found.is_empty() {
                break;
            }
            let mut out = String::with_capacity(text.len());
            let mut from = 0;
            for (range, kind) in found {
                out.push_str(&text[from..range.start]);
                out.push_str(&self.placeholder(kind, &text[range.clone()]));
                from = range.end;
            }
            out.push_str(&text[from..]);
            text = out;
        }
        text
    }

    /// What stands for what in them.
    pub(crate) fn done(self) -> Redaction {
        self.redaction
    }

    fn placeholder(&mut self, kind: &'static str, original: &str) -> String {
        self.redaction.count_one();
        if let Some(known) = self.redaction.placeholder(original) {
            return known.to_owned();
        }
        let number = self.next.entry(kind).or_insert(0);
        let placeholder = loop {
            *number = number.saturating_add(1);
            let placeholder = format!("[{kind}_{number}]");
            if !self.taken.contains(&placeholder) {
                break placeholder;
            }
        };
        self.redaction.add(placeholder.clone(), original.to_owned());
        placeholder
    }
}

/// Everything in a text that has the form of a placeholder.
fn alike(text: &str) -> impl Iterator<Item = &str> {
    const LONGEST: usize = 32;
    text.match_indices('[').filter_map(|(at, _)| {
        let near = text.as_bytes().get(at..)?.iter().take(LONGEST);
        let end = at + near.clone().position(|b| *b == b']')?;
        text.get(at..=end)
    })
}

/// Two texts without personal data, and what stands for it; nothing when there was none.
pub(crate) type Redacted = (String, String, Option<Arc<Redaction>>);

/// Takes personal data out of both messages of a call.
///
/// # Errors
/// When there are images: nobody here can tell what is in them.
pub(crate) fn redacted(
    system: &str,
    user: &str,
    images: &[RequestImage],
) -> Result<Redacted, Failure> {
    if !images.is_empty() {
        return Err(Failure::new(
            FailureKind::InvalidRequest,
            "This run redacts personal data, and that cannot be done in an image: leave the image out.",
        ));
    }
    let mut redactor = Redactor::new([system, user]);
    let (system, user) = (redactor.hide(system), redactor.hide(user));
    let redaction = redactor.done();
    Ok((system, user, (redaction.count() > 0).then(|| Arc::new(redaction))))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hidden(text: &str) -> (String, Redaction) {
        let mut redactor = Redactor::new([text]);
        let out = redactor.hide(text);
        (out, redactor.done())
    }

    #[test]
    fn each_kind_becomes_a_placeholder_of_its_name_and_the_same_is_the_same() {
        let text = "Ann <ann.lee+x@mail.example.co.uk> or ann.lee+x@mail.example.co.uk, bob@b.de; call \
                    +49 (0)30 1234-567 or (555) 123-4567; card 4111 1111 1111 1111; account DE89 3704 0044 \
                    0532 0130 00; SSN 123-45-6789.";
        let (out, redaction) = hidden(text);
        assert_eq!(
            out,
            "Ann <[EMAIL_1]> or [EMAIL_1], [EMAIL_2]; call [PHONE_1] or [PHONE_2]; card [CARD_1]; account \
             [IBAN_1]; SSN [SSN_1]."
        );
        assert_eq!(redaction.count(), 8);
        assert_eq!(redaction.restore(&out), text);
    }

    #[test]
    fn a_text_that_has_placeholders_already_keeps_them() {
        let text = "[EMAIL_1] is not a@b.example, [EMAIL_2] neither.";
        let (out, redaction) = hidden(text);
        assert_eq!(out, "[EMAIL_1] is not [EMAIL_3], [EMAIL_2] neither.");
        assert_eq!(redaction.restore(&out), text);
    }

    #[test]
    fn a_long_text_that_is_full_of_it_takes_no_time_to_speak_of() {
        // With work that grows by the square this test would not end.
        let mut text = "[".repeat(100_000);
        for i in 0..40_000 {
            text.push_str(&format!("u{i}@mail.example, [EMAIL_{i}, 4111 1111 1111 1111, "));
        }
        text.push_str(&"a.".repeat(200_000));
        text.push_str("@b.example²");
        let (out, redaction) = hidden(&text);
        assert_eq!(redaction.count(), 80_001);
        assert!(redaction.restore(&out) == text);
    }

    /// Texts in which the forms that are looked for, and nearly those, stand close to each other.
    fn texts() -> impl Strategy<Value = String> {
        let part = prop_oneof![
            Just("a@b.example".to_owned()),
            Just("4111111111111111".to_owned()),
            Just("4111 1111-1111 1111".to_owned()),
            Just("DE89370400440532013000".to_owned()),
            Just("GB82 WEST 1234 5698 7654 32".to_owned()),
            Just("123-45-6789".to_owned()),
            Just("+1 555 123 4567".to_owned()),
            Just("030 1234567".to_owned()),
            Just("[EMAIL_1]".to_owned()),
            Just("[CARD_1]".to_owned()),
            "[0-9 .+()@\\[\\]a-z-]{0,8}",
            ".{0,6}",
        ];
        prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn the_originals_come_back_exactly_and_nothing_is_found_in_what_leaves(text in texts()) {
            let (out, redaction) = hidden(&text);
            prop_assert_eq!(redaction.restore(&out), text);
            prop_assert_eq!(find::all(&out), vec![], "{}", out);
        }
    }
}
