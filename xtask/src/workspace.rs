//! What cargo knows and does for us: where things are, what the page is made of, and its
//! compilation. The rule: paths come from cargo's answers, never from guesses about its layout,
//! so that `CARGO_TARGET_DIR` and workspace settings hold here too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::args::Flavour;
use crate::error::{Error, Result};

/// The package that is compiled to WebAssembly.
pub const PAGE: &str = "frontend";

/// The workspace this program was started in.
#[derive(Debug, Deserialize)]
pub struct Workspace {
    /// The directory of the root `Cargo.toml`.
    #[serde(rename = "workspace_root")]
    pub root: PathBuf,
    /// Where cargo builds.
    #[serde(rename = "target_directory")]
    pub target: PathBuf,
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    dependencies: Vec<Dependency>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    optional: bool,
    /// `dev`, `build`, or nothing for an ordinary one.
    kind: Option<String>,
    path: Option<PathBuf>,
}

/// One line of what cargo prints while it builds, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    name: String,
}

impl Workspace {
    /// Asks cargo about the workspace of the current directory.
    ///
    /// # Errors
    /// [`Error::Cargo`] if there is none or cargo cannot be run.
    pub fn load() -> Result<Workspace> {
        let answer = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stderr(Stdio::inherit())
            .output()
            .map_err(not_started)?;
        if !answer.status.success() {
            return Err(Error::Cargo("`cargo metadata` failed; its message is above".to_owned()));
        }
        serde_json::from_slice(&answer.stdout)
            .map_err(|source| Error::Json { what: "cargo metadata".to_owned(), source })
    }

    /// Where the site goes: `asked` if given, or else `site` in the target directory.
    pub fn site(&self, asked: Option<&Path>) -> PathBuf {
        asked.map_or_else(|| self.target.join("site"), Path::to_owned)
    }

    /// The directories of the page's package and of those of our packages that it is made of.
    ///
    /// Optional dependencies are left out: those are the server's (`app` has them under `ssr`).
    pub fn page_sources(&self) -> BTreeSet<PathBuf> {
        let mut found = BTreeSet::new();
        let mut open: Vec<&Package> = self.packages.iter().filter(|p| p.name == PAGE).collect();
        while let Some(package) = open.pop() {
            if !found.insert(package.directory()) {
                continue;
            }
            let used = package.dependencies.iter().filter(|d| !d.optional && d.kind.is_none());
            for path in used.filter_map(|dependency| dependency.path.as_ref()) {
                open.extend(self.packages.iter().filter(|p| p.directory() == *path));
            }
        }
        found
    }

    /// Compiles the page and returns the `.wasm` file.
    ///
    /// # Errors
    /// [`Error::Cargo`] if it does not compile; the compiler's messages have been shown by then.
    pub fn compile_page(&self, flavour: Flavour, locked: bool) -> Result<PathBuf> {
        let mut build = cargo();
        build
            .current_dir(&self.root)
            .args(["build", "--package", PAGE, "--target", "wasm32-unknown-unknown"])
            .args(["--profile", flavour.profile(), "--message-format=json-render-diagnostics"])
            .stderr(Stdio::inherit());
        if locked {
            build.arg("--locked");
        }
        let answer = build.output().map_err(not_started)?;
        if !answer.status.success() {
            return Err(Error::Cargo(format!("`{PAGE}` does not compile for the browser")));
        }
        wasm_artifact(&String::from_utf8_lossy(&answer.stdout))
    }
}

impl Package {
    fn directory(&self) -> PathBuf {
        self.manifest_path.parent().unwrap_or(&self.manifest_path).to_owned()
    }
}

/// Finds the page's `.wasm` in what cargo printed.
fn wasm_artifact(messages: &str) -> Result<PathBuf> {
    for line in messages.lines().filter(|line| line.starts_with('{')) {
        let message: Message = serde_json::from_str(line)
            .map_err(|source| Error::Json { what: "cargo build".to_owned(), source })?;
        let ours = message.reason == "compiler-artifact"
            && message.target.is_some_and(|target| target.name == PAGE);
        let mut files = message.filenames.into_iter().filter(|_| ours);
        if let Some(wasm) = files.find(|file| file.extension().is_some_and(|e| e == "wasm")) {
            return Ok(wasm);
        }
    }
    Err(Error::Cargo(format!("cargo built no .wasm file from `{PAGE}`: is it still a cdylib?")))
}

/// The cargo that runs us, or the one on the path.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

fn not_started(source: std::io::Error) -> Error {
    Error::Cargo(format!("cannot start cargo: {source}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_artifact_is_the_pages_wasm_file() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"app"},"filenames":["/t/libapp.rlib"]}
{"reason":"build-script-executed","package_id":"x"}
not json
{"reason":"compiler-artifact","target":{"name":"frontend"},"filenames":["/t/frontend.d","/t/frontend.wasm"]}
{"reason":"build-finished","success":true}"#;
        assert_eq!(wasm_artifact(messages).unwrap(), Path::new("/t/frontend.wasm"));
        assert!(wasm_artifact(r#"{"reason":"build-finished"}"#).is_err());
    }

    #[test]
    fn the_page_is_made_of_its_ordinary_path_dependencies() {
        let workspace: Workspace = serde_json::from_str(
            r#"{"workspace_root": "/w", "target_directory": "/t", "packages": [
                {"name": "frontend", "manifest_path": "/w/frontend/Cargo.toml", "dependencies": [
                    {"optional": false, "kind": null, "path": "/w/app"},
                    {"optional": false, "kind": null}]},
                {"name": "app", "manifest_path": "/w/app/Cargo.toml", "dependencies": [
                    {"optional": false, "kind": null, "path": "/w/model"},
                    {"optional": true, "kind": null, "path": "/w/service"},
                    {"optional": false, "kind": "dev", "path": "/w/helper"}]},
                {"name": "model", "manifest_path": "/w/model/Cargo.toml", "dependencies": []},
                {"name": "helper", "manifest_path": "/w/helper/Cargo.toml", "dependencies": []},
                {"name": "service", "manifest_path": "/w/service/Cargo.toml", "dependencies": []}]}"#,
        )
        .unwrap();
        let sources: Vec<_> = workspace.page_sources().into_iter().collect();
        assert_eq!(sources, ["/w/app", "/w/frontend", "/w/model"].map(PathBuf::from));
        assert_eq!(workspace.site(None), Path::new("/t/site"));
        assert_eq!(workspace.site(Some(Path::new("/o"))), Path::new("/o"));
    }
}
