//! Cutting a long text into pieces that a model can take, between sentences where that is possible.

use unicode_segmentation::UnicodeSegmentation;

/// Cuts a text into pieces of at most `most` tokens: between sentences; a sentence that is too long,
/// between words; a word that is too long, between characters. Joined, the pieces are the text again.
/// A single character that has more tokens than that is a piece of its own.
pub fn split<'a>(text: &'a str, most: u64, count: &dyn Fn(&str) -> u64) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    cut(text, Level::Sentences, most.max(1), count, &mut pieces);
    pieces
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Sentences,
    Words,
    Characters,
}

fn units(text: &str, level: Level) -> Vec<&str> {
    match level {
        Level::Sentences => text.split_sentence_bounds().collect(),
        Level::Words => text.split_word_bounds().collect(),
        Level::Characters => text.graphemes(true).collect(),
    }
}

fn cut<'a>(
    text: &'a str,
    level: Level,
    most: u64,
    count: &dyn Fn(&str) -> u64,
    pieces: &mut Vec<&'a str>,
) {
    let units = units(text, level);
    // Where the piece that is being gathered begins, in bytes and in units, and what it counts.
    let (mut from, mut first, mut tokens) = (0, 0, 0u64);
    let mut at = 0;
    for (n, unit) in units.iter().enumerate() {
        let own = count(unit);
        if own > most || tokens.saturating_add(own) > most {
            gather(text, from, units.get(first..n).unwrap_or_default(), most, count, pieces);
            (from, first, tokens) = (at, n, 0);
        }
        at += unit.len();
        if own > most {
            match level {
                Level::Sentences => cut(unit, Level::Words, most, count, pieces),
                Level::Words => cut(unit, Level::Characters, most, count, pieces),
                Level::Characters => pieces.push(unit),
            }
            (from, first) = (at, n + 1);
        } else {
            tokens += own;
        }
    }
    gather(text, from, units.get(first..).unwrap_or_default(), most, count, pieces);
}

/// Makes a piece of units that follow one another. Together they may count more than each by itself;
/// then it becomes two.
fn gather<'a>(
    text: &'a str,
    from: usize,
    units: &[&str],
    most: u64,
    count: &dyn Fn(&str) -> u64,
    pieces: &mut Vec<&'a str>,
) {
    let length: usize = units.iter().map(|u| u.len()).sum();
    let Some(piece) = text.get(from..from + length).filter(|p| !p.is_empty()) else { return };
    if units.len() > 1 && count(piece) > most {
        let (left, right) = units.split_at(units.len() / 2);
        let middle = from + left.iter().map(|u| u.len()).sum::<usize>();
        gather(text, from, left, most, count, pieces);
        gather(text, middle, right, most, count, pieces);
    } else {
        pieces.push(piece);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A stand-in for a tokenizer: four bytes a token.
    fn quarter(text: &str) -> u64 {
        (text.len() as u64).div_ceil(4)
    }

    #[test]
    fn pieces_end_with_sentences_where_they_can() {
        let text = "One is short. Two is a little longer. Three ends it.";
        let pieces = split(text, 9, &quarter);
        assert_eq!(pieces, ["One is short. ", "Two is a little longer. ", "Three ends it."]);
        assert_eq!(split(text, 1_000, &quarter), [text]);
        assert!(split("", 5, &quarter).is_empty());
    }

    #[test]
    fn a_sentence_without_an_end_is_cut_between_words_and_a_word_between_characters() {
        let pieces = split("aaaaaaaaaaaaaaaaaaaaaaaa bb cc", 2, &quarter);
        assert!(pieces.iter().all(|p| p.len() <= 8), "{pieces:?}");
        assert!(pieces.last().is_some_and(|p| p.ends_with("cc")));
    }

    proptest! {
        #[test]
        fn no_text_is_lost_and_no_piece_is_too_long(
            text in "[a-zäß東👩🏽‍🚀\u{5d0}.!? \n]{0,400}",
            most in 8u64..60,
        ) {
            let pieces = split(&text, most, &quarter);
            prop_assert_eq!(pieces.concat(), text.clone());
            for piece in pieces {
                // A character put together from many code points stays whole.
                let single = piece.graphemes(true).count() == 1;
                prop_assert!(single || quarter(piece) <= most, "{piece:?}");
            }
        }

        #[test]
        fn a_count_that_does_not_add_up_is_obeyed_too(text in "[ab. ]{0,200}") {
            // Longer texts count for more than their parts.
            let odd = |t: &str| (t.len() as u64).pow(2) / 16;
            let pieces = split(&text, 20, &odd);
            prop_assert_eq!(pieces.concat(), text.as_str());
            prop_assert!(pieces.iter().all(|p| odd(p) <= 20));
        }
    }
}
