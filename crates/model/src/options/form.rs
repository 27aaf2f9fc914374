//! What a form says of the options, one field a line: how it becomes part of a request, what it means
//! in words, and what it says for a run that is to be repeated.
//!
//! The page reads the fields and says what they mean; the server alone makes a request of them. What
//! the mode hides does not count.

use crate::spec::{Choices, shorten};
use crate::{Fallback, FieldError, Mode, Priority, RunRequest, RunSpec};

use super::FallbackRequest;

/// The names of the fields, in the order of their lines. A line for each fallback follows.
pub const FIELDS: [&str; 7] =
    ["max_cost", "deadline", "adaptive", "priority", "hedge", "redact", "piece_tokens"];

/// Where in a request each of them is.
pub const POINTERS: [&str; 7] = [
    "/budget/max_cost_usd_micros",
    "/budget/deadline_ms",
    "/adaptive",
    "/priority",
    "/hedge",
    "/redact",
    "/piece_tokens",
];

/// The name of the fields for fallbacks.
pub const FALLBACK: &str = "fallback";

/// A fallback's line that wants none, whatever the provider is configured with.
pub const NO_FALLBACK: &str = "none";

/// A provider with a model as one value.
#[must_use]
pub fn fallback_value(provider: &str, model: &str) -> String {
    [provider, "/", model].concat()
}

/// Takes the lines over into a request of which the mode is known. Returns what cannot be read.
pub fn apply(typed: &str, request: &mut RunRequest) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut lines = typed.split('\n').map(str::trim);
    let mut next = || lines.next().unwrap_or_default();
    let mode: Mode = request.mode.as_deref().and_then(|m| m.parse().ok()).unwrap_or_default();
    let mut budget = request.budget.unwrap_or_default();
    for (field, what, digits, example) in [
        (&mut budget.max_cost_usd_micros, "an amount of dollars", 6, "0.10"),
        (&mut budget.deadline_ms, "a number of seconds", 3, "60"),
    ] {
        let text = next();
        if text.is_empty() {
            continue;
        }
        *field = scaled(text, digits);
        if field.is_none() {
            let pointer = if digits == 6 { POINTERS[0] } else { POINTERS[1] };
            let detail = format!(
                "“{}” is not {what}: write it as {example}, with at most {digits} decimals, or leave \
                 it empty for no limit.",
                shorten(text)
            );
            errors.push(FieldError::new(pointer, detail));
        }
    }
    request.budget = Some(budget).filter(|b| !b.is_none());
    request.adaptive = match next() {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
    .filter(|_| mode != Mode::Sequential);
    request.priority = Some(next().to_owned()).filter(|id| !id.is_empty());
    request.hedge = !next().is_empty() && mode == Mode::Parallel;
    request.redact = !next().is_empty();
    let tokens = next();
    if !tokens.is_empty() {
        request.long = Some("chunk".to_owned());
        request.piece_tokens = tokens.parse().ok();
        if request.piece_tokens.is_none() {
            let detail = format!(
                "“{}” is not a number of tokens: write it as 4000, or leave it empty to refuse \
                 documents that are too long.",
                shorten(tokens)
            );
            errors.push(FieldError::new(POINTERS[6], detail));
        }
    }
    let chosen: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    let named = chosen.iter().filter(|line| **line != NO_FALLBACK).map(|line| {
        let (provider, model) = line.split_once('/').unwrap_or((line, ""));
        let some = |name: &str| Some(name.to_owned()).filter(|name| !name.is_empty());
        FallbackRequest { provider: some(provider), model: some(model) }
    });
    request.fallback = (!chosen.is_empty()).then(|| named.collect());
    errors
}

/// The problems of a request with each fallback's at the line that says it.
#[must_use]
pub fn placed(typed: &str, mut errors: Vec<FieldError>) -> Vec<FieldError> {
    let lines = typed.split('\n').skip(FIELDS.len()).map(str::trim).enumerate();
    let named: Vec<_> =
        lines.filter(|(_, l)| !l.is_empty() && *l != NO_FALLBACK).map(|(place, _)| place).collect();
    for error in &mut errors {
        let place = error.pointer.strip_prefix("/fallback/").and_then(|i| i.parse::<usize>().ok());
        if let Some(line) = place.and_then(|i| named.get(i)) {
            error.pointer = format!("/fallback/{line}");
        }
    }
    errors
}

