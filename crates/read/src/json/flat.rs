//! A JSON object → flat fields.

use std::borrow::Cow;

use blackrod_model::{Field, Value};

use super::lexer::{JsonError, Lexer};
use super::{MAX_DEPTH, MAX_FIELDS, MAX_NAMES};

/// How the names of nested members become names of fields.
///
/// A prefix is what the names of an object's members begin with: empty for the record itself.
pub(crate) trait Naming {
    /// Appends to `into` (which is empty) the prefix for the members of the object `key` under
    /// `prefix`.
    fn enter(&self, prefix: &str, key: &str, into: &mut String) {
        into.push_str(prefix);
        into.push_str(key);
        into.push('.');
    }

    /// The name of the member `key` under `prefix`, which becomes field number `index`.
    fn name<'a>(&mut self, prefix: &str, key: Cow<'a, str>, index: usize) -> Cow<'a, str> {
        let _ = index;
        join(prefix, key)
    }

    /// An object that is the member `key`, or an element of it, became the fields from `start` on. Those of the elements
    /// before it stand from `first` on.
    fn object_ended(&mut self, key: &str, fields: &mut Vec<Field<'_>>, first: usize, start: usize) {
        let _ = (key, fields, first, start);
    }
}

/// The prefix and the key as one name.
pub(crate) fn join<'a>(prefix: &str, key: Cow<'a, str>) -> Cow<'a, str> {
    if prefix.is_empty() {
        return key;
    }
    Cow::Owned([prefix, &key].concat())
}

/// Names joined with dots: `user.name`.
pub(crate) struct Dotted;

impl Naming for Dotted {}

/// Appends the members of the object `text` to `fields`, in their order; duplicates are kept.
///
/// An array of plain values becomes one field with a list; objects within an array become fields
/// that share their names. An empty object becomes a null.
///
/// # Errors
///
/// Where `text` is not one JSON object or goes beyond a limit. `fields` then holds what stands
/// before the fault.
pub(crate) fn flatten<'a>(
    text: &'a str,
    naming: &mut impl Naming,
    fields: &mut Vec<Field<'a>>,
) -> Result<(), JsonError> {
    let mut flattener = Flattener {
        lexer: Lexer::new(text),
        naming,
        fields,
        prefix: String::new(),
        depth: 0,
        list_values: 0,
        name_bytes: 0,
    };
    if !flattener.lexer.take_if(b'{') {
        return Err(JsonError::NotAnObject);
    }
    flattener.members()?;
    match flattener.lexer.peek() {
        None => Ok(()),
        Some(_) => Err(JsonError::Trailing(flattener.lexer.at())),
    }
}

/// Values in all lists of a record, which bounds the memory that a record can take.
const MAX_LIST_VALUES: usize = 1 << 18;

struct Flattener<'f, 'a, N> {
    /// Where a container begins and ends; `members` goes on from a copy of it.
    lexer: Lexer<'a>,
    naming: &'f mut N,
    fields: &'f mut Vec<Field<'a>>,
    prefix: String,
    depth: usize,
    list_values: usize,
    /// Of all names and prefixes that were put together so far.
    name_bytes: usize,
}

