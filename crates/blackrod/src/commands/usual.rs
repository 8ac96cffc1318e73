//! `blackrod usual`: commands that are new in the estate, and what somebody says is usual.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use anyhow::ensure;
use blackrod_model::assessment::Remark;
use blackrod_model::{NewShape, UsualShape};
use blackrod_report::shown;
use blackrod_store::Case;

use super::{Outcome, by_beginning, conclude, estate};
use crate::cli;

pub(crate) fn run(command: &cli::Usual) -> anyhow::Result<Outcome> {
    match command {
        cli::Usual::List { case, json } => list(case, *json)?,
        cli::Usual::Add {
            at,
            reason,
            accounts,
            shapes,
        } => add(at, reason, accounts, shapes)?,
    }
    Ok(Outcome::Done)
}

fn list(case: &Path, json: bool) -> anyhow::Result<()> {
    let case = Case::open_read_only(case)?;
    let shapes = case.new_shapes()?;
    let mut out = std::io::stdout().lock();
    if json {
        let said: Vec<_> = case.remarks()?.into_iter().filter(is_usual).collect();
        serde_json::to_writer_pretty(&mut out, &serde_json::json!({ "new": shapes, "usual": said }))?;
        writeln!(out)?;
        return Ok(());
    }
    for new in &shapes {
        writeln!(
            out,
            "{}  {:+5.1}  {}  {:>6} times by {}  {}",
            new.shape.id(),
            new.score,
            new.first,
            new.times,
            shown::line_of(&new.accounts.join(", "), 80),
            shown::line_of(&new.command, 200)
        )?;
    }
    Ok(())
}

fn is_usual(noted: &blackrod_model::assessment::Noted) -> bool {
    matches!(noted.remark, Remark::Usual { .. })
}

/// Notes that shapes are usual, and judges all commands of the case anew.
fn add(at: &cli::Remarking, reason: &str, accounts: &[String], names: &[String]) -> anyhow::Result<()> {
    ensure!(
        !reason.trim().is_empty(),
        "say why: whoever reads it later needs to know"
    );
    let mut case = Case::open(&at.case)?;
    let shapes = case.new_shapes()?;
    // All are looked up before any is noted.
    let named: BTreeSet<&String> = names.iter().collect();
    let meant: Vec<&NewShape> = named
        .into_iter()
        .map(|name| shape_named(&shapes, name))
        .collect::<anyhow::Result<_>>()?;
    for new in meant {
        let remark = Remark::Usual {
            usual: UsualShape {
                shape: new.shape.clone(),
                accounts: accounts.iter().map(|account| account.to_lowercase()).collect(),
            },
            command: new.command.clone(),
            reason: reason.to_owned(),
        };
        let number = case.add_remark(&at.by, &remark)?;
        println!("noted as remark {number}; `blackrod assess undo {number}` takes it back");
    }
    let (estate, _) = estate::load_or_empty(at.estate.as_deref())?;
    conclude::rejudge_commands(&mut case, &estate)
}

/// The new shape whose id begins with `name`.
fn shape_named<'s>(shapes: &'s [NewShape], name: &str) -> anyhow::Result<&'s NewShape> {
    by_beginning(
        shapes,
        |new| new.shape.id().starts_with(name),
        &format!("no command that is new in the case has the id {name}"),
        &format!("several ids begin with {name}"),
    )
}
