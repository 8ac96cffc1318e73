//! Events → findings.
//!
//! Rules and indicators are compiled once into [`Detectors`], which all threads share; each thread
//! has a [`Scanner`], which is cheap. Adding a detector is one folder here, one line in
//! [`Scanner::event`] and one in [`explain::ALL`]; adding a rule takes no Rust at all.

pub mod accounts;
pub mod analytics;
pub mod canary;
pub mod content;
pub mod coverage;
pub mod entities;
pub mod explain;
pub mod flood;
pub mod indicators;
pub mod rarity;
pub mod register;
mod rule_files;
pub mod senders;
pub mod servers;
pub mod sigma;
pub mod yara;

pub use blackrod_traffic as traffic;

use std::path::PathBuf;

use blackrod_mail as mail;
use blackrod_model::{
    Estate, Event, EvidenceId, Fact, Finding, Flow, Position, Premise, Refusal, RuleProblem, RuleSet, Sha256,
    clip,
};
use blackrod_traffic::Watch;
use rustc_hash::FxHashSet;

use content::Content;

/// Where rules and indicators come from.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// Use the rules that blackrod comes with.
    pub builtin: bool,
    /// Folders with Sigma rules (`.yml`, `.yaml`), YARA rules (`.yar`, `.yara`) and analytics (`.sql`), in any mixture.
    pub rule_dirs: Vec<PathBuf>,
    /// Files of indicators: STIX 2.1, CSV, plain lists.
    pub indicator_files: Vec<PathBuf>,
    /// Folders with the marks of canaries, as `blackrod canary make` writes them.
    pub canary_dirs: Vec<PathBuf>,
    /// Records of the DNS by which the origin of mail is checked once more (see [`mail::dns`]).
    pub dns_files: Vec<PathBuf>,
}

/// Everything that finds, compiled. Immutable; shared by all threads.
pub struct Detectors {
    sigma: sigma::Rules,
    yara: yara::Rules,
    indicators: indicators::Set,
    anatomy: mail::Anatomy,
    estate: Estate,
    registers: register::extract::Registers,
    canaries: Vec<canary::Set>,
    analytics: analytics::Analytics,
}

/// What detectors found in some evidence.
#[derive(Debug, Default)]
pub struct Found {
    /// Claims about single records.
    pub findings: Vec<Finding>,
    /// Matches that mean something only together; collected over all evidence and handed to
    /// [`Detectors::correlate`] in the order of their times.
    pub premises: Vec<Premise>,
    /// What is kept of records that mean something only among others; collected over all evidence and judged
    /// in the order of their times.
    pub facts: Vec<Fact>,
    /// What detectors could not search to its end.
    pub refusals: Vec<Refusal>,
}

impl Found {
    /// How many findings, premises and facts there are.
    pub fn len(&self) -> usize {
        self.findings.len() + self.premises.len() + self.facts.len()
    }

    /// Whether there are none of them.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Which kinds of records there were: what [`Detectors::idle`] needs to know.
#[derive(Clone, Debug, Default)]
pub struct SeenSources(FxHashSet<sigma::LogKey>);

/// One thread's tools. They keep what they learn about the logs, so one that lives long is faster;
/// what it finds does not depend on what it saw before.
pub struct Scanner<'d> {
    sigma: sigma::Scanner<'d>,
    yara: yara::Scanner<'d>,
    indicators: &'d indicators::Set,
    anatomy: &'d mail::Anatomy,
    registers: &'d register::extract::Registers,
    canaries: &'d [canary::Set],
    processes: rarity::Extractor<'static>,
    requests: flood::requests::Collector,
    traffic: Watch,
    attacks: servers::Memory,
}

/// Why rules or indicators could not be loaded at all. A single bad rule is no such reason; it is
/// told in the [`RuleSet`](blackrod_model::RuleSet).
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A folder that the user named cannot be read.
    #[error("cannot read the rules in {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The marks of canaries in a folder that the user named cannot be read.
    #[error("cannot read the canaries in {0}")]
    Canaries(String),
    /// Records of the DNS that the user named cannot be read.
    #[error("cannot read the records of the DNS in {0}")]
    Dns(String),
    /// A file of indicators that the user named cannot be read.
    #[error("cannot read the indicators in {}: {source}", path.display())]
    Indicators {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Detectors {
    /// Loads and compiles everything, for `estate`. The [`RuleSet`]s, one for each method, say how much was
    /// loaded, and what was not and why.
    ///
    /// # Errors
    ///
    /// [`LoadError`] when a folder or a file that was named cannot be read.
    pub fn load(sources: &Sources, estate: &Estate) -> Result<(Self, Vec<RuleSet>), LoadError> {
        let (sigma, sigma_set) = sigma::Rules::load(&sources.rule_dirs, sources.builtin)?;
        let (yara, yara_set) = yara::Rules::load(&sources.rule_dirs, sources.builtin)?;
        let (analytics, analytic_set) = analytics::Analytics::load(&sources.rule_dirs, sources.builtin)?;
        let (indicators, indicator_set) = indicators::Set::load(&sources.indicator_files)?;
        let canaries = sources.canary_dirs.iter().map(|folder| canary::load(folder));
        let canaries = canaries
            .collect::<Result<Vec<_>, _>>()
            .map_err(LoadError::Canaries)?;
        let dns = dns_records(&sources.dns_files)?;
        let detectors = Self {
            yara,
            indicators,
            anatomy: mail::Anatomy::new(estate)
                .with_dns(dns)
                .with_language(sigma.reads("language")),
            estate: estate.clone(),
            registers: register::extract::Registers::new(estate),
            canaries,
            analytics,
            sigma,
        };
        Ok((detectors, vec![sigma_set, yara_set, indicator_set, analytic_set]))
    }

    /// The tools of one thread.
    pub fn scanner(&self) -> Scanner<'_> {
        Scanner {
            sigma: self.sigma.scanner(),
            yara: self.yara.scanner(),
            indicators: &self.indicators,
            anatomy: &self.anatomy,
            registers: &self.registers,
            canaries: &self.canaries,
            processes: rarity::Extractor::new(rarity::Table::builtin()),
            requests: flood::requests::Collector::default(),
            traffic: Watch::new(&self.estate),
            attacks: servers::Memory::default(),
        }
    }

    /// Finds what the premises of all evidence come to together.
    pub fn correlator(&self) -> sigma::Correlator {
        self.sigma.correlator()
    }

    /// The rules that can never match evidence in which no other kinds of records were seen.
    pub fn idle(&self, seen: &SeenSources) -> Vec<RuleProblem> {
        self.sigma.idle(seen.0.iter())
    }

    /// What the author of a rule says about it, by its id or title; `None` if no such rule is loaded.
    pub fn explain_rule(&self, rule: &str) -> Option<String> {
        self.sigma.explain(rule).or_else(|| self.analytics.explain(rule))
    }

    /// The questions in SQL that every case is asked.
    pub fn analytics(&self) -> &[analytics::Analytic] {
        &self.analytics.all
    }
}

