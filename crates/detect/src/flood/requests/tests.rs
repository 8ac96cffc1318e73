#![allow(clippy::unwrap_used)]

use blackrod_model::{Class, Column, Event, Fact, Field, Keep as _, Position, Sha256, Timestamp};

use super::*;

const START: i64 = 1_700_000_000 / 60 * 60;
const AGENTS: [&str; 4] = ["Firefox/118.0", "Chrome/117.0", "Safari/605.1", "Edge/117.0"];

/// Numbers that look like chance, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

#[derive(Clone)]
struct Line {
    time: i64,
    client: String,
    target: String,
    agent: String,
    referrer: &'static str,
    status: &'static str,
}

fn log(chance: &mut Chance, minutes: i64) -> Vec<Line> {
    let mut lines = Vec::new();
    for minute in 0..minutes {
        for _ in 0..60 {
            let visitor = chance.below(4_000);
            let at = START + minute * 60 + chance.below(60) as i64;
            let pages = ["/", "/news", "/search?q=votes", "/members"];
            let page = pages[chance.below(4) as usize];
            visit(
                &mut lines,
                at,
                &format!("198.18.{}.{}", visitor / 250, visitor % 250),
                page,
                visitor,
            );
        }
    }
    lines
}

/// A page with what belongs to it.
fn visit(lines: &mut Vec<Line>, time: i64, client: &str, page: &str, number: u64) {
    for (index, target) in [page, "/style.css", "/logo.png"].iter().enumerate() {
        lines.push(Line {
            time: time + index as i64,
            client: client.to_owned(),
            target: (*target).to_owned(),
            agent: AGENTS[(number % 4) as usize].to_owned(),
            referrer: if index > 0 || number.is_multiple_of(2) {
                "https://www.example/"
            } else {
                "-"
            },
            status: "200",
        });
    }
}

/// 600 addresses that ask for one thing each 20 seconds.
fn flood(lines: &mut Vec<Line>, chance: &mut Chance, from: i64, seconds: i64) {
    for _ in 0..30 * seconds {
        let bot = chance.below(600);
        lines.push(Line {
            time: from + chance.below(seconds as u64) as i64,
            client: format!("203.0.{}.{}", bot / 200, bot % 200),
            target: format!(
                "/search?q={}",
                ["votes", "seats", "bills"][chance.below(3) as usize]
            ),
            agent: "python-requests/2.31".to_owned(),
            referrer: "-",
            status: "200",
        });
    }
}

fn facts(mut lines: Vec<Line>, files: usize) -> Vec<Requests> {
    lines.sort_by_key(|line| line.time);
    let mut facts = Vec::new();
    for file in 0..files {
        let evidence = EvidenceId::new(&Sha256::of(&[file as u8]), "access.log");
        let mut collector = Collector::default();
        for (number, line) in lines
            .iter()
            .enumerate()
            .filter(|(number, _)| number % files == file)
        {
            let at = Position {
                offset: number as u64 * 100,
                record: number as u64 + 1,
            };
            let mut event = Event::new(Class::HTTP_ACTIVITY, Timestamp::from_seconds(line.time), at);
            let (path, _) = line.target.split_once('?').unwrap_or((&line.target, ""));
            event.fields = vec![
                Field::new("c-ip", line.client.as_str()),
                Field::new("cs-method", "GET"),
                Field::new("cs-uri-stem", path),
                Field::new("cs-uri-query", line.target.as_str()),
                Field::new("cs-version", "HTTP/1.1"),
                Field::new("sc-status", line.status),
                Field::new("cs(Referer)", line.referrer),
                Field::new("cs(User-Agent)", line.agent.as_str()),
            ];
            for (column, index) in [
                (Column::SrcIp, 0),
                (Column::Action, 1),
                (Column::Url, 3),
                (Column::Status, 5),
                (Column::UserAgent, 7),
            ] {
                event.columns.set_first(column, index);
            }
            collector.event(evidence, &event, &mut facts);
        }
        collector.flush(&mut facts);
    }
    facts.sort_by_key(|fact: &Fact| (fact.time, fact.evidence, fact.at.offset));
    facts.iter().filter_map(Fact::kept).collect()
}

fn look(facts: &[Requests]) -> Outcome {
    let each = |visit: &mut dyn FnMut(&Requests)| -> Result<(), ()> {
        facts.iter().for_each(visit);
        Ok(())
    };
    find(each, &|_| "web".to_owned()).unwrap()
}

