//! JSON (RFC 8259) token by token, borrowed from the text.
//!
//! Two things are read that the RFC forbids, because logs hold them and the rest of such a record is
//! worth having: control characters inside strings, and unpaired surrogates (as U+FFFD).

use std::borrow::Cow;

use blackrod_model::Value;
use memchr::memchr2;

/// Why a text is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum JsonError {
    /// The text breaks the grammar.
    #[error("not JSON: expected {expected} at byte {at} of the record")]
    Syntax {
        /// What the grammar wants there.
        expected: &'static str,
        /// Bytes from the start of the record.
        at: usize,
    },
    /// The text ends within a value: it was cut off.
    #[error("the record is cut off")]
    CutOff,
    /// The text is some other JSON value.
    #[error("not a JSON object")]
    NotAnObject,
    /// Something follows the record on its line.
    #[error("something follows the object, at byte {0} of the record")]
    Trailing(usize),
    /// Objects and arrays are nested too deep.
    #[error("nested deeper than {} levels", super::MAX_DEPTH)]
    Depth,
    /// The names of its fields would take too much room.
    #[error("names of fields of more than {} bytes together", super::MAX_NAMES)]
    Names,
    /// The record has too many fields.
    #[error("more than {} fields", super::MAX_FIELDS)]
    Fields,
}

