//! Profiles of actors: one file each in `content/actors`, and one of states.

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};
use serde::{Deserialize, Serialize};

use super::bundle::FeatureKind;
use super::day::Day;
use super::knowledge::{Knowledge, Known, Tempering};

static BUILT_IN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../content/actors");

/// The file of states.
pub(super) const STATES: &str = "states.toml";

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the actor profile {file} cannot be used: {reason}")]
pub struct ActorError {
    /// Its file.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
}

/// A publication that a profile rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who said it, and its title.
    pub title: String,
    /// Where it is.
    #[serde(default)]
    pub url: String,
    /// When it was published, `2024-03-25`.
    #[serde(default)]
    pub date: String,
}

/// An actor, as its file tells of it. What stands below the file's line "generated" is [`Attack`].
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Short name, also that of its file.
    pub id: String,
    /// What it is called most.
    pub name: String,
    /// What else it is called.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The state it is held to work for, as two letters (ISO 3166-1); none where nobody has said so in public.
    #[serde(default)]
    pub state: Option<String>,
    /// The service or company behind it.
    #[serde(default)]
    pub sponsor: String,
    /// `espionage`, `crime`, `influence`, `sabotage`.
    #[serde(default)]
    pub motive: String,
    /// Kinds of victims, as words that names of groups and organisations may hold.
    #[serde(default)]
    pub interests: Vec<String>,
    /// What a reader should know, in one or two sentences.
    #[serde(default)]
    pub notes: String,
    /// Up to when the written part was checked, `2025-05-28`.
    #[serde(default)]
    pub dated: String,
    /// What the written part rests on.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// What ATT&CK says; none for an actor that it does not have.
    #[serde(default)]
    pub attack: Option<Attack>,
    /// Technique ids that the sources name, for an actor or a deed that ATT&CK does not have.
    #[serde(default)]
    pub techniques: Vec<String>,
}

/// The generated part of a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Attack {
    /// `G0128`.
    pub id: String,
    /// Its name in ATT&CK.
    pub name: String,
    /// How new the bundle was.
    pub version: String,
    /// How many reports are cited for what it uses.
    pub reports: usize,
    /// When the newest of them was published.
    #[serde(default)]
    pub last_report: String,
    /// The state that ATT&CK's description names first, as two letters.
    #[serde(default)]
    pub state: Option<String>,
    /// Techniques that it is reported to use.
    #[serde(default)]
    pub techniques: Vec<String>,
    /// Public tools.
    #[serde(default)]
    pub tools: Vec<Listed>,
    /// Malware.
    #[serde(default)]
    pub malware: Vec<Listed>,
    /// Techniques that only its tools and malware are reported to use.
    #[serde(default)]
    pub via_software: Vec<String>,
}

/// A piece of software with its name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listed {
    /// `S0154`.
    pub id: String,
    /// `Cobalt Strike`.
    pub name: String,
}

/// What a state is held to be interested in, and what it does with what it gets.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StateProfile {
    /// `China`.
    pub name: String,
    /// `Chinese`.
    pub adjective: String,
    /// Words in names of groups (committees, caucuses) whose people it is reported to go after.
    #[serde(default)]
    pub interests: Vec<String>,
    /// What stolen data would be used for.
    #[serde(default)]
    pub uses: String,
    /// How often data that its services took is reported to have been used so, between 0 and 1: a judgement, not a measurement.
    #[serde(default)]
    pub uses_base_rate: f64,
    /// What that rests on.
    #[serde(default)]
    pub sources: Vec<Source>,
}

/// All actors and states, indexed for judging.
#[derive(Clone, Debug)]
pub struct Actors {
    /// By id, in the order of their ids.
    pub actors: Vec<Actor>,
    /// By their two letters.
    pub states: BTreeMap<String, StateProfile>,
    knowledge: Knowledge,
    software: Vec<(String, Listed, FeatureKind)>,
}

impl Actors {
    /// The profiles that are built in.
    ///
    /// # Errors
    ///
    /// Never for a binary that passed its tests: a test reads them.
    pub fn built_in() -> Result<Self, ActorError> {
        Self::parse(BUILT_IN.files().filter_map(|file| {
            let name = file.path().file_name()?.to_str()?;
            Some((name, file.contents_utf8()?))
        }))
    }

    /// Reads profiles: file names with their texts. Of two files with one name the later counts.
    ///
    /// # Errors
    ///
    /// The first that cannot be read.
    pub fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, ActorError> {
        let mut actors: BTreeMap<String, Actor> = BTreeMap::new();
        let mut states = BTreeMap::new();
        for (file, text) in files {
            let fail = |error: toml::de::Error| ActorError {
                file: file.to_owned(),
                reason: error.to_string(),
            };
            if file == STATES {
                states = toml::from_str(text).map_err(fail)?;
            } else if file.ends_with(".toml") {
                let actor: Actor = toml::from_str(text).map_err(fail)?;
                actors.insert(file.to_owned(), actor);
            }
        }
        Ok(Self::new(actors.into_values().collect(), states))
    }

