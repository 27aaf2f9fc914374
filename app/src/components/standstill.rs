//! What is said of a run that stands still though nobody asked for that: its log cannot be written.

/// What matters.
pub const HEADING: &str = "Nothing new is started.";

/// Why, and what becomes of the run. Not HTML.
#[must_use]
pub fn text(why: &str) -> String {
    format!(
        "{why} What is under way goes on, and its answers are kept in memory until they can be \
         written. The run goes on by itself as soon as that works."
    )
}
