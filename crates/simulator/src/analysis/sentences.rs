//! Cleaning a text and splitting it into sentences.
//!
//! The rule: one pass over the characters, whatever they are, and a sentence is a slice of the
//! cleaned text, so that what is quoted is what was written.

/// A sentence, trimmed, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sentence<'a> {
    pub(super) text: &'a str,
    /// Counted from 0; blank lines part paragraphs.
    pub(super) paragraph: usize,
    /// Whether it opens its paragraph.
    pub(super) opens: bool,
}

/// Replaces markup tags and control characters by spaces, and unifies line ends.
pub(super) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if c == '<'
            && let Some(length) = tag_length(rest)
        {
            cleaned.push(' ');
            rest = &rest[length..];
            continue;
        }
        match c {
            '\n' | '\t' => cleaned.push(c),
            // Byte order marks and zero-width characters say nothing either.
            c if c.is_control() || matches!(c, '\u{feff}' | '\u{200b}') => {
                if c != '\r' {
                    cleaned.push(' ');
                }
            }
            c => cleaned.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    cleaned
}

/// The length of the tag that `text` begins with, if it is one. Another `<` ends the search, so a
/// text of open brackets costs no more than its length.
fn tag_length(text: &str) -> Option<usize> {
    let inside = text.get(1..)?;
    if !inside.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '!')) {
        return None;
    }
    let end = inside.find(['<', '>'])?;
    inside[end..].starts_with('>').then_some(end + 2)
}

pub(super) fn sentences(text: &str) -> Vec<Sentence<'_>> {
    let mut found = Vec::new();
    let mut paragraph = 0;
    for block in paragraphs(text) {
        let before = found.len();
        split_block(block, paragraph, &mut found);
        if found.len() > before {
            found[before].opens = true;
            paragraph += 1;
        }
    }
    found
}

/// Runs of lines that are not blank.
fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    let (mut start, mut at) = (0, 0);
    let mut lines = text.split_inclusive('\n');
    std::iter::from_fn(move || {
        loop {
            let Some(line) = lines.next() else {
                let last = text.get(start..).filter(|block| !block.trim().is_empty());
                start = text.len();
                return last;
            };
            at += line.len();
            if line.trim().is_empty() {
                let block = &text[start..at];
                start = at;
                if !block.trim().is_empty() {
                    return Some(block);
                }
            }
        }
    })
}

