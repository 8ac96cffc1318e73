//! Templates of NetFlow v9 (RFC 3954) and IPFIX (RFC 7011): what the fields of a data set are.

use rustc_hash::FxHashMap;

use super::be16;

/// Field identifiers with this enterprise number count the other direction (RFC 5103).
const REVERSE: u32 = 29_305;

/// A length that says "the length comes with the value" (RFC 7011 7).
pub(super) const VARIABLE: u16 = u16::MAX;

/// No exporter has more; beyond, templates are refused.
const MAX_TEMPLATES: usize = 4_096;

/// No template has more.
const MAX_FIELDS: usize = 1_024;

/// Which of an exporter's templates: where it came from (a hash of address and domain) and its number.
pub(super) type Key = (u64, u16);

/// What the records of a data set are made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Template {
    pub(super) fields: Vec<TemplateField>,
    /// Its records are about the exporter itself.
    pub(super) is_options: bool,
}

/// A field of a template: an information element (IANA) and its length in bytes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TemplateField {
    pub(super) id: u16,
    pub(super) length: u16,
    pub(super) meaning: Meaning,
}

/// How the element's number is to be taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Meaning {
    /// As IANA has it.
    Standard,
    /// As IANA has it, of the other direction.
    Reverse,
    /// As some vendor has it: not known here.
    Vendors,
}

impl Template {
    /// How many bytes a record has at least.
    pub(super) fn least(&self) -> usize {
        let length = |field: &TemplateField| match field.length {
            VARIABLE => 1,
            length => usize::from(length),
        };
        self.fields.iter().map(length).sum()
    }
}

/// The templates of all exporters of a piece of evidence.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Templates {
    known: FxHashMap<Key, Template>,
    /// Changes with every template that is new or other than before.
    pub(super) generation: u64,
}

impl Templates {
    pub(super) fn get(&self, key: Key) -> Option<&Template> {
        self.known.get(&key)
    }

    /// Learns the templates in the content of a set.
    pub(super) fn learn(&mut self, source: u64, kind: SetKind, content: &[u8]) -> Result<(), String> {
        let mut rest = content;
        while rest.len() >= 4 {
            let id = be16(rest, 0).unwrap_or_default();
            if id == 0 {
                // Padding.
                return Ok(());
            }
            if id < 256 {
                return Err(format!(
                    "a template with the number {id}, which is not one of a template"
                ));
            }
            let (template, length) = kind
                .template(rest)
                .ok_or_else(|| format!("template {id} is cut off"))?;
            rest = rest.get(length..).unwrap_or_default();
            if self.known.len() >= MAX_TEMPLATES && !self.known.contains_key(&(source, id)) {
                return Err(format!("more than {MAX_TEMPLATES} templates"));
            }
            if self.known.get(&(source, id)) != Some(&template) {
                self.known.insert((source, id), template);
                self.generation += 1;
            }
        }
        Ok(())
    }

    /// As bytes, for the context of a block.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for ((source, id), template) in &self.known {
            bytes.extend(source.to_be_bytes());
            bytes.extend(id.to_be_bytes());
            bytes.push(u8::from(template.is_options));
            bytes.extend(
                u16::try_from(template.fields.len())
                    .unwrap_or_default()
                    .to_be_bytes(),
            );
            for field in &template.fields {
                bytes.extend(field.id.to_be_bytes());
                bytes.extend(field.length.to_be_bytes());
                bytes.push(match field.meaning {
                    Meaning::Standard => 0,
                    Meaning::Reverse => 1,
                    Meaning::Vendors => 2,
                });
            }
        }
        bytes
    }

    /// What [`encode`](Self::encode) made.
    pub(super) fn decode(mut bytes: &[u8]) -> Self {
        let mut templates = Self::default();
        while let Some((head, rest)) = bytes.split_at_checked(13) {
            let source = super::number(head.get(..8).unwrap_or_default());
            let id = be16(head, 8).unwrap_or_default();
            let count = usize::from(be16(head, 11).unwrap_or_default());
            let Some((fields, rest)) = rest.split_at_checked(count * 5) else {
                break;
            };
            let fields = fields.chunks_exact(5).map(|field| TemplateField {
                id: be16(field, 0).unwrap_or_default(),
                length: be16(field, 2).unwrap_or_default(),
                meaning: match field.get(4) {
                    Some(0) => Meaning::Standard,
                    Some(1) => Meaning::Reverse,
                    _ => Meaning::Vendors,
                },
            });
            let template = Template {
                fields: fields.collect(),
                is_options: head.get(10) == Some(&1),
            };
            templates.known.insert((source, id), template);
            bytes = rest;
        }
        templates
    }
}

/// Which set holds templates, and how.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum SetKind {
    V9Template,
    V9Options,
    IpfixTemplate,
    IpfixOptions,
}

impl SetKind {
    /// The template that `bytes` begin with, and its length.
    fn template(self, bytes: &[u8]) -> Option<(Template, usize)> {
        let is_options = matches!(self, Self::V9Options | Self::IpfixOptions);
        let is_ipfix = matches!(self, Self::IpfixTemplate | Self::IpfixOptions);
        let second = usize::from(be16(bytes, 2)?);
        let (count, mut at) = match self {
            Self::V9Template | Self::IpfixTemplate => (second, 4),
            // Lengths of the scope's fields and of the options, in bytes.
            Self::V9Options => ((second + usize::from(be16(bytes, 4)?)) / 4, 6),
            // A template withdrawal (RFC 7011 8.1) has no fields and no scope.
            Self::IpfixOptions if second == 0 => (0, 4),
            Self::IpfixOptions => (second, 6),
        };
        if count > MAX_FIELDS {
            return None;
        }
        let mut fields = Vec::with_capacity(count);
        for _ in 0..count {
            let id = be16(bytes, at)?;
            let length = be16(bytes, at + 2)?;
            at += 4;
            let mut meaning = Meaning::Standard;
            if is_ipfix && id & 0x8000 != 0 {
                meaning = match super::be32(bytes, at)? {
                    REVERSE => Meaning::Reverse,
                    _ => Meaning::Vendors,
                };
                at += 4;
            }
            fields.push(TemplateField {
                id: if is_ipfix { id & 0x7fff } else { id },
                length,
                meaning,
            });
        }
        Some((Template { fields, is_options }, at))
    }
}
