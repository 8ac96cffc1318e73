//! How well techniques and software tell actors apart, measured on MITRE ATT&CK.
//!
//! `cargo run --release -p blackrod-attribution -- enterprise-attack-18.1.json`
//!
//! Strict past: each report that speaks of one group is an incident, to be told from what reports at least 90 days older say. The
//! weights are fitted on the incidents of four fifths of the groups and tested on those of the last fifth, five times; how much
//! the techniques of an actor's software count for is chosen on the same four fifths, by mean reciprocal rank. Nothing is
//! chosen on what is tested.

mod fit;
mod incidents;
mod measure;

use std::collections::BTreeMap;

use anyhow::Context as _;
use blackrod_judge::actors::{Actor, Actors, Attack, Bundle, FeatureKind, Listed, Tempering, state_in};
use blackrod_judge::assess::{Priors, suspects};
use blackrod_model::Sha256;
use fit::{Choice, TERMS};
use incidents::Incident;
use measure::{Merit, auroc};

const FOLDS: u8 = 5;

/// Half of what an actor does is what anybody does: fixed, not chosen. Choosing it on the folds from 0.4, 0.6 and 0.8 gave, with campaigns left
/// out, a mean reciprocal rank of 0.44 (by log loss) and 0.48 (by rank), for the same figures on the strict past.
const COMMON: [f64; 3] = [0.5; 3];

/// Weight of what an actor's software does: what is chosen among.
const VIA_SOFTWARE: [f64; 4] = [0.0, 0.1, 0.2, 0.3];

fn main() -> anyhow::Result<()> {
    let path = std::env::args()
        .nth(1)
        .context("usage: attribution ATT&CK-BUNDLE.json")?;
    let json = std::fs::read(&path).with_context(|| format!("cannot read {path}"))?;
    let bundle = Bundle::parse(&json)?;
    println!(
        "ATT&CK of {}: {} groups, {} attributed campaigns, {} dated reports",
        bundle.modified,
        bundle.groups.len(),
        bundle.campaigns.len(),
        bundle.reports.len()
    );
    let states = states(&bundle);

    println!("\nStrict past, one report = one incident, true group among the candidates, folds by group");
    let both = Folded::new(&bundle, &FeatureKind::ALL);
    both.print("techniques and software", &states);
    Folded::new(&bundle, &[FeatureKind::Technique]).print("techniques only", &states);
    Folded::new(&bundle, &[FeatureKind::Tool, FeatureKind::Malware]).print("software only", &states);

    println!(
        "\nLeave one campaign out: its own statements and all that rest on the reports it cites are taken out,\nof the profiles and of what the weights are fitted to"
    );
    campaigns_out(&bundle, &both);

    println!("  the same under every setting, for comparison (none of these was used to choose):");
    for (setting, _) in both.grid.iter().enumerate() {
        let weights = fit::fit(&both.grid[setting].iter().collect::<Vec<_>>()).weights;
        let incidents = incidents::one_campaign_out(&bundle, VIA_SOFTWARE[setting]);
        let answers: Vec<(Vec<f64>, usize)> = incidents
            .iter()
            .filter_map(|incident| {
                let choice = Choice::new(incident, COMMON);
                Some((choice.probabilities(&weights), incident.truth?))
            })
            .collect();
        println!(
            "    via software {}: MRR {:.3}",
            VIA_SOFTWARE[setting],
            Merit::of(&answers).mrr
        );
    }

    println!("\nWith the product's own weights, priors and caps (assess), techniques and software");
    as_the_product_does(&bundle);

    let fitted = fit::fit(&both.grid[both.chosen_on_all].iter().collect::<Vec<_>>());
    let (weights, loss) = (fitted.weights, fitted.log_loss);
    println!(
        "\nWeights on all incidents (what Tempering::FITTED should hold; log loss in sample {loss:.3}): technique {:.2}, tool {:.2}, \
         malware {:.2}, reports {:.2}, age {:.2}, size {:.2}; via software {:.1}",
        weights[0],
        weights[1],
        weights[2],
        weights[3],
        weights[4],
        weights[5],
        VIA_SOFTWARE[both.chosen_on_all],
    );
    let held = fit::weights_of(&Tempering::FITTED);
    println!("Tempering::FITTED holds {held:.2?}");
    Ok(())
}

/// The state that ATT&CK's description of each group names first.
fn states(bundle: &Bundle) -> BTreeMap<String, &'static str> {
    let named = |(id, group): (&String, &blackrod_judge::actors::Group)| {
        Some((id.clone(), state_in(&group.description)?))
    };
    bundle.groups.iter().filter_map(named).collect()
}

/// Incidents with the weights that were fitted without their group's fold.
struct Folded {
    /// By setting: the choices, the same incidents in the same order.
    grid: Vec<Vec<Choice>>,
    /// By fold: the chosen setting and its weights.
    chosen: Vec<(usize, [f64; TERMS])>,
    chosen_on_all: usize,
    incidents: Vec<Incident>,
}

