//! Cutting the documents of a run that are too long for one call, when the run is made: what is kept is
//! where each piece ends, and the text stays whole.

use std::borrow::Cow;

use lanes_documents::MAX_RECORDS;
use lanes_model::{DocumentInfo, FieldError, MOST_PIECES, Piece, RunSpec};
use lanes_provider::tokens;

use super::Service;
use super::documents::RunInput;
use crate::ServiceError;

impl Service {
    /// The pieces of each document of a run: none of one that is short enough or an image; nothing at
    /// all in a run that cuts none.
    pub(super) async fn pieces(
        &self,
        spec: &RunSpec,
        input: &RunInput,
    ) -> Result<Vec<Vec<Piece>>, ServiceError> {
        let Some(most) = spec.piece_tokens.map(u64::from) else { return Ok(Vec::new()) };
        let wrong = |detail| ServiceError::Invalid(vec![FieldError::new("/piece_tokens", detail)]);
        let mut all = 0;
        let mut cut = Vec::with_capacity(input.documents.len());
        for document in &input.documents {
            let text = match document.tokens > most {
                true => self.text_of(input, document).await?,
                false => None,
            };
            let Some(text) = text.map(Cow::into_owned) else {
                cut.push(Vec::new());
                continue;
            };
            let pieces = tokio::task::spawn_blocking(move || pieces(&text, most));
            // It does not end when the program does.
            let pieces = pieces.await.map_err(|_| ServiceError::Stopping)?;
            if pieces.len() > MOST_PIECES {
                return Err(wrong(format!(
                    "“{}” ({} tokens) has {} pieces of {most} tokens, and at most {MOST_PIECES} can be \
                     put together: choose larger pieces.",
                    document.name,
                    document.tokens,
                    pieces.len()
                )));
            }
            all += pieces.len();
            if all > MAX_RECORDS {
                return Err(wrong(format!(
                    "These documents have more than {MAX_RECORDS} pieces: choose larger pieces, or \
                     fewer documents."
                )));
            }
            cut.push(pieces);
        }
        Ok(cut)
    }

    /// A document's text; none of an image.
    async fn text_of<'a>(
        &self,
        input: &'a RunInput,
        document: &DocumentInfo,
    ) -> Result<Option<Cow<'a, str>>, ServiceError> {
        if let Some((_, text)) = input.texts.iter().find(|(info, _)| info.id == document.id) {
            return Ok(Some(Cow::Borrowed(text)));
        }
        let content = self.inner.store.document_content(&document.id).await?;
        Ok(content.filter(|c| c.image.is_none()).map(|c| Cow::Owned(c.text)))
    }
}

fn pieces(text: &str, most: u64) -> Vec<Piece> {
    let cut = lanes_documents::split(text, most, &tokens::count);
    match cut.as_slice() {
        // The whole counts differently from its sentences.
        [_] => Vec::new(),
        cut => {
            let piece = |p: &&str| Piece { bytes: p.len() as u64, tokens: tokens::count(p) };
            cut.iter().map(piece).collect()
        }
    }
}
