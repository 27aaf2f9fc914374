//! Whether a site is still what its sources say. A stamp holds a hash over everything the site is
//! made from, and the names and lengths of what was made; it lies outside the site, because the
//! server embeds the whole of that directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::args::Flavour;
use crate::assets;
use crate::bundle::{self, Files};
use crate::error::{Error, Result};
use crate::workspace::Workspace;

/// Files of the workspace's root that decide how the page is compiled.
const SETTINGS: [&str; 4] =
    ["Cargo.lock", "Cargo.toml", "rust-toolchain.toml", ".cargo/config.toml"];

/// Directories of the workspace's root that go into the site besides the page's packages; the
/// last one is this program.
pub const STYLE: &str = "style";
/// See [`STYLE`].
pub const PUBLIC: &str = "public";
const BUILDER: &str = "xtask";

/// Environment variables that change what the compiler does.
const ENVIRONMENT: [&str; 3] = ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTUP_TOOLCHAIN"];

/// What a build was made from and what it made.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    inputs: String,
    outputs: BTreeMap<String, u64>,
}

impl Stamp {
    /// The stamp of a build that made `files` from `inputs`, see [`fingerprint`].
    pub fn new(inputs: String, files: &Files) -> Stamp {
        let outputs = files.iter().map(|(name, content)| (name.clone(), content.len() as u64));
        Stamp { inputs, outputs: outputs.collect() }
    }

    /// Reads a stamp; none if there is none, or none that can be read: then the site is built.
    pub fn read(path: &Path) -> Option<Stamp> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Keeps the stamp for the next call.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|source| Error::Json { what: "the stamp".to_owned(), source })?;
        assets::write_if_changed(path, &text)
    }

    /// Whether `inputs` are those of the stamp and `dir` holds exactly what was made from them.
    pub fn is_fresh(&self, inputs: &str, dir: &Path) -> bool {
        let Ok(present) = assets::list_tree(dir, &[]) else { return false };
        let same = |(name, path): &(String, PathBuf)| {
            let length = fs::metadata(path).map(|metadata| metadata.len()).ok();
            length.is_some() && self.outputs.get(name).copied() == length
        };
        self.inputs == inputs && present.len() == self.outputs.len() && present.iter().all(same)
    }
}

/// Where the stamp of the site in `site` lies: each output directory has its own.
pub fn path(workspace: &Workspace, site: &Path) -> PathBuf {
    let site = std::path::absolute(site).unwrap_or_else(|_| site.to_owned());
    let name = bundle::short_hash(site.as_os_str().as_encoded_bytes());
    workspace.target.join("xtask").join(format!("site-{name}.json"))
}

/// A hash over everything a site is made from: sources, styles, settings, flavour, environment.
///
/// # Errors
/// [`Error::Io`] for what cannot be read.
pub fn fingerprint(workspace: &Workspace, flavour: Flavour) -> Result<String> {
    let mut hash = Fingerprint::default();
    hash.add("profile", flavour.profile().as_bytes());
    for name in ENVIRONMENT {
        if let Some(value) = std::env::var_os(name) {
            hash.add(name, value.as_encoded_bytes());
        }
    }
    for name in SETTINGS {
        let path = workspace.root.join(name);
        if path.exists() {
            hash.add(name, &fs::read(&path).map_err(Error::io(&path))?);
        }
    }
    let mut trees = workspace.page_sources();
    trees.extend([STYLE, PUBLIC, BUILDER].map(|name| workspace.root.join(name)));
    for tree in trees {
        hash.add(&tree.to_string_lossy(), b"");
        for (name, content) in assets::read_tree(&tree, &["target", "node_modules"])? {
            hash.add(&name, &content);
        }
    }
    Ok(hash.finish())
}

/// A hash over named contents in which no two different lists look the same.
#[derive(Default)]
struct Fingerprint(Sha256);

impl Fingerprint {
    fn add(&mut self, name: &str, content: &[u8]) {
        for part in [name.as_bytes(), content] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
    }

    fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(parts: &[(&str, &str)]) -> String {
        let mut hash = Fingerprint::default();
        for (name, content) in parts {
            hash.add(name, content.as_bytes());
        }
        hash.finish()
    }

    #[test]
    fn a_changed_moved_or_renamed_input_changes_the_fingerprint() {
        let before = hash(&[("a", "bc"), ("d", "")]);
        assert_eq!(before, hash(&[("a", "bc"), ("d", "")]));
        for other in [
            &[("a", "bd"), ("d", "")][..],
            &[("ab", "c"), ("d", "")],
            &[("a", "bc")],
            &[("d", ""), ("a", "bc")],
        ] {
            assert_ne!(before, hash(other), "{other:?}");
        }
    }

    #[test]
    fn a_stamp_holds_while_inputs_and_outputs_are_what_they_were() {
        let dir = std::env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        let files = Files::from([("pkg/a.js".to_owned(), b"abc".to_vec())]);
        let (site, place) = (dir.join("site"), dir.join("stamp.json"));
        assert_eq!(Stamp::read(&place), None);
        Stamp::new("inputs".to_owned(), &files).write(&place).unwrap();
        let stamp = Stamp::read(&place).unwrap();
        assert!(!stamp.is_fresh("inputs", &site), "nothing is there yet");
        assets::write_if_changed(&site.join("pkg/a.js"), b"abc").unwrap();
        assert!(stamp.is_fresh("inputs", &site));
        assert!(!stamp.is_fresh("others", &site));
        assets::write_if_changed(&site.join("stale.js"), b"").unwrap();
        assert!(!stamp.is_fresh("inputs", &site), "a file too many");
        fs::remove_dir_all(&dir).unwrap();
    }
}
