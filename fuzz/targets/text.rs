#![no_main]

use libfuzzer_sys::fuzz_target;

mod quiet;

fuzz_target!(init: quiet::about_libraries(), |data: &[u8]| lanes_documents::fuzz::text(data));
