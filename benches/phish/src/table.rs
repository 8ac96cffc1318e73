//! The figures.

use std::collections::{BTreeMap, BTreeSet};

use crate::corpus::Sample;

/// Rates of false alarms at which recall is told.
const RATES: [f64; 2] = [0.001, 0.01];

/// Prints everything.
pub(crate) fn print(samples: &[Sample]) {
    let phish: Vec<&Sample> = samples.iter().filter(|sample| sample.kind == "phish").collect();
    let ham: Vec<&Sample> = samples.iter().filter(|sample| sample.kind != "phish").collect();
    let kinds: BTreeSet<&str> = ham.iter().map(|sample| sample.kind.as_str()).collect();
    let ordinary: Vec<&Sample> = ham
        .iter()
        .filter(|sample| !sample.kind.starts_with("hard"))
        .copied()
        .collect();
    let hard: Vec<&Sample> = ham
        .iter()
        .filter(|sample| sample.kind.starts_with("hard"))
        .copied()
        .collect();
    for (name, negatives) in [
        ("all honest mail", &ham),
        ("ordinary mail", &ordinary),
        ("newsletters (hard ham)", &hard),
    ] {
        against(name, &phish, negatives);
    }
    println!("\nfalse alarms by kind at the thresholds for all honest mail");
    for rate in RATES {
        let threshold = threshold(&ham, rate);
        for kind in &kinds {
            let of_kind: Vec<&Sample> = ham
                .iter()
                .filter(|sample| sample.kind == *kind)
                .copied()
                .collect();
            println!(
                "  {:>4.1} %  {kind:14} {}",
                rate * 100.0,
                share(&of_kind, threshold)
            );
        }
    }
    signals(&phish, &ordinary, &hard);
}

fn against(name: &str, phish: &[&Sample], negatives: &[&Sample]) {
    println!(
        "\nagainst {name}: {} messages, AUC {:.3}",
        negatives.len(),
        auc(phish, negatives)
    );
    for rate in RATES {
        let threshold = threshold(negatives, rate);
        println!(
            "  at most {:.1} % false alarms (score above {threshold:.2}, {} seen)",
            rate * 100.0,
            share(negatives, threshold)
        );
        println!("    recall, all      {}", share(phish, threshold));
        let years: BTreeSet<i32> = phish.iter().map(|sample| sample.year).collect();
        for year in years {
            let of_year: Vec<&Sample> = phish
                .iter()
                .filter(|sample| sample.year == year)
                .copied()
                .collect();
            println!("    recall, {year:<8} {}", share(&of_year, threshold));
        }
        println!(
            "    recall, a cluster counting once: {:.1} % of {}",
            by_cluster(phish, threshold).0,
            by_cluster(phish, threshold).1
        );
        let english: Vec<&Sample> = phish
            .iter()
            .filter(|sample| sample.facts.text.language.as_deref() == Some("eng"))
            .copied()
            .collect();
        println!("    recall, English  {}", share(&english, threshold));
    }
}

/// The score above which at most `rate` of `negatives` lie.
fn threshold(negatives: &[&Sample], rate: f64) -> f64 {
    let mut scores: Vec<f64> = negatives.iter().map(|sample| sample.score).collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    let allowed = (rate * scores.len() as f64).floor() as usize;
    scores.get(allowed).copied().unwrap_or(0.0)
}

/// How many lie above, with Wilson's interval at 95 %.
fn share(samples: &[&Sample], threshold: f64) -> String {
    let above = samples.iter().filter(|sample| sample.score > threshold).count();
    let (low, high) = wilson(above, samples.len());
    format!(
        "{:5.1} % ({:.1}-{:.1}; {above} of {})",
        percent(above, samples.len()),
        low * 100.0,
        high * 100.0,
        samples.len()
    )
}

fn percent(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 * 100.0 / whole as f64
    }
}

fn wilson(hits: usize, trials: usize) -> (f64, f64) {
    const Z: f64 = 1.96;
    if trials == 0 {
        return (0.0, 1.0);
    }
    let n = trials as f64;
    let p = hits as f64 / n;
    let middle = p + Z * Z / (2.0 * n);
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((middle - spread) / scale).max(0.0), (middle + spread) / scale)
}

/// The chance that a phishing message scores above an honest one.
fn auc(phish: &[&Sample], negatives: &[&Sample]) -> f64 {
    let mut scores: Vec<f64> = negatives.iter().map(|sample| sample.score).collect();
    scores.sort_by(f64::total_cmp);
    let wins: f64 = phish
        .iter()
        .map(|sample| {
            let below = scores.partition_point(|score| *score < sample.score);
            let not_above = scores.partition_point(|score| *score <= sample.score);
            (below + not_above) as f64 / 2.0
        })
        .sum();
    wins / (phish.len().max(1) * scores.len().max(1)) as f64
}

/// Mean recall over clusters, in percent, and their number. Messages are one cluster that share the words of their subject or
/// the domain of their sender and its display name.
fn by_cluster(phish: &[&Sample], threshold: f64) -> (f64, usize) {
    let mut parent: Vec<usize> = (0..phish.len()).collect();
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    for (at, sample) in phish.iter().enumerate() {
        let subject: String = sample
            .facts
            .subject
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphabetic())
            .collect();
        let domain = sample.facts.from.rsplit('@').next().unwrap_or_default();
        let keys = [
            format!("s {subject}"),
            format!("f {} {domain}", sample.facts.from_name.to_lowercase()),
        ];
        for key in keys {
            let other = *first.entry(key).or_insert(at);
            let (a, b) = (root(&mut parent, at), root(&mut parent, other));
            if let Some(slot) = parent.get_mut(a) {
                *slot = b;
            }
        }
    }
    let mut clusters: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
    for (at, sample) in phish.iter().enumerate() {
        let cluster = clusters.entry(root(&mut parent, at)).or_default();
        cluster.0 += usize::from(sample.score > threshold);
        cluster.1 += 1;
    }
    let sum: f64 = clusters.values().map(|(hits, size)| percent(*hits, *size)).sum();
    (sum / clusters.len().max(1) as f64, clusters.len())
}

fn root(parent: &mut [usize], mut at: usize) -> usize {
    while let Some(&up) = parent.get(at) {
        if up == at {
            break;
        }
        at = up;
    }
    at
}

fn signals(phish: &[&Sample], ordinary: &[&Sample], hard: &[&Sample]) {
    println!("\nsignals that count, in percent of messages: phishing, ordinary, newsletters");
    let codes: BTreeSet<&str> = [phish, ordinary, hard]
        .iter()
        .flat_map(|side| side.iter())
        .flat_map(|sample| sample.counted.iter().map(String::as_str))
        .collect();
    let rate = |side: &[&Sample], code: &str| {
        percent(
            side.iter()
                .filter(|sample| sample.counted.iter().any(|counted| counted == code))
                .count(),
            side.len(),
        )
    };
    let mut rows: Vec<(f64, f64, f64, &str)> = codes
        .into_iter()
        .map(|code| (rate(phish, code), rate(ordinary, code), rate(hard, code), code))
        .collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (phish, ordinary, hard, code) in rows {
        println!("  {phish:5.1} {ordinary:5.1} {hard:5.1}  {code}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_s_interval_is_as_published() {
        let (low, high) = wilson(2, 2080);
        assert!(
            (low - 0.000_26).abs() < 0.000_02 && (high - 0.003_5).abs() < 0.000_05,
            "{low} {high}"
        );
    }
}
