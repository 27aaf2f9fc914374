//! PDF: the text of each page, in the order of the pages. `pdf-extract` reads fonts and positions,
//! `lopdf` under it the structure. Both may panic, loop or take any memory on a hostile file: hence the
//! child process.

mod rtl;

use std::cell::RefCell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use pdf_extract::{
    ColorSpace, ConvertToFmt, Document, MediaBox, Object, OutputDev, OutputError, Path,
    PlainTextOutput, Transform, output_doc, output_doc_page,
};

use crate::{Content, MAX_PAGES, MAX_TEXT, Reason, Refusal};

/// Up to so many pages each is tried by itself when not all of them can be read.
const SINGLY: usize = 1_000;

fn damaged(what: impl fmt::Display) -> Refusal {
    Refusal::new(
        Reason::Damaged,
        format!("The PDF is damaged: {what}. Open it in a PDF viewer and print it into a new one."),
    )
}

fn too_many(pages: impl fmt::Display) -> Refusal {
    let detail =
        format!("The PDF says it has {pages} pages; at most {MAX_PAGES} are read: split it.");
    Refusal::new(Reason::TooLarge, detail)
}

pub(crate) fn pdf(
    bytes: &[u8],
    notes: &mut Vec<String>,
) -> Result<(Content, Option<u32>), Refusal> {
    let loaded = catch_unwind(AssertUnwindSafe(|| Document::load_mem(bytes)));
    let mut document = match loaded {
        Ok(Ok(document)) => document,
        Ok(Err(error)) if is_password(&error.to_string()) => return Err(encrypted()),
        Ok(Err(_)) | Err(_) => return Err(damaged("its structure cannot be read")),
    };
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(encrypted());
    }
    if let Some(claimed) = claimed_pages(&document)
        && claimed > MAX_PAGES
    {
        return Err(too_many(claimed));
    }
    let pages = document.get_pages().len();
    if pages as u64 > MAX_PAGES {
        return Err(too_many(pages));
    }
    if pages == 0 {
        return Err(damaged("it has no pages"));
    }
    let texts = texts(&document, pages, notes)?;
    let text = joined(&texts);
    if text.trim().is_empty() {
        let detail = format!(
            "There is no text in the PDF's {}: it may be scanned. Upload the pages as PNG or JPEG \
             images, or run text recognition over it.",
            if pages == 1 { "page".to_owned() } else { format!("{pages} pages") }
        );
        return Err(Refusal::new(Reason::NoText, detail));
    }
    Ok((Content::Text(text), u32::try_from(pages).ok()))
}

fn is_password(error: &str) -> bool {
    let error = error.to_ascii_lowercase();
    error.contains("password") || error.contains("decrypt") || error.contains("encrypt")
}

fn encrypted() -> Refusal {
    Refusal::new(
        Reason::Encrypted,
        "The PDF is protected by a password: save it without one and upload it again.",
    )
}

/// How many pages the root of the page tree says there are.
fn claimed_pages(document: &Document) -> Option<u64> {
    let root = document.catalog().ok()?.get(b"Pages").ok()?;
    let (_, root) = document.dereference(root).ok()?;
    let (_, count) = document.dereference(root.as_dict().ok()?.get(b"Count").ok()?).ok()?;
    match count {
        Object::Integer(count) => u64::try_from(*count).ok(),
        _ => None,
    }
}

/// The text of each page.
fn texts(
    document: &Document,
    pages: usize,
    notes: &mut Vec<String>,
) -> Result<Vec<String>, Refusal> {
    let all = Pages::default();
    let read = catch_unwind(AssertUnwindSafe(|| output_doc(document, &mut all.output()).is_ok()));
    if all.is_full() {
        return Err(too_much());
    }
    if matches!(read, Ok(true)) {
        return Ok(all.take());
    }
    if pages > SINGLY {
        return Err(damaged("one of its pages cannot be read"));
    }
    let mut texts = Vec::new();
    let mut broken = Vec::new();
    for number in 1..=pages {
        let page = Pages::default();
        let read = catch_unwind(AssertUnwindSafe(|| {
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            output_doc_page(document, &mut page.output(), number).is_ok()
        }));
        if page.is_full() {
            return Err(too_much());
        }
        if !matches!(read, Ok(true)) {
            broken.push(number.to_string());
        }
        texts.push(page.take().concat());
    }
    if broken.len() == pages {
        return Err(Refusal::new(
            Reason::Unsupported,
            "The PDF's text cannot be read: it uses fonts or parts that are not known here. Print it \
             into a new PDF, or upload its pages as images.",
        ));
    }
    if !broken.is_empty() {
        let shown = broken.get(..10).map_or_else(|| broken.join(", "), |b| b.join(", ") + " …");
        notes
            .push(format!("{} of {pages} pages could not be read in full: {shown}.", broken.len()));
    }
    Ok(texts)
}

