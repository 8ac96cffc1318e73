//! Style sheets and style attributes (CSS Syntax 3) without what they load.
//!
//! The text is copied token by token; what loads is replaced by `none`, so that no brace, quote or semicolon moves. Who cannot be
//! cleaned with certainty is emptied.

use std::borrow::Cow;

/// Functions that load, or that old clients run as code.
const LOADING: [&str; 10] = [
    "image-set",
    "-webkit-image-set",
    "image",
    "cross-fade",
    "-webkit-cross-fade",
    "src",
    "paint",
    "expression",
    "alphaimageloader",
    "-moz-image-rect",
];
/// What `@import` becomes: a rule that nobody knows, and so ignores.
const NO_IMPORT: &str = "@not-imported";

/// `css` without what it loads; `None` where it loads nothing. Tells `found` what was found in what.
pub(super) fn clean(css: &str, found: &mut dyn FnMut(&'static str, &str)) -> Option<String> {
    let cleaned = pass(css, found)?;
    let is_stable = pass(&cleaned, &mut |_, _| {}).is_none();
    Some(if is_stable { cleaned } else { String::new() })
}

fn pass(css: &str, found: &mut dyn FnMut(&'static str, &str)) -> Option<String> {
    // Every way to load needs a function, an at-rule, or a filter in a string.
    memchr::memchr3(b'(', b'@', b'\\', css.as_bytes())?;
    let mut scanner = Scanner {
        css,
        at: 0,
        copied: 0,
        out: String::new(),
        imports: false,
    };
    scanner.run(found);
    if scanner.copied == 0 && scanner.out.is_empty() {
        return None;
    }
    scanner
        .out
        .push_str(css.get(scanner.copied..).unwrap_or_default());
    Some(scanner.out)
}

struct Scanner<'c> {
    css: &'c str,
    at: usize,
    /// Up to here the text is in `out`.
    copied: usize,
    out: String,
    /// Within `@import`, whose strings are URLs.
    imports: bool,
}

impl Scanner<'_> {
    fn run(&mut self, found: &mut dyn FnMut(&'static str, &str)) {
        while let Some(byte) = self.peek() {
            let start = self.at;
            match byte {
                b'/' if self.css.as_bytes().get(self.at + 1) == Some(&b'*') => self.comment(),
                b'"' | b'\'' => {
                    let text = self.string();
                    if self.imports && !text.is_empty() {
                        found("css import", &text);
                        self.replace(start, "\"\"");
                    } else if text.to_ascii_lowercase().contains("progid:") {
                        found("css filter", &text);
                        self.replace(start, "\"\"");
                    }
                }
                b'@' => {
                    self.at += 1;
                    if self.word().eq_ignore_ascii_case("import") {
                        self.imports = true;
                        found("css import", "");
                        self.replace(start, NO_IMPORT);
                    }
                }
                b';' | b'{' | b'}' => {
                    self.imports = false;
                    self.at += 1;
                }
                byte if starts_word(byte) => self.word_or_function(found),
                _ => self.at += 1,
            }
        }
    }

    fn word_or_function(&mut self, found: &mut dyn FnMut(&'static str, &str)) {
        let start = self.at;
        let word = self.word().to_ascii_lowercase();
        if self.peek() != Some(b'(') {
            return;
        }
        self.at += 1;
        if word == "url" {
            let url = self.url();
            if !is_local(&url) {
                found(if self.imports { "css import" } else { "css url" }, &url);
                self.replace(start, "none");
            }
        } else if LOADING.contains(&word.as_str()) {
            let arguments = self.at;
            self.balanced();
            let inside = self.css.get(arguments..self.at).unwrap_or_default().to_owned();
            found("css function", &inside);
            self.replace(start, "none");
        }
    }

    /// Puts `text` where everything since `start` was.
    fn replace(&mut self, start: usize, text: &str) {
        self.out
            .push_str(self.css.get(self.copied..start).unwrap_or_default());
        self.out.push_str(text);
        self.copied = self.at.min(self.css.len());
    }

    /// The rest of `url(…)`, its closing parenthesis included.
    fn url(&mut self) -> String {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        if let Some(b'"' | b'\'') = self.peek() {
            let url = self.string();
            self.balanced();
            return url;
        }
        let url = self.until(|byte| byte == b')').into_owned();
        self.at += 1;
        url
    }

    /// Goes behind the parenthesis that closes the one that is open.
    fn balanced(&mut self) {
        let mut open = 1;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' | b'\'' => {
                    self.string();
                    continue;
                }
                b'/' if self.css.as_bytes().get(self.at + 1) == Some(&b'*') => {
                    self.comment();
                    continue;
                }
                b'\\' => self.at += 1,
                b'(' => open += 1,
                b')' => open -= 1,
                _ => {}
            }
            self.at += 1;
            if open == 0 {
                return;
            }
        }
    }

    fn peek(&self) -> Option<u8> {
        self.css.as_bytes().get(self.at).copied()
    }

    fn comment(&mut self) {
        let rest = self.css.as_bytes().get(self.at + 2..).unwrap_or_default();
        self.at = match memchr::memmem::find(rest, b"*/") {
            Some(end) => self.at + end + 4,
            None => self.css.len(),
        };
    }

    /// A string, without its quotes.
    fn string(&mut self) -> String {
        let quote = self.peek().unwrap_or(b'"');
        self.at += 1;
        let text = self.until(|byte| byte == quote || byte == b'\n').into_owned();
        self.at += 1;
        text
    }

    fn word(&mut self) -> String {
        self.until(|byte| !(starts_word(byte) || byte.is_ascii_digit()))
            .into_owned()
    }

    /// What stands before the first byte that `ends`, escapes (CSS Syntax 4.3.7) resolved.
    fn until(&mut self, ends: impl Fn(u8) -> bool) -> Cow<'static, str> {
        let mut text = Vec::new();
        while let Some(byte) = self.peek() {
            if byte == b'\\' {
                self.at += 1;
                self.escape(&mut text);
                continue;
            }
            if ends(byte) {
                break;
            }
            text.push(byte);
            self.at += 1;
        }
        Cow::Owned(String::from_utf8_lossy(&text).into_owned())
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let rest = self.css.as_bytes().get(self.at..).unwrap_or_default();
        let digits = rest
            .iter()
            .take(6)
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        if digits == 0 {
            if let Some(byte) = self.peek().filter(|byte| *byte != b'\n') {
                text.push(byte);
            }
            self.at += 1;
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
            self.at += 1;
        }
    }
}

