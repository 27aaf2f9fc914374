//! The scripted server, and the helpers that every test shares.
//!
//! Each request takes the next reply of the script; a connection that was closed by the client is
//! reported, as is each request. It never closes a connection unless a step says so.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use lanes_model::Failure;
use lanes_provider::{Answer, ChatRequest, Client, ProviderConfig, Timeouts};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};

/// The key of every client here: no failure may show it.
pub const KEY: &str = "planted-key-0123456789";

/// What a server does to answer.
#[derive(Clone)]
pub enum Step {
    Send(Vec<u8>),
    /// Waits for the test.
    Await(Arc<Notify>),
    /// Sends these bytes again and again, a moment apart, for as long as the client takes them.
    Drip(Vec<u8>),
    /// Closes the connection.
    Close,
    /// Says nothing more, and waits for the client to go.
    Hang,
}

/// What a server has seen.
#[derive(Debug, PartialEq, Eq)]
pub enum Seen {
    /// A request on the connection of this number, head and body.
    Request { connection: usize, text: String },
    /// The client closed that connection.
    Closed(usize),
}

pub struct Server {
    pub origin: String,
    pub seen: mpsc::UnboundedReceiver<Seen>,
}

impl Server {
    /// Serves each reply once, in order, whatever connections the requests come on.
    pub async fn start(replies: Vec<Vec<Step>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let (tell, seen) = mpsc::unbounded_channel();
        let replies = Arc::new(Mutex::new(replies.into_iter()));
        tokio::spawn(async move {
            for connection in 0.. {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, connection, replies.clone(), tell.clone()));
            }
        });
        Self { origin, seen }
    }

    /// One reply of these bytes, then silence.
    pub async fn sending(bytes: impl Into<Vec<u8>>) -> Self {
        Self::start(vec![vec![Step::Send(bytes.into()), Step::Hang]]).await
    }

    pub async fn request(&mut self) -> String {
        match self.seen.recv().await.unwrap() {
            Seen::Request { text, .. } => text,
            Seen::Closed(connection) => panic!("connection {connection} was closed"),
        }
    }

    pub fn client(&self) -> Client {
        client(&self.origin, Timeouts::default())
    }

    /// Asks once, and looks for the key in what fails.
    pub async fn ask(&self) -> Result<Answer, Failure> {
        ask(&self.client()).await
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    replies: Arc<Mutex<std::vec::IntoIter<Vec<Step>>>>,
    tell: mpsc::UnboundedSender<Seen>,
) {
    while let Some(text) = read_request(&mut stream).await {
        let _ = tell.send(Seen::Request { connection, text });
        let reply = replies.lock().unwrap().next().unwrap_or(vec![Step::Close]);
        for step in reply {
            match step {
                Step::Send(bytes) => {
                    // The client may go while it is written.
                    if stream.write_all(&bytes).await.is_err() {
                        break;
                    }
                }
                Step::Await(notify) => notify.notified().await,
                Step::Drip(bytes) => {
                    while stream.write_all(&bytes).await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    break;
                }
                Step::Close => return,
                Step::Hang => while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {},
            }
        }
    }
    let _ = tell.send(Seen::Closed(connection));
}

/// Head and body; `None` when the client has closed.
async fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return Some(text.into_owned());
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

pub fn config(origin: &str, timeouts: Timeouts) -> ProviderConfig {
    ProviderConfig {
        id: "test".into(),
        name: "Test".into(),
        base_url: format!("{origin}/v1/"),
        replicas: Vec::new(),
        max_concurrency: None,
        fallback: Vec::new(),
        api_key: Some(format!(" {KEY}\n").into()),
        models: vec!["gpt-4o-mini".into(), "other".into()],
        simulated: false,
        timeouts,
        rpm: Some(60),
        tpm: None,
        extra_headers: vec![("x-team".into(), "planted-team".into())],
    }
}

pub fn client(origin: &str, timeouts: Timeouts) -> Client {
    Client::new(config(origin, timeouts)).unwrap()
}

pub fn question() -> ChatRequest {
    ChatRequest {
        model: "gpt-4o-mini".into(),
        system: "Be brief.".into(),
        user: "hello world".into(),
        max_tokens: 50,
        images: Vec::new(),
        headers: vec![("x-call".into(), "7".into())],
        ..ChatRequest::default()
    }
}

pub async fn ask(client: &Client) -> Result<Answer, Failure> {
    let result = client.chat(&question(), |_| ()).await;
    if let Err(failure) = &result {
        let shown = format!("{failure} {failure:?} {client:?}");
        assert!(!shown.contains("planted"), "{shown}");
        assert!(!failure.message.chars().any(char::is_control), "{shown}");
    }
    result
}

/// Shorter than any server here answers.
pub fn short(change: impl FnOnce(&mut Timeouts)) -> Timeouts {
    let mut timeouts = Timeouts::default();
    change(&mut timeouts);
    timeouts
}

pub const SHORT: Duration = Duration::from_millis(60);

pub fn head(status: &str, more: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{more}\r\n")
}

/// A response whole.
pub fn response(status: &str, more: &str, body: &str) -> String {
    head(status, &format!("content-length: {}\r\n{more}", body.len())) + body
}

/// The head of a stream that has no end but the connection's.
pub fn stream_head() -> String {
    head("200 OK", "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n")
}

/// Bytes as one chunk of a chunked body.
pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// The end of a chunked body.
pub const END: &[u8] = b"0\r\n\r\n";

pub fn delta(text: &str) -> String {
    let chunk = serde_json::json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {chunk}\n\n")
}

pub const FINISH: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
pub const DONE: &str = "data: [DONE]\n\n";
pub const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1000,\
    \"completion_tokens\":100,\"prompt_tokens_details\":{\"cached_tokens\":400}}}\n\n";

/// A whole good answer.
pub fn good(text: &str) -> String {
    let body = [&delta(text), FINISH, USAGE, DONE].concat();
    response("200 OK", "content-type: text/event-stream\r\n", &body)
}
