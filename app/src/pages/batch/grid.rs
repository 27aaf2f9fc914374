//! The results of a large run: records by tasks, a page at a time. What is shown stands in the address.

use lanes_model::batch::{CallSort, Grid, GridCell, GridColumn, GridQuery};
use lanes_model::{CallStatus, format};
use leptos_router::params::ParamsMap;

use super::SIMULATED;
use crate::components::markup::escape;

/// Records on a page.
const SIZE: usize = 25;
/// The most that is searched for.
const SEARCH: usize = 200;

const STATUSES: [(&str, &str, CallStatus); 6] = [
    ("succeeded", "Answered", CallStatus::Succeeded),
    ("failed", "Failed", CallStatus::Failed),
    ("invalid", "Invalid", CallStatus::Invalid),
    ("running", "Under way", CallStatus::Running),
    ("queued", "Waiting", CallStatus::Queued),
    ("cancelled", "Cancelled", CallStatus::Cancelled),
];
const SORTS: [(&str, &str, CallSort); 3] = [
    ("plan", "In order", CallSort::Plan),
    ("document", "By name", CallSort::Document),
    ("duration", "Slowest first", CallSort::Duration),
];

/// What the address asks for.
pub(super) fn query(params: &ParamsMap) -> GridQuery {
    let get = |name: &str| params.get(name).unwrap_or_default();
    let status = get("status");
    GridQuery {
        search: get("q").chars().take(SEARCH).collect(),
        status: STATUSES.iter().find(|(id, ..)| *id == status).map(|(.., status)| *status),
        sort: CallSort::from_id(&get("sort")).unwrap_or_default(),
        page: get("page").parse().unwrap_or(1),
        size: SIZE,
    }
}

