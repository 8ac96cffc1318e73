//! What a campaign's foreign infrastructure looks like, as indicators with patterns.

use std::net::IpAddr;

use blackrod_model::{Action, Campaign, Entity, EntityKind};
use serde_json::json;

use super::{Bundle, id, time};
use crate::shown;

/// The most indicators of one campaign.
const MAX_INDICATORS: usize = 200;

impl Bundle<'_> {
    /// Adds indicators, sightings and infrastructure for what ties the campaign; returns the indicators' ids.
    pub(super) fn add_indicators(&mut self, campaign: &Campaign, campaign_id: &str) -> Vec<String> {
        let own: Vec<String> = self
            .view
            .organisations
            .iter()
            .flat_map(|organisation| organisation.domains.iter().cloned())
            .collect();
        let foreign = campaign.ties.iter().filter(|tie| !is_own(&tie.entity, &own));
        let mut indicators = Vec::new();
        for tie in foreign.take(MAX_INDICATORS) {
            let Some(pattern) = pattern(&tie.entity) else {
                continue;
            };
            let value = shown::line_of(&tie.entity.value, 300).into_owned();
            let properties = json!({
                "name": format!("{} {value}", tie.entity.kind.name().replace('_', " ")),
                "description": format!("Seen in {} findings of one campaign.", tie.findings),
                "indicator_types": ["malicious-activity"],
                "pattern": pattern,
                "pattern_type": "stix",
                "pattern_version": "2.1",
                "valid_from": time(campaign.first_seen).unwrap_or_else(|| self.made.clone()),
            });
            let indicator = self.add("indicator", id("indicator", &[&pattern]), properties);
            self.relate(&indicator, "indicates", campaign_id, json!({}));
            let sighting = json!({
                "sighting_of_ref": indicator,
                "where_sighted_refs": [self.author],
                "count": tie.findings,
                "first_seen": time(campaign.first_seen),
                "last_seen": time(campaign.last_seen),
            });
            self.add("sighting", id("sighting", &[&indicator, campaign_id]), sighting);
            if matches!(tie.entity.kind, EntityKind::Ip | EntityKind::Domain) {
                let infrastructure = json!({ "name": value, "infrastructure_types": ["unknown"] });
                let infrastructure = self.add(
                    "infrastructure",
                    id("infrastructure", &[&tie.entity.value]),
                    infrastructure,
                );
                self.relate(campaign_id, "uses", &infrastructure, json!({}));
                self.relate(&indicator, "indicates", &infrastructure, json!({}));
            }
            indicators.push(indicator);
        }
        indicators
    }
}

impl Bundle<'_> {
    /// Adds an indicator of what an action blocks.
    pub(super) fn add_block(&mut self, action: &Action) {
        let kind = match action.measure.as_str() {
            "block/sender" => EntityKind::Address,
            "block/domain" => EntityKind::Domain,
            _ => EntityKind::Ip,
        };
        let Some(entity) = Entity::new(kind, &action.subject) else {
            return;
        };
        let Some(pattern) = pattern(&entity) else { return };
        let properties = json!({
            "name": format!("{} {}", kind.name().replace('_', " "), shown::line_of(&entity.value, 300)),
            "description": format!("Blocking is {}. {}.", action.state().name(), shown::line_of(&action.why, 600)),
            "indicator_types": ["malicious-activity"],
            "pattern": pattern,
            "pattern_type": "stix",
            "pattern_version": "2.1",
            "valid_from": self.made,
        });
        self.add("indicator", id("indicator", &[&pattern]), properties);
    }
}

/// Whether it is the estate's: a name below one of its domains, an address that is not routed.
fn is_own(entity: &Entity, own: &[String]) -> bool {
    let value = entity.value.as_str();
    let host = match entity.kind {
        EntityKind::Address => value.rsplit_once('@').map_or(value, |(_, domain)| domain),
        EntityKind::Url => value
            .split("://")
            .nth(1)
            .and_then(|rest| rest.split(['/', ':', '?']).next())
            .unwrap_or(value),
        _ => value,
    };
    let is_below = |domain: &String| {
        let rest = host.strip_suffix(domain.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    let is_private = match host.parse() {
        Ok(IpAddr::V4(address)) => {
            address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
        }
        Ok(IpAddr::V6(address)) => {
            address.is_loopback()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_unspecified()
        }
        Err(_) => false,
    };
    is_private || own.iter().any(is_below)
}

/// A STIX pattern; none for what names somebody or something of the estate.
fn pattern(entity: &Entity) -> Option<String> {
    let value = entity.value.as_str();
    let quoted = value.replace('\\', "\\\\").replace('\'', "\\'");
    let is_hex = |length| value.len() == length && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    let path = match entity.kind {
        EntityKind::Ip => match value.parse().ok()? {
            IpAddr::V4(_) => "ipv4-addr:value",
            IpAddr::V6(_) => "ipv6-addr:value",
        },
        EntityKind::Domain => "domain-name:value",
        EntityKind::Url => "url:value",
        EntityKind::Address => "email-addr:value",
        EntityKind::Hash if is_hex(64) => "file:hashes.'SHA-256'",
        EntityKind::Hash if is_hex(40) => "file:hashes.'SHA-1'",
        EntityKind::Hash if is_hex(32) => "file:hashes.MD5",
        _ => return None,
    };
    // A line feed or a control character has no place in a pattern that others will run.
    let is_plain = !value.chars().any(char::is_control);
    is_plain.then(|| format!("[{path} = '{quoted}']"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_the_estates_own_stays_at_home() {
        let own = vec!["parliament.example".to_owned()];
        let is_own_one = |kind, value: &str| is_own(&Entity::new(kind, value).unwrap(), &own);
        assert!(is_own_one(EntityKind::Address, "anna@parliament.example"));
        assert!(is_own_one(EntityKind::Domain, "mail.parliament.example"));
        assert!(is_own_one(
            EntityKind::Url,
            "https://intranet.parliament.example/x"
        ));
        assert!(is_own_one(EntityKind::Ip, "10.1.2.3"));
        assert!(!is_own_one(EntityKind::Domain, "notparliament.example"));
        assert!(!is_own_one(EntityKind::Ip, "203.0.113.7"));
    }

    #[test]
    fn patterns_are_quoted() {
        let entity = Entity::new(EntityKind::Url, "http://x.example/a'b\\c").unwrap();
        assert_eq!(
            pattern(&entity).unwrap(),
            "[url:value = 'http://x.example/a\\'b\\\\c']"
        );
        assert!(pattern(&Entity::new(EntityKind::Account, "anna").unwrap()).is_none());
    }
}
