//! How a run's calls are sent, as the REST API shows it: where to, how many at once, what holds them
//! back. Part of [`super::RunView`], whose rules hold here too.

use serde::{Deserialize, Serialize};

use crate::{Health, HoldReason, LimitReason, Micros, PassState, Priority, RouteInfo, RunState};

/// How a run's calls are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SendingView {
    /// Whether the number of lanes in use adapts to what the provider can take.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adaptive: bool,
    /// Whether a call that takes unusually long gets a second attempt beside the first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hedge: bool,
    /// Whether it goes before other runs.
    pub priority: Priority,
    /// Whether the user has paused it.
    pub paused: bool,
    /// Where attempts can go, in order; empty when there is but one place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteInfo>,
    /// The circuit breakers that are not closed, or were not once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub breakers: Vec<BreakerView>,
}

/// A circuit breaker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BreakerView {
    /// Of which route: its place in `routes`.
    pub route: u16,
    /// How it stands.
    pub health: Health,
    /// Until when it stays open, on the run's clock.
    pub until_us: Option<Micros>,
    /// Why, in words.
    pub message: String,
    /// How often it opened.
    pub opened: u32,
}

/// From then on at most so many lanes are in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LimitView {
    /// When.
    pub at_us: Micros,
    /// How many.
    pub limit: u32,
    /// Why.
    pub why: LimitReason,
}

/// A time in which ready calls were kept from starting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct HoldView {
    /// From when.
    pub from_us: Micros,
    /// Until when; as far as is known, while it lasts.
    pub until_us: Micros,
    /// By what.
    pub why: HoldReason,
    /// In words, when it is more than a limit.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
}

impl SendingView {
    pub(super) fn of(state: &RunState) -> Self {
        let breakers = state.routes.iter().map(|r| BreakerView {
            route: r.route.0,
            health: r.health,
            until_us: r.until,
            message: r.message.clone(),
            opened: r.opened,
        });
        Self {
            adaptive: state.header.spec.adaptive,
            hedge: state.header.spec.hedge,
            priority: state.priority,
            paused: state.paused,
            routes: state.header.routes.clone(),
            breakers: breakers.collect(),
        }
    }
}

impl LimitView {
    pub(super) fn of(pass: &PassState) -> Vec<Self> {
        let zero = pass.start.unwrap_or_default();
        let limits = pass.limits.iter();
        limits.map(|l| Self { at_us: l.at.since(zero), limit: l.limit, why: l.why }).collect()
    }
}

impl HoldView {
    pub(super) fn of(pass: &PassState) -> Vec<Self> {
        let zero = pass.start.unwrap_or_default();
        let holds = pass.holds.iter().chain(&pass.holding).map(|h| Self {
            from_us: h.from.since(zero),
            until_us: h.until.since(zero),
            why: h.why,
            message: h.message.clone(),
        });
        holds.collect()
    }
}
