//! Incidents out of ATT&CK: what one dated report, or one campaign, says that one group used; and what was known of all groups
//! without it.

use std::collections::{BTreeMap, BTreeSet};

use blackrod_judge::actors::{Bundle, Day, FeatureKind, Knowledge, Known, Use};

/// A report counts as known this many days after it was published.
const LAG_DAYS: i64 = 90;

/// An incident has at least this many features, and so does the group's profile where the group counts as known.
const MIN_FEATURES: usize = 5;

/// Whose doing an incident was, what was seen, and what is to be told apart.
pub(crate) struct Incident {
    /// The group behind it.
    pub(crate) group: String,
    /// The reports that tell of it.
    pub(crate) reports: BTreeSet<String>,
    /// When it was reported, or last seen.
    pub(crate) day: Option<Day>,
    /// What was seen.
    pub(crate) features: Vec<(String, FeatureKind)>,
    /// What is known of each group without this incident.
    pub(crate) profiles: Vec<Known>,
    /// The group's place among them; `None` where nothing is known of it.
    pub(crate) truth: Option<usize>,
    /// Whether enough is known of the group to count as a candidate that could be found.
    pub(crate) is_known: bool,
}

impl Incident {
    /// How common everything is among the profiles.
    pub(crate) fn knowledge(&self, common: [f64; 3]) -> Knowledge {
        Knowledge::new(self.profiles.clone(), common)
    }
}

/// One cited report that speaks of one group only is one incident; what is known is what reports at least 90 days older say.
pub(crate) fn strict_past(bundle: &Bundle, kinds: &[FeatureKind], via_software: f64) -> Vec<Incident> {
    let mut seen: BTreeMap<&str, ByGroup<'_>> = BTreeMap::new();
    for used in &bundle.uses {
        let Some(group) = used.group.as_deref() else {
            continue;
        };
        for report in &used.reports {
            let of_report = seen.entry(report).or_default();
            of_report
                .entry(group)
                .or_default()
                .insert((&used.feature, used.kind));
        }
    }
    let mut incidents = Vec::new();
    for (report, groups) in &seen {
        let (Some(day), Some((group, features))) = (bundle.reports.get(*report), groups.first_key_value())
        else {
            continue;
        };
        let features: Vec<(String, FeatureKind)> = features
            .iter()
            .filter(|(_, kind)| kinds.contains(kind))
            .map(|(id, kind)| ((*id).to_owned(), *kind))
            .collect();
        if groups.len() > 1 || features.len() < MIN_FEATURES {
            continue;
        }
        let is_past = |name: &str| {
            let published = bundle.reports.get(name);
            name != *report && published.is_some_and(|published| day.0 - published.0 >= LAG_DAYS)
        };
        let is_past_day = |first: Option<Day>| first.is_some_and(|first| day.0 - first.0 >= LAG_DAYS);
        let profiles = profiles(
            bundle,
            kinds,
            via_software,
            *day,
            &|used| {
                let past: BTreeSet<&str> = used
                    .reports
                    .iter()
                    .map(String::as_str)
                    .filter(|name| is_past(name))
                    .collect();
                (!past.is_empty()).then_some(past)
            },
            &|technique| is_past_day(technique.first),
        );
        let reports = BTreeSet::from([(*report).to_owned()]);
        incidents.push(incident(group, reports, Some(*day), features, profiles));
    }
    incidents
}

