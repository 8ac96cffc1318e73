//! Questions that are asked of a whole case in SQL: analytics, and which logs there are.

use std::collections::BTreeMap;
use std::path::Path;

use blackrod_detect::analytics::{Analytic, MAX_ROWS};
use blackrod_detect::coverage::{self, Hour};
use blackrod_model::coverage::Coverage;
use blackrod_model::{Finding, RuleProblem, Severity, Timestamp};
use blackrod_store::{Case, StoreError, hunt};
use serde_json::{Map, Value};

/// What became of the analytics.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) findings: Vec<Finding>,
    /// Those that failed, or found more than is shown.
    pub(super) refused: Vec<RuleProblem>,
    /// Those whose logs are not in the case.
    pub(super) idle: Vec<RuleProblem>,
}

/// Hours of logs that are looked at, at most.
const MAX_HOURS: usize = 2_000_000;

const HOURS: &str = "SELECT coalesce(product, '') AS product, coalesce(channel, '') AS channel, \
     cast(extract(epoch FROM date_trunc('hour', \"time\")) AS BIGINT) AS start, count(*) AS records \
     FROM events WHERE \"time\" IS NOT NULL GROUP BY 1, 2, 3";

/// How many records each log has in each hour.
pub(super) fn hours(case: &Path) -> anyhow::Result<Vec<Hour>> {
    let (rows, _) = rows(case, HOURS, MAX_HOURS)?;
    let text = |row: &Map<String, Value>, name: &str| {
        let value = row.get(name).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    Ok(rows
        .iter()
        .map(|row| Hour {
            product: text(row, "product"),
            channel: text(row, "channel"),
            start: row.get("start").and_then(Value::as_i64).unwrap_or_default(),
            records: row.get("records").and_then(Value::as_u64).unwrap_or_default(),
        })
        .collect())
}

/// Whether one of these logs is meant by `need`.
pub(super) fn has(hours: &[Hour], need: &str) -> bool {
    hours
        .iter()
        .any(|hour| coverage::is_meant(need, &hour.product, &hour.channel))
}

/// Asks the case in `dir` all `analytics` whose logs are there.
pub(super) fn ask(dir: &Path, analytics: &[Analytic], has: &dyn Fn(&str) -> bool) -> anyhow::Result<Asked> {
    let mut asked = Asked::default();
    for analytic in analytics {
        let problem = |reason: String| RuleProblem {
            rule: analytic.id.clone(),
            title: analytic.front.title.clone(),
            reason,
        };
        if !analytic.is_fed(has) {
            let needs = analytic.front.needs.join(", ");
            asked
                .idle
                .push(problem(format!("none of its logs is in the evidence: {needs}")));
            continue;
        }
        let (rows, is_more) = match rows(dir, &analytic.sql, MAX_ROWS) {
            Ok(answer) => answer,
            Err(error) => {
                asked.refused.push(problem(error.to_string()));
                continue;
            }
        };
        if is_more {
            asked.refused.push(problem(format!(
                "more than {MAX_ROWS} rows: only these became findings"
            )));
        }
        let findings: Result<Vec<Finding>, String> = rows.iter().map(|row| analytic.finding(row)).collect();
        match findings {
            Ok(findings) => asked.findings.extend(findings),
            Err(reason) => asked.refused.push(problem(reason)),
        }
    }
    // Two rows that say the same of one record are one finding.
    asked.findings.sort_by_key(|finding| finding.id);
    asked.findings.dedup_by_key(|finding| finding.id);
    Ok(asked)
}

/// What the logs of a case cover, which are in `hours`.
pub(super) fn coverage_of(
    case: &Case,
    hours: &[Hour],
    findings: &[Finding],
    analytics: &[Analytic],
) -> anyhow::Result<Coverage> {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for total in case.finding_totals()? {
        let by = match total.code == blackrod_detect::analytics::CODE {
            true => total.rule_id,
            false => total.code,
        };
        *found.entry(by).or_default() += total.findings;
    }
    let in_campaigns: std::collections::HashSet<_> = case
        .campaigns()?
        .iter()
        .flat_map(|campaign| campaign.findings.iter().copied())
        .collect();
    let first_sign = findings
        .iter()
        .filter(|finding| finding.severity >= Severity::High && in_campaigns.contains(&finding.id))
        .filter(|finding| finding.time.micros().is_some())
        .map(|finding| finding.time)
        .min()
        .unwrap_or(Timestamp::UNKNOWN);
    Ok(coverage::coverage(hours, &found, analytics, first_sign))
}

fn rows(case: &Path, sql: &str, limit: usize) -> Result<(Vec<Map<String, Value>>, bool), StoreError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| StoreError::Query(error.to_string()))?;
    runtime.block_on(async {
        let answer = hunt::hunt(case, sql, &hunt::Options::default()).await?;
        answer.rows(limit).await
    })
}
