//! What partners said, by what it hangs on.

use std::collections::{BTreeMap, BTreeSet};

use blackrod_model::assessment::{Noted, Remark};
use blackrod_model::{Finding, PartnerSaid};

/// What partners said that hangs on something that `findings` name, newest version of each object, in the order of their ids.
pub(crate) fn of_findings<'r, 'f>(
    remarks: &'r [Noted],
    findings: impl Iterator<Item = &'f Finding>,
) -> Vec<&'r PartnerSaid> {
    let mut newest: BTreeMap<&str, &PartnerSaid> = BTreeMap::new();
    for noted in remarks {
        if let Remark::Partner(said) = &noted.remark {
            newest.insert(&said.id, said);
        }
    }
    if newest.is_empty() {
        return Vec::new();
    }
    let mut named: BTreeSet<String> = BTreeSet::new();
    for finding in findings {
        named.insert(finding.rule_id.to_lowercase());
        named.extend(finding.entities.iter().map(|entity| entity.value.clone()));
    }
    newest
        .into_values()
        .filter(|said| {
            said.values
                .iter()
                .any(|value| named.contains(&value.to_lowercase()))
        })
        .collect()
}
