//! Tokens of style sheets and style attributes (CSS Syntax 3): what whoever looks for URLs and whoever cuts them out have to
//! read alike.

/// A place in a style sheet.
#[derive(Clone, Debug)]
pub struct Cursor<'c> {
    css: &'c str,
    at: usize,
}

impl<'c> Cursor<'c> {
    /// At the begin of `css`.
    pub const fn new(css: &'c str) -> Self {
        Self { css, at: 0 }
    }

    /// Bytes before the place; at most those of the text.
    pub fn at(&self) -> usize {
        self.at.min(self.css.len())
    }

    /// The byte at the place; `None` at the end.
    pub fn peek(&self) -> Option<u8> {
        self.css.as_bytes().get(self.at).copied()
    }

    /// Goes behind that byte.
    pub const fn skip(&mut self) {
        self.at += 1;
    }

    /// Goes behind white space.
    pub fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.skip();
        }
    }

    /// Whether a comment begins here.
    pub fn is_comment(&self) -> bool {
        self.rest().starts_with(b"/*")
    }

    /// Whether a string begins here.
    pub fn is_string(&self) -> bool {
        matches!(self.peek(), Some(b'"' | b'\''))
    }

    /// Whether a word begins here: a name, a keyword, a function.
    pub fn is_word(&self) -> bool {
        self.peek().is_some_and(starts_word)
    }

    /// Goes behind a comment.
    pub fn comment(&mut self) {
        let inside = self.css.as_bytes().get(self.at + 2..).unwrap_or_default();
        self.at = match memchr::memmem::find(inside, b"*/") {
            Some(end) => self.at + end + 4,
            None => self.css.len(),
        };
    }

    /// A string, its quotes and escapes taken away.
    pub fn string(&mut self) -> String {
        let quote = self.peek().unwrap_or(b'"');
        self.skip();
        let text = self.until(|byte| byte == quote || byte == b'\n');
        self.skip();
        text
    }

    /// A word, its escapes resolved.
    pub fn word(&mut self) -> String {
        self.until(|byte| !(starts_word(byte) || byte.is_ascii_digit()))
    }

    /// What stands before the first byte that `ends`, escapes (CSS Syntax 4.3.7) resolved.
    pub fn until(&mut self, ends: impl Fn(u8) -> bool) -> String {
        let mut text = Vec::new();
        while let Some(byte) = self.peek() {
            if byte == b'\\' {
                self.skip();
                self.escape(&mut text);
                continue;
            }
            if ends(byte) {
                break;
            }
            text.push(byte);
            self.skip();
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    fn rest(&self) -> &'c [u8] {
        self.css.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let rest = self.rest();
        let is_digit = |byte: &&u8| byte.is_ascii_hexdigit();
        let digits = rest.iter().take(6).take_while(is_digit).count();
        if digits == 0 {
            // A line that is broken in the middle of a string goes on.
            text.extend(self.peek().filter(|byte| *byte != b'\n'));
            self.skip();
            return;
        }
        let written = rest.get(..digits).unwrap_or_default();
        let number = written.iter().fold(0, |number, digit| {
            number * 16 + (*digit as char).to_digit(16).unwrap_or_default()
        });
        let character = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
        text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += digits;
        if self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.skip();
        }
    }
}

fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'\\') || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_comments_and_ends_are_read() {
        let mut css = Cursor::new("u\\72 l('a\\'b\\\nc')/* x");
        assert!(css.is_word());
        assert_eq!(css.word(), "url");
        assert_eq!(css.peek(), Some(b'('));
        css.skip();
        assert!(css.is_string());
        assert_eq!(css.string(), "a'bc");
        css.skip();
        assert!(css.is_comment());
        css.comment();
        assert_eq!((css.peek(), css.at()), (None, 21));
        assert_eq!(Cursor::new("\\").word(), "");
        assert_eq!(Cursor::new("\\110000 x").word(), "\u{fffd}x");
        let mut open = Cursor::new("'never ends");
        assert_eq!(open.string(), "never ends");
        assert_eq!(open.at(), 11);
    }
}
