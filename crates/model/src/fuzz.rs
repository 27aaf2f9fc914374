//! What holds for any text whatever where texts are read here: JSON in the browser, and prompts. Each
//! function is the body of a fuzz target of the same name (`fuzz/`), and is driven by the tests below in
//! every run of `make test`.

use crate::prompt::{Part, fill, parts, placeholders};
use crate::{FlatEvent, Json, Read, RunEvent, RunHeader, RunState};

/// JSON as the page reads it: it never ends the page; what serde takes for JSON is taken here, too, and
/// what it takes for an event is the same event.
pub fn page_json(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let json = Json::parse(&text);
    if let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) {
        // Nested deeper than anything of ours it may be refused.
        assert!(json.is_some() || deep(&value) > 60, "{text}");
    }
    let Some(json) = json else { return };
    let _ = RunHeader::read(&json);
    let _ = RunState::read(&json);
    let read = FlatEvent::read(&json).event();
    if let Ok(event) = serde_json::from_str::<RunEvent>(&text)
        && let Ok(written) = serde_json::to_string(&event)
    {
        // What we write ourselves, the page reads as we meant it.
        let again = Json::parse(&written).and_then(|json| FlatEvent::read(&json).event());
        assert_eq!(again.as_ref(), Some(&event), "{written}");
        assert!(read.is_some(), "{text}");
    }
}

fn deep(value: &serde_json::Value) -> usize {
    match value {
        serde_json::Value::Array(list) => 1 + list.iter().map(deep).max().unwrap_or(0),
        serde_json::Value::Object(map) => 1 + map.values().map(deep).max().unwrap_or(0),
        _ => 0,
    }
}

/// A prompt: its parts make it up again, and what is filled in is never looked at for placeholders.
pub fn prompt(data: &[u8]) {
    let prompt = String::from_utf8_lossy(data);
    let mut whole = String::new();
    for part in parts(&prompt) {
        match part {
            Part::Literal(text) | Part::Unknown(text) => {
                assert!(!text.is_empty());
                whole.push_str(text);
            }
            Part::Placeholder(placeholder) => {
                let shown = placeholder.to_string();
                let again: Vec<_> = placeholders(&shown).collect();
                assert_eq!(again, [placeholder], "{shown}");
                whole.push('\u{1}');
            }
        }
    }
    let mut asked = 0;
    let filled = fill(&prompt, |_, out| {
        asked += 1;
        out.push('\u{1}');
    });
    assert_eq!(filled, whole);
    assert_eq!(asked, placeholders(&prompt).count());
    let echoed = fill("{{text}}", |_, out| out.push_str(&prompt));
    assert_eq!(echoed, prompt);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{scripts, simulate};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_text_is_json_or_not(text in r#"[\[\]{}:,"\\a-e0-9eE+.\-tfnulrs \u{0}-\u{1f}é日\u{1F600}]{0,60}"#) {
            page_json(text.as_bytes());
        }

        #[test]
        fn any_value_that_serde_writes_is_read(depth in 0_usize..90, inner in "[a-z\\\\\"\n]{0,8}") {
            let inner = serde_json::to_string(&inner).unwrap();
            page_json(format!("{}{inner}{}", "[".repeat(depth), "]".repeat(depth)).as_bytes());
            let open = r#"{"a":"#.repeat(depth);
            page_json(format!("{open}{inner}{}", "}".repeat(depth)).as_bytes());
        }

        #[test]
        fn any_prompt_is_its_parts(text in r"(\{\{|\}\}|\{|\}|text|summary|\.output| |é|\.){0,24}") {
            prompt(text.as_bytes());
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20))]

        #[test]
        fn the_page_reads_the_events_of_any_run(script in scripts()) {
            for event in simulate(&script) {
                page_json(serde_json::to_string(&event).unwrap().as_bytes());
            }
        }
    }
}
