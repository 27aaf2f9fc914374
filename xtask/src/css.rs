//! The style sheets become one: joined in the order of their names, without comments and without
//! the white space that means nothing.
//!
//! The rule: what is removed never changes how the sheet is read. Strings, unquoted urls and
//! escapes are copied as they are; a space stays wherever it can separate two tokens or stand for
//! the descendant combinator.

use std::path::Path;

use crate::error::{Error, Result};

/// Joins every `*.css` in `dir`, by name, each made small; returns the sheet and how many files
/// went into it. A directory without any gives an empty sheet.
///
/// # Errors
/// [`Error::Io`] if the directory cannot be read, [`Error::Css`] for a file that ends midway.
pub fn join(dir: &Path) -> Result<(String, usize)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(Error::io(dir))? {
        let path = entry.map_err(Error::io(dir))?.path();
        if path.extension().is_some_and(|extension| extension == "css") {
            files.push(path);
        }
    }
    files.sort();
    let mut sheet = String::new();
    for path in &files {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        sheet.push_str(&minify(&name, &text)?);
    }
    Ok((sheet, files.len()))
}

/// Makes one style sheet small; `file` is its name, for errors.
///
/// # Errors
/// [`Error::Css`] if the text ends inside a comment, a string or an unquoted url.
pub fn minify(file: &str, text: &str) -> Result<String> {
    let out = String::with_capacity(text.len());
    let mut minifier = Minifier { text, at: 0, out, last: None, gap: None };
    minifier.run().map_err(|(at, what)| Error::Css {
        file: file.to_owned(),
        line: text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1,
        what,
    })?;
    Ok(minifier.out)
}

/// What stood between the last character written and the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Gap {
    /// A comment alone: it separates tokens, yet is no space.
    Comment,
    /// White space, perhaps with comments.
    Space,
}

/// Where something begins that is never closed, and what it is.
type Unclosed = (usize, &'static str);

struct Minifier<'a> {
    text: &'a str,
    at: usize,
    out: String,
    /// The last character written; [`LITERAL`] after a string, an address or an escape.
    last: Option<char>,
    gap: Option<Gap>,
}

/// Stands for the end of something copied as it is, whatever character that ended in.
const LITERAL: char = 'x';

impl Minifier<'_> {
    fn run(&mut self) -> std::result::Result<(), Unclosed> {
        while let Some(c) = self.rest().chars().next() {
            match c {
                '/' if self.rest().starts_with("/*") => {
                    let length = self.rest()[2..].find("*/").ok_or((self.at, "a comment"))?;
                    self.at += length + 4;
                    self.gap.get_or_insert(Gap::Comment);
                }
                _ if c.is_ascii_whitespace() => {
                    self.at += 1;
                    self.gap = Some(Gap::Space);
                }
                '"' | '\'' => {
                    let length = self.string_length(c).ok_or((self.at, "a string"))?;
                    self.copy_literal(length);
                }
                '\\' => self.copy_literal(self.escape_length()),
                '(' if self.opens_a_bare_url() => {
                    let length = self.rest().find(')').ok_or((self.at, "a url"))? + 1;
                    self.copy_literal(length);
                }
                _ => self.copy(c.len_utf8()),
            }
        }
        Ok(())
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// Writes the next `length` bytes as they are, after whatever the gap before them needs.
    fn copy(&mut self, length: usize) {
        let piece = &self.text[self.at..self.at + length];
        let next = piece.chars().next();
        if let Some(gap) = self.gap.take() {
            match gap {
                Gap::Space if needs_space(self.last, next) => self.out.push(' '),
                Gap::Comment if needs_comment(self.last, next) => self.out.push_str("/**/"),
                Gap::Space | Gap::Comment => {}
            }
        }
        if next == Some('}') && self.last == Some(';') {
            self.out.pop();
        }
        self.out.push_str(piece);
        self.last = piece.chars().next_back();
        self.at += length;
    }

    /// As [`Minifier::copy`], for a piece whose last character is not to be read as punctuation.
    fn copy_literal(&mut self, length: usize) {
        self.copy(length);
        self.last = Some(LITERAL);
    }

    /// The length of the string that begins here, quotes included.
    fn string_length(&self, quote: char) -> Option<usize> {
        let mut escaped = false;
        for (index, c) in self.rest().char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\n' => return None,
                _ if c == quote => return Some(index + 1),
                _ => {}
            }
        }
        None
    }

    /// The length of the escape that begins here: a backslash and one character, or up to six
    /// hexadecimal digits and the one space that ends them.
    fn escape_length(&self) -> usize {
        let rest = &self.rest()[1..];
        let digits = rest.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
        let ended_by_space = rest.as_bytes().get(digits).is_some_and(u8::is_ascii_whitespace);
        match digits {
            0 => 1 + rest.chars().next().map_or(0, char::len_utf8),
            _ => 1 + digits + usize::from(ended_by_space),
        }
    }

    /// Whether the parenthesis here follows `url` and its argument is not quoted: then `//` and
    /// `/*` inside are part of the address.
    fn opens_a_bare_url(&self) -> bool {
        let written = self.out.as_bytes();
        let called_url = self.gap.is_none()
            && written.len() >= 3
            && written[written.len() - 3..].eq_ignore_ascii_case(b"url");
        let argument = self.rest()[1..].trim_start();
        called_url && !argument.starts_with(['"', '\''])
    }
}

