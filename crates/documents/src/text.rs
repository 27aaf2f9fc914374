//! Text files: which encoding they are in, and whether they are text at all.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

use crate::{Reason, Refusal};

/// How much is looked at to tell text from other things.
const LOOK: usize = 8 << 10;

/// A text without its byte order mark, its line ends as `\n`, and something in it.
pub(crate) fn text(bytes: &[u8], notes: &mut Vec<String>) -> Result<String, Refusal> {
    let text = decode(bytes, notes)?;
    if text.trim().is_empty() {
        return Err(Refusal::new(Reason::NoText, "There are only blanks in the file."));
    }
    Ok(text)
}

/// The characters that the bytes mean.
pub(crate) fn decode(bytes: &[u8], notes: &mut Vec<String>) -> Result<String, Refusal> {
    let encoding = encoding(bytes);
    let (text, encoding, broken) = encoding.decode(bytes);
    if encoding != UTF_8 {
        notes.push(format!("Read as {}.", encoding.name()));
    }
    if broken {
        notes.push("Some characters could not be read and stand as “\u{fffd}”.".to_owned());
    }
    if strange(&text) {
        return Err(Refusal::new(
            Reason::Unsupported,
            "The file is not text: too many of its characters cannot be shown.",
        ));
    }
    Ok(if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text.into_owned()
    })
}

/// Whether bytes without a known beginning may be text.
pub(crate) fn looks_like_text(bytes: &[u8]) -> bool {
    let look = bytes.get(..LOOK).unwrap_or(bytes);
    if Encoding::for_bom(look).is_some() {
        return true;
    }
    if look.contains(&0) && wide(look).is_none() {
        return false;
    }
    let (text, ..) = encoding(look).decode(look);
    !strange(&text)
}

fn encoding(bytes: &[u8]) -> &'static Encoding {
    if let Some((encoding, _)) = Encoding::for_bom(bytes) {
        return encoding;
    }
    // What was cut off in the middle of a character is UTF-8 nevertheless.
    let is_utf8 = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && error.valid_up_to() > 0,
    };
    if is_utf8 && !bytes.contains(&0) {
        return UTF_8;
    }
    if let Some(wide) = wide(bytes) {
        return wide;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(None, Utf8Detection::Deny)
}

/// UTF-16 without a mark: in most languages every other byte is often zero.
fn wide(bytes: &[u8]) -> Option<&'static Encoding> {
    let look = bytes.get(..LOOK).unwrap_or(bytes);
    let zeros = |odd: usize| look.iter().skip(odd).step_by(2).filter(|b| **b == 0).count();
    let (high, low) = (zeros(0), zeros(1));
    let half = look.len() / 2;
    match (high * 10 > half * 3, low * 10 > half * 3) {
        (true, false) if low == 0 => Some(UTF_16BE),
        (false, true) if high == 0 => Some(UTF_16LE),
        _ => None,
    }
}

/// Whether more than one in a hundred characters belongs in no text.
fn strange(text: &str) -> bool {
    let odd = |c: char| {
        c == '\u{fffd}' || (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}' | '\u{1b}'))
    };
    let (mut all, mut strange) = (0usize, 0usize);
    for c in text.chars() {
        all += 1;
        strange += usize::from(odd(c));
    }
    strange * 100 > all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (String, Vec<String>) {
        let mut notes = Vec::new();
        (text(bytes, &mut notes).unwrap(), notes)
    }

    #[test]
    fn utf_8_is_read_as_it_is_with_and_without_a_mark() {
        assert_eq!(read("Grüße, 東京, שלום".as_bytes()), ("Grüße, 東京, שלום".to_owned(), vec![]));
        assert_eq!(read(b"\xef\xbb\xbfa\r\nb\rc").0, "a\nb\nc");
    }

    #[test]
    fn other_encodings_are_found_and_told() {
        let long = "Die Größe der Straße überraschte den Käufer: schön, aber ungewöhnlich. ";
        let (latin, _, _) = encoding_rs::WINDOWS_1252.encode(long);
        let (read_latin, notes) = read(&latin);
        assert_eq!(read_latin, long);
        assert_eq!(notes, ["Read as windows-1252."]);
        let japanese = "これは日本語の文章です。文字コードを当てることができますか。";
        let (sjis, _, _) = encoding_rs::SHIFT_JIS.encode(japanese);
        assert_eq!(read(&sjis).0, japanese);
        let wide: Vec<u8> = long.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&wide).0, long);
        let marked: Vec<u8> =
            [0xfeff].into_iter().chain(long.encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(read(&marked).0, long);
    }

    #[test]
    fn bytes_that_mean_nothing_are_no_text() {
        let noise: Vec<u8> =
            (0..4_000u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
        assert!(!looks_like_text(&noise));
        assert!(text(b" \n\t ", &mut Vec::new()).is_err());
    }
}
