//! Finds personal data by its form. Numbers that have a check digit are checked by it, so that an order
//! number is left alone; dates and plain numbers are too.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

/// A place in a text, and the name of what is there.
pub(super) type Found = (Range<usize>, &'static str);

static EMAIL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[\w.%+'-]+@[\w-]+(?:\.[\w-]+)+").ok());

static SSN: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{4}").ok());

/// With the country's code; as in North America; with an area code that begins with 0; in pairs.
static PHONE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)
        \+[0-9](?:[\ .()/-]{0,3}[0-9]){7,14}
        | (?:1[\ .-])?\(?[0-9]{3}\)?[\ .-][0-9]{3}[\ .-][0-9]{4}
        | \(?0[0-9]{2,5}\)?[\ /-]{1,2}[0-9]{3,}(?:[\ -][0-9]{2,}){0,3}
        | 0[0-9](?:[\ .][0-9]{2}){4}",
    )
    .ok()
});

/// Everything that is found, in the order of the text, without overlap.
pub(super) fn all(text: &str) -> Vec<Found> {
    let mut found: BTreeMap<usize, (usize, &'static str)> = BTreeMap::new();
    // An address first: the digits in it are not a number of their own.
    let mut add = |ranges: Vec<Range<usize>>, kind| {
        for range in ranges {
            let before = found.range(..range.end).next_back();
            if before.is_none_or(|(_, (end, _))| *end <= range.start) {
                found.insert(range.start, (range.end, kind));
            }
        }
    };
    add(addresses(text), "EMAIL");
    add(checked(text, is_iban_start, 15..=34, is_iban), "IBAN");
    add(checked(text, |b| b.is_ascii_digit(), 13..=19, is_card), "CARD");
    add(matches(text, &SSN, is_ssn), "SSN");
    add(matches(text, &PHONE, is_phone), "PHONE");
    found.into_iter().map(|(start, (end, kind))| (start..end, kind)).collect()
}

/// A letter before or after one would be part of it, so that each stands alone.
fn addresses(text: &str) -> Vec<Range<usize>> {
    EMAIL.iter().flat_map(|pattern| pattern.find_iter(text)).map(|found| found.range()).collect()
}

/// Numbers of a form; each is short, so that looking again within one costs little.
fn matches(
    text: &str,
    pattern: &Option<Regex>,
    is_right: impl Fn(&str) -> bool,
) -> Vec<Range<usize>> {
    let Some(pattern) = pattern else { return Vec::new() };
    let mut ranges = Vec::new();
    let mut from = 0;
    while let Some(found) = pattern.find_at(text, from) {
        let range = found.range();
        if stands_alone(text, &range) && is_right(found.as_str()) {
            from = range.end;
            ranges.push(range);
        } else {
            // What begins within may be right.
            from = range.start + text[range.start..].chars().next().map_or(1, char::len_utf8);
        }
    }
    ranges
}

/// Whether no letter or digit goes on at either end.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let first = text[range.clone()].chars().next();
    // An address may follow anything that cannot be part of it.
    let before = word(first) && word(text[..range.start].chars().next_back());
    !before && !word(text[range.end..].chars().next())
}

/// Numbers of letters and digits in groups, which a sum shows to be right: the longest at each place.
fn checked(
    text: &str,
    begins: impl Fn(u8) -> bool,
    lengths: std::ops::RangeInclusive<usize>,
    is_right: impl Fn(&[u8]) -> bool,
) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let part = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let (mut ranges, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        let starts = begins(bytes[at]) && !(at > 0 && part(bytes.get(at - 1)));
        let end = starts.then(|| longest(text, at, &lengths, &is_right)).flatten();
        match end {
            Some(end) => {
                ranges.push(at..end);
                at = end;
            }
            None => at += 1,
        }
    }
    ranges
}