#[test]
fn an_ordinary_day_is_silent_and_a_quiet_flood_is_found_with_what_tells_it() {
    let mut chance = Chance(7);
    let ordinary = log(&mut chance, 90);
    assert_eq!(look(&facts(ordinary.clone(), 1)).floods, []);

    let (from, seconds) = (START + 45 * 60 + 17, 300);
    let mut lines = ordinary;
    flood(&mut lines, &mut chance, from, seconds);
    let outcome = look(&facts(lines.clone(), 1));
    let [found] = outcome.floods.as_slice() else {
        panic!("{:#?}", outcome.floods);
    };
    let (start, end) = (found.start.seconds().unwrap(), found.end.seconds().unwrap());
    assert!(
        (start - from).abs() <= 20 && (end - from - seconds).abs() <= 20,
        "{found:?}"
    );
    assert!(found.seen.seconds().unwrap() - from <= 60);
    assert_eq!(found.sources, 600);
    let has = |dimension: &str, value: &str| {
        let mut traits = found.fingerprint.iter();
        traits.any(|part| part.dimension == dimension && part.value == value)
    };
    assert!(
        has("agent", "python-requests/2.31") && has("path", "/search"),
        "{found:?}"
    );
    let filter = found.filters.first().unwrap();
    assert!(filter.stops > 0.99 && filter.blocked_requests == 0, "{filter:?}");
    assert!(filter.replayed_requests > 10_000);
    assert_eq!(outcome.findings.len(), 1);
    assert_eq!(outcome.findings[0].code, CODE);
    let most = found.plot.rate.iter().max().unwrap();
    let left = found.plot.left.iter().max().unwrap();
    assert!(most > &(2 * left), "{most} {left}");

    // The same lines, in two files that two threads read.
    let two = look(&facts(lines, 2));
    assert_eq!(two.floods.len(), 1);
    assert_eq!(two.floods[0].requests, found.requests);
    assert_eq!(two.floods[0].fingerprint, found.fingerprint);
}

#[test]
fn a_news_event_is_no_flood() {
    let mut chance = Chance(11);
    let mut lines = log(&mut chance, 90);
    for visitor in 0..5_000_u64 {
        let at = START + 2_700 + chance.below(600) as i64;
        visit(
            &mut lines,
            at,
            &format!("198.19.{}.{}", visitor / 250, visitor % 250),
            "/news/result",
            visitor,
        );
    }
    let outcome = look(&facts(lines, 1));
    assert_eq!(outcome.floods, []);
    assert!(outcome.crowds > 0);
}

#[test]
fn clients_that_break_off_and_one_loud_client_are_floods_below_the_rate_of_the_whole() {
    let mut chance = Chance(13);
    let mut lines = log(&mut chance, 90);
    for number in 0..6_000_u64 {
        lines.push(Line {
            time: START + 1_800 + chance.below(400) as i64,
            client: format!("203.0.113.{}", number % 40),
            target: "/".to_owned(),
            agent: AGENTS[(number % 4) as usize].to_owned(),
            referrer: "-",
            status: "499",
        });
        lines.push(Line {
            time: START + 4_000 + chance.below(400) as i64,
            client: "192.0.2.99".to_owned(),
            target: format!("/page/{number}"),
            agent: AGENTS[(number % 4) as usize].to_owned(),
            referrer: "-",
            status: "200",
        });
    }
    let outcome = look(&facts(lines, 1));
    assert_eq!(outcome.floods.len(), 2, "{:#?}", outcome.floods);
    let has = |index: usize, dimension: &str, value: &str| {
        let mut traits = outcome.floods[index].fingerprint.iter();
        traits.any(|part| part.dimension == dimension && part.value == value)
    };
    assert!(
        has(0, "ended", "broken off by the client"),
        "{:#?}",
        outcome.floods
    );
    assert!(has(1, "client", "192.0.2.99"), "{:#?}", outcome.floods);
    assert_eq!(outcome.floods[1].sources, 1);
}

#[test]
fn what_is_kept_is_small_and_comes_back_and_what_is_broken_is_left_out() {
    let mut chance = Chance(17);
    let stretches = facts(log(&mut chance, 60), 1);
    let bytes: usize = stretches.iter().map(|stretch| stretch.body.len()).sum();
    let rows = 60 * 60 * 3;
    assert!(bytes < rows * 8, "{bytes}");
    let mut broken = stretches[0].clone();
    broken.body.truncate(broken.body.len() / 2);
    assert!(Chunk::open(&broken, Salt::of(broken.evidence), String::new()).is_none());
    assert_eq!(look(&[broken]).floods, []);
    assert_eq!(Requests::KIND, "web-requests");
}
