//! The values of binary XML (MS-EVEN6 2.2.18) as text and numbers, written as Windows writes them.

use blackrod_model::Value;
use bumpalo::Bump;
use jiff::tz::Offset;

use super::bytes::Fault;

/// The types of values, as they stand in a record.
pub(super) mod kind {
    pub(crate) const NULL: u8 = 0x00;
    pub(crate) const STRING: u8 = 0x01;
    pub(crate) const ANSI_STRING: u8 = 0x02;
    pub(crate) const INT8: u8 = 0x03;
    pub(crate) const UINT8: u8 = 0x04;
    pub(crate) const INT16: u8 = 0x05;
    pub(crate) const UINT16: u8 = 0x06;
    pub(crate) const INT32: u8 = 0x07;
    pub(crate) const UINT32: u8 = 0x08;
    pub(crate) const INT64: u8 = 0x09;
    pub(crate) const UINT64: u8 = 0x0a;
    pub(crate) const REAL32: u8 = 0x0b;
    pub(crate) const REAL64: u8 = 0x0c;
    pub(crate) const BOOL: u8 = 0x0d;
    pub(crate) const BINARY: u8 = 0x0e;
    pub(crate) const GUID: u8 = 0x0f;
    pub(crate) const SIZE: u8 = 0x10;
    pub(crate) const FILETIME: u8 = 0x11;
    pub(crate) const SYSTEMTIME: u8 = 0x12;
    pub(crate) const SID: u8 = 0x13;
    pub(crate) const HEX32: u8 = 0x14;
    pub(crate) const HEX64: u8 = 0x15;
    pub(crate) const BINXML: u8 = 0x21;
    /// Set for arrays of the type in the other bits.
    pub(crate) const ARRAY: u8 = 0x80;
}

/// The value of type `ty` that `bytes` hold, with its text, if it needs one, in `memory`.
pub(super) fn read<'r>(ty: u8, bytes: &[u8], memory: &'r Bump) -> Result<Value<'r>, Fault> {
    Ok(match ty {
        kind::NULL => Value::Null,
        kind::STRING => Value::text(utf16(bytes, memory)?),
        kind::ANSI_STRING => Value::text(ansi(bytes, memory)?),
        kind::INT8 => Value::Int(i8::from_le_bytes(sized(bytes)?).into()),
        kind::UINT8 => Value::Int(u8::from_le_bytes(sized(bytes)?).into()),
        kind::INT16 => Value::Int(i16::from_le_bytes(sized(bytes)?).into()),
        kind::UINT16 => Value::Int(u16::from_le_bytes(sized(bytes)?).into()),
        kind::INT32 => Value::Int(i32::from_le_bytes(sized(bytes)?).into()),
        kind::UINT32 => Value::Int(u32::from_le_bytes(sized(bytes)?).into()),
        kind::INT64 => Value::Int(i64::from_le_bytes(sized(bytes)?)),
        kind::UINT64 => {
            let number = u64::from_le_bytes(sized(bytes)?);
            i64::try_from(number).map_or(Value::Float(number as f64), Value::Int)
        }
        kind::REAL32 => Value::Float(f32::from_le_bytes(sized(bytes)?).into()),
        kind::REAL64 => Value::Float(f64::from_le_bytes(sized(bytes)?)),
        // Some providers put bit masks here; any but 0 and 1 stays the number it is.
        kind::BOOL => match i32::from_le_bytes(sized(bytes)?) {
            0 => Value::Bool(false),
            1 => Value::Bool(true),
            other => Value::Int(other.into()),
        },
        kind::BINARY => Value::text(hexadecimal(bytes, memory)?),
        kind::GUID => Value::text(guid(&sized(bytes)?, memory)?),
        kind::SIZE if bytes.len() == 4 => hex_number(u32::from_le_bytes(sized(bytes)?).into(), memory)?,
        kind::HEX32 => hex_number(u32::from_le_bytes(sized(bytes)?).into(), memory)?,
        kind::SIZE | kind::HEX64 => hex_number(u64::from_le_bytes(sized(bytes)?), memory)?,
        kind::FILETIME => Value::text(filetime(u64::from_le_bytes(sized(bytes)?), memory)?),
        kind::SYSTEMTIME => Value::text(systemtime(&sized(bytes)?, memory)?),
        kind::SID => Value::text(sid(bytes, memory)?),
        _ => return Err(Fault::Unusual("a value of a type that is not known")),
    })
}

