//! A log in memory, and the check that a log is well formed.

use std::collections::HashMap;
use std::sync::Mutex;

use lanes_engine::EventSink;
use lanes_model::{
    AttemptResult, AttemptState, EventKind, Micros, PassStatus, Progress, RunEvent, RunHeader,
    RunState, RunStatus, Seq,
};

/// What the engine gave out, in order.
#[derive(Debug, Clone)]
pub enum Entry {
    Event(RunEvent),
    Progress(Progress),
}

pub struct Log {
    entries: Mutex<Vec<Entry>>,
    /// Why it is not stored, while a test wants that.
    pub trouble: Mutex<Option<String>>,
}

impl Log {
    pub fn new(header: RunHeader) -> Self {
        let log = Self { entries: Mutex::default(), trouble: Mutex::default() };
        log.append(Micros::ZERO, EventKind::RunCreated { header: Box::new(header) });
        log
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().expect("no panic").clone()
    }

    pub fn events(&self) -> Vec<RunEvent> {
        let events = self.entries().into_iter().filter_map(|e| match e {
            Entry::Event(event) => Some(event),
            Entry::Progress(_) => None,
        });
        (1..).map(Seq).zip(events).map(|(seq, event)| RunEvent { seq, ..event }).collect()
    }

    pub fn kinds(&self) -> Vec<EventKind> {
        self.events().into_iter().map(|e| e.kind).collect()
    }

    /// Forgets everything after the first so many events, as a crash may.
    pub fn truncate(&self, events: usize) {
        let kept = self.events().into_iter().take(events).map(Entry::Event).collect();
        *self.entries.lock().expect("no panic") = kept;
    }

    pub fn state(&self) -> RunState {
        RunState::fold(&self.events()).expect("a log without gaps")
    }

    /// The state, after checking everything that holds for every log.
    pub fn checked(&self) -> RunState {
        let state = self.state();
        self.check_order();
        for pass in &state.passes {
            let attempts = pass.calls.iter().flat_map(|c| &c.attempts);
            check_lanes(attempts, pass.lanes);
            for call in &pass.calls {
                let won = |a: &&AttemptState| a.result == AttemptResult::Succeeded;
                let answers = call.attempts.iter().filter(won).count();
                assert!(answers <= 1, "a call was answered twice");
                assert!(call.attempts.is_empty() || call.ready.is_some());
                for attempt in &call.attempts {
                    assert!(attempt.first_token.unwrap_or(attempt.start) >= attempt.start);
                    assert!(attempt.end.is_none_or(|e| e >= attempt.start));
                    assert!(attempt.attempt.number <= attempt.attempt.of);
                }
            }
            if matches!(pass.status, PassStatus::Completed | PassStatus::Cancelled) {
                assert!(pass.calls.iter().all(|c| c.ended.is_some()), "an ended pass is complete");
                assert_eq!(pass.end, pass.calls.iter().filter_map(|c| c.end).max());
                assert!(pass.started_at.is_some());
            }
        }
        if state.status != RunStatus::Interrupted {
            assert_eq!(state.status, state.outcome());
            assert!(state.passes.iter().all(|p| p.status != PassStatus::Running));
        }
        state
    }

    /// Each attempt's and each call's events come once and in their order; nothing follows the end.
    fn check_order(&self) {
        let mut attempts = HashMap::new();
        let mut ended = HashMap::new();
        let mut last = HashMap::new();
        let mut closed = false;
        for entry in self.entries() {
            let event = match entry {
                Entry::Progress(p) => {
                    let stage = attempts.get(&(p.pass, p.call, p.number));
                    assert_eq!(stage, Some(&2), "text comes between first token and end");
                    continue;
                }
                Entry::Event(event) => event,
            };
            if let EventKind::CallsReopened { pass, calls } = &event.kind {
                closed = false;
                calls.iter().for_each(|call| _ = ended.remove(&(*pass, *call)));
            }
            assert!(!closed, "{event:?} follows the end");
            match event.kind {
                EventKind::AttemptStarted { pass, call, attempt, .. } => {
                    assert!(!ended.contains_key(&(pass, call)), "{event:?} after its call's end");
                    let before = attempts.insert((pass, call, attempt.number), 1);
                    last.insert((pass, call), attempt.number);
                    assert_eq!(before, None, "{event:?} twice");
                }
                EventKind::FirstToken { pass, call, number } => {
                    assert_eq!(attempts.insert((pass, call, number), 2), Some(1), "{event:?}");
                }
                EventKind::AttemptEnded { pass, call, number, .. } => {
                    let before = attempts.insert((pass, call, number), 3);
                    assert!(matches!(before, Some(1 | 2)), "{event:?} after {before:?}");
                }
                EventKind::CallEnded { pass, call, .. } => {
                    if let Some(&number) = last.get(&(pass, call)) {
                        let stage = attempts.get(&(pass, call, number));
                        assert_eq!(stage, Some(&3), "{event:?} before its attempt's end");
                    }
                    assert_eq!(ended.insert((pass, call), ()), None, "{event:?} twice");
                }
                EventKind::RunInterrupted => {
                    attempts.values_mut().for_each(|stage| *stage = 3);
                }
                EventKind::RunEnded { .. } => closed = true,
                _ => {}
            }
        }
    }
}

/// At most so many lanes, and one attempt at a time on each.
fn check_lanes<'a>(attempts: impl Iterator<Item = &'a AttemptState>, lanes: u32) {
    let mut by_lane: HashMap<_, Vec<_>> = HashMap::new();
    for attempt in attempts {
        assert!(u32::from(attempt.lane.0) < lanes);
        by_lane.entry(attempt.lane).or_default().push(attempt);
    }
    for attempts in by_lane.values_mut() {
        attempts.sort_by_key(|a| (a.start, a.end));
        for pair in attempts.windows(2) {
            assert!(pair[0].end.is_some_and(|e| e <= pair[1].start), "{pair:?} overlap");
        }
    }
}

impl EventSink for Log {
    fn append(&self, at: Micros, kind: EventKind) {
        // Numbered when it is read: see `events`.
        let event = RunEvent { seq: Seq(0), at, kind };
        self.entries.lock().expect("no panic").push(Entry::Event(event));
    }

    fn trouble(&self) -> Option<String> {
        self.trouble.lock().expect("no panic").clone()
    }

    fn progress(&self, progress: Progress) {
        self.entries.lock().expect("no panic").push(Entry::Progress(progress));
    }
}
