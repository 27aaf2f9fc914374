//! The pages of a live run's log that viewers read last, read once for all who come at the same time: of
//! a large run the first event alone is half a megabyte.
//!
//! The log only grows, so that a page stays right for ever; it may be short, and then what follows it is
//! another page. An empty page is never kept: only the store says that there is nothing more.

use std::collections::VecDeque;
use std::sync::Arc;

use lanes_model::{RunEvent, Seq};
use tokio::sync::Mutex;

use crate::shared::Shared;

/// Pages kept.
const KEPT: usize = 8;

/// Events that follow each other in a log.
pub(crate) type Page = Arc<[Arc<Shared<RunEvent>>]>;

/// What was read last, and after which event.
#[derive(Default)]
pub(crate) struct Pages(Mutex<VecDeque<(Seq, Page)>>);

impl Pages {
    /// The page after an event; whoever asks first reads it, and the others wait for that.
    pub(crate) async fn after<E>(
        &self,
        last: Seq,
        read: impl Future<Output = Result<Page, E>>,
    ) -> Result<Page, E> {
        let mut kept = self.0.lock().await;
        if let Some((_, page)) = kept.iter().find(|(after, _)| *after == last) {
            return Ok(Arc::clone(page));
        }
        let page = read.await?;
        if !page.is_empty() {
            kept.truncate(KEPT - 1);
            kept.push_front((last, Arc::clone(&page)));
        }
        Ok(page)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use lanes_model::{EventKind, Micros};

    use super::*;

    fn page(seqs: std::ops::Range<u64>) -> Result<Page, Infallible> {
        let event = |seq| RunEvent { seq: Seq(seq), at: Micros(seq), kind: EventKind::RunStarted };
        Ok(seqs.map(|seq| Arc::new(Shared::new(event(seq)))).collect())
    }

    #[tokio::test]
    async fn a_page_is_read_once_and_an_empty_one_each_time() {
        let pages = Pages::default();
        let first = pages.after(Seq(0), std::future::ready(page(1..3))).await.unwrap();
        let again = pages.after(Seq(0), async { panic!("it is read again") }).await;
        let again: Result<Page, Infallible> = again;
        assert!(Arc::ptr_eq(&first, &again.unwrap()));
        assert!(pages.after(Seq(2), std::future::ready(page(3..3))).await.unwrap().is_empty());
        assert_eq!(
            pages.after(Seq(2), std::future::ready(page(3..4))).await.unwrap()[0].seq,
            Seq(3)
        );
    }

    #[tokio::test]
    async fn what_was_read_long_ago_is_forgotten() {
        let pages = Pages::default();
        for after in 0..=KEPT as u64 {
            pages.after(Seq(after), std::future::ready(page(after + 1..after + 2))).await.unwrap();
        }
        assert!(pages.after(Seq(0), std::future::ready(page(1..9))).await.unwrap().len() == 8);
    }
}
