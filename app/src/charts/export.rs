//! A run as one SVG file: the two bars and the timelines, with colours of its own, for slides and
//! papers. It talks to nothing; every text in it is escaped.

use std::fmt::Write as _;

use crate::components::markup::escape;
use lanes_model::{CallId, LedgerState, PassMode, RunState, format, headline};

use super::axis::{Axis, room};
use super::compare::Bars;
use super::limit;
use super::timeline::{Frame, Item, Key, Panel, frame};

const WIDTH: f64 = 1_000.0;
const MARGIN: f64 = 24.0;
const LABEL: f64 = 64.0;
const LANE: f64 = 22.0;
const GAP: f64 = 6.0;
const SEQUENTIAL: &str = "#7a8494";
const PARALLEL: &str = "#1f5bd0";
const LIMIT: &str = "#ad3a06";
const STYLE: &str = "text{font:12px Inter,system-ui,sans-serif;fill:#434b59}.h{font-size:20px;\
    font-weight:600;fill:#12151b}.b{font-weight:600;fill:#12151b}.g{stroke:#e2e6ec}.d{fill:#5d6675}";

const fn colour(state: LedgerState) -> &'static str {
    match state {
        LedgerState::Generating => "#1f5bd0",
        LedgerState::TimeToFirstToken => "#b9d3fb",
        LedgerState::RateLimitWait => "#f0c34e",
        LedgerState::RetryBackoff => "#c9a7e6",
        LedgerState::FailedAttempt => "#c64a12",
        LedgerState::DependencyWait => "#8fcbb0",
        LedgerState::QueueWait => "#c9ced6",
        LedgerState::Engine => "#434b59",
        LedgerState::Idle => "none",
    }
}

/// Writes the drawing from top to bottom.
struct Sheet {
    out: String,
    y: f64,
}

impl Sheet {
    fn text(&mut self, x: f64, class: &str, text: &str) {
        let _ = write!(
            self.out,
            r#"<text x="{x:.1}" y="{:.1}" class="{class}">{}</text>"#,
            self.y,
            escape(text)
        );
    }

    fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, look: &str) {
        let _ = write!(
            self.out,
            r#"<rect x="{x:.1}" y="{y:.1}" width="{:.1}" height="{height:.1}" {look}/>"#,
            width.max(0.5)
        );
    }
}

/// Both passes' timelines and wall times as a file of its own.
#[must_use]
pub fn run_svg(state: &RunState) -> String {
    let drawing = frame(state, state.latest, None, &[]);
    let axis = Axis::new(room(drawing.needed));
    let mut sheet = Sheet { out: String::new(), y: MARGIN + 16.0 };
    sheet.text(MARGIN, "h", &state.header.title);
    sheet.y += 22.0;
    let simulated = if state.header.provider.simulated { "Simulated. " } else { "" };
    let summary = headline(state).unwrap_or_else(|| "The run goes on".to_owned());
    sheet.text(MARGIN, "b", &format!("{simulated}{summary}"));
    sheet.y += 20.0;
    if let Some(bars) = Bars::of(state) {
        wall_times(&mut sheet, &bars);
    }
    legend(&mut sheet, &drawing);
    timelines(&mut sheet, state, &drawing, &axis);
    let height = sheet.y + MARGIN;
    format!(
        concat!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w:.0} {h:.0}" width="{w:.0}" "#,
            r#"height="{h:.0}" role="img" aria-labelledby="t d"><title id="t">{title}</title>"#,
            r#"<desc id="d">{desc}</desc><style>{style}</style>"#,
            r##"<rect width="{w:.0}" height="{h:.0}" fill="#fff"/>{body}</svg>"##,
        ),
        w = WIDTH,
        h = height,
        title = escape(&state.header.title),
        desc = escape(&format!("{simulated}{summary}.")),
        style = STYLE,
        body = sheet.out,
    )
}

