//! Analytics: questions in SQL that are asked of every case, as files that an analyst reads and changes.
//!
//! A file `NAME.sql` begins with a comment that is TOML ([`Front`]); the query follows. Its rows become findings: columns
//! `time`, `evidence`, `record` and `offset` say which record a row stands for, the others become the finding's reasons. See
//! `docs/analytics.md`. Here they are loaded, and rows are made findings; whoever has a case runs them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use blackrod_model::{
    Class, Entity, EntityKind, EvidenceId, Finding, FindingId, Position, Reason, RuleProblem, RuleSet,
    Severity, Sha256, Timestamp,
};
use include_dir::{Dir, include_dir};
use serde_json::{Map, Value};

use crate::{LoadError, clip, rule_files};

/// What `blackrod explain ANALYTIC` prints.
pub const EXPLAIN: &str = include_str!("analytics.md");

/// The code of findings of analytics.
pub const CODE: &str = "ANALYTIC";

/// Rows of one analytic that become findings; what is more is told.
pub const MAX_ROWS: usize = 500;

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../content/analytics");

/// Largest file.
const MAX_FILE: u64 = 1 << 20;

/// A question, with what is said of it.
#[derive(Clone, Debug)]
pub struct Analytic {
    /// Its file's name without `.sql`.
    pub id: String,
    /// What its comment says.
    pub front: Front,
    /// The query.
    pub sql: String,
}

/// The comment at the head of the file.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Front {
    /// The claim in a few words.
    pub title: String,
    /// `informational` to `critical`.
    pub severity: String,
    /// ATT&CK technique ids.
    #[serde(default)]
    pub attack: Vec<String>,
    /// Logs, `product/channel`, any one of which it needs; `*` stands for all.
    pub needs: Vec<String>,
    /// The title of each finding, with `{column}` for what is in the row; the title where there is none.
    #[serde(default)]
    pub says: String,
    /// Kinds of entities, and the columns that hold them.
    #[serde(default)]
    pub entities: BTreeMap<String, Vec<String>>,
    /// What it finds.
    pub finds: String,
    /// What it misses.
    pub misses: String,
    /// What is found though it is innocent.
    #[serde(default)]
    pub innocent: String,
}

/// All analytics.
#[derive(Clone, Debug, Default)]
pub struct Analytics {
    /// In the order of their names; a file of the user's takes the place of a built-in one of the same name.
    pub all: Vec<Analytic>,
}

impl Analytics {
    /// Loads the `.sql` files in `dirs` and the folders below them, over blackrod's own if `builtin`.
    ///
    /// # Errors
    ///
    /// [`LoadError::Folder`] when a folder cannot be read.
    pub fn load(dirs: &[PathBuf], builtin: bool) -> Result<(Self, RuleSet), LoadError> {
        let mut texts: BTreeMap<String, String> = BTreeMap::new();
        let mut refused = Vec::new();
        if builtin {
            for file in BUILTIN.files() {
                if let (Some(id), Some(text)) = (id_of(file.path()), file.contents_utf8()) {
                    texts.insert(id, text.to_owned());
                }
            }
        }
        for dir in dirs {
            read_folder(dir, &mut texts, &mut refused)?;
        }
        let mut all = Vec::new();
        for (id, text) in &texts {
            match parse(id, text) {
                Ok(analytic) => all.push(analytic),
                Err(reason) => refused.push(RuleProblem {
                    rule: id.clone(),
                    title: String::new(),
                    reason,
                }),
            }
        }
        let set = RuleSet {
            method: "analytics".to_owned(),
            loaded: all.len() as u64,
            digest: Sha256::of_parts(texts.values().map(String::as_bytes)),
            refused,
            idle: Vec::new(),
        };
        Ok((Self { all }, set))
    }

    /// What is said of the analytic with this id or title.
    pub fn explain(&self, id: &str) -> Option<String> {
        let found = self
            .all
            .iter()
            .find(|analytic| analytic.id == id || analytic.front.title.eq_ignore_ascii_case(id))?;
        let front = &found.front;
        let innocent = match front.innocent.trim() {
            "" => String::new(),
            text => format!("\n# What is innocent\n\n{text}\n"),
        };
        Some(format!(
            "{} ({}, {})\n\n# What it finds\n\n{}\n\n# What it needs\n\nAny of: {}\n\n# What it misses\n\n{}\n{innocent}\n# The question\n\n{}\n",
            front.title,
            front.severity,
            front.attack.join(", "),
            front.finds.trim(),
            front.needs.join(", "),
            front.misses.trim(),
            found.sql.trim()
        ))
    }
}

