//! The runs that are going on in this process: their state so far, and who watches them.
//!
//! A committed event is folded into the state and then sent to the watchers, under the run's lock, so
//! that a snapshot and what follows it never overlap or leave a hole. Text may overtake the commit of
//! its attempt's first event; it is held back until that event is in. Text is gathered for a moment
//! before it is sent, once for all watchers, so that a fast model does not make thousands of messages a
//! second; an event never waits, and goes after the text of its call that came before it. The state of a
//! run can be large: it is looked at where it is ([`LiveRun::read`]), and copied only when it is small.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lanes_engine::{Clock, RunControl, RunRoutes};
use lanes_model::{
    Applied, Batch, CallId, CallState, EventKind, Micros, PassId, Progress, RunEvent, RunId,
    RunState,
};
use tokio::sync::broadcast;

use crate::observe::{Load, Observer};
use crate::pages::Pages;
use crate::shared::Shared;
use crate::shared_frames::Frames;
use crate::tally::Tally;

/// What watchers of a live run receive.
#[derive(Debug, Clone)]
pub(crate) enum Live {
    Event(Arc<Shared<RunEvent>>),
    Progress(Arc<Shared<Progress>>),
}

/// Messages a slow watcher may fall behind before it has to read the log again.
const BACKLOG: usize = 4_096;
/// How long text is gathered: ten messages a second for each answer.
const GATHER: Duration = Duration::from_millis(100);

/// A run that goes on.
pub(crate) struct LiveRun {
    folded: Mutex<Folded>,
    clock: Arc<dyn Clock>,
    control: RunControl,
    routes: Arc<RunRoutes>,
    /// What is shown of it.
    pub(crate) frames: Frames,
    pub(crate) pages: Pages,
}

/// Its log so far.
struct Folded {
    state: RunState,
    batch: Batch,
    early: Vec<Progress>,
    /// Text that watchers have not been sent yet: a piece for each answer.
    gathered: Vec<Progress>,
    /// Whether somebody is going to send it.
    timed: bool,
    /// When something came last, an event or a piece of text, on its clock.
    heard: Micros,
    /// None once it is at rest: then watchers' streams have ended.
    watchers: Option<broadcast::Sender<Live>>,
}

/// A live run at one moment, and everything after it.
pub(crate) struct Subscription {
    /// What there is of the answers that stream.
    pub(crate) texts: Vec<Progress>,
    pub(crate) now: Micros,
    pub(crate) live: broadcast::Receiver<Live>,
    /// All who watch; none when nothing comes any more.
    pub(crate) all: Option<broadcast::WeakSender<Live>>,
}

pub(crate) struct Hub {
    /// Counts what is folded: one of the observers.
    pub(crate) tally: Arc<Tally>,
    runs: Mutex<HashMap<RunId, Arc<LiveRun>>>,
    observers: Vec<Arc<dyn Observer>>,
}

impl Hub {
    /// Tells these and the tally of every event.
    pub(crate) fn new(mut observers: Vec<Arc<dyn Observer>>) -> Self {
        let tally = Arc::<Tally>::default();
        observers.push(Arc::clone(&tally) as _);
        Self { tally, runs: Mutex::default(), observers }
    }

    /// What is going on.
    pub(crate) fn load(&self) -> Load {
        let runs: Vec<_> = self.runs().values().cloned().collect();
        let mut load = Load { runs: runs.len() as u64, ..Load::default() };
        for run in runs {
            let counts = run.folded().batch.counts();
            load.waiting += u64::from(counts.queued);
            load.running += u64::from(counts.running);
        }
        load
    }

    fn runs(&self) -> MutexGuard<'_, HashMap<RunId, Arc<LiveRun>>> {
        // A panic elsewhere cannot leave the map half changed in a way that matters here.
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run that goes on. Whoever holds it can look at it after it has come to rest, too.
    pub(crate) fn live(&self, run: &RunId) -> Option<Arc<LiveRun>> {
        self.runs().get(run).cloned()
    }

    /// Takes a run up; `state` is its log so far.
    pub(crate) fn insert(
        &self,
        run: RunId,
        state: RunState,
        clock: Arc<dyn Clock>,
        control: RunControl,
        routes: Arc<RunRoutes>,
    ) {
        let (watchers, _) = broadcast::channel(BACKLOG);
        let batch = Batch::of(&state);
        let folded = Mutex::new(Folded {
            heard: state.latest,
            state,
            batch,
            early: Vec::new(),
            gathered: Vec::new(),
            timed: false,
            watchers: Some(watchers),
        });
        let live = LiveRun {
            folded,
            clock,
            control,
            routes,
            frames: Frames::default(),
            pages: Pages::default(),
        };
        self.runs().insert(run, Arc::new(live));
    }

