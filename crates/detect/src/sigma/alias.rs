//! Names that rules expect, made from the names that a log has.

use std::collections::BTreeMap;

use blackrod_model::{Event, Value};
use serde::Deserialize;

/// How to make the value of a field that rules expect under `name`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alias {
    /// The name that rules use.
    pub(super) name: String,
    /// The fields of the log whose texts make the value, joined with a backslash where there are several.
    from: Vec<String>,
    /// Values and what they mean; a value that is not in it is kept.
    #[serde(default)]
    map: BTreeMap<String, String>,
    /// Beginnings to be replaced, compared without regard to case.
    #[serde(default)]
    prefix: BTreeMap<String, String>,
    /// The value is a number, perhaps in hexadecimal; rules expect it in decimal.
    #[serde(default)]
    number: bool,
    /// Blanks at the end do not belong to the value.
    #[serde(default)]
    trim: bool,
    /// An ending that does not belong to the value: the full stop after the audit log's names of operations.
    #[serde(default)]
    ending: Option<String>,
    /// The texts stand beside each other as a list; what a rule looks for may be in any of them.
    #[serde(default)]
    list: bool,
    /// The alias is used even where the log has a field of that name, which means something else.
    #[serde(default)]
    pub(super) replaces: bool,
}

impl Alias {
    /// The value for `event`, or `None` if it has none of the fields.
    pub(super) fn value(&self, event: &Event<'_>) -> Option<Value<'static>> {
        if self.list {
            let texts = self.from.iter().filter_map(|name| event.get(name)?.to_text());
            let values: Vec<_> = texts.map(|text| Value::from(text.into_owned())).collect();
            return (!values.is_empty()).then_some(Value::List(values));
        }
        let mut joined: Option<String> = None;
        for name in &self.from {
            let Some(text) = event.get(name).and_then(Value::to_text) else {
                continue;
            };
            match &mut joined {
                None => joined = Some(text.into_owned()),
                Some(joined) => {
                    joined.push('\\');
                    joined.push_str(&text);
                }
            }
        }
        let mut text = joined?;
        if self.trim {
            text.truncate(text.trim_end().len());
        }
        if let Some(ending) = &self.ending
            && let Some(rest) = text.strip_suffix(ending.as_str())
        {
            text.truncate(rest.len());
        }
        if let Some(meaning) = self.map.get(&text) {
            text.clone_from(meaning);
        }
        if let Some((begin, replacement)) = self.prefix.iter().find(|(begin, _)| starts_with(&text, begin)) {
            text.replace_range(..begin.len(), replacement);
        }
        if self.number
            && let Some(number) = Value::text(&text).as_int()
        {
            return Some(Value::Int(number));
        }
        Some(Value::from(text))
    }
}

fn starts_with(text: &str, begin: &str) -> bool {
    text.get(..begin.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(begin))
}
