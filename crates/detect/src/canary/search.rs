//! Looking for canaries in everything that is read.

use std::collections::{BTreeMap, BTreeSet};

use blackrod_model::mail::PartRole;
use blackrod_model::{
    Class, Event, EvidenceId, Finding, FindingId, Position, Reason, Refusal, Severity, Timestamp, Value,
};
use rustc_hash::FxHashMap;

use super::walk::{Sighting, Walk};
use super::words::Key;
use super::{Mark, Marks, unpack};
use crate::content::Content;
use crate::entities;

/// An invented elector was seen.
pub const CODE: &str = "canary/seen";

/// The canaries of all copies.
pub struct Set {
    pub(super) key: Key,
    copies: Vec<(String, String)>,
    pub(super) marks: Vec<(usize, Mark)>,
    pub(super) by_name: FxHashMap<u64, Vec<usize>>,
    pub(super) by_key: FxHashMap<u64, usize>,
}

impl Set {
    /// None yet.
    pub fn new(key: Key) -> Self {
        Self {
            key,
            copies: Vec::new(),
            marks: Vec::new(),
            by_name: FxHashMap::default(),
            by_key: FxHashMap::default(),
        }
    }

    /// Adds those of a copy.
    pub fn add(&mut self, marks: &Marks) {
        let copy = self.copies.len();
        self.copies.push((marks.register.clone(), marks.copy.clone()));
        for mark in &marks.canaries {
            let index = self.marks.len();
            self.by_name.entry(mark.name).or_default().push(index);
            if let Some(key) = mark.key {
                self.by_key.insert(key, index);
            }
            self.marks.push((copy, mark.clone()));
        }
    }

    /// How many canaries there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Looks at a record: all its fields, and for mail all its texts and attachments, also packed ones.
    pub fn search(
        &self,
        event: &Event<'_>,
        evidence: EvidenceId,
        findings: &mut Vec<Finding>,
    ) -> Vec<Refusal> {
        let mut seen: BTreeMap<usize, Sighting> = BTreeMap::new();
        let mut problems = Vec::new();
        let is_read = event.class == Class::DATASTORE_ACTIVITY;
        let mut walk = Walk::new(self, is_read, &mut seen, "record");
        for field in &event.fields {
            each_text(&field.value, &mut |text| walk.text(text));
        }
        walk.finish();
        if let Some(message) = &event.mail {
            for part in &message.parts {
                let label = match part.role {
                    PartRole::Text | PartRole::Html => "text",
                    PartRole::Attachment => part.name.as_deref().unwrap_or("attachment"),
                };
                problems.extend(unpack::each_text(label, &part.content, &mut |place, text| {
                    let mut walk = Walk::new(self, false, &mut seen, place);
                    walk.text(text);
                    walk.finish();
                }));
            }
        }
        if !seen.is_empty() {
            let record = Record {
                evidence,
                at: event.at,
                time: event.time,
                class: event.class,
            };
            let shared = entities::of(event);
            for mut finding in self.findings(&record, seen, is_read) {
                finding.entities.clone_from(&shared);
                findings.push(finding);
            }
        }
        problems
            .into_iter()
            .map(|reason| Refusal {
                at: event.at,
                records: 0,
                reason,
            })
            .collect()
    }

    /// Looks at a file of no known format.
    pub fn search_content(&self, content: &Content<'_>, findings: &mut Vec<Finding>) -> Vec<Refusal> {
        let mut seen = BTreeMap::new();
        let name = content.name.unwrap_or(content.label);
        let problems = unpack::each_text(name, content.bytes, &mut |place, text| {
            let mut walk = Walk::new(self, false, &mut seen, place);
            walk.text(text);
            walk.finish();
        });
        let record = Record {
            evidence: content.evidence,
            at: content.at,
            time: content.time,
            class: content.class,
        };
        findings.extend(self.findings(&record, seen, false));
        problems
            .into_iter()
            .map(|reason| Refusal {
                at: content.at,
                records: 0,
                reason,
            })
            .collect()
    }

