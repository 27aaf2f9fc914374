//! Tells what holds a pass back from the engine's time: a lane that a ready call waits for waits for
//! the limit, for other runs or for a provider while these hold the pass back.

use super::Frame;
use crate::{Hold, HoldReason, LedgerState, Micros, PassState, Segment};

/// A time in which the pass was held back, from its start, and what that counts as.
pub(super) type Span = (Micros, Micros, LedgerState);

/// When the pass was held back, and as what it counts.
pub(super) fn spans(pass: &PassState, frame: Frame) -> Vec<Span> {
    let paused = pass.paused.map(|from| Hold {
        from,
        until: Micros::MAX,
        why: HoldReason::Pause,
        message: String::new(),
    });
    let all = pass.holds.iter().chain(&pass.holding).chain(&paused);
    let mut free = Micros::ZERO;
    all.filter_map(|hold| {
        let span = (frame.relative(hold.from).max(free), frame.relative(hold.until));
        free = free.max(span.1);
        (span.0 < span.1).then_some((span.0, span.1, hold.why.counts_as()))
    })
    .collect()
}

/// The segments with what holds the pass back cut out of the engine's. `spans` are in order and do
/// not overlap.
pub(super) fn split(found: Vec<Segment>, spans: &[Span]) -> Vec<Segment> {
    if spans.is_empty() {
        return found;
    }
    let mut out = Vec::with_capacity(found.len());
    for s in found {
        if s.state != LedgerState::Engine || s.call.is_none() {
            out.push(s);
            continue;
        }
        let mut from = s.start;
        let first = spans.partition_point(|span| span.1 <= s.start);
        for &(start, end, state) in spans.iter().skip(first).take_while(|span| span.0 < s.end) {
            let (start, end) = (start.max(from), end.min(s.end));
            if from < start {
                out.push(Segment { start: from, end: start, ..s });
            }
            out.push(Segment { start, end, state, ..s });
            from = end;
        }
        if from < s.end {
            out.push(Segment { start: from, ..s });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CallId, LaneId};

    fn segment(state: LedgerState, start: u64, end: u64) -> Segment {
        let (start, end) = (Micros(start), Micros(end));
        Segment { lane: LaneId(0), start, end, state, call: Some(CallId(1)), attempt: 0 }
    }

    fn cut(found: &[Segment], spans: &[(u64, u64)]) -> Vec<(LedgerState, u64, u64)> {
        let spans: Vec<_> = spans
            .iter()
            .map(|&(a, b)| (Micros(a), Micros(b), LedgerState::RateLimitWait))
            .collect();
        let out = split(found.to_vec(), &spans);
        out.iter().map(|s| (s.state, s.start.0, s.end.0)).collect()
    }

    #[test]
    fn only_what_the_engine_had_goes_to_the_limit() {
        use LedgerState::{Engine, Generating, Idle, RateLimitWait};
        let idle = Segment { call: None, ..segment(Idle, 30, 40) };
        let found = [segment(Engine, 0, 10), segment(Generating, 10, 30), idle];
        assert_eq!(
            cut(&found, &[(2, 4), (6, 35)]),
            [
                (Engine, 0, 2),
                (RateLimitWait, 2, 4),
                (Engine, 4, 6),
                (RateLimitWait, 6, 10),
                (Generating, 10, 30),
                (Idle, 30, 40),
            ]
        );
        assert_eq!(cut(&found[..1], &[(0, 10)]), [(RateLimitWait, 0, 10)]);
        assert_eq!(cut(&found[..1], &[(10, 20)]), [(Engine, 0, 10)]);
    }
}
