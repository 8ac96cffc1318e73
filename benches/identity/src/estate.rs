//! An invented institution at work: where its people sit, what they carry, what they and their administrators do.
//!
//! What is assumed stands in [`Assumptions`]; none of it is measured.

use serde_json::json;

use crate::log::{Logs, NO_SECOND_FACTOR, START, Spot, WELL, WRONG_PASSWORD};
use crate::random::Random;

pub(crate) const DAY: i64 = 86_400;

/// How ordinary people and their administrators behave; per ten thousand unless said otherwise.
pub(crate) struct Assumptions {
    /// Sign-ins that begin with a wrong password.
    pub(crate) mistyped: i64,
    /// Sign-ins whose second factor is first left unanswered.
    pub(crate) unanswered: i64,
    /// People who travel abroad in the month, who hide behind a service, who get a new phone.
    pub(crate) travels: i64,
    pub(crate) hides: i64,
    pub(crate) new_phone: i64,
    /// People who change their password in the month; their phone goes on with the old one for a while.
    pub(crate) new_password: i64,
    /// Rules for the mailbox, and consents to applications, in the month.
    pub(crate) rules: i64,
    pub(crate) consents: i64,
    /// People whom the help desk gives a new second factor in the month.
    pub(crate) lost_phone: i64,
}

pub(crate) const ASSUMED: Assumptions = Assumptions {
    mistyped: 300,
    unanswered: 80,
    travels: 600,
    hides: 300,
    new_phone: 400,
    new_password: 1_000,
    rules: 2_000,
    consents: 800,
    lost_phone: 150,
};

const DESKTOPS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/VER.0.0.0 Safari/537.36 Edg/VER.0.0.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/VER.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:VER.0) Gecko/20100101 Firefox/VER.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.VER Safari/605.1.15",
];
const PHONES: [&str; 4] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.VER Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/VER.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/VER.0.0.0 Mobile Safari/537.36",
    "Outlook-iOS/2.0",
];
/// Autonomous systems of providers for homes, for phones, for hiding, and of hotels abroad.
const HOMES: [u32; 5] = [3_320, 3_209, 6_830, 8_881, 31_334];
const MOBILES: [u32; 3] = [3_320, 12_638, 39_706];
const HIDING: [u32; 3] = [9_009, 212_238, 62_371];
const ABROAD: [(u32, &str); 5] = [
    (3_215, "FR"),
    (2_856, "GB"),
    (5_432, "BE"),
    (7_018, "US"),
    (3_269, "IT"),
];
const OFFICE: u32 = 680;

pub(crate) struct Person {
    pub(crate) user: String,
    home: (String, u32),
    mobile: u32,
    desktop: usize,
    phone: usize,
    new_phone: Option<(i64, usize)>,
    trip: Option<(i64, i64, String, u32, &'static str)>,
    hiding: Option<(String, u32)>,
}

pub(crate) struct Estate {
    pub(crate) people: Vec<Person>,
    days: i64,
}

impl Estate {
    pub(crate) fn new(random: &mut Random, people: usize, days: i64) -> Self {
        let people = (0..people).map(|number| person(random, number, days)).collect();
        Self { people, days }
    }

