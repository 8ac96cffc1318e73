//! URLs in style sheets and style attributes (CSS Syntax 3).

use crate::css::Cursor;

/// Calls `found` with every URL that `css` may load, and with what it was found in.
pub(super) fn urls(css: &str, found: &mut dyn FnMut(&str, &'static str)) {
    // Every way to load needs a function or `@import`.
    if memchr::memchr2(b'(', b'@', css.as_bytes()).is_none() {
        return;
    }
    Scanner {
        css: Cursor::new(css),
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
    css: Cursor<'c>,
    rule: Rule,
    /// How many parentheses are open since a function whose strings are URLs.
    takes_strings: usize,
}

impl Scanner<'_> {
    fn run(&mut self, found: &mut dyn FnMut(&str, &'static str)) {
        while let Some(byte) = self.css.peek() {
            match byte {
                _ if self.css.is_comment() => self.css.comment(),
                _ if self.css.is_string() => {
                    let text = self.css.string();
                    if self.rule == Rule::Import || self.takes_strings > 0 {
                        self.tell(&text, found);
                    }
                }
                _ if self.css.is_word() => self.word_or_function(found),
                b'@' => {
                    self.css.skip();
                    let word = self.css.word();
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
                    self.css.skip();
                }
                b')' => {
                    self.takes_strings = self.takes_strings.saturating_sub(1);
                    self.css.skip();
                }
                _ => self.css.skip(),
            }
        }
    }

    fn end_rule(&mut self) {
        self.rule = Rule::Plain;
        self.takes_strings = 0;
        self.css.skip();
    }

    fn word_or_function(&mut self, found: &mut dyn FnMut(&str, &'static str)) {
        let word = self.css.word();
        if self.css.peek() != Some(b'(') {
            return;
        }
        self.css.skip();
        match word.to_ascii_lowercase().as_str() {
            "url" | "src" => {
                self.css.skip_blanks();
                let url = match self.css.is_string() {
                    true => self.css.string(),
                    false => self.css.until(|byte| byte == b')'),
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
}
