//! `lanes completions` and `lanes man`: what shells and manuals need to know of the program.

use std::path::PathBuf;

use clap::{Args as Arguments, CommandFactory};
use clap_complete::Shell;

use super::{Args, CliError};

/// For which shell.
#[derive(Debug, Arguments)]
pub struct CompletionsArgs {
    /// The shell; the text goes to stdout.
    shell: Shell,
}

/// Where the manual goes.
#[derive(Debug, Arguments)]
pub struct ManArgs {
    /// A directory for a page a command; without one the program's own page goes to stdout.
    dir: Option<PathBuf>,
}

pub(super) fn completions(args: &CompletionsArgs) -> Result<(), CliError> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "lanes", &mut text);
    Ok(std::io::Write::write_all(&mut std::io::stdout(), &text)?)
}

pub(super) fn man(args: &ManArgs) -> Result<(), CliError> {
    match &args.dir {
        Some(dir) => {
            std::fs::create_dir_all(dir)?;
            clap_mangen::generate_to(Args::command(), dir)?;
            eprintln!("wrote the pages to {}; read one with man -l {0}/lanes.1", dir.display());
        }
        None => {
            let mut text = Vec::new();
            clap_mangen::Man::new(Args::command()).render(&mut text)?;
            std::io::Write::write_all(&mut std::io::stdout(), &text)?;
        }
    }
    Ok(())
}
