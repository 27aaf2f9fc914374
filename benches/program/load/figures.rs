//! What a pass leaves behind, and what Linux says of this process.

use std::time::Duration;

/// Ticks a second in `/proc/self/stat`: Linux shows programs 100 on every machine.
const TICKS: f64 = 100.0;

/// One call, from when its request is sent to the end of its answer, since some moment before.
#[derive(Clone, Copy)]
pub struct Span {
    /// Its start.
    pub start: Duration,
    /// Its end.
    pub end: Duration,
}

/// One pass over all calls.
pub struct Pass {
    /// Until the last answer was there and, where there is a log, in it.
    pub wall: Duration,
    /// User and system time of this process in it.
    pub cpu: Duration,
    /// Memory at its end.
    pub resident_kb: u64,
    /// Its calls that were answered.
    pub calls: Vec<Span>,
    /// Requests that were refused because of a rate limit.
    pub refused: u64,
    /// From the end of each call to the start of the next one on its lane.
    pub refills: Vec<Duration>,
}

impl Pass {
    /// Calls under way, the mean over the middle half of the pass.
    pub fn in_flight(&self) -> f64 {
        let first = self.calls.iter().map(|c| c.start).min().unwrap_or_default();
        let last = self.calls.iter().map(|c| c.end).max().unwrap_or_default();
        let (from, to) = (first + (last - first) / 4, first + (last - first) * 3 / 4);
        let inside = |c: &Span| c.end.min(to).saturating_sub(c.start.max(from)).as_secs_f64();
        self.calls.iter().map(inside).sum::<f64>() / (to - from).as_secs_f64()
    }
}

/// The time below which that share of the times lies.
pub fn percentile(mut times: Vec<Duration>, share: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() - 1) as f64 * share) as usize]
}

/// A time in milliseconds.
pub fn ms(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn proc(file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{file}")).expect("a Linux machine")
}

/// User and system time of this process so far.
pub fn cpu() -> Duration {
    cpu_of("self")
}

/// User and system time of a process so far.
pub fn cpu_of(pid: &str) -> Duration {
    let stat = proc(&format!("{pid}/stat"));
    // The name before it may hold anything, but ends with the last bracket.
    let (_, rest) = stat.rsplit_once(')').expect("the name of the program");
    let ticks: u64 =
        rest.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().expect("ticks")).sum();
    Duration::from_secs_f64(ticks as f64 / TICKS)
}

/// What this process holds in memory.
pub fn resident_kb() -> u64 {
    let status = proc("self/status");
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).expect("its memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

/// How many files and sockets this process, and those it starts, may have open.
pub fn open_files() -> u64 {
    let limits = proc("self/limits");
    let line = limits.lines().find_map(|l| l.strip_prefix("Max open files")).expect("the limit");
    line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(u64::MAX)
}
