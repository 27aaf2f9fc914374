//! What a terminal can show: whether there is one, whether colours are wanted, and text in columns.

use std::io::{IsTerminal, Write};

use unicode_width::UnicodeWidthStr;

/// Whether stderr moves: bars can be drawn over.
#[must_use]
pub fn draws() -> bool {
    std::io::stderr().is_terminal() && std::env::var("TERM").as_deref() != Ok("dumb")
}

/// Whether stdout takes colours and bold type.
#[must_use]
pub fn colours() -> bool {
    std::io::stdout().is_terminal() && !no_color() && std::env::var("TERM").as_deref() != Ok("dumb")
}

/// Whether the user wants no colours (no-color.org).
#[must_use]
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Writes results to stdout. Who has read enough of them (`head`) may close it: that is no failure.
pub fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush())
        && error.kind() != std::io::ErrorKind::BrokenPipe
    {
        eprintln!("lanes: the results cannot be written: {error}");
    }
}

/// Bold, where that is possible.
#[must_use]
pub fn bold(text: &str) -> String {
    if colours() { format!("\u{1b}[1m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Text of others for a terminal: without what could steer it.
#[must_use]
pub fn tame(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Rows in columns, the first row being the heading.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
    /// From this column on, figures: to the right.
    figures: usize,
    /// Up to this column.
    until: usize,
}

impl Table {
    /// A table with these headings, whose columns `figures` are figures.
    #[must_use]
    pub fn new(headings: &[&str], figures: std::ops::Range<usize>) -> Self {
        let heading = headings.iter().map(|&h| h.to_owned()).collect();
        Self { rows: vec![heading], figures: figures.start, until: figures.end }
    }

    /// One more row.
    pub fn row(&mut self, cells: Vec<String>) {
        // A cell is one line.
        self.rows.push(cells.iter().map(|c| tame(c).replace(['\n', '\t'], " ")).collect());
    }

    /// The table as text.
    #[must_use]
    pub fn text(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.width()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for (number, row) in self.rows.iter().enumerate() {
            let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                let space = " ".repeat(width - cell.width());
                match (self.figures..self.until).contains(&column) {
                    true => format!("{space}{cell}"),
                    false => format!("{cell}{space}"),
                }
            });
            let line = cells.collect::<Vec<_>>().join("  ");
            let line = line.trim_end();
            text.push_str(&if number == 0 { bold(line) } else { line.to_owned() });
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_what_the_eye_sees() {
        let mut table = Table::new(&["name", "time"], 1..2);
        table.row(vec!["日本".to_owned(), "2.46 s".to_owned()]);
        table.row(vec!["a".to_owned(), "12.0 s".to_owned()]);
        assert_eq!(table.text(), "name    time\n日本  2.46 s\na     12.0 s\n");
    }

    #[test]
    fn text_of_others_does_not_steer_the_terminal() {
        assert_eq!(tame("a\u{1b}[2Jb\nc\td\u{7}"), "a[2Jb\nc\td");
        let mut table = Table::new(&["name"], 0..0);
        table.row(vec!["a\nb".to_owned()]);
        assert_eq!(table.text(), "name\na b\n");
    }
}
