//! Whole messages and mailboxes through the readers.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::ops::ControlFlow;

use blackrod_model::mail::PartRole;
use blackrod_model::{Column, Event, Position, Refusal, Sha256, Value};
use proptest::prelude::*;

use super::{Eml, MESSAGE_LIMIT, Mbox};
use crate::{Block, Format, Sink, formats};

/// What is left of an event once its block is gone.
#[derive(Debug)]
struct Seen {
    at: Position,
    time: String,
    raw: serde_json::Value,
    mail_from: Option<String>,
    parts: Vec<SeenPart>,
    embedded: Vec<Option<String>>,
    boundaries: Vec<Option<String>>,
    headers: Vec<(String, String)>,
}

#[derive(Debug)]
struct SeenPart {
    role: PartRole,
    content_type: String,
    name: Option<String>,
    content: Vec<u8>,
    depth: u8,
    message: usize,
    parent: Option<usize>,
    damaged: bool,
    sha256: Option<Sha256>,
}

#[derive(Default)]
struct Collected {
    events: Vec<Seen>,
    refusals: Vec<Refusal>,
}

impl Sink for Collected {
    fn event(&mut self, event: Event<'_>) {
        let mut raw = String::new();
        event.write_raw(&mut raw);
        let mail = event.mail.as_ref().unwrap();
        let part = |part: &blackrod_model::mail::Part<'_>| SeenPart {
            role: part.role,
            content_type: part.content_type.to_string(),
            name: part.name.as_ref().map(ToString::to_string),
            content: part.content.to_vec(),
            depth: part.depth,
            message: part.message,
            parent: part.parent,
            damaged: part.damaged,
            sha256: part.sha256,
        };
        self.events.push(Seen {
            at: event.at,
            time: event.time.to_string(),
            raw: serde_json::from_str(&raw).unwrap(),
            mail_from: event
                .column(Column::MailFrom)
                .and_then(Value::as_str)
                .map(str::to_owned),
            parts: mail.parts.iter().map(part).collect(),
            embedded: mail
                .embedded
                .iter()
                .map(|m| m.subject.as_ref().map(ToString::to_string))
                .collect(),
            boundaries: mail
                .multiparts
                .iter()
                .map(|m| m.boundary.as_ref().map(ToString::to_string))
                .collect(),
            headers: mail
                .headers
                .iter()
                .map(|h| (h.name.to_string(), h.value.to_string()))
                .collect(),
        });
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }
}

impl Collected {
    fn subjects(&self) -> Vec<&str> {
        self.events
            .iter()
            .map(|event| event.raw["subject"].as_str().unwrap_or(""))
            .collect()
    }

    fn body(&self, event: usize) -> String {
        String::from_utf8_lossy(&self.events[event].parts[0].content).into_owned()
    }

    fn records(&self) -> u64 {
        self.events.len() as u64 + self.refusals.iter().map(|refusal| refusal.records).sum::<u64>()
    }
}

/// The blocks of `bytes`, and what could not be put into one.
pub(super) fn blocks_of(format: &dyn Format, bytes: &[u8]) -> (Vec<Block>, Vec<Refusal>) {
    let mut blocks = Vec::new();
    let outcome = format.split(&mut &bytes[..], &mut |block| {
        blocks.push(block);
        ControlFlow::Continue(())
    });
    (blocks, outcome.unwrap().refusals)
}

fn read(format: &dyn Format, bytes: &[u8]) -> Collected {
    let (blocks, refusals) = blocks_of(format, bytes);
    let mut collected = Collected {
        events: Vec::new(),
        refusals,
    };
    blocks
        .iter()
        .for_each(|block| format.parse(block, &mut collected));
    collected
}

fn eml(text: &str) -> Collected {
    read(&Eml, text.as_bytes())
}

fn one(text: &str) -> Seen {
    let mut collected = eml(text);
    assert_eq!(collected.refusals, []);
    collected.events.pop().unwrap()
}

fn recognised(bytes: &[u8]) -> Option<&'static str> {
    formats()
        .iter()
        .find(|format| format.recognise(bytes))
        .map(|format| format.name())
}

