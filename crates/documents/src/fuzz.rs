//! What holds for any bytes whatever at the boundary where uploaded files are read. Each function is the
//! body of a fuzz target of the same name (`fuzz/`), and is driven by the tests below in every run of
//! `make test`.

use crate::{Content, Kind, Options, extract, kind};

/// The name of a file, by the first byte of what a fuzzer gives; the rest is its content.
fn named(data: &[u8]) -> (&'static str, &[u8]) {
    const NAMES: [&str; 10] =
        ["a.txt", "a.md", "a.pdf", "a.docx", "a.csv", "a.tsv", "a.jsonl", "a.png", "a.webp", "a"];
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    (NAMES[usize::from(*first) % NAMES.len()], rest)
}

/// Any file: it is read or refused in words; what is read is not nothing and is the same again.
pub fn document(data: &[u8]) {
    let (name, bytes) = named(data);
    check(name, bytes, &Options::default());
}

fn check(name: &str, bytes: &[u8], options: &Options) {
    let found = kind(name, bytes);
    let read = extract(name, bytes, options);
    match &read {
        Err(refusal) => assert!(!refusal.detail.trim().is_empty()),
        Ok(read) => {
            assert_eq!(found.map(Kind::media_type), Ok(read.media_type.as_str()));
            match &read.content {
                Content::Text(text) => assert!(!text.trim().is_empty()),
                Content::Table(table) => {
                    assert!(!table.rows.is_empty() && table.text_column < table.columns.len());
                    assert!(table.rows.iter().all(|row| row.len() == table.columns.len()));
                }
                Content::Image { width, height } => assert!(*width > 0 && *height > 0),
            }
        }
    }
    assert_eq!(read, extract(name, bytes, options), "it depends on the bytes alone");
}

/// What a file is, by its bytes and its name.
pub fn file_kind(data: &[u8]) {
    let (name, bytes) = named(data);
    match kind(name, bytes) {
        Ok(kind) => assert!(kind.media_type().contains('/')),
        Err(refusal) => assert!(!refusal.detail.trim().is_empty()),
    }
}

/// A text in whatever encoding.
pub fn text(data: &[u8]) {
    check("a.txt", data, &Options::default());
}

/// A table; the first byte chooses its form and whether a column is named.
pub fn table(data: &[u8]) {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let name = if first & 1 == 0 { "a.csv" } else { "a.jsonl" };
    let text_column = (first & 2 != 0).then(|| "text".to_owned());
    check(name, rest, &Options { text_column });
}

/// A PDF. Panics of the libraries are caught, so a fuzzer is to keep still about them.
pub fn pdf(data: &[u8]) {
    check("a.pdf", &[b"%PDF-1.7\n", data].concat(), &Options::default());
    check("a.pdf", data, &Options::default());
}

/// A Word document: the bytes as the archive, and as the text in a sound archive.
pub fn docx(data: &[u8]) {
    let mut notes = Vec::new();
    let _ = crate::docx::docx(data, &mut notes);
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let written = archive
        .start_file("word/document.xml", options)
        .map_err(std::io::Error::other)
        .and_then(|()| std::io::Write::write_all(&mut archive, data))
        .and_then(|()| archive.finish().map_err(std::io::Error::other));
    if let Ok(file) = written {
        check("a.docx", file.get_ref(), &Options::default());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of which files are made, in any order, and any bytes between them.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let known: Vec<&'static [u8]> = vec![
            b"%PDF-1.7\n",
            b"1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n",
            b"2 0 obj\n<</Type/Pages/Kids[2 0 R]/Count 99999999999>>\nendobj\n",
            b"trailer<</Root 1 0 R>>\nstartxref\n0\n%%EOF",
            b"PK\x03\x04",
            b"word/document.xml",
            b"<w:document><w:body><w:p><w:r><w:t>",
            b"</w:t></w:r></w:p></w:body></w:document>",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            b"RIFF\xff\xff\xff\xffWEBPVP8 ",
            b"\xff\xd8\xff\xc0",
            b"text,name\n",
            b"\"a \"\"quoted\"\" cell\",",
            b"{\"text\": \"a\"}\n",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"\0",
            "\u{202e}日本".as_bytes(),
        ];
        let piece = prop_oneof![
            prop::sample::select(known).prop_map(<[u8]>::to_vec),
            prop::collection::vec(any::<u8>(), 0..40),
            "[ -~\n\t]{0,40}".prop_map(String::into_bytes),
        ];
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn whatever_is_uploaded_is_read_or_refused(data in pieces()) {
            document(&data);
            file_kind(&data);
            text(&data);
            table(&data);
            docx(&data);
            pdf(&data);
        }
    }
}
