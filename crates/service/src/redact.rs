//! Takes personal data out of what is about to leave for a provider: e-mail addresses, phone numbers,
//! card numbers, IBANs and US social security numbers become placeholders such as `[EMAIL_1]`, the same
//! one for the same original within a request.
//!
//! What is found is found by its form (`find`), so that names and addresses are not. The rules: putting
//! the originals back gives exactly the text that there was, and in what leaves nothing is found again.

mod find;

use lanes_model::Redaction;

/// Texts are looked through again after each change, since what is taken out can lay bare something
/// else; more often than this it does not happen.
const ROUNDS: usize = 16;

/// Takes personal data out of the texts of one request.
pub(crate) struct Redactor<'a> {
    /// The texts themselves: no placeholder may be in them already.
    texts: &'a [&'a str],
    redaction: Redaction,
}

impl<'a> Redactor<'a> {
    /// For these texts.
    pub(crate) fn new(texts: &'a [&'a str]) -> Self {
        Self { texts, redaction: Redaction::default() }
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

    fn placeholder(&mut self, kind: &str, original: &str) -> String {
        self.redaction.count_one();
        if let Some(known) = self.redaction.placeholder(original) {
            return known.to_owned();
        }
        let taken = |placeholder: &String| {
            self.texts.iter().any(|text| text.contains(&**placeholder))
                || self.redaction.stands_for_something(placeholder)
        };
        let free = (1u32..).map(|n| format!("[{kind}_{n}]")).find(|p| !taken(p));
        let placeholder = free.unwrap_or_else(|| format!("[{kind}]"));
        self.redaction.add(placeholder.clone(), original.to_owned());
        placeholder
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hidden(text: &str) -> (String, Redaction) {
        let texts = [text];
        let mut redactor = Redactor::new(&texts);
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
