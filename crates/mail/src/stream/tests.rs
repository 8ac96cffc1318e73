#![allow(clippy::unwrap_used)]

use blackrod_model::estate::{Group, Organisation, Person};
use blackrod_model::mail::{Bulk, Facts, Link, LinkRole, TextSketch, Token, hash};
use blackrod_model::{Estate, Position, Timestamp};

use super::sketch::mix;
use super::{Judged, LATERAL, Options, Outcome, RECONNAISSANCE, Stream};

/// 300 people at own.example; the first 20 are the committee.
pub(super) fn estate() -> Estate {
    Estate {
        organisations: vec![Organisation {
            domains: vec!["own.example".to_owned()],
            ..Organisation::default()
        }],
        groups: vec![Group {
            id: "committee".to_owned(),
            name: "the committee".to_owned(),
        }],
        people: (0..300)
            .map(|number| Person {
                id: format!("p{number}"),
                addresses: vec![format!("p{number}@own.example")],
                groups: if number < 20 {
                    vec!["committee".to_owned()]
                } else {
                    Vec::new()
                },
                ..Person::default()
            })
            .collect(),
        ..Estate::default()
    }
}

struct Letter<'l> {
    name: &'l str,
    from: &'l str,
    to: usize,
    hour: f64,
    host: &'l str,
    text: u64,
    unsubscribe: bool,
}

impl Letter<'_> {
    fn facts(&self, number: u64) -> Facts {
        let link = Link {
            role: LinkRole::Beacon,
            host: format!("img.{}", self.host),
            domain: self.host.to_owned(),
            template: format!("https://img.{}/open/{{hex:24}}.png", self.host),
            tokens: vec![Token {
                place: "path 1".to_owned(),
                value: mix(number),
                length: 24,
                derived: None,
            }],
            ..Link::default()
        };
        Facts {
            at: Position {
                offset: 0,
                record: number,
            },
            time: Timestamp::from_seconds(1_700_000_000 + (self.hour * 3_600.0) as i64),
            message_id: format!("{number}@{}", self.host),
            from_name: self.name.to_owned(),
            from: self.from.to_owned(),
            recipients: vec![format!("p{}@own.example", self.to)],
            subject: format!("About matter number {}", self.text),
            links: vec![link],
            text: TextSketch {
                minima: (0..32).map(|row| mix(self.text * 100 + row) as u32).collect(),
                words: 200,
                subject: self.text,
                ..TextSketch::default()
            },
            bulk: Bulk {
                unsubscribe: self.unsubscribe,
                ..Bulk::default()
            },
            ..Facts::default()
        }
    }
}

/// Thirty days of 40 newsletters, and on the last day one that is new and writes to the whole committee.
fn background() -> Vec<Facts> {
    let mut all = Vec::new();
    for day in 0..30 {
        for list in 0..40_u64 {
            let domain = format!("society{list}.example");
            for reader in 0..6 {
                let letter = Letter {
                    name: &format!("Society{list} for Matters"),
                    from: &format!("news@{domain}"),
                    to: ((list * 37 + reader * 11) % 300) as usize,
                    hour: day as f64 * 24.0 + 8.0 + list as f64 / 100.0,
                    host: &domain,
                    text: 10_000 + day * 40 + list,
                    unsubscribe: true,
                };
                all.push(letter.facts(all.len() as u64));
            }
        }
    }
    for reader in 0..20 {
        let letter = Letter {
            name: "Meadow Alliance",
            from: "info@meadowalliance.example",
            to: reader,
            hour: 29.0 * 24.0 + 9.0 + reader as f64 / 100.0,
            host: "meadowalliance.example",
            text: 77,
            unsubscribe: true,
        };
        all.push(letter.facts(all.len() as u64));
    }
    all
}

