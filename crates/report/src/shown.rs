//! Text from evidence, made fit to be shown.
//!
//! What a person cannot see can deceive them: a right-to-left override turns `fdp.exe` into
//! `exe.pdf`, a zero-width space parts a word that a search then misses. Such characters are written
//! out as their code points in white brackets. This is for reading; markup is escaped where the text
//! is put into markup.

use std::borrow::Cow;
use std::fmt::Write as _;

/// How many bytes of one text are shown.
pub const MAX_SHOWN: usize = 2_000;

/// `text` for one line: also line breaks and tabs are written out.
pub fn line(text: &str) -> Cow<'_, str> {
    shown(text, MAX_SHOWN, is_visible)
}

/// As [`line`], with another limit than [`MAX_SHOWN`].
pub fn line_of(text: &str, limit: usize) -> Cow<'_, str> {
    shown(text, limit, is_visible)
}

/// `text` for a paragraph: line breaks and tabs stay.
pub fn block(text: &str) -> Cow<'_, str> {
    block_of(text, MAX_SHOWN)
}

/// As [`block`], with another limit than [`MAX_SHOWN`].
pub fn block_of(text: &str, limit: usize) -> Cow<'_, str> {
    shown(text, limit, |c| matches!(c, '\n' | '\t') || is_visible(c))
}

fn shown(text: &str, limit: usize, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let kept = &text[..text.floor_char_boundary(limit)];
    let is_whole = kept.len() == text.len();
    if is_whole && kept.chars().all(&keep) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(kept.len() + 40);
    for c in kept.chars() {
        if keep(c) {
            out.push(c);
        } else {
            let _ = write!(out, "⟦U+{:04X}⟧", u32::from(c));
        }
    }
    if !is_whole {
        let _ = write!(
            out,
            "… [cut here; {} bytes in all]",
            crate::words::number(text.len())
        );
    }
    Cow::Owned(out)
}

/// Whether a reader sees that `c` is there, and sees nothing else moved by it.
fn is_visible(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return true;
    }
    !c.is_control() && !INVISIBLE.iter().any(|&(first, last)| (first..=last).contains(&c))
}

/// Unicode 17: default-ignorable code points, format characters, separators, blanks that are no
/// spaces, private use and noncharacters; ascending.
const INVISIBLE: [(char, char); 26] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{1680}', '\u{1680}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{2000}', '\u{200f}'),
    ('\u{2028}', '\u{202f}'),
    ('\u{205f}', '\u{206f}'),
    // Our own brackets, so that nobody can pretend that something was written out.
    ('\u{27e6}', '\u{27e7}'),
    ('\u{2800}', '\u{2800}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{e000}', '\u{f8ff}'),
    ('\u{fdd0}', '\u{fdef}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{fffe}', '\u{ffff}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{1fffe}', '\u{1ffff}'),
    ('\u{e0000}', '\u{e0fff}'),
    ('\u{f0000}', '\u{fffff}'),
    ('\u{100000}', '\u{10ffff}'),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(line("invoice\u{202e}fdp.exe"), "invoice⟦U+202E⟧fdp.exe");
        assert_eq!(line("a\0b\u{7f}c\u{9b}d"), "a⟦U+0000⟧b⟦U+007F⟧c⟦U+009B⟧d");
        assert_eq!(
            line("zero\u{200b}width\u{feff}\u{2028}"),
            "zero⟦U+200B⟧width⟦U+FEFF⟧⟦U+2028⟧"
        );
        assert_eq!(line("\u{e0041}\u{3164}\u{2066}"), "⟦U+E0041⟧⟦U+3164⟧⟦U+2066⟧");
        assert_eq!(line("⟦U+202E⟧"), "⟦U+27E6⟧U+202E⟦U+27E7⟧");
        assert_eq!(line("one\ntwo"), "one⟦U+000A⟧two");
        assert_eq!(block("one\ntwo\rthree"), "one\ntwo⟦U+000D⟧three");
    }

    #[test]
    fn ordinary_text_of_any_script_stays_as_it_is() {
        for text in [
            "C:\\Users\\Zoë\\a.exe",
            "כנסת",
            "مجلس",
            "Верховна Рада",
            "国会 東京",
            "✓ é ß",
        ] {
            assert!(
                matches!(line(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
    }

    #[test]
    fn overlong_text_is_cut_between_characters_and_its_length_told() {
        let long = "é".repeat(1_000_000);
        let cut = line(&long);
        assert!(cut.len() < MAX_SHOWN + 60);
        assert!(cut.ends_with("… [cut here; 2,000,000 bytes in all]"));
    }

    #[test]
    fn the_table_is_in_order() {
        assert!(INVISIBLE.is_sorted_by(|a, b| a.0 <= a.1 && a.1 < b.0));
    }
}
