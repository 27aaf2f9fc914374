//! The machine: the data directory, the database, open files, memory.

use std::path::{Path, PathBuf};

use lanes_model::format;
use lanes_service::inspect;

use super::Finding;
use crate::config::Config;

/// Less room than that ends runs soon; less than the second at once.
const ROOM: u64 = 1_000_000_000;
const LEAST_ROOM: u64 = 100_000_000;
/// Memory that should be there to be had.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 300_000_000;
/// Files open besides connections: the database, logs, pages in the browser.
const FILES: u64 = 128;

pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let mut findings = vec![writable(&config.data_dir)];
    findings.extend(room(&config.data_dir));
    findings.push(database(&config.data_dir).await);
    findings.extend(files(config.max_concurrency));
    findings.extend(memory());
    findings
}

/// The directory itself, or the nearest that is there.
fn nearest(directory: &Path) -> PathBuf {
    let absolute = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let there = absolute.ancestors().find(|path| path.exists());
    there.map_or_else(|| absolute.clone(), Path::to_owned)
}

fn writable(directory: &Path) -> Finding {
    let there = nearest(directory);
    let shown = directory.display();
    match tempfile::tempfile_in(&there) {
        Ok(_) if there.is_dir() && directory.exists() => {
            Finding::ok("data directory", format!("{shown} can be written"))
        }
        Ok(_) => {
            let detail = format!("{shown} is not there yet and can be made in {}", there.display());
            Finding::ok("data directory", detail)
        }
        Err(error) => {
            let detail = format!("{} cannot be written: {error}", there.display());
            Finding::failure("data directory", detail).do_this(
                "let this user write there, or choose another directory with LANES_DATA_DIR",
            )
        }
    }
}

#[cfg(unix)]
fn room(directory: &Path) -> Option<Finding> {
    let there = nearest(directory);
    let found = rustix::fs::statvfs(&there).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let detail = format!("{} free", format::bytes(free));
    Some(match free {
        0..LEAST_ROOM => Finding::failure("disk", detail)
            .do_this("make room, or let old runs go with lanes prune --older-than DAYS --shrink"),
        LEAST_ROOM..ROOM => Finding::warning("disk", detail)
            .do_this("make room, or keep less with LANES_RETAIN_DAYS or LANES_RETAIN_GB"),
        _ => Finding::ok("disk", detail),
    })
}

#[cfg(not(unix))]
fn room(_: &Path) -> Option<Finding> {
    None
}

async fn database(directory: &Path) -> Finding {
    let file = directory.join("lanes.db");
    if !file.exists() {
        return Finding::ok("database", "none yet; the first run makes it");
    }
    match inspect(&file).await {
        Ok(found) => {
            let version = found.version.unwrap_or(0);
            let sound = if found.whole { "sound" } else { "opens; too large to look through" };
            let detail = format!("{sound}, {}, version {version}", format::bytes(found.bytes));
            if version > found.known {
                Finding::failure("database", detail).do_this(format!(
                    "this Lanes knows versions up to {}: use the one that wrote it",
                    found.known
                ))
            } else if version < found.known {
                let detail = format!("{detail}; becomes {} at the next start", found.known);
                Finding::ok("database", detail)
            } else {
                Finding::ok("database", detail)
            }
        }
        Err(error) => Finding::failure("database", error.to_string()).do_this(format!(
            "put {} aside, and a copy made with lanes backup in its place",
            file.display()
        )),
    }
}

#[cfg(unix)]
fn files(concurrency: u32) -> Option<Finding> {
    use rustix::process::{Resource, getrlimit};
    // A call has a connection, and whoever watches it another.
    let needed = u64::from(concurrency) * 2 + FILES;
    let Some(limit) = getrlimit(Resource::Nofile).current else {
        return Some(Finding::ok("open files", "not limited"));
    };
    let detail = format!("{limit} allowed, {needed} needed for {concurrency} calls at a time");
    Some(match limit >= needed {
        true => Finding::ok("open files", detail),
        false => Finding::warning("open files", detail)
            .do_this(format!("raise it with ulimit -n {needed}, or lower LANES_MAX_CONCURRENCY")),
    })
}

#[cfg(not(unix))]
fn files(_: u32) -> Option<Finding> {
    None
}

#[cfg(target_os = "linux")]
fn memory() -> Option<Finding> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    let bytes = kib.saturating_mul(1024);
    let detail = format!("{} available", format::bytes(bytes));
    Some(match bytes >= MEMORY {
        true => Finding::ok("memory", detail),
        false => Finding::warning("memory", detail)
            .do_this("end other programs: large documents may not be read"),
    })
}

#[cfg(not(target_os = "linux"))]
fn memory() -> Option<Finding> {
    None
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[tokio::test]
    async fn a_directory_without_a_database_is_fine_and_stays_so() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("a/b");
        assert_eq!(writable(&data).verdict, Verdict::Ok);
        assert_eq!(database(&data).await.verdict, Verdict::Ok);
        assert!(!data.exists(), "a check makes nothing");
    }

    #[tokio::test]
    async fn a_broken_database_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("lanes.db"), "not a database".repeat(500)).unwrap();
        let found = database(folder.path()).await;
        assert_eq!(found.verdict, Verdict::Failure);
        assert!(found.advice.unwrap().contains("lanes backup"));
    }

    #[cfg(unix)]
    #[test]
    fn more_calls_than_files_may_be_open_is_a_warning() {
        let verdict = |calls| files(calls).map(|found| found.verdict);
        if rustix::process::getrlimit(rustix::process::Resource::Nofile).current.is_some() {
            assert_eq!(verdict(u32::MAX), Some(Verdict::Warning));
        }
    }
}
