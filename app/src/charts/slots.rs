//! Figures over time, step by step: columns and lines on one grid, as SVG.
//!
//! Pure: numbers in, places out, and a text of SVG at the end. Without JavaScript and without styles of
//! its own; the numbers themselves stand in a table beside it.

use lanes_model::format;

use crate::components::markup::escape;

/// The drawing's size, in its own units.
const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 140.0;
/// Room for the numbers on the left, above and for the times below.
const LEFT: f64 = 62.0;
const TOP: f64 = 8.0;
const BOTTOM: f64 = 20.0;
/// The space between columns, as a share of a step.
const GAP: f64 = 0.2;

/// One series of a chart.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What people read.
    pub name: &'static str,
    /// The class of its marks: `par`, `bd`, `ln` or `ln ln--2`.
    pub class: &'static str,
    /// Its values, step by step; none where there is nothing to show.
    pub values: Vec<Option<f64>>,
}

/// A column or a point, in the drawing's units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Place {
    /// From the left.
    pub x: f64,
    /// From above.
    pub y: f64,
    /// How wide.
    pub width: f64,
    /// How high.
    pub height: f64,
}

/// The end of the scale for values up to `most`: 1, 2 or 5 × 10ⁿ, and never zero.
#[must_use]
pub fn scale(most: f64) -> f64 {
    if !(most > 0.0 && most.is_finite()) {
        return 1.0;
    }
    let decade = 10_f64.powf(most.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * decade);
    steps.into_iter().find(|end| *end >= most * (1.0 - 1e-9)).unwrap_or(most)
}

/// The columns of values that stand on each other, series by series.
#[must_use]
pub fn columns(series: &[&[f64]], end: f64) -> Vec<Vec<Place>> {
    let count = series.iter().map(|values| values.len()).max().unwrap_or(0).max(1) as f64;
    let step = (WIDTH - LEFT) / count;
    let room = HEIGHT - TOP - BOTTOM;
    let mut below = vec![0.0; count as usize];
    let of_series = |values: &&[f64]| {
        let place = |(at, value): (usize, &f64)| {
            let height = (value / end).clamp(0.0, 1.0) * room;
            let y = HEIGHT - BOTTOM - below[at] - height;
            below[at] += height;
            let x = LEFT + step * (at as f64 + GAP / 2.0);
            Place { x, y, width: step * (1.0 - GAP), height }
        };
        values.iter().enumerate().map(place).collect()
    };
    series.iter().map(of_series).collect()
}

