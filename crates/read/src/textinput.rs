//! Text as it comes: byte-order marks taken off, UTF-16 turned into UTF-8, places kept true.

use std::io::{BufRead, ErrorKind};

use crate::ReadError;

/// How text was encoded in the evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// UTF-8, or bytes that nobody promised to be so.
    #[default]
    Utf8,
    /// UTF-16 with the low byte first (byte-order mark `FF FE`), as PowerShell writes it.
    Utf16Le,
    /// UTF-16 with the high byte first (byte-order mark `FE FF`).
    Utf16Be,
}

impl Encoding {
    /// The encoding that a byte-order mark at the start of `head` names, and the mark's length.
    pub(crate) fn of(head: &[u8]) -> (Self, usize) {
        match head {
            [0xEF, 0xBB, 0xBF, ..] => (Self::Utf8, 3),
            [0xFF, 0xFE, ..] => (Self::Utf16Le, 2),
            [0xFE, 0xFF, ..] => (Self::Utf16Be, 2),
            _ => (Self::Utf8, 0),
        }
    }

    /// How many bytes of the evidence became these bytes of UTF-8.
    ///
    /// An unpaired surrogate is two bytes there and becomes U+FFFD, which counts as two as well.
    pub(crate) fn source_len(self, utf8: &[u8]) -> u64 {
        let units: usize = match self {
            Self::Utf8 => utf8.len(),
            // Every character is one UTF-16 unit, or two where UTF-8 needs four bytes.
            Self::Utf16Le | Self::Utf16Be => {
                let characters = utf8.iter().filter(|byte| **byte & 0xC0 != 0x80).count();
                let pairs = utf8.iter().filter(|byte| **byte >= 0xF0).count();
                2 * (characters + pairs)
            }
        };
        units as u64
    }

    /// One byte that stands for this encoding in a block's context.
    pub(crate) const fn tag(self) -> u8 {
        match self {
            Self::Utf8 => b'8',
            Self::Utf16Le => b'<',
            Self::Utf16Be => b'>',
        }
    }

    /// The encoding that `tag` stands for.
    pub(crate) const fn from_tag(tag: u8) -> Self {
        match tag {
            b'<' => Self::Utf16Le,
            b'>' => Self::Utf16Be,
            _ => Self::Utf8,
        }
    }
}

/// The start of some content as UTF-8, without its byte-order mark.
pub(crate) fn decode_head(head: &[u8]) -> Vec<u8> {
    let (encoding, mark) = Encoding::of(head);
    let mut decoder = Decoder::new(encoding);
    let mut text = Vec::with_capacity(head.len());
    decoder.decode(head.get(mark..).unwrap_or_default(), &mut text);
    text
}

/// Reads text in large pieces, as UTF-8.
pub(crate) struct TextInput<'r> {
    input: &'r mut dyn BufRead,
    /// Bytes that were read to find the byte-order mark and are not part of it.
    ahead: Vec<u8>,
    decoder: Decoder,
    /// Bytes of evidence before the first character.
    mark: usize,
    taken: u64,
    ended: bool,
}

impl<'r> TextInput<'r> {
    /// Looks at the first bytes of `input` for a byte-order mark.
    pub(crate) fn open(input: &'r mut dyn BufRead) -> Result<Self, ReadError> {
        let mut text = Self {
            input,
            ahead: Vec::new(),
            decoder: Decoder::new(Encoding::Utf8),
            mark: 0,
            taken: 0,
            ended: false,
        };
        let mut first = Vec::new();
        while first.len() < 3 && !text.ended {
            text.take(3, &mut first)?;
        }
        let (encoding, mark) = Encoding::of(&first);
        text.decoder = Decoder::new(encoding);
        text.mark = mark;
        text.ahead = first.split_off(mark);
        Ok(text)
    }

    /// How the text is encoded in the evidence.
    pub(crate) const fn encoding(&self) -> Encoding {
        self.decoder.encoding
    }

    /// Length of the byte-order mark: where in the evidence the text begins.
    pub(crate) const fn start(&self) -> u64 {
        self.mark as u64
    }

    /// Appends text to `buffer` until it holds at least `wanted` bytes or the input has ended.
    /// False once there is no more.
    pub(crate) fn fill(&mut self, buffer: &mut Vec<u8>, wanted: usize) -> Result<bool, ReadError> {
        if buffer.len() < wanted {
            buffer.reserve(wanted - buffer.len());
            self.decoder.decode(&self.ahead, buffer);
            self.ahead.clear();
        }
        let mut piece = Vec::new();
        while buffer.len() < wanted && !self.ended {
            let room = wanted - buffer.len();
            if self.decoder.encoding == Encoding::Utf8 {
                self.take(room, buffer)?;
                continue;
            }
            piece.clear();
            self.take(room, &mut piece)?;
            self.decoder.decode(&piece, buffer);
            if self.ended {
                self.decoder.finish(buffer);
            }
        }
        Ok(!self.ended)
    }

