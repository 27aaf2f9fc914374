//! `make bench`: what the built program does, as one table, printed and written to
//! `docs/benchmarks.md`. Speed is never asserted: the table says what was asked for beside what was
//! measured. Ratios are of times of one run; the rest depends on the machine. `LANES_BENCH_ONLY=load`
//! prints the figures of `load` alone, `batch` those of
//! large runs, `viewers` and `submissions` theirs; `soak` is `make soak`.

// A measurement that cannot be made ends the program, as a failed test does.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod browser;
mod load;
mod pace;
mod page;
mod table;

#[path = "../../tests/program/support.rs"]
mod support;

// The service's own parts, which are private to it: `load` measures the engine with them.
#[allow(dead_code, reason = "the service uses all of it")]
#[path = "../../crates/service/src/adapter.rs"]
mod adapter;
#[allow(dead_code, reason = "the service uses all of it")]
#[path = "../../crates/service/src/hub.rs"]
mod hub;
#[allow(dead_code, reason = "the service uses all of it")]
#[path = "../../crates/service/src/observe.rs"]
mod observe;
#[allow(dead_code, reason = "the service uses all of it")]
#[path = "../../crates/service/src/pages.rs"]
mod pages;
#[path = "../../crates/service/src/records.rs"]
mod records;
#[allow(dead_code, reason = "the service uses all of it")]
#[path = "../../crates/service/src/shared.rs"]
mod shared;
#[allow(dead_code, reason = "the service uses all of it")]
#[path = "../../crates/service/src/shared_frames.rs"]
mod shared_frames;
#[path = "../../crates/service/tests/service/soak.rs"]
mod soak;
#[allow(dead_code, reason = "the service uses all of it")]
#[path = "../../crates/service/src/tally.rs"]
mod tally;

/// Where `records` looks for it; no run here asks for it.
mod redact {
    use std::sync::Arc;

    use lanes_engine::RequestImage;
    use lanes_model::{Failure, Redaction};

    type Redacted = (String, String, Option<Arc<Redaction>>);

    pub fn redacted(system: &str, user: &str, _: &[RequestImage]) -> Result<Redacted, Failure> {
        Ok((system.to_owned(), user.to_owned(), None))
    }
}

/// Where `records` looks for it.
mod output {
    pub use lanes_service::output::OutputCheck;
}

use std::path::Path;

use table::{Row, table, write, write_soak};

fn main() {
    // cargo passes its own flags (`--bench`); there are none of ours.
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/benchmarks.md");
    match std::env::var("LANES_BENCH_ONLY").as_deref() {
        Ok("load") => return print!("{}", table(&runtime.block_on(load::rows()))),
        Ok("batch") => return print!("{}", table(&runtime.block_on(load::batch::rows()))),
        Ok("viewers") => return print!("{}", table(&runtime.block_on(load::viewers::rows()))),
        Ok("submissions") => {
            return print!("{}", table(&runtime.block_on(load::submissions::rows())));
        }
        Ok("soak") => {
            let rows = runtime.block_on(load::soaked::rows());
            return write_soak(&rows, &file).expect("the table is written");
        }
        _ => {}
    }
    let rows: Vec<Row> = runtime.block_on(async {
        let mut rows = page::start().await;
        rows.extend(page::render().await);
        rows.extend(pace::engine().await);
        rows.extend(load::rows().await);
        rows.extend(load::viewers::rows().await);
        rows.extend(load::submissions::rows().await);
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target");
        rows.extend(browser::read(&target));
        rows.extend(browser::attached(&target));
        rows
    });
    write(&rows, &file).expect("the table is written");
}
