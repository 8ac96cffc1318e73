#![allow(clippy::unwrap_used)]

use blackrod_model::{EvidenceId, Position, Timestamp};

use super::*;

struct Story {
    stream: Stream,
    number: u64,
}

impl Story {
    fn new() -> Self {
        Self {
            stream: Stream::default(),
            number: 0,
        }
    }

    fn act(&mut self, minute: i64, user: &str, ip: &str, kind: ActKind) -> AccountAct {
        self.number += 1;
        AccountAct {
            evidence: EvidenceId::default(),
            at: Position {
                offset: self.number * 100,
                record: self.number,
            },
            time: Timestamp::from_seconds(1_600_000_000 + minute * 60),
            user: user.to_owned(),
            address: Some(ip.parse().unwrap()),
            agent: Some("Outlook/16".to_owned()),
            kind,
            ..AccountAct::default()
        }
    }

    fn tell(&mut self, minute: i64, user: &str, ip: &str, kind: ActKind) {
        let act = self.act(minute, user, ip, kind);
        self.stream.push(&act);
    }

    fn codes(self) -> Vec<String> {
        self.stream
            .finish()
            .into_iter()
            .map(|finding| finding.code)
            .collect()
    }
}

#[test]
fn a_spray_over_six_accounts_and_the_one_that_gave_in() {
    let mut story = Story::new();
    for user in 0..6 {
        story.tell(
            user,
            &format!("u{user}@example.org"),
            "203.0.113.7",
            ActKind::WrongPassword,
        );
    }
    story.tell(30, "u3@example.org", "203.0.113.9", ActKind::SignIn);
    assert_eq!(story.codes(), ["account/spray", "account/guessed"]);
}

#[test]
fn an_office_that_mistypes_on_monday_morning_is_no_spray() {
    let mut story = Story::new();
    for user in 0..40 {
        story.tell(
            user,
            &format!("u{user}@example.org"),
            "198.51.100.1",
            ActKind::SignIn,
        );
    }
    for user in 0..6 {
        story.tell(
            41 + user,
            &format!("u{user}@example.org"),
            "198.51.100.1",
            ActKind::WrongPassword,
        );
    }
    assert!(story.codes().is_empty());
}

#[test]
fn refusals_and_then_a_sign_in() {
    let mut story = Story::new();
    for minute in 0..5 {
        story.tell(minute, "a@example.org", "203.0.113.7", ActKind::FactorRefused);
    }
    story.tell(6, "a@example.org", "203.0.113.7", ActKind::SignIn);
    let codes = story.codes();
    assert!(codes.contains(&"account/mfa-fatigue".to_owned()), "{codes:?}");
    // Asked and given in: two signs, four points.
    assert!(codes.contains(&"account/taken".to_owned()), "{codes:?}");
}

#[test]
fn a_phone_moves_but_a_stolen_session_changes_its_program() {
    let session = |story: &mut Story, minute, ip: &str, agent: &str| {
        let act = AccountAct {
            session: Some("s".to_owned()),
            agent: Some(agent.to_owned()),
            ..story.act(minute, "a@example.org", ip, ActKind::SignIn)
        };
        story.stream.push(&act);
    };
    let mut phone = Story::new();
    session(&mut phone, 0, "192.0.2.1", "Outlook-iOS/4.1");
    session(&mut phone, 20, "198.51.100.1", "Outlook-iOS/4.2");
    assert!(phone.codes().is_empty());

    let mut stolen = Story::new();
    session(&mut stolen, 0, "192.0.2.1", "Mozilla/5.0 Firefox/120");
    session(&mut stolen, 20, "198.51.100.1", "axios/1.7");
    assert_eq!(stolen.codes(), ["account/session-moved"]);
}

