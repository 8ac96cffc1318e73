//! Reading rules from folders.

use std::path::{Path, PathBuf};

use blackrod_model::{RuleProblem, RuleSet, Sha256};
use include_dir::{Dir, include_dir};
use rayon::iter::{IntoParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};
use rsigma_eval::{CompiledRule, Engine};
use rsigma_parser::{CorrelationRule, FilterRule, SigmaCollection, SigmaRule};
use rustc_hash::FxHashMap;

use super::Rules;
use super::correlate::Correlations;
use super::gate::Commonness;
use super::names::Names;
use super::route::Router;
use super::rule::Rule;
use crate::{LoadError, rule_files};

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../content/sigma");

/// The largest file that can be a rule. The longest of SigmaHQ is 40 kB.
const MAX_FILE: u64 = 4 << 20;

/// A file with its text.
struct RuleFile {
    name: String,
    text: String,
}

/// What a file holds.
struct Parsed {
    name: String,
    text: String,
    collection: SigmaCollection,
}

/// A rule and where it stands.
struct Sourced<'p, T> {
    file: &'p Parsed,
    rule: &'p T,
}

impl Rules {
    /// Reads the rules in `dirs` and the folders below them, after blackrod's own if `builtin`. Of
    /// rules with the same id the last one counts. Files that are no rules, rules that cannot be
    /// compiled and rules whose log source is unknown are told in the [`RuleSet`].
    ///
    /// # Errors
    ///
    /// [`LoadError::Folder`] when a folder cannot be read.
    pub fn load(dirs: &[PathBuf], builtin: bool) -> Result<(Self, RuleSet), LoadError> {
        let mut files = Vec::new();
        if builtin {
            builtin_files(&BUILTIN, &mut files);
        }
        let mut problems = Vec::new();
        for dir in dirs {
            read_folder(dir, &mut files, &mut problems)?;
        }
        let parsed = parse(files, &mut problems);
        Ok(build(&parsed, problems))
    }
}

fn builtin_files(dir: &Dir<'_>, out: &mut Vec<RuleFile>) {
    for file in dir.files() {
        if let (true, Some(text)) = (is_yaml(file.path()), file.contents_utf8()) {
            out.push(RuleFile {
                name: format!("builtin:{}", file.path().display()),
                text: text.to_owned(),
            });
        }
    }
    for sub in dir.dirs() {
        builtin_files(sub, out);
    }
}

fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yml") || extension.eq_ignore_ascii_case("yaml")
    })
}

fn read_folder(
    dir: &Path,
    out: &mut Vec<RuleFile>,
    problems: &mut Vec<RuleProblem>,
) -> Result<(), LoadError> {
    let paths = match dir.is_file() {
        true => vec![dir.to_owned()],
        false => rule_files::list(dir, is_yaml)?,
    };
    let read: Vec<_> = paths
        .par_iter()
        .map(|path| (path, rule_files::read_text(path, MAX_FILE, "a rule")))
        .collect();
    for (path, text) in read {
        let name = path.display().to_string();
        match text {
            Ok(text) => out.push(RuleFile { name, text }),
            Err(reason) => problems.push(problem(name, "", reason)),
        }
    }
    Ok(())
}

/// Parses all files; what is no rule is told: one line per rule that cannot be read, one for all
/// files that are something else.
fn parse(files: Vec<RuleFile>, problems: &mut Vec<RuleProblem>) -> Vec<Parsed> {
    let (rules, others): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| looks_like_sigma(&file.text));
    if let Some(first) = others.first() {
        let reason = match others.len() {
            1 => "is no Sigma rule: it has no `detection`, `correlation` or `filter`".to_owned(),
            count => format!(
                "this and {} more YAML files are no Sigma rules: they have no `detection`, `correlation` or `filter`",
                count - 1
            ),
        };
        problems.push(problem(first.name.clone(), "", reason));
    }
    let parsed: Vec<_> = rules
        .into_par_iter()
        .map(|file| {
            let collection = rsigma_parser::parse_sigma_yaml(&file.text);
            (file, collection)
        })
        .collect();
    let mut good = Vec::with_capacity(parsed.len());
    for (file, collection) in parsed {
        match collection {
            Ok(collection) => {
                let errors = collection.errors.iter();
                problems.extend(errors.map(|error| problem(file.name.clone(), "", error.clone())));
                good.push(Parsed {
                    name: file.name,
                    text: file.text,
                    collection,
                });
            }
            Err(error) => problems.push(problem(file.name, "", error.to_string())),
        }
    }
    good
}

/// Whether some line begins a part that only rules have.
fn looks_like_sigma(text: &str) -> bool {
    text.lines().any(|line| {
        ["detection:", "correlation:", "filter:", "action:"]
            .iter()
            .any(|key| line.starts_with(key))
    })
}

