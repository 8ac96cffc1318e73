//! Field maps: what the fields of a log are that nobody knows beforehand.

use std::collections::BTreeMap;

use blackrod_model::{Class, Column, Event, Timestamp, Value};
use jiff::fmt::strtime::BrokenDownTime;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use toml::Spanned;

use super::common;
use crate::times::read_time;

/// The user's field maps, in the order in which they are tried.
///
/// ```toml
/// [[map]]
/// name = "vpn-log"                  # the name of the format
/// require = ["remote_ip", "login"]  # fields that a log must have for this map to apply
/// class = "authentication"          # OCSF class, as in the class column
/// time = "when"                     # or a list: the first that a record has
/// time_format = "%d/%m/%Y %H:%M:%S" # strptime; or unix, unix_ms, filetime; without it: guessed
/// product = "vpn"                   # log source of Sigma rules
/// channel = "vpn"
/// [map.columns]
/// src_ip = "remote_ip"              # or a list: the first that is not blank
/// user = "login"
/// ```
///
/// Columns that a map does not fill are filled by names that are in common use.
#[derive(Clone, Debug, Default)]
pub struct FieldMaps(pub(super) Vec<FieldMap>);

impl FieldMaps {
    /// Reads field maps from TOML.
    ///
    /// # Errors
    ///
    /// What is wrong, in which line, and what would be right.
    pub fn parse(text: &str) -> Result<Self, FieldMapError> {
        let file: File = toml::from_str(text).map_err(|error| FieldMapError::Toml {
            line: error.span().map_or(1, |span| line_of(text, span.start)),
            problem: error.message().to_owned(),
        })?;
        let maps = file.map.into_iter().map(|map| map.compile(text));
        maps.collect::<Result<_, _>>().map(Self)
    }

    /// Adds the maps of another file behind these.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }
}

/// Why a file of field maps cannot be used.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum FieldMapError {
    /// It is not TOML, or a field is missing, unknown or of the wrong type.
    #[error("line {line}: {problem}")]
    Toml {
        /// Counted from 1.
        line: usize,
        /// What the TOML reader says.
        problem: String,
    },
    /// A field has a value that means nothing.
    #[error("line {line}: map `{map}`, field `{field}`: {problem}; {mend}")]
    Value {
        /// Counted from 1.
        line: usize,
        /// The map's name.
        map: String,
        /// The field's name.
        field: String,
        /// What is wrong.
        problem: String,
        /// What would be right.
        mend: String,
    },
}

/// What one kind of log's fields are.
#[derive(Clone, Debug)]
pub(super) struct FieldMap {
    pub(super) name: String,
    pub(super) require: Vec<String>,
    class: Class,
    time_format: TimeFormat,
    product: &'static str,
    channel: String,
    claims: Claims,
}

/// Names and what fields of that name are.
pub(super) type Claims = FxHashMap<String, Vec<Claim>>;

/// What a field may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Claim {
    pub(super) target: Target,
    /// Lower is better.
    pub(super) rank: u16,
}

/// What a field can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Time,
    Column(Column),
}

#[derive(Clone, Debug, PartialEq)]
enum TimeFormat {
    Guessed,
    Unix,
    UnixMillis,
    Filetime,
    Strptime(String),
}

impl FieldMap {
    /// No map at all: names in common use are all there is.
    pub(super) fn none(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            require: Vec::new(),
            class: Class::BASE_EVENT,
            time_format: TimeFormat::Guessed,
            product: "",
            channel: String::new(),
            claims: Claims::default(),
        }
    }

    /// Whether a record with these fields is one of this map's.
    pub(super) fn applies_to(&self, has: &dyn Fn(&str) -> bool) -> bool {
        self.require.iter().all(|name| has(name))
    }

    /// What a field of this name may be.
    pub(super) fn claims_of(&self, name: &str) -> Vec<Claim> {
        let own = self.claims.get(name).into_iter().flatten();
        own.chain(common::claims_of(name)).copied().collect()
    }

    /// Sets class, source, time and columns of an event from its fields. `claims[i]` are those of
    /// field `i`.
    pub(super) fn apply<'a>(&'a self, event: &mut Event<'a>, claims: &[impl AsRef<[Claim]>]) {
        event.class = self.class;
        event.source.product = self.product;
        event.source.channel = self.channel.as_str().into();
        let mut best = [u16::MAX; Column::ALL.len()];
        let mut best_time = u16::MAX;
        for (index, (field, claims)) in event.fields.iter().zip(claims).enumerate() {
            if field.value.is_blank() {
                continue;
            }
            for claim in claims.as_ref() {
                match claim.target {
                    Target::Time if claim.rank < best_time => {
                        let time = self.time_format.read(&field.value, claim.rank);
                        if let Some(time) = time {
                            event.time = time;
                            best_time = claim.rank;
                        }
                    }
                    Target::Column(column) if claim.rank < best[column as usize] => {
                        best[column as usize] = claim.rank;
                        event.columns.set(column, index);
                    }
                    _ => {}
                }
            }
        }
    }
}

