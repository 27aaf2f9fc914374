#!/bin/sh
# Builds the fuzz targets with the stable compiler, without a sanitizer (there is next to no unsafe code
# to watch), and runs one of them, or each for so many seconds:
#   fuzz/run.sh workflow_file [libFuzzer's flags]
#   fuzz/run.sh all 60
set -eu
cd "$(dirname "$0")"
host=$(rustc -vV | sed -n 's/^host: //p')
# What `cargo fuzz --sanitizer none` sets.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares"
targets=$(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' Cargo.toml)
run() {
  name=$1
  shift
  mkdir -p "corpus/$name" "artifacts/$name"
  # The files of the tests are where readers of documents begin.
  case $name in pdf | docx | text | table) seeds=../tests/files ;; *) seeds= ;; esac
  # shellcheck disable=SC2086
  "${CARGO_TARGET_DIR:-target}/$host/release/$name" -artifact_prefix="artifacts/$name/" \
    -timeout=20 -rss_limit_mb=2048 "$@" "corpus/$name" $seeds
}
case ${1:-} in
'') echo "usage: $0 TARGET [FLAGS] | all SECONDS; the targets are:" $targets >&2; exit 2 ;;
all)
  cargo build --locked --quiet --release --target "$host"
  for name in $targets; do
    echo "== $name"
    run "$name" -max_total_time="${2:-60}" -verbosity=0 -print_funcs=0 -print_final_stats=1
  done
  ;;
*)
  name=$1
  shift
  cargo build --locked --quiet --release --target "$host" --bin "$name"
  run "$name" "$@"
  ;;
esac
