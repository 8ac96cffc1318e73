//! What follows from all that a case holds: drawn anew whenever evidence was added.

use std::collections::HashMap;

use blackrod_detect::flood::requests;
use blackrod_detect::{Detectors, accounts, rarity, register, senders, servers, traffic};
use blackrod_mail::stream::{Options, Stream};
use blackrod_model::assessment::Remark;
use blackrod_model::flood::Flood;
use blackrod_model::mail::Term;
use blackrod_model::process::ProcessFacts;
use blackrod_model::{
    AccountAct, DataRead, Estate, EvidenceId, FileAct, Finding, Inrush, Keep as _, NewShape, Outflow, Run,
    ServerAct, UsualShape,
};
use blackrod_store::{Case, MessageJudgement};
use clap::Parser as _;
use rayon::iter::{IntoParallelIterator as _, ParallelIterator as _};

use super::questions::{self, Asked};
use super::redraw::redraw;
use crate::cli::{Cli, Command};

/// What came of judging some records among others.
#[derive(Default)]
struct Judged {
    findings: Vec<Finding>,
    floods: Vec<Flood>,
    new_shapes: Vec<NewShape>,
}

impl Judged {
    fn append(&mut self, mut other: Self) {
        self.findings.append(&mut other.findings);
        self.floods.append(&mut other.floods);
        self.new_shapes.append(&mut other.new_shapes);
    }
}

impl From<Vec<Finding>> for Judged {
    fn from(findings: Vec<Finding>) -> Self {
        Self {
            findings,
            ..Self::default()
        }
    }
}

/// Judges what it reads of the case.
type Judge<'a> = Box<dyn FnOnce(&Case) -> anyhow::Result<Judged> + Send + 'a>;

/// Judges records among others, asks the questions in SQL, draws campaigns from all findings, and judges these. At most `alerts_per_day` unusual
/// commands of a day are reported.
pub(super) fn conclude(
    case: &mut Case,
    detectors: &Detectors,
    estate: &Estate,
    networks: accounts::Networks,
    alerts_per_day: u32,
) -> anyhow::Result<Asked> {
    let hours = questions::hours(case.dir())?;
    let has = |need: &str| questions::has(&hours, need);
    let judges: Vec<Judge<'_>> = vec![
        Box::new(|case| correlations(case, detectors)),
        Box::new(|case| judge_processes(case, estate, alerts_per_day)),
        Box::new(|case| judge_accounts(case, networks)),
        Box::new(|case| judge_servers(case, estate, &has)),
        Box::new(judge_requests),
        Box::new(judge_traffic),
        Box::new(|case| judge_data(case, estate)),
        Box::new(|case| judge_senders(case, estate)),
    ];
    let mut drawn = judge_all(case, judges, estate)?;
    case.set_floods(&drawn.floods)?;
    case.set_new_shapes(&drawn.new_shapes)?;
    case.replace_correlations(&drawn.findings)?;
    let mut asked = questions::ask(case.dir(), detectors.analytics(), &has)?;
    if !asked.findings.is_empty() {
        // Questions may be about the other findings: these have to be in the case when they are asked.
        drawn.findings.append(&mut asked.findings);
        case.replace_correlations(&drawn.findings)?;
    }
    drop(drawn);
    redraw(case, estate)?;
    Ok(asked)
}

/// The mail, which is written while it is judged, and beside it all others, as many at a time as there are cores: each reads the case for itself.
fn judge_all(case: &mut Case, judges: Vec<Judge<'_>>, estate: &Estate) -> anyhow::Result<Judged> {
    let dir = case.dir().to_owned();
    let others = || -> anyhow::Result<Vec<Judged>> {
        judges
            .into_par_iter()
            .map(|judge| judge(&Case::open_read_only(&dir)?))
            .collect()
    };
    let (mail, others) = rayon::join(|| judge_mail(case, estate), others);
    let mut all = Judged::from(mail?);
    others?.into_iter().for_each(|judged| all.append(judged));
    Ok(all)
}

/// What single matches come to together.
fn correlations(case: &Case, detectors: &Detectors) -> anyhow::Result<Judged> {
    let mut correlator = detectors.correlator();
    case.each_premise(&mut |premise| correlator.push(premise))?;
    Ok(correlator.finish().into())
}

