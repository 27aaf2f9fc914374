//! `lanes simulate` in a process of its own.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, ChildStdout, Command, Stdio};

use lanes_simulator::MODEL;
use serde_json::json;

use super::bare;

/// A running simulator; it ends with the value.
pub struct Simulator {
    child: Child,
    output: BufReader<ChildStdout>,
    /// What `/chat/completions` is appended to.
    pub url: String,
}

impl Simulator {
    /// Starts it.
    pub fn start(latency: &str) -> Self {
        Self::with(&["--latency", latency])
    }

    /// Starts it with these flags.
    pub fn with(flags: &[&str]) -> Self {
        Self::at(0, flags)
    }

    /// Starts it at a port of its own.
    pub fn at(port: u16, flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lanes"))
            .args(["simulate", "--addr", &format!("127.0.0.1:{port}")])
            .args(flags)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the simulator starts");
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let address = output
            .by_ref()
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
            .expect("it says where it listens");
        Self { child, output, url: format!("{address}/v1") }
    }

    /// Stops it, and says how many chat requests it has received.
    pub fn requests(mut self) -> u64 {
        let pid = self.child.id().to_string();
        let asked = Command::new("kill").arg(pid).status().expect("kill");
        assert!(asked.success(), "it is asked to stop");
        let mut last = String::new();
        self.output.read_to_string(&mut last).expect("its last words");
        let counts = last.lines().find_map(|line| line.strip_prefix("requests "));
        let count = counts.and_then(|line| line.split(',').next());
        count.and_then(|count| count.parse().ok()).expect("the count of requests")
    }

    /// Has it load its tokenizer, with a question that no pass asks.
    pub async fn warm_up(&self) {
        let body = json!({
            "model": MODEL, "messages": [{ "role": "user", "content": "Hello." }], "stream": true,
        });
        let (client, url) = (bare::client(), format!("{}/chat/completions", self.url));
        assert!(bare::call(&client, &url, body.to_string()).await, "it is let in");
    }
}

/// A free port that no outgoing connection is given (Linux gives them those from 32768 on), so that a
/// simulator can come back to it.
pub fn lasting_port() -> u16 {
    let free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    (20_000..30_000).find(free).expect("a free port")
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
