//! What hostile evidence may cost at most.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

/// Bounds on what one file on disk, with everything packed into it, may cost. Where one is reached
/// the reading stops there, what was read before stands, and a refusal names the limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many containers may lie in each other: 8. `a.tar.gz` counts two.
    pub depth: u32,
    /// How many times its packed size something may unpack to: 1,000. Holds for each packed stream
    /// by itself and for all that comes out of one file taken together. Logs pack at 10 to 100.
    pub ratio: u64,
    /// Bytes that may be unpacked before `ratio` is looked at: 64 MiB.
    pub ratio_free: u64,
    /// Bytes of one member: 64 GiB.
    pub member_bytes: u64,
    /// Bytes unpacked from one file, over all its members and layers: 1 TiB.
    pub total_bytes: u64,
    /// Members of one file, over all its layers: 1,000,000.
    pub members: u64,
    /// Bytes of temporary disk space for one archive inside another that has to be read back and
    /// forth (zip): 16 GiB.
    pub spool_bytes: u64,
    /// Bytes of memory for the window of one decompressor: 256 MiB.
    pub window_bytes: u64,
    /// Bytes of a file of no known format that are kept for YARA rules: 64 MiB.
    pub content_bytes: u64,
    /// Time for one file, without the time for which whoever takes the blocks keeps us waiting:
    /// 6 hours.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        const GIB: u64 = 1 << 30;
        Self {
            depth: 8,
            ratio: 1_000,
            ratio_free: 64 * MIB,
            member_bytes: 64 * GIB,
            total_bytes: 1_024 * GIB,
            members: 1_000_000,
            spool_bytes: 16 * GIB,
            window_bytes: 256 * MIB,
            content_bytes: 64 * MIB,
            time: Duration::from_secs(6 * 60 * 60),
        }
    }
}

/// What one file on disk has used up of its [`Limits`].
#[derive(Debug)]
pub(crate) struct Budget {
    pub(crate) limits: Limits,
    file_bytes: u64,
    unpacked: Cell<u64>,
    members: Cell<u64>,
    started: Instant,
    waited: Cell<Duration>,
    spent: RefCell<Option<String>>,
    /// Buffers of members that were read, for those that come: archives of a million small files
    /// would else spend more time on memory than on content.
    spare: RefCell<Vec<Vec<u8>>>,
}

impl Budget {
    /// A fresh budget for a file of `file_bytes` bytes.
    pub(crate) fn new(limits: &Limits, file_bytes: u64) -> Self {
        Self {
            limits: limits.clone(),
            file_bytes,
            unpacked: Cell::new(0),
            members: Cell::new(0),
            started: Instant::now(),
            waited: Cell::new(Duration::ZERO),
            spent: RefCell::new(None),
            spare: RefCell::new(Vec::new()),
        }
    }

    /// The limit that ended the reading of the whole file, if one did.
    pub(crate) fn spent(&self) -> Option<String> {
        self.spent.borrow().clone()
    }

    /// Ends the reading of the whole file for `reason`, unless something else did before.
    pub(crate) fn spend(&self, reason: String) {
        self.spent.borrow_mut().get_or_insert(reason);
    }

    /// Counts a member.
    pub(crate) fn add_member(&self) {
        self.members.set(self.members.get() + 1);
        if self.members.get() > self.limits.members {
            self.spend(format!("{} members in one file", self.limits.members));
        }
    }

    /// Counts bytes that came out of a container.
    pub(crate) fn add_unpacked(&self, bytes: u64) {
        let unpacked = self.unpacked.get().saturating_add(bytes);
        self.unpacked.set(unpacked);
        let Limits {
            ratio, total_bytes, ..
        } = self.limits;
        if unpacked > total_bytes {
            self.spend(format!("{total_bytes} bytes unpacked from one file"));
        } else if self.is_beyond_ratio(unpacked, self.file_bytes) {
            self.spend(format!("unpacked {ratio} times the size of the file on disk"));
        }
    }

    /// Whether `unpacked` bytes are too many for `packed` ones.
    pub(crate) fn is_beyond_ratio(&self, unpacked: u64, packed: u64) -> bool {
        unpacked > self.limits.ratio_free && unpacked > packed.saturating_mul(self.limits.ratio)
    }

    /// Does not count the time that `call` takes.
    pub(crate) fn without_time_of<T>(&self, call: impl FnOnce() -> T) -> T {
        let before = Instant::now();
        let result = call();
        self.waited.set(self.waited.get() + before.elapsed());
        result
    }

    /// A buffer that was put back.
    pub(crate) fn spare_buffer(&self) -> Option<Vec<u8>> {
        self.spare.borrow_mut().pop()
    }

    /// Keeps a buffer for the next one to ask.
    pub(crate) fn put_back(&self, buffer: Vec<u8>) {
        if !buffer.is_empty() {
            self.spare.borrow_mut().push(buffer);
        }
    }

    /// Looks at the clock.
    pub(crate) fn check_time(&self) {
        if self.started.elapsed().saturating_sub(self.waited.get()) > self.limits.time {
            self.spend(format!("{} seconds for one file", self.limits.time.as_secs()));
        }
    }
}
