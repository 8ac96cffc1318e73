//! What a partner's STIX bundle says beside its indicators: the reports, campaigns, actors and sightings that hang together with
//! something that was seen here.
//!
//! From an indicator or observable whose value was seen, relationships, sightings and containers (report, grouping, note) are
//! followed for two steps, never out of a container: a report on a hundred things does not make them one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use blackrod_model::{PartnerSaid, Timestamp};
use serde_json::Value;

use super::{exceptions, pattern, stix, value};
use crate::LoadError;

/// The most objects that are told of one file.
const MAX_SAID: usize = 500;
/// The most connections of one file that are followed.
const MAX_EDGES: usize = 2_000_000;
/// How far connections are followed.
const STEPS: usize = 2;
/// The longest name kept, in bytes.
const MAX_NAME: usize = 300;
/// How many values of the case are named with one object.
const MAX_VALUES: usize = 50;

/// What is told; all else is passed over.
const TOLD: [&str; 12] = [
    "report",
    "grouping",
    "note",
    "opinion",
    "campaign",
    "incident",
    "intrusion-set",
    "threat-actor",
    "malware",
    "tool",
    "infrastructure",
    "sighting",
];
const CONTAINERS: [&str; 4] = ["report", "grouping", "note", "opinion"];

/// What the STIX files among `files` say of values that `is_seen` holds for, in the order of their ids, and what was left out.
///
/// # Errors
///
/// [`LoadError::Indicators`] where a file cannot be read.
pub fn context(
    files: &[PathBuf],
    is_seen: &dyn Fn(&str) -> bool,
) -> Result<(Vec<PartnerSaid>, Vec<String>), LoadError> {
    let (mut said, mut left_out) = (Vec::new(), Vec::new());
    // What honest traffic is full of ties nothing of a partner's to a case either.
    let common = exceptions();
    let is_telling = |value: &str| !common.contains(value) && is_seen(value);
    for path in files {
        let bytes = std::fs::read(path).map_err(|source| LoadError::Indicators {
            path: path.clone(),
            source,
        })?;
        let name = path
            .file_name()
            .map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        said.extend(of_bundle(&name, &bytes, &is_telling, &mut left_out));
    }
    said.sort_by(|a, b| a.id.cmp(&b.id));
    said.dedup_by(|later, first| later.id == first.id);
    Ok((said, left_out))
}

fn of_bundle(
    file: &str,
    bytes: &[u8],
    is_seen: &dyn Fn(&str) -> bool,
    left_out: &mut Vec<String>,
) -> Vec<PartnerSaid> {
    // What is not JSON was reported when the indicators were loaded; what came before that place counts.
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut edges: Vec<(String, String)> = Vec::new();
    let mut edges_more = 0_usize;
    let _ = stix::objects(bytes, &mut |object| {
        let Some(id) = text(&object, "id") else { return };
        let values: BTreeSet<String> = values_of(&object)
            .into_iter()
            .filter(|value| is_seen(value))
            .collect();
        if !values.is_empty() {
            seen.insert(id.to_owned(), values);
        }
        for (from, to) in connections(id, &object) {
            if edges.len() < MAX_EDGES {
                edges.push((from, to));
            } else {
                edges_more += 1;
            }
        }
    });
    if edges_more > 0 {
        left_out.push(format!(
            "{file}: {edges_more} connections between objects were not followed"
        ));
    }
    let reached = reached(&seen, &edges);
    if reached.is_empty() {
        return Vec::new();
    }
    let (mut names, mut markings) = (HashMap::new(), HashMap::new());
    let mut said = Vec::new();
    let mut refs: Vec<(Option<String>, Vec<String>)> = Vec::new();
    let mut more = 0_usize;
    let _ = stix::objects(bytes, &mut |object| {
        let (Some(id), Some(kind)) = (text(&object, "id"), text(&object, "type")) else {
            return;
        };
        match kind {
            "identity" => {
                names.insert(
                    id.to_owned(),
                    cut(text(&object, "name").unwrap_or_default(), MAX_NAME),
                );
            }
            "marking-definition" => {
                markings.extend(tlp_of(&object).map(|tlp| (id.to_owned(), tlp)));
            }
            kind if TOLD.contains(&kind) => {
                let Some(values) = reached.get(id) else { return };
                if said.len() == MAX_SAID {
                    more += 1;
                    return;
                }
                let marks = strings(&object, "object_marking_refs");
                refs.push((text(&object, "created_by_ref").map(str::to_owned), marks));
                said.push(told(kind, id, &object, values));
            }
            _ => {}
        }
    });
    if more > 0 {
        left_out.push(format!(
            "{file}: {more} more objects hang together with what was seen"
        ));
    }
    for (one, (author, marks)) in said.iter_mut().zip(refs) {
        let named = author.and_then(|author| names.get(&author).cloned());
        one.source = named
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| file.to_owned());
        let tlps = marks
            .iter()
            .filter_map(|mark| markings.get(mark).copied().or_else(|| well_known(mark)));
        // Of several the strictest holds.
        one.tlp = tlps
            .max_by_key(|tlp| strictness(tlp))
            .unwrap_or_default()
            .to_owned();
    }
    said
}

