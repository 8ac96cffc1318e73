//! From the log that a record was written to, to the rules that are about it.
//!
//! Decided record by record, from channel, provider and event id: logs are forwarded, merged and
//! exported in every mixture, so a file says nothing about its next record.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use blackrod_model::Source;
use rustc_hash::{FxHashMap, FxHashSet};

use super::alias::Alias;
use super::expr::{Expr, Reads};
use super::index::Index;
use super::logsources::{LogSources, Product};
use super::names::{FieldId, Names, ReadFields};
use super::rule::Rule;

/// A kind of record, as far as rules can tell. Only names that the table or a rule mentions are told
/// apart, so hostile evidence cannot make many of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogKey {
    product: Box<str>,
    log: Box<str>,
    event_id: Option<u32>,
}

/// The rules for one kind of record.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) key: LogKey,
    /// Numbers of the rules in the set, with what else the record must be like.
    pub(super) members: Vec<(u32, Option<Expr>)>,
    pub(super) aliases: Vec<Alias>,
    /// The fields that any of the rules read.
    pub(super) wanted: ReadFields,
    /// The fields that rules without keywords read: what the verdict on those depends on.
    decisive: FxHashSet<FieldId>,
    indices: OnceLock<Indices>,
}

/// Indices by members' numbers. Built when the first such record is met.
#[derive(Debug)]
pub(super) struct Indices {
    /// Over rules that read named fields only.
    pub(super) fields: Index,
    /// Over rules that look at texts wherever they stand.
    pub(super) everything: Index,
    /// Whether there are rules of the second kind.
    pub(super) has_everything: bool,
}

/// All routes, made as records call for them.
#[derive(Debug)]
pub(super) struct Router {
    table: LogSources,
    /// Event ids that the table or a rule mentions.
    event_ids: FxHashSet<u32>,
    /// Products, services and categories that rules mention.
    vocabulary: FxHashSet<String>,
    /// Field numbers of the table's conditions.
    conditions: Vec<FieldId>,
    routes: RwLock<FxHashMap<LogKey, Arc<Route>>>,
}

impl Router {
    /// A router for `rules`; adds to `names` the fields that the table's conditions read.
    pub(super) fn new(rules: &[Rule], names: &mut Names) -> Self {
        let table = LogSources::builtin();
        let mut event_ids = FxHashSet::default();
        let mut conditions = Vec::new();
        for product in table.products() {
            event_ids.extend(product.alias_events());
            for records in product.all_records() {
                event_ids.extend(&records.events);
                conditions.extend(records.condition.keys().map(|name| names.intern(name)));
            }
        }
        event_ids.extend(rules.iter().flat_map(|rule| rule.event_ids.iter().flatten()));
        let vocabulary = rules
            .iter()
            .flat_map(|rule| [&rule.product, &rule.category, &rule.service])
            .flatten()
            .cloned()
            .collect();
        Self {
            table,
            event_ids,
            vocabulary,
            conditions,
            routes: RwLock::default(),
        }
    }

    /// Why no record of a product with a table can ever get to `rule`; `None` if one can.
    pub(super) fn unroutable(&self, rule: &Rule) -> Option<String> {
        let product = self.table.product(rule.product.as_deref()?)?;
        if let Some(service) = &rule.service
            && !product.has_service(service)
        {
            return Some(format!("no log is known for its service `{service}`"));
        }
        let category = rule.category.as_deref()?;
        match product.category(category) {
            None => Some(format!("no records are known for its category `{category}`")),
            Some([]) => Some(format!("no event log holds records of its category `{category}`")),
            Some(_) => None,
        }
    }

    /// The kind of a record.
    fn key(&self, source: &Source<'_>) -> LogKey {
        if let Some(product) = self.table.product(source.product) {
            let log = product.log(&source.channel, &source.provider);
            return LogKey {
                product: source.product.into(),
                log: log.into(),
                event_id: self
                    .event_ids
                    .contains(&source.event_id)
                    .then_some(source.event_id),
            };
        }
        let known = |name: &str| {
            let lower = name.to_lowercase();
            if self.vocabulary.contains(&lower) {
                lower
            } else {
                String::new()
            }
        };
        LogKey {
            product: known(source.product).into(),
            log: known(&source.channel).into(),
            event_id: None,
        }
    }

