//! Techniques as a layer for the ATT&CK Navigator (layer format 4.5).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{CaseView, shown};

/// The techniques of the findings that the view tells one by one; the score is in how many of them each was seen.
pub fn navigator(view: &CaseView<'_>) -> Value {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for id in view.findings.iter().flat_map(|finding| &finding.attack) {
        *counts.entry(id).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(1);
    let techniques: Vec<Value> = counts
        .iter()
        .map(|(id, count)| {
            json!({
                "techniqueID": id,
                "score": count,
                "comment": format!("in {count} findings"),
                "enabled": true,
                "showSubtechniques": true,
            })
        })
        .collect();
    json!({
        "name": shown::line_of(view.title, 200),
        "versions": { "attack": "18", "navigator": "5.1.0", "layer": "4.5" },
        "domain": "enterprise-attack",
        "description": format!("Techniques in the findings of a case, made by blackrod; {} findings", view.findings.len()),
        "sorting": 3,
        "hideDisabled": false,
        "techniques": techniques,
        "gradient": { "colors": ["#fdf1ef", "#7a1f2b"], "minValue": 0, "maxValue": most },
    })
}
