//! Indicators out of STIX 2.1 (OASIS, 2021): bundles, TAXII envelopes, arrays, single objects, one
//! or many in a file.

use std::fmt;

use blackrod_model::{RuleProblem, Severity, Technique, Timestamp};
use serde::Deserialize;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::pattern;

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
    objects(json, &mut object)
}

/// Hands over each object of one or many documents.
///
/// # Errors
///
/// What serde says where the text is not JSON; what came before it stands.
pub(crate) fn objects(json: &[u8], object: &mut dyn FnMut(Value)) -> Result<(), serde_json::Error> {
    let mut documents = serde_json::Deserializer::from_slice(json);
    while documents.end().is_err() {
        Document(&mut *object).deserialize(&mut documents)?;
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
        let values = pattern::values(&self.pattern)?;
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
