#![allow(clippy::unwrap_used)]

use std::borrow::Cow;

use blackrod_model::mail::{Header, LinkRole, Mailbox, Part, PartRole};
use blackrod_model::{Class, Position, Timestamp};

use super::*;

const ANNA: &str = "anna.berg@parliament.example";

fn part(content_type: &'static str, role: PartRole, content: &str) -> Part<'static> {
    Part {
        role,
        content_type: content_type.into(),
        content: Cow::Owned(content.as_bytes().to_vec()),
        ..Part::default()
    }
}

fn facts_of(parts: Vec<Part<'static>>, headers: &[(&'static str, &'static str)]) -> Facts {
    let message = Message {
        from: vec![Mailbox {
            name: Some("Vera Stone".into()),
            address: "Vera@News.example".into(),
        }],
        to: vec![Mailbox {
            name: Some("Anna Berg".into()),
            address: "Anna.Berg@Parliament.example".into(),
        }],
        delivered_to: vec![ANNA.into()],
        subject: Some("The vote".into()),
        headers: headers
            .iter()
            .map(|(name, value)| Header {
                name: (*name).into(),
                value: (*value).into(),
            })
            .collect(),
        parts,
        ..Message::default()
    };
    let mut event = Event::new(Class::EMAIL_ACTIVITY, Timestamp::UNKNOWN, Position::default());
    event.mail = Some(Box::new(message));
    Anatomy::new(&Estate::default())
        .with_language(true)
        .facts(EvidenceId::default(), &event)
        .unwrap()
}

fn html(html: &str) -> Facts {
    facts_of(vec![part("text/html", PartRole::Html, html)], &[])
}

fn codes(facts: &Facts) -> Vec<&str> {
    let own = |code: &&str| {
        ["beacon/", "link/", "page/"]
            .iter()
            .any(|facet| code.starts_with(facet))
    };
    facts
        .signals
        .iter()
        .map(|signal| signal.code.as_str())
        .filter(own)
        .collect()
}

#[test]
fn the_pixel_of_a_campaign_is_seen() {
    let facts = html(
        "<p>Dear Anna,</p><p>here is what the committee published on interference in our elections yesterday afternoon.</p>\
         <img src='https://img.trk.example/o/YW5uYS5iZXJnQHBhcmxpYW1lbnQuZXhhbXBsZQ==.gif?c=77' width=1 height=1>",
    );
    assert_eq!(facts.recipients, [ANNA]);
    assert_eq!(facts.from, "vera@news.example");
    let beacon = &facts.links[0];
    assert_eq!(
        (beacon.role, beacon.hidden, beacon.domain.as_str()),
        (LinkRole::Beacon, true, "trk.example")
    );
    assert_eq!(beacon.template, "https://img.trk.example/o/{b64}.gif?c={digits}");
    assert_eq!(beacon.tokens[0].derived.as_deref(), Some("base64"));
    assert_eq!(
        codes(&facts),
        ["beacon/hidden", "beacon/names-recipient", "beacon/lone"]
    );
    assert_eq!(facts.text.language.as_deref(), Some("eng"));
    assert!(!facts.text.minima.is_empty());
}

#[test]
fn links_of_one_template_are_one() {
    let many: String = (0..50)
        .map(|n| format!("<a href='https://c.example/r/{n}8f3a9c{n}b2?u={n}'>x</a>"))
        .collect();
    let facts = html(&many);
    assert!(facts.links.len() <= 3, "{:?}", facts.links.len());
}

#[test]
fn what_is_odd_about_links_is_told() {
    let cases = [
        (
            "<a href=https://evil.example/>www.bank.com</a>",
            "link/shows-other-domain",
        ),
        (
            "<a href=https://t.news.example/>www.bank.com</a>",
            "link/shows-other-domain-tracked",
        ),
        (
            "<a href='https://www.google.com/url?q=https://evil.example/'>x</a>",
            "link/redirector",
        ),
        (
            "<a href='https://t.example/?u=https://evil.example/'>x</a>",
            "link/leads-on",
        ),
        ("<a href=https://bit.ly/x>x</a>", "link/shortener"),
        ("<a href=http://3232235777/x>x</a>", "link/address-host"),
        (
            "<a href=https://bank.com@evil.example/>x</a>",
            "link/user-information",
        ),
        ("<a href=https://evil.example:8443/>x</a>", "link/odd-port"),
        ("<a href='java\nscript:alert(1)'>x</a>", "link/script"),
        ("<a href='data:text/html;base64,AAAA'>x</a>", "link/data"),
        ("<a href='\\\\evil.example\\share'>x</a>", "link/file-share"),
        ("<a href=https://bank-login.web.app/>x</a>", "link/free-host"),
        (
            "<a href=https://x.example/ipfs/Qm>x</a>",
            "link/content-addressed",
        ),
        ("<a href=https://xn--bnk-6cd.example/>x</a>", "link/mixed-scripts"),
        (
            "<a href=https://www.bank.com.a.evil.example/>x</a>",
            "link/domain-within-host",
        ),
        ("<a href=https://a.b.c.d.evil.example/>x</a>", "link/deep-host"),
        (
            "<a href='https://e.example/#anna.berg@parliament.example'>x</a>",
            "link/names-recipient",
        ),
        (
            "<form action=https://f.example/><input type=password></form>",
            "page/asks-password",
        ),
        (
            "<script>var b=new Blob([atob('QQ==')]);URL.createObjectURL(b)</script>",
            "page/smuggles",
        ),
        ("<script>document.write(unescape('%3C'))</script>", "page/unpacks"),
        ("<img src='file://evil.example/x.png'>", "beacon/file-share"),
        ("<iframe src=https://f.example/></iframe>", "beacon/active"),
        (
            "<p>Ac\u{200b}co\u{200b}unt pass\u{200b}word</p>",
            "page/broken-words",
        ),
    ];
    for (text, code) in cases {
        let facts = html(text);
        assert!(codes(&facts).contains(&code), "{text}: {:?}", facts.signals);
    }
    let plain = html(
        "<a href=https://www.bank.com/x>www.bank.com</a> <a href=https://a.example/>Read more</a> <a href=https://s.example/report.zip>report.zip</a>",
    );
    assert_eq!(codes(&plain), [""; 0]);
}

#[test]
fn beacons_beside_the_body_are_seen() {
    let calendar =
        "BEGIN:VCALENDAR\r\nATTACH:https://a.example/x\r\nIMAGE;VALUE=URI:https://i.exam\r\n ple/y.png\r\n";
    let facts = facts_of(
        vec![
            part("text/plain", PartRole::Text, "See https://t.example/1."),
            part("text/calendar", PartRole::Attachment, calendar),
            part(
                "image/svg+xml",
                PartRole::Attachment,
                "<svg><image href='https://s.example/z'/></svg>",
            ),
            Part {
                headers: vec![Header {
                    name: "Content-Type".into(),
                    value: "message/external-body; access-type=URL; URL=\"https://x.example/w\"".into(),
                }],
                ..part("message/external-body", PartRole::Attachment, "")
            },
        ],
        &[
            ("Disposition-Notification-To", "vera@news.example"),
            ("List-Unsubscribe", "<mailto:x@u.example>, <https://u.example/1>"),
        ],
    );
    let mut links: Vec<_> = facts
        .links
        .iter()
        .map(|link| (link.role as u8, link.host.as_str()))
        .collect();
    links.sort_unstable();
    assert_eq!(
        links,
        [
            (LinkRole::Beacon as u8, "i.example"),
            (LinkRole::Beacon as u8, "s.example"),
            (LinkRole::Beacon as u8, "x.example"),
            (LinkRole::Click as u8, "a.example"),
            (LinkRole::Click as u8, "t.example"),
            (LinkRole::Unsubscribe as u8, "u.example"),
        ]
    );
    for code in [
        "beacon/card",
        "beacon/in-attachment",
        "beacon/external-body",
        "beacon/receipt-requested",
    ] {
        assert!(codes(&facts).contains(&code), "{code}");
    }
}

#[test]
fn a_swallowed_encrypted_part_is_seen() {
    let facts = facts_of(
        vec![
            part(
                "text/html",
                PartRole::Html,
                "<p>x</p><img src=\"http://e.example/",
            ),
            part("application/pkcs7-mime", PartRole::Attachment, "MIIB"),
        ],
        &[],
    );
    assert_eq!(codes(&facts), ["beacon/swallows-encrypted"]);
}

#[test]
fn every_signal_of_these_facets_has_a_meaning() {
    let table = include_str!("../../../content/mail/signals.toml");
    let sources = [
        include_str!("beacon.rs"),
        include_str!("link.rs"),
        include_str!("links.rs"),
    ];
    let codes = sources
        .iter()
        .flat_map(|source| source.split('"'))
        .filter(|text| {
            let facet = text.split('/').next().unwrap_or_default();
            matches!(facet, "beacon" | "link" | "page")
                && text.len() > facet.len() + 2
                && !text.contains([' ', '.', ':'])
        });
    let mut seen = 0;
    for code in codes {
        assert!(table.contains(&format!("code = \"{code}\"")), "{code}");
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
}
