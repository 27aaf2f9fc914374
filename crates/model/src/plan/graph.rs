//! Which calls there are and which of them need which, worked out from the stages, the documents and
//! their pieces: nothing is kept for each call.

use std::ops::Range;

use super::{Piece, Plan, PlannedCall, PlannedStage, SAMPLE_CALLS};
use crate::{CallId, Scope};

/// What the calls of a stage are about: one document, a piece of one, or all documents.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    Piece,
    Document,
    All,
}

impl PlannedStage {
    fn about(&self) -> About {
        match self.scope {
            Scope::All => About::All,
            Scope::Record if self.pieces => About::Piece,
            Scope::Record => About::Document,
        }
    }

    fn width(&self) -> u32 {
        u32::try_from(self.tasks.len()).unwrap_or(u32::MAX)
    }
}

/// How many tasks the stages have that are about such things.
fn width(stages: &[PlannedStage], about: About) -> u32 {
    stages.iter().filter(|s| s.about() == about).map(PlannedStage::width).sum()
}

/// The first call of each document and the one after the last; nothing when no document is cut.
pub(super) fn starts(stages: &[PlannedStage], pieces: &[Vec<Piece>]) -> Vec<u32> {
    if pieces.is_empty() {
        return Vec::new();
    }
    let (whole, piece) = (width(stages, About::Document), width(stages, About::Piece));
    let mut next = 0_u32;
    let mut starts = vec![0];
    for pieces in pieces {
        let count = u32::try_from(pieces.len()).unwrap_or(u32::MAX);
        next = next.saturating_add(whole).saturating_add(piece.saturating_mul(count));
        starts.push(next);
    }
    starts
}

/// The calls of a plan: document by document, first those on its pieces, then those on the whole; then
/// those that are about all documents.
pub(super) fn calls(plan: &Plan) -> Vec<PlannedCall> {
    let mut calls = Vec::with_capacity(plan.first_of(plan.documents) as usize);
    let mut add = |about: About, document: Option<u32>| {
        for (stage, s) in (0..).zip(&plan.stages).filter(|(_, s)| s.about() == about) {
            let pieces = match document {
                Some(document) if about == About::Piece => {
                    (0..plan.pieces_of(document).len() as u32).map(Some).collect()
                }
                _ => vec![None],
            };
            for piece in pieces {
                let of = |&task| PlannedCall { task, document, stage, piece };
                calls.extend(s.tasks.iter().map(of));
            }
        }
    };
    for document in 0..plan.documents {
        add(About::Piece, Some(document));
        add(About::Document, Some(document));
    }
    add(About::All, None);
    calls.shrink_to_fit();
    calls
}

/// How many calls the sequential pass of a comparison executes, where that is not all of them: those of
/// the first documents, as many as give [`SAMPLE_CALLS`], and at least one. Not where a document's calls
/// need what is about all documents.
pub(super) fn sample(plan: &Plan) -> Option<u32> {
    let stages = &plan.stages;
    let is_of_all =
        |need: &u16| stages.get(usize::from(*need)).is_some_and(|s| s.scope == Scope::All);
    let mut of_documents = stages.iter().filter(|s| s.scope == Scope::Record);
    if of_documents.any(|s| s.needs.iter().any(is_of_all)) {
        return None;
    }
    let fits = |documents: &u32| plan.first_of(*documents) <= SAMPLE_CALLS;
    let sample = (1..=plan.documents).take_while(fits).last().unwrap_or(1);
    (sample < plan.documents).then(|| plan.first_of(sample))
}

/// Numbers as ids.
fn ids(range: Range<u32>) -> impl Iterator<Item = CallId> {
    range.map(CallId)
}

impl Plan {
    /// Whether no call needs another.
    #[must_use]
    pub fn is_flat(&self) -> bool {
        self.stages.iter().all(|s| s.needs.is_empty())
    }