    /// One finding for each copy.
    fn findings(&self, record: &Record, seen: BTreeMap<usize, Sighting>, is_read: bool) -> Vec<Finding> {
        let mut copies: BTreeMap<usize, Vec<Sighting>> = BTreeMap::new();
        for (index, sighting) in seen {
            if let Some((copy, _)) = self.marks.get(index) {
                copies.entry(*copy).or_default().push(sighting);
            }
        }
        let made = copies.into_iter().filter_map(|(copy, sightings)| {
            let (register, name) = self.copies.get(copy)?;
            let numbers: Vec<String> = sightings
                .iter()
                .take(30)
                .map(|seen| seen.number.to_string())
                .collect();
            let places: BTreeSet<&str> = sightings.iter().map(|seen| seen.place.as_str()).collect();
            let how = if is_read {
                "was asked for in a database"
            } else {
                "was seen"
            };
            Some(Finding {
                id: FindingId::new(CODE, CODE, record.evidence, record.at, name),
                code: CODE.to_owned(),
                rule_id: CODE.to_owned(),
                title: format!("An invented elector of copy {name} of {register} {how}"),
                severity: if is_read {
                    Severity::High
                } else {
                    Severity::Critical
                },
                time: record.time,
                evidence: record.evidence,
                at: record.at,
                class: record.class.0,
                attack: vec!["T1213".to_owned()],
                reasons: vec![
                    Reason::new("copy", name),
                    Reason::new("register", register),
                    Reason::new(
                        "canaries",
                        &format!("{} of this copy: numbers {}", sightings.len(), numbers.join(", ")),
                    ),
                    Reason::new(
                        "where",
                        &places.into_iter().take(10).collect::<Vec<_>>().join(", "),
                    ),
                ],
                entities: Vec::new(),
            })
        });
        made.collect()
    }
}

struct Record {
    evidence: EvidenceId,
    at: Position,
    time: Timestamp,
    class: Class,
}

