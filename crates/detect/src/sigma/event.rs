//! A record as rules see it: fields by number, with the names that rules expect.

use std::borrow::Cow;

use blackrod_model::{Event, Value};
use rsigma_eval::EventValue;

use super::alias::Alias;
use super::names::{FieldId, Names, ReadFields};

const ABSENT: u32 = u32::MAX;
/// Marks a slot that points into [`Slots::derived`] instead of the event's fields.
const DERIVED: u32 = 1 << 31;

/// Where each field that a rule may read stands in the event at hand. Kept from event to event, so
/// that looking at an event allocates nothing.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slots: Vec<u32>,
    filled: Vec<FieldId>,
    derived: Vec<Value<'static>>,
    /// The texts of the filled fields in lower case, one after the other.
    lower: String,
    /// For each field: first entry in `spans` and how many.
    texts: Vec<(u32, u32)>,
    spans: Vec<(u32, u32)>,
}

impl Slots {
    /// Slots for all of `names`.
    pub(super) fn new(names: &Names) -> Self {
        Self {
            slots: vec![ABSENT; names.len()],
            texts: vec![(0, 0); names.len()],
            ..Self::default()
        }
    }

    /// Finds the fields of `event` that are `wanted`, the first where a name occurs twice, and
    /// gives it the other names that rules expect.
    pub(super) fn fill(&mut self, event: &Event<'_>, wanted: &ReadFields, aliases: &[Alias]) {
        for id in self.filled.drain(..) {
            self.slots[id.index()] = ABSENT;
        }
        self.derived.clear();
        for (index, field) in event.fields.iter().enumerate() {
            if let Some(id) = wanted.find(&field.name) {
                let slot = &mut self.slots[id.index()];
                if *slot == ABSENT {
                    // A reader bounds the number of fields far below 2^31.
                    *slot = u32::try_from(index).unwrap_or(ABSENT) & !DERIVED;
                    self.filled.push(id);
                }
            }
        }
        for alias in aliases {
            let Some(id) = wanted.find(&alias.name) else {
                continue;
            };
            let absent = self.slots[id.index()] == ABSENT;
            if !absent && !alias.replaces {
                continue;
            }
            let Some(value) = alias.value(event) else {
                continue;
            };
            self.slots[id.index()] = DERIVED | u32::try_from(self.derived.len()).unwrap_or(0);
            self.derived.push(value);
            if absent {
                self.filled.push(id);
            }
        }
    }

    /// Puts the texts of all filled fields into lower case, as case-insensitive matching needs
    /// them. To be called after [`Slots::fill`], before fields are matched.
    pub(super) fn fold(&mut self, event: &Event<'_>) {
        self.lower.clear();
        self.spans.clear();
        for position in 0..self.filled.len() {
            let id = self.filled[position];
            let first = self.spans.len();
            let slot = self.slots[id.index()];
            let value = if slot & DERIVED == 0 {
                event.fields.get(slot as usize).map(|field| &field.value)
            } else {
                self.derived.get((slot & !DERIVED) as usize)
            };
            if let Some(value) = value {
                fold_value(value, &mut self.lower, &mut self.spans);
            }
            self.texts[id.index()] = (span_end(first), span_end(self.spans.len() - first));
        }
    }

    /// The fields that the event has.
    pub(super) fn filled(&self) -> &[FieldId] {
        &self.filled
    }

    /// The value of a field.
    pub(super) fn value<'s>(&'s self, event: &'s Event<'_>, id: FieldId) -> Option<&'s Value<'s>> {
        match self.slots.get(id.index()).copied()? {
            ABSENT => None,
            slot if slot & DERIVED == 0 => event.fields.get(slot as usize).map(|field| &field.value),
            slot => self.derived.get((slot & !DERIVED) as usize),
        }
    }

    /// The texts of a filled field in lower case: one for a scalar, several for a list, none for
    /// null. Valid after [`Slots::fold`].
    pub(super) fn lower(&self, id: FieldId) -> impl Iterator<Item = &str> {
        let (first, count) = if self.slots[id.index()] == ABSENT {
            (0, 0)
        } else {
            self.texts[id.index()]
        };
        self.spans[first as usize..(first + count) as usize]
            .iter()
            .map(|&(start, end)| &self.lower[start as usize..end as usize])
    }
}

