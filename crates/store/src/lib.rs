//! Keeps runs: their logs, their summaries, their texts, and what past calls teach about future
//! ones. SQLite through sqlx.
//!
//! [`Store`] is the whole interface, [`EventWriter`] the queue in front of it for those who must
//! not wait. Used by the service; knows the model and nothing else. The rule it keeps: whatever
//! belongs together is written in one transaction, and the order of a log is given here.

mod access;
mod alerts;
mod answers;
mod create;
mod cursor;
mod definitions;
mod documents;
mod error;
mod figures;
mod history;
mod inspect;
mod log;
mod open;
mod outbox;
mod runs;
mod store;
mod upkeep;
mod uploads;
mod webhooks;
mod writer;

pub use access::{NewSession, StoredKey};
pub use alerts::AlertChange;
pub use answers::{AnswerKey, AnswerNote, AnswerTotals, StoredAnswer};
pub use create::Created;
pub use error::StoreError;
pub use figures::{Counted, FigureKey, FigureRow, Figures};
pub use history::{CallRecord, TaskHistoryRow};
pub use inspect::{Inspection, inspect};
pub use log::Entry;
pub use outbox::{AfterAttempt, Delivery, DeliveryAttempt, Due, Message};
pub use runs::{Page, RunFilter};
pub use store::{Store, Totals};
pub use upkeep::{OldRun, Size};
pub use uploads::{DocumentContent, NewContent, NewRecord, StoredDocument};
pub use webhooks::StoredWebhook;
pub use writer::EventWriter;
