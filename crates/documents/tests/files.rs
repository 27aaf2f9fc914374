//! Real files made by real programs (tests/files/README.md says how), and what must be refused.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::Write;
use std::path::PathBuf;

use lanes_documents::{Content, Extracted, Options, Reason, Refusal, extract};

fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/files").join(name);
    std::fs::read(path).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn read(name: &str) -> Result<Extracted, Refusal> {
    extract(name, &bytes(name), &Options::default())
}

fn text(name: &str) -> String {
    match read(name).unwrap_or_else(|e| panic!("{name}: {e}")).content {
        Content::Text(text) => text,
        other => panic!("{name}: {other:?}"),
    }
}

/// Without the line breaks, which depend on how a page is set.
fn words(name: &str) -> String {
    text(name).split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn refused(name: &str, reason: Reason, says: &str) {
    let refusal = read(name).expect_err(name);
    assert_eq!(refusal.reason, reason, "{name}: {refusal}");
    assert!(refusal.detail.contains(says), "{name}: {refusal}");
}

#[test]
fn pdfs_of_every_producer_are_read() {
    for (name, pages, says) in [
        ("reportlab.pdf", 3, "It praised the new harbour crane."),
        ("object-streams.pdf", 3, "It praised the new harbour crane."),
        ("owner-password.pdf", 3, "It praised the new harbour crane."),
        ("fpdf2.pdf", 1, "Total: 1,204.50 EUR"),
        ("weasyprint.pdf", 2, "Second page: Costs fell by twelve per cent"),
        ("chromium.pdf", 1, "Grüße aus München"),
        ("libreoffice.pdf", 1, "Second item"),
    ] {
        let read = read(name).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!((read.pages, read.notes.len()), (Some(pages), 0), "{name}: {:?}", read.notes);
        assert_eq!(read.media_type, "application/pdf");
        assert!(words(name).contains(says), "{name}: {}", words(name));
    }
}

#[test]
fn pages_come_in_order() {
    let text = words("reportlab.pdf");
    let at = |page: &str| text.find(page).expect(page);
    assert!(at("page 1") < at("page 2") && at("page 2") < at("page 3"));
}

#[test]
fn scripts_of_the_east_and_from_right_to_left_are_read() {
    assert!(words("chromium.pdf").contains("日本語の文書です"), "{}", words("chromium.pdf"));
    // Chromium draws it from the left, as it stands on the page.
    assert!(words("chromium.pdf").contains("שלום עולם"), "{}", words("chromium.pdf"));
    // In a PDF the characters stand in the order in which they are drawn, from either side.
    let rtl = words("rtl.pdf");
    assert!(rtl.contains("שלום") || rtl.contains("םולש"), "{rtl}");
    assert!(text("rtl.txt").starts_with("שלום עולם. זה מסמך קצר.\nمرحبا"));
    assert_eq!(text("shift-jis.txt"), "港の新しいクレーンについての報告書です。費用は減りました。");
    assert!(text("utf16.txt").starts_with("Lanes runs the same tasks"));
}

#[test]
fn word_documents_keep_headings_lists_and_tables() {
    for name in ["python-docx.docx", "libreoffice.docx"] {
        let text = text(name);
        for part in [
            "# Costs\n",
            "- First item\n- Second item\n",
            "Quarter | Ships\nQ1 | 481\n",
            "Übergröße, 日本語, שלום עולם & <tags>",
        ] {
            assert!(text.contains(part), "{name}: {part} in {text}");
        }
    }
}

#[test]
fn tables_become_records_of_their_longest_column() {
    for name in ["tickets.csv", "tickets.jsonl"] {
        let Content::Table(table) = read(name).unwrap().content else { panic!("{name}") };
        assert_eq!(table.columns.get(table.text_column).map(String::as_str), Some("message"));
        assert_eq!(table.rows.len(), 20);
        assert_eq!(table.rows[2][table.text_column], "料金が二重に請求されました。");
    }
    let german = read("excel-german.csv").unwrap();
    let Content::Table(table) = german.content else { panic!() };
    assert_eq!(table.columns, ["Nr", "Größe", "Bemerkung"]);
    assert_eq!(table.rows[1][2], "Schön war es, übrigens \"sehr\" schön.");
    assert_eq!(german.notes, ["Read as windows-1252."]);
}

#[test]
fn the_text_column_can_be_chosen() {
    let options = Options { text_column: Some("language".to_owned()) };
    let read = extract("tickets.csv", &bytes("tickets.csv"), &options).unwrap();
    let Content::Table(table) = read.content else { panic!() };
    assert_eq!(table.text_column, 2);
}

#[test]
fn images_are_told_by_their_header() {
    for (name, media_type) in
        [("scan.png", "image/png"), ("scan.jpg", "image/jpeg"), ("scan.webp", "image/webp")]
    {
        let read = read(name).unwrap();
        assert_eq!(read.media_type, media_type);
        assert_eq!(read.content, Content::Image { width: 420, height: 160 }, "{name}");
    }
}

#[test]
fn a_wrong_extension_is_handled_and_told() {
    let read = read("wrong-extension.txt").unwrap();
    assert_eq!(read.media_type, "application/pdf");
    assert!(read.notes[0].contains("the content is a PDF"), "{:?}", read.notes);
}

#[test]
fn what_cannot_be_read_is_refused_in_words() {
    refused("empty.txt", Reason::Empty, "0 bytes");
    refused("encrypted.pdf", Reason::Encrypted, "password");
    refused("truncated.pdf", Reason::Damaged, "damaged");
    refused("truncated.docx", Reason::Damaged, "damaged");
    refused("claims-100000-pages.pdf", Reason::TooLarge, "100000 pages");
    // Its fonts are not in the file: they come with the viewer.
    refused("reportlab-cid.pdf", Reason::Unsupported, "fonts");
    refused("opendocument.odt", Reason::Unsupported, "OpenDocument");
    refused("scanned.pdf", Reason::NoText, "scanned");
}

/// A Word document whose parts are these.
fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Deflated);
    for (name, content) in parts {
        archive.start_file(*name, options).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

const DOCUMENT: &[u8] = b"<w:document xmlns:w='w'><w:p><w:t>hello</w:t></w:p></w:document>";

#[test]
fn archives_that_unpack_to_too_much_or_hold_archives_are_refused() {
    let zeros = vec![b' '; 64 << 20];
    let bomb = zipped(&[("word/document.xml", &zeros)]);
    assert!(bomb.len() < 100_000, "{}", bomb.len());
    let refusal = extract("bomb.docx", &bomb, &Options::default()).unwrap_err();
    assert_eq!(refusal.reason, Reason::Bomb, "{refusal}");
    assert!(refusal.detail.contains("times its size"), "{refusal}");

    let nested = zipped(&[("word/document.xml", DOCUMENT), ("word/inner.zip", b"PK")]);
    let refusal = extract("nested.docx", &nested, &Options::default()).unwrap_err();
    assert!(refusal.detail.contains("archive inside"), "{refusal}");

    let plain = zipped(&[("a.txt", b"hello"), ("b.zip", b"PK")]);
    let refusal = extract("files.zip", &plain, &Options::default()).unwrap_err();
    assert!(refusal.detail.contains("Unpack it"), "{refusal}");
}

#[test]
fn an_archive_that_lies_about_its_sizes_is_not_believed() {
    // Says in its directory that the part unpacks to nearly nothing.
    let mut bomb = zipped(&[("word/document.xml", &vec![b' '; 120 << 20])]);
    let size = (120u32 << 20).to_le_bytes();
    for at in 0..bomb.len().saturating_sub(4) {
        if bomb[at..at + 4] == size {
            bomb[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
        }
    }
    let refusal = extract("lies.docx", &bomb, &Options::default()).unwrap_err();
    assert!(matches!(refusal.reason, Reason::Bomb | Reason::Damaged), "{refusal}");
}

#[test]
fn a_word_document_made_of_the_least_is_read() {
    let read = extract("a.docx", &zipped(&[("word/document.xml", DOCUMENT)]), &Options::default());
    assert_eq!(read.unwrap().content, Content::Text("hello".to_owned()));
}

#[test]
fn a_file_above_the_limit_is_refused() {
    let large = vec![b'a'; (25 << 20) + 1];
    let refusal = extract("a.txt", &large, &Options::default()).unwrap_err();
    assert_eq!((refusal.reason, refusal.detail.contains("25 MB")), (Reason::TooLarge, true));
}
