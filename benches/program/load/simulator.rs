//! `lanes simulate` in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use lanes_simulator::MODEL;
use serde_json::json;

use super::bare;

/// A running simulator; it ends with the value.
pub struct Simulator {
    child: Child,
    /// What `/chat/completions` is appended to.
    pub url: String,
}

impl Simulator {
    /// Starts it.
    pub fn start(latency: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_lanes"))
            .args(["simulate", "--addr", "127.0.0.1:0", "--latency", latency])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the simulator starts");
        let stdout = child.stdout.take().expect("its output");
        let address = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
            .expect("it says where it listens");
        Self { child, url: format!("{address}/v1") }
    }

    /// Has it load its tokenizer, with a question that no pass asks.
    pub async fn warm_up(&self) {
        let body = json!({
            "model": MODEL, "messages": [{ "role": "user", "content": "Hello." }], "stream": true,
        });
        let (client, url) = (bare::client(), format!("{}/chat/completions", self.url));
        bare::call(&client, &url, body.to_string()).await;
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
