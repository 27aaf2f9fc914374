//! One event, one line: whatever a request had in it, nobody can write a line of the log that the
//! program did not.

use std::io::{self, Write};

/// A writer that is given one event at a time and writes it as one line.
pub struct OneLine<W>(pub W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        self.0.write_all(&line(event))?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
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

    #[test]
    fn an_event_is_one_line_whatever_is_in_it() {
        let mut log = OneLine(Vec::new());
        log.write_all(b"a\r\nINFO forged\tb\0\n").unwrap();
        log.write_all("é\u{7f}".as_bytes()).unwrap();
        assert_eq!(String::from_utf8(log.0).unwrap(), "a\\r\\nINFO forged\\tb\\x00\né\\x7f\n");
    }
}
