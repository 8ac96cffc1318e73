//! How the varying parts of a campaign's URLs vary.

use std::collections::BTreeMap;

use blackrod_model::mail::{LinkRole, TemplateUse, TokenUse, Variation};
use rustc_hash::{FxHashMap, FxHashSet};

use super::source::Kept;

/// What is seen of one varying part.
#[derive(Default)]
struct Part {
    /// The values, each with a recipient that it went to.
    of_recipient: FxHashMap<String, FxHashSet<u64>>,
    recipients_of: FxHashMap<u64, FxHashSet<String>>,
    uses: usize,
    derived: Option<String>,
}

struct Template {
    role: LinkRole,
    messages: usize,
    parts: BTreeMap<String, Part>,
}

/// The templates of these messages and how they vary, most used first.
pub(super) fn templates_of(messages: &[Kept]) -> Vec<TemplateUse> {
    let mut all: BTreeMap<&str, Template> = BTreeMap::new();
    for message in messages {
        let Some(recipient) = message.recipients.first() else {
            continue;
        };
        let mut counted: FxHashSet<&str> = FxHashSet::default();
        for link in &message.links {
            let template = all.entry(&link.template).or_insert_with(|| Template {
                role: link.role,
                messages: 0,
                parts: BTreeMap::new(),
            });
            if !counted.insert(&link.template) {
                continue;
            }
            template.messages += 1;
            for (place, value, derived) in &link.tokens {
                let part = template.parts.entry(place.clone()).or_default();
                part.uses += 1;
                part.of_recipient
                    .entry(recipient.clone())
                    .or_default()
                    .insert(*value);
                part.recipients_of
                    .entry(*value)
                    .or_default()
                    .insert(recipient.clone());
                part.derived = part.derived.take().or_else(|| derived.clone());
            }
        }
    }
    let mut templates: Vec<TemplateUse> = all
        .into_iter()
        .map(|(text, template)| TemplateUse {
            template: text.to_owned(),
            role: template.role,
            messages: template.messages,
            tokens: template
                .parts
                .into_iter()
                .map(|(place, part)| part.variation(place))
                .collect(),
        })
        .collect();
    templates.sort_by(|a, b| {
        b.messages
            .cmp(&a.messages)
            .then_with(|| a.template.cmp(&b.template))
    });
    templates
}

impl Part {
    fn variation(&self, place: String) -> TokenUse {
        let values = self.recipients_of.len();
        let recipients = self.of_recipient.len();
        let shared = self.recipients_of.values().filter(|of| of.len() > 1).count();
        let several = self.of_recipient.values().filter(|of| of.len() > 1).count();
        let variation = match () {
            () if self.derived.is_some() => Variation::Derived,
            () if values <= 1 && self.uses > 1 => Variation::Constant,
            () if shared * 10 > values => Variation::Other,
            () if several * 2 > recipients && values == self.uses => Variation::PerMessage,
            () => Variation::PerRecipient,
        };
        TokenUse {
            place,
            variation,
            derived: self.derived.clone(),
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::source::KeptLink;

    fn message(to: &str, value: u64) -> Kept {
        Kept {
            recipients: vec![to.to_owned()],
            links: vec![KeptLink {
                template: "https://img.example/{hex:8}".to_owned(),
                role: LinkRole::Beacon,
                tokens: vec![("path 0".to_owned(), value, None)],
            }],
            ..Kept::default()
        }
    }

    fn variation(messages: &[Kept]) -> Variation {
        templates_of(messages)[0].tokens[0].variation
    }

    #[test]
    fn variation_is_told_by_who_got_which_value() {
        assert_eq!(
            variation(&[message("a", 1), message("b", 2), message("c", 3)]),
            Variation::PerRecipient
        );
        assert_eq!(
            variation(&[message("a", 1), message("b", 1), message("c", 1)]),
            Variation::Constant
        );
        assert_eq!(
            variation(&[message("a", 1), message("a", 2), message("b", 3), message("b", 4)]),
            Variation::PerMessage
        );
        assert_eq!(
            variation(&[message("a", 1), message("a", 1), message("b", 3), message("b", 3)]),
            Variation::PerRecipient
        );
        assert_eq!(
            variation(&[message("a", 1), message("b", 1), message("c", 2), message("d", 2)]),
            Variation::Other
        );
    }
}
