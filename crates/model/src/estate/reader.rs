//! Taking values out of TOML, noting what is wrong with them on the way.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{EstateError, Place};
use super::names::closest;

/// A value with the place where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) place: Place,
}

/// A TOML table while its values are taken out.
pub(super) struct Fields<'t, 'i> {
    source: &'i str,
    table: &'t DeTable<'i>,
    /// What the table is: `person "anna"`.
    pub(super) what: String,
    span: Range<usize>,
    known: Vec<&'static str>,
}

impl<'t, 'i> Fields<'t, 'i> {
    /// `kind` says what the table is; a name or id in it makes that exact.
    pub(super) fn new(source: &'i str, table: &'t Spanned<DeTable<'i>>, kind: &str) -> Self {
        Self::of(source, table.get_ref(), table.span(), kind)
    }

    pub(super) fn of(source: &'i str, table: &'t DeTable<'i>, span: Range<usize>, kind: &str) -> Self {
        let named = ["id", "name"]
            .iter()
            .find_map(|key| table.get(*key)?.get_ref().as_str());
        let what = match named {
            Some(name) => format!("{kind} {name:?}"),
            None => kind.to_owned(),
        };
        Self {
            source,
            table,
            what,
            span,
            known: Vec::new(),
        }
    }

    /// Where the table begins.
    pub(super) fn place(&self) -> Place {
        place_of(self.source, &self.span, self.what.clone())
    }

    /// The text under `key`.
    pub(super) fn text(
        &mut self,
        key: &'static str,
        errors: &mut Vec<EstateError>,
    ) -> Option<Placed<String>> {
        let value = self.get(key)?;
        let text = value.get_ref().as_str();
        let placed = text.map(|text| Placed {
            value: text.trim().to_owned(),
            place: self.place_at(value, key),
        });
        if placed.is_none() {
            self.wrong_type(value, key, "text in quotes", errors);
        }
        placed.filter(|text| !text.value.is_empty())
    }

    /// The text under `key`, which has to be there.
    pub(super) fn required(
        &mut self,
        key: &'static str,
        errors: &mut Vec<EstateError>,
    ) -> Option<Placed<String>> {
        let had_errors = errors.len();
        let text = self.text(key, errors);
        if text.is_none() && errors.len() == had_errors {
            errors.push(EstateError {
                place: self.place(),
                problem: format!("`{key}` is missing"),
                mend: format!("add {key} = \"…\""),
            });
        }
        text
    }

    /// The texts under `key`; one text counts as a list of one.
    pub(super) fn texts(&mut self, key: &'static str, errors: &mut Vec<EstateError>) -> Vec<Placed<String>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let items = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item.get_ref().as_str() {
                Some(text) => texts.push(Placed {
                    value: text.trim().to_owned(),
                    place: self.place_at(item, key),
                }),
                None => self.wrong_type(item, key, "a list of texts, [\"…\", \"…\"]", errors),
            }
        }
        texts
    }

    /// True or false under `key`; false where it is missing.
    pub(super) fn flag(&mut self, key: &'static str, errors: &mut Vec<EstateError>) -> bool {
        let Some(value) = self.get(key) else {
            return false;
        };
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong_type(value, key, "true or false", errors);
        }
        flag.unwrap_or(false)
    }

    /// The whole number under `key`; 0 where it is missing.
    pub(super) fn number(&mut self, key: &'static str, errors: &mut Vec<EstateError>) -> u64 {
        let Some(value) = self.get(key) else { return 0 };
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|digits| u64::from_str_radix(digits.as_str(), digits.radix()).ok());
        if number.is_none() {
            self.wrong_type(value, key, "a whole number, 0 or more", errors);
        }
        number.unwrap_or(0)
    }

    /// The tables under `key`, each `[[key]]`.
    pub(super) fn tables(&mut self, key: &'static str, errors: &mut Vec<EstateError>) -> Vec<Fields<'t, 'i>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong_type(value, key, &format!("[[{key}]], with two brackets"), errors);
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(items.len());
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    tables.push(Fields::of(self.source, table, item.span(), key));
                }
                _ => self.wrong_type(item, key, "a table", errors),
            }
        }
        tables
    }

    /// The table under `key`, `[key]`.
    pub(super) fn table(
        &mut self,
        key: &'static str,
        errors: &mut Vec<EstateError>,
    ) -> Option<Fields<'t, 'i>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Fields::of(self.source, table, value.span(), key)),
            _ => {
                self.wrong_type(value, key, &format!("[{key}], with one bracket"), errors);
                None
            }
        }
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self, errors: &mut Vec<EstateError>) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.known.contains(&name) {
                continue;
            }
            let mend = match closest(name, self.known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known here: {}", self.known.join(", ")),
            };
            errors.push(EstateError {
                place: place_of(self.source, &key.span(), self.what.clone()),
                problem: format!("unknown key `{name}`"),
                mend,
            });
        }
    }

    fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'i>>> {
        self.known.push(key);
        self.table.get(key)
    }

    fn place_at(&self, value: &Spanned<DeValue<'i>>, key: &str) -> Place {
        let field = match self.what.as_str() {
            "" => key.to_owned(),
            what => format!("{what}, {key}"),
        };
        place_of(self.source, &value.span(), field)
    }

    fn wrong_type(
        &self,
        value: &Spanned<DeValue<'i>>,
        key: &str,
        expected: &str,
        errors: &mut Vec<EstateError>,
    ) {
        errors.push(EstateError {
            place: self.place_at(value, key),
            problem: format!("`{key}` may not be a {} here", value.get_ref().type_str()),
            mend: format!("write {expected}"),
        });
    }
}

/// The place of `span` in `source`.
pub(super) fn place_of(source: &str, span: &Range<usize>, field: String) -> Place {
    let start = source.floor_char_boundary(span.start.min(source.len()));
    let end = source.floor_char_boundary(span.end.clamp(start, source.len()));
    let line_start = source[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = source[start..].find('\n').map_or(source.len(), |at| start + at);
    let marked = &source[start..end.min(line_end)];
    Place {
        file: None,
        line: source[..start].matches('\n').count() + 1,
        column: source[line_start..start].chars().count(),
        width: marked.chars().count().max(1),
        text: source[line_start..line_end].trim_end().to_owned(),
        field,
    }
}
