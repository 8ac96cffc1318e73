//! The compiler from the tokens of binary XML to the steps of a program.

use bumpalo::Bump;

use super::bytes::{Cursor, Fault};
use super::template::{Blank, FieldStep, Name, Piece, Place, Slot, Step, Templates};
use super::value::{self, kind};
use crate::windows::Role;

/// Where tokens come from. Elements of a template begin with the number of a value that they
/// depend on; those that a record spells out do not.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Source {
    Template,
    Record,
}

/// Reads tokens and emits steps.
pub(super) struct Compiler<'t, 'c> {
    templates: &'t mut Templates<'c>,
    source: Source,
    place: Place,
    open: Vec<Open<'c>>,
    steps: Vec<Step<'c>>,
}

const MAX_DEPTH: usize = 64;
const MAX_STEPS: usize = 1_024;

/// The tokens of binary XML (MS-EVEN6 2.2.12). The bit `MORE` says that more of the same follow.
pub(super) mod token {
    pub(crate) const END_OF_STREAM: u8 = 0x00;
    pub(crate) const OPEN_START: u8 = 0x01;
    pub(crate) const CLOSE_START: u8 = 0x02;
    pub(crate) const CLOSE_EMPTY: u8 = 0x03;
    pub(crate) const END_ELEMENT: u8 = 0x04;
    pub(crate) const VALUE: u8 = 0x05;
    pub(crate) const ATTRIBUTE: u8 = 0x06;
    pub(crate) const CDATA: u8 = 0x07;
    pub(crate) const CHAR_REF: u8 = 0x08;
    pub(crate) const ENTITY_REF: u8 = 0x09;
    pub(crate) const TEMPLATE_INSTANCE: u8 = 0x0c;
    pub(crate) const SUBSTITUTION: u8 = 0x0d;
    pub(crate) const OPTIONAL_SUBSTITUTION: u8 = 0x0e;
    pub(crate) const FRAGMENT_HEADER: u8 = 0x0f;
    pub(crate) const MORE: u8 = 0x40;
}

impl<'t, 'c> Compiler<'t, 'c> {
    pub(super) fn new(templates: &'t mut Templates<'c>, source: Source, place: Place) -> Self {
        Self {
            templates,
            source,
            place,
            open: Vec::new(),
            steps: Vec::with_capacity(64),
        }
    }

    /// Compiles what stands at `cursor`, up to `end`: the steps, and whether all of it was read.
    pub(super) fn compile(
        mut self,
        cursor: &mut Cursor<'c>,
        end: usize,
    ) -> (Vec<Step<'c>>, Result<(), Fault>) {
        let read = self.tokens(cursor, end);
        (self.steps, read)
    }

    /// Reads up to the end of the first element that stands on the outside, or of the stream.
    fn tokens(&mut self, cursor: &mut Cursor<'c>, end: usize) -> Result<(), Fault> {
        while cursor.pos < end {
            let token = cursor.u8()?;
            match token & !token::MORE {
                token::FRAGMENT_HEADER => {
                    cursor.take(3)?;
                }
                token::OPEN_START => {
                    self.open_element(cursor, token & token::MORE != 0)?;
                }
                token::END_ELEMENT => self.close_element()?,
                token::END_OF_STREAM => break,
                _ => {
                    let piece = self.piece(token, cursor)?;
                    let open = self
                        .open
                        .last_mut()
                        .ok_or(Fault::Unusual("text outside of all elements"))?;
                    open.pieces.push(piece);
                }
            }
            let is_whole = self.open.is_empty() && !self.steps.is_empty();
            if is_whole && self.source == Source::Record {
                break;
            }
            if self.steps.len() > MAX_STEPS {
                return Err(Fault::Limit("1,024 fields in a template"));
            }
        }
        match self.open.is_empty() {
            true => Ok(()),
            false => Err(Fault::Unusual("an element without an end")),
        }
    }

    fn open_element(&mut self, cursor: &mut Cursor<'c>, has_attributes: bool) -> Result<(), Fault> {
        const NO_DEPENDENCY: u16 = u16::MAX;
        let depends_on = match self.source {
            Source::Template => cursor.u16()?,
            Source::Record => NO_DEPENDENCY,
        };
        let _len = cursor.u32()?;
        let element = self.templates.name(cursor)?;
        if has_attributes {
            let _len_of_attributes = cursor.u32()?;
        }
        let (attributes, is_empty) = self.attributes(cursor)?;
        if self.open.len() >= MAX_DEPTH {
            return Err(Fault::Unusual("elements nested too deeply"));
        }
        self.begin_child();
        let place = self.open.last().map_or(self.place, |parent| parent.inside);
        let unless = (depends_on != NO_DEPENDENCY).then_some(self.steps.len());
        if unless.is_some() {
            self.steps.push(Step::Unless {
                value: depends_on,
                steps: 0,
            });
        }
        let open = self.element(place, element, &attributes, unless);
        self.open.push(open);
        if is_empty {
            self.close_element()?;
        }
        Ok(())
    }

