//! Comparing events and files with the indicators.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use blackrod_model::{
    Column, Entity, EntityKind, Event, EvidenceId, Finding, FindingId, Reason, Severity, Timestamp,
};

use super::table::{MAIL_HOST, Note, Rolling, Table, URL_HOST};
use super::value::{Kind, decode_hex, display, mask_v4, mask_v6, url_key};
use super::{CODE, Digests, Set, tokens};
use crate::content::Content;
use crate::entities;

/// The most findings for one record: a bulletin that lists a thousand indicators is one fact.
const MAX_FINDINGS: usize = 100;
/// The most fields quoted for one indicator in one record.
const MAX_REASONS: usize = 8;

/// An indicator (by number) and where it was seen.
struct Hit {
    indicator: u32,
    reason: Reason,
}

impl Set {
    /// Compares every field of `event`, and of a mail every header field, shown text, attachment
    /// name and attachment digest, with the indicators; adds one finding per indicator seen.
    pub fn search(&self, event: &Event<'_>, evidence: EvidenceId, findings: &mut Vec<Finding>) {
        if self.is_empty() {
            return;
        }
        let mut hits = Hits::default();
        for field in &event.fields {
            field.value.each_str(&mut |text| {
                self.text(text, &mut |indicator| hits.push(indicator, &field.name, text));
            });
        }
        self.file_names(event, &mut hits);
        if event.mail.is_some() {
            self.mail(event, &mut hits);
        }
        if hits.is_empty() {
            return;
        }
        let subject = Subject {
            evidence,
            at: event.at,
            time: event.time,
            class: event.class.0,
        };
        self.report(&subject, hits, || entities::of(event), findings);
    }

    /// Compares the digests of a file with the indicators, and its name.
    pub fn search_content(&self, content: &Content<'_>, digests: &Digests, findings: &mut Vec<Finding>) {
        let mut hits = Hits::default();
        self.digests(digests, content.label, &mut hits);
        if let Some(name) = content.name {
            self.file_name(name, content.label, &mut hits);
        }
        let subject = Subject {
            evidence: content.evidence,
            at: content.at,
            time: content.time,
            class: content.class.0,
        };
        self.report(&subject, hits, Vec::new, findings);
    }

    /// Calls `hit` for every indicator that stands in `text`.
    fn text(&self, text: &str, hit: &mut dyn FnMut(u32)) {
        let bytes = text.as_bytes();
        let table = &self.table;
        if self.wants.names && bytes.len() >= 4 {
            tokens::dotted(bytes, |run| self.dotted(bytes, run, hit));
        }
        if self.wants.digests && bytes.len() >= 32 {
            tokens::digests(bytes, |run| {
                let kind = match run.len() {
                    32 => Kind::Md5,
                    40 => Kind::Sha1,
                    _ => Kind::Sha256,
                };
                if let Some(digest) = bytes.get(run).and_then(decode_hex) {
                    lookup(table, kind, &digest, hit);
                }
            });
        }
        if self.wants.ipv6 && bytes.len() >= 3 {
            tokens::colons(bytes, |run| {
                let address = text.get(run).and_then(|run| run.parse::<Ipv6Addr>().ok());
                if let Some(v6) = address {
                    ip(table, IpAddr::V6(v6), hit);
                }
            });
        }
    }

    /// Looks a run of labels up as an IPv4 address or as a name with all its suffixes.
    #[inline]
    fn dotted(&self, text: &[u8], run: Range<usize>, hit: &mut dyn FnMut(u32)) {
        const LONGEST_NAME: usize = 512;
        let Some(name) = text
            .get(run.clone())
            .filter(|name| (4..LONGEST_NAME).contains(&name.len()))
        else {
            return;
        };
        let ends_in_digit = name.last().is_some_and(u8::is_ascii_digit);
        let is_local_part = text.get(run.end) == Some(&b'@');
        if is_local_part {
            return;
        }
        if ends_in_digit {
            if let Some(v4) = parse_v4(name) {
                ip(&self.table, IpAddr::V4(v4), hit);
                let host = Rolling::of(name);
                if self.table.may_hold(host.finish(URL_HOST)) {
                    self.url(text, run, hit);
                }
            }
            return;
        }
        if !name.is_ascii() {
            return self.international(name, hit);
        }
        let mut hash = Rolling::START;
        let mut labels = 0;
        for (index, byte) in name.iter().enumerate().rev() {
            if *byte == b'.' {
                labels += 1;
                if labels == 1 && !self.table.may_end_in(hash) {
                    return;
                }
                if labels > 1 {
                    lookup_name(&self.table, hash, &name[index + 1..], hit);
                }
            }
            hash = hash.push_front(byte.to_ascii_lowercase());
        }
        if labels == 0 {
            return;
        }
        lookup_name(&self.table, hash, name, hit);
        let follows_at = run.start > 0 && text[run.start - 1] == b'@';
        if follows_at && self.table.may_hold(hash.finish(MAIL_HOST)) {
            let local_start = tokens::local_part_start(text, run.start - 1);
            if let Some(address) = text.get(local_start..run.end) {
                lookup(&self.table, Kind::Mail, &address.to_ascii_lowercase(), hit);
            }
        }
        if self.table.may_hold(hash.finish(URL_HOST)) {
            self.url(text, run, hit);
        }
    }