impl Analytic {
    /// Whether it has what it needs where these logs are there.
    pub fn is_fed(&self, has: &dyn Fn(&str) -> bool) -> bool {
        self.front.needs.iter().any(|need| has(need))
    }

    /// The finding that a row of its answer is.
    ///
    /// # Errors
    ///
    /// What is missing in the row, in words.
    pub fn finding(&self, row: &Map<String, Value>) -> Result<Finding, String> {
        let evidence = text(row, "evidence");
        let evidence: EvidenceId =
            serde_json::from_value(Value::String(evidence.clone())).map_err(|_| no_place(&evidence))?;
        let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or_default();
        let at = Position {
            offset: number("offset"),
            record: number("record"),
        };
        let mut title = if self.front.says.is_empty() {
            self.front.title.clone()
        } else {
            self.front.says.clone()
        };
        let mut detail = String::new();
        let mut reasons = vec![Reason::new("question", &self.front.title)];
        for (name, value) in row {
            if matches!(name.as_str(), "evidence" | "record" | "offset" | "time") {
                continue;
            }
            let shown = plain(value);
            title = title.replace(&format!("{{{name}}}"), clip(&shown, 120));
            if !shown.is_empty() {
                detail.push_str(&shown);
                detail.push('\n');
                reasons.push(Reason::new(name, &shown));
            }
        }
        let title = without_gaps(title);
        let mut entities = Vec::new();
        for (kind, columns) in &self.front.entities {
            let Some(kind) = EntityKind::from_name(kind) else {
                continue;
            };
            for column in columns {
                let entity = Entity::new(kind, &text(row, column));
                entities.extend(entity.filter(|entity| !entities.contains(entity)));
            }
        }
        let mut attack = self.front.attack.clone();
        attack.sort();
        Ok(Finding {
            id: FindingId::new(CODE, &self.id, evidence, at, &detail),
            code: CODE.to_owned(),
            rule_id: self.id.clone(),
            title,
            severity: severity(&self.front.severity).unwrap_or(Severity::Medium),
            time: Timestamp::parse(&text(row, "time")).unwrap_or_default(),
            evidence,
            at,
            class: Class::BASE_EVENT.0,
            attack,
            reasons,
            entities,
        })
    }
}

/// A title in which columns that the row leaves blank are called unknown.
fn without_gaps(mut title: String) -> String {
    while let Some((before, rest)) = title.split_once('{')
        && let Some((name, after)) = rest.split_once('}')
    {
        title = format!("{before}an unknown {name}{after}");
    }
    title
}

fn no_place(evidence: &str) -> String {
    format!("its rows name no record: column evidence is {evidence:?}")
}

fn text(row: &Map<String, Value>, name: &str) -> String {
    row.get(name).map(plain).unwrap_or_default()
}

/// A value as people write it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn severity(name: &str) -> Option<Severity> {
    Severity::ALL.into_iter().find(|known| known.name() == name)
}

fn id_of(path: &Path) -> Option<String> {
    let is_sql = path
        .extension()
        .is_some_and(|extension| extension.eq_ignore_ascii_case("sql"));
    is_sql.then(|| path.file_stem()?.to_str().map(str::to_owned))?
}

fn parse(id: &str, file: &str) -> Result<Analytic, String> {
    let rest = file
        .trim_start()
        .strip_prefix("/*")
        .ok_or("does not begin with a comment /* … */ that describes it")?;
    let (front, sql) = rest.split_once("*/").ok_or("its first comment does not end")?;
    let front: Front = toml::from_str(front).map_err(|error| format!("its comment: {}", error.message()))?;
    if severity(&front.severity).is_none() {
        return Err(format!("no severity is called {:?}", front.severity));
    }
    if let Some(kind) = front
        .entities
        .keys()
        .find(|kind| EntityKind::from_name(kind).is_none())
    {
        return Err(format!("no kind of entity is called {kind:?}"));
    }
    if sql.trim().is_empty() {
        return Err("holds no query".to_owned());
    }
    Ok(Analytic {
        id: id.to_owned(),
        front,
        sql: sql.trim().to_owned(),
    })
}

