//! What the process itself uses, by the names that Prometheus clients give these figures. Known on Linux;
//! elsewhere nothing is said.

use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

/// When the program began, taken when it starts.
#[derive(Debug, Clone, Copy)]
pub struct Began(SystemTime);

impl Began {
    /// Now.
    pub fn now() -> Self {
        Self(SystemTime::now())
    }

    /// The figures as Prometheus reads them.
    pub fn text(self) -> String {
        let mut out = String::new();
        let since = self.0.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let mut say = |name: &str, help: &str, value: f64| {
            // Writing into a string cannot fail.
            let _ = write!(out, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
        };
        say("process_start_time_seconds", "When the process began, in seconds since 1970.", since);
        if let Some(bytes) = resident() {
            say("process_resident_memory_bytes", "Memory in use.", bytes);
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            say("process_open_fds", "Open files and sockets.", open.count() as f64);
        }
        out
    }
}

/// The line `VmRSS:   1234 kB` of the process's status.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<f64>().ok()? * 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_has_a_help_and_a_type() {
        let text = Began::now().text();
        for name in text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split(' ').next())
        {
            assert!(text.contains(&format!("# HELP {name} ")), "{name}");
            assert!(text.contains(&format!("# TYPE {name} gauge")), "{name}");
        }
        assert!(text.contains("process_start_time_seconds 1"));
    }
}
