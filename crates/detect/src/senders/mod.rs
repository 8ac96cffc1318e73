//! Who sends mail in the estate's name, as receivers report it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use blackrod_model::{
    Class, Column, Entity, EntityKind, Estate, Event, EvidenceId, Finding, FindingId, Keep, Position, Reason,
    Severity, Timestamp, Value, estate,
};

/// The code of findings.
pub const CODE: &str = "mail/sent-in-our-name";

/// What this finds and misses.
pub const EXPLAIN: &str = include_str!("explain.md");

/// So many messages from one network are a finding; fewer are one of all such networks together.
const ENOUGH: u64 = 10;

/// So many networks are told apart.
const MOST: usize = 100_000;

/// Mail in somebody's name that a receiver could not tell to be theirs.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Unproved {
    evidence: EvidenceId,
    at: Position,
    time: Timestamp,
    domain: String,
    sender: IpAddr,
    messages: u64,
    disposition: String,
    reporter: String,
    policy: String,
}

impl Keep for Unproved {
    const KIND: &'static str = "unproved";

    fn record(&self) -> (EvidenceId, Position, Timestamp) {
        (self.evidence, self.at, self.time)
    }
}

impl Unproved {
    /// What a record of a DMARC report says of mail that passed neither DKIM nor SPF; `None` for all other records.
    pub fn of(evidence: EvidenceId, event: &Event<'_>) -> Option<Self> {
        if event.source.product != "dmarc" {
            return None;
        }
        let text = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
        let is_aggregate = event.source.channel == "aggregate";
        let passed = |name: &str| text(name).eq_ignore_ascii_case("pass");
        if is_aggregate && (passed("row.policy_evaluated.dkim") || passed("row.policy_evaluated.spf")) {
            return None;
        }
        let short = |text: &str| crate::clip(text, 100).to_owned();
        let count = event.get("row.count").and_then(Value::as_int).unwrap_or(1);
        Some(Self {
            evidence,
            at: event.at,
            time: event.time,
            domain: event
                .column_text(Column::Domain)?
                .trim_end_matches('.')
                .to_lowercase(),
            sender: event.column_text(Column::SrcIp)?.parse().ok()?,
            messages: u64::try_from(count).unwrap_or(1),
            disposition: short(&event.column_text(Column::Action).unwrap_or_default()),
            reporter: short(text(if is_aggregate {
                "report_metadata.org_name"
            } else {
                "Reporting-MTA"
            })),
            policy: short(text("policy_published.p")),
        })
    }
}

/// Takes what receivers could not prove, in the order of time.
pub struct Stream<'e> {
    estate: estate::Index<'e>,
    networks: BTreeMap<(String, IpAddr), Sum>,
}

struct Sum {
    first: Unproved,
    last: Timestamp,
    messages: u64,
    senders: Vec<IpAddr>,
    by_disposition: BTreeMap<String, u64>,
    reporters: Vec<String>,
}

impl<'e> Stream<'e> {
    /// For mail in the name of `estate`'s domains.
    pub fn new(estate: &'e Estate) -> Self {
        Self {
            estate: estate::Index::new(estate),
            networks: BTreeMap::new(),
        }
    }

    /// Takes one.
    pub fn push(&mut self, unproved: &Unproved) {
        if !self.estate.is_own_domain(&unproved.domain) {
            return;
        }
        let key = (unproved.domain.clone(), network(unproved.sender));
        if self.networks.len() >= MOST && !self.networks.contains_key(&key) {
            return;
        }
        let sum = self.networks.entry(key).or_insert_with(|| Sum {
            first: unproved.clone(),
            last: unproved.time,
            messages: 0,
            senders: Vec::new(),
            by_disposition: BTreeMap::new(),
            reporters: Vec::new(),
        });
        sum.last = sum.last.max(unproved.time);
        sum.messages = sum.messages.saturating_add(unproved.messages);
        if sum.senders.len() < 10 && !sum.senders.contains(&unproved.sender) {
            sum.senders.push(unproved.sender);
        }
        if sum.reporters.len() < 10 && !sum.reporters.contains(&unproved.reporter) {
            sum.reporters.push(unproved.reporter.clone());
        }
        if sum.by_disposition.len() < 10 {
            *sum.by_disposition
                .entry(unproved.disposition.clone())
                .or_default() += unproved.messages;
        }
    }

    /// A finding for each network that sent much, and one for each domain about all others.
    pub fn finish(self) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut few: BTreeMap<String, Vec<Sum>> = BTreeMap::new();
        for ((domain, network), sum) in self.networks {
            match sum.messages >= ENOUGH {
                true => findings.push(sum.into_finding(&network.to_string())),
                false => few.entry(domain).or_default().push(sum),
            }
        }
        findings.extend(few.into_values().filter_map(together));
        findings
    }
}

/// All that sent few messages in one name.
fn together(sums: Vec<Sum>) -> Option<Finding> {
    let networks = sums.len();
    let mut sums = sums.into_iter();
    let mut all = sums.next()?;
    for sum in sums {
        all.messages = all.messages.saturating_add(sum.messages);
        all.last = all.last.max(sum.last);
        if all.first.time > sum.first.time {
            all.first = sum.first;
        }
        all.senders.extend(sum.senders);
        all.senders.truncate(10);
        for (disposition, messages) in sum.by_disposition {
            *all.by_disposition.entry(disposition).or_default() += messages;
        }
    }
    Some(all.into_finding(&format!("{networks} networks that sent few each")))
}

impl Sum {
    fn into_finding(self, from: &str) -> Finding {
        let first = self.first;
        let delivered = self
            .by_disposition
            .get("none")
            .or(self.by_disposition.get(""))
            .copied()
            .unwrap_or(0);
        let dispositions: Vec<String> = self
            .by_disposition
            .iter()
            .map(|(disposition, messages)| {
                format!(
                    "{} {messages}",
                    if disposition.is_empty() {
                        "not said"
                    } else {
                        disposition
                    }
                )
            })
            .collect();
        let senders: Vec<String> = self.senders.iter().map(ToString::to_string).collect();
        let ips = senders
            .iter()
            .filter_map(|sender| Entity::new(EntityKind::Ip, sender));
        let domain = Entity::new(EntityKind::Domain, &first.domain);
        Finding {
            id: FindingId::new(CODE, CODE, first.evidence, first.at, from),
            code: CODE.to_owned(),
            rule_id: CODE.to_owned(),
            title: format!(
                "{} messages in the name of {} that are not proved to be, from {from}",
                self.messages, first.domain
            ),
            severity: if delivered >= ENOUGH {
                Severity::Medium
            } else {
                Severity::Low
            },
            time: first.time,
            evidence: first.evidence,
            at: first.at,
            class: Class::EMAIL_ACTIVITY.0,
            attack: vec!["T1656".to_owned()],
            reasons: vec![
                Reason::new(
                    "neither DKIM nor SPF passed",
                    &format!("{} messages", self.messages),
                ),
                Reason::new("what receivers did", &dispositions.join(", ")),
                Reason::new("published policy", &first.policy),
                Reason::new("senders", &senders.join(", ")),
                Reason::new("reported by", &self.reporters.join(", ")),
                Reason::new("from, to", &format!("{}, {}", first.time, self.last)),
            ],
            entities: ips.chain(domain).collect(),
        }
    }
}

/// /24 of IPv4, /48 of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => std::net::Ipv4Addr::from_bits(v4.to_bits() & 0xffff_ff00).into(),
        IpAddr::V6(v6) => std::net::Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 80)).into(),
    }
}
