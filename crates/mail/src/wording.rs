//! What a message plays on: fear, greed, duty, pity; and how its subject is dressed.
//!
//! Phrases are few, general and not learned; alone each says little, because honest mail asks people to click and to pay as well.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use blackrod_model::mail::{Facts, PartRole};
use serde::Deserialize;

use super::fold::{fold, is_costume, is_invisible, words};
use super::lists::table;
use super::{Anatomy, View, signal};

/// A lure says what it wants at once; digests and reports mention everything somewhere.
const WORDS_READ: usize = 300;
/// So many bytes of a part are enough for that.
const BYTES_READ: usize = 16 * 1024;
/// So many bytes are folded at a time: about as many words as are read.
const PIECE: usize = 2 * 1024;

/// Looks at the subject and the first words that a reader sees.
pub(super) fn look(_: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let subject = view.message.subject.as_deref().unwrap_or_default();
    facts.subject = super::clip(subject, 200).to_owned();
    dress(subject, facts);
    let body = body(view);
    themes(subject, &body, facts);
}

#[derive(Default, Deserialize)]
struct Phrases {
    theme: Vec<Theme>,
}

#[derive(Deserialize)]
struct Theme {
    code: String,
    phrases: Vec<String>,
}

struct Matcher {
    automaton: Option<AhoCorasick>,
    /// The theme of each phrase.
    themes: Vec<usize>,
    phrases: Vec<String>,
    codes: Vec<String>,
}

static MATCHER: LazyLock<Matcher> = LazyLock::new(|| {
    let table: Phrases = table(include_str!("../../../content/mail/phrases.toml"));
    let mut matcher = Matcher {
        automaton: None,
        themes: Vec::new(),
        phrases: Vec::new(),
        codes: Vec::new(),
    };
    for (number, theme) in table.theme.into_iter().enumerate() {
        matcher.codes.push(theme.code);
        for phrase in theme.phrases {
            matcher.themes.push(number);
            matcher.phrases.push(phrase);
        }
    }
    let patterns = matcher.phrases.iter().map(|phrase| format!(" {phrase} "));
    matcher.automaton = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(patterns)
        .ok();
    matcher
});

fn themes(subject: &str, body: &str, facts: &mut Facts) {
    let in_subject = found(&format!("{}{}", plain(subject), plain(&facts.from_name)));
    let in_body = found(&plain(body));
    for (theme, code) in MATCHER.codes.iter().enumerate() {
        if let Some(phrases) = in_subject.get(theme).filter(|phrases| !phrases.is_empty()) {
            signal(facts, &format!("{code}-in-subject"), &phrases.join(", "));
        }
        let Some(phrases) = in_body.get(theme).filter(|phrases| !phrases.is_empty()) else {
            continue;
        };
        signal(facts, code, &phrases.join(", "));
        if phrases.len() > 2 {
            signal(facts, &format!("{code}-again"), &phrases.join(", "));
        }
    }
}

/// The different phrases of each theme that are in `plain`.
fn found(plain: &str) -> Vec<Vec<&'static str>> {
    let mut found: Vec<Vec<&'static str>> = vec![Vec::new(); MATCHER.codes.len()];
    let Some(automaton) = &MATCHER.automaton else {
        return found;
    };
    for hit in automaton.find_overlapping_iter(plain) {
        let number = hit.pattern().as_usize();
        let (Some(theme), Some(phrase)) = (MATCHER.themes.get(number), MATCHER.phrases.get(number)) else {
            continue;
        };
        if let Some(list) = found.get_mut(*theme)
            && !list.contains(&phrase.as_str())
        {
            list.push(phrase);
        }
    }
    found
}

/// The first words, with one blank around each, numbers as `#`.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len().min(PIECE) + 2);
    plain.push(' ');
    let mut room = WORDS_READ;
    let mut rest = text;
    while room > 0 && !rest.is_empty() {
        let piece;
        (piece, rest) = piece_of(rest);
        let folded = fold(piece);
        let separated = folded
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty());
        for word in separated.take(room) {
            room -= 1;
            let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
            match is_number {
                true if plain.ends_with(" # ") => continue,
                true => plain.push('#'),
                false => plain.push_str(word),
            }
            plain.push(' ');
        }
    }
    plain
}

/// The first piece of a text, which ends at a blank where there is one, and the rest.
fn piece_of(text: &str) -> (&str, &str) {
    let enough = text.floor_char_boundary(PIECE);
    let (head, tail) = text.split_at(enough);
    let end = tail
        .find(char::is_whitespace)
        .map_or(text.len(), |at| head.len() + at);
    text.split_at(end)
}

