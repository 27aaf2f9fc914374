//! [`Extractor`]: has uploaded files read where a hostile one can harm nothing, which is in a process of
//! its own with little memory and little time. That process knows nothing of this one: no environment,
//! no files but the one it reads.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use lanes_documents::{Extracted, Options, Reason, Refusal};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::Semaphore;

/// Files read at the same time.
const AT_ONCE: usize = 2;
/// The most that the process may say.
const MOST_SAID: u64 = 160 << 20;
/// The most of its last words that is looked at.
const MOST_STDERR: usize = 4 << 10;

/// What reading one file may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtractLimits {
    /// Memory, in megabytes.
    pub memory_mb: u64,
    /// Time of the processor, in seconds.
    pub cpu_s: u64,
    /// Time by the clock.
    pub wall: Duration,
}

impl Default for ExtractLimits {
    fn default() -> Self {
        Self { memory_mb: 1_024, cpu_s: 20, wall: Duration::from_secs(40) }
    }
}

/// Reads uploaded files. Cloning shares the limit of how many at once.
#[derive(Debug, Clone)]
pub struct Extractor {
    program: Option<PathBuf>,
    /// What it is told before all else.
    arguments: Vec<OsString>,
    limits: ExtractLimits,
    slots: Arc<Semaphore>,
}

impl Extractor {
    /// In a child process: that program, with the argument `extract`, reads the file on its standard
    /// input and writes the answer as JSON.
    #[must_use]
    pub fn child(program: PathBuf, limits: ExtractLimits) -> Self {
        Self {
            program: Some(program),
            arguments: vec!["extract".into()],
            limits,
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// In this process, without limits: for tests, whose files are their own.
    #[must_use]
    pub fn in_process() -> Self {
        let limits = ExtractLimits::default();
        let slots = Arc::new(Semaphore::new(AT_ONCE));
        Self { program: None, arguments: Vec::new(), limits, slots }
    }

    /// Reads a file from where it stands.
    ///
    /// # Errors
    /// Why it is refused; also when it took too much.
    pub async fn extract(
        &self,
        name: &str,
        mut file: File,
        options: &Options,
    ) -> Result<Extracted, Refusal> {
        let _slot = self.slots.acquire().await;
        let Some(program) = &self.program else {
            let (name, options) = (name.to_owned(), options.clone());
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = Vec::new();
                std::io::Read::read_to_end(&mut file, &mut bytes).map_err(|e| broken(&e))?;
                lanes_documents::extract(&name, &bytes, &options)
            });
            return read.await.unwrap_or_else(|error| Err(broken(&error)));
        };
        let mut command = Command::new(program);
        command
            .args(&self.arguments)
            .arg(format!("--name={name}"))
            .arg(format!("--memory-mb={}", self.limits.memory_mb))
            .arg(format!("--cpu-s={}", self.limits.cpu_s));
        if let Some(column) = &options.text_column {
            command.arg(format!("--text-column={column}"));
        }
        command.env_clear().stdin(file).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        #[cfg(unix)]
        command.current_dir("/");
        // Dropped when its time is over, and killed by that.
        match tokio::time::timeout(self.limits.wall, said(command)).await {
            Ok(Ok(Said { answer, last_words, status })) => {
                let parsed = tokio::task::spawn_blocking(move || serde_json::from_slice(&answer));
                match parsed.await {
                    Ok(Ok(answer)) => answer,
                    _ => Err(self.ended(status, &last_words)),
                }
            }
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(Refusal::new(
                Reason::OverLimit,
                format!(
                    "Reading the file took longer than {} and was stopped: it is too large or too \
                     complex. Split it, or save it in a simpler format.",
                    seconds(self.limits.wall.as_secs())
                ),
            )),
        }
    }

    /// What it means that the process ended without an answer.
    fn ended(&self, status: ExitStatus, last_words: &str) -> Refusal {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal: Option<i32> = None;
        tracing::info!(%status, last_words, "reading an uploaded file failed");
        // SIGXCPU, or SIGKILL a second later.
        if matches!(signal, Some(24 | 9)) {
            return Refusal::new(
                Reason::OverLimit,
                format!(
                    "Reading the file took more than {} of computing and was stopped: it is too \
                     complex. Split it, or save it in a simpler format.",
                    seconds(self.limits.cpu_s)
                ),
            );
        }
        if last_words.contains("memory") {
            return Refusal::new(
                Reason::OverLimit,
                format!(
                    "Reading the file took more than {} MB of memory and was stopped: it unpacks to \
                     far more than a document should.",
                    self.limits.memory_mb
                ),
            );
        }
        Refusal::new(
            Reason::Damaged,
            "The file cannot be read: what it holds makes the reader fail. Open it in the program that \
             made it and save it again.",
        )
    }
}

fn seconds(n: u64) -> String {
    if n == 1 { "a second".to_owned() } else { format!("{n} seconds") }
}

