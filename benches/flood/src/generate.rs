//! An access log of an invented site: visitors, crawlers, a news event, and two floods.

use std::io::Write;

use fastrand::Rng;

/// Seconds since the epoch at which the log begins.
pub(crate) const START: i64 = 1_700_000_000 / 3_600 * 3_600;

/// How large a log is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) seconds: i64,
    /// Lines of visitors and crawlers.
    pub(crate) ordinary: u64,
    pub(crate) clients: u64,
    /// Addresses of each flood.
    pub(crate) sources: u64,
    /// Requests a second of each of them: below 1.
    pub(crate) pace: f64,
    pub(crate) flood_seconds: i64,
    pub(crate) crowd: u64,
}

impl Size {
    /// About 1 GB.
    pub(crate) const FULL: Self = Self {
        seconds: 8 * 3_600,
        ordinary: 3_600_000,
        clients: 250_000,
        sources: 6_000,
        pace: 0.08,
        flood_seconds: 600,
        crowd: 120_000,
    };

    /// A tenth of the visitors; floods from as many addresses, each slower.
    pub(crate) const SMALL: Self = Self {
        seconds: 4 * 3_600,
        ordinary: 300_000,
        clients: 25_000,
        sources: 6_000,
        pace: 0.005,
        flood_seconds: 600,
        crowd: 20_000,
    };
}

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    Ordinary,
    Crowd,
    Flood(usize),
}

/// What is known of a flood.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Dimension and value that its fingerprint must name.
    pub(crate) expected: Vec<(&'static str, String)>,
}

/// A log in memory, in the order of time.
pub(crate) struct Log {
    pub(crate) lines: Vec<(i64, Label, Box<str>)>,
    pub(crate) floods: Vec<Truth>,
    pub(crate) crowd: (i64, i64),
}

const ASSETS: [&str; 12] = [
    "/css/site.css",
    "/css/print.css",
    "/js/site.js",
    "/js/menu.js",
    "/img/logo.svg",
    "/img/chamber.jpg",
    "/img/flag.png",
    "/img/arrow.png",
    "/fonts/text.woff2",
    "/favicon.ico",
    "/js/count.js",
    "/img/footer.png",
];
const SITES: [&str; 6] = [
    "https://news.example/politics",
    "https://daily.example/",
    "https://social.example/p/1",
    "https://search.example/",
    "https://radio.example/live",
    "https://t.example/x",
];

/// Makes the log of a seed.
pub(crate) fn log(seed: u64, size: Size) -> Log {
    let mut rng = Rng::with_seed(seed);
    let site = Site::new(&mut rng);
    let mut lines = Vec::with_capacity(size.ordinary as usize * 5 / 4);
    ordinary(&mut rng, &site, size, &mut lines);
    // The log is cut in five; what happens gets one part each, but the first.
    let mut parts = [1, 2, 3, 4];
    rng.shuffle(&mut parts);
    let at = |part: i64, rng: &mut Rng| START + size.seconds * part / 5 + rng.i64(0..size.seconds / 10);
    let crowd = at(parts[0], &mut rng);
    for _ in 0..size.crowd {
        let time = crowd + (rng.f64().powi(2) * 1_200.0) as i64;
        let client = client(size.clients + rng.u64(0..size.clients / 4));
        let referrer = SITES[rng.usize(..SITES.len())];
        visit(
            &mut rng,
            &site,
            time,
            &client,
            "/news/result-of-the-vote",
            referrer,
            Label::Crowd,
            &mut lines,
        );
    }
    let mut kinds = [0, 1, 2, 3];
    rng.shuffle(&mut kinds);
    let floods = (0..2)
        .map(|number| {
            flood(
                &mut rng,
                &site,
                size,
                number,
                kinds[number],
                at(parts[number + 1], &mut Rng::with_seed(seed + 9)),
                &mut lines,
            )
        })
        .collect();
    lines.sort_by_key(|line| line.0);
    Log {
        lines,
        floods,
        crowd: (crowd, crowd + 1_200),
    }
}

impl Log {
    /// Writes the lines.
    pub(crate) fn write(&self, out: &mut dyn Write) -> std::io::Result<()> {
        self.lines
            .iter()
            .try_for_each(|(_, _, line)| writeln!(out, "{line}"))
    }
}

struct Site {
    pages: Vec<String>,
    agents: Vec<String>,
}

