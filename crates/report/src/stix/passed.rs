//! What partners said, passed on as they said it.

use std::collections::HashSet;

use blackrod_model::{Campaign, PartnerSaid};
use serde_json::{Value, json};

use super::Bundle;
use super::marking::Tlp;
use crate::partners;

impl Bundle<'_> {
    /// Adds what partners said of what the findings of a campaign name, as it came, where its marking allows what goes out to be
    /// marked as it is; ties it to the campaign. Returns the ids of it.
    pub(super) fn add_partners(&mut self, campaign_id: &str, campaign: &Campaign) -> Vec<String> {
        let own: HashSet<_> = campaign.findings.iter().collect();
        let view = self.view;
        let findings = view.findings.iter().filter(|finding| own.contains(&finding.id));
        let mut added = Vec::new();
        for said in partners::of_findings(view.remarks, findings) {
            let Some((tlp, object)) = passable(said, self.tlp) else {
                continue;
            };
            if self.ids.insert(tlp.id().to_owned()) {
                self.objects.push(tlp.definition());
            }
            if self.ids.insert(said.id.clone()) {
                self.objects.push(object);
            }
            added.push(said.id.clone());
            // A sighting is a relationship itself and can be no end of one.
            if said.kind != "sighting" {
                let words = "The partner's object hangs together with something that was seen in this campaign. It carries no judgement of ours.";
                self.relate(
                    campaign_id,
                    "related-to",
                    &said.id,
                    json!({ "description": words }),
                );
            }
        }
        added
    }
}

/// The object and its marking, where it may be passed on with `tlp`: not to more people than its maker allows, and not without any
/// marking; and only where it is STIX 2.1.
fn passable(said: &PartnerSaid, tlp: Tlp) -> Option<(Tlp, Value)> {
    let own = Tlp::from_name(&said.tlp).filter(|own| *own <= tlp)?;
    let object: Value = serde_json::from_str(&said.object).ok()?;
    let is_whole = object["spec_version"] == "2.1"
        && ["created", "modified"].iter().all(|key| object[*key].is_string())
        && is_id(&said.id, &said.kind);
    is_whole.then_some((own, object))
}

/// `report--` and a UUID.
fn is_id(id: &str, kind: &str) -> bool {
    let uuid = id.strip_prefix(kind).and_then(|rest| rest.strip_prefix("--"));
    uuid.is_some_and(|uuid| {
        uuid.len() == 36
            && uuid.bytes().enumerate().all(|(place, byte)| match place {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_further_than_its_maker_allows() {
        let id = "report--0a1b2c3d-0000-4000-8000-000000000001";
        let said = |tlp: &str| PartnerSaid {
            id: id.to_owned(),
            kind: "report".to_owned(),
            tlp: tlp.to_owned(),
            object: json!({"spec_version": "2.1", "id": id, "created": "x", "modified": "y"}).to_string(),
            ..PartnerSaid::default()
        };
        assert!(passable(&said("green"), Tlp::Green).is_some());
        assert!(passable(&said("green"), Tlp::Amber).is_some());
        assert!(passable(&said("amber"), Tlp::Green).is_none());
        assert!(passable(&said("red"), Tlp::AmberStrict).is_none());
        assert!(
            passable(&said(""), Tlp::Red).is_none(),
            "what is not marked stays here"
        );
        let mut broken = said("clear");
        broken.object = "{}".to_owned();
        assert!(passable(&broken, Tlp::Red).is_none());
    }
}
