//! One event, one line: whatever a request had in it, nobody can write a line of the log that the
//! program did not.

use std::io::{self, Write};

/// A writer that is given one event at a time and writes it as one line. One that cannot be written is
/// lost: a log on a full disk must not end what it tells of.
pub struct OneLine<W>(pub W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        // Told of, it would be written to the same place, and that panics.
        let _ = self.0.write_all(&line(event));
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

/// The event with its control characters written out. Escape stays: the colours of a terminal need it,
/// and values have theirs written out before.
fn line(event: &[u8]) -> Vec<u8> {
    const ESCAPE: u8 = 0x1b;
    let text = event.strip_suffix(b"\n").unwrap_or(event);
    let mut line = Vec::with_capacity(event.len());
    for &byte in text {
        if byte.is_ascii_control() && byte != ESCAPE {
            line.extend(byte.escape_ascii());
        } else {
            line.push(byte);
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk without room.
    struct Full;

    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::StorageFull.into())
        }
    }

    #[test]
    fn what_cannot_be_written_is_lost_without_a_word() {
        let mut log = OneLine(Full);
        assert!(log.write_all(b"an event\n").is_ok() && log.flush().is_ok());
    }

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let mut log = OneLine(Vec::new());
        log.write_all(b"a\r\nINFO forged\tb\0\n").unwrap();
        log.write_all("é\u{7f}".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(log.0).unwrap(), "a\\r\\nINFO forged\\tb\\x00\né\\x7f\n");
    }
}