impl TimeFormat {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "unix" => return Some(Self::Unix),
            "unix_ms" => return Some(Self::UnixMillis),
            "filetime" => return Some(Self::Filetime),
            _ => {}
        }
        let sample = jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC);
        let is_format = text.contains('%') && jiff::fmt::strtime::format(text, &sample).is_ok();
        is_format.then(|| Self::Strptime(text.to_owned()))
    }

    /// The time in a field that claimed it with `rank`. The format is that of the field that the map
    /// names; a field that is merely called `time` is guessed.
    fn read(&self, value: &Value<'_>, rank: u16) -> Option<Timestamp> {
        if rank >= common::FIRST_RANK {
            return read_time(value);
        }
        match self {
            Self::Guessed => read_time(value),
            Self::Unix => scaled(value, 1_000_000),
            Self::UnixMillis => scaled(value, 1_000),
            Self::Filetime => {
                let ticks = u64::try_from(value.as_int()?).ok()?;
                Some(Timestamp::from_filetime(ticks))
            }
            Self::Strptime(format) => {
                let parsed = BrokenDownTime::parse(format, value.to_text()?.trim()).ok()?;
                let with_zone = parsed.to_timestamp().ok();
                let instant = with_zone.or_else(|| {
                    let local = parsed.to_datetime().ok()?;
                    Some(local.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
                })?;
                Some(Timestamp::from_micros(instant.as_microsecond()))
            }
        }
    }
}

/// A number of units of so many microseconds since 1970, whole or not.
fn scaled(value: &Value<'_>, micros: i64) -> Option<Timestamp> {
    if let Some(whole) = value.as_int() {
        return whole.checked_mul(micros).map(Timestamp::from_micros);
    }
    let number = match value {
        Value::Float(number) => *number,
        other => other.as_str()?.trim().parse().ok()?,
    };
    number
        .is_finite()
        .then(|| Timestamp::from_micros((number * micros as f64).round() as i64))
}

/// The TOML file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    map: Vec<Map>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Map {
    name: Spanned<String>,
    require: Spanned<Vec<String>>,
    class: Option<Spanned<String>>,
    time: Option<OneOrMore>,
    time_format: Option<Spanned<String>>,
    #[serde(default)]
    product: String,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    columns: BTreeMap<Spanned<String>, OneOrMore>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl OneOrMore {
    fn into_names(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::More(names) => names,
        }
    }
}

impl Map {
    fn compile(self, text: &str) -> Result<FieldMap, FieldMapError> {
        let map_name = self.name.get_ref().clone();
        let wrong =
            |field: &str, at: std::ops::Range<usize>, problem: String, mend: &str| FieldMapError::Value {
                line: line_of(text, at.start),
                map: map_name.clone(),
                field: field.to_owned(),
                problem,
                mend: mend.to_owned(),
            };
        if map_name.trim().is_empty() {
            let problem = "it is empty".to_owned();
            return Err(wrong(
                "name",
                self.name.span(),
                problem,
                "give the log a short name, such as vpn-log",
            ));
        }
        if self.require.get_ref().is_empty() {
            let problem = "it is empty, so the map would apply to every file".to_owned();
            return Err(wrong(
                "require",
                self.require.span(),
                problem,
                "name a field that only this log has",
            ));
        }
        let class = match &self.class {
            None => Class::BASE_EVENT,
            Some(class) => Class::from_name(class.get_ref()).ok_or_else(|| {
                let known: Vec<_> = Class::ALL.iter().map(|class| class.name()).collect();
                let problem = format!("`{}` is no event class", class.get_ref());
                wrong(
                    "class",
                    class.span(),
                    problem,
                    &format!("use one of {}", known.join(", ")),
                )
            })?,
        };
        let time_format = match &self.time_format {
            None => TimeFormat::Guessed,
            Some(format) => TimeFormat::parse(format.get_ref()).ok_or_else(|| {
                let problem = format!("`{}` is no format of times", format.get_ref());
                let mend = "use unix, unix_ms, filetime or a strptime format such as %d/%m/%Y %H:%M:%S";
                wrong("time_format", format.span(), problem, mend)
            })?,
        };
        let mut claims = Claims::default();
        let mut add = |target: Target, names: OneOrMore| {
            for (rank, name) in (0..common::FIRST_RANK).zip(names.into_names()) {
                claims.entry(name).or_default().push(Claim { target, rank });
            }
        };
        if let Some(names) = self.time {
            add(Target::Time, names);
        }
        for (column_name, names) in self.columns {
            let known = Column::ALL
                .iter()
                .find(|column| column.name() == column_name.get_ref());
            let column = known.ok_or_else(|| {
                let known: Vec<_> = Column::ALL.iter().map(|column| column.name()).collect();
                let problem = "there is no such column".to_owned();
                let field = format!("columns.{}", column_name.get_ref());
                wrong(
                    &field,
                    column_name.span(),
                    problem,
                    &format!("use one of {}", known.join(", ")),
                )
            })?;
            add(Target::Column(*column), names);
        }
        Ok(FieldMap {
            require: self.require.into_inner(),
            class,
            time_format,
            // Maps are read once, when the program starts, and are used until it ends.
            product: String::leak(self.product),
            channel: self.channel,
            claims,
            name: map_name,
        })
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().get(..offset).unwrap_or(text.as_bytes());
    1 + memchr::memchr_iter(b'\n', before).count()
}
