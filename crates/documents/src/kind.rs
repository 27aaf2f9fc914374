//! What a file is: by its first bytes, and only where those leave it open (one text is much like
//! another) by its name.

use crate::{MAX_FILE_BYTES, Reason, Refusal, text};

/// What is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A text in Markdown.
    Markdown,
    /// PDF.
    Pdf,
    /// Word's format since 2007.
    Docx,
    /// A table, a record a line.
    Csv,
    /// A JSON object a line.
    Jsonl,
    /// An image.
    Png,
    /// An image.
    Jpeg,
    /// An image.
    Webp,
}

impl Kind {
    /// Its name on the web.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Kind::Text => "text/plain",
            Kind::Markdown => "text/markdown",
            Kind::Pdf => "application/pdf",
            Kind::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Kind::Csv => "text/csv",
            Kind::Jsonl => "application/jsonl",
            Kind::Png => "image/png",
            Kind::Jpeg => "image/jpeg",
            Kind::Webp => "image/webp",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Kind::Text => "plain text",
            Kind::Markdown => "Markdown",
            Kind::Pdf => "a PDF",
            Kind::Docx => "a Word document (DOCX)",
            Kind::Csv => "CSV",
            Kind::Jsonl => "JSONL",
            Kind::Png => "a PNG image",
            Kind::Jpeg => "a JPEG image",
            Kind::Webp => "a WebP image",
        }
    }

    /// What to say when the name promises something else.
    pub(crate) fn surprise(self, name: &str) -> Option<String> {
        let promised = by_name(name).filter(|k| *k != self)?;
        Some(format!(
            "The name promises {}, the content is {}: it was read as that.",
            promised.label(),
            self.label()
        ))
    }
}

fn extension(name: &str) -> Option<String> {
    let (_, extension) = name.rsplit_once('.')?;
    Some(extension.to_ascii_lowercase())
}

fn by_name(name: &str) -> Option<Kind> {
    Some(match extension(name)?.as_str() {
        "txt" | "text" | "log" => Kind::Text,
        "md" | "markdown" => Kind::Markdown,
        "pdf" => Kind::Pdf,
        "docx" => Kind::Docx,
        "csv" | "tsv" => Kind::Csv,
        "jsonl" | "ndjson" => Kind::Jsonl,
        "png" => Kind::Png,
        "jpg" | "jpeg" => Kind::Jpeg,
        "webp" => Kind::Webp,
        _ => return None,
    })
}

const TAKEN: &str = "TXT, Markdown, PDF, DOCX, CSV, JSONL, PNG, JPEG and WebP are.";

/// Beginnings of what is not read, and what to do about it.
const OTHERS: [(&[u8], &str, &str); 13] = [
    (
        &[0xd0, 0xcf, 0x11, 0xe0],
        "an old or protected Office file",
        "Save it as DOCX without a password",
    ),
    (b"{\\rtf", "a rich text file (RTF)", "Save it as DOCX or PDF"),
    (b"GIF8", "a GIF image", "Save it as PNG"),
    (b"BM", "a BMP image", "Save it as PNG"),
    (b"II*\0", "a TIFF image", "Save it as PNG or JPEG"),
    (b"MM\0*", "a TIFF image", "Save it as PNG or JPEG"),
    (&[0x1f, 0x8b], "a compressed file (gzip)", "Unpack it first"),
    (b"BZh", "a compressed file (bzip2)", "Unpack it first"),
    (&[0xfd, b'7', b'z', b'X', b'Z'], "a compressed file (xz)", "Unpack it first"),
    (&[0x28, 0xb5, 0x2f, 0xfd], "a compressed file (zstd)", "Unpack it first"),
    (&[b'7', b'z', 0xbc, 0xaf], "an archive (7z)", "Unpack it first"),
    (b"Rar!", "an archive (RAR)", "Unpack it first"),
    (&[0x7f, b'E', b'L', b'F'], "a program", "Upload a document"),
];