    /// The stage of a call.
    #[must_use]
    pub fn stage_of(&self, call: CallId) -> Option<&PlannedStage> {
        self.stages.get(usize::from(self.calls.get(call.index())?.stage))
    }

    /// The pieces of a document; none of one that is whole.
    #[must_use]
    pub fn pieces_of(&self, document: u32) -> &[Piece] {
        self.pieces.get(document as usize).map(Vec::as_slice).unwrap_or_default()
    }

    /// Which piece of its document a call is about, and all of that document's.
    #[must_use]
    pub fn piece_of(&self, call: CallId) -> Option<(u32, &[Piece])> {
        let planned = self.calls.get(call.index())?;
        Some((planned.piece?, self.pieces_of(planned.document?)))
    }

    /// The first call of a document; of the one after the last, the first that is about all of them.
    fn first_of(&self, document: u32) -> u32 {
        match self.starts.get(document as usize) {
            Some(&start) => start,
            None => document.saturating_mul(width(&self.stages, About::Document)),
        }
    }

    /// How many calls a stage has.
    #[must_use]
    pub fn calls_of(&self, stage: &PlannedStage) -> u32 {
        let about = match stage.about() {
            About::Piece => {
                let pieces: usize = self.pieces.iter().map(Vec::len).sum();
                u32::try_from(pieces).unwrap_or(u32::MAX)
            }
            About::Document => self.documents,
            About::All => 1,
        };
        stage.width().saturating_mul(about)
    }

    /// The calls of a stage on a document, or on its pieces one after the other; of a stage that is about
    /// all documents, its calls.
    #[must_use]
    pub fn stage_calls(&self, stage: usize, document: u32) -> Range<u32> {
        let Some(s) = self.stages.get(stage) else { return 0..0 };
        let pieces = u32::try_from(self.pieces_of(document).len()).unwrap_or(u32::MAX);
        let about = s.about();
        let before = width(self.stages.get(..stage).unwrap_or_default(), about);
        let of_pieces = || pieces.saturating_mul(width(&self.stages, About::Piece));
        let (first, before, own) = match about {
            About::Piece => (
                self.first_of(document),
                before.saturating_mul(pieces),
                s.width().saturating_mul(pieces),
            ),
            About::Document => {
                (self.first_of(document).saturating_add(of_pieces()), before, s.width())
            }
            About::All => (self.first_of(self.documents), before, s.width()),
        };
        let first = first.saturating_add(before);
        first..first.saturating_add(own)
    }

