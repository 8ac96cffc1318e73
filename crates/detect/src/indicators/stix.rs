//! Indicators out of STIX 2.1 (OASIS, 2021): bundles, TAXII envelopes, arrays, single objects, one
//! or many in a file.

use std::fmt;

use blackrod_model::{RuleProblem, Severity, Technique, Timestamp};
use rstix::pattern::{Pattern, PatternAst};
use serde::Deserialize;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::value::is_type_name;

/// An indicator of a feed, not yet judged.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Raw {
    /// What the feed says the value is; `None` lets the value speak for itself.
    pub(crate) type_name: Option<String>,
    pub(crate) value: String,
    pub(crate) title: String,
    pub(crate) severity: Option<Severity>,
    pub(crate) source: Option<String>,
    pub(crate) attack: Vec<String>,
    pub(crate) valid_from: Timestamp,
    pub(crate) valid_until: Timestamp,
}

impl Raw {
    /// An indicator of which nothing but its value is known.
    pub(crate) fn bare(value: &str) -> Self {
        Self {
            type_name: None,
            value: value.to_owned(),
            title: String::new(),
            severity: None,
            source: None,
            attack: Vec::new(),
            valid_from: Timestamp::UNKNOWN,
            valid_until: Timestamp::UNKNOWN,
        }
    }
}

