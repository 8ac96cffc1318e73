//! Writes Windows event logs (`.evtx`) of invented events.
//!
//! Files look as Windows writes them: 64 KiB chunks with checksums and tables of names and
//! templates; a template for `System` and one, nested in it, for each set of data names. All data
//! values are text. Nothing but `std` is needed. Format: MS-EVEN6 2.2.12 ff.; Metz, "Windows XML
//! Event Log (EVTX) format".

use std::collections::HashMap;

/// One event to write.
#[derive(Clone, Debug)]
pub struct LogEvent {
    /// `Security`, `Microsoft-Windows-Sysmon/Operational`, …
    pub channel: String,
    /// The provider's name.
    pub provider: String,
    /// The provider's number for this kind of event.
    pub event_id: u16,
    /// The computer that logged it.
    pub computer: String,
    /// When: microseconds since the Unix epoch; not before 1601.
    pub unix_micros: i64,
    /// 0 critical or "log always", 2 error, 3 warning, 4 information.
    pub level: u8,
    /// The provider's keywords; for Security 0x8020… is "audit success", 0x8010… "audit failure".
    pub keywords: u64,
    /// The number of the process that logged it.
    pub process_id: u32,
    /// What it says.
    pub body: Body,
}

/// An event's own data: names and values, in order.
#[derive(Clone, Debug)]
pub enum Body {
    /// `<EventData><Data Name="…">…`, as most providers write. An empty name makes unnamed data.
    EventData(Vec<(String, String)>),
    /// `<UserData><element><name>…`, as event 1102 and many `Microsoft-Windows-…` channels do.
    UserData(String, Vec<(String, String)>),
}

impl LogEvent {
    /// An event without data, of level 4.
    pub fn new(channel: &str, provider: &str, event_id: u16, computer: &str, unix_micros: i64) -> Self {
        let is_security = channel == "Security";
        Self {
            channel: channel.to_owned(),
            provider: provider.to_owned(),
            event_id,
            computer: computer.to_owned(),
            unix_micros,
            level: if is_security { 0 } else { 4 },
            keywords: if is_security {
                0x8020_0000_0000_0000
            } else {
                0x8000_0000_0000_0000
            },
            process_id: 4,
            body: Body::EventData(Vec::new()),
        }
    }

    /// The event with one more value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let (Body::EventData(fields) | Body::UserData(_, fields)) = &mut self.body;
        fields.push((name.to_owned(), value.into()));
        self
    }

    /// The event with its data as `UserData`, in an element of this name.
    #[must_use]
    pub fn in_user_data(mut self, element: &str) -> Self {
        let (Body::EventData(fields) | Body::UserData(_, fields)) = self.body;
        self.body = Body::UserData(element.to_owned(), fields);
        self
    }
}

/// An EVTX file of `events`, numbered from 1 in the order given.
///
/// # Panics
///
/// If an event does not fit a chunk (about 60 KiB), or has over 200 values.
pub fn write_evtx(events: &[LogEvent]) -> Vec<u8> {
    let mut chunks: Vec<Vec<u8>> = Vec::new();
    let mut chunk = Chunk::new();
    for (id, event) in (1_u64..).zip(events) {
        let before = chunk.clone();
        chunk.record(id, event);
        if chunk.bytes.len() > CHUNK_LEN {
            chunks.push(before.finish());
            chunk = Chunk::new();
            chunk.record(id, event);
            assert!(chunk.bytes.len() <= CHUNK_LEN, "event {id} does not fit a chunk");
        }
    }
    chunks.push(chunk.finish());

    let mut file = vec![0; FILE_HEADER_LEN];
    file[..8].copy_from_slice(b"ElfFile\0");
    put(&mut file, 16, &(chunks.len() as u64 - 1).to_le_bytes());
    put(&mut file, 24, &(events.len() as u64 + 1).to_le_bytes());
    put(&mut file, 32, &128_u32.to_le_bytes());
    put(&mut file, 36, &1_u16.to_le_bytes());
    put(&mut file, 38, &3_u16.to_le_bytes());
    put(&mut file, 40, &(FILE_HEADER_LEN as u16).to_le_bytes());
    put(&mut file, 42, &(chunks.len() as u16).to_le_bytes());
    let crc = crc32(&[&file[..120]]);
    put(&mut file, 124, &crc.to_le_bytes());
    chunks.iter().for_each(|chunk| file.extend_from_slice(chunk));
    file
}

