//! The access log of the Assembly's public site on the day of the debate: readers, the news of the vote, and a flood while the
//! debate is on. Inert text: what was asked for, nothing that asks.

use crate::Files;
use crate::mail::strftime;
use crate::pack;
use crate::random::Random;
use crate::story::{SECOND, january};

/// From six in the morning, in seconds.
const LASTS: usize = 7 * 3_600;
/// Pages that readers open on an ordinary morning.
const READ: usize = 1_900;
/// Readers who follow the news of the vote within a quarter of an hour.
const CROWD: usize = 420;
/// Who floods, and how many requests each sends on average in nine minutes.
const SOURCES: usize = 420;
const EACH: usize = 8;

const PAGES: [&str; 12] = [
    "/",
    "/agenda",
    "/members",
    "/members/rlund",
    "/news",
    "/news/spring-session",
    "/committees/fisheries",
    "/committees/budget",
    "/visit",
    "/record/2021-01-20",
    "/live",
    "/search?q=ferry",
];
const ASSETS: [&str; 5] = [
    "/css/site.css",
    "/js/site.js",
    "/img/chamber.jpg",
    "/img/logo.svg",
    "/fonts/text.woff2",
];
const AGENTS: [&str; 6] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.141 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:84.0) Gecko/20100101 Firefox/84.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.0.2 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 14_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/14.0.2 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 10; SM-G973F) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/87.0.4280.141 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64; rv:78.0) Gecko/20100101 Firefox/78.0",
];
/// What the flood calls itself: a browser that was seven years old that day.
const FLOODS_AS: &str = "Mozilla/5.0 (Windows NT 6.1; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/41.0.2228.0 Safari/537.36";
const NEWS: [&str; 3] = [
    "https://news.example/politics/",
    "https://social.example/",
    "https://radio.example/live",
];
const SITE: &str = "https://www.assembly.example";

/// A request: when, and the line.
type Asked = (i64, String);

/// Adds the log.
pub(crate) fn add(files: &mut Files) {
    let mut asked = ordinary();
    asked.extend(crowd());
    asked.extend(flood());
    asked.sort();
    let text: String = asked.into_iter().map(|(_, line)| line + "\n").collect();
    files.insert(
        "evidence/www/access-2021-01-21.log.zst".to_owned(),
        pack::zstd(text.as_bytes()),
    );
}

fn ordinary() -> Vec<Asked> {
    let mut random = Random::named("website");
    let mut asked = Vec::new();
    for _ in 0..READ {
        let at = january(21, 6, 0, 0) + random.below(LASTS) as i64 * SECOND;
        let reader = random.below(260);
        let page = *random.pick(&PAGES);
        let from = if random.below(2) == 0 {
            "-"
        } else {
            random.pick(&NEWS)
        };
        visit(&mut random, at, reader, page, from, &mut asked);
    }
    asked
}

/// At half past ten the news has the vote: many come at once, each reads a little and goes.
fn crowd() -> Vec<Asked> {
    let mut random = Random::named("website crowd");
    let mut asked = Vec::new();
    for reader in 0..CROWD {
        // Most of them early.
        let later = random.below(900) * random.below(900) / 900;
        let at = january(21, 10, 31, 0) + later as i64 * SECOND;
        let from = *random.pick(&NEWS);
        visit(
            &mut random,
            at,
            300 + reader,
            "/news/vote-on-the-strait",
            from,
            &mut asked,
        );
    }
    asked
}

/// From 11:42 on for nine minutes: the search is asked for words that are none, by many who each ask little.
fn flood() -> Vec<Asked> {
    let mut random = Random::named("website flood");
    let mut asked = Vec::new();
    for _ in 0..SOURCES * EACH {
        let at = january(21, 11, 42, 13) + random.below(540) as i64 * SECOND;
        let source = random.below(SOURCES);
        let from = match source % 5 {
            0 => format!("203.0.113.{}", 1 + source / 5 % 70),
            _ => format!(
                "2001:db8:{:x}:{:x}::{:x}",
                0xf000 + source,
                source * 7 % 251,
                1 + source % 9
            ),
        };
        let length = 5 + random.below(6);
        let word: String = (0..length)
            .map(|_| char::from(b'a' + random.below(26) as u8))
            .collect();
        let status = if random.below(3) == 0 { 503 } else { 200 };
        asked.push(line(
            at,
            &from,
            &format!("/search?q={word}"),
            status,
            5_120,
            "-",
            FLOODS_AS,
        ));
    }
    asked
}

/// A page and some of what belongs to it.
fn visit(random: &mut Random, at: i64, reader: usize, page: &str, referrer: &str, asked: &mut Vec<Asked>) {
    let from = match reader % 3 {
        0 => format!("198.51.100.{}", 1 + reader / 3 % 99),
        _ => format!(
            "2001:db8:{:x}::{:x}",
            0x100 + reader * 11 % 3_900,
            1 + reader % 200
        ),
    };
    let agent = AGENTS[reader % AGENTS.len()];
    asked.push(line(at, &from, page, 200, 9_210 + page.len(), referrer, agent));
    let own = format!("{SITE}{page}");
    for (number, asset) in ASSETS.iter().take(random.below(5)).enumerate() {
        let at = at + (1 + number as i64 / 3) * SECOND;
        asked.push(line(at, &from, asset, 200, 3_000 + 700 * number, &own, agent));
    }
}

fn line(at: i64, from: &str, target: &str, status: u16, bytes: usize, referrer: &str, agent: &str) -> Asked {
    let when = strftime(at, "%d/%b/%Y:%H:%M:%S +0000");
    let line =
        format!("{from} - - [{when}] \"GET {target} HTTP/1.1\" {status} {bytes} \"{referrer}\" \"{agent}\"");
    (at, line)
}
