//! What holds for any bytes whatever that a provider may send as an event stream: the body of a fuzz
//! target of the same name (`fuzz/`), driven by the test below in every run of `make test`.

use crate::sse::{Event, Parser, TooLong};

/// The events of a stream are the same however its bytes are cut; the first byte says how.
pub fn event_stream(data: &[u8]) {
    let (cut, bytes) = data.split_first().unwrap_or((&1, &[]));
    let whole = events(std::iter::once(bytes));
    assert_eq!(events(bytes.chunks(usize::from(*cut).max(1))), whole);
    assert_eq!(events(bytes.chunks(1)), whole);
}

fn events<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Event>, TooLong> {
    let mut parser = Parser::default();
    let mut events = Vec::new();
    for piece in pieces {
        parser.feed(piece, |event| {
            events.push(event);
            Ok::<_, TooLong>(())
        })?;
    }
    events.extend(parser.finish());
    Ok(events)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_stream_says_the_same_however_it_is_cut(
            pieces in prop::collection::vec(prop_oneof![
                prop::sample::select(vec![
                    "data:", "data: {}", "\n", "\r", "\r\n", "\n\n", "event: error", ":", "id: 1",
                    "[DONE]", "\u{feff}", "é",
                ]).prop_map(|piece| piece.as_bytes().to_vec()),
                prop::collection::vec(any::<u8>(), 0..6),
            ], 0..30)
        ) {
            event_stream(&[&[3], pieces.concat().as_slice()].concat());
        }
    }
}