const FILE_HEADER_LEN: usize = 4096;
const CHUNK_LEN: usize = 64 * 1024;
const CHUNK_HEADER_LEN: usize = 512;

/// Types of values.
const STRING: u8 = 0x01;
const UINT8: u8 = 0x04;
const UINT16: u8 = 0x06;
const UINT32: u8 = 0x08;
const UINT64: u8 = 0x0a;
const FILETIME: u8 = 0x11;
const HEX64: u8 = 0x15;
const BINXML: u8 = 0x21;

/// A chunk that is being written. Offsets are from its start.
#[derive(Clone)]
struct Chunk {
    bytes: Vec<u8>,
    names: HashMap<String, u32>,
    /// By what makes them differ.
    templates: HashMap<String, u32>,
    name_buckets: [u32; 64],
    template_buckets: [u32; 32],
    first_id: u64,
    /// The number of the last record and where it lies.
    last: (u64, usize),
}

/// Text of a template.
#[derive(Clone, Copy)]
enum Text<'a> {
    Literal(&'a str),
    /// The record's value of this number and type.
    Value(u16, u8),
}

/// What stands in an element of a template.
enum Content<'a> {
    Nothing,
    Text(Text<'a>),
    Elements(&'a dyn Fn(&mut Chunk)),
}

impl Chunk {
    fn new() -> Self {
        Self {
            bytes: vec![0; CHUNK_HEADER_LEN],
            names: HashMap::new(),
            templates: HashMap::new(),
            name_buckets: [0; 64],
            template_buckets: [0; 32],
            first_id: 0,
            last: (0, CHUNK_HEADER_LEN),
        }
    }

    fn record(&mut self, id: u64, event: &LogEvent) {
        let start = self.bytes.len();
        let written = filetime(event.unix_micros).to_le_bytes();
        self.bytes.extend_from_slice(b"\x2a\x2a\0\0\0\0\0\0");
        self.bytes.extend_from_slice(&id.to_le_bytes());
        self.bytes.extend_from_slice(&written);
        let values = [
            (UINT16, event.event_id.to_le_bytes().to_vec()),
            (UINT8, vec![event.level]),
            (HEX64, event.keywords.to_le_bytes().to_vec()),
            (FILETIME, written.to_vec()),
            (UINT64, id.to_le_bytes().to_vec()),
            (UINT32, event.process_id.to_le_bytes().to_vec()),
            (STRING, utf16(&event.channel)),
            (STRING, utf16(&event.computer)),
        ];
        let provider = event.provider.as_str();
        self.instance(
            &format!("system {provider}"),
            &|chunk| chunk.event_template(provider),
            &values,
            Some(&event.body),
        );
        let len = self.bytes.len() - start + 4;
        let padding = len.next_multiple_of(8) - len;
        self.bytes.resize(self.bytes.len() + padding, 0);
        let len = ((len + padding) as u32).to_le_bytes();
        self.bytes.extend_from_slice(&len);
        put(&mut self.bytes, start + 4, &len);
        if self.first_id == 0 {
            self.first_id = id;
        }
        self.last = (id, start);
    }

    /// A fragment of one template instance: the template, if it is new to this chunk, and its
    /// values; the last of them, if there is a `body`, is the fragment of that.
    fn instance(
        &mut self,
        key: &str,
        template: &dyn Fn(&mut Self),
        values: &[(u8, Vec<u8>)],
        body: Option<&Body>,
    ) {
        self.bytes.extend_from_slice(&[0x0f, 1, 1, 0, 0x0c, 1]);
        let number = name_hash(key);
        self.u32(number);
        self.definition(key, number, template);
        self.u32((values.len() + usize::from(body.is_some())) as u32);
        for (ty, value) in values {
            self.bytes.extend_from_slice(&(value.len() as u16).to_le_bytes());
            self.bytes.extend_from_slice(&[*ty, 0]);
        }
        let descriptor = self.bytes.len();
        if body.is_some() {
            self.bytes.extend_from_slice(&[0, 0, BINXML, 0]);
        }
        values
            .iter()
            .for_each(|(_, value)| self.bytes.extend_from_slice(value));
        if let Some(body) = body {
            let start = self.bytes.len();
            self.body(body);
            let len = u16::try_from(self.bytes.len() - start);
            put(
                &mut self.bytes,
                descriptor,
                &len.expect("an event's data fit a chunk").to_le_bytes(),
            );
        }
        self.bytes.push(0);
    }

    fn body(&mut self, body: &Body) {
        let (Body::EventData(fields) | Body::UserData(_, fields)) = body;
        assert!(fields.len() <= 200, "an event has at most 200 values");
        let values: Vec<_> = fields.iter().map(|(_, value)| (STRING, utf16(value))).collect();
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        match body {
            Body::EventData(_) => self.instance(
                &format!("data {}", names.join(" ")),
                &|chunk| chunk.event_data_template(&names),
                &values,
                None,
            ),
            Body::UserData(element, _) => self.instance(
                &format!("user data {element} {}", names.join(" ")),
                &|chunk| chunk.user_data_template(element, &names),
                &values,
                None,
            ),
        }
    }

    /// The offset of the template, and behind it the template itself where it is used first.
    fn definition(&mut self, key: &str, number: u32, template: &dyn Fn(&mut Self)) {
        if let Some(known) = self.templates.get(key) {
            return self.u32(*known);
        }
        let at = self.bytes.len() as u32 + 4;
        self.templates.insert(key.to_owned(), at);
        self.u32(at);
        let bucket = number as usize % self.template_buckets.len();
        let next = std::mem::replace(&mut self.template_buckets[bucket], at);
        self.u32(next);
        // The GUID: its first number is the template's.
        self.u32(number);
        self.bytes.extend_from_slice(b"\0\0\0\x40\x80\0\0\0\0\0\0\0");
        let len_at = self.reserve();
        self.bytes.extend_from_slice(&[0x0f, 1, 1, 0]);
        template(self);
        self.bytes.push(0);
        self.patch(len_at);
    }

    fn event_template(&mut self, provider: &str) {
        const NAMESPACE: &str = "http://schemas.microsoft.com/win/2004/08/events/event";
        let value = |number, ty| Content::Text(Text::Value(number, ty));
        let system = |chunk: &mut Self| {
            chunk.element(
                "Provider",
                &[("Name", Text::Literal(provider))],
                &Content::Nothing,
            );
            chunk.element("EventID", &[], &value(0, UINT16));
            chunk.element("Version", &[], &Content::Text(Text::Literal("0")));
            chunk.element("Level", &[], &value(1, UINT8));
            chunk.element("Keywords", &[], &value(2, HEX64));
            chunk.element(
                "TimeCreated",
                &[("SystemTime", Text::Value(3, FILETIME))],
                &Content::Nothing,
            );
            chunk.element("EventRecordID", &[], &value(4, UINT64));
            chunk.element(
                "Execution",
                &[("ProcessID", Text::Value(5, UINT32))],
                &Content::Nothing,
            );
            chunk.element("Channel", &[], &value(6, STRING));
            chunk.element("Computer", &[], &value(7, STRING));
        };
        let parts = |chunk: &mut Self| {
            chunk.element("System", &[], &Content::Elements(&system));
            chunk.text(Text::Value(8, BINXML));
        };
        self.element(
            "Event",
            &[("xmlns", Text::Literal(NAMESPACE))],
            &Content::Elements(&parts),
        );
    }

    fn event_data_template(&mut self, names: &[&str]) {
        let data = |chunk: &mut Self| {
            for (number, name) in (0..).zip(names) {
                let attribute = [("Name", Text::Literal(name))];
                let attributes = if name.is_empty() { &[] } else { &attribute[..] };
                chunk.element("Data", attributes, &Content::Text(Text::Value(number, STRING)));
            }
        };
        self.element("EventData", &[], &Content::Elements(&data));
    }

    fn user_data_template(&mut self, element: &str, names: &[&str]) {
        let leaves = |chunk: &mut Self| {
            for (number, name) in (0..).zip(names) {
                chunk.element(name, &[], &Content::Text(Text::Value(number, STRING)));
            }
        };
        let content = |chunk: &mut Self| chunk.element(element, &[], &Content::Elements(&leaves));
        self.element("UserData", &[], &Content::Elements(&content));
    }

    fn element(&mut self, name: &str, attributes: &[(&str, Text<'_>)], content: &Content<'_>) {
        let more = if attributes.is_empty() { 0 } else { 0x40 };
        // Depends on no value.
        self.bytes.extend_from_slice(&[0x01 | more, 0xff, 0xff]);
        let len_at = self.reserve();
        self.name(name);
        if !attributes.is_empty() {
            let attributes_len_at = self.reserve();
            for (index, (name, text)) in attributes.iter().enumerate() {
                let is_last = index + 1 == attributes.len();
                self.bytes.push(if is_last { 0x06 } else { 0x46 });
                self.name(name);
                self.text(*text);
            }
            self.patch(attributes_len_at);
        }
        match content {
            Content::Nothing => self.bytes.push(0x03),
            Content::Text(text) => {
                self.bytes.push(0x02);
                self.text(*text);
                self.bytes.push(0x04);
            }
            Content::Elements(elements) => {
                self.bytes.push(0x02);
                elements(self);
                self.bytes.push(0x04);
            }
        }
        self.patch(len_at);
    }

    fn text(&mut self, text: Text<'_>) {
        match text {
            Text::Literal(text) => {
                let units = utf16(text);
                self.bytes.extend_from_slice(&[0x05, STRING]);
                self.bytes
                    .extend_from_slice(&((units.len() / 2) as u16).to_le_bytes());
                self.bytes.extend_from_slice(&units);
            }
            Text::Value(number, ty) => {
                self.bytes.push(0x0e);
                self.bytes.extend_from_slice(&number.to_le_bytes());
                self.bytes.push(ty);
            }
        }
    }

    /// The offset of a name, and behind it the name itself where it is used first.
    fn name(&mut self, name: &str) {
        if let Some(known) = self.names.get(name) {
            return self.u32(*known);
        }
        let at = self.bytes.len() as u32 + 4;
        self.names.insert(name.to_owned(), at);
        self.u32(at);
        let hash = name_hash(name) as u16;
        let bucket = usize::from(hash) % self.name_buckets.len();
        let next = std::mem::replace(&mut self.name_buckets[bucket], at);
        self.u32(next);
        self.bytes.extend_from_slice(&hash.to_le_bytes());
        let units = utf16(name);
        self.bytes
            .extend_from_slice(&((units.len() / 2) as u16).to_le_bytes());
        self.bytes.extend_from_slice(&units);
        self.bytes.extend_from_slice(&[0, 0]);
    }

    fn u32(&mut self, number: u32) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// Leaves room for a length.
    fn reserve(&mut self) -> usize {
        self.u32(0);
        self.bytes.len() - 4
    }

    /// Fills in the length of what was written since [`Chunk::reserve`].
    fn patch(&mut self, at: usize) {
        let len = (self.bytes.len() - at - 4) as u32;
        put(&mut self.bytes, at, &len.to_le_bytes());
    }

    fn finish(mut self) -> Vec<u8> {
        let end = self.bytes.len();
        let events_crc = crc32(&[&self.bytes[CHUNK_HEADER_LEN..]]);
        self.bytes.resize(CHUNK_LEN, 0);
        self.bytes[..8].copy_from_slice(b"ElfChnk\0");
        let (last_id, last_at) = self.last;
        for (at, number) in [
            (8, self.first_id),
            (16, last_id),
            (24, self.first_id),
            (32, last_id),
        ] {
            put(&mut self.bytes, at, &number.to_le_bytes());
        }
        for (at, number) in [
            (40, 128),
            (44, last_at as u32),
            (48, end as u32),
            (52, events_crc),
        ] {
            put(&mut self.bytes, at, &number.to_le_bytes());
        }
        let buckets = self.name_buckets.iter().chain(&self.template_buckets);
        for (at, offset) in (128..).step_by(4).zip(buckets.copied().collect::<Vec<_>>()) {
            put(&mut self.bytes, at, &offset.to_le_bytes());
        }
        let crc = crc32(&[&self.bytes[..120], &self.bytes[128..CHUNK_HEADER_LEN]]);
        put(&mut self.bytes, 124, &crc.to_le_bytes());
        self.bytes
    }
}

fn put(bytes: &mut [u8], at: usize, number: &[u8]) {
    bytes[at..at + number.len()].copy_from_slice(number);
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn filetime(unix_micros: i64) -> u64 {
    const EPOCH_DIFFERENCE_MICROS: i64 = 11_644_473_600_000_000;
    (unix_micros + EPOCH_DIFFERENCE_MICROS) as u64 * 10
}

/// The hash of the chunk's table of names.
fn name_hash(name: &str) -> u32 {
    name.encode_utf16().fold(0_u32, |hash, unit| {
        hash.wrapping_mul(65_599).wrapping_add(unit.into())
    })
}

fn crc32(parts: &[&[u8]]) -> u32 {
    let crc = parts
        .iter()
        .flat_map(|part| part.iter())
        .fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                let is_odd = crc & 1 == 1;
                if is_odd {
                    (crc >> 1) ^ 0xedb8_8320
                } else {
                    crc >> 1
                }
            })
        });
    !crc
}
