#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(
    // Panics of the libraries under it are caught and are refusals: libFuzzer is not to end at them.
    init: std::panic::set_hook(Box::new(|_| {})),
    |data: &[u8]| lanes_documents::fuzz::pdf(data)
);
