//! What was said, without what was only heard: the answer to who asks for a recording to be cleaned or
//! written down. The simulator has no ears: a recording stands before it as a script, with noises in
//! square brackets and the sounds of people who think.
//!
//! The rule: words stay as they are and in their order; only noises and such sounds are left out.

/// Sounds that are no words.
const SOUNDS: &[&str] = &["uh", "um", "er", "erm", "hmm", "mm", "äh", "ähm", "eh", "este", "euh"];

pub(super) fn answer(text: &str) -> String {
    let lines = text.lines().map(line).filter(|line| !line.is_empty());
    let said = lines.collect::<Vec<_>>().join("\n");
    if said.is_empty() { "Nothing was said.".to_owned() } else { said }
}

/// A line without noises and sounds.
fn line(line: &str) -> String {
    let mut depth = 0_u32;
    let heard: String = line
        .chars()
        .filter(|c| {
            match c {
                '[' => depth += 1,
                ']' => {
                    let inside = depth > 0;
                    depth = depth.saturating_sub(1);
                    return !inside;
                }
                _ => {}
            }
            depth == 0
        })
        .collect();
    let is_sound = |word: &str| {
        let bare: String = word.chars().filter(|c| c.is_alphabetic()).collect();
        SOUNDS.contains(&bare.to_lowercase().as_str()) && !word.ends_with(':')
    };
    let words = heard.split_whitespace().filter(|word| !is_sound(word));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noises_and_sounds_are_left_out_and_words_stay() {
        let script = "[ring] Agent: Good morning.\nCaller: Um, my [dog barks] bill, er, is wrong.\n[hold music]\n";
        assert_eq!(answer(script), "Agent: Good morning.\nCaller: my bill, is wrong.");
        assert_eq!(answer("[static]"), "Nothing was said.");
        assert_eq!(answer("a ] b [ c"), "a ] b");
    }
}
