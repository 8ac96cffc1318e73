//! Character references in attribute values.

use std::borrow::Cow;

/// Named references that stand in URLs and style sheets; the others are letters and signs without a meaning there.
const NAMED: [(&str, char); 31] = [
    ("amp", '&'),
    ("AMP", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos", '\''),
    ("nbsp", '\u{a0}'),
    ("colon", ':'),
    ("semi", ';'),
    ("sol", '/'),
    ("bsol", '\\'),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("lpar", '('),
    ("rpar", ')'),
    ("period", '.'),
    ("comma", ','),
    ("commat", '@'),
    ("num", '#'),
    ("quest", '?'),
    ("equals", '='),
    ("percnt", '%'),
    ("lowbar", '_'),
    ("dollar", '$'),
    ("excl", '!'),
    ("plus", '+'),
    ("ast", '*'),
    ("lbrace", '{'),
    ("rbrace", '}'),
    ("lcub", '{'),
    ("rcub", '}'),
];

/// `value` with its references resolved.
pub(super) fn decode(value: &str) -> Cow<'_, str> {
    if !value.contains('&') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        match reference(after) {
            Some((character, length)) => {
                out.push(character);
                rest = after.get(length..).unwrap_or_default();
            }
            None => {
                out.push('&');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// `text` for an attribute in double quotes, or between elements.
pub(super) fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\0' => {}
            other => out.push(other),
        }
    }
    out
}

/// The character that the reference behind an ampersand stands for, and the reference's length.
fn reference(after: &str) -> Option<(char, usize)> {
    let Some(number) = after.strip_prefix('#') else {
        let end = after
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(after.len());
        let (_, character) = NAMED.iter().find(|(name, _)| after.get(..end) == Some(name))?;
        return Some((*character, end + usize::from(after.get(end..)?.starts_with(';'))));
    };
    let (digits, radix, mark) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (digits, 16, 2),
        None => (number, 10, 1),
    };
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let written = digits.get(..end).filter(|written| !written.is_empty())?;
    let number = u32::from_str_radix(written, radix).unwrap_or(u32::MAX);
    let character = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
    Some((
        character,
        mark + end + usize::from(digits.get(end..)?.starts_with(';')),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_as_a_browser_does() {
        assert_eq!(
            decode("u&#114;l&#x28;x&rpar; &amp;copy &unknown; &"),
            "url(x) &copy &unknown; &"
        );
        assert_eq!(decode("&#0000000000000000000058;"), ":");
        assert_eq!(decode("&#99999999999;"), "\u{fffd}");
        assert_eq!(encode("a<b>\"&"), "a&lt;b&gt;&quot;&amp;");
    }
}
