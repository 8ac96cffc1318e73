//! The many ways to write a Windows event as JSON → the flat names that Sigma rules use.

use std::borrow::Cow;

use blackrod_model::{Field, Value};

use crate::json::{Naming, join};

/// A part of the event's `System` element that a record has one of, whatever it is called there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    EventId,
    Channel,
    Provider,
    Computer,
    RecordId,
    /// When it happened, in UTC by the program that tells of it (Sysmon).
    UtcTime,
    /// When it was written to the log.
    TimeCreated,
    /// When it was written to the log, by the host's local clock (NXLog).
    LocalTime,
    /// When the collecting agent took it, by the host's local clock (NXLog).
    LocalReceived,
    /// When the collector took it, or when it happened: collectors differ.
    Collected,
}

impl Part {
    const COUNT: usize = Self::Collected as usize + 1;

    /// Its name in flat records.
    pub(super) const fn name(self) -> Option<&'static str> {
        match self {
            Self::EventId => Some("EventID"),
            Self::Channel => Some("Channel"),
            Self::Provider => Some("Provider_Name"),
            Self::Computer => Some("Computer"),
            Self::RecordId => Some("EventRecordID"),
            _ => None,
        }
    }

    /// The part that a field of this name holds, and how good a source of it that is: lower is
    /// better, 0 is the name itself.
    fn of(name: &str) -> Option<(Self, u8)> {
        Some(match name {
            "EventID" => (Self::EventId, 0),
            "EventId" | "event_id" => (Self::EventId, 1),
            "event.code" => (Self::EventId, 2),
            "Id" => (Self::EventId, 3),
            "Channel" => (Self::Channel, 0),
            "LogName" | "log_name" => (Self::Channel, 1),
            "Provider_Name" => (Self::Provider, 0),
            "SourceName" | "ProviderName" | "source_name" => (Self::Provider, 1),
            "event.provider" => (Self::Provider, 2),
            "Source" => (Self::Provider, 3),
            "Computer" => (Self::Computer, 0),
            "Hostname" | "MachineName" | "computer_name" => (Self::Computer, 1),
            "EventRecordID" => (Self::RecordId, 0),
            "RecordNumber" | "RecordId" | "record_number" => (Self::RecordId, 1),
            "UtcTime" => (Self::UtcTime, 0),
            "TimeCreated" => (Self::TimeCreated, 0),
            "SystemTime" => (Self::TimeCreated, 1),
            "TimeCreated.value" | "TimeCreated_value" => (Self::TimeCreated, 2),
            "TimeGenerated" | "TimeWritten" => (Self::TimeCreated, 3),
            "EventTime" => (Self::LocalTime, 0),
            "EventReceivedTime" => (Self::LocalReceived, 0),
            "@timestamp" => (Self::Collected, 0),
            "timestamp" | "Timestamp" => (Self::Collected, 1),
            _ => return None,
        })
    }
}

/// Names the fields of one record after another, and remembers which of them are its [`Part`]s.
#[derive(Default)]
pub(super) struct WindowsNames {
    found: [Option<(u8, usize)>; Part::COUNT],
    data_clashes: bool,
}

impl WindowsNames {
    /// The field that holds `part`.
    pub(super) fn index(&self, part: Part) -> Option<usize> {
        self.found[part as usize].map(|(_, index)| index)
    }

    /// The field that holds `part`, if its name is one of the better ones for it.
    pub(super) fn index_of_rank(&self, part: Part, worst: u8) -> Option<usize> {
        let (_, index) = self.found[part as usize].filter(|(rank, _)| *rank <= worst)?;
        Some(index)
    }

    /// Whether the event's own data has a field with the name of a [`Part`].
    pub(super) const fn data_clashes(&self) -> bool {
        self.data_clashes
    }

    /// Takes note of a field of the event's own data.
    fn note_data(&mut self, name: &str, index: usize) {
        match Part::of(name) {
            Some((Part::UtcTime, _)) => self.note(name, index),
            Some((part, 0)) if part.name().is_some() => self.data_clashes = true,
            _ => {}
        }
    }

    /// Takes note of a field outside of the event's own data.
    fn note(&mut self, name: &str, index: usize) {
        let Some((part, rank)) = Part::of(name) else {
            return;
        };
        let found = &mut self.found[part as usize];
        if found.is_none_or(|(best, _)| rank < best) {
            *found = Some((rank, index));
        }
    }
}

