//! The frames of a live run, made once for all who watch it: each viewer asks ten times a second, and
//! whoever asks shortly after another is shown what that one was shown. No viewer is shown an older
//! frame than it has seen.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use lanes_model::Seq;
use lanes_model::batch::Frame;

use crate::shared::Shared;

/// A frame is shown to others for so long: less than any viewer waits from one to the next.
const FRESH: Duration = Duration::from_millis(50);

/// A frame with what was made of it: its JSON, and the parts of a page.
#[derive(Debug)]
pub struct SharedFrame {
    frame: Shared<Frame>,
    parts: OnceLock<Parts>,
}

/// Parts of a page: which, and its HTML.
pub type Parts = Vec<(&'static str, String)>;

impl SharedFrame {
    pub(crate) const fn new(frame: Frame) -> Self {
        Self { frame: Shared::new(frame), parts: OnceLock::new() }
    }

    /// The frame.
    pub const fn frame(&self) -> &Shared<Frame> {
        &self.frame
    }

    /// Its parts of the page, which the first who asks makes.
    pub fn parts(&self, make: impl FnOnce(&Frame) -> Parts) -> &Parts {
        self.parts.get_or_init(|| make(&self.frame))
    }
}

/// The last frame without a history and the last with one, and when they were made.
#[derive(Default)]
pub(crate) struct Frames(Mutex<[Option<Made>; 2]>);

/// A frame, and when it was made.
type Made = (Instant, Arc<SharedFrame>);

impl Frames {
    /// The last frame if it is fresh and knows all that the viewer knows (`after`), else a new one.
    pub(crate) fn get(
        &self,
        history: bool,
        after: Option<Seq>,
        make: impl FnOnce() -> Frame,
    ) -> Arc<SharedFrame> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = &mut kept[usize::from(history)];
        let fits = |made: &Instant, frame: &SharedFrame| {
            made.elapsed() < FRESH && Some(frame.frame().last_seq) >= after
        };
        if let Some((_, frame)) = place.as_ref().filter(|(made, frame)| fits(made, frame)) {
            return Arc::clone(frame);
        }
        let frame = Arc::new(SharedFrame::new(make()));
        *place = Some((Instant::now(), Arc::clone(&frame)));
        frame
    }
}