/// The first texts that a reader sees: of the HTML where there is one, else the plain one.
fn body(view: &View<'_>) -> String {
    let mut body = String::new();
    for page in view.pages {
        body.push_str(super::clip(&page.text, BYTES_READ));
        body.push(' ');
    }
    if words(&body).take(5).count() == 5 {
        return body;
    }
    let texts = view
        .message
        .parts
        .iter()
        .filter(|part| part.role == PartRole::Text && part.depth == 0);
    for text in texts.filter_map(|part| part.text()).take(4) {
        body.push_str(super::clip(text, BYTES_READ));
        body.push(' ');
    }
    body
}

/// Letters in costume, invisible characters, tokens against filters, shouting.
fn dress(subject: &str, facts: &mut Facts) {
    let costumed = subject.chars().filter(|c| is_costume(*c)).count();
    if costumed > 2 {
        signal(facts, "wording/subject-in-costume", subject);
    }
    let name = facts.from_name.clone();
    for (code, text) in [
        ("wording/subject-invisible", subject),
        ("sender/name-invisible", name.as_str()),
    ] {
        if text
            .chars()
            .filter(|c| is_invisible(*c) && !matches!(c, '\u{fe0f}' | '\u{200d}'))
            .count()
            > 0
        {
            signal(facts, code, text);
        }
    }
    let mixed = subject.split_whitespace().any(is_mixed_script);
    if mixed {
        signal(facts, "wording/subject-mixed-scripts", subject);
    }
    for (code, text) in [
        ("wording/subject-token", subject),
        ("sender/name-token", name.as_str()),
    ] {
        let mut words = text.split(|c: char| !c.is_alphanumeric());
        if let Some(token) = words.find(|word| is_token(word)) {
            signal(facts, code, token);
        }
    }
    if subject.contains("!!") || subject.matches('!').count() > 1 {
        signal(facts, "wording/subject-shouts", subject);
    }
    let letters = subject.chars().filter(|c| c.is_alphabetic()).count();
    let capitals = subject.chars().filter(|c| c.is_uppercase()).count();
    if letters >= 12 && capitals * 10 > letters * 8 {
        signal(facts, "wording/subject-in-capitals", subject);
    }
    if subject
        .chars()
        .any(|c| matches!(c, '\u{1f300}'..='\u{1faff}' | '\u{2600}'..='\u{27bf}'))
    {
        signal(facts, "wording/subject-emoji", subject);
    }
}

/// Latin letters and look-alikes of another script in one word.
fn is_mixed_script(word: &str) -> bool {
    let latin = word.chars().any(|c| c.is_ascii_alphabetic());
    let other = word.chars().any(|c| matches!(c, '\u{370}'..='\u{3ff}' | '\u{400}'..='\u{52f}' | '\u{530}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}'));
    latin && other
}

/// A number or a code that nobody reads: `v5V0ZVRe1HjazliqQoYz`, `577382652`.
fn is_token(word: &str) -> bool {
    let length = word.chars().count();
    if length < 8 || !word.chars().all(|c| c.is_ascii_alphanumeric()) {
        return false;
    }
    let digits = word.chars().filter(char::is_ascii_digit).count();
    if digits == length {
        return length >= 9;
    }
    let cases = word
        .as_bytes()
        .windows(2)
        .filter(|pair| matches!(pair, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()))
        .count();
    (digits >= 2 && digits + 2 < length && length >= 10) || cases >= 3 || (cases >= 2 && digits > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn themes_are_found_in_costume_and_other_languages() {
        let theme = |text: &str| -> Vec<&str> {
            let hits = found(&plain(text));
            MATCHER
                .codes
                .iter()
                .zip(hits)
                .filter(|(_, hits)| !hits.is_empty())
                .map(|(code, _)| code.as_str())
                .collect()
        };
        assert_eq!(theme("Please 𝐯𝐞𝐫𝐢𝐟𝐲 your, account."), ["wording/credentials"]);
        assert_eq!(theme("Sua encomenda está à espera"), ["wording/parcel"]);
        assert_eq!(
            theme("Bestätigen Sie Ihre Angaben innerhalb von 24 Stunden"),
            ["wording/credentials", "wording/threat"]
        );
        assert_eq!(
            theme("The committee meets on Tuesday at ten."),
            Vec::<&str>::new()
        );
    }

    #[test]
    fn every_phrase_is_as_texts_are_folded() {
        for phrase in &MATCHER.phrases {
            let written = plain(&phrase.replace('#', "7"));
            assert_eq!(written, format!(" {phrase} "), "can never match");
        }
        assert_eq!(MATCHER.codes.len(), 10);
    }

    #[test]
    fn tokens_are_no_words() {
        for token in ["v5V0ZVRe1HjazliqQoYz", "577382652", "kn75GA7UomX0oPD"] {
            assert!(is_token(token), "{token}");
        }
        for word in ["Parliamentary", "20240312", "ENTSCHEIDUNG", "iPhone"] {
            assert!(!is_token(word), "{word}");
        }
    }
}
