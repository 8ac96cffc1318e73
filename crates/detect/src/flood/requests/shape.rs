//! Paths, arguments and agents with what varies in them taken out, and back to patterns that match them.

/// The longest text that is kept of a value, in bytes.
const LONGEST: usize = 160;
/// How many parts of a path or of a query are looked at.
const MOST_PARTS: usize = 8;

/// What a piece of text is made of.
#[derive(Clone, Copy, PartialEq)]
enum Made {
    Nothing,
    Digits,
    Hex,
    Upper,
    Lower,
    Letters,
    Mixed,
    Other,
}

impl Made {
    fn of(text: &str) -> Self {
        let (mut digits, mut upper, mut lower, mut hex, mut other) = (false, false, false, true, false);
        for byte in text.bytes() {
            match byte {
                b'0'..=b'9' => digits = true,
                b'A'..=b'Z' => upper = true,
                b'a'..=b'z' => lower = true,
                b'-' | b'_' | b'.' => {}
                _ => other = true,
            }
            hex &= byte.is_ascii_hexdigit() || byte == b'-';
        }
        match (digits, upper, lower, other) {
            _ if text.is_empty() => Self::Nothing,
            (_, _, _, true) => Self::Other,
            (true, false, false, _) => Self::Digits,
            (true, ..) if hex && text.len() >= 8 => Self::Hex,
            (true, ..) => Self::Mixed,
            (false, true, false, _) => Self::Upper,
            (false, false, true, _) => Self::Lower,
            (false, true, true, _) => Self::Letters,
            (false, false, false, false) => Self::Other,
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Digits => "{digits}",
            Self::Hex => "{hex}",
            Self::Upper => "{UPPER}",
            Self::Lower => "{lower}",
            Self::Letters => "{letters}",
            Self::Mixed => "{mixed}",
            Self::Other => "{any}",
        }
    }
}

/// Each sign with the expression that matches what it stands for.
const SIGNS: [(&str, &str); 8] = [
    ("{digits}", "[-_.0-9]+"),
    ("{hex}", "[-0-9A-Fa-f]+"),
    ("{UPPER}", "[-_.A-Z]+"),
    ("{lower}", "[-_.a-z]+"),
    ("{letters}", "[-_.A-Za-z]+"),
    ("{mixed}", "[-_.0-9A-Za-z]+"),
    ("{any}", ".*"),
    ("{name}", "[^=&]+"),
];

/// A path whose numbers and identifiers are signs: `/news/{digits}`.
pub(super) fn path(path: &str, out: &mut String) {
    out.clear();
    let path = crate::clip(path, LONGEST);
    if !path.bytes().any(|byte| byte.is_ascii_digit()) {
        out.push_str(path);
        return;
    }
    for (index, part) in path.split('/').enumerate() {
        if index > 0 {
            out.push('/');
        }
        match Made::of(part) {
            made @ (Made::Digits | Made::Hex) => out.push_str(made.sign()),
            made @ Made::Mixed if part.len() >= 16 && !part.contains('.') => out.push_str(made.sign()),
            _ => out.push_str(part),
        }
    }
}

/// What a path is made of, without its words: `/{lower}/{mixed}.php`.
pub(super) fn path_shape(path: &str) -> String {
    let mut out = String::new();
    for (index, part) in path.split('/').take(MOST_PARTS).enumerate() {
        if index > 0 {
            out.push('/');
        }
        if part.starts_with('{') {
            out.push_str(part);
            continue;
        }
        let (stem, extension) = match part.rsplit_once('.') {
            Some((stem, extension)) if extension.len() <= 5 => (stem, Some(extension)),
            _ => (part, None),
        };
        out.push_str(Made::of(stem).sign());
        if let Some(extension) = extension {
            out.push('.');
            out.push_str(extension);
        }
    }
    out
}