/// Three people with nothing in common but a text and a host, to eight members of the committee.
fn campaign(first: u64) -> Vec<Facts> {
    let names = [
        ("Anna Berg", "a.berg@lorvik.example"),
        ("Carl Dorn", "dorn@pelmouth.example"),
        ("Eva Falk", "ev.f@ostwick.example"),
    ];
    (0..8)
        .map(|number| {
            let (name, from) = names[number % 3];
            let letter = Letter {
                name,
                from,
                to: number * 2,
                hour: 28.0 * 24.0 + number as f64 * 3.0,
                host: "picturehost.example",
                text: 5,
                unsubscribe: false,
            };
            letter.facts(first + number as u64)
        })
        .collect()
}

fn run(estate: &Estate, mut facts: Vec<Facts>) -> (Vec<Judged>, Outcome) {
    facts.sort_by_key(|one| (one.time, one.evidence.0, one.at));
    let mut stream = Stream::new(estate, Options::default());
    let judged = facts.iter().map(|one| stream.push(one)).collect();
    (judged, stream.finish())
}

#[test]
fn several_senders_on_one_text_to_one_committee_are_a_campaign() {
    let estate = estate();
    let mut all = background();
    all.extend(campaign(1_000_000));
    let (_, outcome) = run(&estate, all);
    let [found] = outcome.campaigns.as_slice() else {
        panic!("{:#?}", outcome.campaigns)
    };
    assert_eq!(found.messages.len(), 8);
    assert!(found.fired.recipients <= 5, "{:?}", found.fired);
    assert_eq!(
        found.targeting.first().map(|one| one.id.as_str()),
        Some("committee")
    );
    assert!(
        found
            .ties
            .iter()
            .any(|tie| tie.words.contains("nearly the same text")),
        "{:?}",
        found.ties
    );
    let sum: f64 = found.terms.iter().map(|term| term.weight).sum();
    assert!((sum - found.score).abs() < 0.2, "{sum} {}", found.score);
    let of_campaign = outcome
        .findings
        .iter()
        .filter(|finding| finding.code == RECONNAISSANCE)
        .count();
    assert_eq!(of_campaign, 8);
}

/// Forty societies and six accounts of nobody on one mass-mail service: these tell each three of the committee something else.
fn accounts_of_one_service() -> Vec<Facts> {
    let letter = |account: usize, name: &str, from: &str, to: usize, hour: f64| {
        let mut facts = Letter {
            name,
            from,
            to,
            hour,
            host: "clicks.example",
            text: 900 + account as u64,
            unsubscribe: false,
        }
        .facts(2_000_000 + (account * 1_000 + to) as u64);
        facts.bulk.service = Some("postwave".to_owned());
        facts.bulk.account = Some(account.to_string());
        facts
    };
    let mut all = Vec::new();
    for list in 0..40 {
        let (name, from) = (
            format!("Guild{list} of Trades"),
            format!("news@guild{list}.example"),
        );
        let readers = (0..6).map(|reader| (list * 41 + reader * 13) % 300);
        all.extend(readers.map(|to| letter(list, &name, &from, to, (list % 28) as f64 * 24.0 + 9.0)));
    }
    let people = [
        "Ida Lund",
        "Jan Holm",
        "Ute Brandt",
        "Leo Sand",
        "Mia Kerr",
        "Per Dahl",
    ];
    for (number, name) in people.into_iter().enumerate() {
        let from = format!("{}@lorvik{number}.example", name.to_lowercase().replace(' ', "."));
        let day = 26.0 + number as f64 / 2.0;
        let to = (0..3).map(|one| (number * 3 + one) % 20);
        all.extend(to.map(|to| letter(100 + number, name, &from, to, day * 24.0 + to as f64 / 9.0)));
    }
    all
}

#[test]
fn accounts_that_share_only_their_service_and_their_circle_are_a_campaign() {
    let mut all = background();
    all.extend(accounts_of_one_service());
    let (_, outcome) = run(&estate(), all);
    let [found] = outcome.campaigns.as_slice() else {
        panic!("{:#?}", outcome.campaigns)
    };
    assert!(
        found
            .messages
            .iter()
            .all(|message| message.from.contains("lorvik")),
        "{found:#?}"
    );
    assert_eq!(found.messages.len(), 18);
}