fn build(parsed: &[Parsed], mut problems: Vec<RuleProblem>) -> (Rules, RuleSet) {
    let rules = last_of_each_id(
        parsed,
        |collection| &collection.rules,
        |rule: &SigmaRule| (rule.id.as_deref(), &rule.title),
        &mut problems,
    );
    let correlations = last_of_each_id(
        parsed,
        |collection| &collection.correlations,
        |rule: &CorrelationRule| (rule.id.as_deref(), &rule.title),
        &mut problems,
    );
    let filters: Vec<&FilterRule> = parsed.iter().flat_map(|file| &file.collection.filters).collect();
    let compiled = compile(&rules, &filters, &mut problems);

    let mut names = Names::default();
    let event_id = names.intern("EventID");
    let mut loaded: Vec<Rule> = Vec::with_capacity(compiled.len());
    let mut texts: Vec<&str> = Vec::with_capacity(compiled.len());
    let mut sources: Vec<&SigmaRule> = Vec::with_capacity(compiled.len());
    for (sourced, compiled) in &compiled {
        loaded.push(Rule::new(
            &sourced.file.name,
            sourced.rule,
            compiled,
            event_id,
            &mut names,
        ));
        texts.push(&sourced.file.text);
        sources.push(sourced.rule);
    }
    let mut commonness = Commonness::default();
    loaded.iter().for_each(|rule| commonness.count(&rule.expr));
    loaded.iter_mut().for_each(|rule| rule.set_gate(&commonness));

    let correlation_rules: Vec<CorrelationRule> =
        correlations.iter().map(|sourced| sourced.rule.clone()).collect();
    let correlations = Correlations::new(correlation_rules, &sources, &mut loaded, &mut problems);
    texts.extend(
        parsed
            .iter()
            .filter(|file| !file.collection.correlations.is_empty() || !file.collection.filters.is_empty())
            .map(|file| file.text.as_str()),
    );

    let router = Router::new(&loaded, &mut names);
    let mut unroutable = 0;
    for rule in &loaded {
        if let Some(reason) = router.unroutable(rule) {
            unroutable += 1;
            problems.push(problem(rule.id.clone(), &rule.title, reason));
        }
    }
    texts.sort_unstable();
    texts.dedup();
    let at_work = loaded.len() - unroutable + correlations.len();
    problems.sort_unstable();
    let set = RuleSet {
        method: "sigma".to_owned(),
        loaded: at_work as u64,
        digest: Sha256::of_parts(texts.iter().map(|text| text.as_bytes())),
        refused: problems,
        idle: Vec::new(),
    };
    let rules = Rules {
        rules: loaded,
        names,
        router,
        correlations,
    };
    (rules, set)
}

/// All rules of one kind; of several with the same id the last, and a problem for each other that
/// is not the same.
fn last_of_each_id<'p, T: PartialEq>(
    parsed: &'p [Parsed],
    of: impl Fn(&'p SigmaCollection) -> &'p Vec<T>,
    identity: impl Fn(&'p T) -> (Option<&'p str>, &'p String),
    problems: &mut Vec<RuleProblem>,
) -> Vec<Sourced<'p, T>> {
    let mut rules: Vec<Option<Sourced<'p, T>>> = Vec::new();
    let mut by_id: FxHashMap<&str, usize> = FxHashMap::default();
    for file in parsed {
        for rule in of(&file.collection) {
            let (id, title) = identity(rule);
            if let Some(earlier) = id.and_then(|id| by_id.insert(id, rules.len()))
                && let Some(replaced) = rules.get_mut(earlier).and_then(Option::take)
                && replaced.rule != rule
            {
                let reason = format!("{} has a rule with the same id, which counts", file.name);
                problems.push(problem(replaced.file.name.clone(), title, reason));
            }
            rules.push(Some(Sourced { file, rule }));
        }
    }
    rules.into_iter().flatten().collect()
}

fn compile<'p>(
    rules: &'p [Sourced<'p, SigmaRule>],
    filters: &[&FilterRule],
    problems: &mut Vec<RuleProblem>,
) -> Vec<(&'p Sourced<'p, SigmaRule>, CompiledRule)> {
    let compiled: Vec<_> = rules
        .par_iter()
        .map(|sourced| (sourced, rsigma_eval::compile_rule(sourced.rule)))
        .collect();
    let mut good = Vec::with_capacity(compiled.len());
    for (sourced, result) in compiled {
        match result {
            Ok(rule) => good.push((sourced, rule)),
            Err(error) => {
                problems.push(problem(
                    sourced.file.name.clone(),
                    &sourced.rule.title,
                    error.to_string(),
                ));
            }
        }
    }
    if filters.is_empty() {
        return good;
    }
    // Only rsigma's engine can weave filters into rules; it hands them out again.
    let mut engine = Engine::new();
    let (sourced, rules): (Vec<_>, Vec<_>) = good.into_iter().unzip();
    engine.extend_compiled_rules(rules);
    for filter in filters {
        if let Err(error) = engine.apply_filter(filter) {
            problems.push(problem(filter.title.clone(), &filter.title, error.to_string()));
        }
    }
    sourced.into_iter().zip(engine.rules().iter().cloned()).collect()
}

fn problem(rule: String, title: &str, reason: String) -> RuleProblem {
    RuleProblem {
        rule,
        title: title.to_owned(),
        reason,
    }
}