/// Whether a path is of something that belongs to a page: a picture, a style sheet.
pub(super) fn is_asset(path: &str) -> bool {
    const ENDINGS: [&str; 16] = [
        "css", "js", "mjs", "png", "jpg", "jpeg", "gif", "ico", "svg", "webp", "avif", "woff", "woff2",
        "ttf", "map", "mp4",
    ];
    path.rsplit_once('.')
        .is_some_and(|(_, ending)| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// The names of a query's arguments and what their values are made of: `q={lower}&page={digits}`.
pub(super) fn arguments(query: &str, out: &mut String) {
    out.clear();
    for (index, part) in query.split('&').take(MOST_PARTS).enumerate() {
        if index > 0 {
            out.push('&');
        }
        let Some((name, value)) = part.split_once('=') else {
            out.push_str(Made::of(part).sign());
            continue;
        };
        match Made::of(name) {
            Made::Lower | Made::Upper | Made::Letters => out.push_str(crate::clip(name, 32)),
            Made::Mixed if name.len() < 12 => out.push_str(name),
            _ => out.push_str("{name}"),
        }
        out.push('=');
        // Words typed into a field are of any kind of letters.
        out.push_str(match Made::of(value) {
            Made::Upper | Made::Lower => Made::Letters.sign(),
            made => made.sign(),
        });
    }
}

/// The same without names: `{name}={letters}`.
pub(super) fn arguments_shape(arguments: &str) -> String {
    let mut out = String::new();
    for (index, part) in arguments.split('&').enumerate() {
        if index > 0 {
            out.push('&');
        }
        match part.split_once('=') {
            Some((_, value)) => {
                out.push_str("{name}=");
                out.push_str(value);
            }
            None => out.push_str(part),
        }
    }
    out
}

/// An agent without its versions: `Mozilla/# (Windows NT #; Win#; x#) …`.
pub(super) fn agent_family(agent: &str) -> String {
    let mut out = Vec::with_capacity(agent.len());
    for byte in agent.bytes() {
        let is_in_version = out.last() == Some(&b'#');
        match byte {
            b'0'..=b'9' if !is_in_version => out.push(b'#'),
            b'0'..=b'9' => {}
            b'.' if is_in_version => {}
            other => out.push(other),
        }
    }
    // What was left out is ASCII.
    String::from_utf8(out).unwrap_or_default()
}

/// A regular expression (PCRE) for all of a text that a value of `path`, `arguments` or `agent_family` stands for. `sign`
/// is written for `#`.
pub(super) fn expression(value: &str) -> String {
    let mut out = String::from("^");
    let mut rest = value;
    while let Some(first) = rest.chars().next() {
        if let Some((sign, pattern)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            out.push_str(pattern);
            rest = rest.get(sign.len()..).unwrap_or_default();
            continue;
        }
        match first {
            '#' => out.push_str("[0-9.]+"),
            // Quotes, blanks and variables mean something to those who read the expression.
            '"' | '\'' | '\\' | ' ' | '$' => out.push('.'),
            first if first.is_ascii_control() => out.push('.'),
            '.' | '+' | '*' | '?' | '(' | ')' | '[' | ']' | '{' | '}' | '^' | '|' => {
                out.push('\\');
                out.push(first);
            }
            first => out.push(first),
        }
        rest = rest.get(first.len_utf8()..).unwrap_or_default();
    }
    out.push('$');
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use regex::Regex;

    use super::*;

    #[test]
    fn what_varies_becomes_a_sign_and_the_expression_matches_it_again() {
        let mut out = String::new();
        for (given, expected) in [
            ("/news/2021", "/news/{digits}"),
            ("/api/v2/item/0f8fad5b-d9cb-469f", "/api/v2/item/{hex}"),
            ("/about", "/about"),
            ("/", "/"),
        ] {
            path(given, &mut out);
            assert_eq!(out, expected);
            assert!(Regex::new(&expression(&out)).unwrap().is_match(given), "{given}");
        }
        for (given, expected, shape) in [
            (
                "q=votes&page=12",
                "q={letters}&page={digits}",
                "{name}={letters}&{name}={digits}",
            ),
            ("123456", "{digits}", "{digits}"),
            ("", "", ""),
            ("a%5B%5D=1+2", "{name}={any}", "{name}={any}"),
        ] {
            arguments(given, &mut out);
            assert_eq!(out, expected);
            assert_eq!(arguments_shape(&out), shape);
            assert!(Regex::new(&expression(&out)).unwrap().is_match(given), "{given}");
            assert!(Regex::new(&expression(shape)).unwrap().is_match(given), "{given}");
        }
        assert_eq!(path_shape("/QWERTY/index.php"), "/{UPPER}/{lower}.php");
        assert_eq!(agent_family("curl/8..1x 1.é2 F#5 #.x"), "curl/#x #é# F# #x");
        let agent = "Mozilla/5.0 (X11) Firefox/118.0";
        assert_eq!(agent_family(agent), "Mozilla/# (X#) Firefox/#");
        assert!(
            Regex::new(&expression(&agent_family(agent)))
                .unwrap()
                .is_match(agent)
        );
        assert!(Regex::new(&expression("a\"b$c\\ {any")).is_ok());
    }
}
