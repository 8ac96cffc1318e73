//! What of a message may tie it to another sender's, and how common that is.

use blackrod_model::mail::{Facts, Link, LinkRole, PrintKind, TextSketch, hash};

use super::sketch::mix;

/// What a feature is a trait of. Features of one family are not independent: the strongest one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Family {
    /// Host or domain of what it loads or leads to, with the shape of the URL.
    Infrastructure,
    /// The shape of a URL without its host.
    Shape,
    /// Its text.
    Text,
    /// Its subject.
    Subject,
    /// What the sending software leaves behind.
    Software,
    /// An attachment.
    Attachment,
    /// Where answers go.
    Reply,
    /// The account at a mass-mail service.
    Account,
    /// The server that it came from.
    Server,
    /// Whom it goes to.
    Targets,
}

/// How features of a family tie.
pub(super) struct Manner {
    /// How sure it is that one sender's messages share it, 0 to 1.
    pub(super) reliance: f64,
    /// What two senders' sharing a value says beyond the value's rarity, in nats: names and texts are chosen from so many
    /// that nobody hits on the same by chance; shapes are not.
    pub(super) unique: f64,
    /// What was shared, in words.
    pub(super) words: &'static str,
}

impl Family {
    /// What it says something about. Families of one kind follow from each other: who uses a service has its hosts, its
    /// servers, its software and its shape of URLs.
    pub(super) const fn kind(self) -> u8 {
        match self {
            Self::Infrastructure | Self::Shape | Self::Software | Self::Server => 0,
            Self::Text | Self::Subject => 1,
            Self::Attachment => 2,
            Self::Reply => 3,
            Self::Account => 4,
            Self::Targets => 5,
        }
    }

    /// How it ties.
    pub(super) const fn manner(self) -> Manner {
        let (reliance, unique, words) = match self {
            Self::Infrastructure => (1.0, 4.0, "load from the same rare host"),
            Self::Shape => (0.6, 0.0, "have URLs of the same rare shape"),
            Self::Text => (1.0, 4.0, "have nearly the same text"),
            Self::Subject => (0.8, 1.0, "have the same subject"),
            Self::Software => (0.5, 0.0, "were made by the same rare software set-up"),
            Self::Attachment => (1.0, 4.0, "carry the same rare attachment"),
            Self::Reply => (1.0, 4.0, "want answers at the same address"),
            Self::Account => (1.0, 4.0, "use the same account of a mass-mail service"),
            Self::Server => (0.7, 2.0, "came from the same rare server"),
            Self::Targets => (0.7, 0.0, "go to the same circle through the same service"),
        };
        Manner {
            reliance,
            unique,
            words,
        }
    }
}

/// A value that may be shared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Feature {
    pub(super) family: Family,
    pub(super) value: u64,
}

/// The most links of a message that are asked.
const LINKS: usize = 24;
/// The most attachments that are asked.
const ATTACHMENTS: usize = 8;
/// Minima of a text sketch in a band, and bands: texts that share half of their word triples meet in a band with 74 %
/// chance, those that share a fifth with 8 %.
const ROWS: usize = 3;
const BANDS: usize = 10;

/// The features of a message, into `out`; `is_shared` tells the places that serve many senders.
pub(super) fn of(facts: &Facts, is_shared: &dyn Fn(&Link) -> bool, out: &mut Vec<Feature>) {
    let mut add = |family: Family, kind: u64, value: u64| {
        out.push(Feature {
            family,
            value: mix(value ^ mix((family as u64) << 8 | kind)),
        });
    };
    for link in facts
        .links
        .iter()
        .filter(|link| link.role != LinkRole::Unsubscribe)
        .take(LINKS)
    {
        if link.host.is_empty() {
            continue;
        }
        let path = path_of(&link.template);
        let has_shape = !link.tokens.is_empty() && path.len() > 8;
        if has_shape {
            add(Family::Shape, 0, hash(path));
        }
        if is_shared(link) {
            continue;
        }
        add(Family::Infrastructure, 0, hash(&link.domain));
        add(Family::Infrastructure, 1, hash(&link.host));
        if has_shape {
            add(Family::Infrastructure, 2, hash(&link.template));
        }
    }
    for (band, rows) in facts.text.minima.chunks_exact(ROWS).take(BANDS).enumerate() {
        let value = rows
            .iter()
            .fold(band as u64, |all, row| mix(all ^ u64::from(*row)));
        add(Family::Text, band as u64, value);
    }
    if facts.text.subject != 0 && facts.subject.len() >= 12 {
        add(Family::Subject, 0, facts.text.subject);
    }
    for print in &facts.prints {
        match print.kind {
            PrintKind::BulkAccount => add(Family::Account, 0, print.value),
            PrintKind::BulkService | PrintKind::TimeZone | PrintKind::Encoding => {}
            kind => add(Family::Software, kind as u64, print.value),
        }
    }
    for attachment in facts
        .attachments
        .iter()
        .filter(|one| one.size > 1_000)
        .take(ATTACHMENTS)
    {
        add(Family::Attachment, 0, attachment.digest);
    }
    if let Some(reply) = &facts.reply_to {
        add(Family::Reply, 0, hash(reply));
    }
    if let Some(ip) = facts.origin.ip {
        add(Family::Server, 0, hash(&ip.to_string()));
    }
    out.sort_unstable_by_key(|feature| (feature.family, feature.value));
    out.dedup();
}

/// Each minimum of a text by itself: what is compared only where texts are alike, to see whether it is what many write.
pub(super) fn words_of(text: &TextSketch) -> impl Iterator<Item = u64> + '_ {
    let minima = text.minima.iter().enumerate();
    minima.map(|(row, value)| mix((row as u64) << 32 | u64::from(*value)))
}

/// That somebody writes to a circle through a service.
pub(super) fn of_target(service: Option<u64>, kind: &str, id: &str) -> Feature {
    let circle = mix(hash(kind) ^ hash(id));
    Feature {
        family: Family::Targets,
        value: mix(circle ^ mix(service.unwrap_or(1))),
    }
}

/// `/o/{hex:32}.png` of `https://img.example.org/o/{hex:32}.png`.
fn path_of(template: &str) -> &str {
    let after_scheme = template.split_once("://").map_or(template, |(_, rest)| rest);
    after_scheme
        .find(['/', '?'])
        .and_then(|at| after_scheme.get(at..))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_identical_texts_share_a_band() {
        let facts = |minima: Vec<u32>| Facts {
            text: TextSketch {
                minima,
                ..TextSketch::default()
            },
            ..Facts::default()
        };
        let mut changed: Vec<u32> = (0..32).collect();
        for place in [3, 9, 20] {
            changed[place] = 99;
        }
        let (mut a, mut b) = (Vec::new(), Vec::new());
        of(&facts((0..32).collect()), &|_| false, &mut a);
        of(&facts(changed), &|_| false, &mut b);
        assert_eq!(a.iter().filter(|feature| b.contains(feature)).count(), 7);
    }

    #[test]
    fn what_lies_in_the_message_is_no_infrastructure() {
        let mut out = Vec::new();
        let link = Link {
            template: "cid:image001".to_owned(),
            ..Link::default()
        };
        let facts = Facts {
            links: vec![link],
            ..Facts::default()
        };
        of(&facts, &|_| false, &mut out);
        assert!(out.is_empty());
        assert_eq!(
            path_of("https://img.example.org/o/{hex:32}.png"),
            "/o/{hex:32}.png"
        );
        assert_eq!(path_of("https://img.example.org"), "");
    }
}
