//! One attempt of a call while it is on a lane.

use lanes_model::{HoldReason, LaneId, Micros, RouteId};
use tokio_util::sync::CancellationToken;

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its request is being looked up.
    Preparing,
    /// Its request is sent.
    Running,
}

/// One attempt on its lane.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) number: u32,
    pub(crate) lane: LaneId,
    pub(crate) route: RouteId,
    /// Whether it runs beside another attempt of its call that takes long.
    pub(crate) hedge: bool,
    pub(crate) stage: Stage,
    /// Since when it was held back before it got its permit, and by what.
    pub(crate) held: Option<(Micros, HoldReason)>,
    /// When its request was sent.
    pub(crate) sent: Micros,
    /// When its first text came.
    pub(crate) first_text: Option<Micros>,
    /// Its text, as far as it has come.
    pub(crate) text: String,
    /// Stops it alone, where that may be wanted.
    pub(crate) cancel: Option<CancellationToken>,
}
