//! One normalised record.

use std::borrow::Cow;

use crate::value::write_json_string;
use crate::{Class, Position, Timestamp, Value, mail};

/// One normalised record out of a piece of evidence, borrowed from the reader's buffer.
///
/// It keeps the record's own fields under their own names (so that Sigma rules written for the
/// format work as they are) and says which of them fill the standard columns.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// What kind of activity this is.
    pub class: Class,
    /// When it happened.
    pub time: Timestamp,
    /// Where in its evidence the record stands.
    pub at: Position,
    /// Which log it was written to.
    pub source: Source<'a>,
    /// The record's own fields, in the record's order. Nested names are joined with dots.
    pub fields: Vec<Field<'a>>,
    /// Which field fills which column.
    pub columns: Columns,
    /// The record as it was written.
    pub raw: Raw<'a>,
    /// The message, where the record is one ([`Class::EMAIL_ACTIVITY`] from a mail reader).
    pub mail: Option<Box<mail::Message<'a>>>,
}

impl<'a> Event<'a> {
    /// An event with nothing in it yet but its class, time and place.
    pub fn new(class: Class, time: Timestamp, at: Position) -> Self {
        Self {
            class,
            time,
            at,
            source: Source::default(),
            fields: Vec::new(),
            columns: Columns::default(),
            raw: Raw::Fields,
            mail: None,
        }
    }

    /// The first field of this name. Names are compared as they are written.
    pub fn get(&self, name: &str) -> Option<&Value<'a>> {
        self.fields
            .iter()
            .find(|field| field.name == name)
            .map(|field| &field.value)
    }

    /// The value that fills `column`, if the record has one that is not blank.
    pub fn column(&self, column: Column) -> Option<&Value<'a>> {
        let index = self.columns.get(column)?;
        self.fields
            .get(index)
            .map(|field| &field.value)
            .filter(|value| !value.is_blank())
    }

    /// The text that fills `column`.
    pub fn column_text(&self, column: Column) -> Option<Cow<'_, str>> {
        self.column(column)?.to_text()
    }

    /// Appends the native record to `out`: as it was written, or its fields as one flat JSON object.
    pub fn write_raw(&self, out: &mut String) {
        match self.raw {
            Raw::Text(text) => out.push_str(text),
            Raw::Fields => {
                out.push('{');
                for (index, field) in self.fields.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    write_json_string(&field.name, out);
                    out.push(':');
                    field.value.write_json(out);
                }
                out.push('}');
            }
        }
    }
}

/// A name and a value of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'a> {
    /// The record's own name for it.
    pub name: Cow<'a, str>,
    /// What it says.
    pub value: Value<'a>,
}

impl<'a> Field<'a> {
    /// A field from anything that can be a name and a value.
    pub fn new(name: impl Into<Cow<'a, str>>, value: impl Into<Value<'a>>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// The log that a record was written to: what rules call a log source.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source<'a> {
    /// The product in Sigma's sense: `windows`, `email`, or empty where the format does not say.
    pub product: &'static str,
    /// The channel or log name: `Security`, `Microsoft-Windows-Sysmon/Operational`.
    pub channel: Cow<'a, str>,
    /// The program or provider that wrote the record.
    pub provider: Cow<'a, str>,
    /// The provider's number for this kind of record; 0 where there is none.
    pub event_id: u32,
}

/// The record as it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Raw<'a> {
    /// The record's own text.
    Text(&'a str),
    /// The record is binary, or its text may not be kept; its fields stand for it.
    Fields,
}

macro_rules! columns {
    ($($variant:ident = $name:literal, $ocsf:literal;)*) => {
        /// A standard column of the `events` table: the same question asked of every format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Column {
            $(#[doc = concat!("`", $name, "`: OCSF `", $ocsf, "`.")]
            $variant,)*
        }

        impl Column {
            /// All columns, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The column's name in the `events` table.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The OCSF 1.8 attribute that it holds.
            pub const fn ocsf(self) -> &'static str {
                match self { $(Self::$variant => $ocsf,)* }
            }
        }
    };
}

columns! {
    Host = "host", "device.hostname";
    User = "user", "actor.user.name";
    UserDomain = "user_domain", "actor.user.domain";
    TargetUser = "target_user", "user.name";
    SrcIp = "src_ip", "src_endpoint.ip";
    SrcPort = "src_port", "src_endpoint.port";
    DstIp = "dst_ip", "dst_endpoint.ip";
    DstPort = "dst_port", "dst_endpoint.port";
    DstHost = "dst_host", "dst_endpoint.hostname";
    Process = "process", "process.file.path";
    Pid = "pid", "process.pid";
    CommandLine = "command_line", "process.cmd_line";
    Parent = "parent", "process.parent_process.file.path";
    ParentCommandLine = "parent_command_line", "process.parent_process.cmd_line";
    File = "file", "file.path";
    Hash = "hash", "file.hashes";
    Url = "url", "http_request.url.url_string";
    Domain = "domain", "query.hostname";
    UserAgent = "user_agent", "http_request.user_agent";
    Session = "session", "session.uid";
    RegistryKey = "registry_key", "reg_key.path";
    Service = "service", "win_service.name";
    Action = "action", "activity_name";
    Status = "status", "status_code";
    MailFrom = "mail_from", "email.from";
    MailTo = "mail_to", "email.to";
    Subject = "subject", "email.subject";
    MessageId = "message_id", "email.message_uid";
}

const COLUMN_COUNT: usize = Column::ALL.len();
const NO_FIELD: u16 = u16::MAX;

/// Which field of an event fills which column: indices into [`Event::fields`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Columns([u16; COLUMN_COUNT]);

impl Default for Columns {
    fn default() -> Self {
        Self([NO_FIELD; COLUMN_COUNT])
    }
}

impl Columns {
    /// The field that fills `column`.
    pub fn get(&self, column: Column) -> Option<usize> {
        let index = self.0[column as usize];
        (index != NO_FIELD).then_some(usize::from(index))
    }

    /// Lets field `index` fill `column`, unless an earlier field already does. Fields beyond the
    /// 65,534th fill no column.
    pub fn set_first(&mut self, column: Column, index: usize) {
        let slot = &mut self.0[column as usize];
        if *slot == NO_FIELD {
            *slot = u16::try_from(index).unwrap_or(NO_FIELD);
        }
    }

    /// Lets field `index` fill `column`, whatever filled it before.
    pub fn set(&mut self, column: Column, index: usize) {
        self.0[column as usize] = u16::try_from(index).unwrap_or(NO_FIELD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_fields_are_json_whatever_they_hold() {
        let mut event = Event::new(Class::PROCESS_ACTIVITY, Timestamp::UNKNOWN, Position::START);
        event.fields.push(Field::new("a\"b", "x\u{1}\n\\é"));
        event.fields.push(Field::new(
            "n",
            Value::List(vec![Value::Int(1), Value::Float(f64::NAN)]),
        ));
        let mut raw = String::new();
        event.write_raw(&mut raw);
        assert_eq!(raw, r#"{"a\"b":"x\u0001\n\\é","n":[1,null]}"#);
    }

    #[test]
    fn a_blank_value_fills_no_column() {
        let mut event = Event::new(Class::PROCESS_ACTIVITY, Timestamp::UNKNOWN, Position::START);
        event.fields.push(Field::new("User", "-"));
        event.columns.set_first(Column::User, 0);
        assert_eq!(event.column(Column::User), None);
        event.fields[0].value = "anna".into();
        assert_eq!(event.column_text(Column::User).as_deref(), Some("anna"));
    }
}