/// Each message against what came before it, and messages that are one campaign.
fn judge_mail(case: &mut Case, estate: &Estate) -> anyhow::Result<Vec<Finding>> {
    let mut stream = Stream::new(estate, Options::default());
    case.judge_messages(&mut |facts| {
        let judged = stream.push(facts);
        MessageJudgement {
            score: judged.score.into(),
            reasons: in_one_line(&judged.reasons),
        }
    })?;
    let outcome = stream.finish();
    case.set_mail_campaigns(&outcome.campaigns)?;
    Ok(outcome.findings)
}

/// What was done to accounts and with them.
fn judge_accounts(case: &Case, networks: accounts::Networks) -> anyhow::Result<Judged> {
    let mut stream = accounts::Stream::new(networks);
    case.each_fact(AccountAct::KIND, &mut |fact| {
        if let Some(act) = fact.kept::<AccountAct>() {
            stream.push(&act);
        }
    })?;
    Ok(stream.finish().into())
}

/// Floods of packets, and what leaves the estate that did not before.
fn judge_traffic(case: &Case) -> anyhow::Result<Judged> {
    let mut floods = traffic::volume::Stream::default();
    case.each_fact(Inrush::KIND, &mut |fact| {
        if let Some(inrush) = fact.kept::<Inrush>() {
            floods.push(&inrush);
        }
    })?;
    let mut leaks = traffic::egress::Stream::default();
    case.each_fact(Outflow::KIND, &mut |fact| {
        if let Some(outflow) = fact.kept::<Outflow>() {
            leaks.push(&outflow);
        }
    })?;
    let traffic::volume::Outcome { floods, mut findings } = floods.finish();
    findings.extend(leaks.finish());
    Ok(Judged {
        findings,
        floods,
        ..Judged::default()
    })
}

/// Who sends in the estate's name, as receivers report it.
fn judge_senders(case: &Case, estate: &Estate) -> anyhow::Result<Judged> {
    let mut stream = senders::Stream::new(estate);
    case.each_fact(senders::Unproved::KIND, &mut |fact| {
        if let Some(unproved) = fact.kept() {
            stream.push(&unproved);
        }
    })?;
    Ok(stream.finish().into())
}

/// What was read of registers, and which files were copied.
fn judge_data(case: &Case, estate: &Estate) -> anyhow::Result<Judged> {
    let mut reads = register::Stream::new(estate);
    case.each_fact(DataRead::KIND, &mut |fact| {
        if let Some(read) = fact.kept::<DataRead>() {
            reads.push(&read);
        }
    })?;
    let mut files = register::files::Stream::default();
    case.each_fact(FileAct::KIND, &mut |fact| {
        if let Some(act) = fact.kept::<FileAct>() {
            files.push(&act);
        }
    })?;
    let mut findings = reads.finish();
    findings.extend(files.finish());
    Ok(findings.into())
}

/// What was done to servers and with them.
fn judge_servers(
    case: &Case,
    estate: &Estate,
    has: &(dyn Fn(&str) -> bool + Sync),
) -> anyhow::Result<Judged> {
    let mut stream = servers::Stream::new(estate);
    case.each_fact(ServerAct::KIND, &mut |fact| {
        if let Some(act) = fact.kept::<ServerAct>() {
            stream.push(&act);
        }
    })?;
    case.each_fact(AccountAct::KIND, &mut |fact| {
        if let Some(act) = fact.kept::<AccountAct>() {
            stream.read(&act);
        }
    })?;
    let paths: HashMap<EvidenceId, String> = case
        .evidence()?
        .into_iter()
        .map(|evidence| (evidence.id, evidence.path))
        .collect();
    let path = |evidence: EvidenceId| paths.get(&evidence).cloned().unwrap_or_default();
    Ok(stream.finish(&servers::Surroundings { has, path: &path }).into())
}

/// What departs from how the estate works.
fn judge_processes(case: &Case, estate: &Estate, alerts_per_day: u32) -> anyhow::Result<Judged> {
    let said = case.remarks()?.into_iter();
    let options = rarity::Options {
        alerts_per_day,
        usual: said.filter_map(|noted| usual_of(noted.remark)).collect(),
        ..rarity::Options::default()
    };
    let mut stream = rarity::Stream::new(estate, options);
    case.each_fact(ProcessFacts::KIND, &mut |fact| {
        if let Some(facts) = fact.kept::<ProcessFacts>() {
            stream.push(&facts);
        }
    })?;
    let outcome = stream.finish();
    Ok(Judged {
        findings: outcome.findings,
        new_shapes: outcome.new_shapes,
        ..Judged::default()
    })
}

fn usual_of(remark: Remark) -> Option<UsualShape> {
    match remark {
        Remark::Usual { usual, .. } => Some(usual),
        _ => None,
    }
}