/// Each attributed campaign is one incident; its own statements, and all that rest on no other report than those it cites, are
/// taken out of what is known.
pub(crate) fn one_campaign_out(bundle: &Bundle, via_software: f64) -> Vec<Incident> {
    let mut incidents = Vec::new();
    for campaign in bundle.campaigns.values() {
        let of_campaign = |used: &&Use| used.campaign.as_deref() == Some(&campaign.id);
        let features: BTreeSet<(String, FeatureKind)> = bundle
            .uses
            .iter()
            .filter(of_campaign)
            .map(|used| (used.feature.clone(), used.kind))
            .collect();
        if !features.iter().any(|(_, kind)| *kind == FeatureKind::Technique) {
            continue;
        }
        let mut cited = campaign.citations.clone();
        cited.extend(
            bundle
                .uses
                .iter()
                .filter(of_campaign)
                .flat_map(|used| used.reports.iter().cloned()),
        );
        let day = campaign.last_seen.unwrap_or(Day(20_000));
        let profiles = profiles(
            bundle,
            &FeatureKind::ALL,
            via_software,
            day,
            &|used| {
                let left: BTreeSet<&str> = used
                    .reports
                    .iter()
                    .filter(|name| !cited.contains(*name))
                    .map(String::as_str)
                    .collect();
                let stays = !of_campaign(&used) && (used.reports.is_empty() || !left.is_empty());
                stays.then_some(left)
            },
            &|technique| technique.reports.is_empty() || !technique.reports.is_subset(&cited),
        );
        let features = features.into_iter().collect();
        incidents.push(incident(
            &campaign.group,
            cited,
            campaign.last_seen,
            features,
            profiles,
        ));
    }
    incidents
}

fn incident(
    group: &str,
    reports: BTreeSet<String>,
    day: Option<Day>,
    features: Vec<(String, FeatureKind)>,
    profiles: Vec<Known>,
) -> Incident {
    let truth = profiles.iter().position(|known| known.id == group);
    let own = |known: &Known| {
        known
            .features
            .values()
            .filter(|(weight, _)| *weight >= 1.0)
            .count()
    };
    let is_known = truth
        .and_then(|at| profiles.get(at))
        .is_some_and(|known| own(known) >= MIN_FEATURES);
    Incident {
        group: group.to_owned(),
        reports,
        day,
        features,
        profiles,
        truth,
        is_known,
    }
}

/// What one report says that each group used.
type ByGroup<'a> = BTreeMap<&'a str, BTreeSet<(&'a str, FeatureKind)>>;

/// The reports that are left of those cited, where the statement counts.
type Left<'a> = Option<BTreeSet<&'a str>>;

fn profiles<'b>(
    bundle: &'b Bundle,
    kinds: &[FeatureKind],
    via_software: f64,
    day: Day,
    left: &dyn Fn(&'b Use) -> Left<'b>,
    is_known_of_software: &dyn Fn(&blackrod_judge::actors::SoftwareTechnique) -> bool,
) -> Vec<Known> {
    let mut known: BTreeMap<&str, (Known, BTreeSet<&str>)> = BTreeMap::new();
    for used in bundle.uses.iter().filter(|used| kinds.contains(&used.kind)) {
        let (Some(group), Some(reports)) = (used.group.as_deref(), left(used)) else {
            continue;
        };
        let entry = known.entry(group).or_default();
        entry.0.add(&used.feature, used.kind, 1.0);
        entry.1.extend(reports);
    }
    let software: Vec<(&str, Vec<&str>)> = bundle
        .software
        .iter()
        .map(|(id, software)| {
            let techniques = software
                .techniques
                .iter()
                .filter(|technique| is_known_of_software(technique));
            (
                id.as_str(),
                techniques.map(|technique| technique.technique.as_str()).collect(),
            )
        })
        .collect();
    let software: BTreeMap<&str, Vec<&str>> = software.into_iter().collect();
    known
        .into_iter()
        .map(|(id, (mut known, reports))| {
            if via_software > 0.0 && kinds.contains(&FeatureKind::Technique) {
                let used: Vec<String> = known.features.keys().cloned().collect();
                for technique in used.iter().filter_map(|id| software.get(id.as_str())).flatten() {
                    known.add(technique, FeatureKind::Technique, via_software);
                }
            }
            known.id = id.to_owned();
            known.reports = reports.len();
            let days = reports.iter().filter_map(|name| bundle.reports.get(*name));
            known.nearest_report = days.min_by_key(|published| (published.0 - day.0).abs()).copied();
            known
        })
        .collect()
}
