//! A case as a STIX 2.1 bundle (OASIS, 2021), for partners.
//!
//! It names no person, account or host of the estate, whatever its marking: what goes out is how they work, their infrastructure, and
//! what is judged. Identifiers follow from content, so that a second export of the same case updates the first. What STIX has no words
//! for (hypotheses, likelihood ratios, ceilings) is in a property extension: `docs/stix-assessment.md`.

mod indicators;
mod marking;
mod passed;

pub use marking::Tlp;

use std::collections::BTreeSet;

use blackrod_model::assessment::{Assessment, Judgement, Likelihood, Question, Scale};
use blackrod_model::{Action, ActionKind, Campaign, Sha256, Technique, Timestamp};
use serde_json::{Map, Value, json};

use crate::{CaseView, shown, words};

/// Names the property extension; the same in every export.
const EXTENSION: &str = "extension-definition--8a6f0f4e-52a1-4b7c-9b43-1f5f2a1c7d10";

/// Where the extension is described.
const EXTENSION_SCHEMA: &str = "https://github.com/blackrod/blackrod/blob/main/docs/stix-assessment.md";

/// The most campaigns that are told.
const MAX_CAMPAIGNS: usize = 200;

/// The case as a bundle, marked `tlp`.
pub fn stix(view: &CaseView<'_>, tlp: Tlp) -> Value {
    let mut bundle = Bundle::new(view, tlp);
    for campaign in view.campaigns.iter().take(MAX_CAMPAIGNS) {
        let assessment = view.assessments.iter().find(|one| one.campaign == campaign.id);
        bundle.add_campaign(campaign, assessment);
    }
    bundle.finish()
}

/// Indicators of what is to be blocked, of the actions that are wanted, for partners.
pub fn stix_blocks(view: &CaseView<'_>, tlp: Tlp, is_wanted: &dyn Fn(&Action) -> bool) -> Value {
    let mut bundle = Bundle::new(view, tlp);
    let blocks = view
        .plan
        .actions
        .iter()
        .filter(|one| one.kind == ActionKind::Block);
    for action in blocks.filter(|action| is_wanted(action)) {
        bundle.add_block(action);
    }
    bundle.finish()
}

/// Objects that are being put together.
struct Bundle<'v> {
    view: &'v CaseView<'v>,
    tlp: Tlp,
    made: String,
    author: String,
    objects: Vec<Value>,
    ids: BTreeSet<String>,
}

impl<'v> Bundle<'v> {
    fn new(view: &'v CaseView<'v>, tlp: Tlp) -> Self {
        let made = version_time(view.generated).unwrap_or_else(|| "1970-01-01T00:00:00.000Z".to_owned());
        let mut bundle = Self {
            view,
            tlp,
            made,
            author: id("identity", &[view.estate]),
            objects: Vec::new(),
            ids: BTreeSet::new(),
        };
        let name = match view.estate {
            "" => "An institution".to_owned(),
            estate => shown::line_of(estate, 200).into_owned(),
        };
        bundle.ids.insert(tlp.id().to_owned());
        bundle.objects.push(tlp.definition());
        let author = bundle.author.clone();
        bundle.add(
            "identity",
            author,
            json!({ "name": name, "identity_class": "organization", "sectors": ["government"] }),
        );
        let extension = json!({
            "name": "blackrod assessment",
            "description": "Judgements on a campaign with their probabilities, the hypotheses they were weighed among, the evidence with its \
                            likelihood ratios, and the ceilings that apply.",
            "schema": EXTENSION_SCHEMA,
            "version": "1.0.0",
            "extension_types": ["property-extension"],
        });
        bundle.add("extension-definition", EXTENSION.to_owned(), extension);
        bundle
    }

