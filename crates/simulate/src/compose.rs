//! Writing messages (RFC 5322, RFC 2045 to 2049).

use std::borrow::Cow;
use std::fmt::Write as _;

use blackrod_model::mail::AuthResult;

use crate::body::{self, Piece};
use crate::date;
use crate::encode;
use crate::files;
use crate::mail::Mail;
use crate::parliament::EXCHANGER;
use crate::random::mix;
use crate::software::{Charset, Encoding};
use crate::url::noise;

/// The order in which software writes the fields of a message.
const ORDERS: [[Field; 6]; 8] = {
    use Field::{Date, From, Id, Mime, Subject, To};
    [
        [From, To, Subject, Date, Id, Mime],
        [Mime, Date, Id, Subject, From, To],
        [Id, Date, Mime, To, From, Subject],
        [From, Mime, Subject, Id, Date, To],
        [Date, From, To, Id, Subject, Mime],
        [To, Subject, Date, From, Id, Mime],
        [Date, To, From, Subject, Id, Mime],
        [Subject, From, To, Date, Mime, Id],
    ]
};

#[derive(Clone, Copy)]
enum Field {
    From,
    To,
    Subject,
    Date,
    Id,
    Mime,
}

impl Mail {
    /// Appends the message to `out`, with `\n` at the ends of lines.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut writer = Writer { mail: self, out };
        writer.trace();
        writer.header();
        writer.parts();
    }
}

struct Writer<'w> {
    mail: &'w Mail,
    out: &'w mut Vec<u8>,
}

