//! Tests of [`super`]: every shape of body ends in an answer or in the right kind of failure.

use proptest::prelude::*;

use super::*;

/// Reads pieces to their end; the second value is the text as it was called back.
fn read(pieces: &[&[u8]], end: BodyEnd) -> (Result<Received, Failure>, String) {
    let mut heard = String::new();
    let mut on_text = |text: &str| heard.push_str(text);
    let mut reader = Reader::default();
    let fed = pieces.iter().try_for_each(|piece| reader.feed(piece, &mut on_text));
    let result = fed.and_then(|()| reader.end(end, &mut on_text));
    (result, heard)
}

fn kind(text: &str) -> FailureKind {
    read(&[text.as_bytes()], BodyEnd::Complete).0.unwrap_err().kind
}

fn cut_kind(text: &str) -> FailureKind {
    read(&[text.as_bytes()], BodyEnd::Broken).0.unwrap_err().kind
}

fn answer(text: &str) -> Received {
    read(&[text.as_bytes()], BodyEnd::Complete).0.unwrap()
}

fn delta(text: &str) -> String {
    format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n")
}

fn finish(reason: &str) -> String {
    format!("data: {{\"choices\":[{{\"delta\":{{}},\"finish_reason\":\"{reason}\"}}]}}\n\n")
}

#[test]
fn text_usage_and_finish_are_folded() {
    let usage =
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":2}}\n\n";
    let stream =
        [delta("Hel"), delta("lo"), finish("length"), usage.into(), "data: [DONE]\n\n".into()];
    let received = answer(&stream.concat());
    assert_eq!((received.text.as_str(), received.finish), ("Hello", Finish::Length));
    assert_eq!(received.usage, Some(Usage { input: 3, output: 2, ..Usage::default() }));
}

#[test]
fn an_empty_answer_and_one_without_done_are_answers() {
    assert_eq!(answer(&finish("stop")).text, "");
    assert_eq!(answer(&(delta("a") + &finish("eos"))).finish, Finish::Stop);
}

#[test]
fn a_break_after_the_finish_does_no_harm() {
    let text = delta("a") + &finish("stop") + "data: {\"usa";
    assert!(read(&[text.as_bytes()], BodyEnd::Broken).0.is_ok());
}

#[test]
fn thoughts_begin_an_answer_but_are_no_part_of_it() {
    let mut reader = Reader::default();
    let thought = b"data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}\n\n";
    reader.feed(thought, &mut |_| panic!("a thought was called back")).unwrap();
    assert!(reader.has_begun());
}

#[test]
fn a_whole_answer_from_a_server_that_does_not_stream_is_taken() {
    let body = r#" {"choices":[{"message":{"role":"assistant","content":[{"type":"text","text":"Hi"}]},
        "finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1}}"#;
    let (result, heard) = read(&[body.as_bytes()], BodyEnd::Complete);
    assert_eq!((result.unwrap().text.as_str(), heard.as_str()), ("Hi", "Hi"));
}

#[test]
fn what_is_no_stream_is_malformed() {
    for body in [
        "",
        "\n \n",
        "<!doctype html><p>Hello",
        "Internal problem",
        ": ping\n\n",
        "data: [DONE]\n\n",
        "{\"choices\":[{\"mess",
        "{\"hello\":1}",
        "[1,2]",
        "data: {\"choices\":[{\"del\n\n",
        "data: 7\n\n",
        "data: {\"choices\":7}\n\n",
        "data: {\"error\":false}\n\n",
        "{\"error\":\"\"}",
        "{\"data\":[{\"id\":\"a-model\"}]}",
        "HTTP/1.1 200 OK",
        "\u{feff}<html>",
        "\0\0\0\0",
    ] {
        assert_eq!(kind(body), FailureKind::MalformedStream, "{body:?}");
    }
}

#[test]
fn what_stops_early_is_truncated() {
    let begun = delta("a");
    assert_eq!(kind(&begun), FailureKind::TruncatedStream);
    assert_eq!(kind(&(begun.clone() + "data: [DONE]\n\n")), FailureKind::TruncatedStream);
    assert_eq!(kind(&(begun.clone() + "data: {\"choi")), FailureKind::TruncatedStream);
    assert_eq!(cut_kind(&begun), FailureKind::TruncatedStream);
    assert_eq!(cut_kind(""), FailureKind::TruncatedStream);
    assert_eq!(cut_kind("data: {\"cho"), FailureKind::TruncatedStream);
    assert_eq!(cut_kind("{\"choices\":["), FailureKind::TruncatedStream);
}