    /// Looks a name in Unicode up by its ASCII form (RFC 5890), which indicators are kept in.
    fn international(&self, name: &[u8], hit: &mut dyn FnMut(u32)) {
        let ascii = std::str::from_utf8(name)
            .ok()
            .and_then(|name| idna::domain_to_ascii(name).ok());
        let mut suffix = ascii.as_deref();
        while let Some(found) = suffix.filter(|name| name.contains('.')) {
            lookup_name(&self.table, Rolling::of(found.as_bytes()), found.as_bytes(), hit);
            suffix = found.split_once('.').map(|(_, rest)| rest);
        }
    }

    /// Looks up the URL whose host is `host`: as it stands, without trailing punctuation, without
    /// its query.
    fn url(&self, text: &[u8], host: Range<usize>, hit: &mut dyn FnMut(u32)) {
        let follows_scheme = text[..host.start].ends_with(b"://") || text[..host.start].ends_with(b"@");
        let after_host = text.get(host.end..).unwrap_or_default();
        let port_length = match after_host {
            [b':', rest @ ..] => {
                1 + rest
                    .iter()
                    .take(5)
                    .take_while(|byte| byte.is_ascii_digit())
                    .count()
            }
            _ => 0,
        };
        let path_start = host.end + port_length;
        let has_path = text.get(path_start) == Some(&b'/');
        if !has_path && !follows_scheme {
            return;
        }
        let decode =
            |range: Range<usize>| String::from_utf8_lossy(text.get(range).unwrap_or_default()).into_owned();
        let host_text = decode(host.clone());
        let port_text = decode(host.end..path_start);
        let rest = decode(path_start..tokens::url_end(text, path_start)).replace("&amp;", "&");
        let whole = url_key(&host_text, port_text.trim_start_matches(':'), &rest);
        let punctuation = ['.', ',', ';', ':', '!', '?', ')', ']', '\'', '*'];
        let trimmed = whole.trim_end_matches(punctuation);
        let without_query = whole.split('?').next().unwrap_or_default();
        let mut last = "";
        for candidate in [whole.as_str(), trimmed, without_query] {
            if candidate != last {
                lookup(&self.table, Kind::Url, candidate.as_bytes(), hit);
            }
            last = candidate;
        }
    }

    fn file_names(&self, event: &Event<'_>, hits: &mut Hits) {
        if !self.table.has(Kind::FileName) {
            return;
        }
        for column in [Column::File, Column::Process, Column::Parent] {
            if let (Some(index), Some(path)) = (event.columns.get(column), event.column_text(column)) {
                let field = event.fields.get(index).map_or(column.name(), |field| &field.name);
                self.file_name(&path, field, hits);
            }
        }
        let attachments = event.mail.iter().flat_map(|message| message.attachments());
        for (number, part) in (1..).zip(attachments) {
            if let Some(name) = &part.name {
                self.file_name(name, &format!("attachment {number}"), hits);
            }
        }
    }

    fn file_name(&self, path: &str, label: &str, hits: &mut Hits) {
        if !self.table.has(Kind::FileName) {
            return;
        }
        let name = path
            .rsplit(['\\', '/'])
            .next()
            .unwrap_or_default()
            .trim()
            .to_lowercase();
        lookup(&self.table, Kind::FileName, name.as_bytes(), &mut |indicator| {
            hits.push(indicator, label, path);
        });
    }

