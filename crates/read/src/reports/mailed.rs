//! Reports in mail.

use std::io::Read;
use std::ops::ControlFlow;

use blackrod_model::mail::{Message, Part};
use blackrod_model::{Event, Position, Refusal};

use super::{MAX_REPORT, dmarc, failure, tls};
use crate::{Format as _, Sink};

/// Tells `sink` of the reports that a message at `at` carries: they are no records of their own.
pub(crate) fn of_message(message: &Message<'_>, at: Position, sink: &mut dyn Sink) {
    /// No message carries more.
    const MOST: usize = 16;
    for part in message.parts.iter().take(MOST) {
        of_part(part, at, sink);
    }
}

fn of_part(part: &Part<'_>, at: Position, sink: &mut dyn Sink) {
    let kind = part.content_type.to_ascii_lowercase();
    if kind == "message/feedback-report" {
        let text = String::from_utf8_lossy(&part.content);
        if let Some(event) = failure::event(&text, at) {
            sink.summary(event);
        }
        return;
    }
    let Some(report) = unpacked(&part.content) else {
        return;
    };
    if dmarc::is_report(&report) {
        dmarc::read(&report, &mut |told| tell(told, at, sink));
    } else if tls::TLS.recognise(&report) {
        let block_of = |block: crate::Block| {
            tls::TLS.parse(&block, &mut Within { at, sink: &mut *sink });
            ControlFlow::Continue(())
        };
        let mut block_of = block_of;
        // Memory cannot fail to be read.
        let _ = tls::TLS.split(&mut report.as_slice(), &mut block_of);
    }
}

/// The report in an attachment: as it is, or packed with gzip or zip. Anything else is none.
fn unpacked(content: &[u8]) -> Option<Vec<u8>> {
    let most = MAX_REPORT as u64;
    let mut report = Vec::new();
    let read = match content.get(..4)? {
        [0x1f, 0x8b, ..] => flate2::read::MultiGzDecoder::new(content)
            .take(most)
            .read_to_end(&mut report),
        b"PK\x03\x04" => {
            let mut archive = zip::ZipArchive::new(std::io::Cursor::new(content)).ok()?;
            // A report comes alone in its archive; one of many files is something else.
            if archive.len() != 1 {
                return None;
            }
            let member = archive.by_index(0).ok()?;
            member.take(most).read_to_end(&mut report)
        }
        [b'<' | b'{', ..] if content.len() <= MAX_REPORT => return Some(content.to_vec()),
        _ => return None,
    };
    // What a damaged archive gave before the damage is read; the report then ends too early, which is told.
    let _ = read;
    (!report.is_empty()).then_some(report)
}

fn tell(told: Result<Event<'_>, Refusal>, message: Position, sink: &mut dyn Sink) {
    match told {
        // Within the message: its offset, and the number of the record in the report.
        Ok(mut event) => {
            event.at = within(event.at, message);
            sink.summary(event);
        }
        Err(refusal) => sink.refuse(Refusal {
            at: message,
            records: 0,
            reason: format!("a report in the message: {}", refusal.reason),
        }),
    }
}

fn within(at: Position, message: Position) -> Position {
    Position {
        offset: message.offset + at.record,
        record: message.record,
    }
}

/// Passes on what is read within a message.
struct Within<'s> {
    at: Position,
    sink: &'s mut dyn Sink,
}

impl Sink for Within<'_> {
    fn event(&mut self, event: Event<'_>) {
        tell(Ok(event), self.at, self.sink);
    }

    fn refuse(&mut self, refusal: Refusal) {
        tell(Err(refusal), self.at, self.sink);
    }
}
