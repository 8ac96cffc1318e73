//! DMARC aggregate reports: XML (RFC 7489 appendix C, RFC 9990).
//!
//! A record of a report (a sender's address, how many messages, how they were authenticated) is an event. Fields have
//! the report's names joined with dots, without `feedback` and `record`: `row.source_ip`, `row.count`,
//! `row.policy_evaluated.dkim`, `identifiers.header_from`, and those of the whole report, `report_metadata.org_name`,
//! `policy_published.p`. The time is the beginning of the report's range.

use std::io::{BufRead, Read as _};
use std::ops::ControlFlow;
use std::sync::Arc;

use blackrod_model::{Class, Column, Event, Field, Position, Refusal, Timestamp, Value};
use quick_xml::Reader;
use quick_xml::events::Event as Xml;

use super::MAX_REPORT;
use crate::cloud::fill_columns;
use crate::textinput::decode_head;
use crate::times::read_time;
use crate::{Block, Format, ReadError, Sink, SplitOutcome};

/// Aggregate reports.
pub(crate) struct Dmarc;

/// No report nests deeper, and no record has more fields.
const MAX_DEPTH: usize = 16;
const MAX_FIELDS: usize = 256;

impl Format for Dmarc {
    fn name(&self) -> &str {
        "dmarc"
    }

    fn description(&self) -> &str {
        "DMARC aggregate reports (RFC 7489, RFC 9990), also as attachments of mail"
    }

    fn recognise(&self, head: &[u8]) -> bool {
        is_report(head)
    }

    fn split(
        &self,
        input: &mut dyn BufRead,
        emit: &mut dyn FnMut(Block) -> ControlFlow<()>,
    ) -> Result<SplitOutcome, ReadError> {
        let mut bytes = Vec::new();
        let limit = MAX_REPORT as u64 + 1;
        let read = (&mut *input).take(limit).read_to_end(&mut bytes);
        read.map_err(|source| ReadError::Io {
            offset: bytes.len() as u64,
            source,
        })?;
        let mut outcome = SplitOutcome::default();
        if bytes.len() > MAX_REPORT {
            bytes.truncate(MAX_REPORT);
            outcome.incomplete = true;
            outcome.refusals.push(Refusal {
                at: Position {
                    offset: MAX_REPORT as u64,
                    record: 0,
                },
                records: 0,
                reason: format!("stopped at a limit: the report is longer than {MAX_REPORT} bytes"),
            });
        }
        let block = Block {
            offset: 0,
            first_record: 1,
            context: Arc::default(),
            bytes,
        };
        outcome.incomplete |= emit(block).is_break();
        Ok(outcome)
    }

    fn parse(&self, block: &Block, sink: &mut dyn Sink) {
        read(&block.bytes, &mut |told| match told {
            Ok(event) => sink.event(event),
            Err(refusal) => sink.refuse(refusal),
        });
    }
}

/// Whether `head` begins with an aggregate report.
pub(super) fn is_report(head: &[u8]) -> bool {
    let text = decode_head(head.get(..head.len().min(4_096)).unwrap_or_default());
    let begins = text.trim_ascii_start().starts_with(b"<");
    let has = |what: &[u8]| memchr::memmem::find(&text, what).is_some();
    begins && has(b"<feedback") && (has(b"report_metadata") || has(b"policy_published") || has(b"version"))
}

/// Tells of each record of a report.
pub(super) fn read(bytes: &[u8], tell: &mut dyn FnMut(Result<Event<'_>, Refusal>)) {
    let text = decode_head(bytes);
    let text = String::from_utf8_lossy(&text);
    let mut reader = Reader::from_str(&text);
    let mut report = Report::default();
    loop {
        let offset = reader.buffer_position();
        let fault = match reader.read_event() {
            Ok(Xml::Start(element)) => {
                let name = String::from_utf8_lossy(element.local_name().as_ref()).into_owned();
                report.start(name, offset).err()
            }
            Ok(Xml::Text(content)) => {
                report.text.push_str(&content.xml10_content().unwrap_or_default());
                None
            }
            Ok(Xml::CData(content)) => {
                report.text.push_str(&String::from_utf8_lossy(&content));
                None
            }
            Ok(Xml::GeneralRef(reference)) => {
                report.text.push_str(match &*reference as &[u8] {
                    b"amp" => "&",
                    b"lt" => "<",
                    b"gt" => ">",
                    b"quot" => "\"",
                    b"apos" => "'",
                    _ => "\u{FFFD}",
                });
                None
            }
            Ok(Xml::End(_)) => {
                report.end(tell);
                None
            }
            Ok(Xml::Eof) if report.path.is_empty() => break,
            Ok(Xml::Eof) => Some("the report ends too early".to_owned()),
            Ok(_) => None,
            Err(error) => Some(format!("not XML: {error}")),
        };
        if let Some(reason) = fault {
            tell(Err(Refusal {
                at: Position {
                    offset,
                    record: report.records + 1,
                },
                records: 1,
                reason,
            }));
            return;
        }
    }
    if report.records == 0 {
        tell(Err(Refusal {
            at: Position::START,
            records: 0,
            reason: "a DMARC report without records".to_owned(),
        }));
    }
}

/// A report while it is read.
#[derive(Default)]
struct Report {
    path: Vec<String>,
    text: String,
    /// What the report says of itself.
    about: Vec<(String, String)>,
    /// The fields of the record that is open.
    record: Vec<(String, String)>,
    records: u64,
    record_at: u64,
}

impl Report {
    fn start(&mut self, name: String, offset: u64) -> Result<(), String> {
        if self.path.len() >= MAX_DEPTH {
            return Err(format!("elements nested deeper than {MAX_DEPTH}"));
        }
        if name == "record" && self.path.len() == 1 {
            self.record.clear();
            self.record_at = offset;
        }
        self.path.push(name);
        self.text.clear();
        Ok(())
    }

    fn end(&mut self, tell: &mut dyn FnMut(Result<Event<'_>, Refusal>)) {
        let is_in_record = self.path.get(1).is_some_and(|name| name == "record");
        let text = std::mem::take(&mut self.text);
        let value = text.trim();
        let names = self
            .path
            .get(if is_in_record { 2 } else { 1 }..)
            .unwrap_or_default();
        if !value.is_empty() && !names.is_empty() {
            let list = if is_in_record {
                &mut self.record
            } else {
                &mut self.about
            };
            if list.len() < MAX_FIELDS {
                list.push((names.join("."), value.to_owned()));
            }
        }
        self.path.pop();
        if is_in_record && self.path.len() == 1 {
            self.records += 1;
            tell(Ok(self.event()));
        }
    }

    fn event(&self) -> Event<'_> {
        let at = Position {
            offset: self.record_at,
            record: self.records,
        };
        let mut event = Event::new(Class::EMAIL_ACTIVITY, Timestamp::UNKNOWN, at);
        event.source.product = "dmarc";
        event.source.channel = "aggregate".into();
        let fields = self.record.iter().chain(&self.about);
        event.fields = fields
            .map(|(name, value)| Field::new(name.as_str(), Value::text(value)))
            .collect();
        let begin = event.get("report_metadata.date_range.begin");
        event.time = begin.and_then(read_time).unwrap_or_default();
        fill_columns(&mut event, role);
        event
    }
}

fn role(name: &str) -> Option<(Column, u8)> {
    Some(match name {
        "row.source_ip" => (Column::SrcIp, 0),
        "identifiers.header_from" => (Column::Domain, 0),
        "identifiers.envelope_from" => (Column::MailFrom, 0),
        "row.policy_evaluated.disposition" => (Column::Action, 0),
        _ => return None,
    })
}