impl Site {
    fn new(rng: &mut Rng) -> Self {
        let sections = ["news", "members", "bills", "visit", "committees", "record"];
        let pages = (0..2_000)
            .map(|number| match number {
                0 => "/".to_owned(),
                1 => "/search".to_owned(),
                2 => "/contact".to_owned(),
                3 => "/documents/budget.pdf".to_owned(),
                number => format!("/{}/{}", sections[number % sections.len()], word(rng, 5..12)),
            })
            .collect();
        let systems = [
            "Windows NT 10.0; Win64; x64",
            "Macintosh; Intel Mac OS X 10_15_7",
            "X11; Linux x86_64",
            "iPhone; CPU iPhone OS 17_0 like Mac OS X",
            "Linux; Android 13",
        ];
        let agents = (0..400)
            .map(|number| {
                let system = systems[number % systems.len()];
                let version = 90 + number / 10;
                match number % 3 {
                    0 => format!("Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"),
                    1 => format!("Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"),
                    _ => format!("Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version}.1 Safari/605.1.15"),
                }
            })
            .collect();
        Self { pages, agents }
    }

    /// Few pages are read much, most are read little.
    fn page(&self, rng: &mut Rng) -> &str {
        let place = rng.f64().powi(3) * self.pages.len() as f64;
        self.pages.get(place as usize).map_or("/", String::as_str)
    }