    fn mail(&self, event: &Event<'_>, hits: &mut Hits) {
        let Some(message) = &event.mail else {
            return;
        };
        for header in std::iter::once(message.as_ref())
            .chain(&message.embedded)
            .flat_map(|message| &message.headers)
        {
            self.text(&header.value, &mut |indicator| {
                hits.push(indicator, &header.name, &header.value);
            });
        }
        let mut attachment = 0;
        for part in &message.parts {
            let is_attachment = part.role == blackrod_model::mail::PartRole::Attachment;
            let label = if is_attachment {
                attachment += 1;
                format!("attachment {attachment}")
            } else {
                format!("body {}", part.content_type)
            };
            let is_text = !is_attachment || part.content_type.starts_with("text/");
            if let Some(text) = part.text().filter(|_| is_text) {
                self.text(text, &mut |indicator| {
                    let seen = self.table.key(indicator).map(|(kind, key)| display(kind, key));
                    hits.push(
                        indicator,
                        &label,
                        &excerpt(text, seen.as_deref().unwrap_or_default()),
                    );
                });
            }
            if is_attachment && self.wants.digests {
                let mut hasher = self.hasher();
                hasher.update(&part.content);
                let computed = hasher.finish();
                let digests = Digests {
                    sha256: computed.sha256.map(|sha256| part.sha256.unwrap_or(sha256)),
                    ..computed
                };
                self.digests(&digests, &label, hits);
            }
        }
    }

    fn digests(&self, digests: &Digests, label: &str, hits: &mut Hits) {
        let known = [
            (Kind::Md5, digests.md5.as_ref().map(|digest| &digest[..])),
            (Kind::Sha1, digests.sha1.as_ref().map(|digest| &digest[..])),
            (Kind::Sha256, digests.sha256.as_ref().map(|digest| &digest.0[..])),
        ];
        for (kind, digest) in known {
            let Some(digest) = digest else { continue };
            lookup(&self.table, kind, digest, &mut |indicator| {
                hits.push(indicator, label, &display(kind, digest));
            });
        }
    }

    fn report(
        &self,
        subject: &Subject,
        hits: Hits,
        entities: impl FnOnce() -> Vec<Entity>,
        findings: &mut Vec<Finding>,
    ) {
        if hits.is_empty() {
            return;
        }
        let shared = entities();
        let (groups, left_out) = hits.by_indicator();
        let first_new = findings.len();
        for (indicator, reasons) in groups {
            if let (Some((kind, key)), Some(note)) = (self.table.key(indicator), self.table.note(indicator)) {
                findings.push(finding(subject, kind, key, note, reasons, &shared));
            }
        }
        if left_out > 0
            && let Some(last) = findings[first_new..].last_mut()
        {
            let note = format!("{left_out} more indicators stand in this record");
            last.reasons.push(Reason::new("note", &note));
        }
    }
}

/// The record that findings are about.
struct Subject {
    evidence: EvidenceId,
    at: blackrod_model::Position,
    time: Timestamp,
    class: u32,
}

fn finding(
    subject: &Subject,
    kind: Kind,
    key: &[u8],
    note: &Note,
    mut reasons: Vec<Reason>,
    shared: &[Entity],
) -> Finding {
    let value = display(kind, key);
    let mut severity = note.severity;
    if !note.source.is_empty() {
        reasons.push(Reason::new("indicator source", &note.source));
    }
    if let Some(outside) = outside_validity(note, subject.time) {
        severity = milder(severity);
        reasons.push(Reason::new("indicator validity", &outside));
    }
    let mut entities = shared.to_vec();
    let own = entity_kind(kind, key).and_then(|kind| Entity::new(kind, &value));
    entities.extend(own.filter(|entity| !shared.contains(entity)));
    let title = if note.title.is_empty() {
        format!("{} on an indicator list: {value}", kind.noun())
    } else {
        format!("{} on an indicator list: {value} ({})", kind.noun(), note.title)
    };
    Finding {
        id: FindingId::new(CODE, &value, subject.evidence, subject.at, ""),
        code: CODE.to_owned(),
        rule_id: value,
        title,
        severity,
        time: subject.time,
        evidence: subject.evidence,
        at: subject.at,
        class: subject.class,
        attack: note.attack.to_vec(),
        reasons,
        entities,
    }
}

/// A prefix names no machine, so it is no entity.
fn entity_kind(kind: Kind, key: &[u8]) -> Option<EntityKind> {
    let length = key.first().copied();
    match kind {
        Kind::Ipv4 => (length == Some(32)).then_some(EntityKind::Ip),
        Kind::Ipv6 => (length == Some(128)).then_some(EntityKind::Ip),
        Kind::Domain => Some(EntityKind::Domain),
        Kind::Url => Some(EntityKind::Url),
        Kind::Mail => Some(EntityKind::Address),
        Kind::Md5 | Kind::Sha1 | Kind::Sha256 => Some(EntityKind::Hash),
        Kind::FileName => Some(EntityKind::File),
    }
}

