//! Settings that cannot be: the program does not start, and says which one it is and what to do.

use std::process::{Command, Stdio};

/// What the program says when it is started with these arguments, variables and lines of
/// `lanes.toml`; it must not start.
fn refusal(args: &[&str], variables: &[(&str, &str)], file: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(folder.path().join("lanes.toml"), file).expect("a file");
    let output = Command::new(env!("CARGO_BIN_EXE_lanes"))
        .args(args)
        .args(["--addr", "127.0.0.1:0"])
        .current_dir(folder.path())
        .env("LANES_DATA_DIR", folder.path())
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()
        .expect("the program");
    assert_eq!(output.status.code(), Some(2), "{args:?} {variables:?} {file}");
    assert!(output.stdout.is_empty(), "it listens: {args:?} {variables:?} {file}");
    String::from_utf8(output.stderr).expect("words")
}

fn says(said: &str, words: &str) {
    assert!(said.contains(words), "“{words}” is not in: {said}");
}

#[test]
fn absurd_limits_in_the_environment_are_refused_by_name() {
    let openai = ("OPENAI_BASE_URL", "http://127.0.0.1:9/v1");
    for name in ["LANES_SIM_RPM", "LANES_SIM_TPM", "OPENAI_RPM", "OPENAI_TPM"] {
        for absurd in ["0", "-60", "4294967296", "1.5", "lots"] {
            let said = refusal(&["serve"], &[openai, (name, absurd)], "");
            says(&said, &format!("{name} is “{absurd}”; it must be a whole number from 1 to"));
        }
    }
    for absurd in ["0", "-1", "10001", "many"] {
        let said = refusal(&["serve"], &[("LANES_MAX_CONCURRENCY", absurd)], "");
        says(&said, &format!("LANES_MAX_CONCURRENCY is “{absurd}”; it must be"));
    }
    let said = refusal(&["serve"], &[("LANES_ENABLE_PARALLEL", "perhaps")], "");
    says(&said, "LANES_ENABLE_PARALLEL is “perhaps”; it must be true or false");
    let said = refusal(&["serve"], &[("LANES_SIM_LATENCY", "fixed:-2s")], "");
    says(&said, "is not a duration of at most an hour");
}

#[test]
fn absurd_limits_in_the_file_are_refused_by_name() {
    for absurd in ["0", "-1", "10001", "1.5"] {
        let said = refusal(&["serve"], &[], &format!("max_concurrency = {absurd}"));
        says(&said, &format!("max_concurrency in lanes.toml is “{absurd}”; it must be"));
    }
    let provider = "[[provider]]\nname = \"p\"\nbase_urls = [\"http://127.0.0.1:9/v1\"]\n";
    let said = refusal(&["serve"], &[], &format!("{provider}rpm = -5"));
    says(&said, "provider “p”: rpm is “-5”; it must be a whole number from 1 to");
    let said = refusal(&["serve"], &[], &format!("{provider}timeout_s = {{ gap = 0 }}"));
    says(&said, "provider “p”: timeout_s.gap is “0”; it must be a number of seconds from");
}

#[test]
fn endpoints_and_fallbacks_that_cannot_be_are_refused_by_name() {
    let provider = |urls: &str, more: &str| {
        let file = format!("[[provider]]\nname = \"p\"\nbase_urls = {urls}\n{more}");
        refusal(&["serve"], &[], &file)
    };
    let one = r#"["http://127.0.0.1:9/v1"]"#;
    says(&provider("[]", ""), "provider “p”: give at least one base URL");
    let many = vec!["http://127.0.0.1:9/v1"; 65];
    says(&provider(&format!("{many:?}"), ""), "provider “p”: give at most 64 base URLs");
    for wrong in ["p", "nobody"] {
        let said = provider(one, &format!("fallback = [\"{wrong}\"]"));
        says(&said, &format!("provider “p”: the fallback “{wrong}” is not another provider"));
    }
    let other = "[[provider]]\nname = \"q\"\nbase_urls = [\"http://127.0.0.1:9/v1\"]";
    let said = provider(one, &format!("fallback = [\"q\"]\n{other}"));
    says(&said, "provider “p”: the fallback “q” has no models");
    for absurd in ["0", "-1", "10001", "2.5"] {
        let said = provider(one, &format!("max_concurrency = {absurd}"));
        says(&said, &format!("provider “p”: max_concurrency is “{absurd}”; it must be"));
    }
    let said = provider(r#"["http://127.0.0.1:9/v1", "ftp://127.0.0.1/v1"]"#, "");
    says(&said, "the base URL must begin with http:// or https://");
}

#[test]
fn absurd_flags_of_the_simulator_are_refused_by_name() {
    for (flag, absurd, words) in [
        ("--rpm", "0", "rpm must be at least 1; leave it out for no limit"),
        ("--burst", "0", "burst must be at least 1; leave it out for no limit"),
        ("--tpm", "0", "tpm must be at least 1; leave it out for no limit"),
        ("--rpm", "-1", "--rpm"),
        ("--tpm", "4294967296", "--tpm"),
        ("--rpm", "many", "--rpm"),
        ("--error-rate", "2", "error_rate must be between 0 and 1, not 2"),
        ("--hang-rate", "-0.1", "hang_rate must be between 0 and 1, not -0.1"),
        ("--truncate-rate", "NaN", "truncate_rate must be between 0 and 1, not NaN"),
        ("--error-rate", "inf", "error_rate must be between 0 and 1, not inf"),
        ("--error-rate", "often", "--error-rate"),
        ("--latency", "fixed:-2s", "is not a duration of at most an hour"),
        ("--latency", "fixed:1e300s", "is not a duration of at most an hour"),
        ("--latency", "rate:ttft=1s,tps=0", "`tps` must be a number above 0"),
        ("--latency", "lognormal:mean=1s,cv=-1", "`cv` must be a number from 0 to 10"),
        ("--latency", "soon", "unknown latency profile `soon`"),
        ("--seed", "-1", "--seed"),
        ("--addr", "nowhere", "--addr"),
    ] {
        let said = refusal(&["simulate", &format!("{flag}={absurd}")], &[], "");
        says(&said, words);
    }
}