    /// Adds an object with what all have in common; one with the same id only once. Returns its id.
    fn add(&mut self, kind: &str, id: String, properties: Value) -> String {
        if !self.ids.insert(id.clone()) {
            return id;
        }
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(kind));
        object.insert("spec_version".to_owned(), json!("2.1"));
        object.insert("id".to_owned(), json!(id));
        if kind != "identity" {
            object.insert("created_by_ref".to_owned(), json!(self.author));
        }
        object.insert("created".to_owned(), json!(self.made));
        object.insert("modified".to_owned(), json!(self.made));
        object.insert("object_marking_refs".to_owned(), json!([self.tlp.id()]));
        if let Some(Value::Object(properties)) = stated(properties) {
            object.extend(properties);
        }
        self.objects.push(Value::Object(object));
        id
    }

    fn relate(&mut self, source: &str, kind: &str, target: &str, properties: Value) -> String {
        let mut all = json!({ "relationship_type": kind, "source_ref": source, "target_ref": target });
        if let (Value::Object(all), Value::Object(properties)) = (&mut all, properties) {
            all.extend(properties);
        }
        self.add("relationship", id("relationship", &[source, kind, target]), all)
    }

    fn add_campaign(&mut self, campaign: &Campaign, assessment: Option<&Assessment>) {
        let name = format!("Campaign {}", shown::line_of(campaign.id.as_str(), 60));
        let before = self.objects.len();
        let mut properties = json!({
            "name": name,
            "description": format!("{} of findings that are tied to each other; {}.", words::counted(campaign.findings.len() as u64, "record"), span(campaign)),
            "first_seen": time(campaign.first_seen),
            "last_seen": time(campaign.last_seen),
        });
        if let (Some(assessment), Value::Object(properties)) = (assessment, &mut properties) {
            properties.insert(
                "extensions".to_owned(),
                json!({ EXTENSION: extension(assessment, self.tlp) }),
            );
            if let Some(done) = assessment
                .on(Question::Done)
                .map(|judgement| judgement.probability)
                .reduce(f64::max)
            {
                properties.insert("confidence".to_owned(), json!(percent(done)));
            }
        }
        let campaign_id = self.add("campaign", id("campaign", &[campaign.id.as_str()]), properties);
        let incident = json!({ "name": format!("Incident of {name}"), "description": "What the campaign did at the institution that reports it." });
        let incident_id = self.add("incident", id("incident", &[campaign.id.as_str()]), incident);
        self.relate(&incident_id, "related-to", &campaign_id, json!({}));

        for technique in &campaign.attack {
            self.add_technique(&campaign_id, technique);
        }
        let indicators = self.add_indicators(campaign, &campaign_id);
        if let Some(assessment) = assessment {
            self.add_judgements(assessment, &campaign_id);
        }
        let said = self.add_partners(&campaign_id, campaign);
        if !indicators.is_empty() {
            let grouping = json!({ "name": format!("Indicators of {name}"), "context": "suspicious-activity", "object_refs": indicators });
            self.add("grouping", id("grouping", &[campaign.id.as_str()]), grouping);
        }
        let refs: BTreeSet<String> = self.objects[before..]
            .iter()
            .filter_map(|object| Some(object.get("id")?.as_str()?.to_owned()))
            .collect();
        // What partners said may stand in the bundle for an earlier campaign already.
        let mut refs: Vec<String> = refs.into_iter().chain(said).collect();
        refs.sort_unstable();
        refs.dedup();
        if refs.is_empty() {
            refs.push(campaign_id);
        }
        let report = json!({
            "name": format!("Assessment of {name}"),
            "description": assessment.map(statement),
            "report_types": ["campaign"],
            "published": time(self.view.generated).unwrap_or_else(|| self.made.clone()),
            "object_refs": refs,
        });
        self.add("report", id("report", &[campaign.id.as_str()]), report);
    }

    fn add_technique(&mut self, campaign: &str, technique: &str) {
        let Some(parsed) = Technique::parse(technique) else {
            return;
        };
        let phases: Vec<Value> = parsed
            .tactics()
            .iter()
            .map(|tactic| json!({ "kill_chain_name": "mitre-attack", "phase_name": tactic.name().to_lowercase().replace(' ', "-") }))
            .collect();
        let properties = json!({
            "name": parsed.name().unwrap_or(technique),
            // A URL would have to come with a digest of what is behind it.
            "external_references": [{ "source_name": "mitre-attack", "external_id": technique }],
            "kill_chain_phases": if phases.is_empty() { Value::Null } else { json!(phases) },
        });
        let technique = self.add("attack-pattern", id("attack-pattern", &[technique]), properties);
        self.relate(campaign, "uses", &technique, json!({}));
    }

    fn add_judgements(&mut self, assessment: &Assessment, campaign: &str) {
        for judgement in &assessment.judgements {
            let note = json!({
                "abstract": judgement.question.heading(),
                "content": format!("{} {}", judgement.sentence(Scale::Phia), judgement.confidence_line()),
                "object_refs": [campaign],
                "confidence": judgement.confidence.stix(),
            });
            self.add("note", id("note", &[campaign, &judgement.about]), note);
        }
        let leading = |prefix: &str| {
            assessment
                .hypotheses
                .iter()
                .find(|hypothesis| hypothesis.id.starts_with(prefix))
        };
        let about =
            |question, about: &str| assessment.on(question).find(|judgement| judgement.about == about);
        if let (Some(judgement), Some(group)) = (about(Question::Group, "group"), leading("group/")) {
            let properties = json!({ "name": group.name, "confidence": percent(judgement.probability) });
            let actor = self.add(
                "intrusion-set",
                id("intrusion-set", &[&group.id, campaign]),
                properties,
            );
            self.attribute(campaign, &actor, judgement);
        }
        let state = assessment
            .hypotheses
            .iter()
            .filter_map(|hypothesis| hypothesis.state.as_deref())
            .next();
        if let (Some(judgement), Some(state)) = (about(Question::State, "state"), state) {
            let properties = json!({
                "name": judgement.statement,
                "threat_actor_types": ["nation-state"],
                "confidence": percent(judgement.probability),
            });
            let actor = self.add("threat-actor", id("threat-actor", &[state, campaign]), properties);
            self.attribute(campaign, &actor, judgement);
        }
    }

    fn attribute(&mut self, campaign: &str, actor: &str, judgement: &Judgement) {
        let relation = json!({ "confidence": percent(judgement.probability), "description": judgement.sentence(Scale::Phia) });
        let relation = self.relate(campaign, "attributed-to", actor, relation);
        let opinion = match percent(judgement.probability) {
            80.. => "strongly-agree",
            55..80 => "agree",
            40..55 => "neutral",
            10..40 => "disagree",
            0..10 => "strongly-disagree",
        };
        let properties = json!({
            "opinion": opinion,
            "explanation": format!("{} {}", judgement.sentence(Scale::Phia), judgement.confidence_line()),
            "object_refs": [relation],
        });
        self.add("opinion", id("opinion", &[&relation]), properties);
    }

    fn finish(self) -> Value {
        let ids: Vec<&str> = self
            .objects
            .iter()
            .filter_map(|object| object.get("id")?.as_str())
            .collect();
        json!({ "type": "bundle", "id": id("bundle", &[self.view.case, &self.made, &ids.join(" ")]), "objects": self.objects })
    }
}