/// What to say of an event outside the time in which the indicator's author vouches for it. Still
/// a finding: feeds date from publication what attackers used before, and addresses outlive dates.
fn outside_validity(note: &Note, time: Timestamp) -> Option<String> {
    time.micros()?;
    if note.valid_from.micros().is_some() && time < note.valid_from {
        return Some(format!(
            "the record is older than the indicator (valid from {})",
            note.valid_from
        ));
    }
    if note.valid_until.micros().is_some() && time >= note.valid_until {
        return Some(format!(
            "the indicator had expired (valid until {})",
            note.valid_until
        ));
    }
    None
}

fn milder(severity: Severity) -> Severity {
    match severity {
        Severity::Critical => Severity::High,
        Severity::High => Severity::Medium,
        Severity::Medium => Severity::Low,
        _ => Severity::Informational,
    }
}

/// The line of a long text in which `value` stands, cut to a readable length.
fn excerpt(text: &str, value: &str) -> String {
    const AROUND: usize = 120;
    let folded = text.to_ascii_lowercase();
    let at = folded.find(&value.to_ascii_lowercase()).unwrap_or(0);
    let from = text.floor_char_boundary(at.saturating_sub(AROUND));
    let to = text.ceil_char_boundary((at + value.len() + AROUND).min(text.len()));
    let part: String = text[from..to]
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    format!(
        "{}{}{}",
        if from > 0 { "…" } else { "" },
        part.trim(),
        if to < text.len() { "…" } else { "" }
    )
}

#[derive(Default)]
struct Hits(Vec<Hit>);

impl Hits {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn push(&mut self, indicator: u32, field: &str, value: &str) {
        const MAX_HITS: usize = 10_000;
        let is_repeated = self
            .0
            .last()
            .is_some_and(|last| last.indicator == indicator && last.reason.field == field);
        if self.0.len() < MAX_HITS && !is_repeated {
            self.0.push(Hit {
                indicator,
                reason: Reason::new(field, value),
            });
        }
    }

    /// The reasons by indicator in the order of first sight, and how many indicators were left out.
    fn by_indicator(self) -> (Vec<(u32, Vec<Reason>)>, usize) {
        let mut groups: Vec<(u32, Vec<Reason>)> = Vec::new();
        let mut numbers = rustc_hash::FxHashMap::default();
        for hit in self.0 {
            let number = *numbers.entry(hit.indicator).or_insert_with(|| {
                groups.push((hit.indicator, Vec::new()));
                groups.len() - 1
            });
            let reasons = &mut groups[number].1;
            if reasons.len() < MAX_REASONS && !reasons.contains(&hit.reason) {
                reasons.push(hit.reason);
            }
        }
        let left_out = groups.len().saturating_sub(MAX_FINDINGS);
        groups.truncate(MAX_FINDINGS);
        (groups, left_out)
    }
}

fn lookup(table: &Table, kind: Kind, key: &[u8], hit: &mut dyn FnMut(u32)) {
    let hash = Rolling::of(key).finish(kind as u8);
    if let Some(indicator) = table.find(hash, kind, key) {
        hit(indicator);
    }
}

#[inline]
fn lookup_name(table: &Table, hash: Rolling, name: &[u8], hit: &mut dyn FnMut(u32)) {
    let full = hash.finish(Kind::Domain as u8);
    if table.may_hold(full)
        && let Some(indicator) = table.find(full, Kind::Domain, &name.to_ascii_lowercase())
    {
        hit(indicator);
    }
}

/// Looks `address` up under every prefix length in use.
fn ip(table: &Table, address: IpAddr, hit: &mut dyn FnMut(u32)) {
    match address {
        IpAddr::V4(v4) => {
            let bits = v4.to_bits();
            for &length in table.lengths_v4() {
                let network = (bits & mask_v4(length)).to_be_bytes();
                let [a, b, c, d] = network;
                lookup(table, Kind::Ipv4, &[length, a, b, c, d], hit);
            }
        }
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            for &length in table.lengths_v6() {
                let mut key = [0; 17];
                key[0] = length;
                key[1..].copy_from_slice(&(bits & mask_v6(length)).to_be_bytes());
                lookup(table, Kind::Ipv6, &key, hit);
            }
        }
    }
}

/// Four decimal numbers; cheaper than the general parser, which would see every version number.
fn parse_v4(text: &[u8]) -> Option<Ipv4Addr> {
    if text.len() > 15 {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}