/// An event with its slots.
#[derive(Clone, Copy)]
pub(super) struct View<'v> {
    pub(super) event: &'v Event<'v>,
    pub(super) slots: &'v Slots,
    pub(super) names: &'v Names,
}

impl<'v> View<'v> {
    /// The value of a field.
    pub(super) fn value(self, id: FieldId) -> Option<&'v Value<'v>> {
        self.slots.value(self.event, id)
    }

    /// The value of the field called `name`: under the name that rules expect, or under its own.
    pub(super) fn by_name(self, name: &str) -> Option<&'v Value<'v>> {
        self.names
            .find(name)
            .and_then(|id| self.value(id))
            .or_else(|| self.event.get(name))
    }
}

/// What rsigma's own matchers see, for those that look at more than one text.
impl rsigma_eval::Event for View<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        self.by_name(path).map(event_value)
    }

    fn any_string_value(&self, pred: &dyn Fn(&str) -> bool) -> bool {
        self.event.fields.iter().any(|field| any_text(&field.value, pred))
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        let mut all = Vec::new();
        for field in &self.event.fields {
            field
                .value
                .each_str(&mut |text| all.push(Cow::Owned(text.to_owned())));
        }
        all
    }

    fn visit_string_values(&self, visit: &mut dyn FnMut(&str)) {
        for field in &self.event.fields {
            field.value.each_str(visit);
        }
    }

    fn to_json(&self) -> serde_json::Value {
        let mut text = String::new();
        text.push('{');
        for (index, field) in self.event.fields.iter().enumerate() {
            if index > 0 {
                text.push(',');
            }
            Value::text(&field.name).write_json(&mut text);
            text.push(':');
            field.value.write_json(&mut text);
        }
        text.push('}');
        serde_json::from_str(&text).unwrap_or_default()
    }
}

/// Whether `pred` holds for the text of a value or of a member of a list.
pub(super) fn any_text(value: &Value<'_>, pred: &dyn Fn(&str) -> bool) -> bool {
    match value {
        Value::Str(text) => pred(text),
        Value::List(values) => values.iter().any(|member| any_text(member, pred)),
        _ => false,
    }
}

/// The value in rsigma's words, borrowed.
pub(super) fn event_value<'v>(value: &'v Value<'_>) -> EventValue<'v> {
    match value {
        Value::Null => EventValue::Null,
        Value::Bool(flag) => EventValue::Bool(*flag),
        Value::Int(number) => EventValue::Int(*number),
        Value::Float(number) => EventValue::Float(*number),
        Value::Str(text) => EventValue::Str(Cow::Borrowed(text)),
        Value::List(values) => EventValue::Array(values.iter().map(event_value).collect()),
    }
}

/// Appends `text` in lower case: as rsigma folds it, so that its folded literals fit.
pub(super) fn push_lower(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        out[start..].make_ascii_lowercase();
    } else {
        out.push_str(&text.to_lowercase());
    }
}

fn fold_value(value: &Value<'_>, lower: &mut String, spans: &mut Vec<(u32, u32)>) {
    let start = lower.len();
    match value {
        Value::List(values) => {
            for member in values {
                fold_value(member, lower, spans);
            }
            return;
        }
        Value::Null => return,
        Value::Str(text) => push_lower(text, lower),
        other => lower.push_str(&other.to_text().unwrap_or_default()),
    }
    spans.push((span_end(start), span_end(lower.len())));
}

/// An offset into the folded texts. An event of 4 GiB does not get here: readers bound records.
fn span_end(offset: usize) -> u32 {
    u32::try_from(offset).unwrap_or(0)
}
