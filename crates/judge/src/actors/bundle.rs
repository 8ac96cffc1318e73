//! MITRE ATT&CK as a STIX 2.0 or 2.1 bundle: who is reported to use what, by which report, and when.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::day::Day;

/// The most bytes of a bundle that are read; ATT&CK Enterprise has about 30 MB.
const MAX_BYTES: usize = 256 << 20;

/// Why a bundle cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// More than 256 MB.
    #[error("the bundle has {0} bytes; at most 256 MB are read")]
    TooLarge(usize),
    /// No JSON, or no bundle of STIX objects.
    #[error("not a STIX bundle: {0}")]
    NotStix(#[from] serde_json::Error),
    /// A bundle of something else.
    #[error("the bundle has no intrusion sets with techniques: it is not ATT&CK")]
    NotAttack,
}

/// What a group can be seen to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FeatureKind {
    /// A technique or sub-technique.
    Technique,
    /// Software that is public or sold: `tool` in ATT&CK.
    Tool,
    /// Software made for attacks: `malware` in ATT&CK.
    Malware,
}

impl FeatureKind {
    /// All kinds, in the order of their indices.
    pub const ALL: [Self; 3] = [Self::Technique, Self::Tool, Self::Malware];

    /// 0, 1 or 2.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// A group of ATT&CK.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// `G0128`.
    pub id: String,
    /// Its name in ATT&CK.
    pub name: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// What ATT&CK says of it.
    pub description: String,
}

/// A campaign that ATT&CK attributes to a group.
#[derive(Clone, Debug, PartialEq)]
pub struct AttributedCampaign {
    /// `C0049`.
    pub id: String,
    /// The group, `G0065`.
    pub group: String,
    /// When it was last seen.
    pub last_seen: Option<Day>,
    /// The names of the reports that it cites.
    pub citations: BTreeSet<String>,
}

/// One statement that a group, or a campaign attributed to it, uses something.
#[derive(Clone, Debug, PartialEq)]
pub struct Use {
    /// The group; `None` for a campaign that is attributed to nobody.
    pub group: Option<String>,
    /// The campaign that the statement is about, where it is about one.
    pub campaign: Option<String>,
    /// The technique (`T1598.003`) or software (`S0154`).
    pub feature: String,
    /// What kind of thing that is.
    pub kind: FeatureKind,
    /// The names of the reports that are cited for it.
    pub reports: BTreeSet<String>,
}

/// A technique that a piece of software uses.
#[derive(Clone, Debug, PartialEq)]
pub struct SoftwareTechnique {
    /// `T1105`.
    pub technique: String,
    /// The names of the reports that are cited for it.
    pub reports: BTreeSet<String>,
    /// When the earliest of them was published.
    pub first: Option<Day>,
}

/// A piece of software.
#[derive(Clone, Debug, PartialEq)]
pub struct Software {
    /// Its names, the first one first.
    pub names: Vec<String>,
    /// Tool or malware.
    pub kind: FeatureKind,
    /// What it is known to do.
    pub techniques: Vec<SoftwareTechnique>,
}

/// What a bundle says, without what is revoked or deprecated.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// By id.
    pub groups: BTreeMap<String, Group>,
    /// The attributed campaigns, by id.
    pub campaigns: BTreeMap<String, AttributedCampaign>,
    /// All statements of use by groups and campaigns.
    pub uses: Vec<Use>,
    /// By id.
    pub software: BTreeMap<String, Software>,
    /// When each cited report was published, by its name.
    pub reports: BTreeMap<String, Day>,
    /// The greatest `modified` of its groups: how new it is, `2025-10-24`.
    pub modified: String,
}

impl Bundle {
    /// Reads a bundle.
    ///
    /// # Errors
    ///
    /// [`BundleError`].
    pub fn parse(json: &[u8]) -> Result<Self, BundleError> {
        if json.len() > MAX_BYTES {
            return Err(BundleError::TooLarge(json.len()));
        }
        let read: Read = serde_json::from_slice(json)?;
        let bundle = read.sort_out();
        match bundle.groups.is_empty() || bundle.uses.is_empty() {
            true => Err(BundleError::NotAttack),
            false => Ok(bundle),
        }
    }
}

#[derive(Deserialize)]
struct Read {
    objects: Vec<Object>,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "type")]
    kind: String,
    id: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default, rename = "x_mitre_aliases")]
    software_names: Vec<String>,
    #[serde(default)]
    revoked: bool,
    #[serde(default, rename = "x_mitre_deprecated")]
    deprecated: bool,
    #[serde(default)]
    modified: String,
    #[serde(default)]
    last_seen: Option<String>,
    #[serde(default)]
    relationship_type: String,
    #[serde(default)]
    source_ref: String,
    #[serde(default)]
    target_ref: String,
    #[serde(default)]
    external_references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default)]
    source_name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    external_id: Option<String>,
}

impl Object {
    fn attack_id(&self) -> Option<&str> {
        let of_attack = self
            .external_references
            .iter()
            .find(|reference| reference.source_name == "mitre-attack");
        of_attack?.external_id.as_deref()
    }

    fn citations(&self) -> BTreeSet<String> {
        let cited = self.external_references.iter();
        cited
            .filter(|reference| reference.source_name != "mitre-attack")
            .map(|reference| reference.source_name.clone())
            .collect()
    }

    fn feature_kind(&self) -> Option<FeatureKind> {
        match self.kind.as_str() {
            "attack-pattern" => Some(FeatureKind::Technique),
            "tool" => Some(FeatureKind::Tool),
            "malware" => Some(FeatureKind::Malware),
            _ => None,
        }
    }
}

