//! DOCX: a ZIP archive of XML files, of which the document, its styles and its notes are read.
//! Macros, embedded files and links to elsewhere are never opened.

mod walk;

use std::io::{Cursor, Read};

use zip::ZipArchive;

use crate::{Content, MAX_PAGES, Reason, Refusal, text};

/// The most that all parts may say they unpack to.
const MAX_UNPACKED: u64 = 300 << 20;
/// The most that one part that is read may unpack to.
const MAX_PART: u64 = 100 << 20;
/// A part above a megabyte that is packed better than this is no text.
const MAX_RATIO: u64 = 200;
const MAX_PARTS: usize = 10_000;
/// Archives that have no place in a document.
const ARCHIVES: [&str; 10] =
    [".zip", ".7z", ".rar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".tar", ".jar"];

type Archive<'a> = ZipArchive<Cursor<&'a [u8]>>;

fn damaged() -> Refusal {
    Refusal::new(
        Reason::Damaged,
        "The Word document is damaged: it cannot be unpacked. Open it in a word processor and save it \
         again.",
    )
}

fn bomb(what: impl Into<String>) -> Refusal {
    Refusal::new(Reason::Bomb, what)
}

pub(crate) fn docx(
    bytes: &[u8],
    notes: &mut Vec<String>,
) -> Result<(Content, Option<u32>), Refusal> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| damaged())?;
    check(&mut archive, notes)?;
    let main = ["word/document.xml", "word/document2.xml"];
    let main = main.into_iter().find(|name| archive.index_for_name(name).is_some());
    let document = part(&mut archive, main.unwrap_or_default())?.ok_or_else(damaged)?;
    let styles = part(&mut archive, "word/styles.xml")?.unwrap_or_default();
    let styles = walk::styles(&styles);
    let mut text = walk::text(&document, &styles).map_err(|_| {
        Refusal::new(Reason::Damaged, "The Word document is damaged: its text cannot be read.")
    })?;
    for name in ["word/footnotes.xml", "word/endnotes.xml"] {
        if let Some(more) = part(&mut archive, name)?
            && let Ok(more) = walk::text(&more, &styles)
            && !more.trim().is_empty()
        {
            text.push_str("\n\n");
            text.push_str(&more);
        }
    }
    if text.trim().is_empty() {
        let detail = "There is no text in the Word document. Pictures in it are not read: upload them as \
                      PNG or JPEG.";
        return Err(Refusal::new(Reason::NoText, detail));
    }
    let about = part(&mut archive, "docProps/app.xml")?.unwrap_or_default();
    let pages = walk::element(&about, "Pages").and_then(|n| n.trim().parse::<u32>().ok());
    let pages = pages.filter(|n| *n > 0 && u64::from(*n) <= MAX_PAGES);
    Ok((Content::Text(text.trim().to_owned()), pages))
}

/// Looks at what the archive says it holds, before anything is unpacked.
fn check(archive: &mut Archive<'_>, notes: &mut Vec<String>) -> Result<(), Refusal> {
    if archive.len() > MAX_PARTS {
        return Err(bomb(format!("The Word document has more than {MAX_PARTS} parts.")));
    }
    let (mut total, mut embedded) = (0u64, 0usize);
    for n in 0..archive.len() {
        let part = archive.by_index_raw(n).map_err(|_| damaged())?;
        if part.encrypted() {
            let detail = "The Word document is protected by a password: save it without one.";
            return Err(Refusal::new(Reason::Encrypted, detail));
        }
        let (packed, unpacked) = (part.compressed_size().max(1), part.size());
        total = total.saturating_add(unpacked);
        if unpacked > 1 << 20 && unpacked / packed > MAX_RATIO {
            return Err(bomb(format!(
                "A part of the Word document unpacks to {} times its size: that is a trap and no \
                 document.",
                unpacked / packed
            )));
        }
        let name = part.name().map(|n| n.to_ascii_lowercase()).unwrap_or_default();
        if ARCHIVES.iter().any(|end| name.ends_with(end)) {
            return Err(bomb(
                "There is an archive inside the Word document, and archives are not opened.",
            ));
        }
        embedded += usize::from(name.starts_with("word/embeddings/") && !name.ends_with('/'));
    }
    if total > MAX_UNPACKED {
        return Err(bomb(format!(
            "The Word document unpacks to {} MB; at most {} are read.",
            total >> 20,
            MAX_UNPACKED >> 20
        )));
    }
    if embedded > 0 {
        notes.push(format!("{embedded} embedded files were not read."));
    }
    Ok(())
}

/// Unpacks a part; whatever it says of its size, no more than a part may have.
fn part(archive: &mut Archive<'_>, name: &str) -> Result<Option<String>, Refusal> {
    let Some(index) = archive.index_for_name(name) else { return Ok(None) };
    let part = archive.by_index(index).map_err(|_| damaged())?;
    let mut bytes = Vec::new();
    part.take(MAX_PART + 1).read_to_end(&mut bytes).map_err(|_| damaged())?;
    if bytes.len() as u64 > MAX_PART {
        let most = MAX_PART >> 20;
        return Err(bomb(format!("A part of the Word document unpacks to more than {most} MB.")));
    }
    text::decode(&bytes, &mut Vec::new()).map(Some).map_err(|_| damaged())
}