#[test]
fn signs_of_one_account_are_one_thing_and_reading_has_bounds() {
    let mut story = Story::new();
    for (minute, kind, points) in [
        (0, ActKind::SignIn, 2),
        (1, ActKind::Consent, 1),
        (5, ActKind::Forwarding, 1),
        (9, ActKind::Forwarding, 1),
    ] {
        let act = AccountAct {
            points,
            ..story.act(minute, "a@example.org", "203.0.113.7", kind)
        };
        story.stream.push(&act);
    }
    for (minute, kind, items) in [
        (10, ActKind::MailRead, 30),
        (11, ActKind::MailSynchronised, 1),
        (12, ActKind::MailRead, 5),
    ] {
        let act = AccountAct {
            items,
            ..story.act(minute, "a@example.org", "203.0.113.7", kind)
        };
        story.stream.push(&act);
    }
    let findings = story.stream.finish();
    let taken: Vec<_> = findings
        .iter()
        .filter(|finding| finding.code == "account/taken")
        .collect();
    assert_eq!(taken.len(), 1);
    let told = taken[0].reason_line();
    assert!(
        told.contains("at least 35 messages and 1 folders whole"),
        "{told}"
    );
    assert!(taken[0].attack.contains(&"T1528".to_owned()));
}

#[test]
fn guessing_that_changes_its_address_is_known_by_its_program() {
    let mut story = Story::new();
    for step in 0..12 {
        let act = AccountAct {
            agent: Some("Seamonkey/2.49".to_owned()),
            ..story.act(
                120 * step,
                &format!("u{step}@example.org"),
                &format!("203.0.{step}.7"),
                ActKind::WrongPassword,
            )
        };
        story.stream.push(&act);
    }
    let act = AccountAct {
        agent: Some("Seamonkey/2.49".to_owned()),
        ..story.act(1_500, "u3@example.org", "203.0.99.7", ActKind::SignIn)
    };
    story.stream.push(&act);
    assert_eq!(story.codes(), ["account/slow-spray", "account/guessed"]);
}

#[test]
fn a_new_network_and_program_say_more_the_longer_an_account_is_known() {
    let codes = |days: i64, new_agent: &str| {
        let mut story = Story::new();
        for number in 0..days * 8 {
            story.tell(number * 180, "a@example.org", "192.0.2.1", ActKind::SignIn);
        }
        let act = AccountAct {
            agent: Some(new_agent.to_owned()),
            ..story.act(days * 1_440, "a@example.org", "203.0.113.7", ActKind::SignIn)
        };
        story.stream.push(&act);
        let joined = story.act(
            days * 1_440 + 30,
            "a@example.org",
            "203.0.113.7",
            ActKind::DeviceJoined,
        );
        story.stream.push(&joined);
        story.codes()
    };
    assert_eq!(codes(10, "axios/1.7"), ["account/method-after-risk"]);
    assert!(codes(1, "axios/1.7").is_empty(), "too new to say anything");
    assert!(codes(10, "Outlook/16").is_empty(), "only the network is new");
}

#[test]
fn what_is_done_for_the_first_time() {
    let mut story = Story::new();
    let made = AccountAct {
        target: Some("new@example.org".to_owned()),
        ..story.act(0, "admin@example.org", "192.0.2.1", ActKind::AccountMade)
    };
    story.stream.push(&made);
    for minute in [20 * 1_440, 20 * 1_440 + 5] {
        let act = AccountAct {
            means: blackrod_model::Means::OldProtocol,
            ..story.act(minute, "new@example.org", "203.0.113.7", ActKind::SignIn)
        };
        story.stream.push(&act);
    }
    let codes = story.codes();
    assert_eq!(codes, ["account/old-protocol", "account/first-password"]);
}

#[test]
fn one_sign_however_often_is_no_story() {
    let mut story = Story::new();
    for minute in 0..50 {
        let act = AccountAct {
            points: 1,
            ..story.act(minute, "admin@example.org", "192.0.2.1", ActKind::RoleGiven)
        };
        story.stream.push(&act);
    }
    assert!(story.codes().is_empty());
}
