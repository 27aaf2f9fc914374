//! The XML of a Word document, walked once: paragraphs, headings, lists and tables as plain text.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

type Broken = quick_xml::Error;

/// What a style makes of a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A heading of that level.
    Heading(usize),
    /// An item of a list.
    Item,
}

pub(super) type Styles = HashMap<String, Style>;

/// The styles that make something of a paragraph. Their ids are in the language of whoever wrote the
/// document, their names in English.
pub(super) fn styles(styles: &str) -> Styles {
    let mut found = HashMap::new();
    let mut reader = Reader::from_str(styles);
    let mut style = String::new();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(e) if e.local_name().as_ref() == "style" => {
                style = attribute(&e, "styleId")
            }
            Event::Start(e) | Event::Empty(e) if e.local_name().as_ref() == "name" => {
                let name = attribute(&e, "val").to_lowercase();
                let level = name.strip_prefix("heading ").and_then(|l| l.trim().parse().ok());
                let made = match level {
                    Some(level) => Some(Style::Heading(level)),
                    None if name == "title" => Some(Style::Heading(1)),
                    None if ["list bullet", "list number"].iter().any(|l| name.starts_with(l)) => {
                        Some(Style::Item)
                    }
                    None => None,
                };
                if let Some(made) = made {
                    found.insert(style.clone(), made);
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    found
}

/// The text of the first element of that name.
pub(super) fn element(xml: &str, name: &str) -> Option<String> {
    let mut reader = Reader::from_str(xml);
    let mut inside = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(e) => inside = e.local_name().as_ref() == name,
            Event::Text(e) if inside => return Some(e.xml10_content().into_owned()),
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> String {
    let mut attributes = element.attributes();
    let mut attributes = attributes.with_checks(false).filter_map(Result::ok);
    let found = attributes.find(|a| a.key.local_name().as_ref() == name);
    found.map(|a| a.value.to_string()).unwrap_or_default()
}

#[derive(Default)]
struct Paragraph {
    text: String,
    heading: usize,
    in_list: bool,
}

#[derive(Default)]
struct TableState {
    cells: Vec<String>,
    cell: String,
}

#[derive(Default)]
struct Walk {
    out: String,
    paragraphs: Vec<Paragraph>,
    tables: Vec<TableState>,
}

/// The text of a document: paragraphs with an empty line between them, headings marked as in
/// Markdown, rows of tables in a line each.
pub(super) fn text(xml: &str, styles: &Styles) -> Result<String, Broken> {
    let mut reader = Reader::from_str(xml);
    let mut walk = Walk::default();
    let mut in_text = false;
    // Inside what is there a second time for older readers.
    let mut skipped = 0usize;
    loop {
        match reader.read_event()? {
            Event::Start(e) => {
                let name = e.local_name();
                let name = name.as_ref();
                if skipped > 0 || name == "Fallback" {
                    skipped += 1;
                    continue;
                }
                in_text = name == "t";
                walk.begin(name, &e, styles);
            }
            Event::Empty(e) if skipped == 0 => walk.single(e.local_name().as_ref(), &e, styles),
            Event::Text(e) if in_text && skipped == 0 => walk.say(&e.xml10_content()),
            Event::CData(e) if in_text && skipped == 0 => walk.say(&e.xml10_content()),
            Event::GeneralRef(e) if in_text && skipped == 0 => {
                if let Ok(Some(c)) = e.resolve_char_ref() {
                    walk.say(c.encode_utf8(&mut [0; 4]));
                } else {
                    walk.say(named(&e.xml10_content()));
                }
            }
            Event::End(_) if skipped > 0 => skipped -= 1,
            Event::End(e) => {
                in_text = false;
                walk.end(e.local_name().as_ref());
            }
            Event::Eof => break,
            _ => {}
        }
    }
    Ok(walk.out)
}

/// The five entities of XML. Others are never expanded.
fn named(entity: &str) -> &'static str {
    match entity {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        _ => "",
    }
}

impl Walk {
    fn begin(&mut self, name: &str, e: &BytesStart<'_>, styles: &Styles) {
        match name {
            "p" => self.paragraphs.push(Paragraph::default()),
            "tbl" => self.tables.push(TableState::default()),
            _ => self.single(name, e, styles),
        }
    }

    fn single(&mut self, name: &str, e: &BytesStart<'_>, styles: &Styles) {
        match name {
            "tab" => self.say("\t"),
            "br" | "cr" => self.say("\n"),
            "noBreakHyphen" => self.say("-"),
            "pStyle" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    match styles.get(&attribute(e, "val")) {
                        Some(Style::Heading(level)) => paragraph.heading = *level,
                        Some(Style::Item) => paragraph.in_list = true,
                        None => {}
                    }
                }
            }
            "numPr" => {
                if let Some(paragraph) = self.paragraphs.last_mut() {
                    paragraph.in_list = true;
                }
            }
            _ => {}
        }
    }

    fn say(&mut self, text: &str) {
        if let Some(paragraph) = self.paragraphs.last_mut() {
            paragraph.text.push_str(text);
        }
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" => {
                if let Some(paragraph) = self.paragraphs.pop() {
                    self.paragraph(&paragraph);
                }
            }
            "tc" => {
                if let Some(table) = self.tables.last_mut() {
                    let cell = std::mem::take(&mut table.cell);
                    table.cells.push(cell.trim().to_owned());
                }
            }
            "tr" => {
                let cells = self.tables.last_mut().map(|t| std::mem::take(&mut t.cells));
                let line = cells.unwrap_or_default().join(" | ");
                if let Some(outer) = self.tables.len().checked_sub(2) {
                    if let Some(table) = self.tables.get_mut(outer) {
                        table.cell.push_str(&line);
                        table.cell.push(' ');
                    }
                } else {
                    self.out.push_str(&line);
                    self.out.push('\n');
                }
            }
            "tbl" => {
                self.tables.pop();
                if self.tables.is_empty() {
                    self.out.push('\n');
                }
            }
            _ => {}
        }
    }

    fn paragraph(&mut self, paragraph: &Paragraph) {
        let text = paragraph.text.trim();
        if text.is_empty() {
            return;
        }
        if let Some(table) = self.tables.last_mut() {
            table.cell.push_str(text);
            table.cell.push(' ');
            return;
        }
        if paragraph.heading > 0 {
            self.out.push_str(&"#".repeat(paragraph.heading.min(6)));
            self.out.push(' ');
        } else if paragraph.in_list {
            self.out.push_str("- ");
        }
        self.out.push_str(text);
        // Items of a list stand close together.
        let item = paragraph.in_list && paragraph.heading == 0;
        self.out.push_str(if item { "\n" } else { "\n\n" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> String {
        let headings = HashMap::from([("H1".to_owned(), Style::Heading(1))]);
        text(&format!("<w:document xmlns:w=\"w\"><w:body>{body}</w:body></w:document>"), &headings)
            .unwrap()
    }

    #[test]
    fn headings_lists_breaks_and_references_are_kept() {
        let read = read(
            "<w:p><w:pPr><w:pStyle w:val=\"H1\"/></w:pPr><w:r><w:t>Title &amp; more</w:t></w:r></w:p>\
             <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>one</w:t></w:r></w:p>\
             <w:p><w:r><w:t>a</w:t><w:br/><w:t>&#98;</w:t><w:instrText>PAGE</w:instrText>\
             <w:delText>gone</w:delText></w:r></w:p>",
        );
        assert_eq!(read, "# Title & more\n\n- one\na\nb\n\n");
    }

    #[test]
    fn tables_are_a_line_a_row_and_nested_ones_stay_in_their_cell() {
        let cell = |inner: &str| format!("<w:tc>{inner}</w:tc>");
        let p = |t: &str| format!("<w:p><w:r><w:t>{t}</w:t></w:r></w:p>");
        let inner = format!("<w:tbl><w:tr>{}{}</w:tr></w:tbl>", cell(&p("x")), cell(&p("y")));
        let table = format!("<w:tbl><w:tr>{}{}</w:tr></w:tbl>", cell(&p("a")), cell(&inner));
        assert_eq!(read(&table), "a | x | y\n\n");
    }

    #[test]
    fn what_stands_twice_for_older_readers_is_read_once() {
        let twice = "<w:p><mc:AlternateContent><mc:Choice><w:t>new</w:t></mc:Choice><mc:Fallback>\
                     <w:p><w:t>old</w:t></w:p></mc:Fallback></mc:AlternateContent></w:p>";
        assert_eq!(read(twice), "new\n\n");
    }

    #[test]
    fn entities_are_not_expanded() {
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\
                    <w:p xmlns:w=\"w\"><w:t>see &b; this</w:t></w:p>";
        assert_eq!(text(bomb, &HashMap::new()).unwrap(), "see  this\n\n");
    }
}
