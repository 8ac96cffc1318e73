//! One record → one event.

use std::borrow::Cow;

use blackrod_model::{Event, Field, Position, Source, Timestamp, Value};
use bumpalo::Bump;

use super::bytes::{Cursor, Fault};
use super::compile::token;
use super::template::{Blank, FieldStep, Name, Piece, Place, Program, Slot, Step, Templates, is_nothing};
use super::value::{self, kind};
use crate::windows::{self, Role};

/// A record's place and what its header says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    /// Bytes from the start of the chunk.
    pub(super) at: usize,
    /// Length of the whole record, its header and the copy of its length at its end included.
    pub(super) len: usize,
    /// The record's number in this file. After an export it differs from the one the record was
    /// written under, which is in `System`.
    pub(super) id: u64,
    /// When it was written, as a FILETIME.
    pub(super) written: u64,
}

impl Header {
    pub(super) const LEN: usize = 24;

    fn content(&self) -> (usize, usize) {
        (self.at + Self::LEN, (self.at + self.len).saturating_sub(4))
    }
}

/// What is used again from record to record.
#[derive(Default)]
pub(super) struct Scratch {
    values: Vec<Raw>,
    roles: Vec<Role>,
}

/// A value as it lies in the chunk.
#[derive(Clone, Copy, Debug)]
struct Raw {
    ty: u8,
    start: usize,
    end: usize,
}

const MAX_FIELDS: usize = 1_024;
/// Steps of programs: bounds templates of nothing but empty elements, nested in each other.
const MAX_STEPS: usize = 8_192;
/// Bytes of values. A record has at most 64 KiB, but may use a value many times.
const MAX_VALUE_BYTES: usize = 1024 * 1024;
/// As many as most records have.
const USUAL_FIELDS: usize = 32;
const MAX_NESTING: usize = 16;
const MAX_COMPARED: usize = 65_536;

/// Reads the record at `header`. `offset` is where its chunk begins in the evidence, `expected` a
/// guess at the number of its fields.
pub(super) fn read<'r, 'c: 'r>(
    header: Header,
    offset: u64,
    templates: &mut Templates<'c>,
    scratch: &mut Scratch,
    memory: &'r Bump,
    expected: usize,
) -> Result<Event<'r>, Fault> {
    scratch.values.clear();
    scratch.roles.clear();
    let mut reader = Reader {
        templates,
        scratch,
        memory,
        fields: Vec::with_capacity(expected.max(USUAL_FIELDS)),
        system: System::default(),
        steps: 0,
        value_bytes: 0,
        data_programs: 0,
        compared: 0,
    };
    let (start, end) = header.content();
    reader.stream(start, end, Place::Document, 0)?;
    let Reader { fields, system, .. } = reader;
    if fields.is_empty() {
        return Err(Fault::Unusual("a record of nothing"));
    }
    Ok(event(header, offset, fields, system, &scratch.roles))
}

/// What a record is, out of its `System` element.
#[derive(Default)]
pub(super) struct System<'r> {
    pub(super) event_id: u32,
    pub(super) channel: Cow<'r, str>,
    pub(super) provider: Cow<'r, str>,
    pub(super) time: Option<Timestamp>,
    pub(super) record_id: Option<u64>,
}

impl<'r> System<'r> {
    /// Takes note of a value of `System`.
    pub(super) fn note(&mut self, slot: Slot, value: &Value<'r>) {
        match (slot, value) {
            (Slot::EventId, _) => {
                self.event_id = value
                    .as_int()
                    .and_then(|id| u32::try_from(id).ok())
                    .unwrap_or_default();
            }
            (Slot::RecordId, _) => {
                self.record_id = value.as_int().and_then(|id| u64::try_from(id).ok());
            }
            (Slot::Channel, Value::Str(text)) => self.channel.clone_from(text),
            (Slot::Provider, Value::Str(text)) => self.provider.clone_from(text),
            (Slot::Time, Value::Str(text)) => self.time = self.time.or_else(|| Timestamp::parse(text)),
            _ => {}
        }
    }
}

/// The event of the record at `header`, whose fields and their roles are known.
pub(super) fn event<'r>(
    header: Header,
    offset: u64,
    fields: Vec<Field<'r>>,
    system: System<'r>,
    roles: &[Role],
) -> Event<'r> {
    let class = windows::class_of(&system.channel, &system.provider, system.event_id);
    let time = system
        .time
        .or_else(|| time_of(header.written))
        .unwrap_or(Timestamp::UNKNOWN);
    let at = Position {
        offset: offset + header.at as u64,
        record: system.record_id.unwrap_or(header.id),
    };
    let mut event = Event::new(class, time, at);
    event.source = Source {
        product: "windows",
        channel: system.channel,
        provider: system.provider,
        event_id: system.event_id,
    };
    event.fields = fields;
    windows::fill_columns_by(&mut event, roles);
    event
}

