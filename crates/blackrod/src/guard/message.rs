//! A message while a mail server tells it, piece by piece.

use blackrod_model::{EvidenceId, Sha256};

/// Envelope, header and body of one message, as bytes.
#[derive(Debug, Default)]
pub(super) struct Message {
    /// The mail server's name for it.
    pub(super) queue_id: String,
    /// The envelope sender, without angle brackets; empty for bounces.
    pub(super) sender: String,
    /// The envelope recipients, without angle brackets.
    pub(super) recipients: Vec<String>,
    /// Names, and values as they stand after the colon, lines joined by LF as milter gives them.
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) body: Vec<u8>,
    /// More of it came than is kept.
    pub(super) is_too_large: bool,
    kept: usize,
}

/// The other end of the SMTP session, as the mail server saw it.
#[derive(Clone, Debug, Default)]
pub(super) struct Peer {
    pub(super) host: String,
    pub(super) address: String,
    pub(super) helo: String,
    /// The mail server's own name.
    pub(super) server: String,
}

impl Message {
    /// Bytes that it takes up.
    pub(super) fn kept(&self) -> usize {
        self.kept
    }

    pub(super) fn add_header(&mut self, name: Vec<u8>, value: Vec<u8>) {
        self.kept += name.len() + value.len();
        self.headers.push((name, value));
    }

    pub(super) fn add_body(&mut self, chunk: &[u8]) {
        self.kept += chunk.len();
        self.body.extend_from_slice(chunk);
    }

    /// Drops what was collected: it will be delivered unjudged.
    pub(super) fn give_up(&mut self) {
        self.is_too_large = true;
        self.headers = Vec::new();
        self.body = Vec::new();
        self.kept = 0;
    }

    /// The message as it goes through SMTP.
    pub(super) fn raw(&self) -> Vec<u8> {
        let mut raw = Vec::with_capacity(self.kept + self.headers.len() * 3 + 2);
        for (name, value) in &self.headers {
            raw.extend_from_slice(name);
            raw.push(b':');
            push_lines(value, &mut raw);
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(b"\r\n");
        raw.extend_from_slice(&self.body);
        raw
    }

    /// What the delivering server will write above it: who it is for and where it came from, at `time` (RFC 5322).
    pub(super) fn trace(&self, peer: &Peer, time: &str) -> Vec<u8> {
        let mut head = format!("Return-Path: <{}>\r\n", plain(&self.sender));
        for recipient in &self.recipients {
            head.push_str(&format!("Delivered-To: {}\r\n", plain(recipient)));
        }
        let helo = word(&peer.helo);
        let host = word(&peer.host);
        let address = word(&peer.address);
        let (server, queue_id) = (word(&peer.server), word(&self.queue_id));
        head.push_str(&format!(
            "Received: from {helo} ({host} [{address}])\r\n\tby {server} with ESMTP id {queue_id};\r\n\t{time}\r\n"
        ));
        head.into_bytes()
    }

    /// Names the message among all others: its content, and the mail server's name for this delivery.
    pub(super) fn evidence(&self, raw: &[u8]) -> EvidenceId {
        EvidenceId::new(&Sha256::of(raw), &format!("guard/{}", self.queue_id))
    }
}

/// `value` with its lines ended by CRLF.
fn push_lines(value: &[u8], raw: &mut Vec<u8>) {
    for (index, line) in value.split(|byte| *byte == b'\n').enumerate() {
        if index > 0 {
            raw.extend_from_slice(b"\r\n");
        }
        raw.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
}

/// What stands between angle brackets.
pub(super) fn address_of(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let inner = text.trim().trim_start_matches('<').trim_end_matches('>');
    inner.to_owned()
}

/// A line's worth of an address.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(320).collect()
}

/// A word that a client chose, fit to stand in a `Received:` field.
fn word(text: &str) -> String {
    let is_fit = |c: &char| c.is_ascii_graphic() && !"()[];\"\\".contains(*c);
    let word: String = text.chars().filter(is_fit).take(255).collect();
    if word.is_empty() {
        "unknown".to_owned()
    } else {
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_put_together_as_it_was_sent() {
        let mut message = Message {
            queue_id: "4Rk2".to_owned(),
            sender: "a@example.org".to_owned(),
            recipients: vec!["b@example.org".to_owned()],
            ..Message::default()
        };
        message.add_header(b"Subject".to_vec(), b" caf\xe9\n\tmore".to_vec());
        message.add_header(b"X".to_vec(), b"tight".to_vec());
        message.add_body(b"text\r\n");
        assert_eq!(
            message.raw(),
            b"Subject: caf\xe9\r\n\tmore\r\nX:tight\r\n\r\ntext\r\n"
        );
        let peer = Peer {
            helo: "x)\r\nBcc: evil".to_owned(),
            ..Peer::default()
        };
        let trace = message.trace(&peer, "Tue, 5 Jan 2021 10:00:00 +0000");
        let trace = String::from_utf8_lossy(&trace);
        assert!(trace.contains("Delivered-To: b@example.org\r\n"));
        assert!(trace.contains("from xBcc:evil (unknown [unknown])"), "{trace}");
        assert_eq!(trace.lines().count(), 5);
    }
}
