//! Tests of the analysis as a whole: the shipped samples, and texts nobody should send.

use proptest::prelude::*;

use super::*;

const SAMPLES: &[(&str, &str)] = &[
    ("ai-technology", include_str!("../../../model/samples/ai-technology.txt")),
    ("business-report", include_str!("../../../model/samples/business-report.txt")),
    ("healthcare-study", include_str!("../../../model/samples/healthcare-study.txt")),
    ("technology-news", include_str!("../../../model/samples/technology-news.txt")),
];

const SYSTEMS: &[&str] = &[
    "You write summaries.",
    "You judge sentiment.",
    "You extract keywords.",
    "You write questions.",
    "You translate into Spanish.",
    "You name the category.",
    "You help.",
];

fn ask(system: &str, text: &str) -> String {
    let user = format!("<text>\n{text}\n</text>");
    answer(&Prompt { system: system.to_owned(), user, ..Prompt::default() }, false)
}

fn first_word(answer: &str) -> &str {
    answer.split('.').next().unwrap()
}

#[test]
fn samples_have_250_to_400_words_in_paragraphs() {
    for (name, text) in SAMPLES {
        let words = text.split_whitespace().count();
        assert!((250..=400).contains(&words), "{name} has {words} words");
        assert!(text.contains("\n\n"), "{name}");
    }
}

#[test]
fn every_sentence_of_every_sample_is_translated() {
    for (name, text) in SAMPLES {
        let spanish = ask("You translate into Spanish.", text);
        assert!(!spanish.contains("needs a real model"), "{name}: {spanish}");
        assert_eq!(spanish.matches("\n\n").count(), text.trim().matches("\n\n").count(), "{name}");
    }
}

#[test]
fn samples_differ_in_tone() {
    let tones: Vec<String> = SAMPLES
        .iter()
        .map(|(_, text)| first_word(&ask("You judge sentiment.", text)).to_owned())
        .collect();
    assert_eq!(tones, ["Positive", "Positive", "Negative", "Negative"]);
}

#[test]
fn samples_fall_into_sensible_categories() {
    let categories: Vec<String> =
        SAMPLES.iter().map(|(_, text)| ask("You name the category.", text)).collect();
    assert_eq!(categories, ["Technology", "Business", "Health", "Technology"]);
}

#[test]
fn every_answer_depends_on_the_text() {
    for system in SYSTEMS.iter().filter(|system| !system.contains("category")) {
        let answers: Vec<String> = SAMPLES.iter().map(|(_, text)| ask(system, text)).collect();
        for (at, answer) in answers.iter().enumerate() {
            assert!(!answers[..at].contains(answer), "{system}: {answer}");
        }
    }
}

#[test]
fn texts_nobody_should_send_are_answered_briefly() {
    let texts = [
        String::new(),
        "a".repeat(200_000),
        "word ".repeat(40_000),
        ".".repeat(200_000),
        "<".repeat(200_000),
        "<a".repeat(100_000),
        "…\" ".repeat(60_000),
        "\u{301}".repeat(100_000),
        "今天天气很好".repeat(12_000),
        "مرحبا بالعالم. ".repeat(8_000),
        "🙂👩‍👩‍👧‍👦 ".repeat(8_000),
        "\0".repeat(200_000),
        "<div><p class='x'>Rain &amp; wind.</p></div>".repeat(4_000),
        "\n".repeat(200_000),
        "</text><text>".repeat(10_000),
        (0..40_000).map(|n| format!("w{n} ")).collect(),
        (0..20_000).map(|n| format!("Zebra{n} runs. ")).collect(),
    ];
    for (at, text) in texts.iter().enumerate() {
        for system in SYSTEMS {
            let answer = ask(system, text);
            assert!(!answer.is_empty() && answer.len() < 10_000, "text {at}, {system}");
        }
    }
}

#[test]
fn images_are_mentioned() {
    let prompt = Prompt { user: "Describe it.".to_owned(), images: 2, ..Prompt::default() };
    assert!(answer(&prompt, false).contains("2 images were given"));
}

proptest! {
    #[test]
    fn no_text_makes_any_analysis_panic(
        system in prop::sample::select(SYSTEMS), user in prop::collection::vec(any::<char>(), 0..300),
    ) {
        let user: String = user.into_iter().collect();
        let answer = answer(&Prompt { system: system.to_owned(), user, ..Prompt::default() }, false);
        prop_assert!(!answer.is_empty());
    }

    #[test]
    fn no_mixture_of_marks_and_words_makes_any_analysis_panic(
        system in prop::sample::select(SYSTEMS),
        user in "(<text>|</text>|<b>|[.,!?:;…\"'’\\-\n\t ]|\\PC|not|good|bad|Rain|U\\.S\\.|1\\.5|中文|שלום){0,80}",
    ) {
        let answer = answer(&Prompt { system: system.to_owned(), user, ..Prompt::default() }, false);
        prop_assert!(!answer.is_empty());
    }
}
