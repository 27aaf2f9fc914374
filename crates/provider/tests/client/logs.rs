//! Nothing that is logged on the way, at any level, holds a key, a question or an answer.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use crate::server::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_log_holds_a_key_a_question_or_an_answer() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .finish();
    // The test's runtime has one thread, so this hears every task of it.
    let _heard = tracing::subscriber::set_default(subscriber);
    tracing::info!("the log is heard");
    let error = format!(r#"{{"error":{{"message":"bad key {KEY}, planted-answer"}}}}"#);
    let replies = [
        good("planted-answer"),
        response("500 Oops", "", &error),
        response("200 OK", "", "data: planted-answer\n\n"),
        response("200 OK", "", r#"{"data":[{"id":"planted-answer"}]}"#),
        response("200 OK", "", "planted-answer"),
    ];
    let replies = replies.map(|bytes| vec![Step::Send(bytes.into_bytes())]);
    let server = Server::start(replies.into()).await;
    let client = server.client();
    let mut question = question();
    question.user = "planted-question".into();
    for _ in 0..3 {
        let _ = client.chat(&question, |_| ()).await;
    }
    assert_eq!(client.models().await.unwrap(), ["planted-answer"]);
    assert!(client.models().await.is_err());
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("the log is heard"));
    assert!(!log.contains("planted"), "{log}");
}

#[tokio::test]
async fn another_model_than_asked_for_is_logged_once_for_each_that_is_asked() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).finish();
    let _heard = tracing::subscriber::set_default(subscriber);
    let named = |model: &str| {
        let chunk = format!("data: {{\"model\":\"{model}\",\"choices\":[]}}\n\n");
        let body = [&chunk, &delta("a"), FINISH, DONE].concat();
        vec![Step::Send(response("200 OK", "", &body).into_bytes())]
    };
    let same = || named("gpt-4o-mini-2024-07-18");
    let other = || named(&format!("cheap {KEY}\\u001b[0m"));
    let server = Server::start(vec![same(), other(), other()]).await;
    let client = server.client();
    for expected in [0, 1, 1] {
        assert_eq!(ask(&client).await.unwrap().text, "a");
        let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(log.matches("another model than was asked for").count(), expected, "{log}");
        assert_eq!(log.matches("cheap [hidden]").count(), expected, "{log}");
    }
}
