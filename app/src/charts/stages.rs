//! Stages as a graph: a column for each depth of need, edges as one drawing behind the nodes.
//!
//! Rule: plain input and plain numbers. Whoever has stages, with counts or without, can have them drawn:
//! the editor of a workflow, a run of one. Needs that name no stage, or go round in a circle, are no
//! mishap: a definition may be drawn while it is still wrong.

use lanes_model::format;

use crate::components::markup::{escape, percent};

/// The space between columns, in percent of the graph's width; `.dag` has the same.
const GAP: f64 = 4.6;

/// A stage as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StageBox {
    /// Its name.
    pub name: String,
    /// What else is said of it, in a few words.
    pub note: String,
    /// The places of the stages that it needs.
    pub needs: Vec<usize>,
    /// How far it is, in a run.
    pub counts: Option<StageCounts>,
}

/// How far a stage of a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StageCounts {
    /// All its calls.
    pub calls: u64,
    /// Those that have ended, however.
    pub ended: u64,
    /// Those under way.
    pub running: u64,
    /// Those that ended badly.
    pub failed: u64,
}

/// The stages of each column: in the first those that need nothing.
#[must_use]
pub fn columns(needs: &[&[usize]]) -> Vec<Vec<usize>> {
    let mut depth = vec![0_usize; needs.len()];
    // A stage is no deeper than there are stages; in a circle they go no further than that.
    for _ in 0..needs.len() {
        for (stage, before) in needs.iter().enumerate() {
            let deepest = before.iter().filter_map(|&b| depth.get(b)).max();
            depth[stage] = deepest.map_or(0, |d| (d + 1).min(needs.len() - 1));
        }
    }
    let mut columns = vec![Vec::new(); depth.iter().max().map_or(0, |most| most + 1)];
    for (stage, depth) in depth.into_iter().enumerate() {
        columns[depth].push(stage);
    }
    columns.retain(|column| !column.is_empty());
    columns
}

/// Where an edge begins and ends, in percent of the graph: x and y of either end.
#[must_use]
pub fn edges(needs: &[&[usize]], columns: &[Vec<usize>]) -> Vec<[f64; 4]> {
    let count = columns.len() as f64;
    let width = (100.0 - GAP * (count - 1.0)) / count;
    let most = columns.iter().map(Vec::len).max().unwrap_or(1) as f64;
    let place = |stage: usize| {
        columns.iter().enumerate().find_map(|(x, column)| {
            let row = column.iter().position(|s| *s == stage)? as f64;
            // A column stands in the middle of the tallest; all rows are of one height.
            let y = 50.0 + (row + 0.5 - column.len() as f64 / 2.0) * 100.0 / most;
            Some((x as f64 * (width + GAP), y))
        })
    };
    let mut edges = Vec::new();
    for (to, before) in needs.iter().enumerate() {
        for &from in *before {
            if let Some(((x, y), (end, bottom))) = place(from).zip(place(to))
                && x + width < end
            {
                edges.push([x + width, y, end, bottom]);
            }
        }
    }
    edges
}

/// The edges as one drawing, as wide and as high as the graph.
pub fn drawn_edges(needs: &[&[usize]], columns: &[Vec<usize>], html: &mut String) {
    html.push_str(r#"<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">"#);
    for [x, y, end, bottom] in edges(needs, columns) {
        let [x, y, mid, end, bottom] =
            [x, y, (x + end) / 2.0, end, bottom].map(|n| format::fixed(n, 2));
        html.push_str(&format!(
            r#"<path vector-effect="non-scaling-stroke" d="M{x} {y}C{mid} {y} {mid} {bottom} {end} {bottom}"></path>"#
        ));
    }
    html.push_str("</svg>");
}

/// The graph as HTML. What its stages are called is escaped here.
#[must_use]
pub fn html(stages: &[StageBox]) -> String {
    let needs: Vec<&[usize]> = stages.iter().map(|s| s.needs.as_slice()).collect();
    let columns = columns(&needs);
    let mut html =
        ["<div class=\"dag\" style=\"--columns:", &columns.len().to_string(), "\">"].concat();
    drawn_edges(&needs, &columns, &mut html);
    for column in columns {
        html.push_str("<ol>");
        for stage in column.into_iter().filter_map(|place| stages.get(place)) {
            node(stage, &mut html);
        }
        html.push_str("</ol>");
    }
    html.push_str("</div>");
    html
}

fn node(stage: &StageBox, html: &mut String) {
    html.push_str("<li><div class=\"node\"><b>");
    html.push_str(&escape(&stage.name));
    html.push_str("</b>");
    if let Some(StageCounts { calls, ended, running, failed }) = stage.counts {
        let share = ended as f64 / calls.max(1) as f64 * 100.0;
        let words = format!("{} of {}", format::count(ended), format::count(calls));
        html.push_str(&format!(
            r#"<span class="meter" aria-hidden="true"><i style="--w:{}"></i></span><span>{words}"#,
            percent(share)
        ));
        for (count, what) in [(running, "in flight"), (failed, "failed")] {
            if count > 0 {
                html.push_str(&format!(" · {} {what}", format::count(count)));
            }
        }
        html.push_str("</span>");
    }
    if !stage.note.is_empty() {
        html.push_str("<span>");
        html.push_str(&escape(&stage.note));
        html.push_str("</span>");
    }
    html.push_str("</div></li>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_stands_behind_the_deepest_that_it_needs() {
        let needs: [&[usize]; 5] = [&[], &[0], &[0], &[1], &[0, 3, 2]];
        assert_eq!(columns(&needs), [vec![0], vec![1, 2], vec![3], vec![4]]);
        assert!(columns(&[]).is_empty());
    }

    #[test]
    fn circles_and_needs_that_are_not_there_are_drawn_all_the_same() {
        let circle: [&[usize]; 3] = [&[2], &[0], &[1]];
        let all: usize = columns(&circle).iter().map(Vec::len).sum();
        assert_eq!(all, 3);
        let needs: [&[usize]; 2] = [&[7], &[1]];
        assert_eq!(columns(&needs).iter().map(Vec::len).sum::<usize>(), 2);
        assert!(edges(&needs, &columns(&needs)).is_empty());
    }

    #[test]
    fn an_edge_goes_from_the_right_side_of_one_column_to_the_left_of_a_later_one() {
        let needs: [&[usize]; 3] = [&[], &[0], &[0]];
        let columns = columns(&needs);
        let found = edges(&needs, &columns);
        let width = (100.0 - GAP) / 2.0;
        assert_eq!(found[0], [width, 50.0, width + GAP, 25.0]);
        assert_eq!(found[1], [width, 50.0, width + GAP, 75.0]);
        for [x, y, end, bottom] in found {
            assert!(x < end && [x, y, end, bottom].iter().all(|n| (0.0..=100.0).contains(n)));
        }
    }

    #[test]
    fn names_stay_text_and_counts_are_said_in_words() {
        let counts = StageCounts { calls: 8, ended: 4, running: 2, failed: 1 };
        let stage = StageBox {
            name: "<b>Read".to_owned(),
            note: "2 tasks".to_owned(),
            counts: Some(counts),
            ..StageBox::default()
        };
        let html = html(&[stage]);
        assert!(html.contains("&lt;b&gt;Read") && html.contains("--w:50.000%"), "{html}");
        assert!(html.contains("4 of 8 · 2 in flight · 1 failed"), "{html}");
    }
}