fn broken(error: &dyn std::fmt::Display) -> Refusal {
    tracing::error!(%error, "an uploaded file could not be read");
    Refusal::new(Reason::OverLimit, format!("The file could not be read here: {error}."))
}

struct Said {
    answer: Vec<u8>,
    last_words: String,
    status: ExitStatus,
}

/// Starts the process and hears it out.
async fn said(mut command: Command) -> Result<Said, Refusal> {
    let mut child = command.spawn().map_err(|e| broken(&e))?;
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    let answer = async {
        let mut answer = Vec::new();
        if let Some(stdout) = stdout {
            stdout.take(MOST_SAID + 1).read_to_end(&mut answer).await.map_err(|e| broken(&e))?;
        }
        if answer.len() as u64 > MOST_SAID {
            let detail = "The file unpacks to more text than can be kept: split it.";
            return Err(Refusal::new(Reason::Bomb, detail));
        }
        Ok(answer)
    };
    let (answer, last_words) = tokio::join!(answer, beginning(stderr));
    let answer = answer?;
    let status = child.wait().await.map_err(|e| broken(&e))?;
    Ok(Said { answer, last_words, status })
}

/// The beginning of what comes; the rest is read and forgotten, so that nobody waits to say it.
async fn beginning(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut kept = Vec::new();
    let Some(mut stream) = stream else { return String::new() };
    let mut buffer = [0; 1024];
    while let Ok(n @ 1..) = stream.read(&mut buffer).await {
        if kept.len() < MOST_STDERR {
            kept.extend_from_slice(buffer.get(..n).unwrap_or_default());
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::io::{Seek, Write};

    use super::*;

    /// An extractor whose process does that, in the shell.
    fn script(folder: &std::path::Path, lines: &str, wall: Duration) -> Extractor {
        let path = folder.join("reader");
        std::fs::write(&path, lines).unwrap();
        let limits = ExtractLimits { wall, ..ExtractLimits::default() };
        let arguments = vec![path.into(), "extract".into()];
        Extractor { arguments, ..Extractor::child("/bin/sh".into(), limits) }
    }

    fn file() -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"hello").unwrap();
        file.rewind().unwrap();
        file
    }

    async fn refused(lines: &str) -> Refusal {
        let folder = tempfile::tempdir().unwrap();
        let extractor = script(folder.path(), lines, Duration::from_secs(1));
        extractor.extract("a.pdf", file(), &Options::default()).await.unwrap_err()
    }

    #[tokio::test]
    async fn a_reader_that_never_ends_is_killed_and_told() {
        let started = std::time::Instant::now();
        let refusal = refused("sleep 60").await;
        assert_eq!(refusal.reason, Reason::OverLimit);
        assert!(refusal.detail.contains("longer than a second"), "{refusal}");
        assert!(started.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn a_reader_that_says_too_much_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let extractor = script(folder.path(), "exec yes", Duration::from_secs(60));
        let refusal = extractor.extract("a.pdf", file(), &Options::default()).await.unwrap_err();
        assert!(refusal.detail.contains("more text than can be kept"), "{refusal}");
    }

    #[tokio::test]
    async fn a_reader_that_dies_is_told_by_what_it_died_of() {
        assert!(refused("kill -XCPU $$").await.detail.contains("20 seconds of computing"));
        let memory = refused("echo 'memory allocation of 9 bytes failed' >&2; kill -ABRT $$").await;
        assert!(memory.detail.contains("1024 MB of memory"), "{memory}");
        assert_eq!(refused("kill -SEGV $$").await.reason, Reason::Damaged);
        assert_eq!(refused("echo nonsense").await.reason, Reason::Damaged);
    }

    #[tokio::test]
    async fn a_reader_knows_nothing_of_this_process_and_is_given_the_file() {
        // What it says is what it got.
        let folder = tempfile::tempdir().unwrap();
        let lines = "printf '{\"Err\":{\"reason\":\"damaged\",\"detail\":\"%s %s %s\"}}' \
                     \"$(cat)\" \"$2\" \"$(env | grep -c CARGO)\"";
        let extractor = script(folder.path(), lines, Duration::from_secs(10));
        let said = extractor.extract("a b.pdf", file(), &Options::default()).await.unwrap_err();
        assert_eq!(said.detail, "hello --name=a b.pdf 0");
    }

    #[tokio::test]
    async fn never_more_than_two_are_read_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let lines = format!(
            "echo + >> {0}/log; sleep 0.2; echo - >> {0}/log; echo no",
            folder.path().display()
        );
        let extractor = script(folder.path(), &lines, Duration::from_secs(20));
        let options = Options::default();
        let reads = (0..6).map(|_| extractor.extract("a.pdf", file(), &options));
        futures::future::join_all(reads).await;
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        let (mut now, mut most) = (0i32, 0i32);
        for line in log.lines() {
            now += if line == "+" { 1 } else { -1 };
            most = most.max(now);
        }
        assert_eq!((most, log.lines().count()), (2, 12));
    }
}
