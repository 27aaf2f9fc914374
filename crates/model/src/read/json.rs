//! A JSON text as a tree. The types that are read from it are in `read`.
//!
//! Rule: a text that is not JSON has no value, and what a value is not reads as nothing.

/// A value of a JSON text. A number that is no `u64` reads as nothing: we write no others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`, and whatever is missing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Number(u64),
    /// A text.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object's fields, in order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The value of that text; none when it is not JSON.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parser = Parser { text, at: 0 };
        let value = parser.value(0)?;
        (parser.next() == 0).then_some(value)
    }

    /// A field of an object; `null` when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &Json {
        static NULL: Json = Json::Null;
        match self {
            Json::Object(fields) => {
                fields.iter().find(|(key, _)| key == name).map_or(&NULL, |(_, value)| value)
            }
            _ => &NULL,
        }
    }

    /// A text; empty when it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Json::Text(text) => text,
            _ => "",
        }
    }

    /// A number; 0 when it is none.
    #[must_use]
    pub const fn number(&self) -> u64 {
        match self {
            Json::Number(number) => *number,
            _ => 0,
        }
    }

    pub(super) fn list(&self) -> &[Json] {
        match self {
            Json::List(list) => list,
            _ => &[],
        }
    }

    /// Which of the words it is; the first when it is none of them.
    pub(super) fn word(&self, words: &[&str]) -> usize {
        let word = self.text();
        words.iter().position(|w| *w == word).unwrap_or(0)
    }
}

/// Nesting deeper than this is none of ours.
const DEEPEST: u8 = 64;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    /// The byte that comes next, 0 at the end.
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(0)
    }

    /// The byte that comes next after white space, 0 at the end.
    fn next(&mut self) -> u8 {
        while matches!(self.peek(), b' ' | b'\n' | b'\r' | b'\t') {
            self.at += 1;
        }
        self.peek()
    }

    /// Steps over that byte, if it comes next.
    fn eat(&mut self, byte: u8) -> bool {
        let found = self.next() == byte;
        self.at += usize::from(found);
        found
    }

    fn word(&mut self, word: &str, value: Json) -> Option<Json> {
        self.text.get(self.at..)?.starts_with(word).then(|| {
            self.at += word.len();
            value
        })
    }

    fn value(&mut self, depth: u8) -> Option<Json> {
        if depth > DEEPEST {
            return None;
        }
        match self.next() {
            b'n' => self.word("null", Json::Null),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => {
                let mut list = Vec::new();
                self.each(b']', |parser| {
                    list.push(parser.value(depth + 1)?);
                    Some(())
                })?;
                Some(Json::List(list))
            }
            b'{' => {
                let mut fields = Vec::new();
                self.each(b'}', |parser| {
                    parser.next();
                    let name = parser.string()?;
                    let value = parser.eat(b':').then(|| parser.value(depth + 1))??;
                    fields.push((name, value));
                    Some(())
                })?;
                Some(Json::Object(fields))
            }
            _ => self.number(),
        }
    }

    /// What stands between brackets, with commas between.
    fn each(&mut self, end: u8, mut one: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.at += 1;
        if self.eat(end) {
            return Some(());
        }
        loop {
            one(self)?;
            if !self.eat(b',') {
                return self.eat(end).then_some(());
            }
        }
    }

    fn number(&mut self) -> Option<Json> {
        let start = self.at;
        while matches!(self.peek(), b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') {
            self.at += 1;
        }
        let text = self.text.get(start..self.at).filter(|t| !t.is_empty())?;
        Some(text.parse().map_or(Json::Null, Json::Number))
    }

    fn string(&mut self) -> Option<String> {
        if self.peek() != b'"' {
            return None;
        }
        let mut out = String::new();
        loop {
            self.at += 1;
            let start = self.at;
            while !matches!(self.peek(), b'"' | b'\\' | 0) {
                self.at += 1;
            }
            out.push_str(self.text.get(start..self.at)?);
            if self.peek() != b'\\' {
                let closed = self.peek() == b'"';
                self.at += 1;
                return closed.then_some(out);
            }
            self.at += 1;
            out.push(match self.peek() {
                b'n' => '\n',
                b't' => '\t',
                b'r' => '\r',
                b'b' => '\u{8}',
                b'f' => '\u{c}',
                b'u' => self.unicode()?,
                // A quotation mark, a slash or a backslash stands for itself.
                byte => char::from(byte),
            });
        }
    }

    /// The character after `\u`, with its other half when it has two; leaves the last digit.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        let code = match first {
            0xd800..0xdc00 => {
                self.at += 1;
                self.word("\\u", Json::Null)?;
                self.at -= 1;
                0x1_0000 + ((first - 0xd800) << 10) + self.hex()?.checked_sub(0xdc00)?
            }
            _ => first,
        };
        char::from_u32(code)
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at + 1..self.at + 5)?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}