/// What a file is.
///
/// # Errors
/// When it is empty, too large, or none of the kinds that are read.
pub fn kind(name: &str, bytes: &[u8]) -> Result<Kind, Refusal> {
    if bytes.is_empty() {
        return Err(Refusal::new(Reason::Empty, "The file is empty (0 bytes)."));
    }
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Refusal::too_large());
    }
    let starts = |with: &[u8]| bytes.starts_with(with);
    // Readers allow something before the mark of a PDF.
    let beginning = bytes.get(..1024).unwrap_or(bytes);
    if beginning.windows(5).any(|w| w == b"%PDF-") && (starts(b"%PDF-") || !is_text(bytes)) {
        return Ok(Kind::Pdf);
    }
    if starts(b"\x89PNG\r\n\x1a\n") {
        return Ok(Kind::Png);
    }
    if starts(&[0xff, 0xd8, 0xff]) {
        return Ok(Kind::Jpeg);
    }
    if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Ok(Kind::Webp);
    }
    if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        return zipped(bytes);
    }
    // Some of these are two letters, with which a text may begin as well.
    let other =
        OTHERS.iter().find(|(mark, ..)| starts(mark) && (mark.len() > 3 || !is_text(bytes)));
    if let Some((_, what, todo)) = other {
        return Err(Refusal::new(
            Reason::Unsupported,
            format!("This is {what}, which is not read. {todo}; {TAKEN}"),
        ));
    }
    if !is_text(bytes) {
        let detail = match by_name(name) {
            Some(kind @ (Kind::Pdf | Kind::Docx | Kind::Png | Kind::Jpeg | Kind::Webp)) => {
                let label = kind.label();
                return Err(Refusal::new(
                    Reason::Damaged,
                    format!(
                        "The name promises {label}, but the file does not begin like one: it is \
                             damaged, or something else."
                    ),
                ));
            }
            _ => format!("This is neither text nor any kind of file that is read. {TAKEN}"),
        };
        return Err(Refusal::new(Reason::Unsupported, detail));
    }
    Ok(match by_name(name) {
        Some(kind @ (Kind::Markdown | Kind::Csv | Kind::Jsonl)) => kind,
        _ => Kind::Text,
    })
}

fn is_text(bytes: &[u8]) -> bool {
    text::looks_like_text(bytes)
}

/// What a ZIP archive is. The names stand uncompressed in its directory at the end.
fn zipped(bytes: &[u8]) -> Result<Kind, Refusal> {
    let names = |what: &[u8]| bytes.windows(what.len()).any(|w| w == what);
    if names(b"word/document.xml") || names(b"word/document2.xml") {
        return Ok(Kind::Docx);
    }
    let what = if names(b"xl/workbook.xml") {
        "This is a spreadsheet (XLSX), which is not read. Save it as CSV"
    } else if names(b"ppt/presentation.xml") {
        "This is a presentation (PPTX), which is not read. Save it as PDF"
    } else if names(b"application/vnd.oasis.opendocument") {
        "This is an OpenDocument file, which is not read. Save it as DOCX or PDF"
    } else if names(b"application/epub+zip") {
        "This is an e-book (EPUB), which is not read. Save it as PDF or text"
    } else {
        "This is a ZIP archive, and archives are not opened. Unpack it and upload what is in it"
    };
    Err(Refusal::new(Reason::Unsupported, format!("{what}; {TAKEN}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_decides_before_the_name() {
        assert_eq!(kind("a.txt", b"%PDF-1.7\n..."), Ok(Kind::Pdf));
        assert_eq!(kind("a.pdf", b"\x89PNG\r\n\x1a\n...."), Ok(Kind::Png));
        assert_eq!(kind("a.pdf", b"A letter about %PDF- files."), Ok(Kind::Text));
        assert_eq!(kind("a.CSV", b"a,b\n1,2\n"), Ok(Kind::Csv));
        assert_eq!(kind("notes", b"BMW is a company."), Ok(Kind::Text));
        let told = Kind::Text.surprise("a.pdf").unwrap();
        assert!(told.contains("promises a PDF") && told.contains("plain text"), "{told}");
    }

    #[test]
    fn what_is_not_read_is_refused_with_what_to_do() {
        let refused = |name: &str, bytes: &[u8]| kind(name, bytes).unwrap_err();
        assert_eq!(refused("a.txt", b"").reason, Reason::Empty);
        assert!(refused("a.doc", &[0xd0, 0xcf, 0x11, 0xe0, 0, 1]).detail.contains("DOCX"));
        assert!(refused("a.zip", b"PK\x03\x04....").detail.contains("Unpack"));
        assert!(refused("a.xlsx", b"PK\x03\x04xl/workbook.xml").detail.contains("CSV"));
        assert_eq!(refused("a.pdf", &[0, 1, 2, 3]).reason, Reason::Damaged);
        assert_eq!(refused("a.bin", &[0, 1, 2, 3]).reason, Reason::Unsupported);
    }
}
