//! Server-sent events as they come.

use std::collections::VecDeque;
use std::time::Duration;

use reqwest::Response;
use tokio::time::timeout;

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its kind.
    pub event: String,
    /// What it says.
    pub data: String,
}

/// The messages of an answer.
pub struct Events {
    response: Response,
    silence: Duration,
    reader: Reader,
    ready: VecDeque<Message>,
}

impl Events {
    /// Reads an answer; one that says nothing for so long is taken for broken.
    pub(super) fn new(response: Response, silence: Duration) -> Self {
        Self { response, silence, reader: Reader::default(), ready: VecDeque::new() }
    }

    /// The next message; none when the stream has ended, for whatever reason. Who waits for a certain
    /// last message knows by it whether that was the end.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
            }
            let chunk = timeout(self.silence, self.response.chunk()).await.ok()?.ok()??;
            self.ready.extend(self.reader.read(&chunk));
        }
    }
}

/// Puts messages together from pieces cut anywhere.
#[derive(Default)]
struct Reader {
    line: Vec<u8>,
    event: String,
    data: Vec<String>,
}

impl Reader {
    fn read(&mut self, bytes: &[u8]) -> Vec<Message> {
        let mut messages = Vec::new();
        for &byte in bytes {
            if byte != b'\n' {
                self.line.push(byte);
                continue;
            }
            let line = std::mem::take(&mut self.line);
            let line = String::from_utf8_lossy(&line);
            messages.extend(self.line(line.strip_suffix('\r').unwrap_or(&line)));
        }
        messages
    }

    fn line(&mut self, line: &str) -> Option<Message> {
        if line.is_empty() {
            let (event, data) = (std::mem::take(&mut self.event), std::mem::take(&mut self.data));
            return (!data.is_empty()).then(|| Message { event, data: data.join("\n") });
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.event),
            "data" => self.data.push(value.to_owned()),
            // An id, a comment, how soon to come back.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_the_same_however_they_are_cut() {
        let text = "retry: 1000\n\nid: 3\nevent: frame\ndata: {\"a\":\ndata: \"ä\"}\r\n\r\n: alive\n\n\
                    event: end\ndata: {}\n\n";
        let whole = Reader::default().read(text.as_bytes());
        assert_eq!(whole.len(), 2);
        assert_eq!((&*whole[0].event, &*whole[0].data), ("frame", "{\"a\":\n\"ä\"}"));
        assert_eq!((&*whole[1].event, &*whole[1].data), ("end", "{}"));
        let mut reader = Reader::default();
        let pieces: Vec<_> = text.as_bytes().iter().flat_map(|b| reader.read(&[*b])).collect();
        assert_eq!(pieces, whole);
    }
}
