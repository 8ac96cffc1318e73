//! How far a judgement of who it was may go, by the kinds of evidence there are.

use std::collections::BTreeSet;

use blackrod_model::assessment::{Ceilings, EvidenceClass, EvidenceItem};

/// The upper ends of the yardstick's bands.
const REALISTIC_POSSIBILITY: f64 = 0.49;
const LIKELY: f64 = 0.75;
const HIGHLY_LIKELY: f64 = 0.90;
const NEVER_MORE: f64 = 0.99;

/// The ceilings for `items`. `is_signed_off`: whether a named person has signed the judgement.
///
/// From the accuracy that classes of evidence have had on ATT&CK (strict past): techniques that said 55 % or more were right in 33 of 45
/// cases; with software, 95 % or more in 38 of 40, with labels that were partly made from the software.
pub(crate) fn ceilings(items: &[EvidenceItem], is_signed_off: bool) -> Ceilings {
    let said: Vec<&EvidenceItem> = items.iter().filter(|item| item.diagnosticity > 0.0).collect();
    let classes: BTreeSet<EvidenceClass> = said.iter().map(|item| item.class).collect();
    let has = |class| classes.contains(&class);
    let ceilings = |state, group, reason: &str| Ceilings {
        state,
        group,
        reason: reason.to_owned(),
    };
    if classes.iter().all(|class| *class == EvidenceClass::Technique) {
        return ceilings(
            LIKELY,
            REALISTIC_POSSIBILITY,
            "techniques alone are shared by many groups and never say more",
        );
    }
    let is_forgeable = said.iter().all(|item| item.forgeable);
    let good_sources = said
        .iter()
        .filter(|item| item.grade.is_reliable())
        .map(|item| &item.id)
        .collect::<BTreeSet<_>>();
    let kinds = kinds(&classes);
    if kinds >= 3 && !is_forgeable && good_sources.len() >= 2 && is_signed_off {
        return ceilings(
            NEVER_MORE,
            NEVER_MORE,
            "three independent kinds of evidence, one of them hard to forge, and signed by a person",
        );
    }
    if kinds >= 3 {
        let reason = match (is_forgeable, is_signed_off) {
            (true, _) => "all of the evidence could have been planted by somebody else",
            (false, false) => "nobody has signed the judgement",
            (false, true) => "too few sources are reliable",
        };
        return ceilings(HIGHLY_LIKELY, HIGHLY_LIKELY, reason);
    }
    if has(EvidenceClass::Malware) && kinds == 2 && classes.len() > 2 {
        return ceilings(
            HIGHLY_LIKELY,
            HIGHLY_LIKELY,
            "two kinds of evidence, malware among them",
        );
    }
    ceilings(
        HIGHLY_LIKELY,
        LIKELY,
        "fewer than three independent kinds of evidence",
    )
}

/// How many independent kinds of evidence there are: how they work and with which tools is one kind.
fn kinds(classes: &BTreeSet<EvidenceClass>) -> usize {
    let kind = |class: &EvidenceClass| match class {
        EvidenceClass::Tool => EvidenceClass::Technique,
        other => *other,
    };
    classes.iter().map(kind).collect::<BTreeSet<_>>().len()
}
