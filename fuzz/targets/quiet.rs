/// Panics of libraries that read documents are caught and are refusals: libFuzzer is to end at those of
/// our own code alone.
pub fn about_libraries() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.location().is_some_and(|at| at.file().contains("/crates/")) {
            usual(panic);
        }
    }));
}
