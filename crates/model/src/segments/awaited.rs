//! Tells the time in which a call waited for the answer to an identical one from the time in which it
//! was ready.

use super::{Frame, Reason, Wait};
use crate::{CallState, Micros};

/// When the call waited for an identical one, from the start of the pass: in order, without overlap.
pub(super) fn spans(call: &CallState, frame: Frame) -> Vec<(Micros, Micros)> {
    let closed = call.awaited.iter().map(|&(from, until)| (from, frame.relative(until)));
    let open = call.awaiting.map(|from| (from, frame.wall));
    let mut free = Micros::ZERO;
    let spans = closed.chain(open).filter_map(|(from, until)| {
        let span = (frame.relative(from).max(free), until);
        free = free.max(until);
        (span.0 < span.1).then_some(span)
    });
    spans.collect()
}

/// Cuts the spans out of the ready waits from place `first` on, which are of one call, as waits for
/// another reason.
pub(super) fn split(
    waits: &mut Vec<Wait>,
    first: usize,
    spans: &[(Micros, Micros)],
    reason: Reason,
) {
    if spans.is_empty() {
        return;
    }
    for w in waits.split_off(first) {
        let mut from = w.from;
        for &(start, end) in spans.iter().filter(|_| w.reason == Reason::Ready) {
            let (start, end) = (start.max(from), end.min(w.to));
            if start < end {
                if from < start {
                    waits.push(Wait { from, to: start, ..w });
                }
                waits.push(Wait { from: start, to: end, reason, ..w });
                from = end;
            }
        }
        if from < w.to {
            waits.push(Wait { from, ..w });
        }
    }
}