/// A place in a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// Bytes before the current place.
    pub(crate) const fn at(&self) -> usize {
        self.at
    }

    /// The next byte that is not blank, which is not yet taken.
    #[inline(always)]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        match self.text.as_bytes().get(self.at) {
            Some(byte) if *byte > b' ' => Some(*byte),
            _ => self.apart(Self::peek_after_blanks),
        }
    }

    /// The same where a blank may come first, which in most logs it does not.
    fn peek_after_blanks(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Lets what is seldom or long work on a copy: a place whose address nobody has stays in registers.
    #[inline(always)]
    fn apart<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let mut copy = *self;
        let result = read(&mut copy);
        *self = copy;
        result
    }

    /// Takes the byte that [`Lexer::peek`] showed.
    #[inline]
    pub(crate) const fn take(&mut self) {
        self.at += 1;
    }

    /// Takes `wanted` if it comes next.
    #[inline(always)]
    pub(crate) fn take_if(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// The error for anything but `expected` here.
    #[cold]
    pub(crate) fn unexpected(&self, expected: &'static str) -> JsonError {
        if self.at >= self.text.len() {
            return JsonError::CutOff;
        }
        JsonError::Syntax {
            expected,
            at: self.at,
        }
    }

    /// Takes `wanted` or says that `expected` is missing.
    #[inline(always)]
    pub(crate) fn require(&mut self, wanted: u8, expected: &'static str) -> Result<(), JsonError> {
        if self.take_if(wanted) {
            return Ok(());
        }
        Err(self.unexpected(expected))
    }

    /// A string, whose opening quote was taken.
    #[inline(always)]
    pub(crate) fn string(&mut self) -> Result<Cow<'a, str>, JsonError> {
        let bytes = self.text.as_bytes();
        let rest = bytes.get(self.at..).ok_or(JsonError::CutOff)?;
        let stop = self.at + quote_or_backslash(rest).ok_or(JsonError::CutOff)?;
        let plain = self.text.get(self.at..stop).ok_or(JsonError::CutOff)?;
        self.at = stop;
        if bytes.get(stop) == Some(&b'"') {
            self.at += 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.apart(|lexer| lexer.escaped_string(plain)).map(Cow::Owned)
    }

    /// The rest of a string that begins with `plain` and goes on with a backslash.
    fn escaped_string(&mut self, plain: &str) -> Result<String, JsonError> {
        // Most of what is to come is as long as what came, or longer.
        let mut unescaped = String::with_capacity(plain.len() * 2 + 64);
        unescaped.push_str(plain);
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(unescaped);
                }
                Some(b'\\') => {
                    self.at += 1;
                    unescaped.push(self.escape()?);
                }
                _ => {
                    let rest = self.text.get(self.at..).ok_or(JsonError::CutOff)?;
                    let stop = memchr2(b'"', b'\\', rest.as_bytes()).ok_or(JsonError::CutOff)?;
                    unescaped.push_str(rest.get(..stop).ok_or(JsonError::CutOff)?);
                    self.at += stop;
                }
            }
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Result<char, JsonError> {
        let kind = self.text.as_bytes().get(self.at).ok_or(JsonError::CutOff)?;
        let character = match kind {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.unexpected("an escape")),
        };
        self.at += 1;
        Ok(character)
    }

    /// The digits after `\u`, and the second half of a surrogate pair where one follows.
    fn unicode_escape(&mut self) -> Result<char, JsonError> {
        let unit = self.four_digits()?;
        if !matches!(unit, 0xD800..=0xDBFF) {
            return Ok(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let after_first = self.at;
        if self.text.as_bytes().get(self.at..self.at + 2) == Some(b"\\u") {
            self.at += 2;
            let second = self.four_digits()?;
            if matches!(second, 0xDC00..=0xDFFF) {
                let code = 0x1_0000 + ((unit - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = after_first;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let digits = digits.ok_or(JsonError::CutOff)?;
        let mut unit = 0;
        for digit in digits {
            let value = char::from(*digit).to_digit(16);
            unit = unit * 16 + value.ok_or_else(|| self.unexpected("four hexadecimal digits"))?;
        }
        self.at += 4;
        Ok(unit)
    }

    /// A number, `true`, `false` or `null`.
    #[inline(always)]
    pub(crate) fn scalar(&mut self) -> Result<Value<'a>, JsonError> {
        self.apart(Self::any_scalar)
    }

    fn any_scalar(&mut self) -> Result<Value<'a>, JsonError> {
        if let Some(number) = self.small_number() {
            return Ok(number);
        }
        let rest = self.text.get(self.at..).ok_or(JsonError::CutOff)?;
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ] {
            if rest.starts_with(word) {
                self.at += word.len();
                return Ok(value);
            }
        }
        let is_number_byte = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let length = rest.bytes().take_while(|byte| is_number_byte(byte)).count();
        let digits = rest.get(..length).unwrap_or_default();
        let number = match digits.parse::<i64>() {
            Ok(whole) => Value::Int(whole),
            Err(_) => Value::Float(digits.parse().map_err(|_| self.unexpected("a value"))?),
        };
        self.at += length;
        Ok(number)
    }

    /// A whole number of a few digits without a sign, which nearly all are; takes nothing where another value comes.
    fn small_number(&mut self) -> Option<Value<'a>> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let mut number = 0;
        for (length, byte) in rest.iter().enumerate().take(18) {
            match byte {
                b'0'..=b'9' => number = number * 10 + i64::from(byte - b'0'),
                b'-' | b'+' | b'.' | b'e' | b'E' => return None,
                _ if length == 0 => return None,
                _ => {
                    self.at += length;
                    return Some(Value::Int(number));
                }
            }
        }
        None
    }
}

/// Where the first quote or backslash stands. Most strings are short: the first words are looked at without a call.
#[inline(always)]
fn quote_or_backslash(bytes: &[u8]) -> Option<usize> {
    const WORD: usize = 8;
    for start in [0, WORD, 2 * WORD] {
        let Some(word) = bytes.get(start..).and_then(<[u8]>::first_chunk::<WORD>) else {
            break;
        };
        let found = quotes_and_backslashes(u64::from_le_bytes(*word));
        if found != 0 {
            return Some(start + found.trailing_zeros() as usize / WORD);
        }
    }
    memchr2(b'"', b'\\', bytes)
}

const fn repeated(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// The high bit of each byte that is a quote or a backslash. What stands above the lowest such byte may be marked
/// wrongly, never the lowest.
const fn quotes_and_backslashes(word: u64) -> u64 {
    // Taking 1 away sets the high bit of a byte that is 0; where it was set before, the byte is not ASCII.
    let quotes = (word ^ repeated(b'"')).wrapping_sub(repeated(1));
    let backslashes = (word ^ repeated(b'\\')).wrapping_sub(repeated(1));
    (quotes | backslashes) & !word & repeated(0x80)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn strings_without_escapes_are_borrowed() {
        let read = |text: &'static str| Lexer::new(text).string();
        assert!(matches!(
            read("plain \u{1F3DB}\" rest"),
            Ok(Cow::Borrowed("plain \u{1F3DB}"))
        ));
        assert_eq!(
            read(r#"C:\\x\t\"y\"\/\u00e9\ud83c\udfdb""#).unwrap(),
            "C:\\x\t\"y\"/é🏛"
        );
        assert_eq!(
            read(r#"\ud83cx\ude00\ud800\u0041""#).unwrap(),
            "\u{FFFD}x\u{FFFD}\u{FFFD}A"
        );
        assert_eq!(read("no end"), Err(JsonError::CutOff));
        assert_eq!(read(r"\u12"), Err(JsonError::CutOff));
        assert!(matches!(read(r#"\x""#), Err(JsonError::Syntax { at: 1, .. })));
        assert!(matches!(read(r#"\u12g4""#), Err(JsonError::Syntax { .. })));
    }

    #[test]
    fn a_string_ends_at_its_first_quote_wherever_that_stands() {
        for length in 0..40 {
            for filling in ["x", "\u{a2}", "!"] {
                let content: String = filling.repeat(length);
                let text = format!("{content}\"\" ,\\");
                let mut lexer = Lexer::new(&text);
                assert_eq!(lexer.string().unwrap(), content);
                assert_eq!(lexer.at(), content.len() + 1);
                let escaped = format!("{content}\\\"\"");
                assert_eq!(Lexer::new(&escaped).string().unwrap(), format!("{content}\""));
                assert_eq!(Lexer::new(&content).string(), Err(JsonError::CutOff));
            }
        }
    }

    #[test]
    fn numbers_beyond_i64_are_floats() {
        let read = |text: &'static str| Lexer::new(text).scalar();
        assert_eq!(
            read("-9214364837600034816,"),
            Ok(Value::Int(-9_214_364_837_600_034_816))
        );
        assert_eq!(
            read("9223372036854775808"),
            Ok(Value::Float(9_223_372_036_854_775_808.0))
        );
        assert_eq!(read("1.5e3}"), Ok(Value::Float(1500.0)));
        assert_eq!(read("0,"), Ok(Value::Int(0)));
        assert_eq!(read("007"), Ok(Value::Int(7)));
        assert_eq!(read("9223372036854775807]"), Ok(Value::Int(i64::MAX)));
        assert_eq!(read("99999999999999999 "), Ok(Value::Int(99_999_999_999_999_999)));
        assert_eq!(read("null"), Ok(Value::Null));
        assert!(matches!(read("x"), Err(JsonError::Syntax { .. })));
        assert!(matches!(read("--1"), Err(JsonError::Syntax { .. })));
    }
}
