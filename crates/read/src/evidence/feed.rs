//! Taking one file apart: what it is, what is in it.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::fs::File;
use std::hash::{Hash as _, Hasher as _};
use std::io::Read;
use std::ops::ControlFlow;
use std::rc::Rc;

use blackrod_model::{EvidenceId, EvidenceState, Refusal, Sha256};

use super::limits::{Budget, Limits};
use super::stream::Stream;
use super::walk::TopLevel;
use crate::container::{Container, Input, Member, Members, Opening, containers, note};
use crate::format::{Block, Format, Formats, ReadError};

/// Numbers the pieces of evidence of one call of [`feed`], as [`Feed::begin`] gives them out.
pub type ItemKey = u32;

/// Takes what [`feed`] finds in one file.
pub trait Feed<'f> {
    /// A piece of evidence: the file itself or a member of a container. Members begin before the
    /// container that they are in ends.
    fn begin(&mut self, id: EvidenceId, path: &str) -> ItemKey;

    /// A block of `item`, which is of `format`. A break ends the reading of the whole file.
    fn block(&mut self, item: ItemKey, format: &'f dyn Format, block: Block) -> ControlFlow<()>;

    /// The content of `item`, which is of no known format: all of it up to
    /// [`Limits::content_bytes`].
    fn content(&mut self, item: ItemKey, bytes: Vec<u8>);

    /// Nothing more comes for `item`.
    fn end(&mut self, item: ItemKey, finished: Finished);
}

/// What is known about a piece of evidence once it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// Digest of the content. Of as much as could be unpacked where the state is
    /// [`EvidenceState::Partial`]; of nothing where it is [`EvidenceState::Failed`].
    pub sha256: Sha256,
    /// Bytes of that content.
    pub size: u64,
    /// The format's or container's name; `empty` for no content at all, `unknown`.
    pub format: String,
    /// How the reading ended, as far as cutting it into blocks goes.
    pub state: EvidenceState,
    /// What could not be read, as far as that shows before blocks are parsed.
    pub refusals: Vec<Refusal>,
}

/// Takes `file` apart, whose digest is `sha256`, and tells `out` about it and all members of all
/// containers in it.
///
/// Never fails: every fault becomes part of what `out` is told.
pub fn feed<'f>(
    file: &TopLevel,
    sha256: &Sha256,
    formats: &'f Formats,
    limits: &Limits,
    out: &mut dyn Feed<'f>,
) {
    let mut feeder = Feeder {
        sha256: *sha256,
        formats,
        budget: Rc::new(Budget::new(limits, file.size)),
        out,
        names: HashMap::new(),
        broken_off: false,
    };
    feeder.file(file);
}

struct Feeder<'f, 'o> {
    /// Digest of the file on disk.
    sha256: Sha256,
    formats: &'f Formats,
    budget: Rc<Budget>,
    out: &'o mut dyn Feed<'f>,
    /// How often each path was used, by its hash: paths in containers need not be unique.
    names: HashMap<u64, u32>,
    broken_off: bool,
}

/// One piece of evidence while it is read.
struct Piece<'p> {
    key: ItemKey,
    path: &'p str,
    /// In how many containers it lies.
    depth: u32,
}

/// How the reading of a piece ended.
struct Ending {
    format: String,
    state: EvidenceState,
    refusals: Vec<Refusal>,
}

impl Ending {
    fn new(format: &str, state: EvidenceState) -> Self {
        Self {
            format: format.to_owned(),
            state,
            refusals: Vec::new(),
        }
    }

    fn cut_short(&mut self, offset: u64, reason: String) {
        self.state = EvidenceState::Partial;
        self.refusals.push(note(offset, reason));
    }
}

