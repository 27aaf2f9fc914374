//! One running `lanes serve` for a test, with its own data directory and a fast simulator.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tempfile::TempDir;

/// A running program; it ends with the value.
pub struct Program {
    child: Child,
    pub url: String,
    pub client: Client,
    data: TempDir,
    variables: Vec<(String, String)>,
    /// The program and the arguments that start it.
    prefix: Vec<String>,
}

impl Program {
    /// Starts it with answers that take `latency`.
    pub fn start(latency: &str) -> Self {
        Self::start_with(latency, "", &[])
    }

    /// Starts it with these lines of `lanes.toml` and these variables, too.
    pub fn start_with(latency: &str, file: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_by(&[], latency, file, variables)
    }

    /// Starts it by another program, which is given its path and its arguments and becomes it.
    pub fn start_by(
        prefix: &[&str],
        latency: &str,
        file: &str,
        variables: &[(&str, &str)],
    ) -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(data.path().join("lanes.toml"), file).expect("a file");
        let latency = [("LANES_SIM_LATENCY", latency)];
        let variables = latency.iter().chain(variables);
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: Vec<_> = variables.map(owned).collect();
        let prefix: Vec<_> = prefix.iter().map(|&word| word.to_owned()).collect();
        let (child, url) = Self::spawn(&data, &variables, &prefix);
        Self { child, url, client: client(), data, variables, prefix }
    }

    /// Starts it on data that is there already.
    #[allow(dead_code, reason = "the benchmarks share this file")]
    pub fn start_on(data: TempDir, variables: &[(&str, &str)]) -> Self {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let variables: Vec<_> =
            [("LANES_SIM_LATENCY", "none")].iter().chain(variables).map(owned).collect();
        let (child, url) = Self::spawn(&data, &variables, &[]);
        Self { child, url, client: client(), data, variables, prefix: Vec::new() }
    }

    /// Kills it as `kill -9` does, and starts it again on the same data.
    #[allow(dead_code, reason = "the benchmarks share this file")]
    pub fn kill_and_start_again(&mut self) {
        self.kill();
        self.start_again();
    }

    /// Kills it as `kill -9` does.
    #[allow(dead_code, reason = "the benchmarks share this file")]
    pub fn kill(&mut self) {
        self.child.kill().expect("it is there");
        self.child.wait().expect("it is gone");
    }

    /// Starts it again on the same data.
    #[allow(dead_code, reason = "the benchmarks share this file")]
    pub fn start_again(&mut self) {
        (self.child, self.url) = Self::spawn(&self.data, &self.variables, &self.prefix);
    }

    /// Its process.
    #[allow(dead_code, reason = "the benchmarks share this file")]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its data directory.
    #[allow(dead_code, reason = "the benchmarks share this file")]
    pub fn data(&self) -> &std::path::Path {
        self.data.path()
    }

    fn spawn(data: &TempDir, variables: &[(String, String)], prefix: &[String]) -> (Child, String) {
        let program = env!("CARGO_BIN_EXE_lanes").to_owned();
        let mut words = prefix.iter().chain([&program]);
        let mut child = Command::new(words.next().expect("a program"))
            .args(words)
            .args(["serve", "--addr", "127.0.0.1:0", "--data-dir"])
            .arg(data.path())
            .current_dir(data.path())
            .env_remove("OPENAI_API_KEY")
            .env_remove("OPENAI_BASE_URL")
            .env_remove("LANES_ADDR")
            .env_remove("LANES_TOKEN")
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(
                std::fs::File::options()
                    .create(true)
                    .append(true)
                    .open(data.path().join("log"))
                    .expect("a file"),
            )
            .spawn()
            .expect("the program starts");
        let stdout = child.stdout.take().expect("its output");
        let url = BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned))
            .expect("it says where it listens");
        (child, url)
    }

    /// Where it keeps its data; its log is in there, too, as `log`.
    #[allow(dead_code, reason = "the benchmarks share this file")]
    pub fn folder(&self) -> &std::path::Path {
        self.data.path()
    }

    /// What it holds in memory, kB, as Linux counts it.
    #[allow(dead_code, reason = "for the benchmarks, which share this file")]
    pub fn resident_kb(&self) -> u64 {
        let status = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(status).expect("a Linux machine");
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("its memory");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().await.expect("an answer")
    }

    pub async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.client.post(format!("{}{path}", self.url)).json(body);
        request.send().await.expect("an answer")
    }

    /// Starts a run and returns its id.
    pub async fn run(&self, body: &Value) -> String {
        let response = self.post("/api/runs", body).await;
        assert_eq!(response.status(), StatusCode::CREATED);
        let location = response.headers()["location"].to_str().expect("text").to_owned();
        let id = json(response).await["id"].as_str().expect("an id").to_owned();
        assert_eq!(location, format!("/api/runs/{id}"));
        id
    }

    /// The whole event stream of a run, until the server closes it: the end of the run.
    pub async fn events(&self, id: &str, after: u64) -> String {
        let response = self.get(&format!("/api/runs/{id}/events?after={after}")).await;
        response.text().await.expect("the stream")
    }
}

/// A client that shows redirects as they are.
fn client() -> Client {
    // reqwest asks for a TLS back end even for plain HTTP.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
    builder.build().expect("a client")
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A response's body as JSON.
pub async fn json(response: Response) -> Value {
    response.json().await.expect("JSON")
}