/// What the extension holds; items say in words what analysts wrote, which leaves the house only where the marking keeps it close.
fn extension(assessment: &Assessment, tlp: Tlp) -> Value {
    let judgements: Vec<Value> = assessment
        .judgements
        .iter()
        .map(|judgement| {
            json!({
                "question": judgement.question,
                "about": judgement.about,
                "statement": judgement.statement,
                "probability": judgement.probability,
                "word_phia": Likelihood::of(judgement.probability, Scale::Phia).word,
                "word_icd203": Likelihood::of(judgement.probability, Scale::Icd203).word,
                "confidence": judgement.confidence,
                "why": judgement.why,
                "items": judgement.items,
            })
        })
        .collect();
    let items: Vec<Value> = assessment
        .items
        .iter()
        .map(|item| {
            json!({
                "id": if tlp.is_close() { item.id.as_str() } else { item.class.name() },
                "class": item.class,
                "claim": Some(&item.claim).filter(|_| tlp.is_close()),
                "grade": item.grade,
                "forgeable": item.forgeable,
                "ln_ratios": item.ln_ratios,
            })
        })
        .collect();
    json!({
        "extension_type": "property-extension",
        "judgements": judgements,
        "hypotheses": assessment.hypotheses,
        "items": items,
        "ceilings": assessment.ceilings,
        "profiles": assessment.profiles,
    })
}

/// Without properties that say nothing: STIX has neither null nor empty lists (STIX 2.1 2.9, 2.11).
fn stated(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(all) => {
            let all: Vec<Value> = all.into_iter().filter_map(stated).collect();
            (!all.is_empty()).then_some(Value::Array(all))
        }
        Value::Object(properties) => {
            let properties = properties.into_iter();
            let stated = properties.filter_map(|(name, value)| Some((name, stated(value)?)));
            Some(Value::Object(stated.collect()))
        }
        other => Some(other),
    }
}

/// The sentences of a judgement, one after the other.
fn statement(assessment: &Assessment) -> String {
    let sentences: Vec<String> = assessment
        .judgements
        .iter()
        .map(|judgement| judgement.sentence(Scale::Phia))
        .collect();
    sentences.join(" ")
}

fn span(campaign: &Campaign) -> String {
    words::span(campaign.first_seen, campaign.last_seen)
}

fn percent(probability: f64) -> u8 {
    Likelihood::of(probability, Scale::Stix).percent
}

/// `2021-01-22T09:30:00.25Z`, without a fraction that is zero; nothing where unknown.
fn time(time: Timestamp) -> Option<String> {
    let whole = words::format(time, "%Y-%m-%dT%H:%M:%S.%6f")?;
    Some(format!("{}Z", whole.trim_end_matches('0').trim_end_matches('.')))
}

/// `2021-01-22T09:30:00.250Z`: `created` and `modified` have exactly three digits.
fn version_time(time: Timestamp) -> Option<String> {
    words::format(time, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

/// Puts objects of others into a bundle, whose id follows from theirs.
pub fn bundle_of(objects: Vec<Value>) -> Value {
    let ids: Vec<&str> = objects
        .iter()
        .filter_map(|object| object.get("id")?.as_str())
        .collect();
    json!({ "type": "bundle", "id": id("bundle", &ids), "objects": objects })
}

/// An identifier that follows from content, in the form of a UUID of version 4, which STIX recommends for all but observables.
fn id(kind: &str, parts: &[&str]) -> String {
    let all = std::iter::once(kind)
        .chain(parts.iter().copied())
        .map(str::as_bytes);
    let mut bytes = [0_u8; 16];
    for (byte, digest) in bytes.iter_mut().zip(Sha256::of_parts(all).0) {
        *byte = digest;
    }
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "{kind}--{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_nothing_is_left_out() {
        let given = json!({ "a": [], "b": { "c": null, "d": [[], 1] }, "e": "" });
        assert_eq!(stated(given), Some(json!({ "b": { "d": [1] }, "e": "" })));
    }
}