impl<'f> Feeder<'f, '_> {
    fn file(&mut self, file: &TopLevel) {
        let opened = File::open(&file.path);
        let on_disk = match opened {
            Ok(on_disk) => on_disk,
            Err(error) => {
                self.unread(&file.name, format!("cannot be opened: {error}"));
                return;
            }
        };
        let modified_before = on_disk.metadata().and_then(|metadata| metadata.modified()).ok();
        let key = self.begin(&file.name);
        let piece = Piece {
            key,
            path: &file.name,
            depth: 0,
        };
        let Ok(mut handle) = on_disk.try_clone() else {
            self.out
                .end(key, failed("cannot be opened a second time".to_owned()));
            return;
        };
        let mut stream = Stream::of_file(&mut handle, Rc::clone(&self.budget));
        let mut ending = self.read(&piece, &mut stream, Some(&on_disk));
        if let Some(fault) = stream.fault() {
            ending.cut_short(fault.offset, fault.reason.clone());
        }
        let metadata = on_disk.metadata().ok();
        let modified_after = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
        let size_after = metadata.map_or(file.size, |metadata| metadata.len());
        if size_after != file.size || modified_after != modified_before {
            let reason = "the file changed while it was read; its digest is that of before".to_owned();
            ending.refusals.push(note(0, reason));
        }
        self.out.end(
            key,
            Finished {
                sha256: self.sha256,
                size: size_after,
                format: ending.format,
                state: ending.state,
                refusals: ending.refusals,
            },
        );
    }

    fn begin(&mut self, path: &str) -> ItemKey {
        self.out.begin(EvidenceId::new(&self.sha256, path), path)
    }

    /// Tells of a piece of evidence of which nothing can be read.
    fn unread(&mut self, path: &str, reason: String) {
        let key = self.begin(path);
        self.out.end(key, failed(reason));
    }

    fn read(&mut self, piece: &Piece<'_>, stream: &mut Stream<'_>, file: Option<&File>) -> Ending {
        let head = stream.head();
        if head.is_empty() {
            return Ending::new("empty", EvidenceState::Read);
        }
        let container = containers().iter().find(|container| container.recognise(head));
        if let Some(container) = container {
            return self.open(*container, piece, stream, file);
        }
        match self.formats.recognise(head) {
            Some(format) => self.split(format, piece, stream),
            None => self.keep_content(piece, stream),
        }
    }

    fn split(&mut self, format: &'f dyn Format, piece: &Piece<'_>, stream: &mut Stream<'_>) -> Ending {
        let mut ending = Ending::new(format.name(), EvidenceState::Read);
        let budget = Rc::clone(&self.budget);
        let result = format.split(stream, &mut |block| {
            let flow = budget.without_time_of(|| self.out.block(piece.key, format, block));
            self.broken_off |= flow.is_break();
            flow
        });
        match result {
            Ok(outcome) => {
                ending.refusals = outcome.refusals;
                if outcome.incomplete {
                    ending.state = EvidenceState::Partial;
                }
            }
            // A fault of the stream is told by whoever owns the stream.
            Err(ReadError::Io { .. }) if stream.fault().is_some() => {}
            Err(error) => ending.cut_short(stream.offset(), error.to_string()),
        }
        if self.broken_off {
            ending.cut_short(stream.offset(), "reading was broken off".to_owned());
        }
        ending
    }

    fn keep_content(&mut self, piece: &Piece<'_>, content: &mut dyn Read) -> Ending {
        let mut ending = Ending::new("unknown", EvidenceState::Unknown);
        let most = self.budget.limits.content_bytes;
        let mut bytes = Vec::new();
        // Faults are told by whoever owns the stream; what came before them is searched.
        let _ = content.take(most).read_to_end(&mut bytes);
        let is_full = bytes.len() as u64 == most;
        if is_full && content.read(&mut [0]).is_ok_and(|count| count > 0) {
            let reason = format!("YARA rules searched only the first {most} bytes of this file");
            ending.refusals.push(note(most, reason));
        }
        let budget = Rc::clone(&self.budget);
        budget.without_time_of(|| self.out.content(piece.key, bytes));
        ending
    }

    fn open(
        &mut self,
        container: &dyn Container,
        piece: &Piece<'_>,
        stream: &mut Stream<'_>,
        file: Option<&File>,
    ) -> Ending {
        let mut ending = Ending::new(container.name(), EvidenceState::Opened);
        let most = self.budget.limits.depth;
        if piece.depth >= most {
            ending.cut_short(
                0,
                format!("stopped at a limit: it lies in {most} other containers and is not opened"),
            );
            return ending;
        }
        let name = piece.path.rsplit(['/', '!']).next().unwrap_or_default();
        let input = Input { stream, file, name };
        let mut members = MembersOf { feeder: self, piece };
        match container.open(input, &mut members) {
            Opening::Opened(findings) => {
                if findings.incomplete {
                    ending.state = EvidenceState::Partial;
                }
                ending.refusals = findings.into_refusals();
            }
            Opening::Document(mut content) => return self.keep_content(piece, &mut content),
            Opening::Failed(reason) => ending.cut_short(0, reason),
        }
        if let Some(limit) = self.budget.spent() {
            ending.cut_short(stream.offset(), format!("stopped at a limit: {limit}"));
        } else if self.broken_off {
            ending.cut_short(stream.offset(), "reading was broken off".to_owned());
        }
        ending
    }

    /// A path for a member that no other piece of evidence of this file has.
    fn unused_path(&mut self, container: &str, member: &str) -> String {
        /// Longer names are cut: a name is a label here, and archives may have a MiB of it.
        const MAX_NAME: usize = 4_096;
        let kept = &member[..member.floor_char_boundary(MAX_NAME)];
        let mut path = format!("{container}!{kept}");
        loop {
            let mut hasher = DefaultHasher::new();
            path.hash(&mut hasher);
            match self.names.entry(hasher.finish()) {
                Entry::Vacant(unused) => {
                    unused.insert(1);
                    return path;
                }
                Entry::Occupied(mut used) => {
                    *used.get_mut() += 1;
                    path = format!("{path} ({})", used.get());
                }
            }
        }
    }
}

