//! Whole messages through the facets of the sender.

#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;

use blackrod_model::estate::{Organisation, Partner, Person};
use blackrod_model::mail::{AuthResult, Facts, PrintKind};
use blackrod_model::{Estate, Event, EvidenceId, Refusal};

use super::Anatomy;

struct First<'a>(&'a Anatomy, Option<Facts>);

impl blackrod_read::Sink for First<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.1 = self.0.facts(EvidenceId::default(), &event);
    }
    fn refuse(&mut self, _: Refusal) {}
}

/// What `anatomy` says of the first message of a file.
pub(super) fn read(anatomy: &Anatomy, bytes: &[u8]) -> Facts {
    let format = blackrod_read::formats()
        .iter()
        .find(|format| format.recognise(bytes))
        .unwrap();
    let mut first = First(anatomy, None);
    let take = &mut |block| {
        format.parse(&block, &mut first);
        ControlFlow::Continue(())
    };
    format.split(&mut &bytes[..], take).unwrap();
    first.1.unwrap()
}

fn facts_of(mail: &str) -> Facts {
    let estate = Estate {
        organisations: vec![Organisation {
            id: "assembly".into(),
            name: "Assembly of the Isles".into(),
            domains: vec!["assembly.example".into()],
        }],
        people: vec![Person {
            name: "Anna Berg".into(),
            addresses: vec!["anna.berg@assembly.example".into()],
            ..Person::default()
        }],
        partners: vec![Partner {
            name: "Ministry of Tides".into(),
            domains: vec!["tides.example".into()],
        }],
        ..Estate::default()
    };
    read(&Anatomy::new(&estate), mail.replace('\n', "\r\n").as_bytes())
}

fn codes(facts: &Facts) -> Vec<&str> {
    facts.signals.iter().map(|signal| signal.code.as_str()).collect()
}

const FORGED: &str = "Received: from mx1.assembly.example (mx1.assembly.example [10.0.0.5]) by mail.assembly.example; Tue, 4 Mar 2025 10:00:05 +0000
Authentication-Results: mx1.assembly.example; spf=pass smtp.mailfrom=x@sender.test; dkim=none; dmarc=fail header.from=assembly.example
Received: from mailer.sender.test (host7.sender.test [203.0.113.7]) by mx1.assembly.example with ESMTPS; Tue, 4 Mar 2025 10:00:03 +0000
Authentication-Results: elsewhere.test; dmarc=pass header.from=assembly.example
Received: from lies.assembly.example (192.0.2.9) by nowhere.test; Tue, 4 Mar 2025 10:00:01 +0000
Return-Path: <x@sender.test>
From: \"Berg, Anna\" <office@assernbly.example>
Reply-To: anna.berg.office@gmail.com
To: carl.dahl@assembly.example
Subject: Please look at this
Date: Tue, 4 Mar 2025 11:00:00 +0100
Message-ID: <20250304.0a1b2c3d4e5f@sender.test>

Can you help me with a payment?
";

#[test]
fn who_pretends_to_be_inside_is_seen() {
    let facts = facts_of(FORGED);
    let codes = codes(&facts);
    for code in [
        "sender/name-of-person",
        "sender/lookalike-own",
        "sender/reply-to-free-mail",
        "auth/dmarc-fails",
    ] {
        assert!(codes.contains(&code), "{code} is not among {codes:?}");
    }
    assert_eq!(facts.from, "office@assernbly.example");
    assert_eq!(facts.return_path.as_deref(), Some("x@sender.test"));
}

#[test]
fn only_what_stands_above_the_border_is_believed() {
    let facts = facts_of(FORGED);
    assert_eq!(facts.origin.ip, Some("203.0.113.7".parse().unwrap()));
    assert_eq!(facts.origin.host.as_deref(), Some("host7.sender.test"));
    assert_eq!(facts.authentication.dmarc, AuthResult::Fail);
    assert_eq!(facts.authentication.spf, AuthResult::Pass);
    assert!(!facts.authentication.aligned);
}

#[test]
fn a_colleague_s_ordinary_message_says_nothing() {
    let facts = facts_of(
        "Received: from mx1.assembly.example (mx1.assembly.example [10.0.0.5]) by mail.assembly.example; Tue, 4 Mar 2025 10:00:05 +0000
From: Anna Berg <anna.berg@assembly.example>
To: carl.dahl@assembly.example
Subject: Tuesday's committee
Date: Tue, 4 Mar 2025 10:00:00 +0000
Message-ID: <1@assembly.example>

The papers are in the usual place.
",
    );
    assert_eq!(codes(&facts), Vec::<&str>::new());
    assert_eq!(facts.origin.ip, None);
}

#[test]
fn the_account_at_a_mass_mail_service_is_a_print() {
    let mail = |number: &str| {
        facts_of(&format!(
            "Received: from o1.ptr.news.test (o1.ptr.news.test [203.0.113.9]) by mx.assembly.example; Tue, 4 Mar 2025 10:00:05 +0000
Return-Path: <bounces+{number}-1a2b-carl=assembly.example@em1.news.test>
From: News <editor@news.test>
To: carl.dahl@assembly.example
Subject: The week
List-Unsubscribe: <https://news.test/u>
List-Id: The week <week.news.test>
X-SG-EID: u001.abc
Date: Tue, 4 Mar 2025 10:00:00 +0000
Message-ID: <1@geopod.test>

All that happened.
"
        ))
    };
    let facts = mail("1234567");
    assert!(facts.bulk.unsubscribe);
    assert_eq!(facts.bulk.list.as_deref(), Some("week.news.test"));
    assert_eq!(
        (facts.bulk.service.as_deref(), facts.bulk.account.as_deref()),
        (Some("SendGrid"), Some("1234567"))
    );
    let print = |facts: &Facts, kind| {
        facts
            .prints
            .iter()
            .find(|print| print.kind == kind)
            .map(|print| print.value)
    };
    assert_eq!(
        print(&facts, PrintKind::BulkService),
        print(&mail("7654321"), PrintKind::BulkService)
    );
    assert_ne!(
        print(&facts, PrintKind::BulkAccount),
        print(&mail("7654321"), PrintKind::BulkAccount)
    );
    assert_eq!(
        print(&facts, PrintKind::HeaderOrder),
        print(&mail("7654321"), PrintKind::HeaderOrder)
    );
}