impl Scanner<'_> {
    /// Looks at one record and adds what is found to `found`.
    pub fn event(&mut self, evidence: EvidenceId, event: &Event<'_>, found: &mut Found) {
        match self.anatomy.facts_and_text(evidence, event) {
            Some((facts, text)) => {
                let enriched = mail::fields::with_facts(event, &facts, &text);
                self.sigma.enriched(evidence, &enriched, event, found);
                found.facts.extend(Fact::of(&facts));
            }
            None => self.sigma.event(evidence, event, found),
        }
        let act = accounts::extract::act(evidence, event);
        found.facts.extend(act.as_ref().and_then(Fact::of));
        let reads = self.registers.reads(evidence, event);
        found.facts.extend(reads.iter().filter_map(Fact::of));
        for canaries in self.canaries {
            let refusals = canaries.search(event, evidence, &mut found.findings);
            found.refusals.extend(refusals);
        }
        let file = register::extract::file(evidence, event);
        found.facts.extend(file.as_ref().and_then(Fact::of));
        let act = servers::extract::act(evidence, event, &mut self.attacks);
        found.facts.extend(act.as_ref().and_then(Fact::of));
        self.indicators.search(event, evidence, &mut found.findings);
        self.traffic.event(evidence, event);
        let unproved = senders::Unproved::of(evidence, event);
        found.facts.extend(unproved.as_ref().and_then(Fact::of));
        let process = self.processes.facts(evidence, event);
        found.facts.extend(process.as_ref().and_then(Fact::of));
        self.requests.event(evidence, event, &mut found.facts);
        if event.mail.is_some() {
            let refusals = self.yara.search(event, evidence, &mut found.findings);
            found.refusals.extend(refusals);
        }
    }

    /// Hands over what is kept of several records together. To be called at the end of each block, so that what is kept
    /// depends on the evidence alone.
    pub fn end_of_block(&mut self, found: &mut Found) {
        self.requests.flush(&mut found.facts);
        found.facts.extend(self.traffic.take());
    }

    /// Looks at flows, the first of which stands at `at`. What they come to is told by
    /// [`end_of_block`](Self::end_of_block).
    pub fn flows(&mut self, evidence: EvidenceId, at: Position, flows: &[Flow]) {
        self.traffic.push(evidence, at, flows);
    }

    /// Looks at a file that holds no records, called `name`, and adds what is found to `found`.
    /// `sha256` is its digest.
    pub fn content(
        &mut self,
        evidence: EvidenceId,
        name: &str,
        bytes: &[u8],
        sha256: &Sha256,
        found: &mut Found,
    ) {
        let content = Content::file(evidence, Some(name), bytes);
        found
            .refusals
            .extend(self.yara.search_content(&content, &mut found.findings));
        for canaries in self.canaries {
            found
                .refusals
                .extend(canaries.search_content(&content, &mut found.findings));
        }
        if self.indicators.is_empty() {
            return;
        }
        let mut hasher = self.indicators.hasher();
        hasher.update(bytes);
        let mut digests = hasher.finish();
        digests.sha256 = Some(*sha256);
        self.indicators
            .search_content(&content, &digests, &mut found.findings);
    }

    /// Which kinds of records this scanner met.
    pub fn into_seen(self) -> SeenSources {
        SeenSources(self.sigma.seen().cloned().collect())
    }
}

/// The records of the DNS in `files` (zone files, or what dig prints); `None` where there are no files.
///
/// # Errors
///
/// [`LoadError::Dns`] for a file that cannot be read.
pub fn dns_records(files: &[PathBuf]) -> Result<Option<mail::dns::Records>, LoadError> {
    let zones = files.iter().map(|file| {
        let name = file.display().to_string();
        match rule_files::read_text(file, mail::dns::MAX_ZONE, "a file of records") {
            Ok(text) => Ok((name, text)),
            Err(reason) => Err(LoadError::Dns(format!("{name}: {reason}"))),
        }
    });
    let zones = zones.collect::<Result<Vec<_>, _>>()?;
    match zones.is_empty() {
        true => Ok(None),
        false => mail::dns::Records::parse(&zones)
            .map(Some)
            .map_err(LoadError::Dns),
    }
}

impl SeenSources {
    /// Adds what another scanner met.
    pub fn merge(&mut self, other: Self) {
        self.0.extend(other.0);
    }
}
