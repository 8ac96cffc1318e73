//! Where records begin and end in text that is not one record a line.

use std::ops::Range;

use memchr::{memchr, memchr3};

/// Finds the values at the top level of an array or of a series of values. Brackets, commas and
/// blanks between them are passed over.
///
/// Only quotes and brackets are looked at; whether a value is well formed is for its reader to say.
/// A string may not contain a line break, so that a lost quote costs one record and not all of them:
/// the search goes on with the next line that begins an object no deeper than the broken one.
pub(super) struct Objects<'b> {
    bytes: &'b [u8],
    at: usize,
}

/// A value at the top level.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// It lies within these bytes.
    Whole(Range<usize>),
    /// It begins here, and the bytes end before it does.
    Unfinished(usize),
}

impl<'b> Objects<'b> {
    pub(super) const fn new(bytes: &'b [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    fn value_from(&self, start: usize) -> Found {
        let mut depth = 0_usize;
        let mut at = start;
        while let Some(byte) = self.bytes.get(at) {
            match byte {
                b'"' => match self.string_end(at + 1) {
                    StringEnd::Quote(end) => at = end,
                    StringEnd::LineBreak(line_end) => return self.broken(start, line_end),
                    StringEnd::None => return Found::Unfinished(start),
                },
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth <= 1 => return Found::Whole(start..at + 1),
                b'}' | b']' => depth -= 1,
                b',' | b'\n' if depth == 0 => return Found::Whole(start..at),
                _ => {}
            }
            at += 1;
            // An object may follow a plain value without anything between them.
            if depth == 0 && matches!(self.bytes.get(at), Some(b'{' | b'[' | b']')) {
                return Found::Whole(start..at);
            }
        }
        Found::Unfinished(start)
    }

    /// Where the string that begins at `start` ends.
    fn string_end(&self, start: usize) -> StringEnd {
        let mut at = start;
        while let Some(rest) = self.bytes.get(at..) {
            let Some(stop) = memchr3(b'"', b'\\', b'\n', rest) else {
                return StringEnd::None;
            };
            at += stop;
            match self.bytes.get(at) {
                Some(b'"') => return StringEnd::Quote(at),
                Some(b'\n') => return StringEnd::LineBreak(at),
                // The byte after a backslash never ends a string.
                _ => at += 2,
            }
        }
        StringEnd::None
    }

    /// A value that began at `start` and lost a quote in the line that ends at `line_end`.
    fn broken(&self, start: usize, line_end: usize) -> Found {
        let line_start = self
            .bytes
            .get(..start)
            .and_then(|before| memchr::memrchr(b'\n', before));
        let indent = start - line_start.map_or(0, |newline| newline + 1);
        let mut newline = line_end;
        loop {
            let line = self.bytes.get(newline + 1..).unwrap_or_default();
            let blanks = line
                .iter()
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            match line.get(blanks) {
                Some(b'{') if blanks <= indent => return Found::Whole(start..newline),
                _ => match memchr(b'\n', line) {
                    Some(length) => newline += length + 1,
                    None => return Found::Unfinished(start),
                },
            }
        }
    }
}

enum StringEnd {
    Quote(usize),
    LineBreak(usize),
    None,
}

impl Iterator for Objects<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let is_between = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b'[' | b']');
        let rest = self.bytes.get(self.at..)?;
        let start = self.at + rest.iter().position(|byte| !is_between(byte))?;
        let found = self.value_from(start);
        self.at = match &found {
            Found::Whole(range) => range.end,
            Found::Unfinished(_) => self.bytes.len(),
        };
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<&str> {
        let found = Objects::new(text.as_bytes()).map(|found| match found {
            Found::Whole(range) => text.get(range).unwrap_or("?"),
            Found::Unfinished(start) => text.get(start..).unwrap_or("?"),
        });
        found.collect()
    }

    #[test]
    fn finds_values_between_anything() {
        assert_eq!(
            values(r#"[{"a":"}{\"]"}, {"b":[{}]},{}]"#),
            [r#"{"a":"}{\"]"}"#, r#"{"b":[{}]}"#, "{}"]
        );
        assert_eq!(
            values("{\n \"a\": 1\n}\n{\"b\":2}{}"),
            ["{\n \"a\": 1\n}", "{\"b\":2}", "{}"]
        );
        assert_eq!(
            values(r#"[1,"x,{",null{},2]"#),
            ["1", r#""x,{""#, "null", "{}", "2"]
        );
        assert_eq!(values("}{}"), ["}", "{}"]);
        assert_eq!(values(" \n[ ] "), [""; 0]);
    }

    #[test]
    fn a_lost_quote_costs_one_record() {
        let text = "[\n  {\n    \"a\": \"x,\n    \"b\": {\n      \"c\": 1\n    }\n  },\n  {\"d\": 1}\n]";
        let found = values(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found.last(), Some(&"{\"d\": 1}"));
    }

    #[test]
    fn what_does_not_end_is_told() {
        let bytes = br#"[{"a":1},{"b":"#;
        assert_eq!(Objects::new(bytes).last(), Some(Found::Unfinished(9)));
        let bytes = br#"{"a":"\"#;
        assert_eq!(Objects::new(bytes).last(), Some(Found::Unfinished(0)));
    }
}
