//! Documents that are too long for one request: cut into pieces, each asked by itself, and the answers
//! put together by another call of the same task.
//!
//! A stage that reads the document's text gets one before it that reads its pieces. On a document that
//! is whole the new stage has no calls, and nothing is different.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Plan, PlannedStage};
use crate::prompt::{Placeholder, placeholders};
use crate::{CallId, Scope, StageId, Task};

/// Tokens of a piece, unless something else is said.
pub const PIECE_TOKENS: u32 = 4_000;
/// What can be said.
pub const PIECE_TOKENS_RANGE: RangeInclusive<u32> = 100..=200_000;
/// The most pieces of one document: the answers on them go into one request.
pub const MOST_PIECES: usize = 1_000;

/// A part of a document's text, in order: where one ends the next begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Piece {
    /// Length in bytes of UTF-8.
    pub bytes: u64,
    /// Length in tokens.
    pub tokens: u64,
}

/// Whether a task reads the document's text.
fn reads_text(task: &Task) -> bool {
    placeholders(&task.prompt).any(|p| p == Placeholder::Text)
}

impl Plan {
    /// The same plan with documents cut: `pieces` has those of each, none of one that stays whole.
    #[must_use]
    pub fn in_pieces(self, tasks: &[Task], pieces: Vec<Vec<Piece>>) -> Self {
        if pieces.iter().all(Vec::is_empty) {
            return self;
        }
        let mut stages: Vec<PlannedStage> = Vec::with_capacity(self.stages.len() * 2);
        // Where each stage of before stands now.
        let mut places: Vec<u16> = Vec::with_capacity(self.stages.len());
        for mut stage in self.stages {
            let place = |need: &u16| places.get(usize::from(*need)).copied();
            stage.needs = stage.needs.iter().filter_map(place).collect();
            let reads = |place: &u32| tasks.get(*place as usize).is_some_and(reads_text);
            let reading: Vec<u32> = stage.tasks.iter().copied().filter(reads).collect();
            if stage.scope == Scope::Record && !reading.is_empty() {
                let before = PlannedStage {
                    id: StageId(format!("{}.parts", stage.id)),
                    name: parts_name(&stage, tasks),
                    tasks: reading,
                    pieces: true,
                    ..stage.clone()
                };
                if stage.name.is_empty() {
                    stage.name = "On the whole".to_owned();
                }
                stage.needs.push(u16::try_from(stages.len()).unwrap_or(u16::MAX));
                stages.push(before);
            }
            places.push(u16::try_from(stages.len()).unwrap_or(u16::MAX));
            stages.push(stage);
        }
        Self { stages, pieces, ..self }.worked_out()
    }

    /// The calls on the pieces of a call's document that the call puts together, in order; none when its
    /// document is whole, or it does not read the text.
    pub fn parts_of(&self, call: CallId) -> impl Iterator<Item = CallId> + '_ {
        self.needs(call).filter(move |need| self.is_part(*need, call))
    }

    /// Whether a needed call is about a piece of what the other call puts together.
    #[must_use]
    pub fn is_part(&self, need: CallId, call: CallId) -> bool {
        let planned = |call: CallId| self.calls.get(call.index());
        let Some((part, whole)) = planned(need).zip(planned(call)) else { return false };
        let of = (whole.task, whole.document, whole.stage);
        part.piece.is_some()
            && whole.piece.is_none()
            && (part.task, part.document, part.stage + 1) == of
    }
}