/// Whether white space between these two characters may mean something.
fn needs_space(last: Option<char>, next: Option<char>) -> bool {
    let (Some(last), Some(next)) = (last, next) else { return false };
    // A custom property may be set to a single space, which differs from nothing at all.
    if last == ':' {
        return matches!(next, ';' | '}');
    }
    !matches!(last, '{' | '}' | ';' | ',' | '(') && !matches!(next, '{' | '}' | ';' | ',' | ')')
}

/// Whether taking out the comment between these two characters could join two tokens into one.
fn needs_comment(last: Option<char>, next: Option<char>) -> bool {
    let free = |c: char| matches!(c, '{' | '}' | ';' | ',' | ')' | ':');
    match (last, next) {
        (Some(last), Some(next)) => !free(last) && !free(next),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(text: &str) -> String {
        minify("a.css", text).unwrap()
    }

    #[test]
    fn comments_and_needless_white_space_go() {
        assert_eq!(
            small("/* a */\n.a , .b > c {\n  color : red ;\n  margin: 0 auto;\n}\n/* b */\n"),
            ".a,.b > c{color :red;margin:0 auto}"
        );
        assert_eq!(
            small("@media ( min-width: 62rem ) { a { b: c } }"),
            "@media (min-width:62rem){a{b:c}}"
        );
    }

    #[test]
    fn a_space_that_means_something_stays() {
        for text in [
            ".a :hover{b:c}",
            ".a .b{b:c}",
            "a{width:calc(100% - (1rem + 2px))}",
            "@media screen and (width > 40rem){a{b:c}}",
            "a{--toggle: ;}",
            "a{font:400 var(--t-md)/1.5 var(--sans)}",
        ] {
            assert_eq!(small(text), text.replace(": ;}", ": }"), "{text}");
        }
    }

    #[test]
    fn strings_urls_and_escapes_are_copied() {
        for text in [
            r#"a::after{content:"/* ; } */  x"}"#,
            r#"a{content:'it\'s  {'}"#,
            "a{background:url(data:image/svg+xml;a,/*b  */)}",
            r".\31  .a{b:c}",
            r".a\:b{b:c}",
            r".a\: b{b:c}",
        ] {
            assert_eq!(small(text), text);
        }
    }

    #[test]
    fn a_comment_between_tokens_still_separates_them() {
        assert_eq!(small("a{margin:1px/* x */2px}"), "a{margin:1px/**/2px}");
        assert_eq!(small(".a/* x */.b{c:d}"), ".a/**/.b{c:d}");
        assert_eq!(small("a{margin:1px /* x */ 2px;/* y */}"), "a{margin:1px 2px}");
    }

    #[test]
    fn making_small_twice_changes_nothing_more() {
        let once = small(".a , b{ color : light-dark( #fff , #000 ) ; } /* x */ c{d:e}");
        assert_eq!(small(&once), once);
    }

    #[test]
    fn what_is_never_closed_is_found_on_its_line() {
        for (text, line, what) in [
            ("a{}\n/* b", 2, "a comment"),
            ("a{\ncontent:\n\"b\n}", 3, "a string"),
            ("a{b:url(c", 1, "a url"),
        ] {
            let error = minify("a.css", text).unwrap_err();
            let expected = format!("a.css, line {line}: {what} is never closed");
            assert_eq!(error.to_string(), expected);
        }
    }
}
