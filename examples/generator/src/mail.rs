//! Writing messages (RFC 5322, RFC 2045).

use jiff::Timestamp;
use jiff::fmt::rfc2822;

/// A message before it is written out.
#[derive(Clone, Debug)]
pub(crate) struct Mail {
    pub(crate) unix_micros: i64,
    pub(crate) from_name: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) subject: String,
    /// Local part of the Message-ID; its domain is the sender's.
    pub(crate) id: String,
    pub(crate) in_reply_to: Option<String>,
    /// Host and address that handed it in.
    pub(crate) relay: (String, String),
    /// Header lines besides.
    pub(crate) more_headers: Vec<String>,
    pub(crate) text: String,
    pub(crate) html: Option<String>,
    /// A message that this one carries along.
    pub(crate) forwarded: Option<String>,
}

impl Mail {
    pub(crate) fn message_id(&self) -> String {
        format!("<{}@{}>", self.id, domain_of(&self.from))
    }

    /// The message, with line ends as on the wire.
    pub(crate) fn write(&self) -> String {
        let date = rfc2822_date(self.unix_micros);
        let mut lines = vec![
            format!("Return-Path: <{}>", self.from),
            format!("Delivered-To: {}", self.to.first().map_or("", String::as_str)),
            format!(
                "Received: from {} ({} [{}])\n\tby mx1.assembly.example with ESMTPS id {};\n\t{date}",
                self.relay.0,
                self.relay.0,
                self.relay.1,
                &self.id[..self.id.len().min(12)],
            ),
            format!("Date: {date}"),
            format!("From: {} <{}>", quoted(&self.from_name), self.from),
            format!("To: {}", self.to.join(",\n\t")),
            format!("Subject: {}", encoded(&self.subject)),
            format!("Message-ID: {}", self.message_id()),
        ];
        if let Some(before) = &self.in_reply_to {
            lines.push(format!("In-Reply-To: {before}"));
            lines.push(format!("References: {before}"));
        }
        lines.extend(self.more_headers.iter().cloned());
        lines.push("MIME-Version: 1.0".to_owned());
        let boundary = format!("=_{}", self.id);
        let body = match (&self.html, &self.forwarded) {
            (None, None) => {
                lines.push("Content-Type: text/plain; charset=utf-8".to_owned());
                lines.push("Content-Transfer-Encoding: 8bit".to_owned());
                self.text.clone()
            }
            (html, forwarded) => {
                let kind = if forwarded.is_some() {
                    "mixed"
                } else {
                    "alternative"
                };
                lines.push(format!(
                    "Content-Type: multipart/{kind};\n\tboundary=\"{boundary}\""
                ));
                let mut parts = vec![format!(
                    "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{}",
                    self.text
                )];
                parts.extend(html.iter().map(|html| {
                    format!(
                        "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n{html}"
                    )
                }));
                parts.extend(
                    forwarded
                        .iter()
                        .map(|message| format!("Content-Type: message/rfc822\n\n{message}")),
                );
                let inner: String = parts
                    .iter()
                    .map(|part| format!("--{boundary}\n{part}\n"))
                    .collect();
                format!("{inner}--{boundary}--\n")
            }
        };
        let text = format!("{}\n\n{body}", lines.join("\n"));
        text.replace("\r\n", "\n").replace('\n', "\r\n")
    }
}

/// The messages as an mbox (mboxrd variant: RFC 4155 with `>From` quoting).
pub(crate) fn mbox(mails: &[Mail]) -> Vec<u8> {
    let mut out = String::new();
    for mail in mails {
        let date = strftime(mail.unix_micros, "%a %b %e %H:%M:%S %Y");
        out.push_str(&format!("From {} {date}\n", mail.from));
        for line in mail.write().replace("\r\n", "\n").lines() {
            if line.trim_start_matches('>').starts_with("From ") {
                out.push('>');
            }
            out.push_str(line);
            out.push('\n');
        }
        out.push('\n');
    }
    out.into_bytes()
}

pub(crate) fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or(address, |(_, domain)| domain)
}

/// A moment of our story by a pattern of strftime(3), in UTC.
pub(crate) fn strftime(unix_micros: i64, pattern: &str) -> String {
    moment(unix_micros).strftime(pattern).to_string()
}

fn rfc2822_date(unix_micros: i64) -> String {
    let zoned = moment(unix_micros).to_zoned(jiff::tz::TimeZone::UTC);
    rfc2822::to_string(&zoned).unwrap_or_default()
}

fn moment(unix_micros: i64) -> Timestamp {
    Timestamp::from_microsecond(unix_micros).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn quoted(name: &str) -> String {
    match name.is_ascii() {
        true => format!("\"{name}\""),
        false => encoded(name),
    }
}

/// An encoded word (RFC 2047, Q encoding) where the text is not ASCII.
fn encoded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut word = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => word.push('_'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b',' => word.push(char::from(byte)),
            other => word.push_str(&format!("={other:02X}")),
        }
    }
    format!("=?utf-8?Q?{word}?=")
}