fn each_text(value: &Value<'_>, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::Str(text) => visit(text),
        Value::Int(number) => visit(&number.to_string()),
        Value::List(values) => values.iter().for_each(|value| each_text(value, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::io::Write as _;

    use super::*;
    use crate::canary::{detection, invent};

    fn sample() -> (Vec<String>, Vec<Vec<String>>) {
        let header = [
            "elector_no",
            "surname",
            "first_name",
            "street",
            "town",
            "postcode",
            "birth_date",
            "e-mail",
        ];
        let surnames = ["Berg", "van der Lund", "Åström", "Dahl", "Vik", "Nes"];
        let first = ["Anna", "Carl", "Ída", "Jon", "Kari", "Ola Nordahl"];
        let rows = (0..400_usize)
            .map(|n| {
                vec![
                    (100_200 + n * 37).to_string(),
                    format!(
                        "{}{}",
                        surnames[n % 6],
                        ["", "sen", "nes", "by", "stad"][n / 6 % 5]
                    ),
                    format!(
                        "{}{}",
                        first[(n * 5 + n / 12) % 6],
                        ["", "line", "mari", "o"][n * 7 / 30 % 4]
                    ),
                    format!(
                        "{} {} Lane",
                        n % 90 + 1,
                        ["Harbour", "Mill", "Church", "Forest", "Station"][n * 7 % 5]
                    ),
                    format!("Town{}", n * 11 % 40),
                    format!("NI{}", 4_000 + n * 13 % 200),
                    format!("19{}-0{}-1{}", 40 + n * 17 % 60, 1 + n % 9, n % 10),
                    "a@b.example".to_owned(),
                ]
            })
            .collect();
        (header.map(str::to_owned).to_vec(), rows)
    }

    fn made() -> (Set, Vec<Vec<String>>) {
        let (header, rows) = sample();
        let key = Key::parse("00112233445566778899aabbccddeeff").unwrap();
        assert_eq!(Key::parse(&key.to_hex()), Some(key));
        let invented = invent(
            &header,
            &rows,
            ("Roll", "printer"),
            5,
            Some((500_000, 599_999)),
            key,
        )
        .unwrap();
        assert_eq!(invented.left_empty, ["e-mail"]);
        assert_eq!(invented.records.len(), 5);
        for record in &invented.records {
            let is_in_sample = |row: &Vec<String>| row[1] == record[1] && row[2] == record[2];
            assert!(!rows.iter().any(is_in_sample), "{record:?}");
            assert!(record[0].starts_with('5') && record[7].is_empty());
        }
        let stored = serde_json::to_string(&invented.marks).unwrap();
        assert!(!stored.contains(&invented.records[0][1]), "{stored}");
        let mut set = Set::new(key);
        set.add(&invented.marks);
        let other = invent(&header, &rows, ("Roll", "party-b"), 5, None, key).unwrap();
        assert_ne!(other.records[0][1..3], invented.records[0][1..3]);
        set.add(&other.marks);
        (set, invented.records)
    }

    fn look(set: &Set, bytes: &[u8]) -> Vec<String> {
        let mut findings = Vec::new();
        set.search_content(
            &Content::file(EvidenceId::default(), Some("x"), bytes),
            &mut findings,
        );
        findings
            .iter()
            .map(|finding| {
                finding
                    .reasons
                    .iter()
                    .map(|reason| reason.value.as_str())
                    .collect::<Vec<_>>()
                    .join("; ")
            })
            .collect()
    }

    #[test]
    fn a_record_is_known_in_any_shape() {
        let (set, records) = made();
        let [no, last, first, street, town, postcode, birth, _] = &records[2][..] else {
            panic!()
        };
        let shapes = [
            format!("{no},{last},{first},{street},{town},{postcode},{birth}\n"),
            format!(
                "INSERT INTO e VALUES ('{first}','{last}','{street}', '{town}', '{postcode}', '{birth}');"
            ),
            format!(
                "<tr><td>{first}</td><td>{}</td><td>{street}</td><td>{town}</td><td>{postcode}</td><td>{birth}</td></tr>",
                last.to_uppercase()
            ),
            format!("Dear {first} {last},\n{street}\n{town} {postcode}\nborn {birth}, elector {no}"),
            format!("\"{postcode}\"\t\"{town}\"\t\"{last}\"\t\"{first}\"\t{street}\t{birth}"),
        ];
        for text in &shapes {
            let hidden = format!(
                "{}{text}{}",
                "Ordinary Words 4711 ".repeat(500),
                " and more of them".repeat(500)
            );
            assert_eq!(
                look(&set, hidden.as_bytes()),
                ["printer; Roll; 1 of this copy: numbers 3; x"],
                "{text}"
            );
        }
        assert_eq!(
            look(&set, format!("{first} {last}").as_bytes()),
            [""; 0],
            "a name alone is nobody"
        );
        assert_eq!(
            look(&set, format!("{last} {street} {town} {postcode}").as_bytes()),
            [""; 0]
        );
    }

    #[test]
    fn a_record_is_known_in_archives_in_archives() {
        let (set, records) = made();
        let mut zipped = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        zipped
            .start_file("dump/roll.csv", zip::write::SimpleFileOptions::default())
            .unwrap();
        for number in 0..20_000 {
            writeln!(zipped, "{number},Berg,Anna,{number} Harbour Lane,Town,NI1").unwrap();
        }
        writeln!(zipped, "{}", records[0].join(",")).unwrap();
        let zipped = zipped.finish().unwrap().into_inner();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&zipped).unwrap();
        let found = look(&set, &packed.finish().unwrap());
        assert_eq!(
            found,
            ["printer; Roll; 1 of this copy: numbers 1; x/dump/roll.csv"]
        );
        let mut findings = Vec::new();
        let cut = Content::file(EvidenceId::default(), None, &zipped[..zipped.len() / 2]);
        assert_eq!(set.search_content(&cut, &mut findings).len(), 1);
    }

    #[test]
    fn the_chance_of_seeing_a_leak() {
        assert!((detection(30, 0.095) - 0.95).abs() < 0.001);
        assert_eq!((detection(0, 0.5), detection(9, 1.0)), (0.0, 1.0));
    }
}
