//! Requests as bytes, for what no proper client would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::Program;

/// A connection to the program.
pub fn connect(program: &Program) -> TcpStream {
    let stream = TcpStream::connect(program.url.trim_start_matches("http://")).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    stream
}

/// Sends these bytes and reads until the program closes the connection.
pub fn raw(program: &Program, bytes: &str) -> String {
    let mut stream = connect(program);
    // It may close before it has read all of a request that it refuses.
    let _ = stream.write_all(bytes.as_bytes());
    until_closed(&mut stream)
}

/// Reads until the program closes the connection.
pub fn until_closed(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = match stream.read(&mut buffer) {
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => 0,
            read => read.expect("it is closed in time"),
        };
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8_lossy(&answer).into_owned()
}
