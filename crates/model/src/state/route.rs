//! How the circuit breakers of a run's routes stand, by the log.
//!
//! Rule: a breaker that never left closed is not listed.

use serde::{Deserialize, Serialize};

use super::RunState;
use crate::{Health, Micros, RouteId};

/// How a circuit breaker stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteState {
    /// Of which route.
    pub route: RouteId,
    /// How it stands.
    pub health: Health,
    /// Until when it stays open.
    pub until: Option<Micros>,
    /// Why, in words.
    pub message: String,
    /// How often it opened.
    pub opened: u32,
}

impl RunState {
    pub(super) fn change_route(
        &mut self,
        route: RouteId,
        health: Health,
        until: Option<Micros>,
        message: &str,
    ) {
        let place = self.routes.iter().position(|r| r.route == route).unwrap_or_else(|| {
            let message = String::new();
            self.routes.push(RouteState { route, health, until, message, opened: 0 });
            self.routes.len() - 1
        });
        let Some(state) = self.routes.get_mut(place) else { return };
        state.health = health;
        state.until = until;
        state.opened += u32::from(health == Health::Open);
        state.message.clear();
        state.message.push_str(message);
    }
}
