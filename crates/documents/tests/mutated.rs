//! Damaged files of every kind: bytes changed, cut out, repeated and put in. Whatever comes of it, the
//! reader answers within a bounded time, and does not panic through.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lanes_documents::{Options, extract, kind, plain};
use proptest::prelude::*;

/// Long for a small file, also on a busy machine and unoptimised.
const BOUND: Duration = Duration::from_secs(10);

const FILES: [&str; 12] = [
    "reportlab.pdf",
    "object-streams.pdf",
    "owner-password.pdf",
    "weasyprint.pdf",
    "rtl.pdf",
    "python-docx.docx",
    "tickets.csv",
    "tickets.jsonl",
    "scan.png",
    "scan.jpg",
    "scan.webp",
    "shift-jis.txt",
];

const HEADS: [&[u8]; 8] = [
    b"",
    b"%PDF-1.4\n",
    b"PK\x03\x04word/document.xml",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"RIFF0000WEBP",
    b"\xff\xfe",
    b"{\"a\":",
];

fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/files").join(name);
    std::fs::read(path).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// One change of a file; places are shares of its length.
#[derive(Debug, Clone)]
enum Change {
    Set(u16, u8),
    Cut(u16, u16),
    Repeat(u16, u16),
    Insert(u16, Vec<u8>),
    Digit(u16),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (any::<u16>(), any::<u8>()).prop_map(|(at, b)| Change::Set(at, b)),
        (any::<u16>(), 0u16..2_000).prop_map(|(at, n)| Change::Cut(at, n)),
        (any::<u16>(), 0u16..500).prop_map(|(at, n)| Change::Repeat(at, n)),
        (any::<u16>(), proptest::collection::vec(any::<u8>(), 0..20))
            .prop_map(|(at, b)| Change::Insert(at, b)),
        any::<u16>().prop_map(Change::Digit),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    let place = |at: u16| usize::from(at) * bytes.len() / 65_536;
    match change {
        Change::Set(at, b) => {
            let at = place(*at);
            if let Some(byte) = bytes.get_mut(at) {
                *byte = *b;
            }
        }
        Change::Cut(at, n) => {
            let at = place(*at);
            let end = (at + usize::from(*n)).min(bytes.len());
            bytes.drain(at..end);
        }
        Change::Repeat(at, n) => {
            let at = place(*at);
            let end = (at + usize::from(*n)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            bytes.splice(at..at, piece);
        }
        Change::Insert(at, piece) => {
            let at = place(*at);
            bytes.splice(at..at, piece.iter().copied());
        }
        // Lengths, counts and references are digits: these changes reach further than others.
        Change::Digit(at) => {
            let at = place(*at);
            if let Some(digit) = bytes.iter_mut().skip(at).find(|b| b.is_ascii_digit()) {
                *digit = b'0' + (*digit - b'0' + 7) % 10;
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_file_is_read_or_refused_in_words(
        which in 0..FILES.len(),
        changes in proptest::collection::vec(change(), 1..12),
    ) {
        let name = FILES[which];
        let mut bytes = bytes(name);
        for change in &changes {
            apply(&mut bytes, change);
        }
        let started = Instant::now();
        if let Err(refusal) = extract(name, &bytes, &Options::default()) {
            prop_assert!(refusal.detail.len() > 10, "{refusal:?}");
        }
        prop_assert!(started.elapsed() < BOUND, "{name} took {:?}", started.elapsed());
    }

    #[test]
    fn any_bytes_under_any_name_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
        head in proptest::sample::select(HEADS.to_vec()),
        name in "[a-z]{0,3}\\.(txt|md|pdf|docx|csv|jsonl|png|jpg|webp|)",
    ) {
        let bytes = [head, &bytes].concat();
        let kind = kind(&name, &bytes);
        let read = extract(&name, &bytes, &Options::default());
        prop_assert!(kind.is_ok() || read.is_err());
        if let Some(plain) = plain(&name, &bytes) {
            prop_assert_eq!(plain, read);
        }
    }
}
