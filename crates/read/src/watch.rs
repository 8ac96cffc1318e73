//! Looking at records in their order, while evidence is cut into blocks.
//!
//! Blocks are parsed on any thread in any order. What depends on order (is this record a repetition of
//! an earlier one? is one missing in a numbered series?) is therefore found out here, by a [`Watch`].

use blackrod_model::Position;

/// Looks at records in their order while they are cut.
pub(crate) trait Watch {
    /// The header line of what is separated by `delimiter`, before any of its rows.
    fn header(&mut self, line: &[u8], delimiter: u8) {
        let _ = (line, delimiter);
    }

    /// A record, which stands at `at`. False strikes it out: it keeps its place and number, and for
    /// the text that stands there then [`is_struck`] is true.
    fn record(&mut self, record: &[u8], at: Position) -> bool;

    /// False for who does not look at all.
    fn looks(&self) -> bool {
        true
    }
}

/// Looks at nothing.
pub(crate) struct Nobody;

impl Watch for Nobody {
    fn record(&mut self, _: &[u8], _: Position) -> bool {
        true
    }

    fn looks(&self) -> bool {
        false
    }
}

/// Whether a record was struck out.
pub(crate) fn is_struck(record: &[u8]) -> bool {
    record.starts_with(STRUCK)
}

/// No JSON begins like this, and no cell of a table that anybody writes.
const STRUCK: &[u8] = b"{~";

/// Strikes a record out, so that its length, its characters and its end stay the same.
pub(crate) fn strike(record: &mut [u8]) {
    let Some(last) = record.len().checked_sub(1) else {
        return;
    };
    for (index, byte) in record.iter_mut().enumerate() {
        *byte = match index {
            0 => b'{',
            1 => b'~',
            _ if index == last => b'}',
            _ if byte.is_ascii() => b' ',
            _ => *byte,
        };
    }
}