    /// The rules for a record.
    pub(super) fn route(&self, source: &Source<'_>, rules: &[Rule], names: &Names) -> Arc<Route> {
        let key = self.key(source);
        // A thread that panicked while it held the lock left the map as it was or with one more
        // complete entry, so a poisoned lock is as good as another.
        let known = self.routes.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(route) = known.get(&key) {
            return Arc::clone(route);
        }
        drop(known);
        let route = Arc::new(self.build(key.clone(), rules, names));
        let mut routes = self.routes.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(routes.entry(key).or_insert(route))
    }

    fn build(&self, key: LogKey, rules: &[Rule], names: &Names) -> Route {
        let mut members = Vec::new();
        let mut read = Vec::new();
        let mut decisive = FxHashSet::default();
        for (number, rule) in (0..).zip(rules) {
            let Some(condition) = self.admits(&key, rule, names) else {
                continue;
            };
            let mut reads = Reads::default();
            if let Some(Expr::All(parts)) = &condition {
                reads
                    .fields
                    .extend(self.conditions.iter().filter(|_| !parts.is_empty()));
            }
            reads.fields.extend(&rule.fields);
            read.extend(&reads.fields);
            if !rule.reads_everything {
                decisive.extend(&reads.fields);
            }
            members.push((number, condition));
        }
        Route {
            aliases: self
                .table
                .product(&key.product)
                .map(|product| product.aliases(&key.log, key.event_id))
                .unwrap_or_default(),
            key,
            members,
            wanted: ReadFields::new(read.into_iter().map(|id| (names.name(id), id))),
            decisive,
            indices: OnceLock::new(),
        }
    }

    /// Whether `rule` is about records of this kind; if so, what else the record must be like.
    #[expect(
        clippy::option_option,
        reason = "about it or not, and if so with a condition or without"
    )]
    fn admits(&self, key: &LogKey, rule: &Rule, names: &Names) -> Option<Option<Expr>> {
        if rule
            .product
            .as_deref()
            .is_some_and(|product| product != &*key.product)
        {
            return None;
        }
        match self.table.product(&key.product) {
            Some(product) => admits_tabled(product, key, rule, names),
            None => admits_named(key, rule).then_some(None),
        }
    }

    /// Whether any of `keys` is a kind of record that `rule` is about.
    pub(super) fn reaches<'k>(
        &self,
        rule: &Rule,
        names: &Names,
        mut keys: impl Iterator<Item = &'k LogKey>,
    ) -> bool {
        keys.any(|key| self.admits(key, rule, names).is_some())
    }
}

impl Route {
    /// Whether the verdict of rules without keywords depends on `field`.
    pub(super) fn is_decisive(&self, field: FieldId) -> bool {
        self.decisive.contains(&field)
    }

    /// The indices over the members.
    pub(super) fn indices(&self, rules: &[Rule]) -> &Indices {
        self.indices.get_or_init(|| {
            let of_kind = |everything: bool| {
                (0u32..)
                    .zip(&self.members)
                    .filter_map(move |(member, (number, _))| {
                        let rule = rules.get(*number as usize)?;
                        (rule.reads_everything == everything).then_some((member, &rule.gate))
                    })
            };
            Indices {
                fields: Index::build(of_kind(false)),
                everything: Index::build(of_kind(true)),
                has_everything: of_kind(true).next().is_some(),
            }
        })
    }
}

fn admits_tabled(product: &Product, key: &LogKey, rule: &Rule, names: &Names) -> Option<Option<Expr>> {
    if let Some(service) = &rule.service
        && !product.is_in(service, &key.log)
    {
        return None;
    }
    if let Some(event_ids) = &rule.event_ids
        && !key.event_id.is_some_and(|event_id| event_ids.contains(&event_id))
    {
        return None;
    }
    let Some(category) = &rule.category else {
        return Some(None);
    };
    // Event ids that nothing mentions are those of records that no list of event ids is about.
    let event_id = key.event_id.unwrap_or(u32::MAX);
    let records = product.records(category, &key.log, event_id).next()?;
    if records.condition.is_empty() {
        return Some(None);
    }
    let parts = records
        .condition
        .iter()
        .filter_map(|(name, texts)| Some(Expr::one_of(names.find(name)?, texts)))
        .collect();
    Some(Some(Expr::All(parts)))
}

/// Products without a table: the log is called as rules call their service or category, or the
/// product itself is what they call their category (`email`).
fn admits_named(key: &LogKey, rule: &Rule) -> bool {
    let service_fits = rule.service.as_deref().is_none_or(|service| service == &*key.log);
    let category_fits = rule
        .category
        .as_deref()
        .is_none_or(|category| category == &*key.log || category == &*key.product);
    service_fits && category_fits
}
