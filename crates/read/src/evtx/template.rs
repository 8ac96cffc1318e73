//! Binary XML elements, compiled to the list of fields that they yield.

use blackrod_model::Value;
use bumpalo::Bump;
use rustc_hash::FxHashMap;

use super::bytes::{Cursor, Fault};
use super::compile::{Compiler, Source};
use super::value;
use crate::windows::Role;

/// The compiled templates of one chunk, and its names.
pub(super) struct Templates<'c> {
    data: &'c [u8],
    pub(super) memory: &'c Bump,
    names: FxHashMap<u32, &'c str>,
    programs: FxHashMap<(u32, Place), Result<Program<'c>, Fault>>,
    /// How much may still be compiled. A chunk of templates that overlap could otherwise cost
    /// thousands of times its size.
    allowance: usize,
}

/// What an element yields, in order.
pub(super) type Program<'c> = &'c [Step<'c>];

/// One step of a program.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step<'c> {
    /// The next `steps` steps belong to an element that is left out if value `value` is null.
    Unless { value: u16, steps: usize },
    /// An attribute or the content of an element.
    Field(FieldStep<'c>),
}

/// A field, or a place for elements that only the record brings.
#[derive(Clone, Copy, Debug)]
pub(super) struct FieldStep<'c> {
    pub(super) name: Name<'c>,
    pub(super) role: Role,
    pub(super) slot: Slot,
    /// Its value: these, joined.
    pub(super) pieces: &'c [Piece<'c>],
    /// Where elements stand that come as its value.
    pub(super) inside: Place,
    /// What becomes of it when it has no value.
    pub(super) blank: Blank,
    /// Whether the record may have another field of this name.
    pub(super) unique: bool,
}

/// The name of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Name<'c> {
    Fixed(&'c str),
    /// The record names it.
    Given(&'c [Piece<'c>]),
}

/// A part of a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum Piece<'c> {
    Text(&'c str),
    /// The record's value of this number.
    Value(u16),
}

/// What becomes of a field without a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Blank {
    /// It is a field all the same: data that was not given.
    Kept,
    /// It is none: structure.
    Dropped,
}

/// The fields that say what a record is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Slot {
    None,
    EventId,
    Channel,
    Provider,
    Time,
    RecordId,
}

/// Where in the document an element stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Document,
    Event,
    System,
    /// In `EventData`, `UserData` or another element with the provider's own content.
    Data,
    Rendering,
}

impl Place {
    /// Where the content of the element `name` that stands here stands, and whether it counts when it is blank.
    pub(super) fn inside(self, name: &str) -> (Self, Blank) {
        match (self, name) {
            (Self::Document, "Event") => (Self::Event, Blank::Dropped),
            (Self::Event, "System") => (Self::System, Blank::Dropped),
            (Self::Event, "RenderingInfo") => (Self::Rendering, Blank::Dropped),
            (Self::Event, _) => (Self::Data, Blank::Dropped),
            (Self::Document | Self::Data, _) => (Self::Data, Blank::Kept),
            (Self::System | Self::Rendering, _) => (self, Blank::Dropped),
        }
    }
}

/// Bytes of templates that one chunk may make us compile: each of its bytes sixteen times.
const ALLOWANCE: usize = 16 * super::CHUNK_LEN;

impl<'c> Templates<'c> {
    pub(super) fn new(data: &'c [u8], memory: &'c Bump) -> Self {
        Self {
            data,
            memory,
            names: FxHashMap::with_capacity_and_hasher(128, Default::default()),
            programs: FxHashMap::default(),
            allowance: ALLOWANCE,
        }
    }

    pub(super) fn data(&self) -> &'c [u8] {
        self.data
    }

    /// The program of the template that is defined at `offset`, for use at `place`.
    pub(super) fn program(&mut self, offset: u32, place: Place) -> Result<Program<'c>, Fault> {
        if let Some(known) = self.programs.get(&(offset, place)) {
            return *known;
        }
        let program = self.definition(offset as usize).and_then(|(start, end)| {
            let (program, _) = self.compile(start, end, place, Source::Template)?;
            Ok(program)
        });
        self.programs.insert((offset, place), program);
        program
    }

    /// The program of the elements at `start`, which a record spells out without a template, and
    /// where they end.
    pub(super) fn plain(
        &mut self,
        start: usize,
        end: usize,
        place: Place,
    ) -> Result<(Program<'c>, usize), Fault> {
        self.compile(start, end, place, Source::Record)
    }

    /// Where the content of the template definition at `offset` begins and ends: after the offset
    /// of the next definition, a GUID and the length.
    fn definition(&self, offset: usize) -> Result<(usize, usize), Fault> {
        let mut cursor = Cursor {
            data: self.data,
            pos: offset,
        };
        cursor.take(4 + 16)?;
        let len = cursor.u32()? as usize;
        let start = cursor.pos;
        cursor.take(len)?;
        Ok((start, cursor.pos))
    }

    fn compile(
        &mut self,
        start: usize,
        end: usize,
        place: Place,
        source: Source,
    ) -> Result<(Program<'c>, usize), Fault> {
        let mut cursor = Cursor {
            data: self.data,
            pos: start,
        };
        let (steps, read) = Compiler::new(self, source, place).compile(&mut cursor, end);
        let cost = cursor.pos.saturating_sub(start).max(1);
        self.allowance = self
            .allowance
            .checked_sub(cost)
            .ok_or(Fault::Limit("16 times its chunk in templates"))?;
        read?;
        Ok((self.memory.alloc_slice_copy(&steps), cursor.pos))
    }

    /// Reads a reference to a name. Where a name is used first it stands right behind.
    pub(super) fn name(&mut self, cursor: &mut Cursor<'c>) -> Result<&'c str, Fault> {
        // The offset of the next name in the chunk's table, and a hash.
        const LINK_LEN: usize = 4 + 2;
        let offset = cursor.u32()?;
        let at = offset as usize;
        if at == cursor.pos {
            cursor.take(LINK_LEN)?;
            let units = usize::from(cursor.u16()?);
            cursor.take(units * 2 + 2)?;
        }
        if let Some(name) = self.names.get(&offset) {
            return Ok(name);
        }
        let mut stored = Cursor {
            data: self.data,
            pos: at,
        };
        stored.take(LINK_LEN)?;
        let units = usize::from(stored.u16()?);
        let name = value::utf16(stored.take(units * 2)?, self.memory)?;
        self.names.insert(offset, name);
        Ok(name)
    }

    pub(super) fn joined(&self, left: &str, right: &str) -> &'c str {
        let mut name =
            bumpalo::collections::String::with_capacity_in(left.len() + 1 + right.len(), self.memory);
        name.push_str(left);
        name.push('_');
        name.push_str(right);
        name.into_bump_str()
    }
}

/// True for a value that says nothing.
pub(super) fn is_nothing(value: &Value<'_>) -> bool {
    match value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        Value::List(values) => values.is_empty(),
        _ => false,
    }
}
