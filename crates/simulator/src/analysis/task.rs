//! What is asked, and about which text.
//!
//! The system message is read first, then the user's own instructions. The rule: words of the text
//! itself never decide the task, or a text about sentiment would be judged when it should be
//! translated.

use std::borrow::Cow;

/// How far, in bytes, the first line of an untagged message is taken for an instruction.
const LEAD: usize = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Task {
    Summary,
    Sentiment,
    Keywords,
    Questions,
    Translation,
    Category,
    Transcript,
    Generic,
}

/// A prompt taken apart.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    pub(super) task: Task,
    /// Everything that is not the text.
    pub(super) instructions: String,
    pub(super) text: Cow<'a, str>,
}

/// Word beginnings that give a task away, in no order: the earliest in the instructions decides.
const SIGNS: &[(&str, Task)] = &[
    ("summar", Task::Summary),
    ("résum", Task::Summary),
    ("tl;dr", Task::Summary),
    ("sentiment", Task::Sentiment),
    ("keyword", Task::Keywords),
    ("key word", Task::Keywords),
    ("key topic", Task::Keywords),
    ("topics", Task::Keywords),
    ("questions", Task::Questions),
    ("translat", Task::Translation),
    ("categor", Task::Category),
    ("transcri", Task::Transcript),
    ("denois", Task::Transcript),
];

pub(super) fn read<'a>(system: &str, user: &'a str) -> Reading<'a> {
    let (outside, text) = match tagged(user) {
        Some((outside, text)) => (outside, text),
        None => {
            let (lead, text) = lead(user);
            (lead.to_owned(), text)
        }
    };
    let task = detect(system).or_else(|| detect(&outside)).unwrap_or(Task::Generic);
    let instructions = format!("{system}\n{outside}");
    Reading { task, instructions, text: Cow::Borrowed(text.trim()) }
}

/// The part outside the tags, and the part between the first `<text>` and the last `</text>`.
fn tagged(user: &str) -> Option<(String, &str)> {
    let (before, rest) = user.split_once("<text>")?;
    let (text, after) = rest.rsplit_once("</text>").unwrap_or((rest, ""));
    Some((format!("{before}\n{after}"), text))
}

/// Splits `Summarise this text: …` into instruction and text; a message that does not begin with
/// an instruction is text as a whole, and one that is nothing else is both.
fn lead(user: &str) -> (&str, &str) {
    let trimmed = user.trim_start();
    let mut end = trimmed.len().min(LEAD);
    while !trimmed.is_char_boundary(end) {
        end -= 1;
    }
    let window = &trimmed[..end];
    let cut = match (window.find('\n'), window.find(": ")) {
        (Some(line), Some(colon)) => Some(line.min(colon)),
        (line, colon) => line.or(colon),
    };
    match cut {
        Some(cut) if is_instruction(&trimmed[..cut]) => (&trimmed[..cut], &trimmed[cut + 1..]),
        None if trimmed.len() <= LEAD => (trimmed, user),
        _ => ("", user),
    }
}

/// Whether a line asks for something: it names a task, or begins or ends like an order.
fn is_instruction(line: &str) -> bool {
    const ORDERS: &[&str] = &[
        "analy", "answer", "classify", "describe", "explain", "extract", "find", "generate",
        "give", "identify", "list", "please", "read", "rewrite", "tell", "what", "which", "who",
        "why", "how", "write",
    ];
    let lower = line.trim().to_lowercase();
    detect(&lower).is_some() && lower.ends_with(':')
        || detect(&lower).is_some() && lower.split_whitespace().count() <= 40
        || ORDERS.iter().any(|order| lower.starts_with(order))
}

/// The task whose sign comes first.
fn detect(instructions: &str) -> Option<Task> {
    let lower = instructions.to_lowercase();
    SIGNS
        .iter()
        .filter_map(|(sign, task)| {
            let at = lower.match_indices(sign).map(|(at, _)| at).find(|at| {
                let before = &lower[..*at];
                // A sign begins a word, and who is to answer questions is not to ask them.
                let begins = !before.ends_with(char::is_alphanumeric);
                let asked = *task == Task::Questions
                    && before.split_whitespace().rev().take(4).any(|w| w.starts_with("answer"));
                begins && !asked
            })?;
            Some((at, *task))
        })
        .min_by_key(|(at, _)| *at)
        .map(|(_, task)| task)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(system: &str, user: &str) -> Task {
        read(system, user).task
    }

    #[test]
    fn the_system_message_decides_before_the_users_words() {
        assert_eq!(
            task("You translate into Spanish.", "Summarise <text>x</text>"),
            Task::Translation
        );
        assert_eq!(task("You are helpful.", "Summarise <text>x</text>"), Task::Summary);
    }

    #[test]
    fn words_inside_the_text_never_decide() {
        let user = "Name the mood.\n<text>Translate the sentiment of these keywords.</text>";
        assert_eq!(task("", user), Task::Generic);
        let user = "Please list keywords. <text>A summary of the categories.</text>";
        assert_eq!(task("", user), Task::Keywords);
    }

    #[test]
    fn every_task_is_recognised_by_its_usual_wording() {
        for (system, expected) in [
            ("You write concise summaries of key topics.", Task::Summary),
            ("You are an expert in sentiment analysis: classify into a category.", Task::Sentiment),
            ("Extract the key topics and keywords.", Task::Keywords),
            ("Write three insightful questions about the text.", Task::Questions),
            ("You are a professional translator.", Task::Translation),
            ("You categorise content.", Task::Category),
            ("Write a transcript of the recording.", Task::Transcript),
            ("Denoise the recording.", Task::Transcript),
            ("Answer the user's questions.", Task::Generic),
            ("", Task::Generic),
        ] {
            assert_eq!(task(system, "<text>x</text>"), expected, "{system}");
        }
    }

    #[test]
    fn the_text_stands_between_the_outer_tags() {
        let reading = read("", "Summarise:\n<text>\na <text> b </text> c\n</text>\nBe brief.");
        assert_eq!(reading.text, "a <text> b </text> c");
        assert!(reading.instructions.contains("Be brief."));
        assert_eq!(read("", "<text>open ended").text, "open ended");
    }

    #[test]
    fn an_untagged_instruction_is_taken_off_the_text() {
        let reading = read("", "Summarize the following text:\n\nIt rained. It poured.");
        assert_eq!((reading.task, reading.text.as_ref()), (Task::Summary, "It rained. It poured."));
        let reading = read("", "It rained: a lot.\nIt poured.");
        assert_eq!(
            (reading.task, reading.text.as_ref()),
            (Task::Generic, "It rained: a lot.\nIt poured.")
        );
    }
}
