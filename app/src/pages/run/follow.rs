//! Keeps the page up to date while its run goes on: folds events as they come, adds text in batches,
//! moves the clock, and says aloud what changed. Rule: what is on the page stays when the connection
//! is lost.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lanes_model::{
    Applied, CallId, CallStatus, Micros, Progress, RunEvent, RunState, format, headline,
};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Run;
use super::facts::{call_name, main_pass};
use super::notices::notices;
use crate::browser::frames::{every_frame, later, now_ms};
use crate::browser::live::{self, Message};
use crate::server::{UiError, run_page};

/// Text is added at most this often, ms.
const TEXT_EVERY: f64 = 100.0;
/// A server that could not be reached is asked again after this time, ms.
const AGAIN: u32 = 1_000;
/// Something is said at most this often, ms.
const SAY_EVERY: f64 = 5_000.0;

/// What is said aloud.
#[derive(Clone, Copy)]
pub(super) struct Said {
    /// How the run comes along.
    pub(super) polite: RwSignal<String>,
    /// That it is over.
    pub(super) urgent: RwSignal<String>,
}

/// Follows the run while it is live, whenever it becomes live. Does nothing on the server.
pub(super) fn follow(run: Run) -> Said {
    let said = Said { polite: RwSignal::default(), urgent: RwSignal::default() };
    Effect::new(move |was: Option<bool>| {
        let live = run.live.get();
        if live {
            run.report.set(None);
            connect(run, said);
        } else {
            run.lost.set(None);
            if run.report.with_untracked(Option::is_none) {
                fetch(run);
            }
            if was == Some(true) {
                let over = run.state.with_untracked(headline).unwrap_or_default();
                said.urgent.set(over);
            }
        }
        live
    });
    said
}

/// Asks for the whole run again: events are missing, or it is over and its report is wanted. Asks on
/// until there is an answer.
fn fetch(run: Run) {
    if run.fetching.try_get_value() != Some(false) {
        return;
    }
    run.fetching.set_value(true);
    spawn_local(async move {
        let fresh = run_page(run.id()).await;
        if run.fetching.try_set_value(false).is_some() {
            return;
        }
        match fresh {
            Ok(fresh) => {
                let fresh = fresh.0;
                let newer = run.state.with_untracked(|s| s.last_seq <= fresh.state.last_seq);
                if newer {
                    run.take(fresh);
                }
            }
            Err(UiError::Unreachable(_)) => later(AGAIN, move || fetch(run)),
            Err(error) => run.problem.set(Some(error.to_string())),
        }
    });
}

/// What the callbacks of one connection share.
struct Link {
    run: Run,
    /// The last reading of the run's clock, and the browser's clock then.
    read: Cell<(Micros, f64)>,
    /// When the last word came.
    heard: Cell<f64>,
    lost: Cell<bool>,
    /// Pieces of text not yet added.
    pieces: RefCell<Vec<Progress>>,
    added: Cell<f64>,
    spoke: Cell<f64>,
}

fn connect(run: Run, said: Said) {
    let at = now_ms();
    let link = Rc::new(Link {
        run,
        read: Cell::new((run.now.get_untracked(), at)),
        heard: Cell::new(at),
        lost: Cell::new(false),
        pieces: RefCell::default(),
        added: Cell::new(at),
        spoke: Cell::new(at),
    });
    let after = run.state.with_untracked(|s| s.last_seq);
    let hear = Rc::clone(&link);
    live::follow(&run.id(), after, move |message| hear.hear(message));
    every_frame(move || link.tick(said));
}

impl Link {
    fn hear(&self, message: Message) {
        if matches!(message, Message::Lost) {
            self.lost.set(true);
            return;
        }
        self.heard.set(now_ms());
        if self.lost.replace(false) {
            self.run.lost.set(None);
        }
        match message {
            Message::Event(event) => self.event(&event),
            Message::Progress(piece) => self.pieces.borrow_mut().push(piece),
            Message::Clock(now) => self.read.set((now, now_ms())),
            Message::End => {
                self.flush();
                if self.run.state.with_untracked(|s| s.status.is_live()) {
                    fetch(self.run);
                }
            }
            Message::Trouble(why) => self.run.trouble.set(why),
            // If it still stands still, that is said again.
            Message::Connected => self.run.trouble.set(None),
            Message::Lost => {}
        }
    }

    fn event(&self, event: &RunEvent) {
        self.flush();
        let applied = self.run.state.try_update(|s| s.apply(event));
        if applied == Some(Applied::Gap) {
            fetch(self.run);
        }
    }

    fn flush(&self) {
        let pieces = std::mem::take(&mut *self.pieces.borrow_mut());
        self.added.set(now_ms());
        if !pieces.is_empty() {
            self.run.state.update(|s| {
                for piece in &pieces {
                    s.apply_progress(piece);
                }
            });
        }
    }

    fn tick(&self, said: Said) {
        let now = now_ms();
        if self.lost.get() {
            let age = ((now - self.heard.get()) / 1_000.0) as u64;
            if self.run.lost.get_untracked() != Some(age) {
                self.run.lost.set(Some(age));
            }
            // Whatever has happened since is not known: the clock waits with the rest.
            return;
        }
        let (read, at) = self.read.get();
        self.run.now.set(read + Micros(((now - at) * 1_000.0) as u64));
        if now - self.added.get() >= TEXT_EVERY {
            self.flush();
        }
        if now - self.spoke.get() >= SAY_EVERY {
            self.spoke.set(now);
            let why = self.run.trouble.get_untracked();
            let text = self.run.state.with_untracked(|s| progress(s, why.as_deref()));
            if said.polite.with_untracked(|old| *old != text) {
                said.polite.set(text);
            }
        }
    }
}

/// How the run comes along, in a sentence or two: "3 of 6 done. Category failed."
fn progress(state: &RunState, trouble: Option<&str>) -> String {
    let Some(pass) = state.passes.iter().rfind(|p| p.start.is_some()).or(main_pass(state)) else {
        return String::new();
    };
    let count = |status| pass.calls.iter().filter(|c| c.status() == status).count() as u64;
    let mut text: String =
        notices(state, trouble, state.latest).into_iter().map(|n| n.heading + " ").collect();
    text.push_str(&format!(
        "{}: {} of {} done.",
        pass.mode.label(),
        format::count(count(CallStatus::Succeeded)),
        format::count(pass.calls.len() as u64)
    ));
    let calls = (0..).map(CallId).zip(&pass.calls);
    let failed: Vec<_> = calls
        .filter(|(_, c)| c.status().is_failure())
        .map(|(id, _)| call_name(state, id))
        .collect();
    match failed.as_slice() {
        [] => {}
        [one] => text.push_str(&format!(" {one} failed.")),
        many => text.push_str(&format!(" {} failed.", format::plural(many.len() as u64, "call"))),
    }
    text
}
