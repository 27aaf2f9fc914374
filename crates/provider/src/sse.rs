//! Server-sent events, read from bytes as they arrive.
//!
//! Source: the WHATWG HTML standard, section 9.2.6 "Interpreting an event stream". Holds no more
//! than the event that is under way, and refuses one above [`MOST`].

/// The most bytes of one event.
pub(crate) const MOST: usize = 8 * 1024 * 1024;

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Event {
    /// Whether its type is `error`; no other type matters here.
    pub(crate) is_error: bool,
    /// Its data lines, joined.
    pub(crate) data: String,
}

/// An event that has no end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// Reads events from pieces of any size.
#[derive(Default)]
pub(crate) struct Parser {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    is_error: bool,
    /// The last byte was a carriage return: a newline right after it ends no second line.
    after_return: bool,
    begun: bool,
}

impl Parser {
    /// Reads on, handing out each event that is complete. Stops at the first error of `on_event`.
    pub(crate) fn feed<E: From<TooLong>>(
        &mut self,
        mut bytes: &[u8],
        mut on_event: impl FnMut(Event) -> Result<(), E>,
    ) -> Result<(), E> {
        while let Some(&first) = bytes.first() {
            if std::mem::take(&mut self.after_return) && first == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.extend_line(bytes)?;
                return Ok(());
            };
            self.extend_line(&bytes[..end])?;
            self.after_return = bytes[end] == b'\r';
            bytes = &bytes[end + 1..];
            if let Some(event) = self.end_line() {
                on_event(event)?;
            }
        }
        Ok(())
    }

    /// The event that lacks only its last line ends, if there is one. The standard drops it; some
    /// servers end their last event so.
    pub(crate) fn finish(&mut self) -> Option<Event> {
        let event = self.end_line();
        event.or_else(|| self.end_event())
    }

    fn extend_line(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + self.data.len() + bytes.len() > MOST {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    fn end_line(&mut self) -> Option<Event> {
        let mut line = std::mem::take(&mut self.line);
        let event = self.take_line(&line);
        // Given back, so that the next line finds its room.
        line.clear();
        self.line = line;
        event
    }

    fn take_line(&mut self, mut text: &[u8]) -> Option<Event> {
        if !std::mem::replace(&mut self.begun, true) {
            text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(text);
        }
        if text.is_empty() {
            return self.end_event();
        }
        let colon = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
        let value = text.get(colon + 1..).unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match &text[..colon] {
            b"data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.data.push(b'\n');
                }
                self.data.extend_from_slice(value);
            }
            b"event" => self.is_error = value == b"error",
            // Comments (an empty field name), id, retry and unknown fields say nothing here.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Event> {
        let is_error = std::mem::take(&mut self.is_error);
        let data = std::mem::take(&mut self.data);
        std::mem::take(&mut self.has_data).then(|| {
            let data = String::from_utf8(data)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
            Event { is_error, data }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(pieces: &[&[u8]]) -> Vec<Event> {
        let mut parser = Parser::default();
        let mut events = Vec::new();
        for piece in pieces {
            parser
                .feed::<TooLong>(piece, |event| {
                    events.push(event);
                    Ok(())
                })
                .unwrap();
        }
        events.extend(parser.finish());
        events
    }

    fn data(text: &str) -> Vec<String> {
        parse(&[text.as_bytes()]).into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn lines_may_end_in_any_of_the_three_ways() {
        for text in
            ["data: a\n\ndata: b\n\n", "data: a\r\n\r\ndata: b\r\n\r\n", "data:a\r\rdata:b\r\r"]
        {
            assert_eq!(data(text), ["a", "b"], "{text:?}");
        }
    }

    #[test]
    fn comments_and_other_fields_are_skipped_and_data_lines_joined() {
        assert_eq!(
            data("\u{feff}: hi\nid: 1\nretry: 5\nfoo\ndata: a\n: ping\ndata:  b\n\n\n"),
            ["a\n b"]
        );
        assert_eq!(data(": ping\n\n: ping\n\n"), [""; 0]);
        assert_eq!(data("data\n\n"), [""]);
    }

    #[test]
    fn the_type_error_marks_one_event() {
        let events = parse(&[b"event: error\ndata: a\n\ndata: b\n\n"]);
        assert_eq!(events.iter().map(|e| e.is_error).collect::<Vec<_>>(), [true, false]);
    }

    #[test]
    fn a_last_event_without_its_line_ends_is_given() {
        assert_eq!(data("data: a\n\ndata: [DONE]"), ["a", "[DONE]"]);
        assert_eq!(data("data: a\n\ndata: b\n"), ["a", "b"]);
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 1024 * 1024];
        let results: Vec<_> = (0..9).map(|_| parser.feed::<TooLong>(&piece, |_| Ok(()))).collect();
        assert_eq!(results.last(), Some(&Err(TooLong)));
        assert_eq!(results[7], Ok(()));
    }

    proptest! {
        #[test]
        fn events_do_not_depend_on_how_the_bytes_are_cut(
            bytes in prop::collection::vec(
                prop_oneof![Just(b'\n'), Just(b'\r'), Just(b':'), Just(b' '), any::<u8>()], 0..200),
            size in 1_usize..9,
        ) {
            // Fields that mean something are woven in, or random bytes would hardly meet them.
            let mut text = b"data: 1\r\nevent: error\n".to_vec();
            text.extend(&bytes);
            text.extend("\n\ndata: \u{1f600}é\r\n\r\n".as_bytes());
            let pieces: Vec<&[u8]> = text.chunks(size).collect();
            prop_assert_eq!(parse(&[&text]), parse(&pieces));
        }
    }
}
