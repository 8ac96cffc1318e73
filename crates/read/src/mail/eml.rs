//! Single messages.

use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::{Position, Refusal};

use super::{MESSAGE_LIMIT, decode, head, read_message};
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// One message (RFC 5322) per piece of evidence: `.eml` files and the files of a Maildir.
///
/// Its record has number 1 and offset 0. Text in UTF-16 with a byte-order mark and text whose lines end in
/// a lone CR is converted first. A message of more than [`MESSAGE_LIMIT`] bytes is refused with its size.
pub struct Eml;

impl Format for Eml {
    fn name(&self) -> &'static str {
        "eml"
    }

    fn description(&self) -> &'static str {
        "one mail message (RFC 5322), also a file of a Maildir"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        !head::is_mailbox(head) && head::is_message(&decode::as_lines(head))
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        let mut bytes = Vec::new();
        let limit = MESSAGE_LIMIT as u64 + 1;
        if let Err(source) = (&mut *input).take(limit).read_to_end(&mut bytes) {
            return Err(ReadError::Io {
                offset: bytes.len() as u64,
                source,
            });
        }
        if bytes.len() > MESSAGE_LIMIT {
            let read = bytes.len() as u64;
            drop(bytes);
            let size = read + pass_over(input, read)?;
            return Ok(SplitOutcome {
                refusals: vec![Refusal {
                    at: Position { offset: 0, record: 1 },
                    records: 1,
                    reason: format!("message of {size} bytes exceeds the limit of {MESSAGE_LIMIT} bytes"),
                }],
                incomplete: false,
            });
        }
        let block = Block {
            offset: 0,
            first_record: 1,
            context: Arc::default(),
            bytes,
        };
        let incomplete = emit(block).is_break();
        Ok(SplitOutcome {
            refusals: Vec::new(),
            incomplete,
        })
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let at = Position {
            offset: block.offset,
            record: block.first_record,
        };
        read_message(head::skip_blank(&decode::as_lines(&block.bytes)), at, sink);
    }
}

/// Reads `input` to its end and counts what is left in it.
fn pass_over(input: &mut dyn BufRead, before: u64) -> Result<u64, ReadError> {
    let mut count = 0;
    loop {
        let len = match input.fill_buf() {
            Ok(available) => available.len(),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(source) => {
                return Err(ReadError::Io {
                    offset: before + count,
                    source,
                });
            }
        };
        if len == 0 {
            return Ok(count);
        }
        input.consume(len);
        count += len as u64;
    }
}
