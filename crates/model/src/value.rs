//! Values of native record fields.

use std::borrow::Cow;
use std::fmt;

/// The first `limit` bytes of a text, cut between characters.
pub fn clip(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}

/// The value of one field of a record, borrowed from the reader's buffer wherever it can be.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// The field is present and empty (JSON `null`, an absent EVTX substitution).
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number; also whole numbers beyond `i64`.
    Float(f64),
    /// Text.
    Str(Cow<'a, str>),
    /// Several values under one name.
    List(Vec<Value<'a>>),
}

impl<'a> Value<'a> {
    /// Text that is borrowed.
    pub const fn text(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }

    /// The text of a [`Value::Str`].
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The same value, its texts borrowed from this one.
    pub fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(*flag),
            Self::Int(number) => Value::Int(*number),
            Self::Float(number) => Value::Float(*number),
            Self::Str(text) => Value::text(text),
            Self::List(values) => Value::List(values.iter().map(Value::borrowed).collect()),
        }
    }

    /// The whole number this value is or spells (decimal, or hexadecimal after `0x`).
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Str(text) => match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                Some(digits) => i64::from_str_radix(digits, 16).ok(),
                None => text.trim().parse().ok(),
            },
            _ => None,
        }
    }

    /// The value as text, `None` for null and lists.
    pub fn to_text(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::Null | Self::List(_) => None,
            Self::Bool(flag) => Some(Cow::Borrowed(if *flag { "true" } else { "false" })),
            Self::Int(number) => Some(Cow::Owned(number.to_string())),
            Self::Float(number) => Some(Cow::Owned(number.to_string())),
            Self::Str(text) => Some(Cow::Borrowed(text)),
        }
    }

    /// Calls `visit` with the text of this value, or of each value of a list.
    pub fn each_str(&self, visit: &mut dyn FnMut(&str)) {
        match self {
            Self::Str(text) => visit(text),
            Self::List(values) => values.iter().for_each(|value| value.each_str(visit)),
            _ => {}
        }
    }

    /// True for null and for text of no length or of a lone hyphen, Windows' way of saying "none".
    pub fn is_blank(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Str(text) => match text.as_bytes() {
                // Asked of every column of every record: most texts show it at once.
                [first, ..] if first.is_ascii_graphic() && *first != b'-' => false,
                _ => matches!(text.trim(), "" | "-"),
            },
            _ => false,
        }
    }

    /// Appends this value as JSON (RFC 8259) to `out`.
    pub fn write_json(&self, out: &mut String) {
        use fmt::Write as _;
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Int(number) => {
                let _ = write!(out, "{number}");
            }
            Self::Float(number) if number.is_finite() => {
                let _ = write!(out, "{number}");
            }
            Self::Float(_) => out.push_str("null"),
            Self::Str(text) => write_json_string(text, out),
            Self::List(values) => {
                out.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    value.write_json(out);
                }
                out.push(']');
            }
        }
    }
}

/// The value as a person reads it: text without quotes, lists joined with `, `.
impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    value.fmt(f)?;
                }
                Ok(())
            }
            single => f.write_str(&single.to_text().unwrap_or_default()),
        }
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Str(Cow::Borrowed(text))
    }
}

impl From<String> for Value<'_> {
    fn from(text: String) -> Self {
        Self::Str(Cow::Owned(text))
    }
}

impl<'a> From<Cow<'a, str>> for Value<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        Self::Str(text)
    }
}

/// Appends `text` as a JSON string. Runs that need no escape are copied whole.
pub(crate) fn write_json_string(text: &str, out: &mut String) {
    use fmt::Write as _;
    out.push('"');
    let mut copied = 0;
    for (index, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[copied..index]);
        copied = index + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            control => {
                let _ = write!(out, "\\u{control:04x}");
            }
        }
    }
    out.push_str(&text[copied..]);
    out.push('"');
}
