//! What the signs of one server come to.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use blackrod_model::{
    Entity, EntityKind, Finding, FindingId, Reason, ServerAct, ServerActKind as Kind, Severity,
};
use rustc_hash::FxHashMap;

use super::{
    Claim, FEW_CLIENTS, MAX_PER_ATTACK, Reader, Server, Sign, Surroundings, attacks, entities, pages,
};

/// How far somebody got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// Attacks were tried; nothing shows that one worked.
    Probed,
    /// An attack worked, or left what it leaves when it works.
    Exploited,
    /// The server was used afterwards.
    Used,
}

/// Signs shown of each kind.
const MAX_SHOWN: usize = 4;

/// Adds what is to be said about `server`.
pub(super) fn judge(
    server: &Server,
    readers: &FxHashMap<IpAddr, Reader>,
    about: &Surroundings<'_>,
    findings: &mut Vec<Finding>,
) {
    let pages = pages_of_few(server);
    for ((kind, _), sign) in &server.signs {
        match kind {
            Kind::AttackAnswered => answered(server, sign, findings),
            Kind::AttackTried => tried(server, sign, findings),
            _ => {}
        }
    }
    for page in &pages {
        findings.push(odd_page(server, page));
    }
    let Some(verdict) = verdict(server, &pages) else {
        return;
    };
    let intruders = intruders(server, &pages);
    let read: Vec<(&IpAddr, &Reader)> = match verdict {
        Verdict::Probed => Vec::new(),
        _ => {
            let since = first_sign(server).map(|act| act.time);
            let after = |reader: &Reader| since.is_none_or(|since| reader.first.time >= since);
            let mut read: Vec<_> = intruders
                .iter()
                .filter_map(|ip| readers.get_key_value(ip))
                .filter(|(_, reader)| after(reader))
                .collect();
            read.sort_by_key(|(ip, reader)| (reader.first.time, **ip));
            read
        }
    };
    for (address, reader) in &read {
        findings.push(mail_read(server, address, reader));
    }
    findings.extend(story(server, verdict, &pages, &read, about));
}

/// Odd pages that few ask for and that something was sent to.
fn pages_of_few(server: &Server) -> Vec<&Sign> {
    server
        .signs
        .iter()
        .filter(|((kind, _), sign)| {
            *kind == Kind::OddPageAsked && sign.sent_unled > 0 && sign.clients.len() <= FEW_CLIENTS
        })
        .map(|(_, sign)| sign)
        .collect()
}

fn is_there(server: &Server, kind: Kind) -> bool {
    server.signs.keys().any(|(known, _)| *known == kind)
}

fn verdict(server: &Server, pages: &[&Sign]) -> Option<Verdict> {
    let has = |kind| is_there(server, kind);
    let was_entered = has(Kind::AttackAnswered) || has(Kind::DirectoryWithScript);
    let shell = has(Kind::PageWritten) && !pages.is_empty();
    let foothold = was_entered || has(Kind::PageWritten) || !pages.is_empty() || has(Kind::ProgramStarted);
    let taken_from = has(Kind::MailboxExported) || has(Kind::DataPlaced);
    if shell
        || has(Kind::ProgramStarted) && (was_entered || has(Kind::PageWritten) || !pages.is_empty())
        || foothold && taken_from
    {
        return Some(Verdict::Used);
    }
    if was_entered || has(Kind::ProgramStarted) {
        return Some(Verdict::Exploited);
    }
    // A page that appeared, or one that few ask for, is by itself often somebody's own work.
    has(Kind::AttackTried).then_some(Verdict::Probed)
}

/// Who attacked with success or asked for the odd pages.
fn intruders(server: &Server, pages: &[&Sign]) -> BTreeSet<IpAddr> {
    let attacked = server
        .signs
        .iter()
        .filter(|((kind, _), _)| *kind == Kind::AttackAnswered)
        .map(|(_, sign)| sign);
    attacked
        .chain(pages.iter().copied())
        .flat_map(|sign| sign.clients.keys().copied())
        .collect()
}

fn first_sign(server: &Server) -> Option<&ServerAct> {
    server
        .signs
        .values()
        .map(|sign| &sign.first)
        .min_by_key(|act| act.time)
}

