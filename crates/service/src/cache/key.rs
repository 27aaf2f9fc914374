//! When two calls are the same: the key is a hash over everything that an answer depends on.

use lanes_engine::RequestImage;
use lanes_model::{Output, Temperature};
use lanes_store::AnswerKey;
use sha2::{Digest, Sha256};

/// Goes up when what is sent with every request changes, or the way in which keys are made.
const VERSION: &str = "lanes answer 2";

/// What is asked, and whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked<'a> {
    /// Where the requests go.
    pub(super) base_url: &'a str,
    pub(super) model: &'a str,
    /// All parameters that are sent.
    pub(super) max_tokens: u32,
    pub(super) temperature: Option<Temperature>,
    pub(super) output: &'a Output,
    pub(super) system: &'a str,
    pub(super) user: &'a str,
    /// The task's id.
    pub(super) task: &'a str,
    /// The task's version is its text: the prompt before the document was put in.
    pub(super) prompt: &'a str,
    pub(super) images: &'a [RequestImage],
}

impl Asked<'_> {
    pub(super) fn key(&self) -> AnswerKey {
        let Self {
            base_url,
            model,
            max_tokens,
            temperature,
            output,
            system,
            user,
            task,
            prompt,
            images,
        } = self;
        let base_url = base_url.trim().trim_end_matches('/');
        let max_tokens = max_tokens.to_string();
        let temperature = temperature.map_or_else(String::new, |t| t.to_string());
        // An output always can be written.
        let output = serde_json::to_string(output).unwrap_or_default();
        let mut hash = Sha256::new();
        let parameters = [&max_tokens, &temperature, &output].map(String::as_str);
        let rest = [*system, *user, *task, *prompt];
        for part in [VERSION, base_url, model].iter().chain(&parameters).chain(&rest) {
            // With its length before it no part can run over into the next.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        for image in *images {
            for part in [image.media_type.as_bytes(), &image.data] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use lanes_model::Schema;
    use proptest::prelude::*;

    use super::*;

    type Parts = ([String; 6], u32, Option<Temperature>, Output);

    fn asked((texts, max_tokens, temperature, output): &Parts) -> Asked<'_> {
        let [base_url, model, system, user, task, prompt] = texts;
        let (max_tokens, temperature, images) = (*max_tokens, *temperature, &[]);
        Asked {
            base_url,
            model,
            max_tokens,
            temperature,
            output,
            system,
            user,
            task,
            prompt,
            images,
        }
    }

    #[test]
    fn the_same_is_the_same_and_slashes_behind_the_address_mean_nothing() {
        let parts = ["http://a/v1", "m", "s", "u", "t", "p"].map(str::to_owned);
        let one = (parts, 300, None, Output::Text);
        let mut other = one.clone();
        other.0[0] = " http://a/v1// ".to_owned();
        assert_eq!(asked(&one).key(), asked(&other).key());
    }

    #[test]
    fn text_that_moves_from_one_part_to_the_next_makes_another_key() {
        let parts = |system: &str, user: &str| {
            (
                ["http://a/v1", "m", system, user, "t", "p"].map(str::to_owned),
                300,
                None,
                Output::Text,
            )
        };
        assert_ne!(asked(&parts("ab", "c")).key(), asked(&parts("a", "bc")).key());
        assert_ne!(asked(&parts("", "abc")).key(), asked(&parts("abc", "")).key());
    }

    #[test]
    fn another_image_makes_another_key() {
        let parts =
            (["http://a/v1", "m", "s", "u", "t", "p"].map(str::to_owned), 300, None, Output::Text);
        let image =
            |data: &[u8]| [RequestImage { media_type: "image/png".to_owned(), data: data.into() }];
        let key = |images: &[RequestImage]| Asked { images, ..asked(&parts) }.key();
        assert_ne!(key(&image(&[1])), key(&image(&[2])));
        assert_ne!(key(&image(&[1])), key(&[]));
    }

    fn parts() -> impl Strategy<Value = Parts> {
        // Few letters, so that parts are often alike.
        let text = || "[ab]{0,3}";
        let temperature = (0u8..3).prop_map(|tenths| Temperature::of(f64::from(tenths) / 10.0));
        let schema = |text: &str| Output::Schema(Schema::new(text));
        let output = prop_oneof![
            Just(Output::Text),
            Just(Output::Labels(vec!["a".to_owned(), "b".to_owned()])),
            Just(schema("{}")),
            Just(schema(r#"{"type":"object"}"#)),
        ];
        let texts = [text(), text(), text(), text(), text(), text()];
        (
            texts,
            0u32..3,
            proptest::option::weighted(0.5, temperature).prop_map(Option::flatten),
            output,
        )
    }

    proptest! {
        #[test]
        fn keys_are_the_same_exactly_when_all_parts_are(one in parts(), other in parts()) {
            prop_assert_eq!(asked(&one) == asked(&other), asked(&one).key() == asked(&other).key());
        }

        #[test]
        fn a_change_of_any_part_changes_the_key(one in parts(), which in 0usize..9, more in "[a-z]+") {
            let mut other = one.clone();
            match (other.0.get_mut(which), which) {
                (Some(text), _) => text.push_str(&more),
                (None, 6) => other.1 += 1,
                (None, 7) => other.2 = Temperature::of(2.0),
                (None, _) => other.3 = Output::Labels(vec![more]),
            }
            prop_assert_ne!(asked(&one).key(), asked(&other).key());
        }
    }
}