impl Read {
    fn sort_out(self) -> Bundle {
        let live: Vec<Object> = self
            .objects
            .into_iter()
            .filter(|object| !object.revoked && !object.deprecated)
            .collect();
        let by_id: BTreeMap<&str, &Object> = live.iter().map(|object| (object.id.as_str(), object)).collect();
        let attack_id = |stix: &str| {
            by_id
                .get(stix)
                .and_then(|object| object.attack_id())
                .map(str::to_owned)
        };
        let relations = || live.iter().filter(|object| object.kind == "relationship");
        let attributed: BTreeMap<&str, String> = relations()
            .filter(|relation| relation.relationship_type == "attributed-to")
            .filter_map(|relation| Some((relation.source_ref.as_str(), attack_id(&relation.target_ref)?)))
            .collect();

        let mut bundle = Bundle::default();
        for object in &live {
            bundle.add_object(object, &attributed);
        }
        for relation in relations().filter(|relation| relation.relationship_type == "uses") {
            let (Some(source), Some(target)) = (
                by_id.get(relation.source_ref.as_str()),
                by_id.get(relation.target_ref.as_str()),
            ) else {
                continue;
            };
            bundle.add_use(relation, source, target, &attributed);
        }
        bundle
    }
}

impl Bundle {
    fn add_object(&mut self, object: &Object, attributed: &BTreeMap<&str, String>) {
        let Some(id) = object.attack_id().map(str::to_owned) else {
            return;
        };
        match object.kind.as_str() {
            "intrusion-set" => {
                self.modified = self
                    .modified
                    .clone()
                    .max(object.modified.chars().take(10).collect());
                let group = Group {
                    id: id.clone(),
                    name: object.name.clone(),
                    aliases: object.aliases.clone(),
                    description: object.description.clone(),
                };
                self.groups.insert(id, group);
            }
            "campaign" => {
                if let Some(group) = attributed.get(object.id.as_str()) {
                    let campaign = AttributedCampaign {
                        id: id.clone(),
                        group: group.clone(),
                        last_seen: object.last_seen.as_deref().and_then(Day::of_iso),
                        citations: object.citations(),
                    };
                    self.campaigns.insert(id, campaign);
                }
            }
            "tool" | "malware" => {
                let mut names = vec![object.name.clone()];
                names.extend(
                    object
                        .software_names
                        .iter()
                        .filter(|name| **name != object.name)
                        .cloned(),
                );
                let software = Software {
                    names,
                    kind: object.feature_kind().unwrap_or(FeatureKind::Malware),
                    techniques: Vec::new(),
                };
                self.software.insert(id, software);
            }
            _ => {}
        }
    }

    fn add_use(
        &mut self,
        relation: &Object,
        source: &Object,
        target: &Object,
        attributed: &BTreeMap<&str, String>,
    ) {
        let (Some(source_id), Some(feature), Some(kind)) =
            (source.attack_id(), target.attack_id(), target.feature_kind())
        else {
            return;
        };
        let mut dates = Vec::new();
        for reference in &relation.external_references {
            if let Some(day) = Day::of_citation(&reference.description) {
                dates.push(day);
                self.reports.entry(reference.source_name.clone()).or_insert(day);
            }
        }
        let reports = relation.citations();
        if matches!(source.kind.as_str(), "tool" | "malware") {
            if let Some(software) = self.software.get_mut(source_id) {
                software.techniques.push(SoftwareTechnique {
                    technique: feature.to_owned(),
                    reports,
                    first: dates.into_iter().min(),
                });
            }
            return;
        }
        let (group, campaign) = match source.kind.as_str() {
            "intrusion-set" => (Some(source_id.to_owned()), None),
            "campaign" => (
                attributed.get(source.id.as_str()).cloned(),
                Some(source_id.to_owned()),
            ),
            _ => return,
        };
        self.uses.push(Use {
            group,
            campaign,
            feature: feature.to_owned(),
            kind,
            reports,
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_groups_uses_and_dates_and_leaves_out_what_is_revoked() {
        let json = br#"{"type":"bundle","objects":[
          {"type":"intrusion-set","id":"intrusion-set--1","name":"A","modified":"2025-01-02T00:00:00Z",
           "external_references":[{"source_name":"mitre-attack","external_id":"G0001"}]},
          {"type":"intrusion-set","id":"intrusion-set--2","name":"B","revoked":true,
           "external_references":[{"source_name":"mitre-attack","external_id":"G0002"}]},
          {"type":"attack-pattern","id":"attack-pattern--1","name":"t",
           "external_references":[{"source_name":"mitre-attack","external_id":"T1001"}]},
          {"type":"relationship","id":"relationship--1","relationship_type":"uses",
           "source_ref":"intrusion-set--1","target_ref":"attack-pattern--1",
           "external_references":[{"source_name":"R","description":"Somebody. (2020, March 4). Title. Retrieved May 1, 2024."}]},
          {"type":"relationship","id":"relationship--2","relationship_type":"uses",
           "source_ref":"intrusion-set--2","target_ref":"attack-pattern--1"}]}"#;
        let bundle = Bundle::parse(json).unwrap();
        assert_eq!(bundle.groups.keys().collect::<Vec<_>>(), ["G0001"]);
        assert_eq!(bundle.uses.len(), 1);
        assert_eq!(bundle.uses[0].feature, "T1001");
        assert_eq!(bundle.reports["R"], Day::of_iso("2020-03-04").unwrap());
        assert_eq!(bundle.modified, "2025-01-02");
    }

    #[test]
    fn what_is_not_attack_is_refused() {
        assert!(matches!(Bundle::parse(b"[1]"), Err(BundleError::NotStix(_))));
        assert!(matches!(
            Bundle::parse(br#"{"objects":[]}"#),
            Err(BundleError::NotAttack)
        ));
    }
}
