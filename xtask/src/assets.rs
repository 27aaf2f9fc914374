//! Files on their way to and from disk: read trees, compress, and bring a directory to a given
//! content.
//!
//! The rule: a file that already has its content is left alone, what no longer belongs is removed
//! last, and a directory that is not a site of ours is never emptied.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::bundle::{Files, MANIFEST};
use crate::error::{Error, Result};

/// The ending of a compressed twin.
pub const BROTLI: &str = ".br";

/// Types worth compressing; images other than SVG are compressed already.
const COMPRESSIBLE: [&str; 9] =
    ["css", "html", "js", "json", "svg", "txt", "wasm", "webmanifest", "xml"];

/// Reads every file below `dir`, except hidden ones and what `skip` names; a directory that does
/// not exist is empty.
///
/// # Errors
/// [`Error::Io`] for what cannot be read.
pub fn read_tree(dir: &Path, skip: &[&str]) -> Result<Files> {
    let mut files = Files::new();
    for (name, path) in list_tree(dir, skip)? {
        files.insert(name, fs::read(&path).map_err(Error::io(&path))?);
    }
    Ok(files)
}

/// As [`read_tree`], but only the names below `dir` and the paths.
///
/// # Errors
/// [`Error::Io`] for a directory that cannot be read.
pub fn list_tree(dir: &Path, skip: &[&str]) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut open = vec![(String::new(), dir.to_owned())];
    while let Some((prefix, dir)) = open.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io(&dir)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(Error::io(&dir))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') || skip.contains(&name.as_str()) {
                continue;
            }
            let path = entry.path();
            let name = format!("{prefix}{name}");
            if path.is_dir() {
                open.push((format!("{name}/"), path));
            } else {
                found.push((name, path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Adds a compressed twin for every file that becomes smaller by it.
///
/// # Errors
/// [`Error::Io`] if the compressor fails.
pub fn compress(files: &mut Files) -> Result<()> {
    let mut twins = Files::new();
    for (name, content) in files.iter() {
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        if !COMPRESSIBLE.contains(&extension) {
            continue;
        }
        let twin = brotli(content).map_err(Error::io(Path::new(name)))?;
        if twin.len() < content.len() {
            twins.insert(format!("{name}{BROTLI}"), twin);
        }
    }
    files.append(&mut twins);
    Ok(())
}

/// Brotli as small as it goes: quality 11, a window of 4 MiB (2²² bytes).
fn brotli(content: &[u8]) -> io::Result<Vec<u8>> {
    let mut compressor = brotli::CompressorWriter::new(Vec::new(), 1 << 16, 11, 22);
    compressor.write_all(content)?;
    compressor.flush()?;
    Ok(compressor.into_inner())
}

/// Lists what a site's directory holds: nothing, or a site.
///
/// # Errors
/// [`Error::Usage`] if `dir` holds something else, [`Error::Io`] if it cannot be read.
pub fn list_site(dir: &Path) -> Result<Vec<(String, PathBuf)>> {
    let present = list_tree(dir, &[])?;
    if !present.is_empty() && !present.iter().any(|(name, _)| name == MANIFEST) {
        let what = format!("{} is not empty and holds no site: choose another", dir.display());
        return Err(Error::Usage(what));
    }
    Ok(present)
}

/// Makes `dir` hold exactly `files`; the manifest is written after everything it names.
///
/// # Errors
/// As [`list_site`], and [`Error::Io`] for the disk.
pub fn write_site(dir: &Path, files: &Files) -> Result<()> {
    let before = list_site(dir)?;
    let (last, first): (Vec<_>, Vec<_>) = files.iter().partition(|(name, _)| *name == MANIFEST);
    for (name, content) in first.into_iter().chain(last) {
        write_if_changed(&dir.join(name), content)?;
    }
    let mut emptied = BTreeSet::new();
    for (_, path) in before.iter().filter(|(name, _)| !files.contains_key(name)) {
        fs::remove_file(path).map_err(Error::io(path))?;
        emptied.extend(path.parent().map(Path::to_owned));
    }
    for parent in emptied.iter().rev().filter(|parent| *parent != dir) {
        // Fails, and should, where the directory still holds something.
        let _ = fs::remove_dir(parent);
    }
    Ok(())
}

/// Writes a file, and the directories above it, unless it already has this content.
///
/// # Errors
/// [`Error::Io`] for the disk.
pub fn write_if_changed(path: &Path, content: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(Error::io(parent))?;
    }
    fs::write(path, content).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for each test, gone afterwards.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let dir = std::env::temp_dir().join(format!("xtask-{name}-{}", std::process::id()));
            fs::create_dir_all(&dir).unwrap();
            Scratch(dir)
        }

        fn names(&self) -> Vec<String> {
            list_tree(&self.0, &[]).unwrap().into_iter().map(|(name, _)| name).collect()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn site(names: &[&str]) -> Files {
        names.iter().chain([&MANIFEST]).map(|n| (n.to_string(), n.as_bytes().to_vec())).collect()
    }

    #[test]
    fn a_site_replaces_the_one_before_and_leaves_nothing_of_it() {
        let scratch = Scratch::new("replace");
        write_site(&scratch.0, &site(&["pkg/a.1.js", "pkg/old/b.js", "icon.svg"])).unwrap();
        let kept = fs::metadata(scratch.0.join("icon.svg")).unwrap().modified().unwrap();
        write_site(&scratch.0, &site(&["pkg/a.2.js", "icon.svg"])).unwrap();
        assert_eq!(scratch.names(), ["icon.svg", MANIFEST, "pkg/a.2.js"]);
        assert!(!scratch.0.join("pkg/old").exists());
        let after = fs::metadata(scratch.0.join("icon.svg")).unwrap().modified().unwrap();
        assert_eq!(after, kept, "an unchanged file was written again");
    }

    #[test]
    fn a_directory_that_is_no_site_is_left_alone() {
        let scratch = Scratch::new("foreign");
        fs::write(scratch.0.join("thesis.txt"), "years").unwrap();
        let error = write_site(&scratch.0, &site(&["pkg/a.js"])).unwrap_err();
        assert!(matches!(error, Error::Usage(_)), "{error}");
        assert_eq!(scratch.names(), ["thesis.txt"]);
    }

    #[test]
    fn hidden_and_skipped_names_are_not_read() {
        let scratch = Scratch::new("skip");
        for name in ["a.rs", ".b.swp", "target/c.rs"] {
            write_if_changed(&scratch.0.join(name), b"x").unwrap();
        }
        let files = read_tree(&scratch.0, &["target"]).unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["a.rs"]);
        assert!(read_tree(&scratch.0.join("absent"), &[]).unwrap().is_empty());
    }

    #[test]
    fn a_compressed_twin_unpacks_to_the_file_and_exists_only_if_smaller() {
        let text = "a{color:red}".repeat(100).into_bytes();
        let mut files = Files::from([
            ("pkg/a.css".to_owned(), text.clone()),
            ("photo.png".to_owned(), text.clone()),
            ("tiny.txt".to_owned(), b"a".to_vec()),
        ]);
        compress(&mut files).unwrap();
        assert_eq!(files.len(), 4);
        let mut unpacked = Vec::new();
        brotli::BrotliDecompress(&mut &files["pkg/a.css.br"][..], &mut unpacked).unwrap();
        assert_eq!(unpacked, text);
    }
}
