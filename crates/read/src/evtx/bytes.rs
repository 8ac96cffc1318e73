//! Reading numbers out of bytes that may not be there.

/// Why a stretch of binary XML could not be read the fast way.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub(super) enum Fault {
    /// The data ends, or points outside the chunk.
    #[error("it points outside its chunk")]
    OutOfBounds,
    /// A token or value that this reader does not know or does not handle.
    #[error("{0}")]
    Unusual(&'static str),
    /// A limit on hostile input. Not to be tried again another way.
    #[error("it expands beyond {0}")]
    Limit(&'static str),
}

/// A place in a chunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cursor<'c> {
    pub(super) data: &'c [u8],
    pub(super) pos: usize,
}

impl<'c> Cursor<'c> {
    pub(super) fn take(&mut self, len: usize) -> Result<&'c [u8], Fault> {
        let end = self.pos.checked_add(len).ok_or(Fault::OutOfBounds)?;
        let taken = self.data.get(self.pos..end).ok_or(Fault::OutOfBounds)?;
        self.pos = end;
        Ok(taken)
    }

    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        let byte = *self.data.get(self.pos).ok_or(Fault::OutOfBounds)?;
        self.pos += 1;
        Ok(byte)
    }

    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Fault> {
        self.array().map(u32::from_le_bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let rest = self.data.get(self.pos..).ok_or(Fault::OutOfBounds)?;
        let taken = rest.first_chunk::<N>().ok_or(Fault::OutOfBounds)?;
        self.pos += N;
        Ok(*taken)
    }
}

/// The little-endian `u16` at `at`.
pub(super) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    data.get(at..)?.first_chunk().copied().map(u16::from_le_bytes)
}

/// The little-endian `u32` at `at`.
pub(super) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..)?.first_chunk().copied().map(u32::from_le_bytes)
}

/// The little-endian `u64` at `at`.
pub(super) fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?.first_chunk().copied().map(u64::from_le_bytes)
}