/// Ids within reach of what was seen, with the values that they hang on.
fn reached(
    seen: &BTreeMap<String, BTreeSet<String>>,
    edges: &[(String, String)],
) -> BTreeMap<String, BTreeSet<String>> {
    let mut reached = seen.clone();
    let mut frontier: HashSet<String> = seen.keys().cloned().collect();
    for _ in 0..STEPS {
        let mut next: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (a, b) in edges {
            for (from, to) in [(a, b), (b, a)] {
                if frontier.contains(from) && !reached.contains_key(to) {
                    let values = reached.get(from).into_iter().flatten().cloned();
                    next.entry(to.clone()).or_default().extend(values);
                }
            }
        }
        frontier = next.keys().filter(|id| !is_container(id)).cloned().collect();
        reached.extend(next);
    }
    reached
}

fn is_container(id: &str) -> bool {
    let kind = id.split("--").next().unwrap_or_default();
    CONTAINERS.contains(&kind)
}

/// What an object connects: a relationship its two ends, everything else itself with what it names.
fn connections(id: &str, object: &Value) -> Vec<(String, String)> {
    if text(object, "type") == Some("relationship") {
        let ends = (text(object, "source_ref"), text(object, "target_ref"));
        return match ends {
            (Some(from), Some(to)) => vec![(from.to_owned(), to.to_owned())],
            _ => Vec::new(),
        };
    }
    let mut named = strings(object, "object_refs");
    named.extend(strings(object, "observed_data_refs"));
    named.extend(text(object, "sighting_of_ref").map(str::to_owned));
    named.into_iter().map(|to| (id.to_owned(), to)).collect()
}

/// The values of an indicator or an observable, as findings write them.
fn values_of(object: &Value) -> Vec<String> {
    let found: pattern::Values = match text(object, "type") {
        Some("indicator") => {
            let pattern = text(object, "pattern").unwrap_or_default();
            pattern::values(pattern).unwrap_or_default()
        }
        Some(kind @ ("ipv4-addr" | "ipv6-addr" | "domain-name" | "url" | "email-addr")) => {
            let value = text(object, "value").unwrap_or_default().to_owned();
            vec![(Some(kind.to_owned()), value)]
        }
        Some("file") => {
            let hashes = object["hashes"].as_object().into_iter().flatten();
            hashes
                .filter_map(|(_, hash)| Some((None, hash.as_str()?.to_owned())))
                .collect()
        }
        _ => Vec::new(),
    };
    found
        .into_iter()
        .filter_map(|(kind, text)| value::parse(kind.as_deref(), &text).ok())
        .map(|key| value::display(key.kind, &key.bytes))
        .collect()
}

fn told(kind: &str, id: &str, object: &Value, values: &BTreeSet<String>) -> PartnerSaid {
    let name = text(object, "name")
        .or_else(|| text(object, "abstract"))
        .or_else(|| text(object, "opinion"));
    let name = match (name, kind) {
        (Some(name), _) => name.to_owned(),
        (None, "sighting") => match object["count"].as_u64() {
            Some(count) => format!("seen {count} times"),
            None => "seen".to_owned(),
        },
        (None, _) => String::new(),
    };
    let said = text(object, "description")
        .or_else(|| text(object, "content"))
        .or_else(|| text(object, "explanation"));
    let time = text(object, "modified").or_else(|| text(object, "created"));
    let as_it_came = object.to_string();
    let confidence = object["confidence"].as_u64().filter(|value| *value <= 100);
    PartnerSaid {
        id: cut(id, MAX_NAME),
        kind: kind.to_owned(),
        name: cut(&name, MAX_NAME),
        text: cut(said.unwrap_or_default(), PartnerSaid::MAX_TEXT),
        source: String::new(),
        tlp: String::new(),
        confidence: confidence.and_then(|value| u8::try_from(value).ok()),
        time: time.and_then(Timestamp::parse).unwrap_or(Timestamp::UNKNOWN),
        values: values.iter().take(MAX_VALUES).cloned().collect(),
        object: if as_it_came.len() <= PartnerSaid::MAX_OBJECT {
            as_it_came
        } else {
            String::new()
        },
    }
}

/// What a marking definition says of the Traffic Light Protocol, version 1 or 2.
fn tlp_of(object: &Value) -> Option<&'static str> {
    let extensions = object["extensions"].as_object();
    let version_2 =
        extensions.and_then(|extensions| extensions.values().find_map(|one| one["tlp_2_0"].as_str()));
    let name = version_2.or_else(|| object["definition"]["tlp"].as_str())?;
    ["clear", "green", "amber", "amber+strict", "red"]
        .into_iter()
        .find(|known| *known == name)
        .or_else(|| (name == "white").then_some("clear"))
}