/// Hands every comparison of every indicator in `json` to `indicator`, and what cannot be compared
/// to `problem`. Objects that are no indicators (malware, identities, relationships) are context
/// and are passed over.
///
/// # Errors
///
/// What serde says where the text is not JSON; what came before it stands.
pub(crate) fn read(
    json: &[u8],
    indicator: &mut dyn FnMut(Raw),
    problem: &mut dyn FnMut(RuleProblem),
) -> Result<(), serde_json::Error> {
    let mut object = |value: Value| {
        if value.get("type").and_then(Value::as_str) != Some("indicator") {
            return;
        }
        let name = |key: &str| {
            value
                .get(key)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (id, title) = (name("id"), name("name"));
        let result = StixIndicator::deserialize(&value)
            .map_err(|error| format!("not a STIX 2.1 indicator: {error}"))
            .and_then(|parsed| parsed.comparisons());
        match result {
            Ok(found) => found.into_iter().for_each(&mut *indicator),
            Err(reason) => problem(RuleProblem {
                rule: id,
                title,
                reason,
            }),
        }
    };
    let mut documents = serde_json::Deserializer::from_slice(json);
    while documents.end().is_err() {
        Document(&mut object).deserialize(&mut documents)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct StixIndicator {
    #[serde(default)]
    name: String,
    pattern: String,
    pattern_type: Option<String>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    #[serde(default)]
    revoked: bool,
    confidence: Option<u8>,
    #[serde(default)]
    indicator_types: Vec<String>,
    #[serde(default)]
    external_references: Vec<ExternalReference>,
}

#[derive(Deserialize)]
struct ExternalReference {
    #[serde(default)]
    source_name: String,
    #[serde(default)]
    external_id: String,
}

impl StixIndicator {
    fn comparisons(self) -> Result<Vec<Raw>, String> {
        if self.revoked {
            return Err("its author has revoked it".to_owned());
        }
        if self.indicator_types.iter().any(|kind| kind == "benign") {
            return Err("its author calls it benign".to_owned());
        }
        if let Some(other) = self.pattern_type.as_deref().filter(|kind| *kind != "stix") {
            return Err(format!(
                "its pattern is of type {other:?}; only STIX patterns are compared"
            ));
        }
        let pattern =
            Pattern::parse(&self.pattern).map_err(|error| format!("its pattern is wrong: {error}"))?;
        shows_in_one_record(pattern.ast())?;
        let values = Comparison::read_all(&pattern.canonical())?.into_values()?;
        let severity = self.confidence.map(|confidence| match confidence {
            0..30 => Severity::Low,
            30..70 => Severity::Medium,
            _ => Severity::High,
        });
        let attack: Vec<String> = self
            .external_references
            .iter()
            .filter(|reference| reference.source_name.starts_with("mitre"))
            .filter_map(|reference| Technique::parse(&reference.external_id))
            .map(|technique| technique.to_string())
            .collect();
        let time = |text: &Option<String>| {
            text.as_deref()
                .and_then(Timestamp::parse)
                .unwrap_or(Timestamp::UNKNOWN)
        };
        Ok(values
            .into_iter()
            .map(|(type_name, value)| Raw {
                type_name,
                value,
                title: self.name.clone(),
                severity,
                source: None,
                attack: attack.clone(),
                valid_from: time(&self.valid_from),
                valid_until: time(&self.valid_until),
            })
            .collect())
    }
}

type Comparisons = Vec<(Option<String>, String)>;

/// Whether one observation is enough for the pattern.
fn shows_in_one_record(ast: &PatternAst) -> Result<(), String> {
    match ast {
        PatternAst::Observation(_) => Ok(()),
        PatternAst::Or { left, right, .. } => {
            shows_in_one_record(left)?;
            shows_in_one_record(right)
        }
        PatternAst::And { .. } | PatternAst::FollowedBy { .. } => {
            Err("its pattern asks for several observations together; one record cannot show that".to_owned())
        }
        PatternAst::Within { .. } | PatternAst::Repeats { .. } | PatternAst::StartStop { .. } => {
            Err("its pattern asks for repetition or a time window; one record cannot show that".to_owned())
        }
    }
}

/// A pattern of alternative observations in rstix's canonical spelling, taken apart. (rstix keeps the
/// inside of its own tree to itself.)
enum Comparison {
    Any(Vec<Comparison>),
    All(Vec<Comparison>),
    One { path: String, values: Vec<String> },
}

impl Comparison {
    fn read_all(text: &str) -> Result<Self, String> {
        let mut words = Words { rest: text };
        let whole = Self::read_any(&mut words, 0)?;
        match words.next() {
            None => Ok(whole),
            Some(word) => Err(format!(
                "its pattern uses {word:?}, which blackrod does not compare"
            )),
        }
    }

    fn read_any(words: &mut Words<'_>, depth: usize) -> Result<Self, String> {
        let mut parts = vec![Self::read_every(words, depth)?];
        while words.take("OR") {
            parts.push(Self::read_every(words, depth)?);
        }
        Ok(Self::Any(parts))
    }

    fn read_every(words: &mut Words<'_>, depth: usize) -> Result<Self, String> {
        let mut parts = vec![Self::read_one(words, depth)?];
        while words.take("AND") {
            parts.push(Self::read_one(words, depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Self::All(parts)
        })
    }

    fn read_one(words: &mut Words<'_>, depth: usize) -> Result<Self, String> {
        const MAX_DEPTH: usize = 64;
        const CUT_SHORT: &str = "its pattern could not be taken apart";
        if depth > MAX_DEPTH {
            return Err("its pattern is nested too deeply".to_owned());
        }
        // Observations stand in square brackets, and their alternatives mean what those inside mean.
        let closing = [("(", ")"), ("[", "]")]
            .into_iter()
            .find(|(open, _)| words.take(open));
        if let Some((_, close)) = closing {
            let inner = Self::read_any(words, depth + 1)?;
            return if words.take(close) {
                Ok(inner)
            } else {
                Err(CUT_SHORT.to_owned())
            };
        }
        let path = words.next().ok_or(CUT_SHORT)?.to_owned();
        let operator = words.next().ok_or(CUT_SHORT)?;
        let is_list = match operator {
            "=" | "==" | "ISSUBSET" => false,
            "IN" => true,
            other => {
                return Err(format!(
                    "its pattern compares with {other}; only =, IN and ISSUBSET are compared"
                ));
            }
        };
        let mut values = Vec::new();
        if is_list {
            while let Some(word) = words.next().filter(|word| *word != ")") {
                if !matches!(word, "(" | ",") {
                    values.push(unquote(word));
                }
            }
        } else {
            values.push(unquote(words.next().ok_or(CUT_SHORT)?));
        }
        Ok(Self::One { path, values })
    }

    /// The values any one of which satisfies this.
    fn into_values(self) -> Result<Comparisons, String> {
        match self {
            Self::Any(parts) => {
                let mut values = Vec::new();
                for part in parts {
                    values.extend(part.into_values()?);
                }
                Ok(values)
            }
            Self::All(parts) => Self::values_of_all(parts),
            Self::One { path, values } => {
                let type_name = type_of(&path)?;
                Ok(values
                    .into_iter()
                    .map(|value| (type_name.clone(), value))
                    .collect())
            }
        }
    }

    /// Conditions that must hold together can be compared only where one of them says it all: a
    /// digest identifies its file whatever its name and size are, and the type of a reference
    /// follows from its value.
    fn values_of_all(parts: Vec<Self>) -> Result<Comparisons, String> {
        let is_digest = |part: &Self| matches!(part, Self::One { path, .. } if path.contains(":hashes"));
        if parts.iter().any(is_digest) {
            let mut values = Vec::new();
            for digest in parts.into_iter().filter(is_digest) {
                // One digest of an algorithm that is not compared does no harm beside another.
                values.extend(digest.into_values().unwrap_or_default());
            }
            return if values.is_empty() {
                Err("its digests are of algorithms that blackrod does not compare".to_owned())
            } else {
                Ok(values)
            };
        }
        let restates_type =
            |part: &Self| matches!(part, Self::One { path, .. } if path.ends_with("_ref.type"));
        let mut telling: Vec<Self> = parts.into_iter().filter(|part| !restates_type(part)).collect();
        match telling.pop() {
            Some(only) if telling.is_empty() => only.into_values(),
            _ => Err(
                "its pattern asks for several properties together; only one at a time is compared".to_owned(),
            ),
        }
    }
}

/// The indicator type that an object path stands for.
fn type_of(path: &str) -> Result<Option<String>, String> {
    let plain: String = path.chars().filter(|c| !matches!(c, '\'' | '"')).collect();
    let known = match plain.to_ascii_lowercase().as_str() {
        "ipv4-addr:value" | "ipv6-addr:value" => "ip",
        "domain-name:value" => "domain",
        "url:value" => "url",
        "email-addr:value"
        | "email-message:from_ref.value"
        | "email-message:sender_ref.value"
        | "email-message:to_refs[*].value" => "email",
        "file:name" => "filename",
        "network-traffic:dst_ref.value" | "network-traffic:src_ref.value" => return Ok(None),
        digest if digest.starts_with("file:hashes") || digest.starts_with("artifact:hashes") => {
            let algorithm = digest
                .split_once("hashes")
                .map(|(_, name)| name.trim_matches(['.', '[', ']']).to_owned())
                .unwrap_or_default();
            let is_compared = matches!(
                algorithm.as_str(),
                "md5" | "sha-1" | "sha1" | "sha-256" | "sha256"
            );
            return if is_compared && is_type_name(&algorithm) {
                Ok(Some(algorithm))
            } else {
                Err(format!("blackrod compares no digests of type {algorithm:?}"))
            };
        }
        _ => return Err(format!("blackrod does not compare {path}")),
    };
    Ok(Some(known.to_owned()))
}

/// Cuts a comparison expression into words: strings with their quotes, brackets, commas, operators
/// and paths (which may hold quoted parts: `file:hashes.'SHA-256'`).
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        let length = match first {
            '(' | ')' | '[' | ']' | ',' => 1,
            '\'' => string_length(self.rest),
            '=' | '!' | '<' | '>' => self.rest.find(|c| !matches!(c, '=' | '!' | '<' | '>'))?,
            _ => word_length(self.rest),
        };
        let (word, rest) = self
            .rest
            .split_at(length.max(first.len_utf8()).min(self.rest.len()));
        self.rest = rest;
        Some(word)
    }

    /// Takes the next word if it is `expected`.
    fn take(&mut self, expected: &str) -> bool {
        let before = self.rest;
        if self.next() == Some(expected) {
            return true;
        }
        self.rest = before;
        false
    }
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

fn word_length(text: &str) -> usize {
    let mut index = 0;
    while let Some(character) = text.get(index..).and_then(|rest| rest.chars().next()) {
        index += match character {
            '\'' => string_length(&text[index..]),
            // An index, `to_refs[*]`, belongs to the path.
            '[' => text[index..].find(']').map_or(1, |end| end + 1),
            ' ' | '\t' | '\n' | '\r' | '(' | ')' | ']' | ',' | '=' | '!' | '<' | '>' => break,
            other => other.len_utf8(),
        };
    }
    index
}

fn unquote(word: &str) -> String {
    let inner = word
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap_or(word);
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for character in inner.chars() {
        if character == '\\' && !escaped {
            escaped = true;
            continue;
        }
        plain.push(character);
        escaped = false;
    }
    plain
}

/// Walks one JSON document and hands over each object of its `objects` (or of the array, or the
/// object itself) as soon as it is read, so that a large bundle is never in memory as a tree.
struct Document<'f>(&'f mut dyn FnMut(Value));

impl<'de> DeserializeSeed<'de> for Document<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a STIX bundle, an array of STIX objects or a STIX object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        while let Some(object) = array.next_element::<Value>()? {
            (self.0)(object);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut own = serde_json::Map::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "objects" {
                map.next_value_seed(Objects(&mut *self.0))?;
            } else {
                own.insert(key, map.next_value()?);
            }
        }
        (self.0)(Value::Object(own));
        Ok(())
    }
}