fn shown_name(server: &Server) -> &str {
    if server.name.is_empty() {
        "The server of this log"
    } else {
        &server.name
    }
}

fn times(count: u64) -> String {
    if count == 1 {
        "once".to_owned()
    } else {
        format!("{count} times")
    }
}

fn answered(server: &Server, sign: &Sign, findings: &mut Vec<Finding>) {
    let known = attacks::by_id(&sign.first.what);
    let title = known.map_or(sign.first.what.as_str(), |attack| attack.title.as_str());
    let cve = known.map(|attack| attack.cve.join(", ")).unwrap_or_default();
    let mut each: Vec<(&ServerAct, u64)> = sign.clients.values().map(|(act, count)| (act, *count)).collect();
    if each.is_empty() {
        each.push((&sign.first, sign.times));
    }
    each.sort_by_key(|(act, _)| act.time);
    for (act, count) in each.into_iter().take(MAX_PER_ATTACK) {
        let reasons = vec![
            Reason::new("request", &act.detail),
            Reason::new("how often from there", &times(count)),
            Reason::new("uses", &cve),
        ];
        let claim = Claim {
            code: "server/attack-answered",
            title: format!("{} answered an attack: {title}", shown_name(server)),
            severity: Severity::High,
            attack: &["T1190"],
            reasons,
            act,
            detail: act.what.clone(),
        };
        findings.push(claim.into_finding(server));
    }
}

fn tried(server: &Server, sign: &Sign, findings: &mut Vec<Finding>) {
    let known = attacks::by_id(&sign.first.what);
    let title = known.map_or(sign.first.what.as_str(), |attack| attack.title.as_str());
    let can_tell = known.is_some_and(|attack| !attack.worked.is_empty());
    let answer = if can_tell {
        "refused, or answered with an error"
    } else {
        "the answer does not tell whether it worked"
    };
    let claim = Claim {
        code: "server/attack-tried",
        title: format!("{} was attacked: {title}", shown_name(server)),
        severity: if can_tell { Severity::Low } else { Severity::Medium },
        attack: &["T1595.002", "T1190"],
        reasons: vec![
            Reason::new("request", &sign.first.detail),
            Reason::new("answer", answer),
            Reason::new(
                "how often",
                &format!("{} by {} addresses", times(sign.times), sign.clients.len()),
            ),
            Reason::new(
                "uses",
                &known.map(|attack| attack.cve.join(", ")).unwrap_or_default(),
            ),
        ],
        act: &sign.first,
        detail: sign.first.what.clone(),
    };
    findings.push(claim.into_finding(server));
}

fn odd_page(server: &Server, page: &Sign) -> Finding {
    let written = server.signs.iter().find(|((kind, file), _)| {
        *kind == Kind::PageWritten && pages::address_of(file).as_deref() == Some(page.first.what.as_str())
    });
    let clients: Vec<String> = page.clients.keys().map(ToString::to_string).collect();
    let mut reasons = vec![
        Reason::new("first asked", &page.first.detail),
        Reason::new("asked", &times(page.times)),
        Reason::new("sent something, led there by no page", &times(page.sent_unled)),
        Reason::new("asked by nobody but", &clients.join(", ")),
    ];
    if let Some((_, sign)) = written {
        let seen = format!("{}: {}", sign.first.time, sign.first.detail);
        reasons.push(Reason::new("the file was written", &seen));
    }
    let claim = Claim {
        code: "server/odd-page",
        title: format!("A page where none belongs, asked for by few: {}", page.first.what),
        severity: match written {
            Some(_) => Severity::Critical,
            None => Severity::Medium,
        },
        attack: &["T1505.003"],
        reasons,
        act: &page.first,
        detail: page.first.what.clone(),
    };
    let mut finding = claim.into_finding(server);
    for client in page.clients.keys() {
        add_entity(&mut finding, Entity::new(EntityKind::Ip, &client.to_string()));
    }
    if let Some(((_, file), _)) = written {
        add_entity(&mut finding, Entity::new(EntityKind::File, file));
    }
    finding
}

