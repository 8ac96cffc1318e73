//! Matching events, one thread each.

use std::sync::Arc;

use blackrod_model::{Entity, Event, EvidenceId, Finding, FindingId, Premise, Source};
use rustc_hash::{FxHashMap, FxHashSet};

use super::event::{Slots, View, push_lower};
use super::index::Marks;
use super::memo::Memo;
use super::route::{LogKey, Route};
use super::rule::Rule;
use super::{CODE, Rules};
use crate::{Found, entities};

/// The scratch memory of one thread that matches events. Makes the same findings whatever it saw before.
pub struct Scanner<'r> {
    rules: &'r Rules,
    slots: Slots,
    marks: Marks,
    memo: Memo,
    matched: Vec<u32>,
    /// All texts of the event at hand in lower case.
    texts: String,
    routes: Vec<Arc<Route>>,
    /// The name of a log and an event id, to a route's number.
    logs: FxHashMap<(u32, u32), u32>,
    /// Product, channel and where there is none provider, to a log's number.
    names: FxHashMap<String, u32>,
    name: String,
    last_log: Option<(String, u32)>,
    seen: FxHashSet<LogKey>,
    stats: Stats,
}

/// What a scanner did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Events looked at.
    pub events: u64,
    /// Events that no rule is about.
    pub unrouted: u64,
    /// Events whose verdict was remembered from an equal one.
    pub remembered: u64,
    /// Rules whose condition was evaluated.
    pub evaluated: u64,
    /// Rules that matched.
    pub matched: u64,
}

/// Logs told apart before the scanner's own table of them starts anew: hostile evidence can name
/// any number.
const MAX_LOGS: usize = 4_096;
/// The longest name that can be that of a log. The longest of Windows have some 120 bytes.
const MAX_NAME: usize = 512;

impl<'r> Scanner<'r> {
    /// A scanner for `rules`.
    pub(super) fn new(rules: &'r Rules) -> Self {
        Self {
            rules,
            slots: Slots::new(&rules.names),
            marks: Marks::default(),
            memo: Memo::new(),
            matched: Vec::new(),
            texts: String::new(),
            routes: Vec::new(),
            logs: FxHashMap::default(),
            names: FxHashMap::default(),
            name: String::new(),
            last_log: None,
            seen: FxHashSet::default(),
            stats: Stats::default(),
        }
    }

    /// Matches one event and adds what it finds to `found`.
    pub fn event(&mut self, evidence: EvidenceId, event: &Event<'_>, found: &mut Found) {
        self.enriched(evidence, event, event, found);
    }

    /// Matches `event`, which is `record` with more fields, and adds what it finds to `found`; what findings share is
    /// taken from `record`.
    pub fn enriched(
        &mut self,
        evidence: EvidenceId,
        event: &Event<'_>,
        record: &Event<'_>,
        found: &mut Found,
    ) {
        self.stats.events += 1;
        let number = self.route_number(&event.source);
        let route = Arc::clone(&self.routes[number as usize]);
        if route.members.is_empty() {
            self.stats.unrouted += 1;
            return;
        }
        self.slots.fill(event, &route.wanted, &route.aliases);
        self.matched.clear();
        let folded = self.match_fields(number, &route, event);
        self.match_everything(&route, event, folded);
        if self.matched.is_empty() {
            return;
        }
        self.stats.matched += self.matched.len() as u64;
        if !folded {
            self.slots.fold(event);
        }
        let view = View {
            event,
            slots: &self.slots,
            names: &self.rules.names,
        };
        let entities = entities::of(record);
        for member in &self.matched {
            if let Some(rule) = self.rules.member(&route, *member) {
                report(rule, evidence, view, &entities, found);
            }
        }
    }

    /// The kinds of records met so far.
    pub fn seen(&self) -> impl Iterator<Item = &LogKey> + Clone {
        self.seen.iter()
    }

    /// What was done so far.
    pub fn stats(&self) -> Stats {
        self.stats
    }

    /// Matches the rules that read named fields. Says whether the texts were folded for that.
    fn match_fields(&mut self, number: u32, route: &Route, event: &Event<'_>) -> bool {
        let indices = route.indices(&self.rules.rules);
        if indices.fields.is_empty() {
            return false;
        }
        let decisive = self.slots.filled().iter().copied();
        let values = decisive
            .filter(|field| route.is_decisive(*field))
            .filter_map(|field| Some((field, self.slots.value(event, field)?)));
        let key = self.memo.key(number, values);
        if let Some(verdict) = self.memo.get(key) {
            self.stats.remembered += 1;
            self.matched.extend_from_slice(verdict);
            return false;
        }
        self.slots.fold(event);
        indices.fields.mark(&self.slots, &mut self.marks);
        self.evaluate_marked(route, event);
        self.memo.put(key, &self.matched);
        true
    }