    /// Where somebody sits at some time, at a desk or with the phone.
    pub(crate) fn spot(&self, random: &mut Random, number: usize, at: i64, with_phone: bool) -> Spot {
        let person = &self.people[number];
        let day = (at - START) / DAY;
        let version = 131 + (day + i64::try_from(number).unwrap_or(0) % 9) / 14;
        let agent = |text: &str| text.replace("VER", &version.to_string());
        let phone = match person.new_phone {
            Some((from, model)) if day >= from => model,
            _ => person.phone,
        };
        let (ip, system, country) = match &person.trip {
            Some((from, until, ip, system, country)) if (*from..*until).contains(&day) && !with_phone => {
                (ip.clone(), *system, *country)
            }
            _ if with_phone && random.chance(5_000) => (
                format!(
                    "100.{}.{}.{}",
                    64 + person.mobile % 32,
                    random.below(40),
                    1 + random.below(250)
                ),
                person.mobile,
                "DE",
            ),
            _ => match &person.hiding {
                Some((ip, system)) if random.chance(3_000) => (ip.clone(), *system, "NL"),
                _ if random.chance(6_000) && !with_phone => {
                    (format!("192.0.2.{}", 1 + random.below(8)), OFFICE, "DE")
                }
                _ => (person.home.0.clone(), person.home.1, "DE"),
            },
        };
        let kind = if with_phone { "p" } else { "d" };
        Spot {
            ip,
            system,
            country,
            agent: agent(if with_phone {
                PHONES[phone]
            } else {
                DESKTOPS[person.desktop]
            }),
            session: format!(
                "{number:05}-{kind}{}-{}",
                if with_phone { phone } else { 0 },
                day / 3
            ),
        }
    }

    /// Everything that is done on one day.
    pub(crate) fn day(&self, random: &mut Random, day: i64, logs: &mut Logs) {
        let is_weekend = matches!(day % 7, 5 | 6);
        for number in 0..self.people.len() {
            if random.chance(if is_weekend { 7_500 } else { 600 }) {
                continue;
            }
            for _ in 0..2 + random.below(3) {
                self.sign_in(random, number, day, logs);
            }
            self.now_and_then(random, number, day, logs);
        }
        self.services(random, day, logs);
        self.administrators(random, day, logs);
        background(random, day, self.people.len(), logs);
    }

    fn sign_in(&self, random: &mut Random, number: usize, day: i64, logs: &mut Logs) {
        let user = &self.people[number].user;
        let at = START + day * DAY + 7 * 3_600 + random.below(12 * 3_600);
        let with_phone = random.chance(3_500);
        let spot = self.spot(random, number, at, with_phone);
        if random.chance(ASSUMED.mistyped) {
            logs.sign_in(random, at - 20, user, &spot, WRONG_PASSWORD);
        }
        if random.chance(ASSUMED.unanswered) {
            logs.sign_in(random, at - 90, user, &spot, NO_SECOND_FACTOR);
        }
        logs.sign_in(random, at, user, &spot, WELL);
        for _ in 0..1 + random.below(2) {
            let later = at + random.below(5_000);
            let items = 1 + random.below(6);
            match random.chance(600) {
                true => logs.mail_read(random, later, user, &spot, 0),
                false => logs.mail_read(random, later, user, &spot, items),
            }
        }
    }

    /// What people do once in a month or less.
    fn now_and_then(&self, random: &mut Random, number: usize, day: i64, logs: &mut Logs) {
        let user = self.people[number].user.clone();
        let at = START + day * DAY + 9 * 3_600 + random.below(7 * 3_600);
        let today = |random: &mut Random, in_month: i64| random.below(10_000 * 22) < in_month;
        if self.people[number].new_phone.is_some_and(|(from, _)| from == day) {
            let spot = self.spot(random, number, at, true);
            logs.sign_in(random, at, &user, &spot, WELL);
            logs.directory(
                random,
                at + 300,
                &user,
                "User registered security info.",
                &user,
                &[],
            );
            logs.directory(
                random,
                at + 400,
                &user,
                "Add registered owner to device.",
                &user,
                &[],
            );
        }
        if today(random, ASSUMED.new_password) {
            logs.directory(random, at, &user, "Change user password.", &user, &[]);
            let spot = self.spot(random, number, at, true);
            for time in 0..4 {
                logs.sign_in(random, at + 600 + 900 * time, &user, &spot, WRONG_PASSWORD);
            }
        }
        if today(random, ASSUMED.rules) {
            let spot = self.spot(random, number, at, false);
            let folder = *random.pick(&["Newsletters", "Committee", "Archive", "Travel", "Press"]);
            let word = *random.pick(&["digest", "agenda", "invoice", "press review", "newsletter"]);
            let name = format!("{word} to {folder}");
            logs.cmdlet(
                random,
                at,
                &user,
                &spot,
                "New-InboxRule",
                &[
                    ("Name", &name),
                    ("MoveToFolder", folder),
                    ("SubjectContainsWords", word),
                ],
            );
        }
        if today(random, ASSUMED.consents) {
            let (application, scope) = *random.pick(&[
                ("Calendar helper", "Scope: User.Read Calendars.Read"),
                ("Poll maker", "Scope: User.Read openid"),
                ("Note taker", "Scope: User.Read Notes.ReadWrite"),
                ("Mail merge", "Scope: User.Read Mail.Send"),
            ]);
            logs.directory(
                random,
                at,
                &user,
                "Consent to application.",
                application,
                &[("ConsentAction.Permissions", scope)],
            );
        }
        if today(random, ASSUMED.lost_phone) {
            logs.directory(
                random,
                at,
                ADMINISTRATORS[3],
                "Admin deleted security info.",
                &user,
                &[],
            );
            logs.directory(
                random,
                at + 900,
                &user,
                "User registered security info.",
                &user,
                &[],
            );
        }
    }