/// Feeds the members of one container.
struct MembersOf<'m, 'f, 'o> {
    feeder: &'m mut Feeder<'f, 'o>,
    piece: &'m Piece<'m>,
}

impl MembersOf<'_, '_, '_> {
    fn next(&mut self, name: &str) -> ControlFlow<(), String> {
        let feeder = &mut *self.feeder;
        feeder.budget.add_member();
        feeder.budget.check_time();
        if feeder.broken_off || feeder.budget.spent().is_some() {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(feeder.unused_path(self.piece.path, name))
    }

    fn go_on(&self) -> ControlFlow<()> {
        match self.feeder.broken_off || self.feeder.budget.spent().is_some() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }
}

impl Members for MembersOf<'_, '_, '_> {
    fn member(&mut self, member: &Member<'_>, content: &mut dyn Read) -> ControlFlow<()> {
        let path = self.next(member.name)?;
        let feeder = &mut *self.feeder;
        let key = feeder.begin(&path);
        let piece = Piece {
            key,
            path: &path,
            depth: self.piece.depth + 1,
        };
        let mut stream = Stream::of_member(content, Rc::clone(&feeder.budget), member.packed.clone());
        let mut ending = feeder.read(&piece, &mut stream, None);
        stream.drain();
        match stream.fault().cloned() {
            Some(fault) => ending.cut_short(fault.offset, fault.reason),
            None if member.expected.is_some_and(|bytes| bytes > stream.offset()) => {
                let missing = member.expected.unwrap_or(0) - stream.offset();
                ending.cut_short(
                    stream.offset(),
                    format!("the archive ends {missing} bytes too early"),
                );
            }
            None => {}
        }
        let (sha256, size) = stream.finish();
        feeder.out.end(
            key,
            Finished {
                sha256: sha256.unwrap_or(feeder.sha256),
                size,
                format: ending.format,
                state: ending.state,
                refusals: ending.refusals,
            },
        );
        self.go_on()
    }

    fn unreadable(&mut self, name: &str, reason: String) -> ControlFlow<()> {
        let path = self.next(name)?;
        self.feeder.unread(&path, reason);
        self.go_on()
    }
}

fn failed(reason: String) -> Finished {
    Finished {
        sha256: Sha256::of(b""),
        size: 0,
        format: "unknown".to_owned(),
        state: EvidenceState::Failed,
        refusals: vec![note(0, reason)],
    }
}