    /// Lets a run go: its watchers' streams end.
    pub(crate) fn remove(&self, run: &RunId) {
        let live = self.runs().remove(run);
        if let Some(live) = live {
            live.folded().watchers = None;
        }
    }

    /// Folds and publishes an event that is in the store.
    pub(crate) fn committed(&self, run: &RunId, event: &RunEvent) {
        let Some(live) = self.live(run) else { return };
        let mut folded = live.folded();
        let Folded { state, batch, .. } = &mut *folded;
        if batch.apply(state, event) != Applied::Yes {
            return;
        }
        let lag = live.clock.now().since(event.at);
        for observer in &self.observers {
            observer.event(&folded.state, event, lag);
        }
        folded.heard = folded.heard.max(event.at);
        folded.send_texts(call_of(&event.kind));
        folded.send(|| Live::Event(Arc::new(Shared::new(event.clone()))));
        for progress in std::mem::take(&mut folded.early) {
            folded.publish(progress);
        }
        live.send_texts_soon(&mut folded);
    }

    /// Applies and publishes a piece of text.
    pub(crate) fn progress(&self, run: &RunId, progress: Progress) {
        if let Some(live) = self.live(run) {
            let now = live.clock.now();
            let mut folded = live.folded();
            folded.heard = now;
            folded.publish(progress);
            live.send_texts_soon(&mut folded);
        }
    }

    pub(crate) fn subscribe(&self, run: &RunId) -> Option<Subscription> {
        let live = self.live(run)?;
        let folded = live.folded();
        Some(Subscription {
            texts: text_so_far(&folded.state).collect(),
            now: live.clock.now(),
            live: folded.watch(),
            all: folded.watchers.as_ref().map(broadcast::Sender::downgrade),
        })
    }

    /// A copy of a run's state.
    pub(crate) fn state(&self, run: &RunId) -> Option<(RunState, Micros)> {
        self.live(run).map(|live| live.read(|state, _, now| (state.clone(), now)))
    }

    pub(crate) fn control(&self, run: &RunId) -> Option<RunControl> {
        self.runs().get(run).map(|live| live.control.clone())
    }

    pub(crate) fn routes(&self, run: &RunId) -> Option<Arc<RunRoutes>> {
        self.runs().get(run).map(|live| Arc::clone(&live.routes))
    }

    /// The reading of a run's clock.
    pub(crate) fn now(&self, run: &RunId) -> Option<Micros> {
        self.runs().get(run).map(|live| live.clock.now())
    }

    pub(crate) fn controls(&self) -> Vec<RunControl> {
        self.runs().values().map(|live| live.control.clone()).collect()
    }

    /// The runs that go on and of which nothing has come for so long, though nothing that is known
    /// holds them back; the longest silence first.
    pub(crate) fn silent(&self, at_least: Micros) -> Vec<(RunId, Micros)> {
        let runs: Vec<_> =
            self.runs().iter().map(|(run, live)| (run.clone(), Arc::clone(live))).collect();
        let silence = |live: &LiveRun| {
            let folded = live.folded();
            let now = live.clock.now();
            let silence = now.since(folded.heard);
            (silence >= at_least && !is_held(&folded.state, now)).then_some(silence)
        };
        let mut found: Vec<_> =
            runs.into_iter().filter_map(|(run, live)| Some((run, silence(&live)?))).collect();
        found.sort_by_key(|(_, silence)| std::cmp::Reverse(*silence));
        found
    }

    pub(crate) fn is_live(&self, run: &RunId) -> bool {
        self.runs().contains_key(run)
    }

    pub(crate) fn is_paused(&self, run: &RunId) -> bool {
        self.live(run).is_some_and(|live| live.read(|state, _, _| state.paused))
    }

    pub(crate) fn len(&self) -> usize {
        self.runs().len()
    }
}

impl LiveRun {
    fn folded(&self) -> MutexGuard<'_, Folded> {
        // Each event is applied as a whole or not at all, as far as readers can tell.
        self.folded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the run as it stands. Its events wait meanwhile: what takes long is done in parts.
    pub(crate) fn read<R>(&self, look: impl FnOnce(&RunState, &Batch, Micros) -> R) -> R {
        let folded = self.folded();
        look(&folded.state, &folded.batch, self.clock.now())
    }