impl<'a, N: Naming> Flattener<'_, 'a, N> {
    /// The members of an object whose brace was taken, and the closing brace.
    fn members(&mut self) -> Result<(), JsonError> {
        // A copy that nobody else has stays in registers.
        let mut lexer = self.lexer;
        if lexer.take_if(b'}') {
            self.lexer = lexer;
            return Ok(());
        }
        loop {
            lexer.require(b'"', "a field name")?;
            let key = lexer.string()?;
            lexer.require(b':', "a colon")?;
            match lexer.peek() {
                Some(b'"') => {
                    lexer.take();
                    let text = lexer.string()?;
                    self.push(key, Value::Str(text))?;
                }
                Some(b'{' | b'[') => {
                    self.lexer = lexer;
                    self.nested(key)?;
                    lexer = self.lexer;
                }
                _ => {
                    let value = lexer.scalar()?;
                    self.push(key, value)?;
                }
            }
            match lexer.peek() {
                Some(b',') => lexer.take(),
                Some(b'}') => {
                    lexer.take();
                    self.lexer = lexer;
                    return Ok(());
                }
                _ => return Err(lexer.unexpected("a comma or a closing brace")),
            }
        }
    }

    /// The member `key`, which is an object or an array.
    fn nested(&mut self, key: Cow<'a, str>) -> Result<(), JsonError> {
        let before = self.fields.len();
        if self.lexer.peek() == Some(b'{') {
            let prefix = self.prefix_of(&key)?;
            self.object(&key, prefix, before)?;
            if self.fields.len() == before {
                self.push(key, Value::Null)?;
            }
            return Ok(());
        }
        let mut values = Vec::new();
        self.array(&key, &mut values, before)?;
        if values.is_empty() && self.fields.len() > before {
            return Ok(());
        }
        self.push(key, Value::List(values))
    }

    /// What the names of an object's members begin with.
    fn prefix_of(&mut self, key: &str) -> Result<String, JsonError> {
        let length = self.prefix.len() + key.len() + 1;
        self.make_name(length)?;
        let mut inner = String::with_capacity(length);
        self.naming.enter(&self.prefix, key, &mut inner);
        Ok(inner)
    }

    /// Takes note that a name of so many bytes is put together: one long key before many others is many long names.
    fn make_name(&mut self, length: usize) -> Result<(), JsonError> {
        self.name_bytes = self.name_bytes.saturating_add(length);
        match self.name_bytes > MAX_NAMES {
            true => Err(JsonError::Names),
            false => Ok(()),
        }
    }

    /// An object whose brace was seen; the fields of its list begin at `first`. Gives its prefix back.
    fn object(&mut self, key: &str, prefix: String, first: usize) -> Result<String, JsonError> {
        self.descend()?;
        let outer = std::mem::replace(&mut self.prefix, prefix);
        let start = self.fields.len();
        let outcome = self.members();
        let prefix = std::mem::replace(&mut self.prefix, outer);
        // Also where it was cut off: what is there of it is read.
        self.naming.object_ended(key, self.fields, first, start);
        self.depth -= 1;
        outcome.map(|()| prefix)
    }

    /// An array whose bracket was seen. Arrays within it add to the same list, whose fields begin at `first`.
    fn array(&mut self, key: &str, values: &mut Vec<Value<'a>>, first: usize) -> Result<(), JsonError> {
        self.descend()?;
        // All objects of an array have the same.
        let mut prefix = None;
        while !self.lexer.take_if(b']') {
            if self.lexer.peek() == Some(b'{') {
                let own = match prefix.take() {
                    Some(own) => own,
                    None => self.prefix_of(key)?,
                };
                prefix = Some(self.object(key, own, first)?);
            } else {
                self.element(key, values, first)?;
            }
            if self.lexer.take_if(b',') {
                continue;
            }
            self.lexer.require(b']', "a comma or a closing bracket")?;
            break;
        }
        self.depth -= 1;
        Ok(())
    }

    /// An element of an array that is no object.
    fn element(&mut self, key: &str, values: &mut Vec<Value<'a>>, first: usize) -> Result<(), JsonError> {
        if self.lexer.peek() == Some(b'[') {
            return self.array(key, values, first);
        }
        if self.list_values >= MAX_LIST_VALUES {
            return Err(JsonError::Fields);
        }
        self.list_values += 1;
        values.push(match self.lexer.take_if(b'"') {
            true => Value::Str(self.lexer.string()?),
            false => self.lexer.scalar()?,
        });
        Ok(())
    }

    /// Takes an opening brace or bracket.
    fn descend(&mut self) -> Result<(), JsonError> {
        self.lexer.take();
        self.depth += 1;
        if self.depth >= MAX_DEPTH {
            return Err(JsonError::Depth);
        }
        Ok(())
    }

    #[inline(always)]
    fn push(&mut self, key: Cow<'a, str>, value: Value<'a>) -> Result<(), JsonError> {
        let index = self.fields.len();
        if index >= MAX_FIELDS {
            return Err(JsonError::Fields);
        }
        if !self.prefix.is_empty() {
            self.make_name(self.prefix.len() + key.len())?;
        }
        let name = self.naming.name(&self.prefix, key, index);
        self.fields.push(Field { name, value });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn flat(text: &str) -> Result<Vec<(String, String)>, JsonError> {
        let mut fields = Vec::new();
        flatten(text, &mut Dotted, &mut fields)?;
        Ok(fields
            .iter()
            .map(|field| (field.name.to_string(), field.value.to_string()))
            .collect())
    }

    #[test]
    fn nesting_becomes_dots_and_duplicates_stay() {
        let text = r#" {"a":{"b":{"c":1},"d":[1,[2,"x"]]},"a":null,"e":{},"l":[{"k":"1"},{"k":"2"}],"m":[], "a":true} "#;
        let expected = [
            ("a.b.c", "1"),
            ("a.d", "1, 2, x"),
            ("a", ""),
            ("e", ""),
            ("l.k", "1"),
            ("l.k", "2"),
            ("m", ""),
            ("a", "true"),
        ];
        let expected: Vec<_> = expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert_eq!(flat(text).unwrap(), expected);
    }

    #[test]
    fn faults_are_named() {
        for (text, expected) in [
            ("[]", JsonError::NotAnObject),
            ("", JsonError::NotAnObject),
            (r#"{"a":1}x"#, JsonError::Trailing(7)),
            (r#"{"a":1"#, JsonError::CutOff),
            (r#"{"a":"#, JsonError::CutOff),
            (r#"{"a":"b"#, JsonError::CutOff),
        ] {
            assert_eq!(flat(text), Err(expected), "{text}");
        }
        for text in [
            r#"{"a" 1}"#,
            r#"{"a":1 "b":2}"#,
            "{a:1}",
            r#"{"a":1,}"#,
            r#"{"a":[1 2]}"#,
            r#"{"a":tru}"#,
        ] {
            assert!(matches!(flat(text), Err(JsonError::Syntax { .. })), "{text}");
        }
    }

    #[test]
    fn objects_in_arrays_have_the_names_of_their_array() {
        let text = r#"{"a":[{"b":[{"c":1},[{"c":2}],3],"d":4},{"b":{"c":5}}],"e":[[{"f":6}]],"g":7}"#;
        let names: Vec<String> = flat(text).unwrap().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.b.c", "a.b.c", "a.b", "a.d", "a.b.c", "e.f", "g"]);
    }

    #[test]
    fn one_long_key_is_not_many_long_names() {
        let long = "k".repeat(1 << 20);
        let members: Vec<String> = (0..100).map(|number| format!("\"{number}\":1")).collect();
        let text = format!("{{\"{long}\":{{{}}}}}", members.join(","));
        assert_eq!(flat(&text), Err(JsonError::Names));
        let objects = vec!["{\"x\":{}}"; 100].join(",");
        let text = format!("{{\"{long}\":[{objects}]}}");
        assert_eq!(flat(&text), Err(JsonError::Names));
    }

    #[test]
    fn depth_and_number_of_fields_are_bounded() {
        let nested = |levels: usize| format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        assert!(flat(&nested(MAX_DEPTH)).is_ok());
        assert_eq!(flat(&nested(MAX_DEPTH + 1)), Err(JsonError::Depth));
        assert_eq!(
            flat(&format!(r#"{{"a":{}"#, "[".repeat(1_000_000))),
            Err(JsonError::Depth)
        );
        let wide = |fields: usize| format!("{{{}}}", vec![r#""a":1"#; fields].join(","));
        assert!(flat(&wide(MAX_FIELDS)).is_ok());
        assert_eq!(flat(&wide(MAX_FIELDS + 1)), Err(JsonError::Fields));
    }
}