fn split_block<'a>(block: &'a str, paragraph: usize, found: &mut Vec<Sentence<'a>>) {
    let mut start = 0;
    let mut chars = block.char_indices().peekable();
    let mut push = |from: usize, to: usize| {
        let text = block[from..to].trim();
        if !text.is_empty() {
            found.push(Sentence { text, paragraph, opens: false });
        }
    };
    while let Some((at, c)) = chars.next() {
        let wide = matches!(c, '。' | '！' | '？' | '｡');
        if !wide && !matches!(c, '.' | '!' | '?' | '…' | '؟' | '۔' | '।') {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((at, next)) = chars.peek().copied() {
            let closes = matches!(
                next,
                '.' | '!'
                    | '?'
                    | '"'
                    | '\''
                    | '”'
                    | '’'
                    | '»'
                    | ')'
                    | ']'
                    | '」'
                    | '』'
                    | '）'
                    | '…'
            );
            if !closes {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        let after = &block[end..];
        let ends = wide || after.is_empty() || after.starts_with(char::is_whitespace);
        let single = end == at + c.len_utf8();
        let goes_on = !wide
            && (c == '.' || !single)
            && (begins_lower(after) || (single && is_abbreviation(&block[start..at], after)));
        if ends && !goes_on {
            push(start, end);
            start = end;
        }
    }
    push(start, block.len());
}

/// Whether the text goes on in lower case, as after `e.g.` or in `"Good!" she said`. The look is
/// bounded, or a text of spaces and full stops would take quadratic time.
fn begins_lower(after: &str) -> bool {
    after.chars().take(64).find(|c| !c.is_whitespace()).is_some_and(char::is_lowercase)
}

/// Whether the full stop after `before` belongs to an abbreviation rather than to a sentence.
fn is_abbreviation(before: &str, after: &str) -> bool {
    const TITLES: &[&str] =
        &["mr", "mrs", "ms", "dr", "prof", "st", "vs", "e.g", "i.e", "cf", "approx", "u.s", "u.k"];
    const BEFORE_NUMBERS: &[&str] =
        &["no", "fig", "jan", "feb", "aug", "sept", "oct", "nov", "dec", "vol", "p", "pp"];
    let length: usize = before
        .chars()
        .rev()
        .take(9)
        .take_while(|c| c.is_alphanumeric() || *c == '.')
        .map(char::len_utf8)
        .sum();
    let word = &before[before.len() - length..];
    let initial = word.len() == 1 && word.starts_with(|c: char| c.is_ascii_uppercase() && c != 'I');
    let word = word.to_lowercase();
    let number = after.get(1..).is_some_and(|next| next.starts_with(|c: char| c.is_ascii_digit()));
    initial
        || TITLES.contains(&word.as_str())
        || (number && BEFORE_NUMBERS.contains(&word.as_str()))
}

/// At most `limit` characters of a sentence on one line, cut between words where there are any.
pub(super) fn clip(text: &str, limit: usize) -> String {
    let line = |part: &str| part.split_whitespace().collect::<Vec<_>>().join(" ");
    let Some((end, _)) = text.char_indices().nth(limit) else { return line(text) };
    let part = &text[..end];
    let cut = part.rfind(char::is_whitespace).filter(|cut| *cut > end / 2).unwrap_or(end);
    format!("{}…", line(&part[..cut]).trim_end_matches([',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|sentence| sentence.text).collect()
    }

    #[test]
    fn sentences_end_where_a_reader_would_end_them() {
        assert_eq!(
            texts("Dr. Lee paid 1.40 euros, e.g. for tea. \"Good!\" she said. Was it? Yes…"),
            ["Dr. Lee paid 1.40 euros, e.g. for tea.", "\"Good!\" she said.", "Was it?", "Yes…"]
        );
    }

    #[test]
    fn a_quotation_keeps_its_closing_mark() {
        assert_eq!(
            texts("He left. \"It is over.\" Then rain."),
            ["He left.", "\"It is over.\"", "Then rain."]
        );
    }

    #[test]
    fn blank_lines_part_paragraphs_and_single_breaks_do_not() {
        let found = sentences("One line\nstill one.\n \n\nTwo. Three.");
        let shape: Vec<_> = found.iter().map(|s| (s.paragraph, s.opens)).collect();
        assert_eq!(shape, [(0, true), (1, true), (1, false)]);
    }

    #[test]
    fn wide_and_right_to_left_scripts_are_split() {
        assert_eq!(texts("今天下雨。明天晴天！"), ["今天下雨。", "明天晴天！"]);
        assert_eq!(texts("هل تمطر؟ نعم."), ["هل تمطر؟", "نعم."]);
    }

    #[test]
    fn markup_and_control_characters_become_spaces() {
        assert_eq!(clean("a<b class=\"x\">b</b>\0c 1 < 2 <"), "a b  c 1 < 2 <");
        assert_eq!(clean("x\r\ny"), "x\ny");
    }

    #[test]
    fn a_clipped_sentence_ends_between_words() {
        assert_eq!(clip("one two, three four", 12), "one two…");
        assert_eq!(clip("short\nline", 20), "short line");
        assert_eq!(clip("中中中中", 2), "中中…");
    }

    proptest! {
        #[test]
        fn splitting_loses_nothing_but_space(text in "(\\PC|[.!? \n\"]){0,200}") {
            let joined: String = texts(&text).concat();
            let strip = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(strip(&joined), strip(&text));
        }
    }
}
