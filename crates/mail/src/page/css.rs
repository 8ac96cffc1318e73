//! URLs in style sheets and style attributes (CSS Syntax 3).

/// Calls `found` with every URL that `css` may load, and with what it was found in.
pub(super) fn urls(css: &str, found: &mut dyn FnMut(&str, &'static str)) {
    // Every way to load needs a function or `@import`.
    if memchr::memchr2(b'(', b'@', css.as_bytes()).is_none() {
        return;
    }
    Scanner {
        bytes: css.as_bytes(),
        at: 0,
        rule: Rule::Plain,
        takes_strings: 0,
    }
    .run(found);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    Plain,
    Import,
    FontFace,
    /// `@namespace`: its URL is a name and not loaded.
    Name,
}

struct Scanner<'c> {
    bytes: &'c [u8],
    at: usize,
    rule: Rule,
    /// How many parentheses are open since a function whose strings are URLs.
    takes_strings: usize,
}

impl Scanner<'_> {
    fn run(&mut self, found: &mut dyn FnMut(&str, &'static str)) {
        while let Some(byte) = self.peek() {
            match byte {
                b'/' if self.bytes.get(self.at + 1) == Some(&b'*') => self.comment(),
                b'"' | b'\'' => {
                    let text = self.string();
                    if self.rule == Rule::Import || self.takes_strings > 0 {
                        self.tell(&text, found);
                    }
                }
                b'@' => {
                    self.at += 1;
                    let word = self.word();
                    self.rule = match word.to_ascii_lowercase().as_str() {
                        "import" => Rule::Import,
                        "font-face" => Rule::FontFace,
                        "namespace" => Rule::Name,
                        _ => Rule::Plain,
                    };
                }
                b';' if self.rule != Rule::FontFace => self.end_rule(),
                b'}' => self.end_rule(),
                b'(' => {
                    self.takes_strings += usize::from(self.takes_strings > 0);
                    self.at += 1;
                }
                b')' => {
                    self.takes_strings = self.takes_strings.saturating_sub(1);
                    self.at += 1;
                }
                byte if starts_word(byte) => self.word_or_function(found),
                _ => self.at += 1,
            }
        }
    }

    fn end_rule(&mut self) {
        self.rule = Rule::Plain;
        self.takes_strings = 0;
        self.at += 1;
    }

    fn word_or_function(&mut self, found: &mut dyn FnMut(&str, &'static str)) {
        let word = self.word();
        if self.peek() != Some(b'(') {
            return;
        }
        self.at += 1;
        match word.to_ascii_lowercase().as_str() {
            "url" | "src" => {
                while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
                    self.at += 1;
                }
                let url = match self.peek() {
                    Some(b'"' | b'\'') => self.string(),
                    _ => self.until(|byte| byte == b')'),
                };
                self.tell(url.trim(), found);
            }
            "image-set" | "-webkit-image-set" | "image" | "cross-fade" | "alphaimageloader" => {
                self.takes_strings += 1
            }
            _ => self.takes_strings += usize::from(self.takes_strings > 0),
        }
    }

    fn tell(&self, url: &str, found: &mut dyn FnMut(&str, &'static str)) {
        match self.rule {
            Rule::Plain => found(url, "css url"),
            Rule::Import => found(url, "css import"),
            Rule::FontFace => found(url, "css font"),
            Rule::Name => {}
        }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn comment(&mut self) {
        let rest = self.bytes.get(self.at + 2..).unwrap_or_default();
        self.at = match memchr::memmem::find(rest, b"*/") {
            Some(end) => self.at + end + 4,
            None => self.bytes.len(),
        };
    }

    /// A string, its quotes and escapes taken away.
    fn string(&mut self) -> String {
        let quote = self.peek().unwrap_or(b'"');
        self.at += 1;
        let text = self.until(|byte| byte == quote || byte == b'\n');
        self.at += 1;
        text
    }

    fn word(&mut self) -> String {
        self.until(|byte| !(starts_word(byte) || byte.is_ascii_digit()))
    }

    /// What stands before the first byte that `ends`, escapes (CSS Syntax 4.3.7) resolved.
    fn until(&mut self, ends: impl Fn(u8) -> bool) -> String {
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
        String::from_utf8_lossy(&text).into_owned()
    }

    fn escape(&mut self, text: &mut Vec<u8>) {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
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