#[test]
fn errors_inside_a_success_go_by_their_code() {
    use FailureKind as K;
    for (error, expected) in [
        (r#"{"message":"m","code":"insufficient_quota"}"#, K::QuotaExhausted),
        (r#"{"message":"m","type":"rate_limit_error"}"#, K::RateLimited),
        (r#"{"message":"m","code":429}"#, K::RateLimited),
        (r#"{"message":"m","code":401}"#, K::InvalidKey),
        (r#"{"message":"m","code":502}"#, K::ServerError),
        (r#"{"message":"m","code":"context_length_exceeded"}"#, K::InvalidRequest),
        (r#"{"message":"m","type":"overloaded_error"}"#, K::ServerError),
        (r#"{"code":"content_filter"}"#, K::ContentRefused),
        (r#""something broke""#, K::ServerError),
    ] {
        let stream = delta("a") + &format!("data: {{\"error\":{error}}}\n\n");
        assert_eq!(kind(&stream), expected, "{error}");
        assert_eq!(kind(&format!("{{\"error\":{error}}}")), expected, "{error}");
    }
    for (error, expected) in [
        (r#"{"object":"error","message":"m","code":404}"#, K::UnknownModel),
        (r#"{"object":"error","message":"no","type":"invalid_request_error"}"#, K::InvalidRequest),
        (r#"{"id":"x","choices":[{"error":{"message":"m","code":429}}]}"#, K::RateLimited),
        (r#"{"id":"x","choices":[],"error":{"message":"m","code":"503"}}"#, K::ServerError),
    ] {
        assert_eq!(kind(&format!("data: {error}\n\n")), expected, "{error}");
        assert_eq!(kind(&format!("{}data: {error}\n\n", delta("a"))), expected, "{error}");
        assert_eq!(kind(error), expected, "{error}");
    }
    assert_eq!(kind(r#"[{"error":{"message":"m","code":429}}]"#), K::RateLimited);
    assert_eq!(kind("event: error\ndata: {\"message\":\"m\"}\n\n"), K::ServerError);
    assert_eq!(kind("event: error\ndata: oops\n\n"), K::ServerError);
    assert_eq!(kind(&finish("error")), K::ServerError);
}

#[test]
fn a_filter_and_a_refusal_are_refused_content() {
    assert_eq!(kind(&(delta("a") + &finish("content_filter"))), FailureKind::ContentRefused);
    let refusal = "data: {\"choices\":[{\"delta\":{\"refusal\":\"No.\"}}]}\n\n".to_owned();
    assert_eq!(kind(&(refusal + &finish("stop"))), FailureKind::ContentRefused);
}

#[test]
fn an_error_member_that_says_nothing_is_no_error() {
    for nothing in ["null", "false", "\"\""] {
        let stream =
            delta("a").replace("{\"choices\"", &format!("{{\"error\":{nothing},\"choices\""));
        assert_eq!(answer(&(stream + &finish("stop"))).text, "a", "{nothing}");
    }
}

#[test]
fn the_model_that_answered_is_told_by_the_first_chunk_that_names_one() {
    let stream = delta("a") + "data: {\"model\":\"m-1\",\"choices\":[]}\n\n" + &finish("stop");
    assert_eq!(answer(&stream).model.as_deref(), Some("m-1"));
    for nothing in ["7", "null", "\"\"", "[]"] {
        let stream = stream.replace("\"m-1\"", nothing);
        assert_eq!(answer(&stream).model, None, "{nothing}");
    }
}

#[test]
fn nesting_without_end_is_malformed() {
    for open in ["[", "{\"error\":", "{\"choices\":["] {
        let deep = open.repeat(100_000);
        assert_eq!(kind(&deep), FailureKind::MalformedStream, "{open}");
        assert_eq!(kind(&format!("data: {deep}\n\n")), FailureKind::MalformedStream, "{open}");
    }
}

#[test]
fn a_stream_of_nothing_without_end_is_malformed() {
    // Comments and thoughts are dropped as they come, so that only their number costs anything.
    let mut comment = vec![b':'; 1024 * 1024];
    comment.extend_from_slice(b"\n\n");
    let mut reader = Reader::default();
    let fed = (0..65).try_for_each(|_| reader.feed(&comment, &mut |_| ()));
    let failure = fed.unwrap_err();
    assert_eq!(failure.kind, FailureKind::MalformedStream);
    assert!(failure.message.contains("64 MB"), "{failure}");
}

#[test]
fn an_answer_above_the_cap_is_malformed() {
    let piece = delta(&"x".repeat(1024 * 1024));
    assert_eq!(kind(&piece.repeat(5)), FailureKind::MalformedStream);
    assert_eq!(kind(&format!("{{\"x\":\"{}", "x".repeat(sse::MOST))), FailureKind::MalformedStream);
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6),
        broken: bool,
    ) {
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let end = if broken { BodyEnd::Broken } else { BodyEnd::Complete };
        let _ = read(&pieces, end);
    }

    #[test]
    fn damaged_streams_never_panic_and_cuts_change_nothing(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        size in 1_usize..40,
    ) {
        let mut bytes = [delta("Grüße"), delta("x"), finish("stop"), "data: [DONE]\n\n".into()]
            .concat()
            .into_bytes();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(read(&[&bytes], BodyEnd::Complete), read(&pieces, BodyEnd::Complete));
    }
}
