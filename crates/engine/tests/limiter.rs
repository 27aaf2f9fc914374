//! Permits: a refusal is waited out without holding up anything else.

use std::sync::{Arc, Mutex};

use lanes_engine::{Limiter, Permit, PermitRequest};
use lanes_model::{FailureKind, HoldReason, Micros, RouteId, RunStatus};

use crate::support::provider::answers;
use crate::support::{Bench, SEQUENTIAL, Step, ms, parallel};

/// One attempt in each interval.
struct Paced {
    interval: Micros,
    next: Mutex<Micros>,
}

impl Paced {
    fn every(interval: Micros) -> Arc<Self> {
        Arc::new(Self { interval, next: Mutex::default() })
    }
}

impl Limiter for Paced {
    fn permit(&self, request: PermitRequest) -> Permit {
        let mut next = self.next.lock().unwrap();
        if request.now < *next {
            return Permit::NotBefore {
                at: *next,
                why: HoldReason::RateLimit,
                message: String::new(),
            };
        }
        *next = request.now + self.interval;
        Permit::Granted(RouteId::default())
    }
}

#[tokio::test(start_paused = true)]
async fn attempts_start_when_they_are_permitted_and_in_order() {
    let mut bench = Bench::new(&[parallel(4)], false, answers(&[500, 10, 10, 10]));
    bench.limiter = Paced::every(ms(100));
    let state = bench.finish().await;
    let starts: Vec<_> = state.passes[0].calls.iter().map(|c| c.start().unwrap()).collect();
    assert_eq!(starts, [ms(0), ms(100), ms(200), ms(300)]);
    assert_eq!(state.passes[0].end, Some(ms(500)));
}

#[tokio::test(start_paused = true)]
async fn retries_need_a_permit_too() {
    let mut script = answers(&[10, 10]);
    script[0].insert(0, Step::fail(10, FailureKind::ServerError));
    let mut bench = Bench::new(&[SEQUENTIAL], false, script);
    bench.limiter = Paced::every(ms(2_000));
    let state = bench.finish().await;
    assert_eq!(state.passes[0].calls[0].attempts[1].start, ms(2_000));
    assert_eq!(state.passes[0].calls[1].start(), Some(ms(4_000)));
}

#[tokio::test(start_paused = true)]
async fn a_limiter_that_names_a_time_in_the_past_is_not_asked_without_pause() {
    struct Stubborn(Mutex<u32>);
    impl Limiter for Stubborn {
        fn permit(&self, request: PermitRequest) -> Permit {
            *self.0.lock().unwrap() += 1;
            match request.now < ms(10) {
                true => Permit::NotBefore {
                    at: Micros::ZERO,
                    why: HoldReason::RateLimit,
                    message: String::new(),
                },
                false => Permit::Granted(RouteId::default()),
            }
        }
    }
    let mut bench = Bench::new(&[parallel(2)], false, answers(&[10]));
    let stubborn = Arc::new(Stubborn(Mutex::default()));
    bench.limiter = Arc::clone(&stubborn) as _;
    let state = bench.finish().await;
    assert_eq!(state.status, RunStatus::Succeeded);
    assert_eq!(*stubborn.0.lock().unwrap(), 11);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_waits_for_a_permit_can_be_cancelled() {
    let mut bench = Bench::new(&[parallel(2)], false, answers(&[10, 10, 10]));
    bench.limiter = Paced::every(ms(60_000));
    let state = bench.stopped_after(50, |stop| stop.cancel()).await;
    assert_eq!(state.status, RunStatus::Cancelled);
    assert_eq!(state.latest, ms(50));
}