fn read_words(address: &IpAddr, reader: &Reader) -> String {
    let mut words = format!(
        "from {address}: at least {} messages of {} mailboxes",
        reader.items,
        reader.mailboxes.len()
    );
    if reader.folders > 0 {
        words.push_str(&format!(
            ", and {} folders whole, of unknown size",
            reader.folders
        ));
    }
    if reader.uncounted {
        words.push_str("; the log stopped counting, so the true number is higher");
    }
    words
}

fn mail_read(server: &Server, address: &IpAddr, reader: &Reader) -> Finding {
    let act = &reader.first;
    let mailboxes: Vec<&str> = reader.mailboxes.iter().take(50).map(String::as_str).collect();
    let ip = address.to_string();
    let mut finding = Finding {
        id: FindingId::new("server/mail-read", "server/mail-read", act.evidence, act.at, &ip),
        code: "server/mail-read".to_owned(),
        rule_id: "server/mail-read".to_owned(),
        title: format!(
            "Mail was read from where {} was attacked: {} mailboxes",
            shown_name(server),
            reader.mailboxes.len()
        ),
        severity: Severity::High,
        time: act.time,
        evidence: act.evidence,
        at: act.at,
        class: act.class,
        attack: vec!["T1114.002".to_owned()],
        reasons: vec![
            Reason::new("read", &read_words(address, reader)),
            Reason::new("mailboxes", &mailboxes.join(", ")),
        ],
        entities: Vec::new(),
    };
    add_entity(&mut finding, Entity::new(EntityKind::Ip, &ip));
    add_entity(&mut finding, Entity::new(EntityKind::Host, &server.name));
    for mailbox in mailboxes {
        add_entity(&mut finding, Entity::new(EntityKind::Address, mailbox));
    }
    finding
}

/// Each kind of sign in the words of the story, with its technique.
fn words(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::AttackTried => ("attack tried", "T1190"),
        Kind::AttackAnswered => ("attack answered", "T1190"),
        Kind::DirectoryWithScript => ("script put into a virtual directory's address", "T1505.003"),
        Kind::PageWritten => ("page written where it is served", "T1505.003"),
        Kind::OddPageAsked => ("that or another odd page asked for", "T1505.003"),
        Kind::ProgramStarted => ("program started by the web server", "T1059"),
        Kind::RightGiven => ("right to open mailboxes given", "T1098.002"),
        Kind::MailboxExported => ("mailbox exported", "T1114.002"),
        Kind::DataPlaced => ("data put where it is served", "T1074.002"),
        Kind::TracesRemoved => ("traces of an export removed", "T1070.008"),
    }
}

fn story(
    server: &Server,
    verdict: Verdict,
    pages: &[&Sign],
    read: &[(&IpAddr, &Reader)],
    about: &Surroundings<'_>,
) -> Option<Finding> {
    let first = first_sign(server)?;
    let name = shown_name(server);
    let (code, severity, title, meaning) = match verdict {
        Verdict::Probed => (
            "server/probed",
            Severity::Low,
            format!("{name} was probed"),
            "Attacks were tried. Nothing in this evidence shows that one worked.",
        ),
        Verdict::Exploited => (
            "server/exploited",
            Severity::High,
            format!("{name} was exploited"),
            "An attack worked, or left what it leaves when it works. That the server was used afterwards is not shown by this evidence.",
        ),
        Verdict::Used => (
            "server/taken",
            Severity::Critical,
            format!("{name} was exploited and used afterwards"),
            "Somebody else had this server in hand.",
        ),
    };
    let mut chain: Vec<(&Kind, Vec<&Sign>)> = Vec::new();
    let mut by_kind: BTreeMap<&Kind, Vec<&Sign>> = BTreeMap::new();
    for ((kind, _), sign) in &server.signs {
        let is_part = *kind != Kind::OddPageAsked || pages.iter().any(|page| std::ptr::eq(*page, sign));
        if is_part {
            by_kind.entry(kind).or_default().push(sign);
        }
    }
    chain.extend(by_kind);
    for (_, signs) in &mut chain {
        signs.sort_by_key(|sign| sign.first.time);
    }
    chain.sort_by_key(|(kind, signs)| (signs.first().map(|sign| sign.first.time), **kind));

    let mut reasons = vec![Reason::new("verdict", meaning)];
    let mut attack: BTreeSet<&str> = BTreeSet::new();
    for (kind, signs) in &chain {
        let (said, technique) = words(**kind);
        attack.insert(technique);
        reasons.push(Reason::new(said, &told(signs, about)));
    }
    for (address, reader) in read {
        attack.insert("T1114.002");
        let told = format!(
            "{}; first {}, {}, record {}",
            read_words(address, reader),
            reader.first.time,
            (about.path)(reader.first.evidence),
            reader.first.at.record
        );
        reasons.push(Reason::new("mail read", &told));
    }
    let missing = missing(verdict, about);
    reasons.push(Reason::new("to be sure", &missing));
    let attack: Vec<&str> = attack.into_iter().collect();
    let claim = Claim {
        code,
        title,
        severity,
        attack: &attack,
        reasons,
        act: first,
        detail: server.name.clone(),
    };
    let mut finding = claim.into_finding(server);
    for (_, signs) in &chain {
        for sign in signs.iter().take(MAX_SHOWN) {
            for entity in entities(server, &sign.first) {
                add_entity(&mut finding, Some(entity));
            }
        }
    }
    Some(finding)
}

