//! Style sheets and style attributes (CSS Syntax 3) without what they load.
//!
//! The text is copied token by token; what loads is replaced by `none`, so that no brace, quote or semicolon moves. Who cannot be
//! cleaned with certainty is emptied.

use blackrod_mail::css::Cursor;

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
        cursor: Cursor::new(css),
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
    cursor: Cursor<'c>,
    /// Up to here the text is in `out`.
    copied: usize,
    out: String,
    /// Within `@import`, whose strings are URLs.
    imports: bool,
}

impl Scanner<'_> {
    fn run(&mut self, found: &mut dyn FnMut(&'static str, &str)) {
        while let Some(byte) = self.cursor.peek() {
            let start = self.cursor.at();
            match byte {
                _ if self.cursor.is_comment() => self.cursor.comment(),
                _ if self.cursor.is_string() => {
                    let text = self.cursor.string();
                    if self.imports && !text.is_empty() {
                        found("css import", &text);
                        self.replace(start, "\"\"");
                    } else if text.to_ascii_lowercase().contains("progid:") {
                        found("css filter", &text);
                        self.replace(start, "\"\"");
                    }
                }
                _ if self.cursor.is_word() => self.word_or_function(found),
                b'@' => {
                    self.cursor.skip();
                    if self.cursor.word().eq_ignore_ascii_case("import") {
                        self.imports = true;
                        found("css import", "");
                        self.replace(start, NO_IMPORT);
                    }
                }
                b';' | b'{' | b'}' => {
                    self.imports = false;
                    self.cursor.skip();
                }
                _ => self.cursor.skip(),
            }
        }
    }

    fn word_or_function(&mut self, found: &mut dyn FnMut(&'static str, &str)) {
        let start = self.cursor.at();
        let word = self.cursor.word().to_ascii_lowercase();
        if self.cursor.peek() != Some(b'(') {
            return;
        }
        self.cursor.skip();
        if word == "url" {
            let url = self.url();
            if !is_local(&url) {
                found(if self.imports { "css import" } else { "css url" }, &url);
                self.replace(start, "none");
            }
        } else if LOADING.contains(&word.as_str()) {
            let arguments = self.cursor.at();
            self.balanced();
            let inside = self.css.get(arguments..self.cursor.at()).unwrap_or_default();
            found("css function", inside);
            self.replace(start, "none");
        }
    }

    /// Puts `text` where everything since `start` was.
    fn replace(&mut self, start: usize, text: &str) {
        self.out
            .push_str(self.css.get(self.copied..start).unwrap_or_default());
        self.out.push_str(text);
        self.copied = self.cursor.at();
    }

    /// The rest of `url(…)`, its closing parenthesis included.
    fn url(&mut self) -> String {
        self.cursor.skip_blanks();
        if self.cursor.is_string() {
            let url = self.cursor.string();
            self.balanced();
            return url;
        }
        let url = self.cursor.until(|byte| byte == b')');
        self.cursor.skip();
        url
    }

    /// Goes behind the parenthesis that closes the one that is open.
    fn balanced(&mut self) {
        let mut open = 1;
        while let Some(byte) = self.cursor.peek() {
            if self.cursor.is_string() {
                self.cursor.string();
                continue;
            }
            if self.cursor.is_comment() {
                self.cursor.comment();
                continue;
            }
            match byte {
                b'\\' => self.cursor.skip(),
                b'(' => open += 1,
                b')' => open -= 1,
                _ => {}
            }
            self.cursor.skip();
            if open == 0 {
                return;
            }
        }
    }
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
