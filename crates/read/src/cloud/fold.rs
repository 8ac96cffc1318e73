//! Lists of objects, made flat so that rules can name what is in them.

use std::borrow::Cow;

use blackrod_model::{Field, Value};

/// Names of the two members of a named value, as `Naming::name` has to leave them.
pub(crate) const NAME: &str = "\u{1}name";

/// Folds an object that is an element of the list `key` and holds a name and values:
/// `{"Name":"ForwardTo","Value":"x"}` in `Parameters` becomes the field `Parameters.ForwardTo`.
///
/// The members are the fields from `start` on. The one with the name is called [`NAME`]; another is
/// called as what is to follow the name: empty, or `.NewValue`.
pub(crate) fn fold_named_values(key: &str, fields: &mut Vec<Field<'_>>, start: usize) {
    let element = fields.get(start..).unwrap_or_default();
    let Some(position) = element.iter().position(|field| field.name == NAME) else {
        // Nothing tells what the values are of.
        for field in fields.get_mut(start..).unwrap_or_default() {
            let suffix = field.name.trim_start_matches('.');
            let rest = if suffix.is_empty() { "Value" } else { suffix };
            field.name = Cow::Owned([key, ".", rest].concat());
        }
        return;
    };
    let name = fields.remove(start + position).value;
    let name = name.to_text().unwrap_or_default();
    for field in fields.get_mut(start..).unwrap_or_default() {
        field.name = Cow::Owned([key, ".", name.as_ref(), field.name.as_ref()].concat());
    }
}

/// How far before an object its earlier siblings are looked for.
const NEAR: usize = 64;

/// Lets the fields from `start` on, the members of an object in a list, join those of the same name
/// that come from earlier objects of the list: one field with a list of values.
pub(crate) fn fold_repeated(fields: &mut Vec<Field<'_>>, start: usize) {
    let mut at = start;
    while at < fields.len() {
        let Some(name) = fields.get(at).map(|field| field.name.as_ref()) else {
            return;
        };
        let near = start.saturating_sub(NEAR)..start;
        let siblings = fields.get(near.clone()).unwrap_or_default();
        let Some(sibling) = siblings.iter().rposition(|field| field.name == name) else {
            at += 1;
            continue;
        };
        let value = fields.remove(at).value;
        if let Some(first) = fields.get_mut(near.start + sibling) {
            join(&mut first.value, value);
        }
    }
}

fn join<'a>(first: &mut Value<'a>, more: Value<'a>) {
    if !matches!(first, Value::List(_)) {
        let single = std::mem::replace(first, Value::Null);
        *first = Value::List(vec![single]);
    }
    if let Value::List(values) = first {
        match more {
            Value::List(others) => values.extend(others),
            other => values.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_by_their_names() {
        let mut fields = vec![
            Field::new("a", "1"),
            Field::new(".NewValue", "new"),
            Field::new(NAME, "Role"),
            Field::new(".OldValue", ""),
        ];
        fold_named_values("ModifiedProperties", &mut fields, 1);
        let names: Vec<_> = fields.iter().map(|field| field.name.as_ref()).collect();
        assert_eq!(
            names,
            [
                "a",
                "ModifiedProperties.Role.NewValue",
                "ModifiedProperties.Role.OldValue"
            ]
        );
        let mut fields = vec![Field::new("", "x")];
        fold_named_values("Parameters", &mut fields, 0);
        assert_eq!(fields[0].name, "Parameters.Value");
    }

    #[test]
    fn siblings_become_one_list() {
        let mut fields = vec![
            Field::new("t.id", "1"),
            Field::new("t.id", "2"),
            Field::new("t.x", "3"),
        ];
        fold_repeated(&mut fields, 1);
        fields.push(Field::new("t.id", Value::List(vec![Value::Int(4)])));
        fold_repeated(&mut fields, 2);
        let list = Value::List(vec!["1".into(), "2".into(), Value::Int(4)]);
        assert_eq!(fields, [Field::new("t.id", list), Field::new("t.x", "3")]);
    }
}
