//! Files of the datagrams that routers and switches export: NetFlow v5 and v9, IPFIX, sFlow v5, one after the other.
//!
//! Nothing stands between them: each says how long it is, or ends where the next begins. A position is the number of
//! the datagram and the place of the record. Counts are multiplied by the sampling rate where the record or the v5
//! header names it; one that only an options record names is not known.
//!
//! A record that tells of both directions is two flows. Records about the exporter itself, and those without two
//! addresses, are refused with what they are; so are data sets whose template did not come before them.

use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::{Position, Refusal, Timestamp};

use super::batch::Batch;
use super::export::{self, MAX_DATAGRAM};
use super::records::V5_RECORD;
use super::templates::Templates;
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Files of datagrams.
pub(crate) struct Datagrams;

/// Blocks are cut as soon as they are this long.
const BLOCK_LEN: usize = 1 << 20;

impl Format for Datagrams {
    fn name(&self) -> &str {
        "flow-export"
    }

    fn description(&self) -> &str {
        "NetFlow v5 and v9, IPFIX and sFlow v5: files of datagrams"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        export::version(head).is_some()
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        let mut templates = Templates::default();
        let mut context: Arc<[u8]> = Arc::default();
        let mut outcome = SplitOutcome::default();
        let mut at = Position { offset: 0, record: 1 };
        let mut has_records = false;
        let mut buffer = Vec::new();
        loop {
            let wanted = (BLOCK_LEN + MAX_DATAGRAM).saturating_sub(buffer.len()) as u64;
            let read = (&mut *input).take(wanted).read_to_end(&mut buffer);
            let read = read.map_err(|source| ReadError::Io {
                offset: at.offset + buffer.len() as u64,
                source,
            })?;
            let is_last = (read as u64) < wanted;
            let before = templates.generation;
            let mut end = 0;
            let mut datagrams = 0;
            let mut is_lost = false;
            while end < buffer.len() && (is_last || end < BLOCK_LEN) {
                let rest = buffer.get(end..).unwrap_or_default();
                let Some(version) = export::version(rest) else {
                    is_lost = true;
                    break;
                };
                let length = export::length(version, rest);
                let datagram = rest.get(..length).unwrap_or(rest);
                has_records |= export::learn(version, datagram, 0, &mut templates);
                end += length;
                datagrams += 1;
            }
            let rest = buffer.split_off(end);
            let block = Block {
                offset: at.offset,
                first_record: at.record,
                context: Arc::clone(&context),
                bytes: std::mem::replace(&mut buffer, rest),
            };
            if templates.generation != before {
                context = templates.encode().into();
            }
            at.offset += end as u64;
            at.record += datagrams;
            if end > 0 && emit(block).is_break() {
                outcome.incomplete = true;
                return Ok(outcome);
            }
            if is_lost {
                outcome.incomplete = true;
                outcome.refusals.push(Refusal {
                    at,
                    records: 1,
                    reason:
                        "what stands here is no datagram of NetFlow, IPFIX or sFlow; the rest cannot be read"
                            .to_owned(),
                });
                return Ok(outcome);
            }
            if is_last {
                if !has_records {
                    outcome.refusals.push(Refusal {
                        at: Position::START,
                        records: 0,
                        reason: "nothing but templates, which describe records that are not in this file"
                            .to_owned(),
                    });
                }
                return Ok(outcome);
            }
        }
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        let mut templates = Templates::decode(&block.context);
        let mut batch = Batch::new(sink, block.bytes.len() / V5_RECORD);
        let mut at = Position {
            offset: block.offset,
            record: block.first_record,
        };
        let mut rest = block.bytes.as_slice();
        while let Some(version) = export::version(rest) {
            let (datagram, after) = rest.split_at(export::length(version, rest).min(rest.len()));
            export::read(
                version,
                datagram,
                (at, Timestamp::UNKNOWN),
                0,
                &mut templates,
                &mut batch,
            );
            at.offset += datagram.len() as u64;
            at.record += 1;
            rest = after;
        }
        batch.finish();
    }
}
