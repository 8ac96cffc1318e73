//! Figures in words.

use blackrod_simulate::Hosts;

use crate::score::{BUDGETS, Found, Score};

/// Prints what one detector achieved.
pub(crate) fn print(name: &str, score: &Score) {
    let found = &score.campaigns;
    println!("\n{name}");
    println!("  recall, all campaigns            {}", recall(found.iter()));
    println!(
        "  recall, 6 or more recipients     {}",
        recall(found.iter().filter(|found| found.recipients >= 6))
    );
    println!(
        "  recall, 3 to 5 recipients        {}",
        recall(found.iter().filter(|found| found.recipients < 6))
    );
    for hosts in Hosts::ALL {
        println!(
            "    {:31}{}",
            hosts.name(),
            recall(found.iter().filter(|found| found.hosts == hosts))
        );
    }
    let per_messages = |count: usize| count as f64 * 100_000.0 / score.messages.max(1) as f64;
    println!(
        "  false campaigns                  {} = {:.2} per 100,000 messages, {:.2} a day; without untargeted phishing {:.2} and {:.2}",
        score.false_alerts,
        per_messages(score.false_alerts),
        score.false_alerts as f64 / score.days.max(1.0),
        per_messages(score.false_alerts - score.of_phishing),
        (score.false_alerts - score.of_phishing) as f64 / score.days.max(1.0),
    );
    let kinds: Vec<String> = score
        .false_kinds
        .iter()
        .map(|(kind, count)| format!("{kind} {count}"))
        .collect();
    println!("    mostly                         {}", kinds.join(", "));
    let mut delivered: Vec<usize> = found
        .iter()
        .filter(|found| found.is_found)
        .map(|found| found.delivered)
        .collect();
    let mut at_alert: Vec<usize> = found
        .iter()
        .filter(|found| found.is_found)
        .map(|found| found.at_alert)
        .collect();
    println!(
        "  reached at first alert           {}; recipients in the alert {}",
        middle(&mut delivered),
        middle(&mut at_alert)
    );
    for (budget, index) in BUDGETS.iter().zip(0..) {
        let within = found.iter().filter(|found| found.within[index]).count();
        println!(
            "  recall at {budget:2} alerts a day        {}",
            proportion(within, found.len())
        );
    }
    println!("  fragments {}, mixed {}", score.fragments, score.mixed);
}

/// Prints the campaigns that were missed.
pub(crate) fn print_missed(score: &Score) {
    for found in score.campaigns.iter().filter(|found| !found.is_found) {
        println!(
            "  missed: seed {} campaign {}: {}, {} recipients",
            found.seed,
            found.number,
            found.hosts.name(),
            found.recipients
        );
    }
}

fn recall<'f>(found: impl Iterator<Item = &'f Found>) -> String {
    let (mut all, mut hits) = (0, 0);
    for one in found {
        all += 1;
        hits += usize::from(one.is_found);
    }
    proportion(hits, all)
}

/// A share with its Wilson interval (1927) of 95 %.
fn proportion(hits: usize, all: usize) -> String {
    if all == 0 {
        return "none".to_owned();
    }
    let (low, high) = wilson(hits, all);
    let percent = hits as f64 * 100.0 / all as f64;
    format!(
        "{percent:5.1} % ({hits} of {all}; {:.0} to {:.0} %)",
        low * 100.0,
        high * 100.0
    )
}

fn wilson(hits: usize, all: usize) -> (f64, f64) {
    const Z: f64 = 1.959_964;
    let n = all as f64;
    let share = hits as f64 / n;
    let centre = share + Z * Z / (2.0 * n);
    let width = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (
        ((centre - width) / scale).max(0.0),
        ((centre + width) / scale).min(1.0),
    )
}

fn middle(values: &mut [usize]) -> String {
    if values.is_empty() {
        return "none".to_owned();
    }
    values.sort_unstable();
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    format!("median {}, 90 % within {}", at(0.5), at(0.9))
}

#[cfg(test)]
mod tests {
    use super::wilson;

    #[test]
    fn the_interval_is_that_of_wilson() {
        let (low, high) = wilson(81, 263);
        assert!(
            (low - 0.2553).abs() < 1e-3 && (high - 0.3662).abs() < 1e-3,
            "{low} {high}"
        );
    }
}