/// The `objects` of a bundle.
struct Objects<'f>(&'f mut dyn FnMut(Value));

impl<'de> DeserializeSeed<'de> for Objects<'_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(Document(self.0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn indicator(pattern: &str, more: &str) -> String {
        format!(
            r#"{{"type":"indicator","id":"indicator--1","name":"N","pattern_type":"stix","pattern":{},"valid_from":"2021-01-01T00:00:00Z"{more}}}"#,
            serde_json::to_string(pattern).unwrap()
        )
    }

    fn values(json: &str) -> (Vec<String>, Vec<String>) {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        read(
            json.as_bytes(),
            &mut |raw| found.push(format!("{} {}", raw.type_name.unwrap_or_default(), raw.value)),
            &mut |problem| problems.push(problem.reason),
        )
        .unwrap();
        (found, problems)
    }

    #[test]
    fn comparisons_any_of_which_suffices_are_taken() {
        for (pattern, expected) in [
            ("[ipv4-addr:value = '198.51.100.7']", vec!["ip 198.51.100.7"]),
            (
                "[domain-name:value = 'a.example' OR url:value = 'http://b.example/x']",
                vec!["domain a.example", "url http://b.example/x"],
            ),
            (
                "[domain-name:value IN ('a.example', 'b.example')]",
                vec!["domain a.example", "domain b.example"],
            ),
            (
                "[ipv4-addr:value = '198.51.100.7'] OR [ipv6-addr:value = '2001:db8::1']",
                vec!["ip 198.51.100.7", "ip 2001:db8::1"],
            ),
            (
                "[ipv4-addr:value ISSUBSET '198.51.100.0/24']",
                vec!["ip 198.51.100.0/24"],
            ),
            (
                "[file:hashes.MD5 = 'aa' AND file:hashes.'SHA-256' = 'bb' AND file:name = 'x.exe']",
                vec!["md5 aa", "sha-256 bb"],
            ),
            (
                "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = '198.51.100.7']",
                vec![" 198.51.100.7"],
            ),
            (
                r"[url:value = 'http://a.example/it\'s']",
                vec!["url http://a.example/it's"],
            ),
            (
                "[(domain-name:value = 'a.example' OR domain-name:value = 'b.example')]",
                vec!["domain a.example", "domain b.example"],
            ),
        ] {
            let (found, problems) = values(&indicator(pattern, ""));
            assert_eq!(problems, Vec::<String>::new(), "{pattern}");
            assert_eq!(found, expected, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_one_record_cannot_show_are_reported() {
        for (pattern, more, reason) in [
            (
                "[ipv4-addr:value = '198.51.100.7'] AND [domain-name:value = 'a.example']",
                "",
                "several observations",
            ),
            (
                "[ipv4-addr:value = '198.51.100.7'] FOLLOWEDBY [domain-name:value = 'a.example']",
                "",
                "several observations",
            ),
            (
                "[ipv4-addr:value = '198.51.100.7'] REPEATS 5 TIMES",
                "",
                "repetition",
            ),
            ("[domain-name:value LIKE '%.example']", "", "LIKE"),
            ("[domain-name:value != 'a.example']", "", "!="),
            (
                "[network-traffic:dst_ref.value = '198.51.100.7' AND network-traffic:dst_port = 443]",
                "",
                "several properties",
            ),
            ("[mutex:name = 'x']", "", "does not compare"),
            ("[file:hashes.'SHA-512' = 'aa']", "", "no digests"),
            ("[ipv4-addr:value = ", "", "pattern is wrong"),
            (
                "[ipv4-addr:value = '198.51.100.7']",
                r#","revoked":true"#,
                "revoked",
            ),
            (
                "[ipv4-addr:value = '198.51.100.7']",
                r#","indicator_types":["benign"]"#,
                "benign",
            ),
            (
                "[ipv4-addr:value = '198.51.100.7']",
                r#","confidence":"high""#,
                "not a STIX 2.1",
            ),
        ] {
            let (found, problems) = values(&indicator(pattern, more));
            assert!(found.is_empty(), "{pattern}");
            assert!(
                problems.len() == 1 && problems[0].contains(reason),
                "{pattern}: {problems:?}"
            );
        }
    }

    #[test]
    fn bundles_arrays_and_lines_are_all_read() {
        let one = indicator("[domain-name:value = 'a.example']", "");
        let two = indicator("[domain-name:value = 'b.example']", "");
        for json in [
            format!(r#"{{"type":"bundle","id":"bundle--1","objects":[{one},{{"type":"malware"}},{two}]}}"#),
            format!("[{one},{two}]"),
            format!("{one}\n{two}\n"),
            format!(r#"{{"objects":[{one}]}} {{"objects":[{two}]}}"#),
        ] {
            assert_eq!(
                values(&json).0,
                ["domain a.example", "domain b.example"],
                "{json}"
            );
        }
        assert!(read(b"{\"objects\":[", &mut |_| {}, &mut |_| {}).is_err());
    }

    #[test]
    fn confidence_times_and_techniques_are_kept() {
        let json = indicator(
            "[domain-name:value = 'a.example']",
            r#","confidence":40,"valid_until":"2021-02-01T00:00:00Z","external_references":[{"source_name":"mitre-attack","external_id":"T1566.002"}]"#,
        );
        let mut found = Vec::new();
        read(json.as_bytes(), &mut |raw| found.push(raw), &mut |_| {}).unwrap();
        assert_eq!(found[0].severity, Some(Severity::Medium));
        assert_eq!(found[0].attack, ["T1566.002"]);
        assert_eq!(found[0].valid_until.day(), "2021-02-01");
    }
}