fn too_much() -> Refusal {
    Refusal::new(
        Reason::Bomb,
        format!("The PDF unpacks to more than {} MB of text: that is no document.", MAX_TEXT >> 20),
    )
}

/// The pages' texts, without the blanks that come from how the text is placed.
fn joined(pages: &[String]) -> String {
    let mut text = String::new();
    for page in pages {
        let mut blank = true;
        for line in page.lines() {
            let line = line.trim_end();
            // Paragraphs keep one empty line between them.
            if line.is_empty() && blank {
                continue;
            }
            blank = line.is_empty();
            text.push_str(line);
            text.push('\n');
        }
        if !blank {
            text.push('\n');
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Where the text of pages goes: shared, because the reader of the text keeps one end of it.
#[derive(Default, Clone)]
struct Pages(Rc<RefCell<Written>>);

#[derive(Default)]
struct Written {
    pages: Vec<String>,
    bytes: usize,
    /// Where the last character from right to left stands.
    last: Option<(f64, f64)>,
    /// How many of them stand to the right of the one before, and how many to the left.
    drawn: (usize, usize),
}

impl Written {
    /// Notes in which order characters that are written from right to left come.
    fn note(&mut self, character: &str, place: &Transform) {
        if !character.starts_with(rtl::is_rtl) {
            self.last = None;
            return;
        }
        if let Some((x, y)) = self.last
            && (place.m32 - y).abs() < 1.0
        {
            if place.m31 > x {
                self.drawn.0 += 1;
            } else {
                self.drawn.1 += 1;
            }
        }
        self.last = Some((place.m31, place.m32));
    }
}

impl Pages {
    fn output(&self) -> Output {
        Output { pages: self.clone(), plain: PlainTextOutput::new(self.clone()) }
    }

    fn is_full(&self) -> bool {
        self.0.borrow().bytes > MAX_TEXT
    }

    fn take(&self) -> Vec<String> {
        let mut written = self.0.borrow_mut();
        let mut pages = std::mem::take(&mut written.pages);
        let (to_right, to_left) = written.drawn;
        if to_right > to_left {
            pages.iter_mut().for_each(|page| *page = rtl::reading_order(page));
        }
        pages
    }
}

impl fmt::Write for Pages {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut written = self.0.borrow_mut();
        written.bytes = written.bytes.saturating_add(text.len());
        if written.bytes > MAX_TEXT {
            return Err(fmt::Error);
        }
        if let Some(page) = written.pages.last_mut() {
            page.push_str(text);
        }
        Ok(())
    }
}

impl ConvertToFmt for Pages {
    type Writer = Self;
    fn convert(self) -> Self {
        self
    }
}

/// `pdf-extract`'s own writer of plain text, with the pages kept apart.
struct Output {
    pages: Pages,
    plain: PlainTextOutput<Pages>,
}

type Done = Result<(), OutputError>;

impl OutputDev for Output {
    fn begin_page(
        &mut self,
        number: u32,
        media_box: &MediaBox,
        art_box: Option<(f64, f64, f64, f64)>,
    ) -> Done {
        self.pages.0.borrow_mut().pages.push(String::new());
        self.plain.begin_page(number, media_box, art_box)
    }

    fn end_page(&mut self) -> Done {
        self.plain.end_page()
    }

    fn output_character(
        &mut self,
        place: &Transform,
        width: f64,
        spacing: f64,
        size: f64,
        character: &str,
    ) -> Done {
        self.pages.0.borrow_mut().note(character, place);
        self.plain.output_character(place, width, spacing, size, character)
    }

    fn begin_word(&mut self) -> Done {
        self.plain.begin_word()
    }

    fn end_word(&mut self) -> Done {
        self.plain.end_word()
    }

    fn end_line(&mut self) -> Done {
        self.plain.end_line()
    }

    fn stroke(&mut self, _: &Transform, _: &ColorSpace, _: &[f64], _: &Path) -> Done {
        Ok(())
    }

    fn fill(&mut self, _: &Transform, _: &ColorSpace, _: &[f64], _: &Path) -> Done {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_paragraphs_and_pages_are_made_even() {
        let pages = ["\n\n\nA  \n\n\n\nB\n".to_owned(), String::new(), "C".to_owned()];
        assert_eq!(joined(&pages), "A\n\nB\n\nC");
    }

    #[test]
    fn what_is_no_pdf_inside_is_damaged() {
        let refused = pdf(b"%PDF-1.7\nnothing else", &mut Vec::new()).unwrap_err();
        assert_eq!(refused.reason, Reason::Damaged);
    }
}
