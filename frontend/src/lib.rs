//! The WebAssembly entry point: hydrate the page, nothing else.
