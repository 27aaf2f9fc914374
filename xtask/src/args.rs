//! The command line, read by hand: two commands do not pay for an argument parser that every
//! newcomer would have to compile before the first page.

use std::path::PathBuf;

use crate::error::{Error, Result};

/// What `--help` and a wrong command line print.
pub const USAGE: &str = "\
usage: cargo xtask site [--release | --dev] [--out DIR] [--locked]
       cargo xtask sizes [--out DIR]

  site     build what the browser loads into DIR (default: <target directory>/site)
           --release  small WebAssembly, compressed as far as it goes (the default)
           --dev      quick to build, with names in stack traces, not compressed
           --locked   fail rather than change Cargo.lock
  sizes    print the sizes as served and fail above the limits";

/// How the frontend is compiled and treated afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// Small: profile `wasm-release`, no names, brotli.
    Release,
    /// Quick: profile `dev`, names kept, nothing compressed.
    Dev,
}

impl Flavour {
    /// The cargo profile the frontend is compiled with.
    pub fn profile(self) -> &'static str {
        match self {
            Flavour::Release => "wasm-release",
            Flavour::Dev => "dev",
        }
    }
}

/// What `cargo xtask site` was asked to do.
#[derive(Debug, PartialEq, Eq)]
pub struct SiteOptions {
    /// Small or quick.
    pub flavour: Flavour,
    /// Where the site goes; without it, `site` in cargo's target directory.
    pub out: Option<PathBuf>,
    /// Whether cargo must leave `Cargo.lock` as it is.
    pub locked: bool,
}

/// One call of this program.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print how it is used.
    Help,
    /// Build the site.
    Site(SiteOptions),
    /// Weigh a built site.
    Sizes {
        /// The site's directory, as for [`SiteOptions::out`].
        out: Option<PathBuf>,
    },
}

/// Reads the arguments after the program's name.
///
/// # Errors
/// [`Error::Usage`] for a command or flag that is unknown, misplaced or incomplete.
pub fn parse(args: impl IntoIterator<Item = String>) -> Result<Command> {
    let mut args = args.into_iter();
    let command = args.next().unwrap_or_else(|| "--help".to_owned());
    let mut options = SiteOptions { flavour: Flavour::Release, out: None, locked: false };
    while let Some(arg) = args.next() {
        match (command.as_str(), arg.as_str()) {
            ("site", "--release") => options.flavour = Flavour::Release,
            ("site", "--dev") => options.flavour = Flavour::Dev,
            ("site", "--locked") => options.locked = true,
            ("site" | "sizes", "--out") => match args.next() {
                Some(dir) => options.out = Some(dir.into()),
                None => return Err(Error::Usage("--out needs a directory".to_owned())),
            },
            (_, "--help" | "-h") => return Ok(Command::Help),
            _ => return Err(Error::Usage(format!("`{command}` does not take `{arg}`"))),
        }
    }
    match command.as_str() {
        "site" => Ok(Command::Site(options)),
        "sizes" => Ok(Command::Sizes { out: options.out }),
        "help" | "--help" | "-h" => Ok(Command::Help),
        _ => Err(Error::Usage(format!("there is no command `{command}`"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_site_is_built_small_unless_dev_is_asked_for() {
        let small = SiteOptions { flavour: Flavour::Release, out: None, locked: false };
        assert_eq!(read("site").unwrap(), Command::Site(small));
        let quick = SiteOptions {
            flavour: Flavour::Dev,
            out: Some(PathBuf::from("/tmp/site")),
            locked: true,
        };
        assert_eq!(read("site --dev --out /tmp/site --locked").unwrap(), Command::Site(quick));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, part) in [
            ("site --fast", "--fast"),
            ("sizes --dev", "--dev"),
            ("site --out", "--out"),
            ("sit", "sit"),
        ] {
            let error = read(line).unwrap_err();
            assert!(matches!(&error, Error::Usage(what) if what.contains(part)), "{line}: {error}");
        }
    }

    #[test]
    fn no_command_prints_the_help() {
        assert_eq!(read("").unwrap(), Command::Help);
        assert_eq!(read("site --help").unwrap(), Command::Help);
    }
}
