//! `lanes extract`: reads one uploaded file on standard input and writes what it says, or why it is
//! refused, as JSON. The service starts it for each file, so that a hostile one meets a process that
//! has little memory, little time, no environment and nothing to write to.

use std::io::{BufWriter, Read, Write};
use std::process::ExitCode;

use clap::Args;
use lanes_documents::{MAX_FILE_BYTES, Options};

/// What to read, and with how much.
#[derive(Debug, Args)]
pub struct ExtractArgs {
    /// The file's name, which says what it is where its content does not.
    #[arg(long)]
    name: String,
    /// The column of a table that holds the text.
    #[arg(long)]
    text_column: Option<String>,
    /// The most memory, in megabytes.
    #[arg(long, default_value_t = 1_024)]
    memory_mb: u64,
    /// The most time of the processor, in seconds.
    #[arg(long, default_value_t = 20)]
    cpu_s: u64,
}

/// Reads the file.
///
/// # Errors
/// When there is nothing to read from or to write to, or the limits cannot be set: without them
/// nothing is read.
pub(super) fn extract(args: &ExtractArgs) -> std::io::Result<ExitCode> {
    limit(args)?;
    // A reader that panics says so with its answer.
    std::panic::set_hook(Box::new(|_| {}));
    let mut bytes = Vec::new();
    std::io::stdin().lock().take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)?;
    let options = Options { text_column: args.text_column.clone() };
    let answer = lanes_documents::extract(&args.name, &bytes, &options);
    drop(bytes);
    let mut out = BufWriter::new(std::io::stdout().lock());
    serde_json::to_writer(&mut out, &answer)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// Takes away from this process what reading a file does not need.
#[cfg(unix)]
fn limit(args: &ExtractArgs) -> std::io::Result<()> {
    use rustix::process::{Resource, Rlimit, setrlimit};
    let most =
        |current: u64, maximum: u64| Rlimit { current: Some(current), maximum: Some(maximum) };
    let memory = args.memory_mb.saturating_mul(1 << 20);
    setrlimit(Resource::As, most(memory, memory))?;
    // A second after the signal that can be caught comes the one that cannot.
    setrlimit(Resource::Cpu, most(args.cpu_s, args.cpu_s.saturating_add(1)))?;
    setrlimit(Resource::Fsize, most(0, 0))?;
    setrlimit(Resource::Core, most(0, 0))?;
    setrlimit(Resource::Nofile, most(16, 16))?;
    Ok(())
}

/// Elsewhere the one who waits keeps the time.
#[cfg(not(unix))]
fn limit(_: &ExtractArgs) -> std::io::Result<()> {
    Ok(())
}
