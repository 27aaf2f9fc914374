//! Where texts are not kept: what a run is about and what it is answered are in memory while it goes on
//! and for a while after, and nowhere else.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lanes_model::{DocumentId, FieldError, Input, RunId, RunSpec, RunState, Seq};

use super::documents::RunInput;
use super::{Inner, Service};
use crate::ServiceError;

/// For how long the answers of a run that is over can still be read.
const WHILE: Duration = Duration::from_secs(600);
/// The most runs of which they can.
const MOST: usize = 50;

/// Runs that ended lately, the oldest first.
#[derive(Default)]
pub(super) struct Unkept(Mutex<VecDeque<(Instant, RunState)>>);

impl Unkept {
    fn put(&self, state: RunState) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.push_back((Instant::now(), state));
        while runs.len() > MOST {
            runs.pop_front();
        }
    }

    /// A run that is still as it was when it ended; `last` is the end of its log.
    pub(super) fn get(&self, run: &RunId, last: Option<Seq>) -> Option<RunState> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|(ended, _)| ended.elapsed() < WHILE);
        let found = runs.iter().find(|(_, state)| &state.header.id == run)?;
        (Some(found.1.last_seq) == last).then(|| found.1.clone())
    }

    fn forget_old(&self) {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.retain(|(ended, _)| ended.elapsed() < WHILE);
    }
}

impl Service {
    /// Whether texts and answers are kept.
    #[must_use]
    pub fn keeps_texts(&self) -> bool {
        self.inner.store.keeps_texts()
    }

    /// Where texts are not kept there are no documents.
    pub(super) fn check_kept(&self) -> Result<(), ServiceError> {
        if self.keeps_texts() {
            return Ok(());
        }
        Err(ServiceError::Conflict(
            "This Lanes keeps no texts (LANES_STORE_TEXT), and so no documents: send the text with the \
             run."
                .to_owned(),
        ))
    }

    /// Takes out of what is to be stored of a run what is not to be kept: its text, the name made of
    /// that, and the id that is a hash of it.
    pub(super) fn take_texts(
        &self,
        spec: &mut RunSpec,
        input: &mut RunInput,
    ) -> Result<Option<String>, ServiceError> {
        if self.keeps_texts() {
            return Ok(None);
        }
        if spec.cache {
            return Err(ServiceError::Invalid(vec![FieldError::new(
                "/cache",
                "This Lanes keeps no texts (LANES_STORE_TEXT), and so no answers: leave the cache out.",
            )]));
        }
        if matches!(spec.input, Input::Documents(_)) {
            self.check_kept()?;
        }
        spec.figures_only = true;
        let Some((document, text)) = input.texts.first_mut() else { return Ok(None) };
        if spec.input == Input::Text {
            "Pasted text".clone_into(&mut document.name);
            input.subject.clone_from(&document.name);
        }
        document.id = DocumentId(uuid::Uuid::now_v7().simple().to_string());
        input.documents = vec![document.clone()];
        Ok(Some(std::mem::take(text)))
    }
}

impl Inner {
    /// Lets the answers of a run that is over be read for a while, where they are not kept.
    pub(super) fn keep_for_a_while(&self, run: &RunId) {
        self.unkept.forget_old();
        let Some(live) = self.hub.live(run) else { return };
        let state = live.read(|state, _, _| {
            (state.header.spec.figures_only && !state.is_large()).then(|| state.clone())
        });
        if let Some(state) = state {
            self.unkept.put(state);
        }
    }
}
