//! The site in memory: which file has which name and content. Pure, so that it can be tested
//! without a compiler.
//!
//! The rule: a file under `/pkg/` is named after its content and refers to others by such names
//! only, so a browser may keep it for ever. Files of `public/` keep their names.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::bind::Bound;

/// The list of what a page has to load, relative to the site.
pub const MANIFEST: &str = "manifest.json";

/// The paths a page refers to, as the browser asks for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The glue between JavaScript and WebAssembly: an ES module, worth a `modulepreload`.
    pub js: String,
    /// The WebAssembly, worth a `preload` as `fetch`.
    pub wasm: String,
    /// The style sheet.
    pub css: String,
    /// The ES module that loads the other two and wakes the page; the only script to run.
    pub boot: String,
}

/// Files by their path below the site's directory, with `/` between the parts.
pub type Files = BTreeMap<String, Vec<u8>>;

/// Gives every file its name. `public` goes in as it is.
pub fn assemble(bound: Bound, css: String, public: Files) -> (Files, Manifest) {
    let mut files = public;
    let mut glue = bound.glue;
    if !bound.snippets.is_empty() {
        let all: Vec<u8> = bound
            .snippets
            .iter()
            .flat_map(|(path, script)| [path.as_bytes(), b"\0", script.as_bytes(), b"\0"].concat())
            .collect();
        let directory = format!("snippets.{}", short_hash(&all));
        // Only where the glue imports them: the WebAssembly asks for its imports by the old name.
        for quote in ['"', '\''] {
            let (old, new) = ("./snippets/", format!("./{directory}/"));
            glue = glue.replace(&format!("from {quote}{old}"), &format!("from {quote}{new}"));
        }
        for (path, script) in bound.snippets {
            files.insert(format!("pkg/{directory}/{path}"), script.into_bytes());
        }
    }
    let mut add = |stem: &str, extension: &str, content: Vec<u8>| {
        let name = format!("{stem}.{}.{extension}", short_hash(&content));
        files.insert(format!("pkg/{name}"), content);
        name
    };
    let js = add("lanes", "js", glue.into_bytes());
    let wasm = add("lanes", "wasm", bound.wasm);
    let css = add("lanes", "css", css.into_bytes());
    let boot = add("boot", "js", boot_script(&js, &wasm).into_bytes());
    let served = |name: String| format!("/pkg/{name}");
    let manifest =
        Manifest { js: served(js), wasm: served(wasm), css: served(css), boot: served(boot) };
    (files, manifest)
}

/// The module that starts the page: it loads both halves at once, calls `hydrate`, and then for each
/// island in the page the function that the WebAssembly exports for it. It stands beside the two
/// files it names, and it is a file because a strict content security policy allows no script inside
/// the page.
fn boot_script(js: &str, wasm: &str) -> String {
    format!(
        "const wasm=fetch(new URL(\"./{wasm}\",import.meta.url));\n\
         const page=await import(\"./{js}\");\n\
         await page.default({{module_or_path:wasm}});\n\
         page.hydrate();\n\
         for(const island of document.querySelectorAll(\"leptos-island\"))page[island.dataset.component](island);\n"
    )
}

/// The first 16 hexadecimal digits of the content's SHA-256: enough to tell builds apart.
pub fn short_hash(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(glue: &str, wasm: &[u8]) -> Bound {
        Bound { glue: glue.to_owned(), wasm: wasm.to_vec(), snippets: BTreeMap::new() }
    }

    #[test]
    fn the_manifest_names_files_that_exist() {
        let public = Files::from([("favicon.svg".to_owned(), b"<svg/>".to_vec())]);
        let (files, manifest) = assemble(bound("js", b"wasm"), "a{}".to_owned(), public);
        for path in [&manifest.js, &manifest.wasm, &manifest.css, &manifest.boot] {
            assert!(files.contains_key(path.trim_start_matches('/')), "{path}");
        }
        assert_eq!(files.len(), 5);
        assert_eq!(files["favicon.svg"], b"<svg/>");
        assert_eq!(manifest.css, format!("/pkg/lanes.{}.css", short_hash(b"a{}")));
    }

    #[test]
    fn the_boot_script_refers_to_the_hashed_names() {
        let (files, manifest) = assemble(bound("js", b"wasm"), String::new(), Files::new());
        let boot = String::from_utf8(files[&manifest.boot[1..]].clone()).unwrap();
        for path in [&manifest.js, &manifest.wasm] {
            assert!(boot.contains(&path.replace("/pkg/", "./")), "{boot}");
        }
    }

    #[test]
    fn a_name_changes_with_its_content_and_with_what_it_refers_to() {
        let names =
            |glue: &str, wasm: &[u8]| assemble(bound(glue, wasm), "a{}".to_owned(), Files::new()).1;
        let (first, second) = (names("js", b"one"), names("js", b"two"));
        assert_eq!((&first.js, &first.css), (&second.js, &second.css));
        assert_ne!(first.wasm, second.wasm);
        assert_ne!(first.boot, second.boot);
        assert_eq!(first, names("js", b"one"));
    }

    #[test]
    fn scripts_of_dependencies_move_with_the_glue() {
        let build = |script: &str| {
            let glue = "import * as a from './snippets/dep-1/inline0.js';\
                        const imports = {'./snippets/dep-1/inline0.js': a};";
            let mut bound = bound(glue, b"wasm");
            bound.snippets.insert("dep-1/inline0.js".to_owned(), script.to_owned());
            assemble(bound, String::new(), Files::new())
        };
        let (files, manifest) = build("export const x=1");
        let glue = String::from_utf8(files[&manifest.js[1..]].clone()).unwrap();
        let snippet = files.keys().find(|name| name.ends_with("dep-1/inline0.js")).unwrap();
        assert!(glue.contains(&snippet.replace("pkg/", "from './")), "{glue}");
        assert!(glue.contains("{'./snippets/dep-1/inline0.js': a}"), "{glue}");
        assert_ne!(build("export const x=2").1.js, manifest.js);
    }
}