    fn take(&mut self, at_most: usize, into: &mut Vec<u8>) -> Result<(), ReadError> {
        let available = loop {
            match self.input.fill_buf() {
                Ok(available) => break available,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(ReadError::Io {
                        offset: self.taken,
                        source,
                    });
                }
            }
        };
        let length = available.len().min(at_most);
        into.extend_from_slice(&available[..length]);
        self.ended = length == 0;
        self.taken += length as u64;
        self.input.consume(length);
        Ok(())
    }
}

/// Turns UTF-16 into UTF-8 piece by piece. What is cut by the end of a piece waits for the next.
struct Decoder {
    encoding: Encoding,
    odd_byte: Option<u8>,
    high_surrogate: Option<u16>,
}

impl Decoder {
    const fn new(encoding: Encoding) -> Self {
        Self {
            encoding,
            odd_byte: None,
            high_surrogate: None,
        }
    }

    fn decode(&mut self, bytes: &[u8], into: &mut Vec<u8>) {
        if self.encoding == Encoding::Utf8 {
            into.extend_from_slice(bytes);
            return;
        }
        for byte in bytes {
            let Some(first) = self.odd_byte.take() else {
                self.odd_byte = Some(*byte);
                continue;
            };
            let unit = match self.encoding {
                Encoding::Utf16Be => u16::from_be_bytes([first, *byte]),
                _ => u16::from_le_bytes([first, *byte]),
            };
            self.unit(unit, into);
        }
    }

    fn unit(&mut self, unit: u16, into: &mut Vec<u8>) {
        let pending = self.high_surrogate.take();
        if matches!(unit, 0xDC00..=0xDFFF)
            && let Some(high) = pending
        {
            char::decode_utf16([high, unit])
                .map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER))
                .for_each(|character| push_char(character, into));
            return;
        }
        if pending.is_some() {
            push_char(char::REPLACEMENT_CHARACTER, into);
        }
        if matches!(unit, 0xD800..=0xDBFF) {
            self.high_surrogate = Some(unit);
            return;
        }
        let character = char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER);
        push_char(character, into);
    }

    fn finish(&mut self, into: &mut Vec<u8>) {
        let cut_surrogate = self.high_surrogate.take().is_some();
        let cut_unit = self.odd_byte.take().is_some();
        if cut_surrogate || cut_unit {
            push_char(char::REPLACEMENT_CHARACTER, into);
        }
    }
}

fn push_char(character: char, into: &mut Vec<u8>) {
    into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::io::BufReader;

    fn utf16le(text: &str) -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xFF, 0xFE].into_iter().chain(units).collect()
    }

    #[test]
    fn utf16_is_read_through_the_smallest_buffers() {
        let evidence = utf16le("aé漢🏛 end");
        let mut reader = BufReader::with_capacity(1, evidence.as_slice());
        let mut input = TextInput::open(&mut reader).unwrap();
        let mut text = Vec::new();
        while input.fill(&mut text, 1_000).unwrap() {}
        assert_eq!(String::from_utf8(text.clone()).unwrap(), "aé漢🏛 end");
        let counted = input.start() + input.encoding().source_len(&text);
        assert_eq!(counted, evidence.len() as u64);
    }

    #[test]
    fn unpaired_surrogates_become_replacement_characters() {
        let bytes = [0xFE, 0xFF, 0xD8, 0x00, 0x00, b'x', 0xDC, 0x00, 0xD8];
        let mut reader = bytes.as_slice();
        let mut input = TextInput::open(&mut reader).unwrap();
        let mut text = Vec::new();
        while input.fill(&mut text, 1_000).unwrap() {}
        assert_eq!(String::from_utf8(text).unwrap(), "\u{FFFD}x\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn a_utf8_mark_is_not_part_of_the_text() {
        for (bytes, expected) in [(&b"\xEF\xBB\xBF{}"[..], &b"{}"[..]), (b"{}", b"{}"), (b"", b"")] {
            assert_eq!(decode_head(bytes), expected);
            let mut reader = bytes;
            let mut input = TextInput::open(&mut reader).unwrap();
            let mut text = Vec::new();
            while input.fill(&mut text, 1_000).unwrap() {}
            assert_eq!(text, expected);
            assert_eq!(input.start() as usize, bytes.len() - expected.len());
        }
    }
}