/// The lines of a run's options: what it has without being asked for stays empty.
#[must_use]
pub fn lines(spec: &RunSpec, choices: &Choices<'_>) -> String {
    let value = |n: Option<u64>, digits| n.map(|n| decimal(n, digits)).unwrap_or_default();
    let usual = choices.adapts(spec.mode, &spec.provider);
    let mut lines = vec![
        value(spec.budget.max_cost_usd_micros, 6),
        value(spec.budget.deadline_ms, 3),
        match spec.adaptive {
            adapts if adapts == usual => "",
            true => "on",
            false => "off",
        }
        .to_owned(),
        match spec.priority {
            Priority::Interactive => "",
            other => other.id(),
        }
        .to_owned(),
        if spec.hedge { "on" } else { "" }.to_owned(),
        if spec.redact { "on" } else { "" }.to_owned(),
        value(spec.piece_tokens.map(u64::from), 0),
    ];
    if spec.fallback != choices.configured_fallbacks(&spec.provider) {
        if spec.fallback.is_empty() {
            lines.push(NO_FALLBACK.to_owned());
        }
        let value = |f: &Fallback| fallback_value(&f.provider, &f.model);
        lines.extend(spec.fallback.iter().map(value));
    }
    lines.join("\n")
}

/// What the lines say, in words; empty when everything is as usual.
#[must_use]
pub fn summary(typed: &str, mode: Mode) -> String {
    let mut words = String::new();
    let (mut named, mut none) = (false, false);
    let mut say = |joint, parts: [&str; 3]| {
        if !words.is_empty() {
            words.push_str(joint);
        }
        parts.iter().for_each(|part| words.push_str(part));
    };
    for (place, line) in typed.split('\n').map(str::trim).enumerate() {
        let parts = match (place, line) {
            (_, "") => continue,
            (0, cost) => ["budget $", cost.trim_start_matches(['$', ' ']), ""],
            (1, time) => ["deadline ", time.trim_end_matches(['s', ' ']), "\u{2009}s"],
            (2, adaptive) if mode != Mode::Sequential => ["adaptive ", adaptive, ""],
            (3, "batch") => ["batch", "", ""],
            (4, _) if mode == Mode::Parallel => ["slow calls hedged", "", ""],
            (5, _) => ["personal data redacted", "", ""],
            (6, tokens) => ["long documents in pieces of ", tokens, " tokens"],
            (0..7, _) => continue,
            (_, NO_FALLBACK) => {
                none = true;
                continue;
            }
            (_, fallback) if named => {
                say(", ", [fallback, "", ""]);
                continue;
            }
            (_, fallback) => {
                named = true;
                ["fallback: ", fallback, ""]
            }
        };
        say(" · ", parts);
    }
    if none && !named {
        say(" · ", ["no fallback", "", ""]);
    }
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// A number with decimals, as a whole number of its smallest part: with 3 digits `1.5` is 1500. A
/// dollar sign before and an `s` behind may be there.
fn scaled(text: &str, digits: usize) -> Option<u64> {
    let text = text.trim_start_matches('$').trim_end_matches('s').trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let plain = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !plain(whole) || !plain(part) || part.len() > digits || whole.len() + part.len() == 0 {
        return None;
    }
    [whole, part, &"0".repeat(digits - part.len())].concat().parse().ok()
}

/// The other way round.
fn decimal(value: u64, digits: u32) -> String {
    let unit = 10u64.pow(digits);
    match value % unit {
        0 => (value / unit).to_string(),
        part => {
            let part = format!("{part:0width$}", width = digits as usize);
            let part = part.trim_end_matches('0');
            // Money has at least two decimals.
            let zero = if digits == 6 && part.len() == 1 { "0" } else { "" };
            format!("{}.{part}{zero}", value / unit)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::InputRequest;
    use crate::{Budget, Limits};

    fn choices<'a>(
        providers: &'a [(String, Vec<String>)],
        tasks: &'a [crate::TaskId],
        fallbacks: &'a [(String, Vec<String>)],
        limits: &'a Limits,
        unlimited: &'a [String],
    ) -> Choices<'a> {
        Choices {
            workflows: &[],
            tasks,
            providers,
            simulated: &[],
            unlimited,
            fallbacks,
            latency_problem: |_| None,
            limits,
        }
    }

    fn request(mode: Mode) -> RunRequest {
        RunRequest {
            input: InputRequest { text: Some("A text.".to_owned()), ..InputRequest::default() },
            tasks: vec!["summary".to_owned()],
            mode: Some(mode.id().to_owned()),
            ..RunRequest::default()
        }
    }

    fn applied(typed: &str, mode: Mode) -> (RunRequest, Vec<String>) {
        let mut request = request(mode);
        let errors = apply(typed, &mut request);
        (request, errors.into_iter().map(|e| e.pointer).collect())
    }

    #[test]
    fn the_lines_become_the_fields_of_a_request() {
        let (request, errors) =
            applied("$0.10\n1.5\non\nbatch\non\non\n900\ntwo/org/c\n\none/b\n", Mode::Parallel);
        assert_eq!(errors, [""; 0]);
        let budget = Budget { max_cost_usd_micros: Some(100_000), deadline_ms: Some(1_500) };
        assert_eq!(request.budget, Some(budget));
        assert_eq!((request.adaptive, request.hedge, request.redact), (Some(true), true, true));
        assert_eq!(request.priority.as_deref(), Some("batch"));
        assert_eq!((request.long.as_deref(), request.piece_tokens), (Some("chunk"), Some(900)));
        let fallback = request.fallback.expect("two");
        let at = |i: usize| (fallback[i].provider.as_deref(), fallback[i].model.as_deref());
        assert_eq!((at(0), at(1)), ((Some("two"), Some("org/c")), (Some("one"), Some("b"))));
    }

    #[test]
    fn empty_lines_ask_for_nothing_and_none_asks_for_no_fallback() {
        for nothing in ["", "\n\n\n\n\n\n\n\n", " \n \n"] {
            assert_eq!(applied(nothing, Mode::Parallel).0, request(Mode::Parallel));
            assert_eq!(summary(nothing, Mode::Parallel), "");
        }
        let (none, _) = applied("\n\n\n\n\n\n\nnone\n\n", Mode::Parallel);
        assert_eq!(none.fallback, Some(Vec::new()));
        let (one, _) = applied("\n\n\n\n\n\n\nnone\ntwo/c\n", Mode::Parallel);
        assert_eq!(one.fallback.map(|f| f.len()), Some(1));
    }

    #[test]
    fn what_the_mode_hides_does_not_count() {
        let typed = "\n\non\n\non";
        let compare = applied(typed, Mode::Compare).0;
        assert_eq!((compare.adaptive, compare.hedge), (Some(true), false));
        assert_eq!(applied(typed, Mode::Sequential).0, request(Mode::Sequential));
        assert_eq!(summary(typed, Mode::Sequential), "");
        assert_eq!(summary(typed, Mode::Compare), "Adaptive on");
        assert_eq!(summary(typed, Mode::Parallel), "Adaptive on · slow calls hedged");
    }

    #[test]
    fn what_cannot_be_read_is_said_at_its_field() {
        for wrong in ["many", "-1", ".", "1e3", "0.1234567", "99999999999999999999"] {
            let (request, errors) = applied(&format!("{wrong}\n{wrong}"), Mode::Compare);
            assert_eq!(errors, [POINTERS[0], POINTERS[1]], "{wrong}");
            assert_eq!(request.budget, None);
        }
    }

    #[test]
    fn a_wrong_fallback_is_told_at_the_line_that_says_it() {
        let typed = "\n\n\n\n\n\n\n\ntwo/c\nthree/d";
        let errors = vec![FieldError::new("/fallback/1", "x"), FieldError::new("/tasks", "y")];
        let errors = placed(typed, errors);
        assert_eq!((&*errors[0].pointer, &*errors[1].pointer), ("/fallback/2", "/tasks"));
    }

    #[test]
    fn words_say_what_is_set() {
        let typed = "0.10\n60\noff\nbatch\n\non\n\nother/small\nthird/x";
        assert_eq!(
            summary(typed, Mode::Parallel),
            "Budget $0.10 · deadline 60\u{2009}s · adaptive off · batch · personal data redacted · \
             fallback: other/small, third/x"
        );
        assert_eq!(summary("\n\n\n\n\n\n\nnone", Mode::Compare), "No fallback");
        let cut = "Long documents in pieces of 4000 tokens";
        assert_eq!(summary("\n\n\n\n\n\n4000", Mode::Compare), cut);
    }

    #[test]
    fn a_run_that_is_repeated_says_what_was_asked_for() {
        let providers = [
            ("one".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
            ("two".to_owned(), vec!["c".to_owned()]),
        ];
        let (tasks, limits) = (["summary".into()], Limits::default());
        let configured = [("one".to_owned(), vec!["two".to_owned()])];
        let unlimited = ["one".to_owned()];
        let choices = choices(&providers, &tasks, &configured, &limits, &unlimited);
        for typed in [
            "\n\n\n\n\n\n",
            "0.10\n1.5\n\nbatch\non\n\n\none/b\ntwo/c",
            "25\n60\noff\n\n\non\n\nnone",
            "0.000001\n\n\n\n\n\n4000",
        ] {
            let mut request = request(Mode::Parallel);
            assert_eq!(apply(typed, &mut request), []);
            let spec = request.check(&choices).expect("valid");
            assert_eq!(lines(&spec, &choices), typed);
        }
    }
}
