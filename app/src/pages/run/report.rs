//! What is said of a run once it is over. Nothing in it moves, so the server draws it, and the browser
//! puts it in its place as it is.

use lanes_model::RunState;
use leptos::prelude::*;

use crate::server::ReportHtml;

mod calls;
mod figures;
mod ledger;
mod routes;
mod table;

/// The report of a run; none while it goes on.
pub fn html(state: &RunState) -> Option<ReportHtml> {
    if state.status.is_live() {
        return None;
    }
    Some(ReportHtml {
        figures: figures::card(state).to_html(),
        details: (ledger::card(state), routes::card(state), calls::card(state)).to_html(),
        table: table::card(state).to_html(),
    })
}

/// The cells of a table's head, of words of the program. A `#` before one says that its column is of
/// numbers.
fn heads(words: &[&str]) -> String {
    let mut html = String::new();
    for word in words {
        let (class, word) = match word.strip_prefix('#') {
            Some(word) => (r#" class="num""#, word),
            None => ("", *word),
        };
        html.push_str(&format!(r#"<th scope="col"{class}>{word}</th>"#));
    }
    html
}
