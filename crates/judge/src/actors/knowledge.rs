//! How much likelier an actor makes what was seen: ratios learned from who is reported to use what.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::bundle::FeatureKind;
use super::day::Day;

/// What is known of one actor at one time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// What it is called here.
    pub id: String,
    /// What it is reported to use: 1; what its software does: less ([`Tempering::via_software`]).
    pub features: BTreeMap<String, (f64, usize)>,
    /// By how many reports.
    pub reports: usize,
    /// When the report nearest in time was published.
    pub nearest_report: Option<Day>,
}

impl Known {
    /// Notes that the actor uses `feature`, or that its software does where `weight` is below 1.
    pub fn add(&mut self, feature: &str, kind: FeatureKind, weight: f64) {
        let entry = self
            .features
            .entry(feature.to_owned())
            .or_insert((0.0, kind.index()));
        entry.0 = entry.0.max(weight);
    }
}

/// How far the numbers that are learned from reports are believed.
///
/// The exponents are those of a conditional logit over the actors, fitted on ATT&CK v18.1 by
/// `benches/attribution`: each incident is one dated report, and what is known of the actors is what reports at least 90 days older
/// say. Techniques of one incident hang together, so each counts for less than its ratio says (an exponent below 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tempering {
    /// Exponents on likelihood ratios: of a technique, a tool, malware.
    pub exponents: [f64; 3],
    /// Exponent on the number of reports about an actor.
    pub reports: f64,
    /// Exponent on the time since the nearest report, in years (half a year added).
    pub age: f64,
    /// Exponent on how much an actor is reported to use.
    pub size: f64,
    /// Share of what an actor does that anybody does (Jelinek and Mercer, 1980): technique, tool, malware.
    pub common: [f64; 3],
    /// How much of a technique of an actor's software is taken to be the actor's.
    pub via_software: f64,
}

impl Tempering {
    /// As fitted on all incidents; the figures in `benches/README.md` are from fits without those tested.
    pub const FITTED: Self = Self {
        exponents: [0.41, 0.46, 1.15],
        reports: 0.28,
        age: -0.85,
        size: 0.17,
        common: [0.5; 3],
        via_software: 0.1,
    };
}

/// What is known of all actors at one time, and how common everything is among them.
#[derive(Clone, Debug)]
pub struct Knowledge {
    actors: Vec<Known>,
    /// For each actor the sum of its weights by kind.
    sizes: Vec<[f64; 3]>,
    /// For each feature the sum of its weights over all actors.
    among_all: FxHashMap<String, (f64, usize)>,
    totals: [f64; 3],
    common: [f64; 3],
}

impl Knowledge {
    /// Counts.
    pub fn new(actors: Vec<Known>, common: [f64; 3]) -> Self {
        let mut knowledge = Self {
            sizes: Vec::with_capacity(actors.len()),
            among_all: FxHashMap::default(),
            totals: [0.0; 3],
            common,
            actors: Vec::new(),
        };
        for actor in &actors {
            let mut size = [0.0; 3];
            for (feature, (weight, kind)) in &actor.features {
                let kind = (*kind).min(2);
                size[kind] += weight;
                knowledge.totals[kind] += weight;
                knowledge
                    .among_all
                    .entry(feature.clone())
                    .or_insert((0.0, kind))
                    .0 += weight;
            }
            knowledge.sizes.push(size);
        }
        knowledge.actors = actors;
        knowledge
    }

    /// The actors, in the order in which they were given.
    pub fn actors(&self) -> &[Known] {
        &self.actors
    }

    /// How many actors are known to use `feature` by themselves.
    pub fn shared_by(&self, feature: &str) -> usize {
        let has = |actor: &&Known| {
            actor
                .features
                .get(feature)
                .is_some_and(|(weight, _)| *weight >= 1.0)
        };
        self.actors.iter().filter(has).count()
    }

    /// What kind of thing `feature` is; `None` where no actor is known to use it.
    pub fn kind(&self, feature: &str) -> Option<FeatureKind> {
        let (_, kind) = self.among_all.get(feature)?;
        FeatureKind::ALL.get(*kind).copied()
    }

    /// How much likelier `feature` is of the actor with this index than of anybody: a natural logarithm, not tempered.
    pub fn ln_ratio(&self, actor: usize, feature: &str, kind: FeatureKind) -> f64 {
        let kind = kind.index();
        let (Some(known), Some(size)) = (self.actors.get(actor), self.sizes.get(actor)) else {
            return 0.0;
        };
        let among_all = self.among_all.get(feature).map_or(0.0, |(weight, _)| *weight);
        let anybody = (among_all + 0.5) / (self.totals[kind] + 1.0);
        let weight = known.features.get(feature).map_or(0.0, |(weight, _)| *weight);
        let own = if size[kind] > 0.0 {
            weight / size[kind]
        } else {
            0.0
        };
        let common = self.common[kind];
        (((1.0 - common) * own + common * anybody) / anybody).ln()
    }

    /// The summands of an actor's weight before anything is seen, not yet multiplied with their exponents: logarithms of its reports,
    /// of the years since the nearest to `day`, and of how much is known of it.
    pub fn prior_terms(&self, actor: usize, day: Option<Day>) -> [f64; 3] {
        let (Some(known), Some(size)) = (self.actors.get(actor), self.sizes.get(actor)) else {
            return [0.0; 3];
        };
        let days = match (day, known.nearest_report) {
            (Some(day), Some(report)) => (day.0 - report.0).abs(),
            // Nothing dated: as if ten years ago.
            _ => 3_650,
        };
        [
            (known.reports.max(1) as f64).ln(),
            ((days + 180) as f64 / 365.0).ln(),
            (1.0 + size.iter().sum::<f64>()).ln(),
        ]
    }

    /// The tempered logarithm of an actor's weight before anything is seen.
    pub fn ln_prior(&self, actor: usize, day: Option<Day>, tempering: &Tempering) -> f64 {
        let [reports, age, size] = self.prior_terms(actor, day);
        tempering.reports * reports + tempering.age * age + tempering.size * size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(id: &str, techniques: &[&str]) -> Known {
        let mut known = Known {
            id: id.to_owned(),
            reports: 1,
            ..Known::default()
        };
        for technique in techniques {
            known.add(technique, FeatureKind::Technique, 1.0);
        }
        known
    }

    #[test]
    fn the_rarer_what_is_shared_the_more_it_says() {
        let mut actors = vec![known("a", &["T1", "T2"])];
        actors.extend((0..20).map(|n| known(&format!("b{n}"), &["T2", "T3"])));
        let knowledge = Knowledge::new(actors, [0.6, 0.5, 0.5]);
        let ratio = |feature| knowledge.ln_ratio(0, feature, FeatureKind::Technique);
        assert!(ratio("T1") > ratio("T2"));
        assert!(ratio("T3") < 0.0);
        // What nobody was ever seen to do speaks for no one in particular.
        let unseen = knowledge.ln_ratio(0, "T9", FeatureKind::Technique);
        assert!((unseen - knowledge.ln_ratio(5, "T9", FeatureKind::Technique)).abs() < 1e-12);
    }
}