fn starts_word(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'\\') || byte >= 0x80
}

/// Nothing leaves for it: a picture in the text or in the message, or a place in the same document.
pub(super) fn is_local(url: &str) -> bool {
    const PICTURES: [&str; 8] = [
        "png",
        "gif",
        "jpeg",
        "jpg",
        "webp",
        "bmp",
        "x-icon",
        "vnd.microsoft.icon",
    ];
    let url = url.trim_matches(|c: char| c.is_ascii_whitespace());
    let Some((scheme, rest)) = url.split_once(':') else {
        return url.starts_with('#') && !url.is_empty();
    };
    if scheme.eq_ignore_ascii_case("cid") {
        return true;
    }
    let Some((kind, subtype)) = rest
        .split_once('/')
        .filter(|_| scheme.eq_ignore_ascii_case("data"))
    else {
        return false;
    };
    let end = subtype.find([';', ',']).unwrap_or(subtype.len());
    let subtype = subtype.get(..end).unwrap_or_default();
    kind.eq_ignore_ascii_case("image") && PICTURES.iter().any(|one| subtype.eq_ignore_ascii_case(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(css: &str) -> String {
        clean(css, &mut |_, _| {}).unwrap_or_else(|| css.to_owned())
    }

    #[test]
    fn what_loads_nothing_is_left_alone() {
        for css in [
            "",
            "color:red",
            "p{background:url(cid:logo@x) no-repeat} @media (max-width:600px){a{width:calc(1px + 2px)}}",
            "background:url('data:image/png;base64,AAAA')",
            "filter:url(#blur)",
            "@namespace svg \"http://www.w3.org/2000/svg\";p{content:\"a;b\"}",
        ] {
            assert_eq!(clean(css, &mut |_, _| {}), None, "{css}");
        }
    }

    #[test]
    fn what_loads_becomes_none() {
        for (css, expected) in [
            (
                "background:url(http://t.example/a.png) no-repeat",
                "background:none no-repeat",
            ),
            (
                "background:u\\72l( 'http://t.example/a)b' );color:red",
                "background:none;color:red",
            ),
            ("background:URL(//t.example/", "background:none"),
            (
                "@import 'http://t.example/a.css' screen; p{}",
                "@not-imported \"\" screen; p{}",
            ),
            ("@\\69mport url(http://t.example/)", "@not-imported none"),
            (
                "@font-face{font-family:x;src:url(http://t.example/f.woff2) format('woff2'),url(g)}",
                "@font-face{font-family:x;src:none format('woff2'),none}",
            ),
            (
                "background-image:image-set('http://t.example/a' 1x, url(b) 2x)",
                "background-image:none",
            ),
            (
                "filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src='http://t.example/',sizingMethod='scale')",
                "filter:progid:DXImageTransform.Microsoft.none",
            ),
            (
                "-ms-filter:\"progid:X(src='http://t.example/')\"",
                "-ms-filter:\"\"",
            ),
            ("background:url(data:image/svg+xml,<svg/>)", "background:none"),
            (
                "--x:url(http://t.example/);background:var(--x)",
                "--x:none;background:var(--x)",
            ),
        ] {
            assert_eq!(cleaned(css), expected, "{css}");
            assert_eq!(cleaned(expected), expected);
        }
    }

    #[test]
    fn what_was_found_is_told() {
        let mut told = Vec::new();
        clean(
            "a{b:url(http://t.example/x)} @import 'http://t.example/y';",
            &mut |what, url| {
                told.push((what, url.to_owned()));
            },
        );
        let expected = [
            ("css url", "http://t.example/x"),
            ("css import", ""),
            ("css import", "http://t.example/y"),
        ];
        assert_eq!(told, expected.map(|(what, url)| (what, url.to_owned())));
    }
}