    /// Sees to it that gathered text is sent.
    fn send_texts_soon(self: &Arc<Self>, folded: &mut Folded) {
        if folded.gathered.is_empty() || std::mem::replace(&mut folded.timed, true) {
            return;
        }
        let live = Arc::clone(self);
        tokio::spawn(async move {
            tokio::time::sleep(GATHER).await;
            let mut folded = live.folded();
            folded.timed = false;
            folded.send_texts(None);
        });
    }

    /// Its events from now on.
    pub(crate) fn watch(&self) -> broadcast::Receiver<Live> {
        self.folded().watch()
    }
}

impl Folded {
    fn watch(&self) -> broadcast::Receiver<Live> {
        match &self.watchers {
            Some(watchers) => watchers.subscribe(),
            // Nothing comes any more.
            None => broadcast::channel(1).1,
        }
    }

    fn publish(&mut self, progress: Progress) {
        let known = self
            .state
            .passes
            .get(usize::from(progress.pass.0))
            .and_then(|p| p.calls.get(progress.call.index()))
            .is_some_and(|c| c.attempts.iter().any(|a| a.attempt.number == progress.number));
        if !known {
            self.early.push(progress);
        } else if self.state.apply_progress(&progress) {
            self.gather(progress);
        }
    }

    /// Keeps a piece of text for those who watch; most of the time nobody does.
    fn gather(&mut self, piece: Progress) {
        if self.watchers.as_ref().is_none_or(|watchers| watchers.receiver_count() == 0) {
            return;
        }
        let same = self.gathered.iter_mut().find(|text| {
            (text.pass, text.call, text.number) == (piece.pass, piece.call, piece.number)
                && text.offset as usize + text.text.len() == piece.offset as usize
        });
        match same {
            Some(text) => text.text.push_str(&piece.text),
            None => self.gathered.push(piece),
        }
    }

    /// Sends what was gathered of that call, or of all.
    fn send_texts(&mut self, of: Option<(PassId, CallId)>) {
        let is_due = |text: &mut Progress| of.is_none_or(|call| call == (text.pass, text.call));
        let texts: Vec<_> = self.gathered.extract_if(.., is_due).collect();
        for text in texts {
            self.send(|| Live::Progress(Arc::new(Shared::new(text))));
        }
    }

    /// Makes a message for those who watch; most of the time nobody does.
    fn send(&self, message: impl FnOnce() -> Live) {
        if let Some(watchers) = self.watchers.as_ref().filter(|w| w.receiver_count() > 0) {
            // The last of them leaving just now is not an error.
            let _ = watchers.send(message());
        }
    }
}

/// The text of every answer that is streaming, each from its start.
fn text_so_far(state: &RunState) -> impl Iterator<Item = Progress> {
    let passes = (0..).map(PassId).zip(&state.passes);
    passes.flat_map(|(pass, p)| {
        (0..).map(CallId).zip(&p.calls).filter_map(move |(call, c)| {
            let attempt = c.attempts.last().filter(|a| a.end.is_none())?;
            (!c.output.is_empty()).then(|| Progress {
                pass,
                call,
                number: attempt.attempt.number,
                offset: 0,
                text: c.output.clone(),
            })
        })
    })
}

/// The call that an event is about, if it is about one.
fn call_of(kind: &EventKind) -> Option<(PassId, CallId)> {
    match kind {
        EventKind::CallAwaits { pass, call }
        | EventKind::AttemptStarted { pass, call, .. }
        | EventKind::FirstToken { pass, call, .. }
        | EventKind::AttemptEnded { pass, call, .. }
        | EventKind::CallEnded { pass, call, .. } => Some((*pass, *call)),
        _ => None,
    }
}

/// Whether a run waits for something that it knows of: its user, a limit, a time to try again.
fn is_held(state: &RunState, now: Micros) -> bool {
    let held = |until: Micros| until > now;
    state.paused
        || state.passes.iter().any(|pass| {
            let retries = || pass.calls.iter().filter(|call| call.ended.is_none());
            let waits = |call: &CallState| call.attempts.last()?.retry_at.filter(|at| held(*at));
            pass.holding.as_ref().is_some_and(|hold| held(hold.until))
                || retries().any(|call| waits(call).is_some())
        })
}
