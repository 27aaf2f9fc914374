//! What stands in double braces in a task's prompt: the document's text, or what another stage has
//! answered.

use std::fmt;

/// Something to be put into a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Placeholder<'a> {
    /// `{{text}}`: the document's text.
    Text,
    /// `{{stage.output}}`: what a stage has answered; `{{stage.task.output}}`: what one of its tasks has.
    Output {
        /// The stage's id.
        stage: &'a str,
        /// The task's id, where one is named.
        task: Option<&'a str>,
    },
}

impl fmt::Display for Placeholder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Placeholder::Text => f.write_str("{{text}}"),
            Placeholder::Output { stage, task: None } => write!(f, "{{{{{stage}.output}}}}"),
            Placeholder::Output { stage, task: Some(task) } => {
                write!(f, "{{{{{stage}.{task}.output}}}}")
            }
        }
    }
}

/// A part of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Sent as it is.
    Literal(&'a str),
    /// To be filled in.
    Placeholder(Placeholder<'a>),
    /// Double braces with something in them that is no placeholder; sent as it is, braces and all.
    Unknown(&'a str),
}

/// The parts of a prompt in order. Braces that are not closed are literal.
pub fn parts(prompt: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = prompt;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let open = rest.find("{{").filter(|open| rest[*open..].contains("}}"));
        let Some(open) = open else { return Some(Part::Literal(std::mem::take(&mut rest))) };
        if open > 0 {
            let (literal, after) = rest.split_at(open);
            rest = after;
            return Some(Part::Literal(literal));
        }
        // It was just seen that they are closed.
        let end = rest.find("}}")? + 2;
        let (whole, after) = rest.split_at(end);
        rest = after;
        let inner = whole.trim_start_matches('{').trim_end_matches('}').trim();
        Some(placeholder(inner).map_or(Part::Unknown(whole), Part::Placeholder))
    })
}

fn placeholder(inner: &str) -> Option<Placeholder<'_>> {
    if inner == "text" {
        return Some(Placeholder::Text);
    }
    let path = inner.strip_suffix(".output")?;
    let (stage, task) = match path.split_once('.') {
        Some((stage, task)) => (stage, Some(task)),
        None => (path, None),
    };
    let is_id = |id: &str| {
        !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
    };
    (is_id(stage) && task.is_none_or(is_id)).then_some(Placeholder::Output { stage, task })
}

/// The placeholders of a prompt, in order.
pub fn placeholders(prompt: &str) -> impl Iterator<Item = Placeholder<'_>> {
    parts(prompt).filter_map(|part| match part {
        Part::Placeholder(placeholder) => Some(placeholder),
        Part::Literal(_) | Part::Unknown(_) => None,
    })
}

/// The prompt with its placeholders filled in. What is filled in is not looked at again: braces in a
/// document mean nothing.
#[must_use]
pub fn fill<'a>(prompt: &'a str, mut with: impl FnMut(Placeholder<'a>, &mut String)) -> String {
    let mut filled = String::with_capacity(prompt.len());
    for part in parts(prompt) {
        match part {
            Part::Literal(text) | Part::Unknown(text) => filled.push_str(text),
            Part::Placeholder(placeholder) => with(placeholder, &mut filled),
        }
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(prompt: &str) -> String {
        fill(prompt, |placeholder, out| match placeholder {
            Placeholder::Text => out.push_str("T{{text}}"),
            Placeholder::Output { stage, task } => {
                out.push_str(stage);
                out.push_str(task.unwrap_or("*"));
            }
        })
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        assert_eq!(filled("a {{text}} b"), "a T{{text}} b");
        assert_eq!(
            filled("{{ text }}{{plan.output}}-{{plan.risk.output}}"),
            "T{{text}}plan*-planrisk"
        );
    }

    #[test]
    fn braces_that_are_no_placeholder_stay_as_they_are() {
        for prompt in
            ["{{name}}", "{{", "}} {{", "{{.output}}", "{{a.b.c.output}}", "{\"a\": {}}", "{{}}"]
        {
            assert_eq!(filled(prompt), prompt);
        }
        let unknown: Vec<_> = parts("x {{name}} y").collect();
        assert_eq!(unknown, [Part::Literal("x "), Part::Unknown("{{name}}"), Part::Literal(" y")]);
    }

    #[test]
    fn a_placeholder_is_written_as_it_is_read() {
        let prompt = "{{text}} {{a.output}} {{a.b.output}}";
        let written: Vec<_> = placeholders(prompt).map(|p| p.to_string()).collect();
        assert_eq!(written.join(" "), prompt);
    }
}