    /// Matches the rules that look at texts wherever they stand.
    fn match_everything(&mut self, route: &Route, event: &Event<'_>, mut folded: bool) {
        let indices = route.indices(&self.rules.rules);
        if !indices.has_everything {
            return;
        }
        if !indices.everything.is_empty() {
            if !folded {
                self.slots.fold(event);
                folded = true;
            }
            indices.everything.mark(&self.slots, &mut self.marks);
        }
        if indices.everything.has_keywords() {
            self.texts.clear();
            for field in &event.fields {
                field.value.each_str(&mut |text| {
                    push_lower(text, &mut self.texts);
                    self.texts.push('\n');
                });
            }
            indices.everything.mark_keywords(&self.texts, &mut self.marks);
        }
        if self.marks.is_empty() {
            return;
        }
        if !folded {
            self.slots.fold(event);
        }
        self.evaluate_marked(route, event);
    }

    fn evaluate_marked(&mut self, route: &Route, event: &Event<'_>) {
        let view = View {
            event,
            slots: &self.slots,
            names: &self.rules.names,
        };
        let (matched, stats) = (&mut self.matched, &mut self.stats);
        self.marks.drain(|member| {
            let Some((number, condition)) = route.members.get(member as usize) else {
                return;
            };
            let Some(rule) = self.rules.rules.get(*number as usize) else {
                return;
            };
            stats.evaluated += 1;
            if condition.as_ref().is_none_or(|condition| condition.matches(view)) && rule.expr.matches(view) {
                matched.push(member);
            }
        });
    }

    fn route_number(&mut self, source: &Source<'_>) -> u32 {
        let log = self.log_number(source);
        if let Some(&number) = self.logs.get(&(log, source.event_id)) {
            return number;
        }
        if self.logs.len() >= MAX_LOGS {
            self.logs.clear();
        }
        let route = self
            .rules
            .router
            .route(source, &self.rules.rules, &self.rules.names);
        // Many event ids share the route for ids that no rule mentions.
        let position = self.routes.iter().position(|known| Arc::ptr_eq(known, &route));
        let position = position.unwrap_or_else(|| {
            self.seen.insert(route.key.clone());
            self.routes.push(route);
            self.routes.len() - 1
        });
        // Routes are bounded by what rules mention, far below 2^32.
        let number = u32::try_from(position).unwrap_or(0);
        self.logs.insert((log, source.event_id), number);
        number
    }

    /// A number for the log's name. Records of one log mostly follow each other.
    fn log_number(&mut self, source: &Source<'_>) -> u32 {
        let by_channel = !source.channel.is_empty();
        let own = if by_channel {
            &source.channel
        } else {
            &source.provider
        };
        self.name.clear();
        self.name.push_str(source.product);
        self.name.push(if by_channel { '\0' } else { '\u{1}' });
        if own.len() <= MAX_NAME {
            self.name.push_str(own);
        }
        if let Some((name, number)) = &self.last_log
            && *name == self.name
        {
            return *number;
        }
        if self.names.len() >= MAX_LOGS {
            self.names.clear();
            self.logs.clear();
        }
        let next = u32::try_from(self.names.len()).unwrap_or(0);
        let number = *self.names.entry(self.name.clone()).or_insert(next);
        self.last_log = Some((self.name.clone(), number));
        number
    }
}

/// Adds a match of `rule` to what was found.
fn report(rule: &Rule, evidence: EvidenceId, view: View<'_>, entities: &[Entity], found: &mut Found) {
    let event = view.event;
    if let Some(fields) = &rule.premise {
        let text = |name: &String| Some((name.clone(), view.by_name(name)?.to_text()?.into_owned()));
        found.premises.push(Premise {
            rule_id: rule.id.clone(),
            time: event.time,
            evidence,
            at: event.at,
            fields: fields.iter().filter_map(text).collect(),
        });
    }
    if !rule.fires {
        return;
    }
    let mut reasons = Vec::new();
    rule.expr.reasons(view, &mut reasons);
    found.findings.push(Finding {
        id: FindingId::new(CODE, &rule.id, evidence, event.at, ""),
        code: CODE.to_owned(),
        rule_id: rule.id.clone(),
        title: rule.title.clone(),
        severity: rule.severity,
        time: event.time,
        evidence,
        at: event.at,
        class: event.class.0,
        attack: rule.attack.clone(),
        reasons,
        entities: entities.to_vec(),
    });
}
