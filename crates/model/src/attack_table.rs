//! The names and tactics of ATT&CK's techniques, from `content/lists/attack.tsv`.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{Tactic, Technique};

impl Technique {
    /// What ATT&CK calls it: `Spearphishing Link`; `None` for an id that the table does not know.
    pub fn name(&self) -> Option<&'static str> {
        Some(self.row()?.name)
    }

    /// The tactics it serves, in the order of the kill chain; those of its parent where the table
    /// knows only that, and none where it knows neither.
    pub fn tactics(&self) -> &'static [Tactic] {
        let row = self.row().or_else(|| {
            let (parent, _) = self.as_str().split_once('.')?;
            TABLE.get(parent)
        });
        row.map_or(&[], |row| &row.tactics)
    }

    fn row(&self) -> Option<&'static Row> {
        TABLE.get(self.as_str())
    }
}

struct Row {
    name: &'static str,
    tactics: Vec<Tactic>,
}

static TABLE: LazyLock<HashMap<&'static str, Row>> = LazyLock::new(|| {
    include_str!("../../../content/lists/attack.tsv")
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(parse_line)
        .collect()
});

fn parse_line(line: &'static str) -> Option<(&'static str, Row)> {
    let mut columns = line.split('\t');
    let (id, name) = (columns.next()?, columns.next()?);
    let tactics = columns.next()?.split(',').filter_map(tactic_of_slug).collect();
    Some((id, Row { name, tactics }))
}

/// ATT&CK writes a tactic's short name with hyphens: `credential-access`.
fn tactic_of_slug(slug: &str) -> Option<Tactic> {
    let name = slug.replace('-', " ");
    Tactic::ALL.into_iter().find(|tactic| tactic.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn technique(id: &str) -> Technique {
        Technique::parse(id).unwrap_or_else(|| panic!("{id} is a technique id"))
    }

    #[test]
    fn techniques_have_names_and_tactics() {
        let link = technique("T1566.002");
        assert_eq!(link.name(), Some("Spearphishing Link"));
        assert_eq!(link.tactics(), [Tactic::InitialAccess]);
        let valid_accounts = technique("T1078");
        assert_eq!(
            valid_accounts.tactics(),
            [
                Tactic::InitialAccess,
                Tactic::Persistence,
                Tactic::PrivilegeEscalation,
                Tactic::DefenseEvasion
            ]
        );
    }

    #[test]
    fn an_unknown_sub_technique_serves_the_tactics_of_its_parent() {
        assert_eq!(technique("T1566.999").name(), None);
        assert_eq!(technique("T1566.999").tactics(), [Tactic::InitialAccess]);
        assert!(technique("T9999").tactics().is_empty());
    }

    #[test]
    fn every_line_of_the_table_is_understood() {
        let lines = include_str!("../../../content/lists/attack.tsv");
        let rows = lines.lines().filter(|line| !line.starts_with('#'));
        assert_eq!(rows.clone().count(), TABLE.len());
        for line in rows {
            let slugs = line.split('\t').nth(2).unwrap_or_default().split(',');
            let known = slugs.filter(|slug| tactic_of_slug(slug).is_some()).count();
            let written = slugs_of(line);
            assert_eq!(known, written, "{line}");
        }
    }

    fn slugs_of(line: &str) -> usize {
        let column = line.split('\t').nth(2).unwrap_or_default();
        column.split(',').filter(|slug| !slug.is_empty()).count()
    }
}