/// `2021-01-20T03:08:00Z, 3 times until …: POST /x (in path, record 7); …`
fn told(signs: &[&Sign], about: &Surroundings<'_>) -> String {
    let mut text = String::new();
    for sign in signs.iter().take(MAX_SHOWN) {
        if !text.is_empty() {
            text.push_str("; ");
        }
        let first = &sign.first;
        text.push_str(&first.time.to_string());
        if sign.times > 1 {
            text.push_str(&format!(", {} until {}", times(sign.times), sign.last.time));
        }
        if let Some(client) = first.client {
            text.push_str(&format!(", from {client}"));
        }
        text.push_str(&format!(
            ": {} ({}, record {})",
            crate::clip(&first.detail, 160),
            (about.path)(first.evidence),
            first.at.record
        ));
    }
    if signs.len() > MAX_SHOWN {
        text.push_str(&format!("; and {} others", signs.len() - MAX_SHOWN));
    }
    text
}

/// Which evidence would settle what is open, by what the case has none of.
fn missing(verdict: Verdict, about: &Surroundings<'_>) -> String {
    let any = |logs: &[&str]| logs.iter().any(|log| (about.has)(log));
    let mut needed = Vec::new();
    if !any(&["webserver/iis", "webserver/w3c", "webserver/access"]) {
        needed.push("the web server's logs (inetpub\\logs\\LogFiles), for who asked for what");
    }
    if !any(&["exchange/httpproxy"]) {
        needed.push("Exchange's HttpProxy logs, for the mailbox named and what the back end answered");
    }
    if !any(&["exchange/ecp"]) {
        needed.push("the control panel's logs (Logging\\ECP\\Server), for changed virtual directories");
    }
    if !any(&[
        "windows/Microsoft-Windows-Sysmon/Operational",
        "windows/Security",
        "linux/auditd",
    ]) {
        needed.push(
            "process records (Security 4688, Sysmon, auditd), for programs that the web server started",
        );
    }
    if !any(&["windows/MSExchange Management", "exchange/cmdlet"]) {
        needed.push("the MSExchange Management log, for exports and rights");
    }
    if !any(&["m365/*"]) {
        needed.push("mailbox audit records, for what was read");
    }
    let mut words = match verdict {
        Verdict::Used => String::new(),
        _ => "a listing of the folders that are served, with times and digests; ".to_owned(),
    };
    match needed.is_empty() {
        true => words
            .push_str("no kind of log is missing; an image of disk and memory would show what logs do not"),
        false => words.push_str(&format!("the case holds none of: {}", needed.join("; "))),
    }
    words
}

fn add_entity(finding: &mut Finding, entity: Option<Entity>) {
    if let Some(entity) = entity
        && finding.entities.len() < crate::entities::MAX_ENTITIES
        && !finding.entities.contains(&entity)
    {
        finding.entities.push(entity);
    }
}
