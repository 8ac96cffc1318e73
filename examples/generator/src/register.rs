//! The log of the electoral roll's database: PostgreSQL's csvlog with pgaudit. Inert text; there is no roll.

use crate::Files;
use crate::random::Random;
use crate::story::INTRUDER_VPN_IP;

/// How many electors there are, numbered from 1.
const ELECTORS: usize = 48_210;
/// The clerk's account that the intruder reads with.
const READ_WITH: &str = "ahagen";
/// How many electors the intruder takes at a time, and how often on each of the nights.
const PAGE: usize = 300;
const PAGES: usize = 22;
const NIGHTS: [usize; 3] = [21, 22, 23];

/// A line of the log: day of January 2021, millisecond of that day, the rest.
type Line = (usize, usize, String);

/// Adds the log.
pub(crate) fn add(files: &mut Files) {
    let mut lines = ordinary();
    lines.extend(theft());
    lines.sort();
    let csv: String = lines
        .iter()
        .map(|(day, milli, rest)| format!("{},{rest}\n", clock(*day, *milli)))
        .collect();
    files.insert(
        "evidence/roll01/postgresql-2021-01.csv".to_owned(),
        csv.into_bytes(),
    );
}

/// The site that tells people whether they are on the roll, the electoral board at its desks, the nightly backup.
fn ordinary() -> Vec<Line> {
    let mut random = Random::named("roll");
    let mut lines = Vec::new();
    for day in (4..=24).filter(|day| !matches!((day - 4) % 7, 5 | 6)) {
        for _ in 0..40 {
            let at = (7 * 3_600 + random.below(43_000)) * 1_000 + random.below(1_000);
            let number = 1 + random.below(ELECTORS);
            let statement = "SELECT surname, first_names, ward FROM electors WHERE elector_no = $1";
            lines.push((
                day,
                at,
                select(
                    "website",
                    "192.0.2.41",
                    "check-your-entry",
                    statement,
                    &number.to_string(),
                    1,
                ),
            ));
        }
        for (desk, clerk) in ["rmyhre", "tfalk", "eaas", READ_WITH].into_iter().enumerate() {
            for _ in 0..6 {
                let at = (8 * 3_600 + random.below(30_000)) * 1_000 + random.below(1_000);
                let name = format!(
                    "{}{}",
                    random.pick(&["Berg", "Lund", "Dahl", "Holm", "Vik"]),
                    random.pick(&["sen", "stad", "nes", ""])
                );
                let statement = "SELECT * FROM electors WHERE surname = $1 ORDER BY first_names LIMIT 50";
                let found = 1 + random.below(40);
                let address = format!("192.0.2.{}", 50 + desk);
                lines.push((
                    day,
                    at,
                    select(clerk, &address, "roll-desk", statement, &name, found),
                ));
            }
        }
        let ward = 1 + random.below(60);
        let list = format!("SELECT * FROM electors WHERE ward = 'W{ward:02}' ORDER BY surname");
        let at = (10 * 3_600 + random.below(9_000)) * 1_000;
        lines.push((
            day,
            at,
            select(
                "rmyhre",
                "192.0.2.50",
                "roll-desk",
                &list,
                "",
                700 + random.below(200),
            ),
        ));
        let dump =
            "COPY public.electors (elector_no, surname, first_names, address, ward, birth_date) TO stdout;";
        lines.push((
            day,
            3_661_000,
            audit("backup", "192.0.2.42", "pg_dump", "COPY", dump, "", 0),
        ));
    }
    lines
}

/// Three nights, page after page, from the address that the VPN gave to the intruder.
fn theft() -> Vec<Line> {
    let mut random = Random::named("roll theft");
    let mut lines = Vec::new();
    let mut last = 0;
    for day in NIGHTS {
        let mut at = (2 * 3_600 + 40 * 60) * 1_000;
        for _ in 0..PAGES {
            at += 20_000 + random.below(15_000);
            let statement =
                format!("SELECT * FROM electors WHERE elector_no > {last} ORDER BY elector_no LIMIT {PAGE}");
            lines.push((
                day,
                at,
                select(READ_WITH, INTRUDER_VPN_IP, "psql", &statement, "", PAGE),
            ));
            last += PAGE;
        }
    }
    lines
}

fn select(
    user: &str,
    address: &str,
    program: &str,
    statement: &str,
    parameters: &str,
    rows: usize,
) -> String {
    audit(user, address, program, "SELECT", statement, parameters, rows)
}

/// What follows the time: user, database, process, address, session, …, pgaudit's message, …, program.
fn audit(
    user: &str,
    address: &str,
    program: &str,
    command: &str,
    statement: &str,
    parameters: &str,
    rows: usize,
) -> String {
    let parameters = if parameters.is_empty() {
        "<none>"
    } else {
        parameters
    };
    format!(
        "\"{user}\",\"roll\",4711,\"{address}:40112\",60072a11.1267,3,\"{command}\",2021-01-04 06:00:00.000 UTC,3/14,0,LOG,00000,\
         \"AUDIT: SESSION,1,1,READ,{command},,,\"\"{statement}\"\",{parameters},{rows}\",,,,,,,,,\"{program}\",\"client backend\",,0"
    )
}

/// `2021-01-22 03:12:45.120 UTC`.
fn clock(day: usize, milli: usize) -> String {
    let (seconds, milli) = (milli / 1_000, milli % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("2021-01-{day:02} {hour:02}:{minute:02}:{second:02}.{milli:03} UTC")
}