impl Writer<'_> {
    fn push(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn line(&mut self, arguments: std::fmt::Arguments<'_>) {
        let mut text = String::new();
        let _ = writeln!(text, "{arguments}");
        self.push(&text);
    }

    /// What servers wrote on top.
    fn trace(&mut self) {
        let mail = self.mail;
        let sender = &mail.mailing.sender;
        let origin = &sender.origin;
        let seconds = mail.seconds();
        let key = mail.key();
        let to = mail
            .recipients()
            .first()
            .map_or("", |recipient| &*recipient.address);
        let stamp = |seconds: i64, zone: i32| {
            let mut text = String::with_capacity(32);
            date::rfc5322(seconds, zone, &mut text);
            text
        };
        if origin.is_inside {
            self.line(format_args!(
                "Received: from mbx1.assembly.example ({}) by mbx1.assembly.example\n ({}) with mapi id 15.2.{}; {}",
                origin.ip,
                origin.ip,
                key % 2_000,
                stamp(seconds + 1, 0)
            ));
            return;
        }
        match &origin.bounces {
            Some(domain) => self.line(format_args!("Return-Path: <b-{:x}@{domain}>", mix(key, &[9]))),
            None => self.line(format_args!("Return-Path: <{}>", sender.address)),
        }
        self.line(format_args!("Delivered-To: {to}"));
        self.line(format_args!(
            "Received: from {EXCHANGER} (mx1.assembly.example [10.1.0.5])\n\tby mbx1.assembly.example (Postfix) with ESMTPS id {:010X};\n\t{}",
            mix(key, &[10]) >> 24,
            stamp(seconds + 4, 0)
        ));
        self.authentication();
        self.line(format_args!(
            "Received: from {} ({} [{}])\n\tby {EXCHANGER} (Postfix) with ESMTPS id {:010X}\n\tfor <{to}>; {}",
            origin.host,
            origin.host,
            origin.ip,
            mix(key, &[11]) >> 24,
            stamp(seconds + 3, 0)
        ));
        for (index, signer) in origin.signers.iter().enumerate() {
            let signature = noise(mix(key, &[12, index as u64]), 256);
            self.line(format_args!(
                "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={signer}; s=s{};\n\th=from:to:subject:date:message-id:mime-version; bh={}=;\n\tb={}\n\t {}\n\t {}\n\t {}\n\t {}==",
                mix(sender.key, &[13]) % 9 + 1,
                noise(mix(key, &[14]), 32),
                &signature[..72], &signature[72..144], &signature[144..216], &signature[216..288], &signature[288..]
            ));
        }
        for hop in 0..origin.inner_hops {
            self.line(format_args!(
                "Received: from {} ([10.{}.{}.{}])\n\tby {} with ESMTP id {:x};\n\t{}",
                ["app", "localhost", "web", "worker"][(key as usize >> hop) % 4],
                sender.key % 200,
                key % 250,
                key % 99 + 1,
                origin.host,
                mix(key, &[15, hop as u64]) >> 20,
                stamp(seconds + 2 - hop as i64, sender.software.zone)
            ));
        }
    }

    fn authentication(&mut self) {
        let sender = &self.mail.mailing.sender;
        let origin = &sender.origin;
        let mail_from = origin.bounces.as_deref().unwrap_or(sender.domain());
        let mut text = format!(
            "Authentication-Results: {EXCHANGER};\n\tspf={} smtp.mailfrom={mail_from}",
            word(origin.spf)
        );
        match origin.signers.as_slice() {
            [] => text.push_str(";\n\tdkim=none"),
            signers => {
                for signer in signers {
                    let _ = write!(text, ";\n\tdkim={} header.d={signer}", word(origin.dkim));
                }
            }
        }
        let _ = writeln!(
            text,
            ";\n\tdmarc={} header.from={}",
            word(origin.dmarc),
            sender.domain()
        );
        self.push(&text);
    }

    /// What the sender's software wrote.
    fn header(&mut self) {
        let software = &self.mail.mailing.sender.software;
        for field in ORDERS[software.order % ORDERS.len()] {
            self.field(field);
        }
        if let Some(mailer) = &software.mailer {
            self.line(format_args!("{}: {}", mailer.field, mailer.value));
        }
        let mailing = &self.mail.mailing;
        if let Some(reply_to) = &mailing.sender.reply_to {
            self.line(format_args!("Reply-To: {reply_to}"));
        }
        if let Some(last) = mailing.answers.last() {
            self.line(format_args!("In-Reply-To: <{}>", last.message_id()));
            let references: Vec<String> = mailing
                .answers
                .iter()
                .map(|earlier| format!("<{}>", earlier.message_id()))
                .collect();
            self.line(format_args!("References: {}", references.join("\n\t")));
        }
        self.bulk();
    }

    fn field(&mut self, field: Field) {
        let mail = self.mail;
        let sender = &mail.mailing.sender;
        let software = &sender.software;
        match field {
            Field::From => {
                self.push("From: ");
                encode::display_name(&sender.name, software.order % 2 == 1, software.q_words, self.out);
                self.line(format_args!(" <{}>", sender.address));
            }
            Field::To => {
                self.push("To: ");
                for (index, recipient) in mail.recipients().iter().enumerate() {
                    if index > 0 {
                        self.push(",\n ");
                    }
                    if sender.key.is_multiple_of(3) || recipient.name.is_empty() {
                        self.push(&recipient.address);
                        continue;
                    }
                    encode::display_name(
                        &recipient.name,
                        software.order % 2 == 1,
                        software.q_words,
                        self.out,
                    );
                    self.push(" <");
                    self.push(&recipient.address);
                    self.push(">");
                }
                self.push("\n");
            }
            Field::Subject => {
                self.push("Subject: ");
                encode::header_text(&mail.body.subject, 9, software.q_words, self.out);
                self.push("\n");
            }
            Field::Date => {
                let mut stamp = String::from("Date: ");
                date::rfc5322(mail.seconds(), software.zone, &mut stamp);
                stamp.push('\n');
                self.push(&stamp);
            }
            Field::Id => self.line(format_args!("Message-ID: <{}>", mail.message_id())),
            Field::Mime => self.push("MIME-Version: 1.0\n"),
        }
    }

    fn bulk(&mut self) {
        let mail = self.mail;
        let sender = &mail.mailing.sender;
        let Some(bulk) = &sender.bulk else {
            return;
        };
        if bulk.unsubscribe
            && let Some(tracker) = &sender.tracker
        {
            let mut url = String::new();
            tracker.unsubscribe.write(&mail.keys(), false, &mut url);
            self.line(format_args!("List-Unsubscribe: <{url}>"));
            if bulk.service.is_some() {
                self.push("List-Unsubscribe-Post: List-Unsubscribe=One-Click\n");
            }
        }
        if let Some(list) = &bulk.list {
            self.line(format_args!("List-Id: <{list}>"));
        }
        if sender.key.is_multiple_of(4) {
            self.push("Precedence: bulk\n");
        }
        let Some(service) = &bulk.service else {
            return;
        };
        if service.feedback {
            self.line(format_args!(
                "Feedback-ID: {:x}:{}:campaign:{}",
                mail.mailing.key >> 40,
                bulk.account,
                service.name.to_lowercase()
            ));
        }
        self.line(format_args!(
            "X-{}-ID: {:x}",
            service.name,
            mix(mail.key(), &[16])
        ));
    }

    /// The body: one part, alternatives, related files, attachments.
    fn parts(&mut self) {
        let mail = self.mail;
        let extras = mail.mailing.extras();
        let software = &mail.mailing.sender.software;
        let mixed = extras
            .attachment
            .is_some()
            .then(|| software.boundary(mail.key(), 0));
        if let Some(boundary) = &mixed {
            self.line(format_args!(
                "Content-Type: multipart/mixed;\n boundary=\"{boundary}\"\n\n--{boundary}"
            ));
        }
        self.shown();
        if let (Some(boundary), Some(attachment)) = (&mixed, extras.attachment) {
            let file = files::attachment(attachment, mail);
            self.line(format_args!(
                "--{boundary}\nContent-Type: {}; name=\"{}\"\nContent-Disposition: attachment; filename=\"{}\"\nContent-Transfer-Encoding: base64\n",
                file.content_type, file.name, file.name
            ));
            encode::base64_lines(&file.content, self.out);
            self.line(format_args!("--{boundary}--"));
        }
    }

    fn shown(&mut self) {
        let mail = self.mail;
        let Some(html) = &mail.body.html else {
            return self.leaf("text/plain", &mail.body.text, false);
        };
        let extras = mail.mailing.extras();
        let software = &mail.mailing.sender.software;
        // Some bulk software sends no plain text.
        let is_alone = mail.mailing.sender.key.is_multiple_of(6);
        let related = extras.logo.then(|| software.boundary(mail.key(), 1));
        if let Some(boundary) = &related {
            let kind = if is_alone {
                "text/html"
            } else {
                "multipart/alternative"
            };
            self.line(format_args!(
                "Content-Type: multipart/related; type=\"{kind}\";\n boundary=\"{boundary}\"\n\n--{boundary}"
            ));
        }
        if is_alone {
            self.leaf("text/html", html, true);
        } else {
            let boundary = software.boundary(mail.key(), 2);
            self.line(format_args!(
                "Content-Type: multipart/alternative;\n boundary=\"{boundary}\"\n\n--{boundary}"
            ));
            self.leaf("text/plain", &mail.body.text, false);
            self.line(format_args!("--{boundary}"));
            self.leaf("text/html", html, true);
            self.line(format_args!("--{boundary}--"));
        }
        if let Some(boundary) = &related {
            let id = mail.content_id();
            self.line(format_args!(
                "--{boundary}\nContent-Type: image/gif; name=\"logo.gif\"\nContent-ID: <{id}>\nContent-Disposition: inline; filename=\"logo.gif\"\nContent-Transfer-Encoding: base64\n"
            ));
            encode::base64_lines(&files::logo(mail.mailing.sender.key), self.out);
            self.line(format_args!("--{boundary}--"));
        }
    }

    fn leaf(&mut self, kind: &str, pieces: &[Piece], is_html: bool) {
        const LONGEST_LINE: usize = 900;
        let mail = self.mail;
        let software = &mail.mailing.sender.software;
        let name = mail.recipients().first().map_or("", |recipient| &*recipient.name);
        let mut text = String::with_capacity(4_096);
        body::write(pieces, &mail.mailing, &mail.keys(), name, is_html, &mut text);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let is_latin =
            software.charset == Charset::Latin1 && text.chars().all(|character| u32::from(character) < 256);
        let (charset, content): (_, Cow<'_, [u8]>) = match (is_latin, text.is_ascii()) {
            (true, _) => (
                "iso-8859-1",
                text.chars().map(|character| character as u8).collect(),
            ),
            (_, true) if mail.mailing.sender.key.is_multiple_of(7) => ("us-ascii", text.as_bytes().into()),
            _ => ("utf-8", text.as_bytes().into()),
        };
        let has_long_lines = || text.split('\n').any(|line| line.len() > LONGEST_LINE);
        let encoding = match software.encoding {
            Encoding::EightBit if has_long_lines() => Encoding::QuotedPrintable,
            other => other,
        };
        let word = match encoding {
            Encoding::QuotedPrintable => "quoted-printable",
            Encoding::Base64 => "base64",
            Encoding::EightBit if text.is_ascii() => "7bit",
            Encoding::EightBit => "8bit",
        };
        self.line(format_args!(
            "Content-Type: {kind}; charset={charset}\nContent-Transfer-Encoding: {word}\n"
        ));
        match encoding {
            Encoding::QuotedPrintable => encode::quoted_printable(&content, self.out),
            Encoding::Base64 => encode::base64_lines(&content, self.out),
            Encoding::EightBit => self.out.extend_from_slice(&content),
        }
    }
}

/// As RFC 8601 2.7 spells it.
fn word(result: AuthResult) -> &'static str {
    match result {
        AuthResult::Pass => "pass",
        AuthResult::Fail => "fail",
        AuthResult::SoftFail => "softfail",
        _ => "none",
    }
}
