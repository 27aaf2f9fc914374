//! What a run of uploaded documents is about.

use std::collections::HashSet;

use lanes_documents::MAX_RECORDS;
use lanes_model::{DocumentInfo, FieldError};

use super::super::Service;
use crate::ServiceError;

/// The most documents a run may name.
const MAX_DOCUMENTS: usize = 10_000;

/// What a run is about.
pub(in crate::service) struct RunInput {
    /// In a few words, for the run's title.
    pub(in crate::service) subject: String,
    /// The documents, a table as its records.
    pub(in crate::service) documents: Vec<DocumentInfo>,
    /// Texts that came with the request.
    pub(in crate::service) texts: Vec<(DocumentInfo, String)>,
}

impl Service {
    /// What a run of uploaded documents is about. Every document that is not there or too long is told
    /// with its place.
    /// `cut` says that long ones are cut.
    pub(in crate::service) async fn uploaded_input(
        &self,
        ids: &[String],
        cut: bool,
    ) -> Result<RunInput, ServiceError> {
        const PLACE: &str = "/input/document_ids";
        let wrong = |detail: String| ServiceError::Invalid(vec![FieldError::new(PLACE, detail)]);
        if ids.len() > MAX_DOCUMENTS {
            return Err(wrong(format!("A run takes at most {MAX_DOCUMENTS} documents.")));
        }
        let store = &self.inner.store;
        let found = store.uploaded_of(ids).await?;
        let (mut documents, mut errors, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        let most = self.limits().max_text_bytes as u64;
        for (n, id) in ids.iter().enumerate() {
            let place = format!("{PLACE}/{n}");
            let Some(document) = found.get(id) else {
                let short: String = id.chars().take(40).collect();
                let detail = format!("There is no document “{short}”: upload it first.");
                errors.push(FieldError::new(place, detail));
                continue;
            };
            if !seen.insert(id) {
                let detail = format!("“{}” is chosen twice.", document.name);
                errors.push(FieldError::new(place, detail));
                continue;
            }
            let records = match document.records {
                Some(_) => store.records_of(&document.id, u32::MAX).await?,
                None => vec![DocumentInfo {
                    id: document.id.clone(),
                    name: document.name.clone(),
                    bytes: document.text_bytes,
                    tokens: document.tokens,
                }],
            };
            if let Some(long) = records.iter().find(|r| r.bytes > most && !cut) {
                errors.push(FieldError::new(place, too_long(long, most)));
            }
            documents.extend(records);
            if documents.len() > MAX_RECORDS {
                return Err(wrong(format!(
                    "A run takes at most {MAX_RECORDS} records: choose fewer."
                )));
            }
        }
        if !errors.is_empty() {
            return Err(ServiceError::Invalid(errors));
        }
        let names: Vec<_> = ids.iter().filter_map(|id| found.get(id)).map(|d| &d.name).collect();
        let subject = match names.as_slice() {
            [one] => (*one).clone(),
            many => format!("{} documents", many.len()),
        };
        Ok(RunInput { subject, documents, texts: Vec::new() })
    }
}

/// A text is never cut silently: one that is too long is refused with its length.
fn too_long(document: &DocumentInfo, most: u64) -> String {
    format!(
        "“{}” has {} bytes of text ({} tokens), and a call takes at most {most} bytes: have long \
         documents cut into pieces (“long”: “chunk”), or split it into several files.",
        document.name, document.bytes, document.tokens
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_too_long_is_told_with_its_length() {
        let long = DocumentInfo { id: "d".into(), name: "a.txt".to_owned(), bytes: 9, tokens: 3 };
        assert!(
            too_long(&long, 5).contains("9 bytes of text (3 tokens), and a call takes at most 5")
        );
    }
}
