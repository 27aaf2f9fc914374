#![no_main]

use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "the program uses the rest")]
#[path = "../../src/config.rs"]
mod config;

fuzz_target!(|data: &[u8]| config::fuzz::config(data));
