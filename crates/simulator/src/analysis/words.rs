//! Words, terms and their counts: the material of every analysis.
//!
//! The rule: everything is in the order of the text, so that no result depends on the order of a
//! hash map.

use std::collections::HashMap;

/// Longer words are debris such as encoded data, and no use as terms.
const LONGEST: usize = 64;

/// A word as written and as counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    /// Lower case, without a plural `s`.
    pub(super) term: String,
    /// Whether only spaces or hyphens part it from the word before.
    pub(super) follows: bool,
    /// Whether it is the first of the slice it was read from.
    pub(super) first: bool,
}

/// The words of a slice. Scripts without spaces give overlapping pairs of characters, the usual
/// stand-in for words there.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let mut found: Vec<Word<'_>> = Vec::new();
    let mut end_of_last = 0;
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if !c.is_alphanumeric() {
            continue;
        }
        let mut end = start + c.len_utf8();
        if is_unspaced(c) {
            match chars.peek() {
                Some((_, next)) if is_unspaced(*next) => end += next.len_utf8(),
                // The last character of a run is already half of the pair before it.
                _ if end_of_last == end => continue,
                _ => {}
            }
        } else {
            while let Some((at, next)) = chars.peek().copied() {
                let joins = matches!(next, '\'' | '’' | '.' | ',')
                    && text[at + next.len_utf8()..].starts_with(|after: char| {
                        if matches!(next, '.' | ',') {
                            after.is_ascii_digit()
                                && text[..at].ends_with(|c: char| c.is_ascii_digit())
                        } else {
                            after.is_alphabetic()
                        }
                    });
                if joins || (next.is_alphanumeric() && !is_unspaced(next)) || is_mark(next) {
                    end = at + next.len_utf8();
                    chars.next();
                } else {
                    break;
                }
            }
        }
        let word = &text[start..end];
        let gap = text.get(end_of_last..start);
        let follows = !found.is_empty()
            && gap.is_some_and(|gap| gap.chars().all(|c| c.is_whitespace() || c == '-'));
        let first = found.is_empty();
        end_of_last = end;
        if word.len() <= LONGEST {
            found.push(Word { text: word, term: term(word), follows, first });
        }
    }
    found
}

/// Combining marks belong to the letter before them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{64b}'..='\u{65f}' | '\u{93a}'..='\u{94f}')
}

/// Han and kana, which are written without spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Lower case, with an English plural or possessive taken off.
pub(super) fn term(word: &str) -> String {
    let lower = word.to_lowercase().replace('’', "'");
    let base = lower.strip_suffix("'s").unwrap_or(&lower);
    if base.len() > 4 && base.ends_with("ies") {
        return format!("{}y", &base[..base.len() - 3]);
    }
    let keeps = ["ss", "us", "is", "news", "series", "always", "perhaps", "analytics"];
    if base.len() > 3 && base.ends_with('s') && !keeps.iter().any(|end| base.ends_with(end)) {
        return base[..base.len() - 1].to_owned();
    }
    base.to_owned()
}

/// Whether a term says something about the topic of a text.
pub(super) fn is_content(term: &str) -> bool {
    let long_enough = term.chars().count() > 2 || term.chars().any(is_unspaced);
    long_enough && !term.starts_with(|c: char| c.is_numeric()) && !is_stop_word(term)
}

/// Counts content terms in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Counts {
    index: HashMap<String, usize>,
    list: Vec<(String, u32)>,
}

impl Counts {
    pub(super) fn add(&mut self, term: &str) {
        if let Some(at) = self.index.get(term) {
            self.list[*at].1 += 1;
        } else {
            self.index.insert(term.to_owned(), self.list.len());
            self.list.push((term.to_owned(), 1));
        }
    }

    pub(super) fn of(&self, term: &str) -> u32 {
        self.index.get(term).map_or(0, |at| self.list[*at].1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.list.iter().map(|(term, count)| (term.as_str(), *count))
    }
}

/// English words that carry grammar or are too general to be a topic, as terms.
fn is_stop_word(term: &str) -> bool {
    const STOP: &str = "a able about above according across actually afford after afterward again against ago all \
almost along already also although always am among an and another any anyone anything are \
aren't around as aside ask at away back be became because become been before began begin \
behind being below best better between beyond big billion both bring but by call came can \
can't cannot careful come company could couldn't day did didn't different do doe does \
doesn't doing dollar don't done down during each earlier early easiest easy either else end \
ending enough especially euro even ever every everyone everything expect face fact far few \
find first five follow followed following for found four from full further gave get give \
given go goe going gone good got great group had half has hasn't have haven't having he held \
her here high him himself his hour how however hundred i if in include including instead \
into is isn't it it's its itself just keep kept knew know known large largest last late \
later learn learned least leave left less let level like likely little long longer look \
looking lot low lower made make making many may maybe me mean meanwhile measure might \
million minute month more most mostly much must my myself near nearly need needed neither \
never new next nine no nobody none nor not nothing notice now number of off offer often old \
on once one only onto open opened or ordinary other our out over own part people per percent \
perhaps place point put quickly quite rather reach real really receive received remain \
report reported result right roughly said same saw say second see seem seen send sent \
several shall she short shorter shortly should show showed side since six small smaller so \
some something somewhat soon spend still stood such take taken tell ten than thank that the \
their them themselve then there therefore these they thing think third this those though \
thousand three through thus time to today together told too took toward treat tried try \
tuesday two under unless until up upon us use used using usually very via was way we week \
well went were what whatever when where whether which while who whole whom whose why will \
with within without won't work worse would wrote year yet you your";
    use std::{collections::HashSet, sync::LazyLock};
    static SET: LazyLock<HashSet<&str>> = LazyLock::new(|| STOP.split_whitespace().collect());
    SET.contains(term)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.term).collect()
    }

    #[test]
    fn words_keep_apostrophes_and_decimals_together() {
        assert_eq!(terms("It isn't 1,200.5 euros."), ["it", "isn't", "1,200.5", "euro"]);
    }

    #[test]
    fn plurals_and_possessives_count_as_the_word_itself() {
        assert_eq!(
            terms("companies company's Models crisis glass"),
            ["company", "company", "model", "crisis", "glass"]
        );
    }

    #[test]
    fn scripts_without_spaces_give_pairs() {
        assert_eq!(terms("人工智能 AI"), ["人工", "工智", "智能", "ai"]);
    }

    #[test]
    fn only_neighbours_follow() {
        let follows: Vec<bool> = words("data centre, cloud").iter().map(|w| w.follows).collect();
        assert_eq!(follows, [false, true, false]);
    }

    #[test]
    fn counts_come_in_the_order_of_the_text() {
        let mut counts = Counts::default();
        for term in ["b", "a", "b"] {
            counts.add(term);
        }
        assert_eq!(counts.iter().collect::<Vec<_>>(), [("b", 2), ("a", 1)]);
        assert_eq!(counts.of("c"), 0);
    }
}
