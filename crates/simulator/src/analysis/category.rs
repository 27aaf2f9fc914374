//! The one content category of a text, by the words typical of each.
//!
//! The rule: the answer is one word of the list, `General` when the text gives too little reason
//! for another.

use std::{collections::HashMap, sync::LazyLock};

use super::words::{Counts, term, words};

/// A word repeated more often than this says no more.
const ENOUGH: u32 = 4;
const GENERAL: &str = "General";

/// The categories and their words; a word may speak for two.
const LEXICON: &[(&str, &str)] = &[
    (
        "Technology",
        "ai algorithm app application artificial automated automation bug chip cloud code computer \
         computing configuration cyber cybersecurity data database developer device digital encryption \
         engineer gadget hacker hardware intelligence internet laptop login machine model network online \
         password phone processor programmer robot screen security server smartphone software \
         startup system technology update web website",
    ),
    (
        "Business",
        "acquisition brand ceo chief client company competitor contract customer employee \
         entrepreneur executive firm franchise growth industry logistics management manager margin market \
         marketing merger operating order partnership product profit quarter retail retailer revenue \
         sale shop store strategy supplier supply warehouse workforce",
    ),
    (
        "Health",
        "cancer clinic clinical cure diagnosis diet disease doctor dose drug epidemic exercise fever \
         health healthcare hospital illness infection medical medicine nurse nutrition pain painkiller \
         patient physician physiotherapy prescription sleep surgery symptom therapy treatment trial \
         vaccine virus wellbeing",
    ),
    (
        "Science",
        "astronomer atom biologist biology cell chemistry discovery experiment fossil galaxy gene genetic \
         hypothesis laboratory molecule nasa orbit particle physicist physics planet protein quantum \
         research researcher science scientific scientist space species telescope theory",
    ),
    (
        "Politics",
        "ballot bill campaign candidate coalition congress constitution debate democracy diplomat election \
         government governor law legislation lawmaker mayor minister ministry opposition parliament party \
         policy political politician politics president referendum sanction senate senator treaty vote \
         voter",
    ),
    (
        "Sports",
        "athlete ball basketball champion championship coach cricket cup defender football game goal \
         goalkeeper injury league match medal midfielder olympic player race referee score season soccer \
         sport stadium striker team tennis tournament win",
    ),
    (
        "Finance",
        "asset bank banking bond broker credit currency debt deposit dividend equity exchange finance \
         financial fund hedge index inflation insurance interest investment investor loan monetary mortgage \
         pension portfolio rate share shareholder stock tax trading treasury yield",
    ),
    (
        "Education",
        "academic campus classroom college course curriculum degree education exam graduate homework \
         learning lecture lesson literacy professor pupil scholarship school semester student teacher \
         teaching tuition university",
    ),
    (
        "Environment",
        "biodiversity carbon climate coal conservation deforestation drought ecosystem emission \
         environment environmental flood forest fossil glacier habitat heatwave nature ocean plastic \
         pollution rainforest recycling renewable river solar species storm sustainable warming wildlife wind",
    ),
    (
        "Entertainment",
        "actor actress album artist audience band celebrity cinema comedy concert director drama episode \
         fan festival film gallery hollywood movie music musical novel oscar performance premiere season \
         series show singer song stage star streaming television theatre trailer",
    ),
];

static INDEX: LazyLock<HashMap<String, Vec<usize>>> = LazyLock::new(|| {
    let mut index: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, (_, list)) in LEXICON.iter().enumerate() {
        for word in list.split_whitespace() {
            index.entry(term(word)).or_default().push(at);
        }
    }
    index
});

pub(super) fn answer(text: &str) -> String {
    category(text).to_owned()
}

fn category(text: &str) -> &'static str {
    let mut counts = Counts::default();
    let mut total = 0_usize;
    for word in words(text) {
        total += 1;
        if INDEX.contains_key(&word.term) {
            counts.add(&word.term);
        }
    }
    let mut scores = [0_u32; LEXICON.len()];
    for (term, count) in counts.iter() {
        let categories = INDEX.get(term).map(Vec::as_slice).unwrap_or_default();
        // A word that speaks for two categories speaks half as loudly for each.
        let weight = if categories.len() == 1 { 2 } else { 1 };
        for at in categories {
            scores[*at] += weight * count.min(ENOUGH);
        }
    }
    let mut best = (GENERAL, 0);
    for ((name, _), score) in LEXICON.iter().zip(scores) {
        if score > best.1 {
            best = (name, score);
        }
    }
    // One word decides a headline, but not a page.
    let needed = if total < 30 { 2 } else { 6 };
    if best.1 < needed { GENERAL } else { best.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typical_texts_fall_into_their_category() {
        for (text, expected) in [
            ("The striker scored a goal and won the league match.", "Sports"),
            ("Parliament passed the bill after a long debate before the election.", "Politics"),
            ("Emissions of carbon warm the climate and the ocean.", "Environment"),
            ("The bank raised interest rates on every loan and bond.", "Finance"),
            ("Pupils and their teacher discussed homework at school.", "Education"),
            ("The film festival honoured an actor and a director.", "Entertainment"),
            ("Physicists saw a new particle in the laboratory.", "Science"),
            ("Grandmother put the kettle on and sat down.", GENERAL),
            ("", GENERAL),
        ] {
            assert_eq!(category(text), expected, "{text}");
        }
    }
}