fn time_of(filetime: u64) -> Option<Timestamp> {
    (filetime != 0 && filetime <= i64::MAX as u64).then(|| Timestamp::from_filetime(filetime))
}

struct Reader<'t, 'c, 'r> {
    templates: &'t mut Templates<'c>,
    scratch: &'t mut Scratch,
    memory: &'r Bump,
    fields: Vec<Field<'r>>,
    system: System<'r>,
    steps: usize,
    value_bytes: usize,
    /// How many programs with the provider's own data have run. Names are known to be unique
    /// within one only.
    data_programs: usize,
    /// Names that were compared to find out whether a field is a second of its name.
    compared: usize,
}

impl<'c: 'r, 'r> Reader<'_, 'c, 'r> {
    /// Reads a stream of tokens: template instances and elements.
    fn stream(&mut self, start: usize, end: usize, place: Place, depth: usize) -> Result<(), Fault> {
        if depth > MAX_NESTING {
            return Err(Fault::Unusual("fragments nested too deeply"));
        }
        let mut cursor = Cursor {
            data: self.templates.data(),
            pos: start,
        };
        while cursor.pos < end {
            let token = cursor.u8()?;
            match token & !token::MORE {
                token::END_OF_STREAM => break,
                token::FRAGMENT_HEADER => {
                    cursor.take(3)?;
                }
                token::TEMPLATE_INSTANCE => self.instance(&mut cursor, end, place, depth)?,
                token::OPEN_START => {
                    let (program, after) = self.templates.plain(cursor.pos - 1, end, place)?;
                    cursor.pos = after;
                    let no_values = self.scratch.values.len();
                    self.run(program, place, no_values, depth)?;
                }
                _ => return Err(Fault::Unusual("a token that is rare")),
            }
        }
        Ok(())
    }

    fn instance(
        &mut self,
        cursor: &mut Cursor<'c>,
        end: usize,
        place: Place,
        depth: usize,
    ) -> Result<(), Fault> {
        let _version = cursor.u8()?;
        let _id = cursor.u32()?;
        let definition = cursor.u32()?;
        if definition as usize == cursor.pos {
            // The definition itself, where it is used first: next offset, GUID, length, content.
            cursor.take(4 + 16)?;
            let len = cursor.u32()? as usize;
            cursor.take(len)?;
        }
        let count = cursor.u32()? as usize;
        let descriptors = cursor.take(count.saturating_mul(4))?;
        let first = self.scratch.values.len();
        let mut pos = cursor.pos;
        for [low, high, ty, _] in descriptors.as_chunks::<4>().0 {
            let start = pos;
            pos += usize::from(u16::from_le_bytes([*low, *high]));
            self.scratch.values.push(Raw {
                ty: *ty,
                start,
                end: pos,
            });
        }
        if pos > end {
            return Err(Fault::OutOfBounds);
        }
        cursor.pos = pos;
        let program = self.templates.program(definition, place)?;
        self.run(program, place, first, depth)?;
        self.scratch.values.truncate(first);
        Ok(())
    }

    /// Runs a program whose value 0 is `values[first]`.
    fn run(&mut self, program: Program<'c>, place: Place, first: usize, depth: usize) -> Result<(), Fault> {
        self.data_programs += usize::from(place != Place::Document);
        let mut next = 0;
        while let Some(step) = program.get(next) {
            next += 1;
            self.steps += 1;
            if self.steps > MAX_STEPS {
                return Err(Fault::Limit("8,192 elements"));
            }
            match step {
                Step::Unless { value, steps } => {
                    if self.raw(first, *value)?.ty == kind::NULL {
                        next += steps;
                    }
                }
                Step::Field(step) => self.field(step, first, depth)?,
            }
        }
        Ok(())
    }

    fn raw(&self, first: usize, number: u16) -> Result<Raw, Fault> {
        let raw = self.scratch.values.get(first + usize::from(number));
        raw.copied()
            .ok_or(Fault::Unusual("a value that the record does not have"))
    }

    fn field(&mut self, step: &FieldStep<'c>, first: usize, depth: usize) -> Result<(), Fault> {
        // Most fields by far: a value of the record under a name that no other field has. Written
        // out because values that pass through several hands cost a fifth of all reading.
        if let ([Piece::Value(number)], Name::Fixed(name), Slot::None) = (step.pieces, step.name, step.slot)
            && self.is_unique(step)
        {
            let raw = self.raw(first, *number)?;
            match raw.ty {
                kind::STRING => {
                    let text = value::utf16(self.bytes(raw)?, self.memory)?;
                    if text.is_empty() && step.blank == Blank::Dropped {
                        return Ok(());
                    }
                    return self.append(name, step.role, Value::text(text));
                }
                kind::NULL if step.blank == Blank::Dropped => return Ok(()),
                kind::UINT8 | kind::UINT16 | kind::UINT32 => {
                    let number = value::small_number(raw.ty, self.bytes(raw)?)?;
                    return self.append(name, step.role, Value::Int(number));
                }
                _ => {}
            }
        }
        self.rare_field(step, first, depth)
    }