/// Prefix of the event's own data, whose names are never those of `System`: the record of a cleared
/// log, say, has the cleared log's name as `Channel`.
const DATA: &str = "EventData.";

/// `UserData` holds one element, whose name says nothing, which holds the data.
const USER_DATA: &str = "UserData.";

/// Elements of `System` whose attributes get flat names: `Provider_Name`.
const SYSTEM_ELEMENTS: &[&str] = &[
    "Provider",
    "TimeCreated",
    "EventID",
    "Execution",
    "Security",
    "Correlation",
];

impl Naming for WindowsNames {
    fn enter(&self, prefix: &str, key: &str, into: &mut String) {
        let is_system_element = |key: &str| prefix.is_empty() && SYSTEM_ELEMENTS.contains(&key);
        match (prefix, key) {
            ("", "Event" | "System" | "_source" | "result") => {}
            ("", "EventData" | "event_data") | ("winlog.", "event_data" | "user_data") => into.push_str(DATA),
            ("", "UserData" | "user_data") => into.push_str(USER_DATA),
            (USER_DATA, _) => into.push_str(DATA),
            (_, "#attributes" | "@attributes") if !prefix.is_empty() => {
                into.push_str(prefix.trim_end_matches(['.', '_']));
                into.push('_');
            }
            (_, key) if is_system_element(key.trim_end_matches("_attributes")) => {
                into.push_str(key.trim_end_matches("_attributes"));
                into.push('_');
            }
            _ => into.push_str(&join(prefix, Cow::Owned(format!("{key}.")))),
        }
    }

    fn name<'a>(&mut self, prefix: &str, key: Cow<'a, str>, index: usize) -> Cow<'a, str> {
        if prefix.is_empty() {
            self.note(&key, index);
            return key;
        }
        if matches!(prefix, DATA | USER_DATA) {
            self.note_data(&key, index);
            return key;
        }
        let name = match (prefix, key.as_ref()) {
            ("winlog.", "channel") => Cow::Borrowed("Channel"),
            ("winlog.", "provider_name") => Cow::Borrowed("Provider_Name"),
            ("winlog.", "computer_name") => Cow::Borrowed("Computer"),
            ("winlog.", "event_id") => Cow::Borrowed("EventID"),
            ("winlog.", "record_id") => Cow::Borrowed("EventRecordID"),
            ("EventID_", "#text" | "Value") => Cow::Borrowed("EventID"),
            ("TimeCreated_", "SystemTime" | "@SystemTime") => Cow::Borrowed("TimeCreated"),
            (element, "#text") => Cow::Owned(element.trim_end_matches(['.', '_']).to_owned()),
            (element, attribute) if element.ends_with('_') => {
                join(element, Cow::Borrowed(attribute.trim_start_matches('@')))
                    .into_owned()
                    .into()
            }
            _ => join(prefix, key),
        };
        self.note(&name, index);
        name
    }

    /// `<Data Name="Image">C:\…</Data>` as an object of its own becomes the field `Image`.
    fn object_ended(&mut self, key: &str, fields: &mut Vec<Field<'_>>, _: usize, start: usize) {
        if key != "Data" {
            return;
        }
        let element = fields.get(start..).unwrap_or_default();
        let member = |wanted: &[&str]| {
            element.iter().position(|field| {
                let last = field.name.rsplit(['.', '_', '@', '#']).next().unwrap_or_default();
                wanted.iter().any(|name| last.eq_ignore_ascii_case(name))
            })
        };
        let content = member(&["text", "value", "content", "data"]);
        let Some(name) = member(&["name"]) else {
            return;
        };
        if element.len() > 1 + usize::from(content.is_some()) {
            return;
        }
        let value = content
            .and_then(|index| element.get(index))
            .map(|field| field.value.clone());
        let Some(name) = element.get(name).and_then(|field| field.value.to_text()) else {
            return;
        };
        let name = name.into_owned();
        self.note_data(&name, start);
        fields.truncate(start);
        fields.push(Field {
            name: Cow::Owned(name),
            value: value.unwrap_or(Value::text("")),
        });
    }
}
