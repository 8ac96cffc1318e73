//! Sentences, articles and letters.

use std::fmt::Write as _;

use crate::names;
use crate::patterns;
use crate::random::{Draw as _, Random, mix};
use crate::words::{
    ADJECTIVES, FIRST_NAMES, LAST_NAMES, MONTHS, PAST, THINGS, TOPICS, Topic, VERBS, WEEKDAYS,
};

/// A text of sentences that can be said again in other words.
#[derive(Clone, Debug)]
pub(crate) struct Article {
    topic: usize,
    headline: Sentence,
    sentences: Vec<Sentence>,
}

/// A pattern, the seed of what it says, and the seed of how it says that.
#[derive(Clone, Copy, Debug)]
struct Sentence {
    pattern: &'static str,
    content: u64,
    wording: u64,
}

impl Article {
    /// The article of this seed, of about 8 to 15 sentences from `kind`.
    pub(crate) fn new(seed: u64, topic: usize, kind: &'static [&'static str]) -> Self {
        let mut random = Random::with_seed(mix(seed, &[1]));
        let count = random.usize(8..=15).min(kind.len());
        let chosen = random.sample(kind.len(), count);
        let mut draw = |pattern| Sentence {
            pattern,
            content: random.u64(..),
            wording: random.u64(..),
        };
        let mut headlines = Random::with_seed(mix(seed, &[2]));
        Self {
            topic,
            headline: draw(headlines.word(patterns::HEADLINES)),
            sentences: chosen.into_iter().map(|index| draw(kind[index])).collect(),
        }
    }

    /// The same content in other words: `strength` 0 changes nothing, 1 leaves little.
    pub(crate) fn paraphrased(&self, strength: f64, random: &mut Random) -> Self {
        let mut told = self.clone();
        told.sentences.retain(|_| !random.chance(strength / 4.0));
        for sentence in told.sentences.iter_mut().chain([&mut told.headline]) {
            if random.chance(strength) {
                sentence.wording = random.u64(..);
            }
            if random.chance(strength / 4.0) {
                sentence.pattern = random.word(patterns::NEWS);
                sentence.content = random.u64(..);
            }
        }
        told
    }

    pub(crate) fn headline(&self) -> String {
        let mut out = String::new();
        self.headline.write(&TOPICS[self.topic], &mut out);
        out
    }

    /// At most `limit` sentences, in paragraphs of two to four.
    pub(crate) fn paragraphs(&self, limit: usize) -> Vec<String> {
        let mut paragraphs = Vec::new();
        let mut sentences = self.sentences.iter().take(limit).peekable();
        let mut size = 2 + self.headline.content as usize % 3;
        while sentences.peek().is_some() {
            let mut paragraph = String::new();
            for sentence in sentences.by_ref().take(size) {
                if !paragraph.is_empty() {
                    paragraph.push(' ');
                }
                sentence.write(&TOPICS[self.topic], &mut paragraph);
            }
            paragraphs.push(paragraph);
            size = 2 + (size + 1) % 3;
        }
        paragraphs
    }
}

impl Sentence {
    fn write(&self, topic: &Topic, out: &mut String) {
        let mut content = Random::with_seed(self.content);
        let mut wording = Random::with_seed(self.wording);
        expand(self.pattern, topic, &mut content, &mut wording, out);
    }
}

/// `count` sentences of `kind`, drawn anew.
pub(crate) fn sentences(kind: &[&str], topic: usize, count: usize, random: &mut Random, out: &mut String) {
    for index in random.sample(kind.len(), count) {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push(' ');
        }
        sentence(kind[index], topic, random, out);
    }
}

/// One sentence of this pattern, drawn anew.
pub(crate) fn sentence(pattern: &str, topic: usize, random: &mut Random, out: &mut String) {
    let mut wording = Random::with_seed(random.u64(..));
    expand(pattern, &TOPICS[topic % TOPICS.len()], random, &mut wording, out);
}

fn expand(pattern: &str, topic: &Topic, content: &mut Random, wording: &mut Random, out: &mut String) {
    let start = out.len();
    let mut rest = pattern;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        match rest.as_bytes().get(at + 1) {
            Some(b't') => out.push_str(content.word(&topic.nouns)),
            Some(b'i') => out.push_str(content.word(&topic.issues)),
            Some(b'A') => out.push_str(content.word(&topic.actors)),
            Some(b'a') => out.push_str(wording.word(ADJECTIVES)),
            Some(b'v') => out.push_str(wording.word(VERBS)),
            Some(b'p') => out.push_str(wording.word(PAST)),
            Some(b'h') => out.push_str(wording.word(THINGS)),
            Some(b'N') => out.push_str(content.word(LAST_NAMES)),
            Some(b'F') => out.push_str(content.word(FIRST_NAMES)),
            Some(b'P') => names::place(content, out),
            Some(b'O') => out.push_str(&names::organisation(content, topic).name),
            Some(b'w') => out.push_str(content.word(&WEEKDAYS[..5])),
            Some(b'm') => out.push_str(content.word(MONTHS)),
            Some(b'd') => number(out, content.usize(1..29)),
            Some(b'c') => {
                let _ = write!(out, "{}:{:02}", content.usize(8..20), content.usize(0..12) * 5);
            }
            Some(b'#') => {
                let size = [60, 900, 9_000][content.usize(..3)];
                number(out, content.usize(2..size));
            }
            _ => {}
        }
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    out.push_str(rest);
    names::capitalise(out, start);
}

fn number(out: &mut String, number: usize) {
    let _ = write!(out, "{number}");
}
