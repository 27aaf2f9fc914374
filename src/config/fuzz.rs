//! What holds for any text whatever that stands in `lanes.toml`: the body of a fuzz target of the same
//! name (`fuzz/`), driven by the test below in every run of `make test`.

use std::time::Duration;

use super::{File, FileProvider, check_fallbacks};

/// A file is taken, or refused in words; what is taken is within its limits.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let file = match toml::from_str::<File>(&text) {
        Ok(file) => file,
        Err(error) => return assert!(!error.to_string().trim().is_empty()),
    };
    if let Some(Ok(lanes)) = file.max_concurrency.map(|n| n.whole("max_concurrency", 10_000)) {
        assert!((1..=10_000).contains(&lanes));
    }
    let providers: Result<Vec<_>, _> =
        file.provider.into_iter().map(FileProvider::into_config).collect();
    let providers = match providers {
        Ok(providers) => providers,
        Err(error) => return assert!(!error.to_string().trim().is_empty()),
    };
    for provider in &providers {
        assert!(provider.rpm != Some(0) && provider.tpm != Some(0));
        assert!(provider.max_concurrency != Some(0));
        let t = &provider.timeouts;
        assert!([t.connect, t.first_token, t.gap, t.total].iter().all(|t| *t > Duration::ZERO));
    }
    if let Err(error) = check_fallbacks(&providers) {
        assert!(!error.to_string().trim().is_empty());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_file_is_taken_or_refused(lines in prop::collection::vec(prop_oneof![
            8 => prop::sample::select(vec![
                "[[provider]]", "name = \"a\"", "name = \"b\"", "base_urls = [\"http://h/v1\"]",
                "base_urls = []", "api_key_env = \"A=\\u0000\"", "api_key_env = \"\"", "models = [\"m\"]",
                "rpm = 3", "rpm = -1", "tpm = 1e400", "max_concurrency = 4", "max_concurrency = 0",
                "fallback = [\"b\"]", "fallback = [\"a\", \"simulator\"]", "timeout_s = { total = 1e-9 }",
                "timeout_s = { connect = nan, gap = 0.5 }", "addr = \"127.0.0.1:1\"",
            ]).prop_map(str::to_owned),
            1 => "[ -~é]{0,20}",
        ], 0..12)) {
            config(lines.join("\n").as_bytes());
        }
    }
}
