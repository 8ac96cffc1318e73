#![doc = include_str!("explain.md")]

mod lists;
pub mod partner;
mod pattern;
mod search;
mod stix;
mod table;
mod tokens;
mod value;

use std::path::PathBuf;

use blackrod_model::{RuleProblem, RuleSet, Severity, Sha256};
use md5::Digest as _;
use rustc_hash::FxHashSet;

pub use self::value::{Kind, Unusable};

use self::stix::Raw;
use self::table::{Added, Builder, Note, Table};
use crate::LoadError;

/// The code of findings of this detector.
pub const CODE: &str = "INDICATOR";

/// What `blackrod explain INDICATOR` prints.
pub const EXPLAIN: &str = include_str!("explain.md");

/// All indicators in use. Immutable; shared by all threads.
pub struct Set {
    table: Table,
    wants: Wants,
}

/// Which scans the loaded indicators need at all.
#[derive(Clone, Copy, Debug, Default)]
struct Wants {
    names: bool,
    digests: bool,
    ipv6: bool,
}

/// Digests of a file, as far as some indicator asks for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// MD5 (RFC 1321).
    pub md5: Option<[u8; 16]>,
    /// SHA-1 (FIPS 180-4).
    pub sha1: Option<[u8; 20]>,
    /// SHA-256 (FIPS 180-4).
    pub sha256: Option<Sha256>,
}

/// Computes [`Digests`] piece by piece. From [`Set::hasher`].
#[derive(Clone, Default)]
pub struct Hasher {
    md5: Option<md5::Md5>,
    sha1: Option<sha1::Sha1>,
    sha256: Option<sha2::Sha256>,
}

impl Set {
    /// Loads indicators from `files`: STIX 2.1 JSON, CSV or plain lists, told apart by content.
    ///
    /// Values that cannot serve (private addresses, providers that everybody uses, patterns that
    /// one record cannot show, malformed lines) are left out, and the [`RuleSet`] says which and
    /// why; of more than a thousand problems the rest is counted.
    ///
    /// # Errors
    ///
    /// [`LoadError::Indicators`] where a file cannot be read.
    pub fn load(files: &[PathBuf]) -> Result<(Self, RuleSet), LoadError> {
        let mut loader = Loader::default();
        let mut contents = Vec::new();
        for path in files {
            let bytes = std::fs::read(path).map_err(|source| LoadError::Indicators {
                path: path.clone(),
                source,
            })?;
            loader.file(&path.display().to_string(), &bytes);
            contents.push(Sha256::of(&bytes));
        }
        contents.sort_unstable();
        Ok(loader.finish(Sha256::of_parts(contents.iter().map(|digest| &digest.0[..]))))
    }

    /// Loads indicators from one text, named `name` in what is told about it. For tests and for
    /// feeds that do not come as files.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> (Self, RuleSet) {
        let mut loader = Loader::default();
        loader.file(name, bytes);
        loader.finish(Sha256::of(bytes))
    }

    /// No indicators at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many different values are compared.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Bytes of memory that the set holds.
    pub fn memory(&self) -> usize {
        self.table.memory()
    }

    /// A hasher for just those digests that some indicator asks for.
    pub fn hasher(&self) -> Hasher {
        Hasher {
            md5: self.table.has(Kind::Md5).then(md5::Md5::new),
            sha1: self.table.has(Kind::Sha1).then(sha1::Sha1::new),
            sha256: self.table.has(Kind::Sha256).then(sha2::Sha256::new),
        }
    }
}

impl Hasher {
    /// Takes the next piece of the file.
    pub fn update(&mut self, piece: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(piece);
        }
        if let Some(sha1) = &mut self.sha1 {
            sha1.update(piece);
        }
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(piece);
        }
    }

    /// The digests of all pieces.
    pub fn finish(self) -> Digests {
        Digests {
            md5: self.md5.map(|md5| md5.finalize().into()),
            sha1: self.sha1.map(|sha1| sha1.finalize().into()),
            sha256: self.sha256.map(|sha256| Sha256(sha256.finalize().into())),
        }
    }
}

/// The most problems told one by one.
const MAX_PROBLEMS: usize = 1_000;

struct Loader {
    builder: Builder,
    exceptions: FxHashSet<&'static str>,
    loaded: u64,
    refused: Vec<RuleProblem>,
    refused_more: u64,
}

impl Default for Loader {
    fn default() -> Self {
        Self {
            builder: Builder::default(),
            exceptions: exceptions(),
            loaded: 0,
            refused: Vec::new(),
            refused_more: 0,
        }
    }
}

