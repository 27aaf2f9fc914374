#![no_main]

use libfuzzer_sys::fuzz_target;

// Its directory goes to a module around it, so that the parts of the configuration are found there.
#[allow(dead_code, unused_imports, reason = "the program uses the rest")]
#[path = "../../src"]
mod program {
    pub mod config;
}

fuzz_target!(|data: &[u8]| program::config::fuzz::config(data));