/// Which fold a group is in: by its name's digest, so that it does not depend on the order of anything.
fn fold_of(group: &str) -> u8 {
    Sha256::of(group.as_bytes()).0[0] % FOLDS
}

/// The setting that ranks best on the choices that are `in` the training set, with the weights fitted to them.
fn best(grid: &[Vec<Choice>], is_in: &dyn Fn(&Choice) -> bool) -> (usize, [f64; TERMS]) {
    grid.iter()
        .enumerate()
        .map(|(setting, choices)| {
            let training: Vec<&Choice> = choices.iter().filter(|choice| is_in(choice)).collect();
            (setting, fit::fit(&training))
        })
        .max_by(|a, b| a.1.mrr.total_cmp(&b.1.mrr))
        .map_or((0, [0.0; TERMS]), |(setting, fitted)| (setting, fitted.weights))
}

impl Folded {
    fn new(bundle: &Bundle, kinds: &[FeatureKind]) -> Self {
        let mut grid = Vec::new();
        let mut incidents = Vec::new();
        for via in VIA_SOFTWARE {
            incidents = incidents::strict_past(bundle, kinds, via);
            grid.push(
                incidents
                    .iter()
                    .map(|incident| Choice::new(incident, COMMON))
                    .collect::<Vec<_>>(),
            );
        }
        let chosen = (0..FOLDS)
            .map(|fold| best(&grid, &|choice| fold_of(&choice.group) != fold))
            .collect();
        let chosen_on_all = best(&grid, &|_| true).0;
        Self {
            grid,
            chosen,
            chosen_on_all,
            incidents,
        }
    }

    /// Setting and weights that were chosen without `group`'s fold.
    fn without(&self, group: &str) -> (usize, [f64; TERMS]) {
        self.chosen[usize::from(fold_of(group))]
    }

    fn print(&self, what: &str, states: &BTreeMap<String, &'static str>) {
        let mut answers = Vec::new();
        let (mut of_known, mut of_removed, mut of_absent) = (Vec::new(), Vec::new(), Vec::new());
        let mut right_state = 0;
        let mut stated = 0;
        for (at, incident) in self.incidents.iter().enumerate() {
            let (setting, weights) = self.without(&incident.group);
            let choice = &self.grid[setting][at];
            let scores: Vec<f64> = choice
                .terms
                .iter()
                .map(|terms| fit::dot(terms, &weights))
                .collect();
            // An unknown actor of whom nothing is known scores 0 on all evidence: the sum of all candidates' weights is the bar it meets.
            let prior = |terms: &[f64; TERMS]| {
                terms[3..]
                    .iter()
                    .zip(&weights[3..])
                    .map(|(t, w)| t * w)
                    .sum::<f64>()
                    .exp()
            };
            let known_share = |leave: Option<usize>| {
                let kept = || {
                    choice
                        .terms
                        .iter()
                        .enumerate()
                        .filter(move |(place, _)| Some(*place) != leave)
                };
                let priors: f64 = kept().map(|(_, terms)| prior(terms)).sum();
                let after: f64 = kept().map(|(_, terms)| fit::dot(terms, &weights).exp()).sum();
                after / (after + priors)
            };
            match choice.truth {
                Some(truth) => {
                    let probabilities = choice.probabilities(&weights);
                    if let Some(state) = states.get(&incident.group) {
                        stated += 1;
                        right_state += usize::from(
                            likeliest_state(&choice.names, &probabilities, states) == Some(state),
                        );
                    }
                    answers.push((probabilities, truth));
                    of_known.push(known_share(None));
                    of_removed.push(known_share(Some(truth)));
                }
                None if incident.truth.is_none() && !scores.is_empty() => of_absent.push(known_share(None)),
                None => {}
            }
        }
        println!("{}", Merit::of(&answers).line(what));
        println!(
            "  open set, AUROC of known against the same with the true group removed {:.3}; against incidents of groups not yet known {:.3} (n {})",
            auroc(&of_known, &of_removed),
            auroc(&of_known, &of_absent),
            of_absent.len()
        );
        println!(
            "  state right {:.3} (n {stated})",
            right_state as f64 / f64::from(u32::try_from(stated.max(1)).unwrap_or(1))
        );
        let settings: Vec<String> = self
            .chosen
            .iter()
            .map(|(setting, weights)| format!("via software {} {weights:.2?}", VIA_SOFTWARE[*setting]))
            .collect();
        println!("  chosen on the other four fifths: {}", settings.join("; "));
    }
}

fn likeliest_state<'s>(
    names: &[String],
    probabilities: &[f64],
    states: &'s BTreeMap<String, &'static str>,
) -> Option<&'s &'static str> {
    let mut sums: BTreeMap<&&'static str, f64> = BTreeMap::new();
    for (name, probability) in names.iter().zip(probabilities) {
        if let Some(state) = states.get(name) {
            *sums.entry(state).or_default() += probability;
        }
    }
    sums.into_iter()
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .map(|(state, _)| state)
}

