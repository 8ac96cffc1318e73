//! Command lines that were taken apart lately: most are run again and again.

use blackrod_model::mail;
use blackrod_model::process::{ProcessFacts, Traits};
use rustc_hash::FxHashMap;

use crate::rarity::baseline::mix;

/// How many lines are remembered; all are forgotten when there are more.
const MOST: usize = 4_096;

/// Longer lines are not remembered: they seldom come again.
const LONGEST: usize = 600;

/// How many digests of lines that came once are remembered.
const DOORS: usize = 16_384;

/// Lines that came at least twice, by a digest of image and line.
#[derive(Clone, Debug)]
pub(super) struct Memo {
    known: FxHashMap<u64, Known>,
    /// The digests that came last, each at its place: most lines never come again and are not worth keeping.
    once: Vec<u64>,
}

impl Default for Memo {
    fn default() -> Self {
        Self {
            known: FxHashMap::default(),
            once: vec![0; DOORS],
        }
    }
}

/// What image and line come to.
#[derive(Clone, Debug)]
pub(super) struct Known {
    image: String,
    line: String,
    file: String,
    place: String,
    skeleton: String,
    command: String,
    programs: Vec<String>,
    traits: Traits,
    uses: Vec<String>,
    targets: Vec<String>,
}

impl Memo {
    pub(super) fn get(&self, image: &str, line: &str) -> Option<&Known> {
        let known = self.known.get(&key(image, line))?;
        (known.image == image && known.line == line).then_some(known)
    }

    pub(super) fn keep(&mut self, image: &str, line: &str, facts: &ProcessFacts) {
        let key = key(image, line);
        let Some(door) = self.once.get_mut(key as usize % DOORS) else {
            return;
        };
        let came_before = std::mem::replace(door, key) == key;
        if !came_before || line.len() > LONGEST || image.len() > LONGEST {
            return;
        }
        if self.known.len() >= MOST {
            self.known.clear();
        }
        let known = Known {
            image: image.to_owned(),
            line: line.to_owned(),
            file: facts.image.clone(),
            place: facts.place.clone(),
            skeleton: facts.skeleton.clone(),
            command: facts.command.clone(),
            programs: facts.programs.clone(),
            traits: facts.traits,
            uses: facts.uses.clone(),
            targets: facts.targets.clone(),
        };
        self.known.insert(key, known);
    }
}

impl Known {
    /// Writes it into the facts of another record.
    pub(super) fn give(&self, facts: &mut ProcessFacts) {
        facts.image.clone_from(&self.file);
        facts.place.clone_from(&self.place);
        facts.skeleton.clone_from(&self.skeleton);
        facts.command.clone_from(&self.command);
        facts.programs.clone_from(&self.programs);
        facts.traits = self.traits;
        facts.uses.clone_from(&self.uses);
        facts.targets.clone_from(&self.targets);
    }
}

fn key(image: &str, line: &str) -> u64 {
    mix(mail::hash(image), mail::hash(line))
}