    fn rare_field(&mut self, step: &FieldStep<'c>, first: usize, depth: usize) -> Result<(), Fault> {
        let value = match step.pieces {
            [] => Value::Null,
            [Piece::Text(text)] => Value::text(text),
            [Piece::Value(number)] => {
                let raw = self.raw(first, *number)?;
                if raw.ty == kind::BINXML && raw.start < raw.end {
                    return self.stream(raw.start, raw.end, step.inside, depth + 1);
                }
                if step.slot == Slot::Time && raw.ty == kind::FILETIME {
                    let ticks = super::bytes::u64_at(self.templates.data(), raw.start);
                    self.system.time = ticks.and_then(time_of);
                }
                self.value(raw)?
            }
            several => Value::text(self.text(several, first)?),
        };
        if step.blank == Blank::Dropped && is_nothing(&value) {
            return Ok(());
        }
        if step.slot != Slot::None {
            self.system.note(step.slot, &value);
        }
        match step.name {
            Name::Fixed(name) if self.is_unique(step) => self.append(name, step.role, value),
            Name::Fixed(name) => self.push(name, step.role, value),
            Name::Given(pieces) => {
                let name = self.text(pieces, first)?;
                let name = if name.is_empty() { "Data" } else { name };
                self.push(name, Role::of(name), value)
            }
        }
    }

    /// Whether no field so far has the name of `step`'s.
    fn is_unique(&self, step: &FieldStep<'c>) -> bool {
        step.unique && self.data_programs < 2
    }

    fn bytes(&mut self, raw: Raw) -> Result<&'c [u8], Fault> {
        let bytes = self
            .templates
            .data()
            .get(raw.start..raw.end)
            .ok_or(Fault::OutOfBounds)?;
        self.value_bytes += bytes.len();
        if self.value_bytes > MAX_VALUE_BYTES {
            return Err(Fault::Limit("a megabyte of values"));
        }
        Ok(bytes)
    }

    fn value(&mut self, raw: Raw) -> Result<Value<'r>, Fault> {
        let bytes = self.bytes(raw)?;
        if raw.ty & kind::ARRAY == 0 {
            return match raw.ty {
                // An empty fragment.
                kind::BINXML => Ok(Value::Null),
                ty => value::read(ty, bytes, self.memory),
            };
        }
        let mut items = value::read_array(raw.ty, bytes, self.memory)?;
        Ok(match items.len() {
            0 => Value::Null,
            1 => items.remove(0),
            _ => Value::List(items),
        })
    }

    /// The pieces as one text.
    fn text(&mut self, pieces: &[Piece<'c>], first: usize) -> Result<&'r str, Fault> {
        let mut text = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Value(number) => {
                    let raw = self.raw(first, *number)?;
                    if raw.ty & kind::ARRAY != 0 || raw.ty == kind::BINXML {
                        return Err(Fault::Unusual("a list within a text"));
                    }
                    text.push_str(&self.value(raw)?.to_text().unwrap_or_default());
                }
            }
            if text.len() > MAX_VALUE_BYTES {
                return Err(Fault::Limit("a megabyte of values"));
            }
        }
        Ok(self.memory.alloc_str(&text))
    }

    /// Adds a field, or another value to the field of this name.
    fn push(&mut self, name: &'r str, role: Role, value: Value<'r>) -> Result<(), Fault> {
        self.compared += self.fields.len();
        if self.compared > MAX_COMPARED {
            return Err(Fault::Limit("65,536 comparisons of names"));
        }
        match self.fields.iter_mut().find(|field| field.name == name) {
            Some(field) => {
                add(&mut field.value, value);
                Ok(())
            }
            None => self.append(name, role, value),
        }
    }

    #[inline(always)]
    fn append(&mut self, name: &'r str, role: Role, value: Value<'r>) -> Result<(), Fault> {
        if self.fields.len() >= MAX_FIELDS {
            return Err(Fault::Limit("1,024 fields"));
        }
        let name = Cow::Borrowed(name);
        self.fields.push(Field { name, value });
        self.scratch.roles.push(role);
        Ok(())
    }
}

/// Makes `value` another value of a field: several under one name become a list.
pub(super) fn add<'r>(known: &mut Value<'r>, value: Value<'r>) {
    let several = match (std::mem::replace(known, Value::Null), value) {
        (Value::List(mut list), Value::List(more)) => {
            list.extend(more);
            list
        }
        (Value::List(mut list), one) => {
            list.push(one);
            list
        }
        (one, Value::List(more)) => std::iter::once(one).chain(more).collect(),
        (one, other) => vec![one, other],
    };
    *known = Value::List(several);
}