#[test]
fn the_fields_of_a_message_have_their_documented_names() {
    let seen = one(concat!(
        "Return-Path: <bounce@esp.example>\r\n",
        "Received: from mx (mx.inside.example [10.0.0.1]) by box.example; Tue, 5 Jan 2021 10:00:05 +0000\r\n",
        "Received: from out.esp.example (out.esp.example [192.0.2.7])\r\n",
        "\tby mx.inside.example with ESMTPS; Tue, 5 Jan 2021 10:00:03 +0000\r\n",
        "From: =?utf-8?q?J=C3=BCrgen?= <news@Press.EXAMPLE>\r\n",
        "To: Anna <anna@parl.example>, ben@parl.example\r\n",
        "Subject: =?utf-8?b?SMOkbmRl?= off\r\n",
        "Date: Tue, 5 Jan 2021 11:00:00 +0100\r\n",
        "Message-ID: <1@esp.example>\r\n",
        "In-Reply-To: <0@parl.example>\r\n",
        "X-Mailer: Blaster\r\n 2.0\r\n",
        "MIME-Version: 1.0\r\n",
        "Content-Type: multipart/mixed; boundary=\"=_b1\"\r\n\r\n",
        "preamble\r\n",
        "--=_b1\r\nContent-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
        "<p>gr=FCn <img src=3D\"https://t.esp.example/o.gif?id=3D7&amp;u=3D8\"></p>\r\n",
        "--=_b1\r\nContent-Type: application/zip; name=\"a.zip\"\r\nContent-Transfer-Encoding: base64\r\n",
        "Content-Disposition: attachment; filename=\"report.zip\"\r\n\r\nUEsDBA==\r\n--=_b1--\r\n",
    ));
    assert_eq!(seen.time, "2021-01-05T10:00:00Z");
    assert_eq!(seen.at, Position { offset: 0, record: 1 });
    let digest = Sha256::of(b"PK\x03\x04");
    let expected = serde_json::json!({
        "from": "news@Press.EXAMPLE", "from_name": "Jürgen", "from_domain": "press.example",
        "return_path": "bounce@esp.example", "to": ["anna@parl.example", "ben@parl.example"],
        "subject": "Hände off", "message_id": "1@esp.example", "in_reply_to": "0@parl.example",
        "references": ["0@parl.example"], "date": "Tue, 5 Jan 2021 11:00:00 +0100",
        "x_mailer": "Blaster 2.0", "src_ip": "192.0.2.7", "content_type": "multipart/mixed",
        "attachment_names": ["report.zip"], "attachment_types": ["application/zip"],
        "attachment_sha256": [digest.to_string()],
        "url": "https://t.esp.example/o.gif?id=7&u=8", "urls": ["https://t.esp.example/o.gif?id=7&u=8"],
        "url_domains": ["t.esp.example"],
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(seen.raw[name], *value, "{name}");
    }
    assert_eq!(seen.raw["received"].as_array().unwrap().len(), 2);
    assert_eq!(seen.raw["header_names"][0], "Return-Path");
    assert_eq!(seen.mail_from.as_deref(), Some("news@Press.EXAMPLE"));
    assert_eq!(seen.headers[4].1, "Anna <anna@parl.example>, ben@parl.example");
    assert_eq!(seen.boundaries, [Some("=_b1".to_owned())]);
    let html = &seen.parts[0];
    assert_eq!((html.role, html.parent), (PartRole::Html, Some(0)));
    assert!(String::from_utf8_lossy(&html.content).contains("grün"));
    assert_eq!(
        (seen.parts[1].role, seen.parts[1].sha256),
        (PartRole::Attachment, Some(digest))
    );
}

#[test]
fn an_absurd_date_gives_way_to_the_topmost_received() {
    let with = |date: &str| {
        one(&format!(
            "Received: by a.example; Tue, 5 Jan 2021 10:00:00 +0000\nFrom: a@b.example\nDate: {date}\n\nx"
        ))
        .time
    };
    assert_eq!(with("Mon, 4 Jan 2021 10:00:00 +0000"), "2021-01-04T10:00:00Z");
    for absurd in [
        "Thu, 1 Jan 1970 00:00:00 +0000",
        "Tue, 5 Jan 2038 10:00:00 +0000",
        "soon",
    ] {
        assert_eq!(with(absurd), "2021-01-05T10:00:00Z", "{absurd}");
    }
    assert_eq!(one("From: a@b.example\nTo: c@d.example\n\nx").time, "unknown");
}

#[test]
fn embedded_messages_are_parts_with_depth_and_one_record() {
    let inner = "From: c@d.example\nSubject: inner\nContent-Type: text/html\n\n<b>in</b>\n";
    let seen = one(&format!(
        "From: a@b.example\nSubject: outer\nContent-Type: multipart/mixed; boundary=x\n\n\
         --x\nContent-Type: message/rfc822\n\n{inner}\n--x\n\nafter\n--x--\n"
    ));
    assert_eq!(seen.embedded, [Some("inner".to_owned())]);
    let places: Vec<_> = seen
        .parts
        .iter()
        .map(|part| (part.content_type.as_str(), part.depth, part.message, part.role))
        .collect();
    assert_eq!(
        places,
        [
            ("message/rfc822", 0, 0, PartRole::Attachment),
            ("text/html", 1, 1, PartRole::Html),
            ("text/plain", 0, 0, PartRole::Text),
        ]
    );
    assert_eq!(seen.parts[0].content, inner.as_bytes());
    assert_eq!(seen.parts[1].content, b"<b>in</b>\n");
}

#[test]
fn an_embedded_message_may_be_encoded_against_the_rules() {
    // base64 of "From: c@d.example\nSubject: inner\n\nhidden https://e.example/\n"
    let encoded = "RnJvbTogY0BkLmV4YW1wbGUKU3ViamVjdDogaW5uZXIKCmhpZGRlbiBodHRwczovL2UuZXhhbXBsZS8K";
    let part = |n: usize| {
        format!(
            "--x\nContent-Type: Message/RFC822; name=m{n}.eml\nContent-Transfer-Encoding: base64\n\n{encoded}\n"
        )
    };
    let seen = one(&format!(
        "From: a@b.example\nSubject: outer\nContent-Type: multipart/mixed; boundary=x\n\n{}{}--x\n\nlast\n--x--\n",
        part(1),
        part(2)
    ));
    assert_eq!(
        seen.embedded,
        [Some("inner".to_owned()), Some("inner".to_owned())]
    );
    let types: Vec<_> = seen
        .parts
        .iter()
        .map(|part| (part.content_type.as_str(), part.depth))
        .collect();
    let container = ("message/rfc822", 0);
    assert_eq!(
        types,
        [
            container,
            ("text/plain", 1),
            container,
            ("text/plain", 1),
            ("text/plain", 0)
        ]
    );
    assert!(seen.parts[0].content.starts_with(b"From: c@d.example"));
    assert_eq!(seen.parts[2].name.as_deref(), Some("m2.eml"));
    assert_eq!(seen.parts[4].content, b"last");
    assert_eq!(seen.raw["urls"], serde_json::json!(["https://e.example/"]));
    assert!(seen.parts.iter().all(|part| !part.damaged));
}

#[test]
fn messages_nested_too_deep_are_told_of() {
    let mut text = String::new();
    for level in 0..20 {
        write!(text, "Subject: {level}\nContent-Type: message/rfc822\n\n").unwrap();
    }
    text.push_str("Subject: last\n\nend\n");
    let collected = eml(&text);
    assert_eq!(collected.events[0].embedded.len(), 8);
    assert_eq!(collected.refusals.len(), 1);
    assert_eq!(collected.refusals[0].records, 0);
    assert!(
        collected.refusals[0].reason.contains("deeper than 8"),
        "{:?}",
        collected.refusals
    );
}

#[test]
fn charsets_and_encodings_are_undone() {
    let body = |header: &str, body: &[u8]| {
        let mut bytes = format!("From: a@b.example\nSubject: x\n{header}\n\n").into_bytes();
        bytes.extend_from_slice(body);
        read(&Eml, &bytes).body(0)
    };
    assert_eq!(
        body(
            "Content-Type: text/plain; charset=koi8-r",
            b"\xf0\xd2\xc9\xd7\xc5\xd4"
        ),
        "Привет"
    );
    assert_eq!(
        body("Content-Type: text/plain; charset=iso-2022-jp", b"\x1b$B%O\x1b(B"),
        "ハ"
    );
    assert_eq!(body("Content-Type: text/plain", b"caf\xe9"), "café");
    assert_eq!(
        body("Content-Type: text/plain; charset=us-ascii", "café".as_bytes()),
        "café"
    );
    assert_eq!(
        body("Content-Type: text/plain; charset=nonsense", b"caf\xc3\xa9"),
        "café"
    );
    assert_eq!(
        body("Content-Transfer-Encoding: quoted-printable", b"a=3Db=\nc"),
        "a=bc"
    );
    assert_eq!(
        body("Content-Transfer-Encoding: quoted-printable", b"a==zz=3D"),
        "a==zz="
    );
    assert_eq!(
        body("Content-Transfer-Encoding: BASE64", b"SGVs\r\nbG8="),
        "Hello"
    );
    assert_eq!(body("Content-Transfer-Encoding: base64", b"SG*Vs bG8="), "Hello");
    assert_eq!(
        body("Content-Transfer-Encoding: base64", b"--- !!! ???"),
        "--- !!! ???"
    );
}

#[test]
fn a_text_attachment_is_hashed_as_the_file_it_was() {
    let mut bytes = b"From: a@b.example\nTo: c@d.example\nContent-Type: text/html; charset=iso-8859-1\n\
        Content-Disposition: attachment; filename=a.html\n\n"
        .to_vec();
    bytes.extend_from_slice(b"<p>gr\xfcn");
    let collected = read(&Eml, &bytes);
    let part = &collected.events[0].parts[0];
    assert_eq!(part.sha256, Some(Sha256::of(b"<p>gr\xfcn")));
    assert_eq!(part.content, "<p>grün".as_bytes());
    assert_eq!(part.role, PartRole::Attachment);
}

#[test]
fn strange_starts_and_ends_are_read() {
    let utf16: Vec<u8> = "\u{feff}From: a@b.example\r\nSubject: wide\r\n\r\nx"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (bytes, subject) in [
        (utf16.as_slice(), "wide"),
        (b"From: a@b.example\rSubject: mac\r\rbody\rmore", "mac"),
        (
            b"\xef\xbb\xbf\r\n\r\nFrom: a@b.example\r\nSubject: marked\r\n\r\n",
            "marked",
        ),
        (b"From: a@b.example\nTo: c@d.example\nSubject: cut", "cut"),
        (b"Subject: nul\0led\nFrom: a@b.example\n\n\0\0", "nul\0led"),
    ] {
        assert_eq!(recognised(bytes), Some("eml"), "{subject}");
        assert_eq!(read(&Eml, bytes).subjects(), [subject]);
    }
}

#[test]
fn what_is_no_message_is_refused_as_one_record() {
    for nothing in ["", "\n\n\n", "no header at all"] {
        let collected = eml(nothing);
        assert_eq!(
            (collected.events.len(), collected.records()),
            (0, 1),
            "{nothing:?}"
        );
        assert!(collected.refusals[0].reason.starts_with("not a message"));
    }
}

const FIRST: &str = "From a@b.example Tue Jan  5 10:00:00 2021\nFrom: a@b.example\nSubject: one\n";
const SECOND: &str = "From c@d.example Tue Jan  5 11:00:00 2021\nFrom: c@d.example\nSubject: two\n";

#[test]
fn mboxo_and_mboxrd_are_unquoted() {
    let text = format!("{FIRST}\n>From here\n>>From there\n>Fromage\n a >From b\n\n{SECOND}\nbye\n\n");
    assert_eq!(recognised(text.as_bytes()), Some("mbox"));
    let collected = read(&Mbox, text.as_bytes());
    assert_eq!(collected.subjects(), ["one", "two"]);
    assert_eq!(
        collected.body(0),
        "From here\n>From there\n>Fromage\n a >From b\n"
    );
    assert_eq!(collected.body(1), "bye\n");
    assert_eq!(collected.events[0].at, Position { offset: 0, record: 1 });
    let second = text.find(SECOND).unwrap() as u64;
    assert_eq!(
        collected.events[1].at,
        Position {
            offset: second,
            record: 2
        }
    );
}

#[test]
fn mboxcl_and_mboxcl2_go_by_their_lengths() {
    let quoted = ">From x Tue Jan  5 10:00:00 2021\nrest\n";
    let text = format!(
        "{FIRST}Content-Length: {}\n\n{quoted}\n{SECOND}\nbye\n",
        quoted.len()
    );
    let collected = read(&Mbox, text.as_bytes());
    assert_eq!(collected.subjects(), ["one", "two"]);
    assert_eq!(collected.body(0), quoted.trim_start_matches('>'));

    let unquoted = format!("forwarded:\n\n>From kept\n{SECOND}\nbody\n");
    let text = format!(
        "{FIRST}Content-Length: {}\r\n\n{unquoted}\n{}Content-Length: 4\n\nbye\n",
        unquoted.len(),
        SECOND.replace("two", "three")
    );
    let collected = read(&Mbox, text.as_bytes());
    assert_eq!(collected.subjects(), ["one", "three"]);
    assert_eq!(collected.body(0), unquoted);
}

#[test]
fn a_lying_length_swallows_nothing() {
    let tail = format!("{}\nend\n", SECOND.replace("two", "three"));
    let rest = format!("\n{SECOND}\nbye\n\n{tail}");
    // Nowhere, beyond the end, into the middle, exactly to the third message, exactly to the end.
    let exact = "body\n".len() + rest.len() - tail.len();
    for length in [0, 1, 7, 40, exact, exact + tail.len(), 1_000_000, usize::MAX] {
        let text = format!("{FIRST}Content-Length: {length}\n\nbody\n{rest}");
        let collected = read(&Mbox, text.as_bytes());
        let expected = ["one", "two", "three"];
        if length == exact + tail.len() {
            // Nothing contradicts a length that leads to the end of a mailbox's only message.
            continue;
        }
        assert_eq!(collected.subjects(), expected, "{length}");
    }
}

#[test]
fn lines_that_only_begin_like_a_separator_stay_in_the_body() {
    let text =
        format!("{FIRST}\nDear all,\n\nFrom the desk of the Speaker:\nFrom now on\n\nFrom 10:30 in May\n");
    let collected = read(&Mbox, text.as_bytes());
    assert_eq!(collected.subjects(), ["one"]);
    assert!(collected.body(0).ends_with("From 10:30 in May\n"));
}

#[test]
fn a_mailbox_is_cut_into_blocks_of_whole_messages() {
    let body = "x".repeat(300_000);
    let text: String = (0..20).fold(String::new(), |mut text, n| {
        write!(text, "{}\n{body}\n\n", FIRST.replace("one", &n.to_string())).unwrap();
        text
    });
    let (blocks, refusals) = blocks_of(&Mbox, text.as_bytes());
    assert_eq!(refusals, []);
    assert!(blocks.len() > 3 && blocks.iter().all(|block| block.bytes.len() < 2_000_000));
    assert_eq!(
        blocks.iter().map(|block| block.bytes.len()).sum::<usize>(),
        text.len()
    );
    let mut collected = Collected::default();
    blocks
        .iter()
        .rev()
        .for_each(|block| Mbox.parse(block, &mut collected));
    for event in &collected.events {
        let number: u64 = event.raw["subject"].as_str().unwrap().parse().unwrap();
        assert_eq!(event.at.record, number + 1);
        assert!(text[usize::try_from(event.at.offset).unwrap()..].starts_with("From "));
    }
    assert_eq!(collected.events.len(), 20);
}

#[test]
fn a_message_over_the_limit_is_refused_and_the_next_is_read() {
    let head = format!("{FIRST}\n{FIRST}\n");
    let huge = MESSAGE_LIMIT as u64 + 10;
    let tail = format!("\n\n{SECOND}\nbye\n");
    let input = std::io::Read::chain(head.as_bytes(), std::io::Read::take(std::io::repeat(b'x'), huge));
    let mut input = std::io::BufReader::new(std::io::Read::chain(input, tail.as_bytes()));
    let mut collected = Collected::default();
    let mut blocks = Vec::new();
    let outcome = Mbox.split(&mut input, &mut |block| {
        blocks.push(block);
        ControlFlow::Continue(())
    });
    collected.refusals = outcome.unwrap().refusals;
    blocks.iter().for_each(|block| Mbox.parse(block, &mut collected));
    assert_eq!(collected.subjects(), ["one", "two"]);
    assert_eq!(collected.events[1].at.record, 3);
    let size = FIRST.len() as u64 + 2 + huge + 1;
    assert_eq!(
        collected.refusals[0].at,
        Position {
            offset: FIRST.len() as u64 + 1,
            record: 2
        }
    );
    assert!(
        collected.refusals[0].reason.contains(&size.to_string()),
        "{:?}",
        collected.refusals
    );

    let mut input = std::io::BufReader::new(std::io::Read::take(std::io::repeat(b'x'), huge));
    let outcome = Eml.split(&mut input, &mut |_| ControlFlow::Break(())).unwrap();
    assert!(outcome.refusals[0].reason.contains(&huge.to_string()));
}

#[test]
fn messages_made_to_be_costly_are_read_quickly() {
    let many_parts = format!(
        "From: a@b.example\nContent-Type: multipart/mixed; boundary=x\n\n{}--x--\n",
        "--x\nContent-Transfer-Encoding: base64\n\nQQ==\n".repeat(100_000)
    );
    let deep = format!(
        "From: a@b.example\n{}end\n",
        "Content-Type: message/rfc822\n\n".repeat(100_000)
    );
    let missing =
        "From: a@b.example\nContent-Type: multipart/mixed; boundary=nowhere\n\n--x\n".repeat(20_000);
    let long_line = format!(
        "From: a@b.example\nSubject: {}\nTo: x@y.example\n\nb",
        "a ".repeat(500_000)
    );
    let words = format!("From: a@b.example\nSubject: {}\n\nb", "=?aa?q?x".repeat(125_000));
    let nested_multiparts: String = (0..50_000).fold("From: a@b.example\n".to_owned(), |mut text, n| {
        write!(text, "Content-Type: multipart/mixed; boundary=b{n}z\n\n--b{n}z\n").unwrap();
        text
    });
    for text in [many_parts, deep, missing, long_line, words, nested_multiparts] {
        let begun = std::time::Instant::now();
        let collected = eml(&text);
        assert_eq!(collected.records(), 1);
        assert_eq!(collected.events.len(), 1);
        // Generous: a debug build on a busy machine. Quadratic work would take minutes.
        assert!(begun.elapsed().as_secs() < 30, "{}", &text[..60]);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_one_record_of_eml(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert_eq!(read(&Eml, &bytes).records(), 1);
    }

    #[test]
    fn pieces_of_mail_in_any_order_are_one_record(pieces in proptest::collection::vec(piece(), 0..30)) {
        let text = pieces.concat();
        prop_assert_eq!(eml(&text).records(), 1);
    }

    #[test]
    fn every_message_of_a_mailbox_is_counted(bodies in proptest::collection::vec("[a-z >\n]{0,60}", 1..8)) {
        let text: String = bodies.iter().map(|body| format!("{FIRST}\n{body}\n\n")).collect();
        let collected = read(&Mbox, text.as_bytes());
        prop_assert_eq!(collected.records(), bodies.len() as u64);
        for (n, event) in collected.events.iter().enumerate() {
            prop_assert_eq!(event.at.record, n as u64 + 1);
        }
    }

    #[test]
    fn pieces_of_mailboxes_lie_in_blocks_whole(pieces in proptest::collection::vec(piece(), 0..30)) {
        let text = pieces.concat();
        let mut covered = 0;
        let outcome = Mbox.split(&mut text.as_bytes(), &mut |block| {
            assert_eq!(block.offset, covered);
            covered += block.bytes.len() as u64;
            Mbox.parse(&block, &mut Collected::default());
            ControlFlow::Continue(())
        });
        prop_assert!(outcome.is_ok());
        prop_assert_eq!(covered, text.len() as u64);
    }
}

fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        FIRST,
        SECOND,
        "\n",
        "\n\n",
        "\r\n",
        "From ",
        "From: a@b.example\n",
        "Subject: =?utf-8?q?=",
        "?=\n",
        "Content-Type: multipart/mixed; boundary=x\n",
        "Content-Type: multipart/digest; boundary=\"y\"\n",
        "Content-Type: message/rfc822\n",
        "Content-Type: text/html; charset=utf-7\n",
        "Content-Transfer-Encoding: base64\n",
        "Content-Transfer-Encoding: quoted-printable\n",
        "Content-Disposition: attachment; filename*0=a; filename*1=b\n",
        "Content-Length: 30\n",
        "--x\n",
        "--x--\n",
        "--y\n",
        "--y--",
        "Received: from a ([192.0.2.1]) by b; Tue, 99 Jan 2021 99:99:99 +9999\n",
        "Date: Tue, 31 Feb 2021 25:61:61 -2500\n",
        "SGVsbG8=\n",
        "http://\u{e9}/",
        "=E9==\n",
        "\u{0}",
        " ",
        ">From x\n",
    ])
}