/// Judges all commands of a case anew, within the budget of its last run, and what follows from that.
pub(super) fn rejudge_commands(case: &mut Case, estate: &Estate) -> anyhow::Result<()> {
    let budget = alerts_per_day(&case.runs()?);
    let judged = judge_processes(case, estate, budget)?;
    case.set_new_shapes(&judged.new_shapes)?;
    case.replace_correlations_of(&[rarity::SESSION_CODE, rarity::COMMAND_CODE], &judged.findings)?;
    redraw(case, estate)
}

/// How many unusual commands a day the last run was to report.
fn alerts_per_day(runs: &[Run]) -> u32 {
    let asked = runs
        .iter()
        .rev()
        .find_map(|run| match Cli::try_parse_from(&run.arguments).ok()?.command {
            Command::Investigate(arguments) => Some(arguments.alerts_per_day),
            _ => None,
        });
    asked.unwrap_or(rarity::Options::default().alerts_per_day)
}

/// Floods of requests.
fn judge_requests(case: &Case) -> anyhow::Result<Judged> {
    let logs: HashMap<EvidenceId, String> = case
        .evidence()?
        .into_iter()
        .map(|evidence| (evidence.id, log_name(&evidence.path)))
        .collect();
    let label = |evidence| logs.get(&evidence).cloned().unwrap_or_default();
    let each = |visit: &mut dyn FnMut(&requests::Requests)| {
        case.each_fact(requests::Requests::KIND, &mut |fact| {
            if let Some(stretch) = fact.kept::<requests::Requests>() {
                visit(&stretch);
            }
        })
    };
    let outcome = requests::find(each, &label)?;
    Ok(Judged {
        findings: outcome.findings,
        floods: outcome.floods,
        ..Judged::default()
    })
}

/// What the files of one log have in common after rotation: `web1/access.log.3.gz` and `web1/access.log` are
/// `web1/access`.
fn log_name(path: &str) -> String {
    let is_extra = |part: &str| {
        matches!(
            part,
            "gz" | "zst" | "bz2" | "xz" | "log" | "txt" | "json" | "jsonl"
        ) || part
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-' || byte == b'_')
    };
    let mut name = path;
    while let Some((rest, last)) = name.rsplit_once('.') {
        if !is_extra(last) || last.contains('/') {
            break;
        }
        name = rest;
    }
    let name =
        name.trim_end_matches(|letter: char| letter.is_ascii_digit() || matches!(letter, '-' | '_' | '.'));
    let parts: Vec<&str> = name.rsplit(['/', '\\']).take(2).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// `sender/lookalike +2.1: examp1e.org looks like example.org; …`
fn in_one_line(terms: &[Term]) -> String {
    let described: Vec<String> = terms
        .iter()
        .map(|term| format!("{} {:+.1}: {}", term.code, term.weight, term.words))
        .collect();
    described.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_one_log_have_one_name() {
        for path in [
            "x/web1/access.log",
            "web1/access.log.3.gz",
            "web1/access-20210122.log",
            "web1/access_2021-01-22.log",
        ] {
            assert_eq!(log_name(path), "web1/access", "{path}");
        }
        assert_eq!(log_name("u_ex210122.log"), "u_ex");
        assert_eq!(log_name("42"), "");
    }

    #[test]
    fn the_budget_is_that_of_the_last_run() {
        let run = |words: &str| Run {
            arguments: words.split(' ').map(str::to_owned).collect(),
            version: String::new(),
            started: blackrod_model::Timestamp::UNKNOWN,
            ended: blackrod_model::Timestamp::UNKNOWN,
            rules: blackrod_model::Sha256::of(b""),
            estate: blackrod_model::Sha256::of(b""),
        };
        let runs = [
            run("blackrod investigate a --case c --alerts-per-day 9"),
            run("blackrod investigate b --case c --alerts-per-day 2"),
            run("something else"),
        ];
        assert_eq!(alerts_per_day(&runs), 2);
        assert_eq!(alerts_per_day(&[]), 5);
    }

    #[test]
    fn reasons_are_one_line_with_their_weights() {
        let term = |code: &str, weight| Term {
            code: code.to_owned(),
            weight,
            words: "seen".to_owned(),
            innocent: String::new(),
        };
        assert_eq!(
            in_one_line(&[term("a/b", 2.14), term("c/d", -0.5)]),
            "a/b +2.1: seen; c/d -0.5: seen"
        );
    }
}
