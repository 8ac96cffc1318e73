//! What near-identical texts have in common.

use std::hash::Hasher as _;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use blackrod_model::mail::{Facts, PartRole, TextSketch, hash};
use rustc_hash::{FxHashMap, FxHasher};

use super::{Anatomy, View};

const MINIMA: usize = 32;
/// A shorter text is not compared.
const SHORTEST: usize = 12;
const WORD_LIMIT: usize = 5_000;
const TOPIC: usize = 8;
/// So much of a text tells its language.
const LANGUAGE_BYTES: usize = 600;

/// Adds the sketch of the text that a reader sees.
pub(super) fn look(anatomy: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let shown: String;
    let text = match view.pages.iter().find(|page| !page.text.is_empty()) {
        Some(page) => page.text.as_str(),
        None => {
            let parts = &view.message.parts;
            let plain = parts
                .iter()
                .find(|part| part.role == PartRole::Text && part.depth == 0);
            let text = plain.and_then(|part| part.text()).unwrap_or_default();
            shown = without_quotes(
                text.get(..text.floor_char_boundary(super::page::TEXT_LIMIT))
                    .unwrap_or_default(),
            );
            &shown
        }
    };
    let own = own_words(text);
    let names = names_of(view);
    let words = Words::of(own, &names);
    facts.text = TextSketch {
        minima: minima(&words),
        words: words.ends.len() as u32,
        language: anatomy.tells_language.then(|| language(own)).flatten(),
        topic: topic(&words),
        subject: subject(view.message.subject.as_deref().unwrap_or_default(), &names),
    };
}

/// A text without the lines that quote another.
fn without_quotes(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('>'));
    lines.collect::<Vec<_>>().join("\n")
}

/// What was written by the sender: the text before the message that it answers or forwards, where that leaves any.
fn own_words(text: &str) -> &str {
    const MARKS: [&str; 9] = [
        "-----Original Message-----",
        "----- Original Message -----",
        "-----Ursprüngliche Nachricht-----",
        "________________________________",
        "-----Message d'origine-----",
        " wrote:",
        " schrieb:",
        " a écrit :",
        " escribió:",
    ];
    static FINDER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostFirst).build(MARKS).ok()
    });
    let first = FINDER.as_ref().and_then(|finder| finder.find(text));
    let own = first.and_then(|mark| text.get(..mark.start())).unwrap_or(text);
    match own.split_whitespace().nth(SHORTEST) {
        Some(_) => own,
        None => text,
    }
}

/// The names of those it went to, as words in lower case.
fn names_of(view: &View<'_>) -> Vec<String> {
    let mailboxes = view.message.to.iter().chain(&view.message.cc).take(50);
    let shown = mailboxes.filter_map(|mailbox| mailbox.name.as_deref());
    let locals = view
        .recipients
        .iter()
        .take(50)
        .filter_map(|one| one.split('@').next());
    shown
        .chain(locals)
        .flat_map(|name| name.split(|c: char| !c.is_alphabetic()))
        .filter(|word| word.chars().count() > 2)
        .map(str::to_lowercase)
        .collect()
}

/// The words of a text, one after the other in one piece of memory.
#[derive(Default)]
struct Words {
    text: String,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Words {
    /// Words in lower case; names of recipients, numbers, addresses and URLs replaced by marks.
    fn of(text: &str, names: &[String]) -> Self {
        let mut words = Self::default();
        let mut greeted = 0;
        for raw in text.split_whitespace() {
            if words.ends.len() >= WORD_LIMIT {
                break;
            }
            let start = words.text.len();
            if is_address(raw) {
                words.text.push('@');
                words.ends.push(words.text.len());
                continue;
            }
            let word = raw.trim_matches(|c: char| !c.is_alphanumeric());
            if word.is_empty() {
                continue;
            }
            match word.is_ascii() {
                true => words
                    .text
                    .extend(word.bytes().map(|byte| char::from(byte.to_ascii_lowercase()))),
                false => words.text.push_str(&word.to_lowercase()),
            }
            let lower = words.text.get(start..).unwrap_or_default();
            let is_capital = word.chars().next().is_some_and(char::is_uppercase);
            let is_name = greeted > 0 && is_capital || names.iter().any(|name| name == lower);
            greeted = match (is_greeting(lower), raw.ends_with([',', '!', ':'])) {
                (true, _) => 4,
                (false, true) => 0,
                (false, false) => i32::max(greeted - 1, 0),
            };
            let mark = match is_name {
                true => Some('~'),
                false => word.bytes().any(|byte| byte.is_ascii_digit()).then_some('0'),
            };
            if let Some(mark) = mark {
                words.text.truncate(start);
                words.text.push(mark);
            }
            words.ends.push(words.text.len());
        }
        words
    }

    fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let spans = starts.zip(&self.ends);
        spans.filter_map(|(start, end)| self.text.get(start..*end))
    }
}

/// Nobody's word: an address or a URL.
fn is_address(raw: &str) -> bool {
    let mut marks = memchr::memchr2_iter(b'@', b':', raw.as_bytes());
    let within = |at: usize| match raw.as_bytes().get(at) {
        Some(b'@') => true,
        _ => raw.get(at..).is_some_and(|rest| rest.starts_with("://")),
    };
    marks.any(within) || raw.starts_with("www.")
}

