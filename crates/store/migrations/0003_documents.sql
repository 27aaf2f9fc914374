-- Documents that were uploaded: what they are, whole tables with a row for each record, and images.
-- `kept` says that somebody uploaded it and nobody has deleted it since.
ALTER TABLE documents ADD COLUMN media_type TEXT NOT NULL DEFAULT 'text/plain';
-- The length of the file; `bytes` is that of the text.
ALTER TABLE documents ADD COLUMN file_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN pages INTEGER;
-- Of the file, hexadecimal.
ALTER TABLE documents ADD COLUMN sha256 TEXT NOT NULL DEFAULT '';
-- As runs.created_key.
ALTER TABLE documents ADD COLUMN created_key TEXT NOT NULL DEFAULT '';
-- What to know of how it was read: a JSON array of texts.
ALTER TABLE documents ADD COLUMN notes TEXT NOT NULL DEFAULT '[]';
-- Of a table: how many records it has, the names of its columns as a JSON array, and which of them
-- holds the text.
ALTER TABLE documents ADD COLUMN records INTEGER;
ALTER TABLE documents ADD COLUMN columns TEXT;
ALTER TABLE documents ADD COLUMN text_column TEXT;
-- Of a record: its table, its place in it from 0, and the whole row as a JSON object. The table may be
-- deleted while a run still reads the record.
ALTER TABLE documents ADD COLUMN parent TEXT;
ALTER TABLE documents ADD COLUMN place INTEGER;
ALTER TABLE documents ADD COLUMN record TEXT;
-- Of an image: the file.
ALTER TABLE documents ADD COLUMN data BLOB;

CREATE INDEX documents_newest ON documents (created_key DESC, id DESC)
    WHERE kept AND parent IS NULL AND sha256 <> '';
CREATE INDEX documents_records ON documents (parent, place) WHERE parent IS NOT NULL;