    fn agent(&self, number: u64) -> &str {
        let place = (number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / (1_u64 << 24) as f64;
        let place = place.powi(2) * self.agents.len() as f64;
        self.agents.get(place as usize).map_or("-", String::as_str)
    }
}

fn ordinary(rng: &mut Rng, site: &Site, size: Size, lines: &mut Vec<(i64, Label, Box<str>)>) {
    let until = lines.len() + size.ordinary as usize;
    while lines.len() < until {
        let time = START + rng.i64(0..size.seconds);
        let number = rng.u64(0..size.clients);
        let address = client(number);
        if rng.u8(..100) < 6 {
            // A crawler, or something that reads one page and nothing else.
            let agent = [
                "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
                "curl/8.1",
                "Feed/1.0",
            ][rng.usize(..3)];
            for step in 0..rng.i64(1..12) {
                let page = site.page(rng).to_owned();
                push(
                    lines,
                    Label::Ordinary,
                    time + step * 7,
                    &address,
                    "GET",
                    &page,
                    "1.1",
                    200,
                    8_000,
                    "-",
                    agent,
                );
            }
            continue;
        }
        let referrer = if rng.u8(..100) < 45 {
            "-"
        } else {
            SITES[rng.usize(..SITES.len())]
        };
        for step in 0..rng.i64(1..5) {
            let mut page = site.page(rng).to_owned();
            match page.as_str() {
                "/search" => page.push_str(&format!("?q={}", word(rng, 3..10))),
                "/contact" if rng.bool() => {
                    push(
                        lines,
                        Label::Ordinary,
                        time + step * 40,
                        &address,
                        "POST",
                        "/contact",
                        "2.0",
                        302,
                        0,
                        "https://www.parliament.example/contact",
                        site.agent(number),
                    );
                }
                _ => {}
            }
            visit_as(
                rng,
                site,
                number,
                time + step * 40,
                &address,
                &page,
                referrer,
                Label::Ordinary,
                lines,
            );
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "a line has that many parts")]
fn visit(
    rng: &mut Rng,
    site: &Site,
    time: i64,
    address: &str,
    page: &str,
    referrer: &str,
    label: Label,
    lines: &mut Vec<(i64, Label, Box<str>)>,
) {
    let number = rng.u64(..);
    visit_as(rng, site, number, time, address, page, referrer, label, lines);
}

/// A page, and what belongs to it as far as it is not known yet.
#[expect(clippy::too_many_arguments, reason = "a line has that many parts")]
fn visit_as(
    rng: &mut Rng,
    site: &Site,
    number: u64,
    time: i64,
    address: &str,
    page: &str,
    referrer: &str,
    label: Label,
    lines: &mut Vec<(i64, Label, Box<str>)>,
) {
    let agent = site.agent(number);
    let version = if number.is_multiple_of(4) { "1.1" } else { "2.0" };
    let status = if rng.u8(..100) < 3 { 404 } else { 200 };
    push(
        lines,
        label,
        time,
        address,
        "GET",
        page,
        version,
        status,
        9_000 + rng.u32(..4_000),
        referrer,
        agent,
    );
    let own = format!("https://www.parliament.example{page}");
    for asset in ASSETS.iter().take(rng.usize(0..6)) {
        let status = if rng.u8(..100) < 30 { 304 } else { 200 };
        push(
            lines,
            label,
            time + rng.i64(0..3),
            address,
            "GET",
            asset,
            version,
            status,
            3_000,
            &own,
            agent,
        );
    }
}

fn flood(
    rng: &mut Rng,
    site: &Site,
    size: Size,
    number: usize,
    kind: usize,
    start: i64,
    lines: &mut Vec<(i64, Label, Box<str>)>,
) -> Truth {
    let end = start + size.flood_seconds;
    let requests = (size.sources as f64 * size.pace * size.flood_seconds as f64) as u64;
    let agent = site.agent(rng.u64(..)).to_owned();
    // From all over the world, and not from where visitors come from more than by chance.
    let sources: Vec<String> = (0..size.sources)
        .map(|_| {
            format!(
                "{}.{}.{}.{}",
                rng.u8(101..126),
                rng.u8(..),
                rng.u8(..),
                rng.u8(1..)
            )
        })
        .collect();
    for _ in 0..requests {
        let time = rng.i64(start..end);
        let source = &sources[rng.usize(..sources.len())];
        let label = Label::Flood(number);
        match kind {
            0 => {
                let target = format!("/search?q={}", word(rng, 6..13));
                push(
                    lines, label, time, source, "GET", &target, "1.1", 200, 9_000, "-", &agent,
                );
            }
            1 => {
                let any = site.agent(rng.u64(..)).to_owned();
                let target = format!("/?{}", rng.u32(1_000_000..));
                push(
                    lines, label, time, source, "GET", &target, "1.1", 200, 9_000, "-", &any,
                );
            }
            2 => push(
                lines, label, time, source, "POST", "/contact", "1.1", 503, 200, "-", &agent,
            ),
            _ => {
                let any = site.agent(rng.u64(..)).to_owned();
                push(
                    lines,
                    label,
                    time,
                    source,
                    "GET",
                    "/documents/budget.pdf",
                    "2.0",
                    499,
                    0,
                    "-",
                    &any,
                );
            }
        }
    }
    let says = |pairs: &[(&'static str, &str)]| {
        pairs
            .iter()
            .map(|(dimension, value)| (*dimension, (*value).to_owned()))
            .collect()
    };
    let expected = match kind {
        0 => says(&[("path", "/search"), ("agent", &agent)]),
        1 => says(&[("path", "/"), ("arguments", "{digits}")]),
        2 => says(&[("path", "/contact"), ("method", "POST"), ("agent", &agent)]),
        _ => says(&[
            ("path", "/documents/budget.pdf"),
            ("ended", "broken off by the client"),
        ]),
    };
    Truth { start, end, expected }
}

#[expect(clippy::too_many_arguments, reason = "a line has that many parts")]
fn push(
    lines: &mut Vec<(i64, Label, Box<str>)>,
    label: Label,
    time: i64,
    address: &str,
    method: &str,
    target: &str,
    version: &str,
    status: u16,
    bytes: u32,
    referrer: &str,
    agent: &str,
) {
    let line = format!(
        "{address} - - [{}] \"{method} {target} HTTP/{version}\" {status} {bytes} \"{referrer}\" \"{agent}\"",
        clock(time)
    );
    lines.push((time, label, line.into_boxed_str()));
}

fn clock(time: i64) -> String {
    let text = blackrod_model::Timestamp::from_seconds(time).to_string();
    let (day, hours) = (
        text.get(..10).unwrap_or_default(),
        text.get(11..19).unwrap_or_default(),
    );
    let mut parts = day.split('-');
    let year = parts.next().unwrap_or_default();
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let month: usize = parts.next().and_then(|month| month.parse().ok()).unwrap_or(1);
    let day = parts.next().unwrap_or_default();
    format!("{day}/{}/{year}:{hours} +0000", MONTHS[(month - 1) % 12])
}

fn client(number: u64) -> String {
    let mixed = (number as u32).wrapping_mul(0x9E37_79B1);
    let [a, b, c, d] = mixed.to_be_bytes();
    format!("{}.{b}.{c}.{}", 11 + a % 88, d | 1)
}

fn word(rng: &mut Rng, length: std::ops::Range<usize>) -> String {
    (0..rng.usize(length)).map(|_| rng.lowercase()).collect()
}