    /// Reads the attributes of an element and the end of its start tag, and whether it is empty.
    fn attributes(&mut self, cursor: &mut Cursor<'c>) -> Result<(Vec<Attribute<'c>>, bool), Fault> {
        let mut attributes: Vec<Attribute<'c>> = Vec::new();
        loop {
            let token = cursor.u8()?;
            match token & !token::MORE {
                token::CLOSE_START => return Ok((attributes, false)),
                token::CLOSE_EMPTY => return Ok((attributes, true)),
                token::ATTRIBUTE => {
                    let name = self.templates.name(cursor)?;
                    attributes.push(Attribute {
                        name,
                        pieces: Pieces::default(),
                    });
                }
                _ => {
                    let piece = self.piece(token, cursor)?;
                    let attribute = attributes
                        .last_mut()
                        .ok_or(Fault::Unusual("a value without an attribute"))?;
                    attribute.pieces.push(piece);
                }
            }
        }
    }

    fn piece(&mut self, token: u8, cursor: &mut Cursor<'c>) -> Result<Piece<'c>, Fault> {
        let memory = self.templates.memory;
        match token & !token::MORE {
            token::VALUE => {
                if cursor.u8()? != kind::STRING {
                    return Err(Fault::Unusual("a literal that is no text"));
                }
                let units = usize::from(cursor.u16()?);
                Ok(Piece::Text(value::utf16(cursor.take(units * 2)?, memory)?))
            }
            token::CDATA => {
                let units = usize::from(cursor.u16()?);
                Ok(Piece::Text(value::utf16(cursor.take(units * 2)?, memory)?))
            }
            token::CHAR_REF => {
                let unit = cursor.u16()?;
                let character = char::from_u32(unit.into()).ok_or(Fault::Unusual("half a character"))?;
                Ok(Piece::Text(memory.alloc_str(character.encode_utf8(&mut [0; 4]))))
            }
            token::ENTITY_REF => Ok(Piece::Text(match self.templates.name(cursor)? {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "apos" => "'",
                _ => return Err(Fault::Unusual("an entity that is not known")),
            })),
            token::SUBSTITUTION | token::OPTIONAL_SUBSTITUTION if self.source == Source::Template => {
                let number = cursor.u16()?;
                let _type = cursor.u8()?;
                Ok(Piece::Value(number))
            }
            _ => Err(Fault::Unusual("a token that is rare")),
        }
    }

    /// Emits an element's attributes, and says what its content will be.
    fn element(
        &mut self,
        place: Place,
        element: &'c str,
        attributes: &[Attribute<'c>],
        unless: Option<usize>,
    ) -> Open<'c> {
        let (inside, mut blank) = place.inside(element);
        let is_data = place == Place::Data && matches!(element, "Data" | "ComplexData");
        let plain_name = match place {
            Place::Rendering => self.templates.joined("RenderingInfo", element),
            _ => element,
        };
        let mut name = Name::Fixed(plain_name);
        for attribute in attributes {
            match attribute.name {
                "Name" if is_data => {
                    name = self.given_name(&attribute.pieces);
                    continue;
                }
                xmlns if xmlns.starts_with("xmlns") => {}
                "SystemTime" if place == Place::System => {
                    self.field(
                        Name::Fixed(plain_name),
                        place,
                        &attribute.pieces,
                        Place::Data,
                        Blank::Dropped,
                    );
                }
                other => {
                    let joined = Name::Fixed(self.templates.joined(plain_name, other));
                    self.field(joined, place, &attribute.pieces, Place::Data, Blank::Dropped);
                }
            }
            // What it has to say may well be in its attributes.
            blank = Blank::Dropped;
        }
        Open {
            name,
            inside,
            blank,
            pieces: Pieces::default(),
            has_children: false,
            unless,
        }
    }

    fn given_name(&self, pieces: &Pieces<'c>) -> Name<'c> {
        match pieces.kept_in(self.templates.memory) {
            [Piece::Text(text)] => Name::Fixed(text),
            other => Name::Given(other),
        }
    }

    /// A child begins: what its parent held so far is a text of its own, or a place for elements.
    fn begin_child(&mut self) {
        let Some(parent) = self.open.last_mut() else {
            return;
        };
        parent.has_children = true;
        self.end_text();
    }

    /// Emits what the innermost element holds besides its children.
    fn end_text(&mut self) {
        let Some(open) = self.open.last_mut() else { return };
        let (name, inside) = (open.name, open.inside);
        let pieces = std::mem::take(&mut open.pieces);
        if !pieces.is_empty() {
            self.field(name, inside, &pieces, inside, Blank::Dropped);
        }
    }

    fn close_element(&mut self) -> Result<(), Fault> {
        if self.open.last().is_some_and(|open| open.has_children) {
            self.end_text();
        }
        let open = self
            .open
            .pop()
            .ok_or(Fault::Unusual("an end without an element"))?;
        if !open.has_children && (open.blank == Blank::Kept || !open.pieces.is_empty()) {
            let place = match open.inside {
                // The content of an element that only structures the event.
                Place::Event => Place::Document,
                inside => inside,
            };
            self.field(open.name, place, &open.pieces, open.inside, open.blank);
        }
        let after = self.steps.len();
        if let Some(at) = open.unless
            && let Some(Step::Unless { steps, .. }) = self.steps.get_mut(at)
        {
            *steps = after - at - 1;
        }
        Ok(())
    }

    fn field(&mut self, name: Name<'c>, place: Place, pieces: &Pieces<'c>, inside: Place, blank: Blank) {
        let (role, unique) = match name {
            Name::Fixed(text) => (Role::of(text), self.is_unique(text, place)),
            // Looked up when the record gives it.
            Name::Given(_) => (Role::of(""), false),
        };
        let slot = match (place, name) {
            (Place::System, Name::Fixed("EventID")) => Slot::EventId,
            (Place::System, Name::Fixed("Channel")) => Slot::Channel,
            (Place::System, Name::Fixed("Provider_Name")) => Slot::Provider,
            (Place::System, Name::Fixed("TimeCreated")) => Slot::Time,
            (Place::System, Name::Fixed("EventRecordID")) => Slot::RecordId,
            _ => Slot::None,
        };
        let pieces = pieces.kept_in(self.templates.memory);
        self.steps.push(Step::Field(FieldStep {
            name,
            role,
            slot,
            pieces,
            inside,
            blank,
            unique,
        }));
    }

    /// Whether no other field of a record with this program, or of `System`, has this name.
    fn is_unique(&self, name: &str, place: Place) -> bool {
        let is_other = |step: &Step<'_>| !matches!(step, Step::Field(FieldStep { name: Name::Fixed(other), .. }) if *other == name);
        let is_from_system = place != Place::System && SYSTEM_NAMES.contains(&name);
        !is_from_system && self.steps.iter().all(is_other)
    }
}

/// An element whose end has not come yet.
struct Open<'c> {
    name: Name<'c>,
    /// Where its children stand.
    inside: Place,
    blank: Blank,
    pieces: Pieces<'c>,
    has_children: bool,
    /// The step that leaves it out, if it has one.
    unless: Option<usize>,
}

struct Attribute<'c> {
    name: &'c str,
    pieces: Pieces<'c>,
}

/// The parts of a text: nearly always one.
#[derive(Default)]
struct Pieces<'c> {
    first: Option<Piece<'c>>,
    more: Vec<Piece<'c>>,
}

impl<'c> Pieces<'c> {
    fn push(&mut self, piece: Piece<'c>) {
        match self.first {
            None => self.first = Some(piece),
            Some(_) => self.more.push(piece),
        }
    }

    fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    fn kept_in(&self, memory: &'c Bump) -> &'c [Piece<'c>] {
        match (self.first, &self.more[..]) {
            (None, _) => &[],
            (Some(only), []) => std::slice::from_ref(memory.alloc(only)),
            (Some(first), more) => {
                let kept = memory.alloc_slice_fill_copy(1 + more.len(), first);
                kept[1..].copy_from_slice(more);
                kept
            }
        }
    }
}

/// The names of `System` that the provider's own data might also use.
const SYSTEM_NAMES: [&str; 11] = [
    "EventID",
    "Version",
    "Level",
    "Task",
    "Opcode",
    "Keywords",
    "TimeCreated",
    "EventRecordID",
    "Channel",
    "Computer",
    "Security",
];