fn option(id: &str, word: &str, chosen: bool) -> String {
    let chosen = if chosen { " selected" } else { "" };
    format!(r#"<option value="{id}"{chosen}>{word}</option>"#)
}

pub(super) fn html(id: &str, query: &GridQuery, grid: &Grid) -> String {
    let id = escape(id);
    let statuses: String =
        STATUSES.map(|(id, word, status)| option(id, word, query.status == Some(status))).concat();
    let sorts: String = SORTS.map(|(id, word, sort)| option(id, word, query.sort == sort)).concat();
    // Said once where it is true of every answer.
    let all = grid.columns.iter().all(|column| column.simulated);
    let simulated = if all { SIMULATED } else { "" };
    let mut html = format!(
        r##"<section class="card" id="results" aria-labelledby="b-results"><form class="card-head" role="search" method="get" action="/runs/{id}#results"><h2 id="b-results">Results{simulated}</h2><input class="input" style="width:14rem" type="search" name="q" aria-label="Search records and answers" placeholder="Search records and answers" maxlength="{SEARCH}" value="{}"><select class="select" style="width:9rem" name="status" aria-label="Outcome">{}{statuses}</select><select class="select" style="width:9rem" name="sort" aria-label="Order">{sorts}</select><button class="btn btn--small" type="submit">Show</button><span class="hint" role="status">{}</span></form>"##,
        escape(&query.search),
        option("", "Any outcome", query.status.is_none()),
        format::plural(grid.matching as u64, "record"),
    );
    if grid.rows.is_empty() {
        html.push_str(r#"<p class="card-foot">No record matches.</p></section>"#);
        return html;
    }
    let head = |column: &GridColumn| {
        let simulated = if column.simulated && !all { SIMULATED } else { "" };
        format!(r#"<th scope="col">{}{simulated}</th>"#, escape(&column.name))
    };
    let heads: String = grid.columns.iter().map(head).collect();
    html.push_str(&format!(
        r#"<div class="scroll" tabindex="0" role="region" aria-label="Records and answers"><table class="records"><thead><tr><th scope="col">Record</th>{heads}</tr></thead><tbody>"#
    ));
    for row in &grid.rows {
        let cells: String = row.cells.iter().map(cell).collect();
        html.push_str(&format!(r#"<tr><th scope="row">{}</th>{cells}</tr>"#, escape(&row.name)));
    }
    html.push_str("</tbody></table></div>");
    html.push_str(&pages(&id, query, grid));
    html.push_str("</section>");
    html
}

/// An answer: its beginning, all of it on click.
fn cell(cell: &GridCell) -> String {
    const SHORT: usize = 90;
    let (_, word, _) =
        STATUSES.iter().find(|(.., s)| *s == cell.status).copied().unwrap_or(STATUSES[4]);
    let class = if cell.status.is_failure() { "bad" } else { "dim" };
    let mark = (cell.status != CallStatus::Succeeded).then(|| word.to_owned());
    let time = cell.time.map(format::seconds);
    let tries = (cell.attempts > 1).then(|| format!("{} attempts", cell.attempts));
    let said: Vec<_> = [mark, time, tries].into_iter().flatten().collect();
    let foot = format!(r#"<span class="{class} hint">{}</span>"#, said.join(" · "));
    if cell.text.is_empty() {
        return format!("<td>{foot}</td>");
    }
    let text = cell.text.trim();
    if text.chars().count() <= SHORT && !text.contains('\n') {
        return format!("<td>{}<br>{foot}</td>", escape(text));
    }
    let short: String = text.chars().take(SHORT).collect();
    format!(
        r#"<td><details><summary>{}…</summary><div class="full">{}</div></details>{foot}</td>"#,
        escape(&short),
        text.lines().map(escape).collect::<Vec<_>>().join("<br>")
    )
}

fn pages(id: &str, query: &GridQuery, grid: &Grid) -> String {
    let status = STATUSES.iter().find(|(.., s)| query.status == Some(*s)).map_or("", |(id, ..)| id);
    let sort = SORTS.iter().find(|(.., s)| query.sort == *s).map_or("", |(id, ..)| id);
    let link = |page: usize, word: &str| {
        let q = urlencode(&query.search);
        format!(
            r##"<a class="btn btn--small" href="/runs/{id}?q={q}&amp;status={status}&amp;sort={sort}&amp;page={page}#results">{word}</a>"##
        )
    };
    let before = (grid.page > 1).then(|| link(grid.page - 1, "Previous"));
    let after = (grid.page < grid.pages).then(|| link(grid.page + 1, "Next"));
    format!(
        r#"<nav class="card-foot row" aria-label="Pages of records"><span style="margin-right:auto">Page {} of {}</span>{}{}</nav>"#,
        format::count(grid.page as u64),
        format::count(grid.pages as u64),
        before.unwrap_or_default(),
        after.unwrap_or_default()
    )
}

/// A text as it stands in the query of an address.
fn urlencode(text: &str) -> String {
    let byte = |b: u8| match b {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => char::from(b).to_string(),
        b => format!("%{b:02X}"),
    };
    text.bytes().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(text: &str, status: CallStatus) -> Grid {
        let cell = GridCell { status, text: text.to_owned(), time: None, attempts: 1 };
        let row = lanes_model::batch::GridRow { name: "<b>".to_owned(), cells: vec![cell] };
        let column = |name: &str, simulated| GridColumn { name: name.to_owned(), simulated };
        let columns = vec![column("Task", true), column("Other", false)];
        Grid { columns, rows: vec![row], matching: 60, page: 2, pages: 3 }
    }

    #[test]
    fn what_comes_from_outside_stays_text_and_pages_keep_the_search() {
        let query = GridQuery { search: "a&b \"c\"".to_owned(), size: 25, ..GridQuery::default() };
        let html = html("7", &query, &grid("<i>answer</i>", CallStatus::Succeeded));
        assert!(!html.contains("<b>") && !html.contains("<i>"), "{html}");
        assert!(html.contains("&lt;i&gt;answer"), "{html}");
        assert!(
            html.contains("/runs/7?q=a%26b%20%22c%22&amp;status=&amp;sort=plan&amp;page=3#results")
        );
        assert!(html.contains(&format!("<th scope=\"col\">Task{SIMULATED}</th>")), "{html}");
        assert!(html.contains("Page 2 of 3") && html.contains(">Previous<"), "{html}");
    }

    #[test]
    fn a_long_answer_is_shown_whole_on_click() {
        let long = "word ".repeat(60);
        let html = html("7", &GridQuery::default(), &grid(&long, CallStatus::Invalid));
        assert!(html.contains("<details>") && html.contains("Invalid"), "{html}");
        assert!(html.contains(long.trim()));
    }
}
