//! The build of the site: everything the browser loads, made with cargo and nothing else.
//!
//! `cargo xtask site` compiles the frontend to WebAssembly, binds it to JavaScript, joins the style
//! sheets, names every file after its content, compresses it and lists it in `manifest.json`; the
//! server then embeds the directory. `cargo xtask sizes` holds the result to its limits.
//!
//! The rule of this program: a build whose inputs did not change does nothing, and a file whose
//! content did not change is not written again, so that cargo does not rebuild the server for it.

mod args;
mod assets;
mod bind;
mod bundle;
mod css;
mod error;
mod site;
mod sizes;
mod stamp;
mod workspace;

use std::process::ExitCode;

use args::Command;

fn main() -> ExitCode {
    let result = args::parse(std::env::args().skip(1)).and_then(|command| match command {
        Command::Help => {
            println!("{}", args::USAGE);
            Ok(())
        }
        Command::Site(options) => site::build(&options),
        Command::Sizes { out } => sizes::check(out),
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error::Error::Usage(what)) => {
            eprintln!("xtask: {what}\n\n{}", args::USAGE);
            ExitCode::from(2)
        }
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}