/// Values that honest traffic is full of.
fn exceptions() -> FxHashSet<&'static str> {
    let list = include_str!("../../../../content/lists/indicator-exceptions.txt");
    let values = list
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    values.collect()
}

impl Loader {
    fn file(&mut self, name: &str, bytes: &[u8]) {
        let whole = |reason: String| RuleProblem {
            rule: name.to_owned(),
            title: String::new(),
            reason,
        };
        let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let is_json = matches!(unmarked.trim_ascii_start().first(), Some(b'{' | b'['));
        if is_json {
            let mut problems = Vec::new();
            let result = stix::read(
                unmarked,
                &mut |raw| self.indicator(name, None, raw),
                &mut |problem| {
                    problems.push(problem);
                },
            );
            problems.into_iter().for_each(|problem| self.refuse(problem));
            if let Err(error) = result {
                self.refuse(whole(format!("not JSON from here on: {error}")));
            }
            return;
        }
        let text = String::from_utf8_lossy(unmarked);
        if lists::is_csv(&text) {
            let mut problems = Vec::new();
            lists::read_csv(
                &text,
                name,
                &mut |raw, line| self.indicator(name, Some(line), raw),
                &mut |problem| problems.push(problem),
            );
            problems.into_iter().for_each(|problem| self.refuse(problem));
        } else if lists::looks_like_list(&text) {
            lists::read_list(&text, &mut |raw, line| self.indicator(name, Some(line), raw));
        } else if !text.trim().is_empty() {
            self.refuse(whole(
                "neither STIX 2.1 JSON, nor CSV with a column of values, nor a list of indicators".to_owned(),
            ));
        }
    }

    fn indicator(&mut self, file: &str, line: Option<u64>, raw: Raw) {
        let outcome = value::parse(raw.type_name.as_deref(), &raw.value).and_then(|key| {
            let text = value::display(key.kind, &key.bytes);
            if self.exceptions.contains(text.as_str()) {
                return Err(Unusable::Common(text));
            }
            Ok(key)
        });
        let place = line.map_or_else(|| file.to_owned(), |line| format!("{file}:{line}"));
        let problem = |reason: String, title: String| RuleProblem {
            rule: place,
            title,
            reason,
        };
        let key = match outcome {
            Ok(key) => key,
            Err(unusable) => return self.refuse(problem(unusable.to_string(), raw.title)),
        };
        let default_severity = if key.kind == Kind::FileName {
            Severity::Medium
        } else {
            Severity::High
        };
        let feed = file.rsplit(['/', '\\']).next().unwrap_or(file);
        let note = Note {
            title: truncated(&raw.title).into(),
            source: truncated(raw.source.as_deref().unwrap_or(feed)).into(),
            severity: raw.severity.unwrap_or(default_severity),
            attack: raw.attack.into(),
            valid_from: raw.valid_from,
            valid_until: raw.valid_until,
        };
        match self.builder.add(&key, note) {
            Added::New => self.loaded += 1,
            Added::Known => {}
            Added::Full => self.refuse(problem("there are too many indicators".to_owned(), raw.title)),
        }
    }

    fn refuse(&mut self, problem: RuleProblem) {
        if self.refused.len() < MAX_PROBLEMS {
            self.refused.push(problem);
        } else {
            self.refused_more += 1;
        }
    }

    fn finish(mut self, digest: Sha256) -> (Set, RuleSet) {
        if self.refused_more > 0 {
            self.refused.push(RuleProblem {
                rule: "…".to_owned(),
                title: String::new(),
                reason: format!("{} more indicators could not be used", self.refused_more),
            });
        }
        let table = self.builder.finish();
        let any_of = |kinds: &[Kind]| kinds.iter().any(|kind| table.has(*kind));
        let wants = Wants {
            names: any_of(&[Kind::Ipv4, Kind::Domain, Kind::Url, Kind::Mail]),
            digests: any_of(&[Kind::Md5, Kind::Sha1, Kind::Sha256]),
            ipv6: any_of(&[Kind::Ipv6]),
        };
        let rules = RuleSet {
            method: "indicators".to_owned(),
            loaded: self.loaded,
            digest,
            refused: self.refused,
            idle: Vec::new(),
        };
        (Set { table, wants }, rules)
    }
}

fn truncated(text: &str) -> &str {
    const MAX_TITLE: usize = 200;
    &text[..text.floor_char_boundary(MAX_TITLE)]
}

#[cfg(test)]
mod tests;