fn longest(
    text: &str,
    start: usize,
    lengths: &std::ops::RangeInclusive<usize>,
    is_right: impl Fn(&[u8]) -> bool,
) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut number, mut end, mut at) = (Vec::new(), None, start);
    while let Some(&byte) = bytes.get(at) {
        if byte.is_ascii_alphanumeric() {
            number.push(byte.to_ascii_uppercase());
            if number.len() > *lengths.end() {
                break;
            }
            let goes_on = bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric);
            if !goes_on && lengths.contains(&number.len()) && is_right(&number) {
                end = Some(at + 1);
            }
        } else if !matches!(byte, b' ' | b'-')
            || !bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric)
        {
            break;
        }
        at += 1;
    }
    // A letter of another alphabet goes on just as one of ours.
    let ends_a_word = |end: &usize| {
        let rest = text.get(*end..).unwrap_or_default();
        !rest.chars().next().is_some_and(char::is_alphanumeric)
    };
    end.filter(ends_a_word)
}

/// Luhn's sum.
fn is_card(number: &[u8]) -> bool {
    if !number.iter().all(u8::is_ascii_digit) {
        return false;
    }
    let digits = number.iter().rev().map(|b| u32::from(b - b'0'));
    let sum: u32 = digits
        .enumerate()
        .map(|(i, d)| match (i % 2, d * 2) {
            (0, _) => d,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10)
}

fn is_iban_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic()
}

/// Two letters, two digits, and the remainder 1 of 97 once these four stand at the end.
fn is_iban(number: &[u8]) -> bool {
    let (head, rest) = number.split_at(4.min(number.len()));
    let [a, b, c, d] = head else { return false };
    let shaped = a.is_ascii_uppercase() && b.is_ascii_uppercase();
    if !shaped || !c.is_ascii_digit() || !d.is_ascii_digit() {
        return false;
    }
    let remainder = rest.iter().chain(head).fold(0u32, |sum, byte| match byte {
        b'0'..=b'9' => (sum * 10 + u32::from(byte - b'0')) % 97,
        letter => (sum * 100 + u32::from(letter - b'A') + 10) % 97,
    });
    remainder == 1
}

/// Some areas, groups and serial numbers are never given.
fn is_ssn(text: &str) -> bool {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let part = |range: Range<usize>| digits.get(range).unwrap_or_default().to_owned();
    let (area, group, serial) = (part(0..3), part(3..5), part(5..9));
    !matches!(&*area, "000" | "666") && !area.starts_with('9') && group != "00" && serial != "0000"
}

/// From nine digits on, or eight with a country's code, and brackets that close.
fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let least = if text.starts_with('+') { 8 } else { 9 };
    (least..=15).contains(&digits) && text.matches('(').count() == text.matches(')').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, &'static str)> {
        all(text).into_iter().map(|(range, kind)| (&text[range], kind)).collect()
    }

    #[test]
    fn numbers_are_told_by_their_form_and_their_sum() {
        for (text, kind) in [
            ("a@b.example", "EMAIL"),
            ("o'neil-1@sub.b-c.example", "EMAIL"),
            ("jörg@bücher.example", "EMAIL"),
            ("4111111111111111", "CARD"),
            ("3782-822463-10005", "CARD"),
            ("DE89370400440532013000", "IBAN"),
            ("gb82 west 1234 5698 7654 32", "IBAN"),
            ("NO93 8601 1117 947", "IBAN"),
            ("123-45-6789", "SSN"),
            ("123 45 6789", "SSN"),
            ("+15551234567", "PHONE"),
            ("+49 (0)30 / 1234-567", "PHONE"),
            ("555-123-4567", "PHONE"),
            ("(555) 123-4567", "PHONE"),
            ("1-555-123-4567", "PHONE"),
            ("030 1234567", "PHONE"),
            ("0171/1234567", "PHONE"),
            ("01 23 45 67 89", "PHONE"),
        ] {
            assert_eq!(found(text), [(text, kind)]);
            let within = format!("x: {text}, and more");
            assert_eq!(found(&within), [(text, kind)]);
        }
    }

    #[test]
    fn what_only_looks_like_it_is_left_alone() {
        for text in [
            "4111111111111112",
            "41111111111111111111111",
            "DE88370400440532013000",
            "XDE89370400440532013000",
            "000-12-3456",
            "666-12-3456",
            "123-00-4567",
            "2026-11-21",
            "21.11.2026 10:30",
            "01-02-2026",
            "2026-11-21T10:30:00Z",
            "192.168.100.200",
            "1,234,567.89",
            "+1",
            "a@b",
            "@example.org",
            "order 1234567890",
            "0199c0de-0000-7000-8000-000000000000",
            "Lanes 1.2.3 of 12",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
