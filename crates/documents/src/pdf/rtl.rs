//! Hebrew and Arabic in a PDF: its characters mostly stand in the order in which they are drawn, from
//! the left. Here a line is put into the order in which it is read.

/// Whether a character is written from right to left.
pub(super) fn is_rtl(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// What keeps its order from left to right, whatever is around it.
fn is_ltr(c: char) -> bool {
    c.is_alphanumeric() && !is_rtl(c)
}

/// The lines of a text that was drawn from the left, as they are read.
pub(super) fn reading_order(text: &str) -> String {
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn line(line: &str) -> String {
    let mut chars: Vec<char> = line.chars().collect();
    let from_right = chars.iter().filter(|c| is_rtl(**c)).count();
    if from_right == 0 {
        return line.to_owned();
    }
    let letters = chars.iter().filter(|c| is_ltr(**c) && c.is_alphabetic()).count();
    if from_right >= letters {
        // The line as a whole runs from the right; words and numbers in it from the left.
        chars.reverse();
        chars.iter_mut().for_each(mirror);
        reverse_runs(&mut chars, is_ltr);
    } else {
        reverse_runs(&mut chars, is_rtl);
    }
    chars.into_iter().collect()
}

/// A bracket opens where the line is read from.
fn mirror(c: &mut char) {
    *c = match *c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '<' => '>',
        '>' => '<',
        other => other,
    };
}

/// Turns round what begins and ends with a character of that kind and has none of the other between.
fn reverse_runs(chars: &mut [char], is_one: fn(char) -> bool) {
    let is_other = |c: char| (is_rtl(c) || is_ltr(c)) && !is_one(c);
    let mut at = 0;
    while at < chars.len() {
        let Some(rest) = chars.get_mut(at..) else { return };
        let Some(first) = rest.iter().position(|c| is_one(*c)) else { return };
        let mut last = first;
        for (n, c) in rest.iter().enumerate().skip(first) {
            if is_other(*c) {
                break;
            }
            if is_one(*c) {
                last = n;
            }
        }
        if let Some(run) = rest.get_mut(first..=last) {
            run.reverse();
        }
        at += last + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::reading_order;

    #[test]
    fn lines_are_turned_and_numbers_and_names_in_them_are_not() {
        assert_eq!(reading_order("םלוע םולש"), "שלום עולם");
        assert_eq!(reading_order("12.5 םולש רוסמ abc 7"), "abc 7 מסור שלום 12.5");
        assert_eq!(reading_order("(םולש)"), "(שלום)");
    }

    #[test]
    fn a_word_within_another_language_is_turned_alone() {
        assert_eq!(reading_order("The word םולש means peace."), "The word שלום means peace.");
        assert_eq!(reading_order("Plain\n(text) 12"), "Plain\n(text) 12");
    }
}
