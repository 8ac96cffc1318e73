//! Lists of objects, made flat so that rules can name what is in them.

use std::borrow::Cow;

use blackrod_model::{Field, Value};

/// Names of the two members of a named value, as `Naming::name` has to leave them.
pub(crate) const NAME: &str = "\u{1}name";

/// Folds an object that is an element of the list `key` and holds a name and values:
/// `{"Name":"ForwardTo","Value":"x"}` in `Parameters` becomes the field `Parameters.ForwardTo`.
///
/// The members are the fields from `start` on. The one with the name is called [`NAME`]; another is
/// called as what is to follow the name: empty, or `.NewValue`. What `known` has for list and name need not be put
/// together.
pub(crate) fn fold_named_values(
    key: &str,
    fields: &mut Vec<Field<'_>>,
    start: usize,
    known: fn(&str, &str) -> Option<&'static str>,
) {
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
        field.name = match known(key, &name) {
            Some(known) if field.name.is_empty() => Cow::Borrowed(known),
            _ => Cow::Owned([key, ".", name.as_ref(), field.name.as_ref()].concat()),
        };
    }
}

/// How far before an object its earlier siblings are looked for.
const NEAR: usize = 64;
/// So many objects are in a list that has more than one.
const USUAL_SIBLINGS: usize = 8;

/// Lets the fields from `start` on, the members of an object in a list, join those of the same name
/// that come from earlier objects of the list, which begin at `first`: one field with a list of values.
pub(crate) fn fold_repeated(fields: &mut Vec<Field<'_>>, first: usize, start: usize) {
    if first >= start {
        return;
    }
    if joined_those_before(fields, first, start) {
        return fields.truncate(start);
    }
    let mut at = start;
    while at < fields.len() {
        let Some(name) = fields.get(at).map(|field| field.name.as_ref()) else {
            return;
        };
        let near = start.saturating_sub(NEAR).max(first)..start;
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

/// Most lists hold objects of the same members in the same order: theirs are the fields right before. Says whether they
/// were, and have been joined.
fn joined_those_before(fields: &mut [Field<'_>], first: usize, start: usize) -> bool {
    let Some((earlier, members)) = fields.split_at_mut_checked(start) else {
        return false;
    };
    let before = earlier.len().saturating_sub(members.len()).max(first);
    let siblings = earlier.get_mut(before..).unwrap_or_default();
    let are_the_same = siblings.len() == members.len()
        && siblings
            .iter()
            .zip(&*members)
            .all(|(sibling, member)| sibling.name == member.name);
    if are_the_same {
        for (sibling, member) in siblings.iter_mut().zip(members) {
            join(
                &mut sibling.value,
                std::mem::replace(&mut member.value, Value::Null),
            );
        }
    }
    are_the_same
}

fn join<'a>(first: &mut Value<'a>, more: Value<'a>) {
    if !matches!(first, Value::List(_)) {
        let single = std::mem::replace(first, Value::Null);
        let mut values = Vec::with_capacity(USUAL_SIBLINGS);
        values.push(single);
        *first = Value::List(values);
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
        fold_named_values("ModifiedProperties", &mut fields, 1, |_, _| None);
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
        fold_named_values("Parameters", &mut fields, 0, |_, _| None);
        assert_eq!(fields[0].name, "Parameters.Value");
    }

    #[test]
    fn siblings_become_one_list() {
        let mut fields = vec![
            Field::new("t.id", "1"),
            Field::new("t.id", "2"),
            Field::new("t.x", "3"),
        ];
        fold_repeated(&mut fields, 0, 1);
        fields.push(Field::new("t.id", Value::List(vec![Value::Int(4)])));
        fold_repeated(&mut fields, 0, 2);
        let list = Value::List(vec!["1".into(), "2".into(), Value::Int(4)]);
        assert_eq!(fields, [Field::new("t.id", list), Field::new("t.x", "3")]);
    }

    #[test]
    fn only_objects_of_the_same_list_are_siblings() {
        let object = |id: &'static str| [Field::new("t.id", id), Field::new("t.x", id)];
        let mut fields = Vec::from(object("before"));
        for id in ["1", "2", "3"] {
            let start = fields.len();
            fields.extend(object(id));
            fold_repeated(&mut fields, 2, start);
        }
        let list = Value::List(vec!["1".into(), "2".into(), "3".into()]);
        let [id, x] = object("before");
        assert_eq!(
            fields,
            [id, x, Field::new("t.id", list.clone()), Field::new("t.x", list)]
        );
        let mut first = Vec::from(object("before"));
        first.extend(object("1"));
        fold_repeated(&mut first, 2, 2);
        assert_eq!(first.len(), 4, "the first of a list has no siblings");
    }
}