/// An unsigned number of up to four bytes.
pub(super) fn small_number(ty: u8, bytes: &[u8]) -> Result<i64, Fault> {
    Ok(match (ty, bytes) {
        (kind::UINT8, &[a]) => a.into(),
        (kind::UINT16, &[a, b]) => u16::from_le_bytes([a, b]).into(),
        (kind::UINT32, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]).into(),
        _ => return Err(Fault::Unusual("a value of the wrong length")),
    })
}

/// The items of the array of type `ty` that `bytes` hold.
pub(super) fn read_array<'r>(ty: u8, bytes: &[u8], memory: &'r Bump) -> Result<Vec<Value<'r>>, Fault> {
    let item = ty & !kind::ARRAY;
    let width = match item {
        kind::STRING => return utf16_array(bytes, memory),
        kind::INT8 | kind::UINT8 => 1,
        kind::INT16 | kind::UINT16 => 2,
        kind::INT32 | kind::UINT32 | kind::HEX32 => 4,
        kind::INT64 | kind::UINT64 | kind::HEX64 | kind::FILETIME => 8,
        kind::GUID => 16,
        _ => return Err(Fault::Unusual("an array of a type that is rare")),
    };
    let items = bytes.chunks_exact(width);
    if !items.remainder().is_empty() {
        return Err(Fault::Unusual("an array with half an item"));
    }
    items.map(|bytes| read(item, bytes, memory)).collect()
}

/// Strings, each ended by a NUL. Without the last NUL the record is left to the other reader.
fn utf16_array<'r>(bytes: &[u8], memory: &'r Bump) -> Result<Vec<Value<'r>>, Fault> {
    let (units, odd) = bytes.as_chunks::<2>();
    let Some(units) = units.strip_suffix(&[[0, 0]]) else {
        return match bytes {
            [] => Ok(Vec::new()),
            _ => Err(Fault::Unusual("an array of strings without its end")),
        };
    };
    if !odd.is_empty() {
        return Err(Fault::Unusual("half a UTF-16 code unit"));
    }
    units
        .split(|unit| *unit == [0, 0])
        .map(|item| utf16(item.as_flattened(), memory).map(Value::text))
        .collect()
}

/// UTF-16LE up to the first NUL. What is no valid UTF-16 becomes U+FFFD.
pub(super) fn utf16<'r>(bytes: &[u8], memory: &'r Bump) -> Result<&'r str, Fault> {
    let (units, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Fault::Unusual("half a UTF-16 code unit"));
    }
    let ascii = memory.alloc_slice_fill_copy(units.len(), 0_u8);
    let mut seen = Seen::default();
    narrow(bytes, ascii, &mut seen);
    if seen.is_ascii() {
        let end = if seen.has_nul() {
            memchr::memchr(0, ascii)
        } else {
            None
        };
        return str_of(&ascii[..end.unwrap_or(ascii.len())]);
    }
    let units = units
        .iter()
        .map(|unit| u16::from_le_bytes(*unit))
        .take_while(|unit| *unit != 0);
    let text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Ok(memory.alloc_str(&text))
}

/// What narrowed text holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    all_bits: u16,
    has_nul: bool,
}

impl Seen {
    pub(super) fn is_ascii(self) -> bool {
        self.all_bits < 0x80
    }

    pub(super) fn has_nul(self) -> bool {
        self.has_nul
    }
}

/// Writes the low byte of each UTF-16LE code unit of `bytes` to `narrowed`: the text itself, if it
/// is ASCII, which `seen` says afterwards.
pub(super) fn narrow(bytes: &[u8], narrowed: &mut [u8], seen: &mut Seen) {
    let Seen {
        mut all_bits,
        mut has_nul,
    } = *seen;
    for (byte, unit) in narrowed.iter_mut().zip(bytes.as_chunks::<2>().0) {
        let unit = u16::from_le_bytes(*unit);
        all_bits |= unit;
        has_nul |= unit == 0;
        *byte = unit as u8;
    }
    *seen = Seen { all_bits, has_nul };
}

/// Text of the system's old code page. Only what all of them agree on is read here.
fn ansi<'r>(bytes: &[u8], memory: &'r Bump) -> Result<&'r str, Fault> {
    if !bytes.is_ascii() {
        return Err(Fault::Unusual("text in an old code page"));
    }
    let kept: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    str_of(memory.alloc_slice_copy(&kept))
}