    /// The calls of a stage that concern the one about `document`: those on it or, where one of the two
    /// is about all documents, all of them.
    fn related(&self, stage: usize, document: Option<u32>) -> impl Iterator<Item = CallId> + '_ {
        let scope = self.stages.get(stage).map(|s| s.scope).unwrap_or_default();
        let documents = match (scope, document) {
            (Scope::Record, None) => 0..self.documents,
            (Scope::Record, Some(document)) => document..document + 1,
            (Scope::All, _) => 0..1,
        };
        documents.flat_map(move |document| ids(self.stage_calls(stage, document)))
    }

    /// The calls that must have ended before a call can go, in the order of its stage's needs.
    pub fn needs(&self, call: CallId) -> impl Iterator<Item = CallId> + '_ {
        let planned = self.calls.get(call.index()).copied();
        let stage = self.stage_of(call);
        let needs = stage.map(|s| s.needs.as_slice()).unwrap_or_default();
        let document = planned.and_then(|p| p.document);
        needs.iter().flat_map(move |&need| self.related(usize::from(need), document))
    }

    /// The calls that need a call.
    pub fn dependents(&self, call: CallId) -> impl Iterator<Item = CallId> + '_ {
        let planned = self.calls.get(call.index()).copied();
        let own = planned.map(|p| p.stage);
        let document = planned.and_then(|p| p.document);
        let stages = self.stages.iter().enumerate();
        let after = stages.filter(move |(_, s)| own.is_some_and(|own| s.needs.contains(&own)));
        after.flat_map(move |(stage, _)| self.related(stage, document))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mode, StageId};

    fn stage(id: &str, tasks: &[u32], needs: &[u16], scope: Scope) -> PlannedStage {
        PlannedStage {
            id: StageId(id.to_owned()),
            tasks: tasks.to_vec(),
            needs: needs.to_vec(),
            scope,
            ..PlannedStage::default()
        }
    }

    /// Two tasks on each document, one that needs both, one over all, one on each that needs that.
    fn plan() -> Plan {
        let stages = vec![
            stage("read", &[0, 1], &[], Scope::Record),
            stage("judge", &[2], &[0], Scope::Record),
            stage("digest", &[3], &[1], Scope::All),
            stage("place", &[4], &[1, 2], Scope::Record),
        ];
        Plan::of_stages(Mode::Parallel, false, 4, stages, 3)
    }

    fn needs(call: u32) -> Vec<u32> {
        plan().needs(CallId(call)).map(|c| c.0).collect()
    }

    #[test]
    fn calls_stand_document_by_document_and_those_about_all_at_the_end() {
        let plan = plan();
        assert_eq!(plan.calls.len(), 13);
        let about: Vec<_> = plan.calls[4..8].iter().map(|c| (c.document, c.task)).collect();
        assert_eq!(about, [(Some(1), 0), (Some(1), 1), (Some(1), 2), (Some(1), 4)]);
        assert_eq!((plan.calls[12].document, plan.calls[12].task), (None, 3));
        assert_eq!(plan.stage_of(CallId(12)).unwrap().id.as_str(), "digest");
        assert_eq!(plan.calls_of(&plan.stages[0]), 6);
    }

    #[test]
    fn a_call_needs_its_own_record_s_calls_and_one_about_all_those_of_every_record() {
        assert!(needs(4).is_empty());
        assert_eq!(needs(6), [4, 5]);
        assert_eq!(needs(12), [2, 6, 10]);
        assert_eq!(needs(7), [6, 12]);
    }

    #[test]
    fn a_comparison_of_many_documents_measures_sequential_on_the_first_of_them() {
        let sequential =
            |tasks, documents| Plan::new(Mode::Compare, false, 4, tasks, documents).passes[1].calls;
        assert_eq!(sequential(6, 10), None);
        assert_eq!(sequential(6, 11), Some(60));
        assert_eq!(sequential(100, 3), Some(100));
        // The last stage needs what is about all documents.
        let many = Plan::of_stages(Mode::Compare, false, 4, plan().stages, 1_000);
        assert_eq!(many.passes[1].calls, None);
    }

    #[test]
    fn needs_and_dependents_are_each_other_s_mirror() {
        let plan = plan();
        let all = || (0..13).map(CallId);
        for call in all() {
            for need in plan.needs(call) {
                assert!(plan.dependents(need).any(|c| c == call));
            }
            for dependent in plan.dependents(call) {
                assert!(plan.needs(dependent).any(|c| c == call));
            }
        }
        assert!(!plan.is_flat());
        assert!(Plan::new(Mode::Parallel, false, 1, 3, 2).is_flat());
    }

    #[test]
    fn a_stored_plan_has_no_calls_and_gets_them_back() {
        let plan = plan();
        let text = serde_json::to_string(&plan).unwrap();
        assert!(!text.contains("\"calls\""), "{text}");
        assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
    }

    #[test]
    fn calls_that_do_not_follow_from_stages_are_stored() {
        let text = r#"{"passes":[],"race":false,"calls":[{"task":1,"document":0}]}"#;
        let plan: Plan = serde_json::from_str(text).unwrap();
        assert_eq!(plan.calls, [PlannedCall { task: 1, document: Some(0), stage: 0, piece: None }]);
        assert_eq!(
            serde_json::from_str::<Plan>(&serde_json::to_string(&plan).unwrap()).unwrap(),
            plan
        );
    }
}
