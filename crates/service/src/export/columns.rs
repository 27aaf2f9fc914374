//! The Parquet export: one row a call, columns of fixed types, so that a table program reads it without
//! guessing.

use std::io::Write;
use std::sync::Arc;

use lanes_model::batch::CallRow;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use super::rows::status_id;
use super::stream::failed;
use crate::ServiceError;

/// Rows of a group: what is held before it is written.
const GROUP: usize = 4_096;

const SCHEMA: &str = "message calls {
    required binary pass (UTF8);
    required binary document (UTF8);
    required binary task (UTF8);
    required binary stage (UTF8);
    required binary status (UTF8);
    optional binary output (UTF8);
    optional binary error (UTF8);
    required int64 attempts;
    optional int64 start_us;
    optional int64 end_us;
    optional int64 ttft_us;
    optional int64 input_tokens;
    optional int64 output_tokens;
    optional int64 cached_tokens;
    optional int64 cost_usd_micros;
}";

type Text = fn(&CallRow) -> Option<&str>;
type Number = fn(&CallRow) -> Option<u64>;

/// The texts, in the order of the schema, and whether each may be missing.
const TEXTS: [(Text, bool); 7] = [
    (|r| Some(r.pass.id()), false),
    (|r| Some(&r.document_name), false),
    (|r| Some(r.view.task.as_str()), false),
    (|r| Some(&r.stage), false),
    (|r| Some(status_id(r.view.status)), false),
    (|r| r.view.output.as_deref(), true),
    (|r| r.view.error.as_ref().map(|e| e.message.as_str()), true),
];

/// The numbers after them.
const NUMBERS: [(Number, bool); 8] = [
    (|r| Some(u64::from(r.view.attempts)), false),
    (|r| Some(r.view.start_us?.0), true),
    (|r| Some(r.view.end_us?.0), true),
    (|r| Some(r.view.ttft_us?.0), true),
    (|r| Some(r.view.tokens?.input), true),
    (|r| Some(r.view.tokens?.output), true),
    (|r| Some(r.view.tokens?.cached), true),
    (|r| Some(r.view.cost_usd_micros?.0), true),
];

/// A file being written.
pub(super) struct Table<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    rows: Vec<CallRow>,
}

impl<W: Write + Send> Table<W> {
    pub(super) fn begin(out: W) -> Result<Self, ServiceError> {
        let schema = Arc::new(parse_message_type(SCHEMA).map_err(failed)?);
        let properties = Arc::new(WriterProperties::builder().build());
        let writer = SerializedFileWriter::new(out, schema, properties).map_err(failed)?;
        Ok(Self { writer, rows: Vec::new() })
    }

    pub(super) fn add(&mut self, rows: &[CallRow]) -> Result<(), ServiceError> {
        self.rows.extend_from_slice(rows);
        if self.rows.len() >= GROUP { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), ServiceError> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = self.writer.next_row_group().map_err(failed)?;
        for (text, optional) in TEXTS {
            let texts: Vec<_> = rows.iter().map(text).collect();
            texts_column(&mut group, &texts, optional)?;
        }
        for (number, optional) in NUMBERS {
            let numbers: Vec<_> = rows.iter().map(number).collect();
            numbers_column(&mut group, &numbers, optional)?;
        }
        group.close().map(|_| ()).map_err(failed)
    }

    pub(super) fn end(mut self) -> Result<(), ServiceError> {
        if !self.rows.is_empty() {
            self.write()?;
        }
        self.writer.close().map(|_| ()).map_err(failed)
    }
}

/// Which rows have a value, where some may have none.
fn levels<T>(values: &[Option<T>], optional: bool) -> Option<Vec<i16>> {
    optional.then(|| values.iter().map(|v| i16::from(v.is_some())).collect())
}

fn texts_column<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    texts: &[Option<&str>],
    optional: bool,
) -> Result<(), ServiceError> {
    let Some(mut column) = group.next_column().map_err(failed)? else { return Ok(()) };
    let values: Vec<_> = texts.iter().flatten().map(|text| ByteArray::from(*text)).collect();
    let levels = levels(texts, optional);
    let typed = column.typed::<ByteArrayType>();
    typed.write_batch(&values, levels.as_deref(), None).map_err(failed)?;
    column.close().map_err(failed)
}

fn numbers_column<W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    numbers: &[Option<u64>],
    optional: bool,
) -> Result<(), ServiceError> {
    let Some(mut column) = group.next_column().map_err(failed)? else { return Ok(()) };
    let values = numbers.iter().flatten().map(|n| i64::try_from(*n).unwrap_or(i64::MAX));
    let values: Vec<_> = values.collect();
    let levels = levels(numbers, optional);
    let typed = column.typed::<Int64Type>();
    typed.write_batch(&values, levels.as_deref(), None).map_err(failed)?;
    column.close().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::RowAccessor;

    #[test]
    fn what_is_written_reads_as_rows() {
        let state = crate::export::tests::state();
        let rows: Vec<_> = (0..2)
            .filter_map(|i| CallRow::of(&state, lanes_model::PassId(0), lanes_model::CallId(i)))
            .collect();
        let mut file = Vec::new();
        let mut table = Table::begin(&mut file).unwrap();
        table.add(&rows).unwrap();
        table.end().unwrap();
        let reader = SerializedFileReader::new(bytes::Bytes::from(file)).unwrap();
        let read: Vec<_> = reader.get_row_iter(None).unwrap().map(Result::unwrap).collect();
        assert_eq!(read.len(), 2);
        assert_eq!(read[0].get_string(4).unwrap(), "succeeded");
        assert_eq!(read[0].get_string(5).unwrap(), rows[0].view.output.as_ref().unwrap());
        assert_eq!(read[0].get_long(11).unwrap(), 320);
        assert_eq!(read[1].get_string(4).unwrap(), "failed");
        assert!(read[1].get_long(11).is_err(), "it has no tokens");
    }
}