fn hexadecimal<'r>(bytes: &[u8], memory: &'r Bump) -> Result<&'r str, Fault> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digits = memory.alloc_slice_fill_copy(bytes.len() * 2, 0_u8);
    for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]];
    }
    str_of(digits)
}

fn hex_number<'r>(mut number: u64, memory: &'r Bump) -> Result<Value<'r>, Fault> {
    let mut text = [b'0'; 18];
    let mut start = text.len();
    while number != 0 || start == text.len() {
        start -= 1;
        text[start] = LOWER[(number & 15) as usize];
        number >>= 4;
    }
    start -= 2;
    text[start + 1] = b'x';
    Ok(Value::text(str_of(memory.alloc_slice_copy(&text[start..]))?))
}

const LOWER: &[u8; 16] = b"0123456789abcdef";

/// `{54849625-5478-4994-a5ba-3e3b0328c30d}`.
fn guid<'r>(bytes: &[u8; 16], memory: &'r Bump) -> Result<&'r str, Fault> {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    const PLACE: [usize; 16] = [1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35];
    let text = memory.alloc_slice_copy(b"{00000000-0000-0000-0000-000000000000}");
    for (from, to) in ORDER.into_iter().zip(PLACE) {
        text[to] = LOWER[usize::from(bytes[from] >> 4)];
        text[to + 1] = LOWER[usize::from(bytes[from] & 15)];
    }
    str_of(text)
}

/// `S-1-5-21-…` (MS-DTYP 2.4.2.1).
fn sid<'r>(bytes: &[u8], memory: &'r Bump) -> Result<&'r str, Fault> {
    let [revision, count, a, b, c, d, e, f, subs @ ..] = bytes else {
        return Err(Fault::Unusual("half a SID"));
    };
    if subs.len() != usize::from(*count) * 4 {
        return Err(Fault::Unusual("a SID of the wrong length"));
    }
    let authority = u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]);
    let mut text = Digits::new();
    text.push(b"S-");
    text.number((*revision).into());
    text.push(b"-");
    text.number(authority);
    // Windows knows SIDs of up to 15 parts; a longer one is left to the other reader.
    if *count > 15 {
        return Err(Fault::Unusual("a SID of too many parts"));
    }
    for sub in subs.as_chunks::<4>().0 {
        text.push(b"-");
        text.number(u32::from_le_bytes(*sub).into());
    }
    str_of(memory.alloc_slice_copy(text.as_bytes()))
}

/// A short text on the stack: enough for a SID of 15 parts.
struct Digits {
    bytes: [u8; 224],
    len: usize,
}

impl Digits {
    fn new() -> Self {
        Self {
            bytes: [0; 224],
            len: 0,
        }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, text: &[u8]) {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + text.len()) {
            room.copy_from_slice(text);
            self.len += text.len();
        }
    }

    fn number(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut start = digits.len();
        while number != 0 || start == digits.len() {
            start -= 1;
            digits[start] = b'0' + (number % 10) as u8;
            number /= 10;
        }
        self.push(&digits[start..]);
    }
}

const TICKS_PER_SECOND: u64 = 10_000_000;
/// From 1601-01-01 to 1970-01-01.
const SECONDS_TO_1970: i64 = 11_644_473_600;

/// `2021-01-22T09:30:00.1234567Z` from 100 ns ticks since 1601 (MS-DTYP 2.3.3).
fn filetime(ticks: u64, memory: &Bump) -> Result<&str, Fault> {
    if ticks > i64::MAX as u64 {
        return Err(Fault::Unusual("a time beyond all calendars"));
    }
    let seconds = ticks / TICKS_PER_SECOND;
    let instant = i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds - SECONDS_TO_1970).ok())
        .ok_or(Fault::Unusual("a year of five digits"))?;
    let date = Offset::UTC.to_datetime(instant).date();
    let date =
        [date.year(), date.month().into(), date.day().into()].map(|part| u64::from(part.unsigned_abs()));
    let second_of_day = seconds % 86_400;
    let clock = [second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60];
    time_text(date, clock, ticks % TICKS_PER_SECOND, memory)
}