    fn services(&self, random: &mut Random, day: i64, logs: &mut Logs) {
        for number in 0..5 {
            let spot = Spot {
                ip: "192.0.2.40".to_owned(),
                system: OFFICE,
                country: "DE",
                agent: "BAV2ROPC".to_owned(),
                session: String::new(),
            };
            let user = format!("scanner{number}@assembly.example");
            for hour in 7..18 {
                let at = START + day * DAY + hour * 3_600 + random.below(3_600);
                logs.sign_in_with(random, at, &user, &spot, WELL, "Authenticated SMTP", "none");
            }
        }
    }

    fn administrators(&self, random: &mut Random, day: i64, logs: &mut Logs) {
        let at = |random: &mut Random| START + day * DAY + 8 * 3_600 + random.below(9 * 3_600);
        let somebody = |random: &mut Random| self.people[random.index(self.people.len())].user.clone();
        let spot = Spot {
            ip: "192.0.2.3".to_owned(),
            system: OFFICE,
            country: "DE",
            agent: "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Edg/131".to_owned(),
            session: format!("admin-{day}"),
        };
        let who = *random.pick(&ADMINISTRATORS);
        let role = ("Role.DisplayName", "Exchange Administrator");
        let when = at(random);
        logs.directory(
            random,
            when,
            who,
            "Add member to role completed (PIM activation).",
            who,
            &[role],
        );
        let monthly = |random: &mut Random, times: i64| random.below(self.days.max(1)) < times;
        if monthly(random, 15) {
            let (when, user) = (at(random), format!("joiner{day}@assembly.example"));
            logs.directory(random, when, who, "Add user.", &user, &[]);
            logs.directory(random, when + 7_200, &user, "Change user password.", &user, &[]);
        }
        if monthly(random, 20) {
            let (when, user, other) = (at(random), somebody(random), somebody(random));
            logs.cmdlet(
                random,
                when,
                who,
                &spot,
                "Add-MailboxPermission",
                &[
                    ("Identity", &user),
                    ("User", &other),
                    ("AccessRights", "FullAccess"),
                ],
            );
        }
        if monthly(random, 5) {
            let (when, user, other) = (at(random), somebody(random), somebody(random));
            let to = format!("smtp:{other}");
            logs.cmdlet(
                random,
                when,
                who,
                &spot,
                "Set-Mailbox",
                &[("Identity", &user), ("ForwardingSmtpAddress", &to)],
            );
        }
        if monthly(random, 2) {
            let when = at(random);
            logs.directory(
                random,
                when,
                who,
                "Update conditional access policy.",
                "Offices",
                &[],
            );
        }
        if monthly(random, 2) {
            let when = at(random);
            logs.directory(
                random,
                when,
                who,
                "Update application – Certificates and secrets management ",
                "Intranet",
                &[],
            );
        }
        if monthly(random, 2) {
            let (when, user) = (at(random), somebody(random));
            logs.directory(
                random,
                when,
                who,
                "Add member to role.",
                &user,
                &[("Role.DisplayName", "Message Center Reader")],
            );
        }
        if monthly(random, 1) {
            let (when, user) = (at(random), ADMINISTRATORS[4]);
            logs.directory(
                random,
                when,
                who,
                "Add member to role.",
                user,
                &[("Role.DisplayName", "Exchange Administrator")],
            );
        }
        if monthly(random, 2) {
            let when = at(random);
            logs.cmdlet(
                random,
                when,
                who,
                &spot,
                "New-TransportRule",
                &[
                    ("Name", "Disclaimer"),
                    ("ApplyHtmlDisclaimerText", "Confidential"),
                ],
            );
        }
        if monthly(random, 2) {
            let (when, user) = (at(random), somebody(random));
            logs.cmdlet(
                random,
                when,
                who,
                &spot,
                "Set-CASMailbox",
                &[("Identity", &user), ("ImapEnabled", "False")],
            );
        }
        if monthly(random, 2) {
            let when = at(random);
            logs.audit(
                random,
                when,
                who,
                ("SecurityComplianceCenter", "New-ComplianceSearch"),
                &spot,
                json!({}),
            );
        }
        if monthly(random, 3) {
            let when = at(random);
            let room = format!("room{}@assembly.example", random.below(3));
            logs.sign_in_with(
                random,
                when,
                &room,
                &spot,
                WELL,
                "Mobile Apps and Desktop clients",
                "deviceCode",
            );
        }
    }
}

pub(crate) const ADMINISTRATORS: [&str; 5] = [
    "adm.weber@assembly.example",
    "adm.lund@assembly.example",
    "adm.rossi@assembly.example",
    "helpdesk@assembly.example",
    "adm.novak@assembly.example",
];

fn person(random: &mut Random, number: usize, days: i64) -> Person {
    let days_in = |random: &mut Random| 4 + random.below((days - 5).max(1));
    let system = *random.pick(&HOMES);
    let home = format!("91.{}.{}.{}", system % 200, number % 250, 1 + random.below(250));
    let trip = random.chance(ASSUMED.travels).then(|| {
        let (from, (system, country)) = (days_in(random), *random.pick(&ABROAD));
        let ip = format!(
            "81.{}.{}.{}",
            system % 200,
            random.below(200),
            1 + random.below(250)
        );
        (from, from + 2 + random.below(5), ip, system, country)
    });
    let hiding = random.chance(ASSUMED.hides).then(|| {
        let system = *random.pick(&HIDING);
        (
            format!(
                "185.{}.{}.{}",
                system % 200,
                random.below(20),
                1 + random.below(250)
            ),
            system,
        )
    });
    Person {
        user: format!("person{number:04}@assembly.example"),
        home: (home, system),
        mobile: *random.pick(&MOBILES),
        desktop: random.index(DESKTOPS.len()),
        phone: random.index(PHONES.len()),
        new_phone: random
            .chance(ASSUMED.new_phone)
            .then(|| (days_in(random), random.index(PHONES.len()))),
        trip,
        hiding,
    }
}

/// The noise of the internet: wrong passwords for one or two accounts from each of many addresses.
fn background(random: &mut Random, day: i64, people: usize, logs: &mut Logs) {
    for _ in 0..people / 50 {
        let spot = Spot {
            ip: format!(
                "{}.{}.{}.{}",
                20 + random.below(150),
                random.below(250),
                random.below(250),
                1 + random.below(250)
            ),
            system: 100_000 + u32::try_from(random.below(3_000)).unwrap_or(0),
            country: "US",
            agent: DESKTOPS[1].replace("VER", "120"),
            session: String::new(),
        };
        let user = format!("person{:04}@assembly.example", random.index(people));
        let at = START + day * DAY + random.below(DAY);
        logs.sign_in(random, at, &user, &spot, WRONG_PASSWORD);
    }
}
