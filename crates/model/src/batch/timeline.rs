//! [`Timeline`]: what a canvas needs to draw a window of a run's lanes: the attempts themselves while
//! they are few, else a heat strip with one letter for each cell of row and time.

use serde::Serialize;

use crate::{AttemptResult, CallId, HoldReason, LedgerState, Micros, PassId, RunState};

/// The most bars, and the most lanes, that are drawn one by one.
const BARS: usize = 5_000;
const LANES: u32 = 64;
/// A failed attempt wins a cell from this share on.
const FAILED_WINS: f64 = 0.2;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Window {
    /// From when, on the run's clock.
    pub from: Micros,
    /// Until when; the end of the run so far where that is earlier.
    pub to: Micros,
    /// The most rows.
    pub lanes: u32,
    /// The most cells of a row.
    pub width: u32,
}

/// An attempt in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bar {
    /// In which pass.
    pub pass: PassId,
    /// Of which call.
    pub call: CallId,
    /// On which row.
    pub row: u32,
    /// When it began.
    pub start_us: Micros,
    /// When its first text came.
    pub first_token_us: Option<Micros>,
    /// When it ended, or now.
    pub end_us: Micros,
    /// Whether it failed.
    pub failed: bool,
    /// Whether it goes on.
    pub running: bool,
}

/// A window of a run's lanes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Timeline {
    /// From when.
    pub from_us: Micros,
    /// Until when.
    pub to_us: Micros,
    /// The end of the run so far.
    pub end_us: Micros,
    /// How many rows.
    pub rows: u32,
    /// Lanes that share a row.
    pub lanes_per_row: u32,
    /// The attempts, when they are few enough.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bars: Option<Vec<Bar>>,
    /// Otherwise each row from the first lane on, a letter for each cell: `g`enerating, waiting for the
    /// first `t`oken, `f`ailed, `r`ate limit, `b`ackoff, `q`ueue, `.` idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cells: Option<Vec<String>>,
}

/// The states of a cell, with their letters.
const LETTERS: [(LedgerState, char); 6] = [
    (LedgerState::Generating, 'g'),
    (LedgerState::TimeToFirstToken, 't'),
    (LedgerState::FailedAttempt, 'f'),
    (LedgerState::RateLimitWait, 'r'),
    (LedgerState::RetryBackoff, 'b'),
    (LedgerState::QueueWait, 'q'),
];

impl Timeline {
    /// The window of a run as it stands at `now` on its clock.
    #[must_use]
    pub fn of(state: &RunState, now: Micros, window: Window) -> Self {
        let end = if state.status.is_live() { now.max(state.latest) } else { state.latest };
        let to = window.to.min(end).max(Micros(1));
        let from = window.from.min(Micros(to.0 - 1));
        let lanes = state.passes.iter().map(|p| p.lanes).max().unwrap_or(1).max(1);
        let lanes_per_row = lanes.div_ceil(window.lanes.clamp(1, 512));
        let rows = lanes.div_ceil(lanes_per_row);
        let mut bars = Vec::new();
        let mut few = lanes <= LANES && lanes_per_row == 1;
        for bar in bars_of(state, end, lanes_per_row) {
            if bar.end_us < from || bar.start_us > to {
                continue;
            }
            if bars.len() == BARS {
                few = false;
                break;
            }
            bars.push(bar);
        }
        let cells = (!few).then(|| {
            let mut heat = Heat::new(from, to, rows, window.width.clamp(1, 2_000), lanes_per_row);
            for bar in bars_of(state, end, lanes_per_row) {
                heat.bar(&bar);
            }
            heat.holds(state);
            heat.letters()
        });
        let bars = few.then_some(bars);
        Self { from_us: from, to_us: to, end_us: end, rows, lanes_per_row, bars, cells }
    }
}

