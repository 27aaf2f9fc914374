//! From the compiler's WebAssembly to a module a browser can load, with `wasm-bindgen` as a
//! library. `Cargo.lock` holds its version equal to the `wasm-bindgen` the page is compiled with;
//! the two speak a private format and must match to the patch.

use std::collections::BTreeMap;
use std::path::Path;

use wasm_bindgen_cli_support::Bindgen;

use crate::args::Flavour;
use crate::error::{Error, Result};

/// A page bound to JavaScript, not yet named or written.
#[derive(Debug, Default)]
pub struct Bound {
    /// The ES module that loads the WebAssembly and carries its imports.
    pub glue: String,
    /// The WebAssembly itself.
    pub wasm: Vec<u8>,
    /// Scripts of dependencies, which the glue imports from `./snippets/`, by their path there.
    pub snippets: BTreeMap<String, String>,
}

/// Binds `wasm`, a file cargo built.
///
/// # Errors
/// [`Error::Bind`] if the file is not what the library expects.
pub fn bind(wasm: &Path, flavour: Flavour) -> Result<Bound> {
    let small = flavour == Flavour::Release;
    let mut output = Bindgen::new()
        .web(true)
        .map_err(described)?
        .input_path(wasm)
        .typescript(false)
        // The boot script alone knows the name of the WebAssembly.
        .omit_default_module_path(true)
        .remove_name_section(small)
        .remove_producers_section(small)
        .generate_output()
        .map_err(described)?;
    let mut snippets = BTreeMap::new();
    for (package, scripts) in output.snippets() {
        for (index, script) in scripts.iter().enumerate() {
            snippets.insert(format!("{package}/inline{index}.js"), script.clone());
        }
    }
    for (path, script) in output.local_modules() {
        snippets.insert(path.clone(), script.clone());
    }
    Ok(Bound { glue: output.js().to_owned(), wasm: output.wasm_mut().emit_wasm(), snippets })
}

/// The library's errors are chains; the whole chain is shown.
fn described(error: impl std::fmt::Debug + std::fmt::Display) -> Error {
    Error::Bind(format!("{error:#}"))
}