fn is_greeting(word: &str) -> bool {
    const GREETINGS: [&str; 17] = [
        "dear", "hi", "hello", "hallo", "hey", "bonjour", "cher", "chère", "geehrte", "geehrter", "liebe",
        "lieber", "estimado", "estimada", "caro", "gentile", "hej",
    ];
    GREETINGS.contains(&word)
}

/// The least hash of the word triples under each permutation (Broder, 1997).
fn minima(words: &Words) -> Vec<u32> {
    if words.ends.len() < SHORTEST {
        return Vec::new();
    }
    // The product spreads what the sum leaves in order.
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut minima = [u32::MAX; MINIMA];
    let mut before = ["", ""];
    for (number, word) in words.iter().enumerate() {
        if number > 1 {
            let mut hasher = FxHasher::default();
            for one in [before[0], before[1], word] {
                hasher.write(one.as_bytes());
                hasher.write_u8(0xff);
            }
            let start = mix(hasher.finish());
            let step = (mix(start) | 1).wrapping_mul(SPREAD);
            let mut value = start.wrapping_mul(SPREAD);
            for least in &mut minima {
                value = value.wrapping_add(step);
                *least = (*least).min((value >> 32) as u32);
            }
        }
        before = [before[1], word];
    }
    minima.to_vec()
}

/// The finaliser of SplitMix64.
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

fn language(text: &str) -> Option<String> {
    let text = text.get(..text.floor_char_boundary(LANGUAGE_BYTES))?;
    let found = whatlang::detect(text)?;
    found.is_reliable().then(|| found.lang().code().to_owned())
}

/// The words that say most about what a text is about: long ones that come again.
fn topic(words: &Words) -> Vec<u64> {
    let mut counts: FxHashMap<&str, u32> = FxHashMap::default();
    for word in words.iter().filter(|word| word.len() > 5) {
        *counts.entry(word).or_default() += 1;
    }
    let mut ranked: Vec<(&str, u32)> = counts.into_iter().collect();
    let weight = |(word, count): &(&str, u32)| (*count).min(20) as usize * word.len().min(14);
    ranked.sort_unstable_by(|a, b| weight(b).cmp(&weight(a)).then(a.0.cmp(b.0)));
    ranked
        .into_iter()
        .take(TOPIC)
        .map(|(word, _)| hash(word))
        .collect()
}

fn subject(subject: &str, names: &[String]) -> u64 {
    const REPLIES: [&str; 10] = ["re", "fw", "fwd", "aw", "wg", "tr", "rv", "sv", "ext", "external"];
    let words = Words::of(subject, names);
    let own: Vec<&str> = words.iter().skip_while(|word| REPLIES.contains(word)).collect();
    match own.is_empty() {
        true => 0,
        false => hash(&own.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWS: &str = "The committee on foreign affairs published its report on interference in elections \
                        yesterday and called for a joint response of all member states before the summer";

    fn sketch(text: &str, names: &[&str]) -> TextSketch {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        TextSketch {
            minima: minima(&Words::of(text, &names)),
            ..TextSketch::default()
        }
    }

    #[test]
    fn near_identical_texts_are_similar_and_others_are_not() {
        let one = sketch(
            &format!("Dear Anna Berg, {NEWS} https://t.example/1 at 10:15"),
            &[],
        );
        let two = sketch(
            &format!("Dear Boris, {NEWS} https://t.example/2 at 11:45"),
            &["boris"],
        );
        let other = sketch(
            "We would be glad to welcome you at the annual dinner of the chamber of trade in May this year",
            &[],
        );
        assert!(one.similarity(&two) > 0.7, "{}", one.similarity(&two));
        assert!(one.similarity(&other) < 0.1, "{}", one.similarity(&other));
        assert!(sketch("Too short", &[]).minima.is_empty());
    }

    #[test]
    fn the_estimate_is_near_the_truth() {
        let text = |from: usize| {
            (from..from + 400)
                .map(|n| format!("w{} ", char_of(n)))
                .collect::<String>()
        };
        let similarity = sketch(&text(0), &[]).similarity(&sketch(&text(200), &[]));
        assert!(
            (0.1..0.6).contains(&similarity),
            "a third of the triples are common: {similarity}"
        );
    }

    fn char_of(number: usize) -> String {
        number
            .to_string()
            .bytes()
            .map(|digit| char::from(digit - b'0' + b'a'))
            .collect()
    }

    #[test]
    fn subjects_are_compared_without_what_varies() {
        let names = ["anna".to_owned()];
        let one = subject("Re: AW: Your invoice 4711, Anna", &names);
        assert_eq!(one, subject("Your Invoice 4712 Anna", &names));
        assert_ne!(one, subject("Your parcel 4712 Anna", &names));
        assert_eq!(subject("Re:", &names), 0);
    }

    #[test]
    fn replies_are_told_from_what_they_answer() {
        let own = "I think that we should meet next week in the usual place and talk about it.";
        let text = format!("{own}\n-----Original Message-----\nFrom: x");
        assert_eq!(own_words(&text).trim(), own);
        assert_eq!(
            own_words("Yes. On Monday Anna wrote: no"),
            "Yes. On Monday Anna wrote: no"
        );
        assert_eq!(without_quotes("a\n> b\nc"), "a\nc");
    }

    #[test]
    fn the_language_is_known_where_it_is_clear() {
        assert_eq!(language(NEWS).as_deref(), Some("eng"));
        assert_eq!(language("x"), None);
    }
}