fn wall_times(sheet: &mut Sheet, bars: &Bars) {
    let longest = WIDTH - 2.0 * MARGIN - LABEL - 100.0;
    let rows = [("Sequential", bars.sequential, SEQUENTIAL), ("Parallel", bars.parallel, PARALLEL)];
    for (name, time, fill) in rows {
        sheet.y += 24.0;
        sheet.text(MARGIN, "", name);
        let width = bars.length(time, longest);
        let about = if bars.estimated && time == bars.sequential { "≈ " } else { "" };
        let look = format!(r#"rx="3" fill="{fill}""#);
        sheet.rect(MARGIN + LABEL + 8.0, sheet.y - 14.0, width, 18.0, &look);
        sheet.text(
            MARGIN + LABEL + width + 16.0,
            "b",
            &format!("{about}{}", format::seconds_headline(time)),
        );
    }
    if let Some(bound) = bars.bound {
        sheet.y += 18.0;
        let text = format!("Lower bound {} ({})", format::seconds(bound.us), bound.binding.label());
        sheet.text(MARGIN + LABEL + 8.0, "d", &text);
    }
    sheet.y += 12.0;
}

fn legend(sheet: &mut Sheet, drawing: &Frame) {
    sheet.y += 20.0;
    let mut x = MARGIN;
    for &state in &drawing.legend {
        let look = format!(r##"rx="2" fill="{}" stroke="#858d9b""##, colour(state));
        sheet.rect(x, sheet.y - 10.0, 16.0, 11.0, &look);
        sheet.text(x + 21.0, "", state.label());
        x += 36.0 + state.label().chars().count() as f64 * 6.6;
    }
    if drawing.panels.iter().any(|p| !p.limits.is_empty()) {
        sheet.rect(x, sheet.y - 5.0, 16.0, 2.0, &format!(r#"fill="{LIMIT}""#));
        sheet.text(x + 21.0, "", "Concurrency limit");
    }
    sheet.y += 14.0;
}

fn timelines(sheet: &mut Sheet, state: &RunState, drawing: &Frame, axis: &Axis) {
    let left = MARGIN + LABEL;
    let scale = (WIDTH - left - MARGIN) / 100.0;
    let lanes: usize = drawing.panels.iter().map(|p| p.lanes.len()).sum();
    let height = lanes as f64 * (LANE + GAP) + drawing.panels.len() as f64 * 34.0;
    sheet.y += 10.0;
    for tick in axis.ticks() {
        let x = left + axis.percent(tick) * scale;
        let _ = write!(
            sheet.out,
            r#"<path class="g" d="M{x:.1} {:.1}v{:.1}"/>"#,
            sheet.y - 10.0,
            height + 10.0
        );
        sheet.text(x + 4.0, "d", &axis.label(tick));
    }
    for panel in &drawing.panels {
        sheet.y += 26.0;
        panel_head(sheet, panel);
        sheet.y += 8.0;
        let first = sheet.y;
        for (i, lane) in panel.lanes.iter().enumerate() {
            let top = sheet.y;
            sheet.y += LANE * 0.7;
            sheet.text(MARGIN, "d", &format!("Lane {}", i + 1));
            for item in lane {
                bar(sheet, state, item, left, scale, axis, top);
            }
            sheet.y = top + LANE + GAP;
        }
        limit_line(sheet, panel, axis, |x| left + x * scale, first);
    }
}

/// The step line of the concurrency limit, each step with its reason.
fn limit_line(sheet: &mut Sheet, panel: &Panel, axis: &Axis, x: impl Fn(f64) -> f64, top: f64) {
    let y = |lanes: u32| top + f64::from(lanes) * (LANE + GAP) - GAP / 2.0;
    let data = limit::path(&panel.limits, axis, &x, y);
    if data.is_empty() {
        return;
    }
    let stroke = format!(r#"fill="none" stroke="{LIMIT}" stroke-width="2""#);
    let _ = write!(sheet.out, r#"<path d="{data}" {stroke}/>"#);
    for step in &panel.limits {
        let (from, to) = limit::span(step, axis);
        let _ = write!(
            sheet.out,
            r#"<path d="M{:.1} {:.1}H{:.1}" {stroke}><title>{}</title></path>"#,
            x(from),
            y(step.limit),
            x(to),
            step.label()
        );
    }
}

fn panel_head(sheet: &mut Sheet, panel: &Panel) {
    let fill = match panel.mode {
        PassMode::Sequential => SEQUENTIAL,
        PassMode::Parallel => PARALLEL,
    };
    sheet.rect(MARGIN, sheet.y - 9.0, 10.0, 10.0, &format!(r#"rx="2" fill="{fill}""#));
    let mut text =
        format!("{} · {}", panel.mode.label(), format::plural(panel.lanes.len() as u64, "lane"));
    if let Some(wall) = panel.wall {
        let _ = write!(text, " · {}", format::seconds_table(wall));
    }
    sheet.text(MARGIN + 16.0, "b", &text);
}

fn bar(
    sheet: &mut Sheet,
    state: &RunState,
    item: &Item,
    left: f64,
    scale: f64,
    axis: &Axis,
    top: f64,
) {
    let mut at = item.start;
    let mut label = None;
    for &(part, time) in &item.parts {
        let x = left + axis.percent(at) * scale;
        let width = axis.percent(time) * scale;
        let dash = if part == LedgerState::Idle { r#" stroke-dasharray="3 3""# } else { "" };
        let look = format!(r##"fill="{}" stroke="#858d9b" stroke-width=".5"{dash}"##, colour(part));
        sheet.rect(x, top, width, LANE, &look);
        if part == LedgerState::Generating {
            label = Some((x, width));
        }
        at += time;
    }
    if item.critical {
        let (x, width) = (axis.percent(item.start) * scale, axis.percent(item.duration()) * scale);
        let look = r##"rx="4" fill="none" stroke="#12151b" stroke-width="2""##;
        sheet.rect(left + x - 1.5, top - 1.5, width + 3.0, LANE + 3.0, look);
    }
    if let (Key::Call(call, _), Some((x, width))) = (item.key, label) {
        name(sheet, state, call, x, width, top);
    }
}

/// The name of a call, as much of it as fits.
fn name(sheet: &mut Sheet, state: &RunState, call: CallId, x: f64, width: f64, top: f64) {
    let Some(task) = state.header.task_of(call).filter(|_| width > 52.0) else { return };
    let room = ((width - 10.0) / 6.6) as usize;
    let full = task.name.chars().count();
    let text: String = if full <= room {
        task.name.clone()
    } else {
        task.name.chars().take(room.saturating_sub(1)).chain(['…']).collect()
    };
    let _ = write!(
        sheet.out,
        r##"<text x="{:.1}" y="{:.1}" style="fill:#fff">{}</text>"##,
        x + 6.0,
        top + LANE * 0.7,
        escape(&text)
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::charts::fixture;
    use lanes_model::{LimitReason, Micros};

    /// Whether every element that opens closes, in order.
    fn well_formed(svg: &str) -> bool {
        let mut open = Vec::new();
        for piece in svg.split('<').skip(1) {
            let Some((tag, text)) = piece.split_once('>') else { return false };
            if text.contains('>') {
                return false;
            }
            match tag.strip_prefix('/') {
                Some(name) if open.pop() == Some(name) => {}
                Some(_) => return false,
                None if tag.ends_with('/') => {}
                None => open.push(tag.split(' ').next().unwrap_or_default()),
            }
        }
        open.is_empty()
    }

    #[test]
    fn the_file_is_well_formed_and_says_what_it_shows() {
        let svg = run_svg(&fixture::finished("Text & more"));
        assert!(well_formed(&svg), "{svg}");
        assert!(svg.contains("<title id=\"t\">Text &amp; more</title>"));
        assert!(svg.contains("Simulated. Parallel finished 1.6× sooner: 2.5 s instead of 4.0 s"));
    }

    #[test]
    fn a_title_cannot_become_markup() {
        let svg = run_svg(&fixture::finished("<script>alert(\"1\")</script>\u{0}"));
        assert!(!svg.contains("<script"));
        assert!(svg.contains("&lt;script&gt;"));
        assert!(well_formed(&svg));
    }

    #[test]
    fn a_limit_is_a_line_whose_steps_say_why() {
        let mut state = fixture::finished("Text");
        let change = |at, limit, why| lanes_model::LimitChange { at: Micros(at), limit, why };
        let pass = state.passes.iter_mut().find(|p| p.mode == PassMode::Parallel).unwrap();
        pass.limits =
            vec![change(0, 2, LimitReason::Start), change(500_000, 1, LimitReason::Slower)];
        let svg = run_svg(&state);
        assert!(well_formed(&svg), "{svg}");
        assert!(svg.contains("<title>Cut: first tokens came later · 1 lane</title>"));
        assert!(svg.contains(">Concurrency limit</text>"));
        assert!(!run_svg(&fixture::finished("Text")).contains("Concurrency limit"));
    }

    #[test]
    fn a_run_before_its_first_call_is_drawn_too() {
        assert!(well_formed(&run_svg(&fixture::started("Text"))));
    }
}