fn campaigns_out(bundle: &Bundle, strict_past: &Folded) {
    let by_setting: Vec<Vec<Incident>> = VIA_SOFTWARE
        .iter()
        .map(|via| incidents::one_campaign_out(bundle, *via))
        .collect();
    let Some(first) = by_setting.first() else { return };
    let mut answers = Vec::new();
    let mut gone = 0;
    for (at, incident) in first.iter().enumerate() {
        // The reports that tell of the campaign are taken out of what the weights are fitted to, too.
        let (setting, weights) = best(&strict_past.grid, &|choice| {
            choice.reports.is_disjoint(&incident.reports)
        });
        let incident = &by_setting[setting][at];
        let choice = Choice::new(incident, COMMON);
        match incident.truth {
            Some(truth) => answers.push((choice.probabilities(&weights), truth)),
            None => gone += 1,
        }
    }
    let merit = Merit::of(&answers);
    println!("{}", merit.line("weights of all other reports"));
    let all = answers.len() + gone;
    println!(
        "  of all {all} campaigns, {gone} whose group then has no profile counted as missed: MRR {:.3}",
        merit.mrr * answers.len() as f64 / all.max(1) as f64
    );
}

/// What `assess` would say from techniques and software, with the true group among the profiles and with it removed.
fn as_the_product_does(bundle: &Bundle) {
    let incidents = incidents::strict_past(bundle, &FeatureKind::ALL, Tempering::FITTED.via_software);
    let mut names = Tally::default();
    let (mut removed, mut not_yet) = (Tally::default(), Tally::default());
    for incident in &incidents {
        let say = |leave: Option<usize>| {
            let actors = actors_of(bundle, incident, leave);
            suspects(&actors, &incident.features, incident.day, &Priors::default())
        };
        match incident.truth {
            Some(truth) if incident.is_known => {
                names.add(&say(None), Some(&incident.group));
                removed.add(&say(Some(truth)), None);
            }
            None => not_yet.add(&say(None), None),
            Some(_) => {}
        }
    }
    names.print("true group among the profiles");
    removed.print("true group removed from the profiles");
    not_yet.print("group not yet known at the time");
}

#[derive(Default)]
struct Tally {
    count: usize,
    unknown_first: usize,
    unknown_above_half: usize,
    right_first: usize,
    other_first: usize,
    other_above_half: usize,
    other_likely: usize,
}

impl Tally {
    fn add(&mut self, suspects: &blackrod_judge::assess::Suspects, truth: Option<&String>) {
        let top = suspects.groups.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let Some((group, probability)) = top else { return };
        self.count += 1;
        let is_right = truth == Some(group);
        let unknown = suspects.unknown + suspects.false_flag;
        self.unknown_first += usize::from(unknown >= *probability);
        self.unknown_above_half += usize::from(unknown >= 0.5);
        self.right_first += usize::from(is_right && *probability > unknown);
        self.other_first += usize::from(!is_right && *probability > unknown);
        self.other_above_half += usize::from(!is_right && *probability >= 0.5);
        self.other_likely += usize::from(!is_right && *probability >= 0.55);
    }

    fn print(&self, what: &str) {
        let share = |count: usize| count as f64 / self.count.max(1) as f64;
        println!(
            "{what:<44} n {:>3}  ends as unknown {:.3} (unknown ≥ .5: {:.3})  as the right group {:.3}  as somebody else {:.3} \
             (≥ .5: {:.3}; \"likely\" or more: {:.3})",
            self.count,
            share(self.unknown_first),
            share(self.unknown_above_half),
            share(self.right_first),
            share(self.other_first),
            share(self.other_above_half),
            share(self.other_likely),
        );
    }
}

/// Profiles as of the incident, as the product holds them.
fn actors_of(bundle: &Bundle, incident: &Incident, leave: Option<usize>) -> Actors {
    let kept = incident
        .profiles
        .iter()
        .enumerate()
        .filter(|(place, _)| Some(*place) != leave);
    let actors = kept
        .map(|(_, known)| {
            let of_kind = |kind: FeatureKind, own: bool| {
                known
                    .features
                    .iter()
                    .filter(move |(_, (weight, of))| *of == kind.index() && (*weight >= 1.0) == own)
                    .map(|(id, _)| id.clone())
            };
            let listed = |id: String| Listed { name: id.clone(), id };
            let description = bundle
                .groups
                .get(&known.id)
                .map_or("", |group| group.description.as_str());
            Actor {
                id: known.id.clone(),
                attack: Some(Attack {
                    id: known.id.clone(),
                    reports: known.reports,
                    last_report: known.nearest_report.map(|day| day.to_iso()).unwrap_or_default(),
                    state: state_in(description).map(str::to_owned),
                    techniques: of_kind(FeatureKind::Technique, true).collect(),
                    tools: of_kind(FeatureKind::Tool, true).map(listed).collect(),
                    malware: of_kind(FeatureKind::Malware, true).map(listed).collect(),
                    via_software: of_kind(FeatureKind::Technique, false).collect(),
                    ..Attack::default()
                }),
                motive: blackrod_judge::actors::motive_in(description).to_owned(),
                ..Actor::default()
            }
        })
        .collect();
    Actors::new(actors, BTreeMap::new())
}
