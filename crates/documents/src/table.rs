//! Tables: CSV and JSON lines. One record a row, of which one column holds the text; the whole row
//! stays available.

use std::collections::{HashMap, HashSet};

use csv::{ReaderBuilder, StringRecord};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{MAX_RECORDS, Options, Reason, Refusal};

/// The most columns.
const MAX_COLUMNS: usize = 1_000;
/// The most cells: rows times columns.
const MAX_CELLS: usize = 5_000_000;

/// Records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// The columns' names.
    pub columns: Vec<String>,
    /// Which column holds the text.
    pub text_column: usize,
    /// The records, each with a value for every column.
    pub rows: Vec<Vec<String>>,
}

/// A table with a separator between its values; the first line names the columns.
pub(crate) fn csv(
    name: &str,
    text: &str,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Table, Refusal> {
    let delimiter =
        if name.to_ascii_lowercase().ends_with(".tsv") { b'\t' } else { delimiter(text) };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut record = StringRecord::new();
    let mut next = |record: &mut StringRecord| {
        reader.read_record(record).map_err(|error| {
            Refusal::new(Reason::Damaged, format!("The table cannot be read: {error}."))
        })
    };
    if !next(&mut record)? {
        return Err(Refusal::new(Reason::NoText, "There are only blanks in the file."));
    }
    let mut columns = Columns::default();
    for name in &record {
        columns.add(name.trim())?;
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    while next(&mut record)? {
        room_for_one_more(&rows, columns.names.len())?;
        while columns.names.len() < record.len() {
            columns.add("")?;
        }
        rows.push(record.iter().map(str::to_owned).collect());
    }
    finish(columns.names, rows, None, options, notes)
}

/// An object a line; or a text a line, in quotes.
pub(crate) fn jsonl(
    text: &str,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Table, Refusal> {
    let mut columns = Columns::default();
    let mut rows: Vec<Vec<String>> = Vec::new();
    let mut texts: Vec<bool> = Vec::new();
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    for (n, line) in lines {
        let line_number = n + 1;
        let value: Value = serde_json::from_str(line).map_err(|error| {
            let detail =
                format!("Line {line_number} is not JSON ({error}): each line must be one object.");
            Refusal::new(Reason::Damaged, detail)
        })?;
        let fields = match value {
            Value::Object(fields) => fields.into_iter().collect(),
            Value::String(text) => vec![("text".to_owned(), Value::String(text))],
            _ => {
                let detail = format!("Line {line_number} is neither a JSON object nor a text.");
                return Err(Refusal::new(Reason::Damaged, detail));
            }
        };
        let mut row = Vec::new();
        for (name, value) in fields {
            let place = columns.place(&name)?;
            let cells = place.max(row.len().saturating_sub(1)) + 1;
            row.resize(cells, String::new());
            texts.resize(columns.names.len(), false);
            let (value, is_text) = match value {
                Value::String(text) => (text, true),
                Value::Null => (String::new(), false),
                other => (other.to_string(), false),
            };
            if let (Some(cell), Some(known)) = (row.get_mut(place), texts.get_mut(place)) {
                *cell = value;
                *known |= is_text;
            }
        }
        room_for_one_more(&rows, columns.names.len())?;
        rows.push(row);
    }
    finish(columns.names, rows, Some(&texts), options, notes)
}

#[derive(Default)]
struct Columns {
    names: Vec<String>,
    places: HashMap<String, usize>,
}

impl Columns {
    /// A further column; one without a name of its own gets one.
    fn add(&mut self, name: &str) -> Result<(), Refusal> {
        let number = self.names.len() + 1;
        if number > MAX_COLUMNS {
            return Err(Refusal::new(
                Reason::TooLarge,
                format!("The table has more than {MAX_COLUMNS} columns."),
            ));
        }
        let base = if name.is_empty() { format!("column {number}") } else { name.to_owned() };
        let mut free = base.clone();
        let mut again = 2;
        while self.places.contains_key(&free) {
            free = format!("{base} ({again})");
            again += 1;
        }
        self.places.insert(free.clone(), number - 1);
        self.names.push(free);
        Ok(())
    }

    /// The place of a column that is there already or is added now.
    fn place(&mut self, name: &str) -> Result<usize, Refusal> {
        if let Some(place) = self.places.get(name) {
            return Ok(*place);
        }
        let place = self.names.len();
        if name.is_empty() {
            self.places.insert(String::new(), place);
        }
        self.add(name)?;
        Ok(place)
    }
}

fn room_for_one_more(rows: &[Vec<String>], columns: usize) -> Result<(), Refusal> {
    if rows.len() >= MAX_RECORDS {
        let detail = format!("The table has more than {MAX_RECORDS} rows: split it.");
        return Err(Refusal::new(Reason::TooLarge, detail));
    }
    if (rows.len() + 1).saturating_mul(columns) > MAX_CELLS {
        let detail =
            format!("The table has more than {MAX_CELLS} cells: leave out columns or split it.");
        return Err(Refusal::new(Reason::TooLarge, detail));
    }
    Ok(())
}

/// Chooses the column of the text and leaves out the rows that have none. `texts` says which columns
/// ever hold a text, where values have types.
fn finish(
    columns: Vec<String>,
    mut rows: Vec<Vec<String>>,
    texts: Option<&[bool]>,
    options: &Options,
    notes: &mut Vec<String>,
) -> Result<Table, Refusal> {
    if rows.is_empty() {
        let detail =
            "The table has no rows: the first line names the columns, the records follow it.";
        return Err(Refusal::new(Reason::NoText, detail));
    }
    if rows.len().saturating_mul(columns.len()) > MAX_CELLS {
        let detail =
            format!("The table has more than {MAX_CELLS} cells: leave out columns or split it.");
        return Err(Refusal::new(Reason::TooLarge, detail));
    }
    for row in &mut rows {
        row.resize(columns.len(), String::new());
    }
    let wanted = options.text_column.as_deref().map(str::trim).filter(|name| !name.is_empty());
    let text_column = match wanted {
        Some(wanted) => columns.iter().position(|name| name == wanted).ok_or_else(|| {
            let known: Vec<_> = columns.iter().take(20).map(|n| format!("“{n}”")).collect();
            let detail =
                format!("There is no column “{wanted}”; the table has {}.", known.join(", "));
            Refusal::new(Reason::NoColumn, detail)
        })?,
        None => longest(&columns, &rows, texts),
    };
    let before = rows.len();
    rows.retain(|row| row.get(text_column).is_some_and(|cell| !cell.trim().is_empty()));
    let blank = before - rows.len();
    let column = columns.get(text_column).map_or("", String::as_str);
    if rows.is_empty() {
        let detail = format!("The column “{column}” is empty in every row.");
        return Err(Refusal::new(Reason::NoText, detail));
    }
    if blank > 0 {
        let rows = if blank == 1 { "1 row has".to_owned() } else { format!("{blank} rows have") };
        notes.push(format!("{rows} no text in the column “{column}” and make no record."));
    }
    Ok(Table { columns, text_column, rows })
}

/// The column with the longest texts, on average.
fn longest(columns: &[String], rows: &[Vec<String>], texts: Option<&[bool]>) -> usize {
    let length = |column: usize| -> usize {
        if texts.is_some_and(|t| t.get(column) != Some(&true)) {
            return 0;
        }
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).sum()
    };
    let mut best = (0, 0);
    for column in 0..columns.len() {
        let length = length(column);
        if length > best.1 {
            best = (column, length);
        }
    }
    best.0
}

/// The separator with which the first lines have the same number of values, and the most of them.
fn delimiter(text: &str) -> u8 {
    let mut best = (1, b',');
    for delimiter in [b',', b';', b'\t', b'|'] {
        let reader = ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .has_headers(false)
            .from_reader(text.as_bytes());
        let widths: HashSet<usize> =
            reader.into_records().take(20).map_while(Result::ok).map(|r| r.len()).collect();
        let width = widths.iter().copied().min().unwrap_or(1);
        // A table whose rows differ is one still, but less surely.
        let score = if widths.len() == 1 { width * 2 } else { width };
        if width > 1 && score > best.0 {
            best = (score, delimiter);
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, text: &str) -> Result<(Table, Vec<String>), Refusal> {
        let mut notes = Vec::new();
        let table = if name.ends_with("jsonl") {
            jsonl(text, &Options::default(), &mut notes)
        } else {
            csv(name, text, &Options::default(), &mut notes)
        };
        Ok((table?, notes))
    }

    #[test]
    fn the_longest_texts_are_the_text_and_the_whole_row_stays() {
        let (table, notes) =
            read("a.csv", "id,review,stars\n1,\"Good, very good\",5\n2,Bad,1\n").unwrap();
        assert_eq!(
            (table.columns.as_slice(), table.text_column),
            (&["id", "review", "stars"].map(str::to_owned)[..], 1)
        );
        assert_eq!(table.rows, [vec!["1", "Good, very good", "5"], vec!["2", "Bad", "1"]]);
        assert!(notes.is_empty());
    }

    #[test]
    fn separators_are_found() {
        for (text, name) in
            [("a;b\n1;x,y\n2;z\n", "a.csv"), ("a\tb\n1\tx y\n", "a.tsv"), ("a|b\n1|xyz\n", "a.csv")]
        {
            assert_eq!(read(name, text).unwrap().0.columns, ["a", "b"], "{text}");
        }
    }

    #[test]
    fn rows_of_other_lengths_and_columns_without_names_are_kept() {
        let (table, _) = read("a.csv", "a,,a\n1,2,3,four\n5\n").unwrap();
        assert_eq!(table.columns, ["a", "column 2", "a (2)", "column 4"]);
        assert_eq!(table.rows[0], ["1", "2", "3", "four"]);
    }

    #[test]
    fn rows_without_text_are_left_out_and_told() {
        let (table, notes) =
            read("a.jsonl", "{\"t\":\"one\"}\n{\"t\":\" \",\"n\":1234567890}\n\n{\"n\":2}\n")
                .unwrap();
        assert_eq!(table.rows, [vec!["one".to_owned(), String::new()]]);
        assert_eq!(notes, ["2 rows have no text in the column “t” and make no record."]);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_or_column() {
        assert!(read("a.jsonl", "{\"a\":1}\n{oops\n").unwrap_err().detail.contains("Line 2"));
        assert!(read("a.jsonl", "[1]").unwrap_err().detail.contains("Line 1"));
        assert_eq!(read("a.csv", "only,a,header\n").unwrap_err().reason, Reason::NoText);
        let options = Options { text_column: Some("body".to_owned()) };
        let refused = csv("a.csv", "a,b\n1,2\n", &options, &mut Vec::new()).unwrap_err();
        assert_eq!(refused.reason, Reason::NoColumn);
        assert!(refused.detail.contains("“a”, “b”"), "{}", refused.detail);
    }

    #[test]
    fn there_is_a_most_of_rows_and_columns() {
        let many = format!("t\n{}", "x\n".repeat(MAX_RECORDS + 1));
        assert_eq!(read("a.csv", &many).unwrap_err().reason, Reason::TooLarge);
        let wide = ["c"; MAX_COLUMNS + 1].join(",");
        assert_eq!(read("a.csv", &wide).unwrap_err().reason, Reason::TooLarge);
    }
}