/// The points of a line, with a new part after each step without a value.
#[must_use]
pub fn lines(values: &[Option<f64>], end: f64) -> Vec<Vec<(f64, f64)>> {
    let step = (WIDTH - LEFT) / values.len().max(1) as f64;
    let mut parts: Vec<Vec<_>> = vec![Vec::new()];
    for (at, value) in values.iter().enumerate() {
        match (value, parts.last_mut()) {
            (Some(value), Some(part)) => {
                let y = (value / end).clamp(0.0, 1.0) * (HEIGHT - TOP - BOTTOM);
                part.push((LEFT + step * (at as f64 + 0.5), HEIGHT - BOTTOM - y));
            }
            _ => parts.push(Vec::new()),
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

fn n(x: f64) -> String {
    format::fixed(x, 1)
}

/// The frame: three lines with numbers, and times below.
fn frame(end: f64, times: &[String], number: &dyn Fn(f64) -> String, svg: &mut String) {
    for share in [0.0, 0.5, 1.0] {
        let y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
        let class = if share == 0.0 { "ax" } else { "gl" };
        let (left, right, label) = (n(LEFT), n(WIDTH), escape(&number(end * share)));
        svg.push_str(&format!(
            r#"<path class="{class}" d="M{left} {y}H{right}"></path><text x="{x}" y="{ty}" text-anchor="end">{label}</text>"#,
            y = n(y),
            x = n(LEFT - 6.0),
            ty = n(y + 4.0),
        ));
    }
    let count = times.len().max(1);
    let step = (WIDTH - LEFT) / count as f64;
    // Days and times take more room than times.
    let labels = if times.iter().any(|time| time.len() > 5) { 3 } else { 4 };
    let every = count.div_ceil(labels);
    for (at, time) in times.iter().enumerate().step_by(every) {
        let x = n(LEFT + step * at as f64);
        svg.push_str(&format!(r#"<text x="{x}" y="{}">{}</text>"#, n(HEIGHT - 5.0), escape(time)));
    }
}

fn drawn(label: &str, inside: &str) -> String {
    format!(
        r#"<svg class="chart slots" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{}">{inside}</svg>"#,
        escape(label)
    )
}

/// Series as columns on each other.
#[must_use]
pub fn column_chart(
    label: &str,
    series: &[Series],
    times: &[String],
    number: &dyn Fn(f64) -> String,
) -> String {
    let values: Vec<Vec<f64>> =
        series.iter().map(|s| s.values.iter().map(|v| v.unwrap_or(0.0)).collect()).collect();
    let sums = (0..times.len()).map(|at| values.iter().filter_map(|v| v.get(at)).sum::<f64>());
    let end = scale(sums.fold(0.0, f64::max));
    let mut svg = String::new();
    frame(end, times, number, &mut svg);
    let slices: Vec<&[f64]> = values.iter().map(Vec::as_slice).collect();
    for (series, places) in series.iter().zip(columns(&slices, end)) {
        for place in places.into_iter().filter(|p| p.height > 0.0) {
            let Place { x, y, width, height } = place;
            svg.push_str(&format!(
                r#"<rect class="{}" x="{}" y="{}" width="{}" height="{}"></rect>"#,
                series.class,
                n(x),
                n(y),
                n(width),
                format::fixed(height.max(0.5), 2)
            ));
        }
    }
    drawn(label, &svg)
}

/// Series as lines.
#[must_use]
pub fn line_chart(
    label: &str,
    series: &[Series],
    times: &[String],
    number: &dyn Fn(f64) -> String,
) -> String {
    let most = series.iter().flat_map(|s| &s.values).flatten().copied().fold(0.0, f64::max);
    let end = scale(most);
    let mut svg = String::new();
    frame(end, times, number, &mut svg);
    for series in series {
        for part in lines(&series.values, end) {
            let points: Vec<_> = part.iter().map(|(x, y)| format!("{} {}", n(*x), n(*y))).collect();
            let (class, path) = (series.class, points.join("L"));
            svg.push_str(&format!(r#"<path class="{class}" d="M{path}"></path>"#));
            for (x, y) in part {
                let (x, y) = (n(x), n(y));
                svg.push_str(&format!(
                    r#"<circle class="{class}" cx="{x}" cy="{y}" r="1.5"></circle>"#
                ));
            }
        }
    }
    drawn(label, &svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_that_holds_everything() {
        for (most, end) in
            [(0.0, 1.0), (1.0, 1.0), (3.0, 5.0), (0.07, 0.1), (120.0, 200.0), (1_000.0, 1_000.0)]
        {
            assert!((scale(most) - end).abs() < 1e-9, "{most}: {}", scale(most));
        }
        assert_eq!(scale(f64::NAN), 1.0);
    }

    #[test]
    fn columns_stand_on_each_other_within_the_frame() {
        let places = columns(&[&[1.0, 3.0], &[1.0, 1.0]], 4.0);
        let room = HEIGHT - TOP - BOTTOM;
        assert_eq!(places[0][1].height, room * 0.75);
        assert_eq!(places[1][1].y, TOP);
        assert_eq!(places[1][0].y + places[1][0].height, places[0][0].y);
        let last = places[1][1];
        assert!(last.x + last.width < WIDTH && places[0][0].x > LEFT);
    }

    #[test]
    fn a_line_breaks_where_there_is_nothing() {
        let parts = lines(&[Some(1.0), None, Some(2.0), Some(0.0)], 2.0);
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(parts[1][0].1, TOP);
        assert_eq!(parts[1][1].1, HEIGHT - BOTTOM);
        assert!(lines(&[], 1.0).is_empty() && lines(&[None], 1.0).is_empty());
    }

    #[test]
    fn words_stay_text() {
        let series = [Series { name: "a", class: "par", values: vec![Some(2.0)] }];
        let svg = column_chart("<b>", &series, &["<i>".to_owned()], &|x| format!("{x}<"));
        assert!(!svg.contains("<b>") && !svg.contains("<i>") && svg.contains("2&lt;"), "{svg}");
    }
}