#[test]
fn a_new_society_that_writes_to_a_committee_is_none() {
    let (_, outcome) = run(&estate(), background());
    assert_eq!(outcome.campaigns, []);
}

#[test]
fn the_order_of_reading_does_not_matter() {
    let estate = estate();
    let mut all = background();
    all.extend(campaign(1_000_000));
    let straight = run(&estate, all.clone());
    all.reverse();
    assert_eq!(run(&estate, all), straight);
}

#[test]
fn a_stolen_account_that_writes_to_all_is_lateral_phishing() {
    let estate = estate();
    let mut stream = Stream::new(&estate, Options::default());
    let letter = |hour: f64, to: Vec<String>, host: &str, codes: &[&str]| {
        let mut facts = Letter {
            name: "P One",
            from: "p1@own.example",
            to: 0,
            hour,
            host,
            text: 1,
            unsubscribe: false,
        }
        .facts(hour as u64);
        facts.recipients = to;
        facts.signals = codes
            .iter()
            .map(|code| blackrod_model::mail::Signal {
                code: (*code).to_owned(),
                seen: String::new(),
            })
            .collect();
        facts
    };
    for day in 0..20 {
        stream.push(&letter(
            f64::from(day) * 24.0,
            vec!["p2@own.example".to_owned()],
            "known.example",
            &[],
        ));
    }
    let all: Vec<String> = (3..80).map(|number| format!("p{number}@own.example")).collect();
    let judged = stream.push(&letter(
        500.0,
        all,
        "never-seen.example",
        &["sender/name-of-own-organisation", "sender/lookalike-own"],
    ));
    assert!(judged.score > 5.0, "{judged:?}");
    let outcome = stream.finish();
    assert_eq!(
        outcome
            .findings
            .iter()
            .filter(|finding| finding.code == LATERAL)
            .count(),
        1
    );
}

#[test]
fn no_facts_make_it_panic() {
    let estate = estate();
    let mut stream = Stream::new(
        &estate,
        Options {
            threshold: -50.0,
            ..Options::default()
        },
    );
    let words = [
        "",
        "@",
        "a@",
        "@own.example",
        "p1@own.example",
        "x@y.example",
        "é\u{202e}|(",
        "https://",
        "{",
        "a | b | c | d",
    ];
    for round in 0..4_000_u64 {
        let pick = |salt: u64| words[(mix(round * 31 + salt) % words.len() as u64) as usize].to_owned();
        let many = |salt: u64| (mix(round + salt) % 4) as usize * 9;
        let facts = Facts {
            time: match round % 7 {
                0 => Timestamp::UNKNOWN,
                1 => Timestamp::from_micros(i64::MAX),
                _ => Timestamp::from_seconds(mix(round) as i64 % 4_000_000_000),
            },
            from: pick(1),
            from_name: pick(2),
            reply_to: Some(pick(3)),
            recipients: (0..many(1)).map(|one| format!("p{one}@own.example")).collect(),
            links: (0..many(2))
                .map(|one| Link {
                    role: [
                        LinkRole::Beacon,
                        LinkRole::Click,
                        LinkRole::Form,
                        LinkRole::Unsubscribe,
                    ][one % 4],
                    host: pick(4 + one as u64),
                    domain: pick(40 + one as u64),
                    template: pick(5 + one as u64),
                    tokens: vec![Token::default(); one % 5],
                    ..Link::default()
                })
                .collect(),
            text: TextSketch {
                minima: vec![round as u32 % 3; many(3)],
                ..TextSketch::default()
            },
            bulk: Bulk {
                service: Some(pick(6)),
                account: Some(pick(7)),
                ..Bulk::default()
            },
            subject: pick(8),
            message_id: hash(&pick(9)).to_string(),
            ..Facts::default()
        };
        assert!(stream.push(&facts).score.is_finite());
    }
    let outcome = stream.finish();
    assert!(
        outcome
            .campaigns
            .iter()
            .all(|campaign| campaign.score.is_finite())
    );
}
