//! What it weighs that two sources share something, in nats.

use blackrod_model::mail::TextSketch;

use super::features::{self, Family};
use super::sketch::Frequency;
use super::source::{Relation, Shared, Source};

/// Texts that share less than this tie nothing.
pub(super) const SIMILAR: f32 = 0.35;
/// How many kinds of families there are.
const KINDS: u8 = 6;
/// How much a family counts that is not the strongest of its kind.
const FURTHER: f64 = 0.4;
/// What speaks against one sender when two organisations each stand under a name and a domain of their own.
const APART: f64 = 3.0;
/// The same where one writes a letter at a time and the other one letter to all.
const OTHER_MANNER: f64 = 2.0;
/// Further senders of the same words that make these count half.
const WRITTEN_BY_MANY: f32 = 6.0;

/// What sharing a value of this family says, where `others` senders beside the two (or their clusters) share it too; `known`:
/// how well it is known what is common. Only texts speak for themselves.
pub(super) fn weight_of(family: Family, others: f64, senders: f64, known: f64) -> f64 {
    let manner = family.manner();
    let rarity = ((senders + 1.0) / (others + 0.3)).ln().max(0.0);
    let crowd = if others < 1.0 { 1.0 } else { 1.0 / others.sqrt() };
    let known = if family == Family::Text { 1.0 } else { known };
    (rarity * manner.reliance + manner.unique * crowd) * known
}

/// What all that two sources share weighs: of families of one kind the strongest counts whole, the others in part.
pub(super) fn weight_of_shared(shared: &Shared) -> f64 {
    let strongest = |kind: u8| {
        let of_kind = shared.iter().filter(|(family, _)| family.kind() == kind);
        of_kind.map(|(_, weight)| *weight).fold(0.0, f32::max)
    };
    let all: f64 = shared.iter().map(|(_, weight)| f64::from(*weight)).sum();
    let whole: f64 = (0..KINDS).map(|kind| f64::from(strongest(kind))).sum();
    whole + FURTHER * (all - whole)
}

/// What speaks against one sender: two organisations, each under its own name and domain; one that writes something else each time,
/// as a newsletter does, and one that tells everybody the same.
pub(super) fn apart(a: &Source, b: &Source) -> f64 {
    let both_own = a.relation == Relation::Owned && b.relation == Relation::Owned;
    let houses = if both_own && a.home != b.home { APART } else { 0.0 };
    let manner = match (a.writes_anew(), b.writes_anew()) {
        (Some(one), Some(other)) if one != other => OTHER_MANNER,
        _ => 0.0,
    };
    houses + manner
}

/// How alike the most similar texts of two sources are. What many others write too hardly counts: phrases that everybody uses who
/// sells something make nobody one sender. `own`: how many senders may be theirs.
pub(super) fn similarity(a: &Source, b: &Source, common: &Frequency, own: f32) -> f32 {
    let pairs = a
        .texts
        .iter()
        .flat_map(|one| b.texts.iter().map(move |other| (one, other)));
    pairs
        .filter(|(one, other)| one.similarity(other) >= SIMILAR)
        .map(|(one, other)| rare_similarity(one, other, common, own))
        .fold(0.0, f32::max)
}

fn rare_similarity(a: &TextSketch, b: &TextSketch, common: &Frequency, own: f32) -> f32 {
    let rows = features::words_of(a).zip(features::words_of(b));
    let shared = rows.filter(|(one, other)| one == other).map(|(one, _)| {
        let others = (common.of(one) * 0.9 - own - 0.5).max(0.0);
        1.0 / (1.0 + others / WRITTEN_BY_MANY)
    });
    shared.sum::<f32>() / a.minima.len().min(b.minima.len()).max(1) as f32
}

/// What it says that two sources wrote at the same time.
pub(super) fn closeness(a: &Source, b: &Source) -> f64 {
    let gap = a.first.max(b.first).saturating_sub(a.last.min(b.last));
    match gap {
        0..=86_400 => 1.0,
        86_401..=259_200 => 0.4,
        _ => -0.5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(from: u32) -> TextSketch {
        TextSketch {
            minima: (from..from + 32).collect(),
            words: 200,
            ..TextSketch::default()
        }
    }

    #[test]
    fn what_follows_from_one_service_counts_once() {
        let service = vec![
            (Family::Infrastructure, 5.0),
            (Family::Server, 4.0),
            (Family::Shape, 4.0),
        ];
        let apart = vec![(Family::Infrastructure, 5.0), (Family::Text, 4.0)];
        assert!((weight_of_shared(&service) - 8.2).abs() < 1e-6);
        assert!((weight_of_shared(&apart) - 9.0).abs() < 1e-6);
    }

    #[test]
    fn words_of_many_senders_make_texts_less_alike() {
        let mut common = Frequency::new();
        let (one, other) = (text(0), text(0));
        let rare = rare_similarity(&one, &other, &common, 2.0);
        for sender in 0..40 {
            features::words_of(&one).for_each(|word| {
                common.note(word, sender, 0);
            });
        }
        let phrase = rare_similarity(&one, &other, &common, 2.0);
        assert!((rare - 1.0).abs() < 1e-6);
        assert!(phrase < 0.35, "{phrase}");
        assert!(rare_similarity(&one, &text(64), &common, 2.0) < 0.01);
    }
}
