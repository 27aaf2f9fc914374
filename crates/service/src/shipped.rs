//! The workflows that come with the program, as the readable files in `workflows/`, and sample records
//! for each of them.
//!
//! Rule: each of them has no problem in a program whose simulator is there; the tests hold them to it.

use std::sync::LazyLock;

use lanes_model::{Workflow, sample::SAMPLES};

use crate::service::{TaskFormat, WorkflowFile};

/// A record to try a workflow on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct SampleRecord {
    /// The name people read.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! shipped {
    ($($id:literal)*) => {
        &[$(($id, include_str!(concat!("workflows/", $id, ".toml")), include_str!(concat!("workflows/", $id, ".txt")))),*]
    };
}

/// Ids, definitions and records, in the order people see them.
const SHIPPED: &[(&str, &str, &str)] = shipped!(
    "six-tasks" "summarise-files" "idea-report" "call-centre" "claims-file" "support-tickets"
    "content-check" "market-digest"
);

/// The shipped workflows.
pub(crate) fn workflows() -> &'static [Workflow] {
    static WORKFLOWS: LazyLock<Vec<Workflow>> = LazyLock::new(|| {
        let read = |(id, text, _): &(&str, &str, &str)| {
            let file = WorkflowFile { format: TaskFormat::Toml, text };
            match file.read() {
                Ok(definition) => Some(Workflow { built_in: true, ..definition.into() }),
                Err(problem) => {
                    tracing::error!(workflow = id, ?problem, "a shipped workflow cannot be read");
                    None
                }
            }
        };
        SHIPPED.iter().filter_map(read).collect()
    });
    &WORKFLOWS
}

/// The sample records of a shipped workflow, or of a copy of one; of others the sample texts.
pub(crate) fn records(id: &str) -> &'static [SampleRecord] {
    static RECORDS: LazyLock<Vec<(&str, Vec<SampleRecord>)>> =
        LazyLock::new(|| SHIPPED.iter().map(|(id, _, text)| (*id, split(text))).collect());
    let of = |name: &str| RECORDS.iter().find(|(known, _)| *known == name);
    let copied = id.find("-copy").and_then(|end| id.get(..end));
    let texts = || {
        static TEXTS: LazyLock<Vec<SampleRecord>> = LazyLock::new(|| {
            SAMPLES.iter().map(|s| SampleRecord { name: s.name, text: s.text }).collect()
        });
        TEXTS.as_slice()
    };
    of(id).or_else(|| of(copied?)).map_or_else(texts, |(_, records)| records.as_slice())
}

/// The records of a file: each begins with a line `=== name`.
fn split(file: &'static str) -> Vec<SampleRecord> {
    let parts = file.split("=== ").filter(|part| !part.trim().is_empty());
    let record = |part: &'static str| {
        let (name, text) = part.split_once('\n')?;
        Some(SampleRecord { name: name.trim(), text: text.trim() })
    };
    parts.filter_map(record).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shipped_workflows_are_read_and_named_as_their_files() {
        let ids: Vec<_> = workflows().iter().map(|w| w.id.as_str()).collect();
        let files: Vec<_> = SHIPPED.iter().map(|(id, _, _)| *id).collect();
        assert_eq!(ids, files);
        assert!(workflows().iter().all(|w| w.built_in && !w.about.is_empty()));
    }

    #[test]
    fn each_has_three_to_eight_records_of_its_own_and_so_has_a_copy() {
        for (id, _, _) in SHIPPED {
            let found = records(id);
            assert!((3..=8).contains(&found.len()), "{id}: {}", found.len());
            assert!(found.iter().all(|r| r.text.len() > 60 && !r.name.is_empty()), "{id}");
        }
        assert_eq!(records("call-centre-copy-2"), records("call-centre"));
        assert_eq!(records("my-own").len(), SAMPLES.len());
    }
}