/// From a SYSTEMTIME: eight 16-bit numbers (MS-DTYP 2.3.13).
fn systemtime<'r>(bytes: &[u8; 16], memory: &'r Bump) -> Result<&'r str, Fault> {
    let mut parts = [0_u64; 8];
    for (part, pair) in parts.iter_mut().zip(bytes.as_chunks::<2>().0) {
        *part = u16::from_le_bytes(*pair).into();
    }
    let [year, month, _weekday, day, hour, minute, second, millisecond] = parts;
    let plausible = (1601..=9_999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=28).contains(&day)
        && hour < 24
        && minute < 60
        && second < 60
        && millisecond < 1_000;
    // The days at the end of a month need a calendar; they are rare enough for the other reader.
    if !plausible {
        return Err(Fault::Unusual("a date that needs a calendar"));
    }
    time_text(
        [year, month, day],
        [hour, minute, second],
        millisecond * 10_000,
        memory,
    )
}

fn time_text(date: [u64; 3], clock: [u64; 3], ticks: u64, memory: &Bump) -> Result<&str, Fault> {
    let text = memory.alloc_slice_copy(b"0000-00-00T00:00:00.0000000Z");
    let parts = [
        (0..4, date[0]),
        (5..7, date[1]),
        (8..10, date[2]),
        (11..13, clock[0]),
        (14..16, clock[1]),
        (17..19, clock[2]),
        (20..27, ticks),
    ];
    for (place, mut number) in parts {
        for digit in text[place].iter_mut().rev() {
            *digit = b'0' + (number % 10) as u8;
            number /= 10;
        }
    }
    str_of(text)
}

fn sized<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Fault> {
    bytes
        .try_into()
        .map_err(|_| Fault::Unusual("a value of the wrong length"))
}

pub(super) fn str_of(bytes: &[u8]) -> Result<&str, Fault> {
    str::from_utf8(bytes).map_err(|_| Fault::Unusual("text that is no text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(ty: u8, bytes: &[u8]) -> String {
        let memory = Bump::new();
        read(ty, bytes, &memory).map_or_else(|fault| fault.to_string(), |value| value.to_string())
    }

    #[test]
    fn values_are_written_as_windows_writes_them() {
        let guid = [
            0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49, 0xa5, 0xba, 0x3e, 0x3b, 3, 0x28, 0xc3, 0x0d,
        ];
        assert_eq!(text(kind::GUID, &guid), "{54849625-5478-4994-a5ba-3e3b0328c30d}");
        let sid = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        assert_eq!(text(kind::SID, &sid), "S-1-5-32-544");
        assert_eq!(
            text(kind::HEX64, &0x8020_0000_0000_0000_u64.to_le_bytes()),
            "0x8020000000000000"
        );
        assert_eq!(text(kind::HEX32, &[0; 4]), "0x0");
        assert_eq!(text(kind::BINARY, &[0, 0xab, 0x1f]), "00AB1F");
        assert_eq!(text(kind::BOOL, &[2, 0, 0, 0]), "2");
        assert_eq!(
            text(kind::FILETIME, &132_557_814_001_234_567_u64.to_le_bytes()),
            "2021-01-22T09:30:00.1234567Z"
        );
        assert_eq!(
            text(kind::FILETIME, &0_u64.to_le_bytes()),
            "1601-01-01T00:00:00.0000000Z"
        );
    }

    #[test]
    fn text_ends_at_nul_and_survives_bad_surrogates() {
        let encode = |units: &[u16]| {
            units
                .iter()
                .flat_map(|unit| unit.to_le_bytes())
                .collect::<Vec<_>>()
        };
        assert_eq!(text(kind::STRING, &encode(&[97, 98, 0, 99])), "ab");
        assert_eq!(text(kind::STRING, &encode(&[0xe9, 0xd83d, 0xde00, 0, 99])), "é😀");
        assert_eq!(text(kind::STRING, &encode(&[97, 0xd83d])), "a\u{fffd}");
        let memory = Bump::new();
        let items = read_array(kind::STRING | kind::ARRAY, &encode(&[97, 0, 0, 98, 0]), &memory);
        assert_eq!(items, Ok(vec!["a".into(), "".into(), "b".into()]));
    }

    #[test]
    fn values_of_the_wrong_length_are_faults() {
        for ty in [
            kind::UINT16,
            kind::GUID,
            kind::SID,
            kind::FILETIME,
            kind::SIZE,
            kind::SYSTEMTIME,
        ] {
            let memory = Bump::new();
            assert!(read(ty, &[1, 2, 3], &memory).is_err(), "{ty:#x}");
        }
    }
}