fn read_folder(
    dir: &Path,
    texts: &mut BTreeMap<String, String>,
    refused: &mut Vec<RuleProblem>,
) -> Result<(), LoadError> {
    for path in rule_files::list(dir, |path| id_of(path).is_some())? {
        let Some(id) = id_of(&path) else { continue };
        match rule_files::read_text(&path, MAX_FILE, "an analytic") {
            Ok(text) => {
                texts.insert(id, text);
            }
            Err(reason) => refused.push(RuleProblem {
                rule: id,
                title: String::new(),
                reason,
            }),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    #[test]
    fn the_built_in_ones_are_whole() {
        let (analytics, set) = Analytics::load(&[], true).unwrap();
        assert_eq!(set.refused, []);
        assert!(analytics.all.len() >= 8);
        for analytic in &analytics.all {
            assert!(!analytic.front.needs.is_empty(), "{}", analytic.id);
            for column in analytic.front.entities.values().flatten() {
                assert!(
                    analytic.sql.contains(column.as_str()),
                    "{}: {column}",
                    analytic.id
                );
            }
            let said = analytics.explain(&analytic.id).unwrap();
            assert!(said.contains("# What it misses"));
        }
    }

    #[test]
    fn a_row_becomes_a_finding() {
        let file = "/*\ntitle = \"T\"\nseverity = \"high\"\nneeds = [\"*\"]\nsays = \"{who} did {n}\"\nentities = { account = [\"who\"] }\nfinds = \"x\"\nmisses = \"y\"\n*/\nSELECT 1";
        let analytic = parse("t", file).unwrap();
        let evidence = EvidenceId::new(&Sha256::of(b"x"), "a").to_string();
        let row = json!({"who": "Anna", "n": 3, "evidence": evidence, "record": 7, "offset": 70, "time": "2021-01-20T03:00:00Z"});
        let finding = analytic.finding(row.as_object().unwrap()).unwrap();
        assert_eq!(finding.title, "Anna did 3");
        assert_eq!(without_gaps("{who} of {x".to_owned()), "an unknown who of {x");
        assert_eq!(
            finding.at,
            Position {
                offset: 70,
                record: 7
            }
        );
        assert_eq!(
            finding.entities,
            [Entity::new(EntityKind::Account, "anna").unwrap()]
        );
        assert!(analytic.finding(&Map::new()).unwrap_err().contains("evidence"));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        for (file, reason) in [
            ("SELECT 1", "begin with a comment"),
            ("/* title = 1 */ SELECT 1", "comment"),
            (
                "/*\ntitle = \"T\"\nseverity = \"bad\"\nneeds = []\nfinds = \"\"\nmisses = \"\"\n*/\nSELECT 1",
                "severity",
            ),
            (
                "/*\ntitle = \"T\"\nseverity = \"low\"\nneeds = []\nfinds = \"\"\nmisses = \"\"\n*/\n",
                "no query",
            ),
        ] {
            let told = parse("x", file).unwrap_err();
            assert!(told.contains(reason), "{file}: {told}");
        }
    }

    #[test]
    fn a_file_of_the_users_replaces_ours() {
        let folder = tempfile::tempdir().unwrap();
        let file = "/*\ntitle = \"Mine\"\nseverity = \"low\"\nneeds = [\"*\"]\nfinds = \"x\"\nmisses = \"y\"\n*/\nSELECT 1";
        std::fs::write(folder.path().join("mass-mailbox-export.sql"), file).unwrap();
        std::fs::write(folder.path().join("bad.sql"), "SELECT").unwrap();
        let (analytics, set) = Analytics::load(&[folder.path().to_owned()], true).unwrap();
        let own = analytics
            .all
            .iter()
            .find(|analytic| analytic.id == "mass-mailbox-export")
            .unwrap();
        assert_eq!(own.front.title, "Mine");
        assert_eq!(set.refused.len(), 1);
    }
}
