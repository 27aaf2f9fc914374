//! One run's way to a shared [`RateLimiter`].

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lanes_model::{CallId, Failure, FailureKind, PassId};

use super::{RateLimiter, Ticket, Turn};
use crate::{Answer, Limiter, Permit, PermitRequest};

/// Asks a shared limiter for the attempts of one run and settles what they used.
#[derive(Debug)]
pub struct RunLimiter {
    shared: Arc<RateLimiter>,
    tickets: Mutex<HashMap<(PassId, CallId), Ticket>>,
}

impl RunLimiter {
    /// A way to a limiter.
    #[must_use]
    pub fn new(shared: Arc<RateLimiter>) -> Self {
        Self { shared, tickets: Mutex::default() }
    }

    fn tickets(&self) -> MutexGuard<'_, HashMap<(PassId, CallId), Ticket>> {
        self.tickets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an answer used, as its provider says.
fn tokens_of(answer: &Answer) -> u64 {
    answer.usage.input.saturating_add(answer.usage.output)
}

impl Limiter for RunLimiter {
    fn permit(&self, request: PermitRequest) -> Permit {
        match self.shared.ask(request.tokens) {
            Turn::Now(ticket) => {
                self.tickets().insert((request.pass, request.call), ticket);
                Permit::Granted
            }
            Turn::In(wait) => Permit::NotBefore(request.now + wait),
            Turn::TooLarge(limit) => Permit::Refused(Failure::new(
                FailureKind::InvalidRequest,
                format!(
                    "This call may use up to {} tokens, and the provider allows {limit} a minute: \
                     it can never be sent. Shorten the text or the task's longest answer.",
                    request.tokens
                ),
            )),
        }
    }

    fn ended(&self, pass: PassId, call: CallId, result: Result<&Answer, &Failure>) {
        let Some(ticket) = self.tickets().remove(&(pass, call)) else { return };
        match result {
            Ok(answer) => self.shared.used(ticket, tokens_of(answer)),
            Err(failure) => match failure.kind {
                FailureKind::Unreachable => self.shared.unsent(ticket),
                FailureKind::RateLimited => {
                    // It was counted as a request and used no tokens.
                    self.shared.used(ticket, 0);
                    self.shared.hold(failure.retry_after.unwrap_or_default());
                }
                // How much of an answer was made before it failed is not known: all of it counts.
                _ => {}
            },
        }
    }
}
