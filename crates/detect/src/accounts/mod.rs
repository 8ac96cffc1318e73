//! Accounts: who tried to get in, who got in, and what was done with the account.
//!
//! [`extract::act`] keeps what a record says about an account; all threads do that at once. [`Stream`] takes
//! these acts in the order of time.

mod consent;
pub mod extract;
mod firsts;
mod guessing;
mod joined;
mod networks;
mod places;
mod reading;
mod recent;
mod rules;
mod sessions;
mod sign_in;
mod slow;

use blackrod_model::{AccountAct, ActKind, Entity, EntityKind, Finding, FindingId, Reason, Severity};

pub use networks::{Networks, TableError};

use consent::Consents;
use firsts::Firsts;
use guessing::Guessing;
use joined::Joined;
use places::Places;
use reading::Reading;
use sessions::Sessions;
use slow::Slow;

/// What the detectors of this module find and miss.
pub const EXPLAIN: &str = include_str!("explain.md");

/// Acts in the order of time.
#[derive(Default)]
pub struct Stream {
    networks: Networks,
    places: Places,
    guessing: Guessing,
    slow: Slow,
    sessions: Sessions,
    firsts: Firsts,
    consents: Consents,
    reading: Reading,
    joined: Joined,
    findings: Vec<Finding>,
}

/// What detectors of this module say about one act.
struct Claim<'a> {
    code: &'static str,
    title: String,
    severity: Severity,
    attack: &'static [&'static str],
    reasons: Vec<Reason>,
    /// The act that the claim is about.
    act: &'a AccountAct,
    /// Tells claims of one kind about one record apart.
    detail: String,
}

impl Stream {
    /// A stream that knows `networks`; one without is made by `default`.
    pub fn new(networks: Networks) -> Self {
        Self {
            networks,
            ..Self::default()
        }
    }

    /// Judges an act. They must come in the order of their times.
    pub fn push(&mut self, act: &AccountAct) {
        let (joined, findings) = (&mut self.joined, &mut self.findings);
        let place = match act.kind.is_sign_in() {
            true => self.networks.place(act),
            false => networks::Place::default(),
        };
        let judged = self.places.push(act, place, joined, findings);
        if self.guessing.push(act, joined, findings) {
            self.firsts.risky(act, "a sign-in that was guessed or wrung out");
        }
        self.slow
            .push(act, place, self.places.accounts(), joined, findings);
        if self.sessions.push(act, joined, findings) {
            self.firsts.risky(act, "a session that went on elsewhere");
        }
        self.firsts.push(act, judged, joined, findings);
        self.reading.push(act);
        if act.kind == ActKind::Consent && self.consents.is_usual(act) {
            return;
        }
        joined.push(act);
        findings.extend(by_itself(act).map(Claim::into_finding));
    }

    /// What all acts come to.
    pub fn finish(mut self) -> Vec<Finding> {
        self.joined.finish(&self.reading, &mut self.findings);
        self.findings
    }
}

/// What an act says without any other.
fn by_itself(act: &AccountAct) -> Option<Claim<'_>> {
    let (code, title, severity, attack): (_, _, _, &'static [&'static str]) = match act.kind {
        ActKind::MailboxRule if act.points >= rules::ALONE => (
            "account/mailbox-rule",
            "A mailbox rule that hides or forwards mail, by",
            Severity::High,
            &["T1564.008"],
        ),
        ActKind::Consent if act.points > 0 => (
            "account/consent",
            "An application that few use was allowed far-reaching rights, by",
            Severity::Medium,
            &["T1528"],
        ),
        ActKind::Forwarding if act.points > 0 => (
            "account/forwarding",
            "Mail is sent on to another domain, by",
            Severity::Medium,
            &["T1114.003"],
        ),
        _ => return None,
    };
    Some(Claim {
        code,
        title: format!("{title} {}", act.user),
        severity,
        attack,
        reasons: vec![Reason::new("what was done", &act.detail)],
        act,
        detail: String::new(),
    })
}

impl Claim<'_> {
    fn into_finding(self) -> Finding {
        let act = self.act;
        Finding {
            id: FindingId::new(self.code, self.code, act.evidence, act.at, &self.detail),
            code: self.code.to_owned(),
            rule_id: self.code.to_owned(),
            title: self.title,
            severity: self.severity,
            time: act.time,
            evidence: act.evidence,
            at: act.at,
            class: act.class,
            attack: self.attack.iter().map(|id| (*id).to_owned()).collect(),
            reasons: self.reasons,
            entities: entities(act).collect(),
        }
    }
}

/// What an act shares with others.
fn entities(act: &AccountAct) -> impl Iterator<Item = Entity> {
    let account = match act.user.contains('@') {
        true => EntityKind::Address,
        false => EntityKind::Account,
    };
    let user = Entity::new(account, &act.user);
    let target = act
        .target
        .as_deref()
        .and_then(|target| Entity::new(EntityKind::Address, target));
    let address = act
        .address
        .and_then(|ip| Entity::new(EntityKind::Ip, &ip.to_string()));
    let session = act
        .session
        .as_deref()
        .and_then(|session| Entity::new(EntityKind::Session, session));
    [user, target, address, session].into_iter().flatten()
}

/// Seconds since the epoch; acts without a time count as of the beginning.
fn seconds(act: &AccountAct) -> i64 {
    act.time.seconds().unwrap_or_default()
}

/// The network of an address as attackers and users change it: /24 of IPv4, /48 of IPv6.
fn network(address: std::net::IpAddr) -> std::net::IpAddr {
    match address.to_canonical() {
        std::net::IpAddr::V4(ip) => {
            let [a, b, c, _] = ip.octets();
            std::net::Ipv4Addr::new(a, b, c, 0).into()
        }
        std::net::IpAddr::V6(ip) => {
            let [a, b, c, ..] = ip.segments();
            std::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).into()
        }
    }
}

#[cfg(test)]
mod tests;
