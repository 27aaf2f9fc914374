//! What a first visit costs, and the limits it is held to. A size is what goes over the wire: the
//! compressed twin where there is one. 1 kB is 1000 bytes.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::assets::{self, BROTLI};
use crate::bundle::MANIFEST;
use crate::error::{Error, Result};
use crate::workspace::Workspace;

/// The most the WebAssembly may take as served, in bytes.
const WASM_LIMIT: u64 = 280_000;
/// The most all other files may take together as served, in bytes.
const OTHER_LIMIT: u64 = 50_000;

/// The files of a site, each with its own length and the length it is served with.
#[derive(Debug, PartialEq, Eq)]
pub struct Sizes(BTreeMap<String, Size>);

/// Lengths of one file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    raw: u64,
    served: u64,
}

impl Sizes {
    /// From the names and lengths of everything in a site. The manifest is not served.
    pub fn of(files: impl IntoIterator<Item = (String, u64)>) -> Sizes {
        let lengths: BTreeMap<String, u64> = files.into_iter().collect();
        let served = |(name, raw): (&String, &u64)| {
            let twin = lengths.get(&format!("{name}{BROTLI}"));
            (name.clone(), Size { raw: *raw, served: *twin.unwrap_or(raw) })
        };
        let seen = |name: &str| name != MANIFEST && !name.ends_with(BROTLI);
        Sizes(lengths.iter().filter(|(name, _)| seen(name)).map(served).collect())
    }

    /// Bytes served as WebAssembly, and as everything else.
    fn totals(&self) -> (u64, u64) {
        let sum = |wasm: bool| {
            let chosen = self.0.iter().filter(|(name, _)| name.ends_with(".wasm") == wasm);
            chosen.map(|(_, size)| size.served).sum()
        };
        (sum(true), sum(false))
    }

    /// Holds the totals to the limits.
    ///
    /// # Errors
    /// [`Error::TooLarge`], naming each limit that is passed and by how much.
    fn hold(&self) -> Result<()> {
        let (wasm, other) = self.totals();
        let passed: Vec<String> = [
            ("the WebAssembly", wasm, WASM_LIMIT),
            ("everything else together", other, OTHER_LIMIT),
        ]
        .into_iter()
        .filter(|(_, size, limit)| size > limit)
        .map(|(what, size, limit)| {
            let (size, limit, over) = (kb(size), kb(limit), kb(size - limit));
            format!("{what} is served with {size}, {over} above the limit of {limit}")
        })
        .collect();
        if passed.is_empty() { Ok(()) } else { Err(Error::TooLarge(passed.join("\n"))) }
    }
}

impl fmt::Display for Sizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, size) in &self.0 {
            let how = if size.served < size.raw { "brotli" } else { "as it is" };
            writeln!(f, "  {name:<34} {:>11} {:>11} {how}", kb(size.raw), kb(size.served))?;
        }
        Ok(())
    }
}

/// Weighs a built site and fails above the limits.
///
/// # Errors
/// [`Error::Usage`] if there is no site, [`Error::TooLarge`] if it is too large.
pub fn check(out: Option<PathBuf>) -> Result<()> {
    let out = Workspace::load()?.site(out.as_deref());
    if !out.join(MANIFEST).is_file() {
        let what = format!("there is no site in {}: run `cargo xtask site` first", out.display());
        return Err(Error::Usage(what));
    }
    let mut lengths = Vec::new();
    for (name, path) in assets::list_tree(&out, &[])? {
        lengths.push((name, path.metadata().map_err(Error::io(&path))?.len()));
    }
    let sizes = Sizes::of(lengths);
    print!("{sizes}");
    let (wasm, other) = sizes.totals();
    println!("WebAssembly {} of {} allowed", kb(wasm), kb(WASM_LIMIT));
    println!("other files {} of {} allowed", kb(other), kb(OTHER_LIMIT));
    sizes.hold()
}

/// A size for people: kilobytes with one decimal.
fn kb(bytes: u64) -> String {
    let tenths = (bytes + 50) / 100;
    format!("{}.{} kB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(files: &[(&str, u64)]) -> Sizes {
        Sizes::of(files.iter().map(|(name, length)| (name.to_string(), *length)))
    }

    #[test]
    fn a_file_counts_as_it_is_served_and_the_manifest_not_at_all() {
        let sizes = sizes(&[
            ("icon.png", 900),
            ("manifest.json", 5_000),
            ("pkg/a.js", 40_000),
            ("pkg/a.js.br", 9_000),
            ("pkg/a.wasm", 700_000),
            ("pkg/a.wasm.br", 230_000),
        ]);
        assert_eq!(sizes.totals(), (230_000, 9_900));
        assert!(sizes.hold().is_ok());
    }

    #[test]
    fn passing_a_limit_fails_and_says_by_how_much() {
        assert!(sizes(&[("a.wasm", WASM_LIMIT), ("a.js", OTHER_LIMIT)]).hold().is_ok());
        let error = sizes(&[("a.wasm", WASM_LIMIT + 100), ("a.js", 60_000)]).hold().unwrap_err();
        let text = error.to_string();
        assert!(text.contains("280.1 kB, 0.1 kB above"), "{text}");
        assert!(text.contains("60.0 kB, 10.0 kB above"), "{text}");
    }

    #[test]
    fn sizes_are_shown_in_kilobytes_of_a_thousand_bytes() {
        for (bytes, shown) in [(0, "0.0 kB"), (49, "0.0 kB"), (50, "0.1 kB"), (123_456, "123.5 kB")]
        {
            assert_eq!(kb(bytes), shown);
        }
    }
}
