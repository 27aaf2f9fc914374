//! The response cache's side of the dispatcher: which calls are looked up when, and what follows.
//!
//! Part of the dispatcher. With a cache, a call is in a look-up before it is in the ready queue: a hit
//! ends it there, without a lane or a permit; anything else puts it into the queue. A parallel pass
//! looks up its calls ahead, a bounded number at once, not counting those that wait for the answer to
//! an identical call. A sequential pass looks up a call when its turn has come, that is when the one
//! before it has ended, so that its story stays in order. Every end of a call is told to the cache,
//! because the call may be what others wait for.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use lanes_model::{CallId, Micros, PassId, PassMode, PassState};

use super::Dispatcher;
use crate::lookup::look_up;
use crate::messages::LookUp;
use crate::pass::Phase;
use crate::{Answer, AnswerCache};

/// Look-ups under way at once in one pass.
const AT_ONCE: usize = 256;

/// The look-ups of a run.
pub(super) struct Lookups {
    cache: Arc<dyn AnswerCache>,
    passes: Vec<InPass>,
}

/// The look-ups of one pass. A call is in `coming`, in `open` or in neither.
#[derive(Default)]
struct InPass {
    /// One after another.
    strict: bool,
    /// To be looked up, each with the time before which it is not tried again.
    coming: VecDeque<(CallId, Option<Micros>)>,
    /// Being looked up, each with that time.
    open: BTreeMap<CallId, Open>,
    /// Of these the ones that do not wait for an identical call.
    looking: usize,
    /// In a strict pass the call that was looked up last and has not ended.
    turn: Option<CallId>,
}

struct Open {
    due: Option<Micros>,
    /// Whether it waits for the answer to an identical call.
    waits: bool,
}

impl Lookups {
    pub(super) fn new(cache: Arc<dyn AnswerCache>, passes: &[PassState]) -> Self {
        let strict = |p: &PassState| p.mode == PassMode::Sequential;
        let in_pass = |p| InPass { strict: strict(p), ..InPass::default() };
        Self { cache, passes: passes.iter().map(in_pass).collect() }
    }

    /// Tells the cache, whose failures are its own.
    fn tell(&self, pass: PassId, call: CallId, answer: Option<&Answer>) {
        let told = catch_unwind(AssertUnwindSafe(|| self.cache.ended(pass, call, answer)));
        if told.is_err() {
            tracing::error!("the response cache panicked over the end of a call");
        }
    }
}

impl InPass {
    /// The next call to look up, if one may be now.
    fn next(&mut self) -> Option<CallId> {
        let free = match self.strict {
            true => self.turn.is_none(),
            false => self.looking < AT_ONCE,
        };
        let (call, due) = self.coming.pop_front_if(|_| free)?;
        self.turn = self.strict.then_some(call);
        self.looking += 1;
        self.open.insert(call, Open { due, waits: false });
        Some(call)
    }

    /// A call waits for an identical one from now on; says whether that is news.
    fn waits(&mut self, call: CallId) -> bool {
        let Some(open) = self.open.get_mut(&call).filter(|o| !o.waits) else { return false };
        open.waits = true;
        self.looking -= 1;
        true
    }

    /// A call's look-up is over.
    fn close(&mut self, call: CallId) -> Option<Open> {
        let open = self.open.remove(&call)?;
        self.looking -= usize::from(!open.waits);
        Some(open)
    }

    /// Takes out those calls.
    fn drain(&mut self, of: impl Fn(CallId) -> bool) -> Vec<CallId> {
        let open: Vec<_> = self.open.keys().copied().filter(|call| of(*call)).collect();
        for &call in &open {
            self.close(call);
        }
        let coming = std::mem::take(&mut self.coming);
        let (out, stay): (Vec<_>, Vec<_>) = coming.into_iter().partition(|(call, _)| of(*call));
        self.coming = stay.into();
        open.into_iter().chain(out.into_iter().map(|(call, _)| call)).collect()
    }
}

impl Dispatcher {
    /// A pass begins or goes on: its waiting calls are looked up first. Does nothing without a cache.
    pub(super) fn queue_lookups(&mut self, index: usize) {
        let Some(lookups) = self.lookups.as_mut().and_then(|l| l.passes.get_mut(index)) else {
            return;
        };
        lookups.coming.extend(self.passes[index].ready.drain_timed(|_| true));
    }

    /// A call that has just become ready is to be looked up first. Says whether there is a cache.
    pub(super) fn queue_lookup(&mut self, index: usize, call: CallId) -> bool {
        let lookups = self.lookups.as_mut().and_then(|l| l.passes.get_mut(index));
        lookups.map(|lookups| lookups.coming.push_back((call, None))).is_some()
    }

    /// Begins as many look-ups as may be under way.
    pub(super) fn start_lookups(&mut self, index: usize) {
        if self.stopping || self.passes[index].phase != Phase::Running {
            return;
        }
        let Some(lookups) = &mut self.lookups else { return };
        let Some(in_pass) = lookups.passes.get_mut(index) else { return };
        while let Some(call) = in_pass.next() {
            let (equipment, cache) = (Arc::clone(&self.equipment), Arc::clone(&lookups.cache));
            let pass = &self.passes[index];
            let work = look_up(equipment, cache, pass.id, call, pass.asked(call));
            self.executors.spawn(self.abort.clone().run_until_cancelled_owned(work));
        }
    }

    /// Takes in what the cache says of a call.
    pub(super) fn looked_up(&mut self, index: usize, call: CallId, found: LookUp) {
        let Some(lookups) = &mut self.lookups else { return };
        let Some(in_pass) = lookups.passes.get_mut(index) else { return };
        let pass = &mut self.passes[index];
        let (at, answer) = match found {
            LookUp::Waits { at } => {
                if in_pass.waits(call) {
                    self.log.call_awaits(at, pass.id, call);
                    // Its place is free for another look-up.
                    self.start_lookups(index);
                }
                return;
            }
            LookUp::Ended { at, answer } => (at, answer),
        };
        let Some(open) = in_pass.close(call) else {
            // It has ended meanwhile, and others must not wait for it.
            return lookups.tell(pass.id, call, None);
        };
        if open.waits {
            self.log.calls_queued(at, pass.id, call, 1);
        }
        match (answer, open.due) {
            (Some(answer), _) => {
                pass.close(call, at);
                in_pass.turn = None;
                let text = answer.text.clone();
                self.log.reused(at, pass.id, call, *answer);
                self.follow_up(index, call, at, Some(&text));
            }
            (None, Some(due)) => pass.wait(call, due),
            (None, None) => pass.make_ready(call),
        }
        self.lane_freed(index);
    }

    /// Takes the calls of a pass that are to be looked up, or are being, out of that.
    pub(super) fn drop_lookups(
        &mut self,
        index: usize,
        of_stage: impl Fn(u16) -> bool,
    ) -> Vec<CallId> {
        let pass = &self.passes[index];
        let in_pass = self.lookups.as_mut().and_then(|l| l.passes.get_mut(index));
        let of = |call| of_stage(pass.class(call).stage);
        in_pass.map(|lookups| lookups.drain(of)).unwrap_or_default()
    }

    /// A call is over, with this answer or without one.
    pub(super) fn tell_cache(&mut self, index: usize, call: CallId, answer: Option<&Answer>) {
        let Some(lookups) = &mut self.lookups else { return };
        lookups.tell(self.passes[index].id, call, answer);
        if let Some(in_pass) = lookups.passes.get_mut(index)
            && in_pass.turn == Some(call)
        {
            in_pass.turn = None;
        }
    }
}
