//! Texts as a hurried reader sees them: case, accents, look-alike letters and invisible characters aside.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// At most so many characters of a text are folded.
const FOLD_LIMIT: usize = 40_000;

/// Lower case, compatibility forms resolved (mathematical and full-width letters), accents and invisible characters removed,
/// letters of other scripts that look like Latin ones replaced by these (UTS 39), runs of blanks made one.
/// Texts written in another script become unreadable, but stay comparable with others folded the same way.
pub(crate) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len().min(FOLD_LIMIT));
    let mut blank = true;
    let mut push = |character: char| {
        if character.is_whitespace() {
            if !blank {
                folded.push(' ');
            }
            blank = true;
            return;
        }
        blank = false;
        folded.extend(character.to_lowercase());
    };
    if text.is_ascii() {
        text.chars().take(FOLD_LIMIT).for_each(&mut push);
    } else {
        for character in text.chars().take(FOLD_LIMIT) {
            if character.is_ascii() {
                push(character);
                continue;
            }
            for plain in std::iter::once(character).nfkd().filter(|c| !is_dropped(*c)) {
                latin(plain, &mut push);
            }
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The words of a folded text: runs of letters and digits; apostrophes within them are left out.
pub(crate) fn words(folded: &str) -> impl Iterator<Item = Cow<'_, str>> {
    folded
        .split(|c: char| !c.is_alphanumeric() && c != '\'' && c != '\u{2019}')
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| {
            if word.contains(['\'', '\u{2019}']) {
                Cow::Owned(word.replace(['\'', '\u{2019}'], ""))
            } else {
                Cow::Borrowed(word)
            }
        })
}

/// A folded word with the Latin letters and digits that pass for each other made one: `paypa1` and `paypaI` become what
/// `paypal` becomes.
pub(crate) fn skeleton(folded: &str) -> String {
    let mut out = String::with_capacity(folded.len());
    let mut rest = folded.chars().peekable();
    while let Some(character) = rest.next() {
        let next = rest.peek().copied();
        match (character, next) {
            ('r', Some('n')) => {
                rest.next();
                out.push('m');
            }
            ('v', Some('v')) => {
                rest.next();
                out.push('w');
            }
            ('i' | '1' | '|' | '!', _) => out.push('l'),
            ('0', _) => out.push('o'),
            ('5' | '$', _) => out.push('s'),
            ('3', _) => out.push('e'),
            ('@' | '4', _) => out.push('a'),
            _ => out.push(character),
        }
    }
    out
}

/// Whether a character cannot be seen: zero-width, variation selectors, tags, direction marks, soft hyphens.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}'
        | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether a character is a letter in costume: mathematical, enclosed or full-width Latin.
pub(crate) fn is_costume(character: char) -> bool {
    matches!(character, '\u{1d400}'..='\u{1d7ff}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' | '\u{249c}'..='\u{24e9}'
        | '\u{1f110}'..='\u{1f189}')
}

fn is_dropped(character: char) -> bool {
    is_combining_mark(character) || is_invisible(character)
}

/// The Latin letters that a letter looks like, where it does.
fn latin(character: char, push: &mut impl FnMut(char)) {
    if character.is_ascii() {
        return push(character);
    }
    if let Some(plain) = stroked(character) {
        return push(plain);
    }
    let mut buffer = [0; 4];
    let alone: &str = character.encode_utf8(&mut buffer);
    let mut prototypes = unicode_security::skeleton(alone);
    match (prototypes.next(), prototypes.next()) {
        (Some(prototype), None) => push(prototype),
        _ => push(character),
    }
}

/// Letters with strokes have no decomposition.
fn stroked(character: char) -> Option<char> {
    Some(match character {
        'ł' | 'Ł' => 'l',
        'ø' | 'Ø' => 'o',
        'đ' | 'Đ' => 'd',
        'ı' => 'i',
        'ß' => 's',
        'æ' | 'Æ' => 'a',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costumes_come_off() {
        assert_eq!(fold("Ｐａｙ\u{200b}Ｐａｌ"), "paypal");
        assert_eq!(fold("𝐌𝐢𝐜𝐫𝐨𝐬𝐨𝐟𝐭 \n  Тeаm"), "microsoft team");
        assert_eq!(fold("Łukasz  Żółć "), "lukasz zolc");
        assert_eq!(skeleton(&fold("Iedger")), skeleton("ledger"));
        assert_eq!(skeleton("rnicrosoft"), skeleton("microsoft"));
        assert_eq!(skeleton("paypa1"), skeleton("paypal"));
    }

    #[test]
    fn words_keep_apostrophes_inside() {
        let found: Vec<_> = words("lowe's & sam's club, d.").collect();
        assert_eq!(found, ["lowes", "sams", "club", "d"]);
    }
}
