//! Headers of runs over calls that stand for nothing in particular.

use lanes_model::provider::Pace;
use lanes_model::{
    DocumentId, DocumentInfo, Mode, PassMode, PassPlan, Plan, PlannedCall, ProviderInfo, RunHeader,
    RunId, RunSpec,
};

/// The header of a run of these passes over so many calls.
pub fn header(passes: &[(PassMode, u32)], race: bool, calls: usize) -> RunHeader {
    let calls = u32::try_from(calls).expect("a sensible number of calls");
    let call = |task| PlannedCall { task, document: Some(0), stage: 0, piece: None };
    let mut plan = Plan::default();
    plan.race = race;
    plan.passes =
        passes.iter().map(|&(mode, lanes)| PassPlan { mode, lanes, calls: None }).collect();
    plan.calls = (0..calls).map(call).collect();
    RunHeader {
        id: RunId::from("run"),
        title: "A run".to_owned(),
        created_at: "2026-11-21T10:00:00.000Z".to_owned(),
        spec: RunSpec {
            race,
            ..RunSpec::plain(
                Mode::Parallel,
                passes.iter().map(|(_, lanes)| *lanes).max().unwrap_or(1),
                "scripted",
                "scripted-1",
                &[],
            )
        },
        tasks: Vec::new(),
        documents: vec![DocumentInfo {
            id: DocumentId::from("document"),
            name: "A document".to_owned(),
            bytes: 1,
            tokens: 1,
        }],
        provider: ProviderInfo {
            id: "scripted".to_owned(),
            name: "Scripted".to_owned(),
            simulated: true,
            models: vec!["scripted-1".to_owned()],
            price: None,
            rpm: None,
            tpm: None,
            pace: Pace { ttft_us: 1, millitokens_per_s: 0, whole_us: 1, cv_permille: 0 },
        },
        routes: Vec::new(),
        plan,
    }
}