    /// Indexes profiles.
    pub fn new(mut actors: Vec<Actor>, states: BTreeMap<String, StateProfile>) -> Self {
        actors.sort_by(|a, b| a.id.cmp(&b.id));
        actors.dedup_by(|later, earlier| later.id == earlier.id);
        let known = actors.iter().map(Actor::known).collect();
        let mut software = BTreeMap::new();
        for attack in actors.iter().filter_map(|actor| actor.attack.as_ref()) {
            for (listed, kind) in attack.software() {
                software.insert(listed.name.to_lowercase(), (listed.clone(), kind));
            }
        }
        Self {
            knowledge: Knowledge::new(known, Tempering::FITTED.common),
            states,
            software: software
                .into_iter()
                .map(|(name, (listed, kind))| (name, listed, kind))
                .collect(),
            actors,
        }
    }

    /// The ratios.
    pub fn knowledge(&self) -> &Knowledge {
        &self.knowledge
    }

    /// The actor that is called this: by id, name, alias or ATT&CK id.
    pub fn find(&self, name: &str) -> Option<&Actor> {
        let is_it = |actor: &&Actor| actor.is_called(name);
        self.actors.iter().find(is_it)
    }

    /// The software that `text`, a detector's own words, names as whole words. Names that are everyday words are left out.
    pub fn software_in(&self, text: &str) -> Vec<(&Listed, FeatureKind)> {
        /// Shorter names are words of other things too: `Net`, `at`, `cmd`, `Reg`, `Ping`.
        const MIN_NAME: usize = 6;
        let lower = text.to_lowercase();
        self.software
            .iter()
            .filter(|(name, ..)| name.len() >= MIN_NAME && names(&lower, name))
            .map(|(_, listed, kind)| (listed, *kind))
            .collect()
    }

    /// The actors that `text`, an indicator's title, names as whole words.
    pub fn named_in(&self, text: &str) -> Vec<&Actor> {
        const MIN_NAME: usize = 5;
        let lower = text.to_lowercase();
        let is_named = |name: &String| name.len() >= MIN_NAME && names(&lower, &name.to_lowercase());
        self.actors
            .iter()
            .filter(|actor| std::iter::once(&actor.name).chain(&actor.aliases).any(is_named))
            .collect()
    }
}

/// Whether `text` has `name` with nothing of a word before and after it; both in lower case.
fn names(text: &str, name: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    text.match_indices(name).any(|(at, found)| {
        is_edge(text[..at].chars().next_back()) && is_edge(text[at + found.len()..].chars().next())
    })
}

impl Actor {
    /// The state it is held to work for: as written, else as ATT&CK describes it.
    pub fn state(&self) -> Option<&str> {
        let of_attack = || self.attack.as_ref().and_then(|attack| attack.state.as_deref());
        self.state.as_deref().or_else(of_attack)
    }

    /// Whether it is out for money.
    pub fn is_criminal(&self) -> bool {
        self.motive == "crime"
    }

    fn is_called(&self, name: &str) -> bool {
        let is_same = |own: &str| own.eq_ignore_ascii_case(name);
        is_same(&self.id)
            || is_same(&self.name)
            || self.aliases.iter().any(|alias| is_same(alias))
            || self
                .attack
                .as_ref()
                .is_some_and(|attack| is_same(&attack.id) || is_same(&attack.name))
    }

    fn known(&self) -> Known {
        let mut known = Known {
            id: self.id.clone(),
            reports: self.sources.len(),
            nearest_report: self
                .sources
                .iter()
                .filter_map(|source| Day::of_iso(&source.date))
                .max(),
            ..Known::default()
        };
        for technique in &self.techniques {
            known.add(technique, FeatureKind::Technique, 1.0);
        }
        if let Some(attack) = &self.attack {
            known.reports = known.reports.max(attack.reports);
            known.nearest_report = known.nearest_report.max(Day::of_iso(&attack.last_report));
            for technique in &attack.techniques {
                known.add(technique, FeatureKind::Technique, 1.0);
            }
            for technique in &attack.via_software {
                known.add(technique, FeatureKind::Technique, Tempering::FITTED.via_software);
            }
            for (listed, kind) in attack.software() {
                known.add(&listed.id, kind, 1.0);
            }
        }
        known
    }
}

impl Attack {
    /// Its tools and malware.
    pub fn software(&self) -> impl Iterator<Item = (&Listed, FeatureKind)> {
        let tools = self.tools.iter().map(|listed| (listed, FeatureKind::Tool));
        tools.chain(self.malware.iter().map(|listed| (listed, FeatureKind::Malware)))
    }
}