/// Markings that bundles refer to without holding them: those of STIX 2.1, section 7.2.1.4, and of TLP 2.0 as OASIS published them.
fn well_known(marking: &str) -> Option<&'static str> {
    Some(match marking.strip_prefix("marking-definition--")? {
        "613f2e26-407d-48c7-9eca-b8e91df99dc9" | "94868c89-83c2-464b-929b-a1a8aa3c8487" => "clear",
        "34098fce-860f-48ae-8e50-ebd3cc5e41da" | "bab4a63c-aed9-4cf5-a766-dfca5abac2bb" => "green",
        "f88d31f6-486f-44da-b317-01333bde0b82" | "55d920b0-5e8b-4f79-9ee9-91f868d9b421" => "amber",
        "939a9414-2ddd-4d32-a0cd-375ea402b003" => "amber+strict",
        "5e57c739-391a-4eb3-b6be-7d15ca92d5ed" | "e828b379-4e03-4974-9ac4-e53a884c97c1" => "red",
        _ => return None,
    })
}

fn strictness(tlp: &str) -> usize {
    let order = ["clear", "green", "amber", "amber+strict", "red"];
    order
        .iter()
        .position(|known| *known == tlp)
        .unwrap_or(order.len())
}

fn text<'o>(object: &'o Value, key: &str) -> Option<&'o str> {
    object.get(key)?.as_str()
}

fn strings(object: &Value, key: &str) -> Vec<String> {
    let all = object.get(key).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|one| one.as_str().map(str::to_owned)).collect()
}

fn cut(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUNDLE: &str = r#"{"type":"bundle","id":"bundle--1","objects":[
        {"type":"relationship","id":"relationship--1","relationship_type":"indicates","source_ref":"indicator--1","target_ref":"campaign--1"},
        {"type":"report","id":"report--1","name":"Letters","object_refs":["indicator--1","malware--9"],"created_by_ref":"identity--1",
         "object_marking_refs":["marking-definition--34098fce-860f-48ae-8e50-ebd3cc5e41da"],"confidence":60,"modified":"2021-02-01T00:00:00Z"},
        {"type":"indicator","id":"indicator--1","pattern":"[ipv4-addr:value = '203.0.113.7']","pattern_type":"stix"},
        {"type":"indicator","id":"indicator--2","pattern":"[ipv4-addr:value = '203.0.113.8']","pattern_type":"stix"},
        {"type":"relationship","id":"relationship--2","relationship_type":"attributed-to","source_ref":"campaign--1","target_ref":"intrusion-set--1"},
        {"type":"relationship","id":"relationship--3","relationship_type":"uses","source_ref":"intrusion-set--1","target_ref":"malware--3"},
        {"type":"relationship","id":"relationship--4","relationship_type":"indicates","source_ref":"indicator--2","target_ref":"campaign--2"},
        {"type":"campaign","id":"campaign--1","name":"C"},
        {"type":"campaign","id":"campaign--2","name":"Another"},
        {"type":"intrusion-set","id":"intrusion-set--1","name":"Set"},
        {"type":"malware","id":"malware--3","name":"three steps away"},
        {"type":"malware","id":"malware--9","name":"in the same report"},
        {"type":"sighting","id":"sighting--1","sighting_of_ref":"indicator--1","count":4},
        {"type":"identity","id":"identity--1","name":"A partner"}
    ]}"#;

    #[test]
    fn what_hangs_together_with_something_seen_is_told_with_its_source() {
        let mut left_out = Vec::new();
        let mut said = of_bundle(
            "p.json",
            BUNDLE.as_bytes(),
            &|value| value == "203.0.113.7",
            &mut left_out,
        );
        said.sort_by(|a, b| a.id.cmp(&b.id));
        let ids: Vec<&str> = said.iter().map(|one| one.id.as_str()).collect();
        assert_eq!(
            ids,
            ["campaign--1", "intrusion-set--1", "report--1", "sighting--1"]
        );
        let report = &said[2];
        assert_eq!(
            (report.source.as_str(), report.tlp.as_str()),
            ("A partner", "green")
        );
        assert_eq!(
            (report.confidence, report.values.as_slice()),
            (Some(60), &["203.0.113.7".to_owned()][..])
        );
        assert_eq!((said[0].source.as_str(), said[0].tlp.as_str()), ("p.json", ""));
        assert_eq!(said[3].name, "seen 4 times");
        assert!(left_out.is_empty());
    }

    #[test]
    fn nothing_is_told_where_nothing_was_seen() {
        assert!(of_bundle("p.json", BUNDLE.as_bytes(), &|_| false, &mut Vec::new()).is_empty());
        assert!(of_bundle("p.json", b"{\"objects\":[", &|_| true, &mut Vec::new()).is_empty());
    }
}
