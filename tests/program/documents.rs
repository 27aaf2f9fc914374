//! Documents over REST: uploaded, recognised, refused, listed, shown, run on, deleted. The files are
//! those of tests/files; they are read by the program's own child process.

use reqwest::multipart::{Form, Part};
use reqwest::{Response, StatusCode, header};
use serde_json::{Value, json as body};

use crate::support::{Program, json};

fn file(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/files/{name}", env!("CARGO_MANIFEST_DIR"))).expect(name)
}

fn part(name: &str, bytes: Vec<u8>) -> Part {
    Part::bytes(bytes).file_name(name.to_owned())
}

async fn send(program: &Program, form: Form) -> Response {
    let address = format!("{}/api/documents", program.url);
    program.client.post(address).multipart(form).send().await.expect("an answer")
}

async fn upload(program: &Program, names: &[&str]) -> Value {
    let form =
        names.iter().fold(Form::new(), |form, name| form.part("file", part(name, file(name))));
    let response = send(program, form).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    json(response).await
}

fn ids(added: &Value) -> Vec<String> {
    let documents = added["documents"].as_array().expect("documents");
    documents.iter().map(|d| d["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn every_kind_is_taken_and_what_is_rejected_fails_no_other() {
    let program = Program::start("none");
    let names = [
        "notes.md",
        "utf16.txt",
        "chromium.pdf",
        "encrypted.pdf",
        "python-docx.docx",
        "empty.txt",
        "tickets.csv",
        "tickets.jsonl",
        "scan.png",
        "scan.jpg",
        "scan.webp",
        "truncated.docx",
    ];
    let added = upload(&program, &names).await;
    let documents = added["documents"].as_array().expect("documents");
    let types: Vec<_> =
        documents.iter().map(|d| d["media_type"].as_str().expect("a type")).collect();
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    assert_eq!(
        types,
        [
            "text/markdown",
            "text/plain",
            "application/pdf",
            docx,
            "text/csv",
            "application/jsonl",
            "image/png",
            "image/jpeg",
            "image/webp",
        ]
    );
    for document in documents {
        assert_eq!(document["sha256"].as_str().expect("a hash").len(), 64);
        assert!(document["tokens"].as_u64().expect("tokens") > 0);
        assert!(document["bytes"].as_u64().expect("bytes") > 0);
    }
    assert_eq!((&documents[2]["pages"], &documents[4]["records"]), (&body!(1), &body!(20)));
    let rejected = added["rejected"].as_array().expect("rejected");
    let told: Vec<_> = rejected
        .iter()
        .map(|r| (r["name"].as_str().expect("a name"), r["reason"].as_str().expect("a reason")))
        .collect();
    assert_eq!(
        told,
        [("encrypted.pdf", "encrypted"), ("empty.txt", "empty"), ("truncated.docx", "damaged")]
    );
}

#[tokio::test]
async fn the_same_content_is_the_same_document_whatever_its_name() {
    let program = Program::start("none");
    let first = upload(&program, &["fpdf2.pdf"]).await;
    assert_eq!(first["documents"][0]["duplicate"], Value::Null);
    let again = upload(&program, &["wrong-extension.txt", "fpdf2.pdf"]).await;
    for document in again["documents"].as_array().expect("documents") {
        assert_eq!(document["id"], first["documents"][0]["id"]);
        assert_eq!(document["duplicate"], true);
    }
    let list = json(program.get("/api/documents").await).await;
    assert_eq!(list["total"], 1);
}

#[tokio::test]
async fn a_document_is_listed_shown_and_deleted() {
    let program = Program::start("none");
    let added = upload(&program, &["notes.md", "tickets.csv", "scan.png"]).await;
    let ids = ids(&added);
    let page = json(program.get("/api/documents?limit=2").await).await;
    assert_eq!((page["items"].as_array().map(Vec::len), &page["total"]), (Some(2), &body!(3)));
    let cursor = page["next_cursor"].as_str().expect("a cursor");
    let rest = json(program.get(&format!("/api/documents?limit=2&cursor={cursor}")).await).await;
    assert_eq!(rest["items"].as_array().map(Vec::len), Some(1));

    let notes = json(program.get(&format!("/api/documents/{}", ids[0])).await).await;
    assert!(notes["preview"].as_str().expect("text").starts_with("# Notes\n"));
    let table = json(program.get(&format!("/api/documents/{}", ids[1])).await).await;
    assert_eq!(table["text_column"], "message");
    assert_eq!(table["rows"][0]["language"], "en");
    let image = program.get(&format!("/api/documents/{}/content", ids[2])).await;
    assert_eq!(image.headers()[header::CONTENT_TYPE], "image/png");
    assert_eq!(image.bytes().await.expect("bytes").as_ref(), file("scan.png"));

    let address = format!("{}/api/documents/{}", program.url, ids[0]);
    let deleted = program.client.delete(&address).send().await.expect("an answer");
    assert_eq!(deleted.status(), StatusCode::NO_CONTENT);
    let again = program.client.delete(&address).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
    assert_eq!(program.get("/api/documents?limit=0").await.status().as_u16(), 422);
    assert_eq!(program.get("/api/documents?cursor=x").await.status().as_u16(), 422);
}

#[tokio::test]
async fn a_run_takes_documents_and_every_row_of_a_table() {
    let program = Program::start("none");
    let added = upload(&program, &["notes.md", "tickets.csv", "scan.png"]).await;
    let ids = ids(&added);
    let id = program
        .run(&body!({
            "input": { "document_ids": ids }, "tasks": ["summary", "category"], "mode": "parallel",
        }))
        .await;
    program.events(&id, 0).await;
    let run = json(program.get(&format!("/api/runs/{id}")).await).await;
    assert_eq!(
        (&run["status"], &run["title"]),
        (&body!("succeeded"), &body!("3 documents, 2 tasks"))
    );
    let documents = run["documents"].as_array().expect("documents");
    assert_eq!(documents.len(), 22);
    assert_eq!(documents[3]["name"], "tickets.csv #3");
    // What a run reads stays as long as the run does.
    for id in &ids {
        let address = format!("{}/api/documents/{id}", program.url);
        program.client.delete(address).send().await.expect("an answer");
    }
    let list = json(program.get("/api/documents").await).await;
    assert_eq!(list["total"], 0);
    let run = json(program.get(&format!("/api/runs/{id}")).await).await;
    assert_eq!(run["documents"].as_array().map(Vec::len), Some(22));
}

#[tokio::test]
async fn an_image_is_sent_as_an_image() {
    let program = Program::start("none");
    let ids = ids(&upload(&program, &["scan.png"]).await);
    let id = program
        .run(&body!({
            "input": { "document_ids": ids }, "tasks": ["summary"], "mode": "parallel",
        }))
        .await;
    program.events(&id, 0).await;
    let run = json(program.get(&format!("/api/runs/{id}")).await).await;
    assert_eq!((&run["status"], &run["title"]), (&body!("succeeded"), &body!("scan.png, Summary")));
    // The simulator counts 85 tokens for an image, and the text is its name alone.
    let input = run["passes"][0]["calls"][0]["tokens"]["input"].as_u64().expect("a number");
    let plain = program
        .run(&body!({
            "input": { "text": "[scan.png]" }, "tasks": ["summary"], "mode": "parallel",
        }))
        .await;
    program.events(&plain, 0).await;
    let run = json(program.get(&format!("/api/runs/{plain}")).await).await;
    let without = run["passes"][0]["calls"][0]["tokens"]["input"].as_u64().expect("a number");
    assert_eq!(input, without + 85);
}

#[tokio::test]
async fn documents_that_cannot_be_run_on_are_told_with_their_place() {
    let program = Program::start("none");
    let long = "A long text. ".repeat(20_000);
    let form = Form::new()
        .part("file", part("long.txt", long.into_bytes()))
        .part("file", part("short.txt", b"A short one.".to_vec()));
    let ids = ids(&json(send(&program, form).await).await);
    let request = body!({
        "input": { "document_ids": [ids[1], "nope", ids[0], ids[1]] }, "tasks": ["summary"],
    });
    let refused = json(program.post("/api/runs", &request).await).await;
    let errors = refused["errors"].as_array().expect("errors");
    let places: Vec<_> = errors.iter().map(|e| e["pointer"].as_str().expect("a place")).collect();
    assert_eq!(places, ["/input/document_ids/1", "/input/document_ids/2", "/input/document_ids/3"]);
    assert!(errors[1]["detail"].as_str().expect("text").contains("260000 bytes"));
}

#[tokio::test]
async fn the_text_column_is_chosen_by_a_field_before_or_after_the_file() {
    let program = Program::start("none");
    let csv = || part("t.csv", file("tickets.csv"));
    let before = Form::new().text("text_column", "language").part("file", csv());
    let after = Form::new().part("file", csv()).text("text_column", "language");
    let before = json(send(&program, before).await).await;
    let after = json(send(&program, after).await).await;
    assert_eq!(before["documents"][0]["text_column"], "language");
    assert_eq!(after["documents"][0]["id"], before["documents"][0]["id"]);
    assert_eq!(after["documents"][0]["duplicate"], true);
    let wrong = Form::new().text("text_column", "nope").part("file", csv());
    let wrong = json(send(&program, wrong).await).await;
    assert_eq!(wrong["rejected"][0]["reason"], "no_column");
}

#[tokio::test]
async fn what_is_no_upload_is_refused() {
    let program = Program::start("none");
    let problem = async |response: Response, status: u16| {
        assert_eq!(response.status().as_u16(), status);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    };
    problem(program.post("/api/documents", &body!({})).await, 415).await;
    problem(send(&program, Form::new().text("a", "b")).await, 400).await;
    let cut = program
        .client
        .post(format!("{}/api/documents", program.url))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
        .body("--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nabc");
    problem(cut.send().await.expect("an answer"), 400).await;
    let large = Form::new().part("file", part("large.txt", vec![b'a'; (25 << 20) + 1]));
    let added = json(send(&program, large).await).await;
    assert_eq!(added["rejected"][0]["reason"], "too_large");
}

/// A PDF whose page unpacks, twice over, to far more memory than the reader may have.
fn bomb() -> Vec<u8> {
    let pack = |bytes: &[u8]| {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        std::io::Write::write_all(&mut packer, bytes).expect("memory");
        packer.finish().expect("memory")
    };
    // 1.5 GB of blanks, packed, packed again.
    let mut inner = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    let blanks = vec![b' '; 16 << 20];
    for _ in 0..96 {
        std::io::Write::write_all(&mut inner, &blanks).expect("memory");
    }
    let stream = pack(&inner.finish().expect("memory"));
    let stream_object = [
        format!("<</Length {}/Filter[/FlateDecode/FlateDecode]>>stream\n", stream.len())
            .into_bytes(),
        stream,
        b"\nendstream".to_vec(),
    ]
    .concat();
    let objects: [&[u8]; 4] = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>",
        &stream_object,
    ];
    let (mut pdf, mut places) = (b"%PDF-1.4\n".to_vec(), String::new());
    for (n, object) in objects.iter().enumerate() {
        places += &format!("{:010} 00000 n \n", pdf.len());
        pdf.extend(format!("{} 0 obj\n", n + 1).into_bytes());
        pdf.extend_from_slice(object);
        pdf.extend(b"\nendobj\n");
    }
    let end = format!(
        "xref\n0 5\n0000000000 65535 f \n{places}trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n{}\n%%EOF\n",
        pdf.len()
    );
    pdf.extend(end.into_bytes());
    pdf
}

#[tokio::test]
async fn a_pdf_that_unpacks_to_gigabytes_ends_its_reader_and_nothing_else() {
    let program = Program::start("none");
    let bomb = bomb();
    assert!(bomb.len() < 1 << 20, "{} bytes", bomb.len());
    let form = Form::new()
        .part("file", part("bomb.pdf", bomb))
        .part("file", part("after.txt", b"Still here.".to_vec()));
    let added = json(send(&program, form).await).await;
    // The reader dies, or gives up where its memory ends: that is up to where it is just then.
    let reason = added["rejected"][0]["reason"].as_str().expect("a reason");
    assert!(matches!(reason, "over_limit" | "bomb" | "no_text"), "{added}");
    assert_eq!(added["documents"][0]["name"], "after.txt");
    assert!(program.resident_kb() < 400_000, "{} kB", program.resident_kb());
}

/// The reader by itself, with limits of the test's choosing.
fn reader(arguments: &[&str], file: &[u8]) -> std::process::Output {
    use std::io::Write;
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_lanes"))
        .arg("extract")
        .args(arguments)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the program starts");
    // One that has died reads no more.
    let _ = child.stdin.take().expect("its input").write_all(file);
    child.wait_with_output().expect("its output")
}

#[test]
fn the_reader_answers_in_json() {
    let output = reader(&["--name=a.pdf"], &file("weasyprint.pdf"));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["Ok"]["pages"], 2);
    let output = reader(&["--name=a.txt"], b"");
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answer["Err"]["reason"], "empty");
}

#[cfg(unix)]
#[test]
fn a_reader_that_takes_too_much_memory_is_ended_and_says_so() {
    // Nearly five million cells, each a text of its own.
    let row = ["x"; 49].join(",");
    let table = format!("{row}\n").repeat(99_000);
    let output = reader(&["--name=a.csv", "--memory-mb=200"], table.as_bytes());
    assert!(!output.status.success(), "{:?}", output.status);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("memory"), "{said}");
    assert!(output.stdout.is_empty());
}

#[cfg(unix)]
#[test]
fn a_reader_that_computes_for_too_long_is_ended() {
    use std::os::unix::process::ExitStatusExt;
    // Twenty megabytes of rows, in no time at all.
    let rows = "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p\n".repeat(90_000);
    let table = format!("{rows}{}", "x".repeat(20 << 20));
    let output = reader(&["--name=a.csv", "--cpu-s=0"], table.as_bytes());
    assert!(matches!(output.status.signal(), Some(24 | 9)), "{:?}", output.status);
    assert!(output.stdout.is_empty());
}