/// What the stage of the pieces is called.
fn parts_name(stage: &PlannedStage, tasks: &[Task]) -> String {
    let name = match (stage.name.as_str(), stage.tasks.as_slice()) {
        ("", [one]) => tasks.get(*one as usize).map_or("", |t| t.name.as_str()),
        ("", _) => "Tasks",
        (name, _) => name,
    };
    format!("{name}, part by part")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mode;
    use crate::task::built_in;

    fn piece(n: usize) -> Vec<Piece> {
        vec![Piece { bytes: 10, tokens: 3 }; n]
    }

    /// Two tasks on three documents, of which the second has three pieces and the last has two.
    fn plan() -> Plan {
        let plan = Plan::new(Mode::Compare, false, 4, 2, 3);
        plan.in_pieces(&built_in(), vec![vec![], piece(3), piece(2)])
    }

    #[test]
    fn a_document_that_is_cut_has_calls_on_its_pieces_and_one_that_puts_them_together() {
        let plan = plan();
        assert_eq!(plan.calls.len(), 2 + (6 + 2) + (4 + 2));
        let of_second: Vec<_> = plan.calls[2..10].iter().map(|c| (c.task, c.piece)).collect();
        assert_eq!(
            of_second,
            [
                (0, Some(0)),
                (1, Some(0)),
                (0, Some(1)),
                (1, Some(1)),
                (0, Some(2)),
                (1, Some(2)),
                (0, None),
                (1, None)
            ]
        );
        let parts = |call: u32| plan.parts_of(CallId(call)).map(|c| c.0).collect::<Vec<_>>();
        assert_eq!((parts(0), parts(8), parts(9)), (vec![], vec![2, 4, 6], vec![3, 5, 7]));
        assert_eq!(parts(2), [0; 0]);
        assert_eq!(plan.stages[0].name, "Tasks, part by part");
        assert_eq!((plan.calls_of(&plan.stages[0]), plan.calls_of(&plan.stages[1])), (10, 6));
    }

    #[test]
    fn calls_stand_where_their_stage_says_and_needs_mirror_dependents() {
        let plan = plan();
        for (call, planned) in (0..).map(CallId).zip(&plan.calls) {
            let own = plan.stage_calls(usize::from(planned.stage), planned.document.unwrap_or(0));
            assert!(own.contains(&call.0), "{call:?}");
            assert!(plan.needs(call).all(|need| plan.dependents(need).any(|c| c == call)));
            assert!(plan.dependents(call).all(|after| plan.needs(after).any(|c| c == call)));
        }
    }

    #[test]
    fn a_stage_after_another_reads_pieces_once_the_other_has_answered_on_the_whole() {
        let stage = |id: &str, task: u32, needs: &[u16]| PlannedStage {
            id: StageId(id.to_owned()),
            tasks: vec![task],
            needs: needs.to_vec(),
            ..PlannedStage::default()
        };
        let mut tasks = built_in();
        tasks[1].prompt = "{{text}} {{a.output}}".to_owned();
        tasks[2].prompt = "{{b.output}}".to_owned();
        let stages = vec![stage("a", 0, &[]), stage("b", 1, &[0]), stage("c", 2, &[1])];
        let plan = Plan::of_stages(Mode::Parallel, false, 2, stages, 1);
        let plan = plan.in_pieces(&tasks, vec![piece(2)]);
        let ids: Vec<_> = plan.stages.iter().map(|s| s.id.as_str()).collect();
        assert_eq!(ids, ["a.parts", "a", "b.parts", "b", "c"]);
        assert_eq!(plan.stages[2].needs, [1]);
        assert_eq!(plan.stages[3].needs, [1, 2]);
        assert_eq!(plan.stages[4].needs, [3]);
    }

    #[test]
    fn the_sample_of_a_comparison_ends_with_a_document() {
        let plan = Plan::new(Mode::Compare, false, 4, 2, 3);
        let plan = plan.in_pieces(&built_in(), vec![vec![], piece(25), piece(20)]);
        assert_eq!(plan.passes[1].calls, Some(2 + 52));
        let text = serde_json::to_string(&plan).unwrap();
        assert!(!text.contains("\"calls\":[{"), "{text}");
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }

    #[test]
    fn without_anything_to_cut_the_plan_stays_as_it_is() {
        let plan = Plan::new(Mode::Parallel, false, 4, 2, 3);
        assert_eq!(plan.clone().in_pieces(&built_in(), vec![Vec::new(); 3]), plan);
    }
}