fn bars_of(state: &RunState, now: Micros, lanes_per_row: u32) -> impl Iterator<Item = Bar> + '_ {
    (0..).map(PassId).zip(&state.passes).flat_map(move |(pass, p)| {
        (0..).map(CallId).zip(&p.calls).flat_map(move |(call, c)| {
            c.attempts.iter().map(move |a| Bar {
                pass,
                call,
                row: u32::from(a.lane.0) / lanes_per_row,
                start_us: a.start,
                first_token_us: a.first_token,
                end_us: a.end.unwrap_or(now),
                failed: a.result == AttemptResult::Failed,
                running: a.end.is_none(),
            })
        })
    })
}

/// Times of each state in each cell.
struct Heat {
    from: Micros,
    span: f64,
    width: usize,
    /// By row, cell and state.
    times: Vec<[f32; 6]>,
    lanes_per_row: u32,
}

impl Heat {
    fn new(from: Micros, to: Micros, rows: u32, width: u32, lanes_per_row: u32) -> Self {
        let width = width as usize;
        let span = (to.since(from).0 as f64 / width as f64).max(1.0);
        let times = vec![[0.0; 6]; rows as usize * width];
        Self { from, span, width, times, lanes_per_row }
    }

    fn bar(&mut self, bar: &Bar) {
        let first = bar.first_token_us.unwrap_or(bar.end_us).min(bar.end_us);
        if bar.failed {
            self.add(bar.row, bar.start_us, bar.end_us, 2);
        } else {
            self.add(bar.row, bar.start_us, first, 1);
            self.add(bar.row, first, bar.end_us, 0);
        }
    }

    fn add(&mut self, row: u32, start: Micros, end: Micros, state: usize) {
        let place = |at: Micros| {
            ((at.0 as f64 - self.from.0 as f64) / self.span).clamp(0.0, self.width as f64)
        };
        let (from, to) = (place(start), place(end));
        let row = row as usize * self.width;
        let mut at = from;
        while at < to {
            let next = (at.floor() + 1.0).min(to);
            if let Some(cell) = self.times.get_mut(row + at.floor() as usize) {
                cell[state] += (next - at) as f32;
            }
            at = next;
        }
    }

    /// What held a pass back is what its free lanes waited for.
    fn holds(&mut self, state: &RunState) {
        let rows = self.times.len() / self.width;
        for hold in state.passes.iter().flat_map(|p| p.holds.iter().chain(&p.holding)) {
            let place = match hold.why {
                HoldReason::RateLimit => 3,
                HoldReason::Breaker => 4,
                HoldReason::Queue | HoldReason::Pause | HoldReason::Storage => 5,
            };
            let mut free = Heat { times: vec![[0.0; 6]; self.width], ..Self::like(self) };
            free.add(0, hold.from, hold.until, place);
            for (cell, held) in free.times.iter().enumerate().filter(|(_, t)| t[place] > 0.0) {
                for row in 0..rows {
                    let times = &mut self.times[row * self.width + cell];
                    let idle = self.lanes_per_row as f32 - times.iter().sum::<f32>();
                    times[place] += (held[place] * self.lanes_per_row as f32).min(idle.max(0.0));
                }
            }
        }
    }

    fn like(other: &Self) -> Self {
        Self {
            from: other.from,
            span: other.span,
            width: other.width,
            times: Vec::new(),
            lanes_per_row: other.lanes_per_row,
        }
    }

    fn letters(&self) -> Vec<String> {
        let letter = |times: &[f32; 6]| {
            let busy: f32 = times.iter().sum();
            // Mostly idle: of the row's lanes in that time not a quarter was used.
            if f64::from(busy) < 0.25 * f64::from(self.lanes_per_row) {
                return if f64::from(times[2]) > 0.0 { 'f' } else { '.' };
            }
            if f64::from(times[2]) >= FAILED_WINS * f64::from(busy) {
                return 'f';
            }
            let most = (0..6).max_by(|a, b| times[*a].total_cmp(&times[*b])).unwrap_or(0);
            LETTERS[most].1
        };
        self.times.chunks(self.width).map(|row| row.iter().map(letter).collect()).collect()
    }
}
