//! `blackrod harm`: what the theft of a register means for the people in it.

use std::io::Write as _;

use anyhow::{Context as _, bail, ensure};
use blackrod_judge::harm::{self, Harm, Taken, percent};

use super::Outcome;
use super::tables::{self, range};
use crate::cli;

pub(crate) fn run(arguments: &cli::Harm) -> anyhow::Result<Outcome> {
    let (from, to) = range(&arguments.share).context("--share")?;
    ensure!(
        (0.0..=100.0).contains(&from) && to <= 100.0,
        "--share is in percent, from 0 to 100"
    );
    let share = (from / 100.0, to / 100.0);
    ensure!(
        arguments.records > 0,
        "--records: a register without people harms nobody"
    );
    if let Some(file) = &arguments.statistics {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let cells = sizes(&text).with_context(|| format!("{}", file.display()))?;
        let told = harm::from_cells(&arguments.name, arguments.records, share, &cells);
        return tell(&told, arguments.json);
    }
    let Some(file) = &arguments.sample else {
        bail!("either --sample or --statistics is needed");
    };
    let (header, rows) = tables::read(file)?;
    for column in &arguments.taken {
        let is_known = header
            .iter()
            .any(|name| name.trim().eq_ignore_ascii_case(column.trim()));
        ensure!(
            is_known,
            "--taken {column}: the sample has no such column; it has {}",
            header.join(", ")
        );
    }
    ensure!(
        rows.len() as u64 <= arguments.records,
        "the sample has {} rows, more than --records {}",
        rows.len(),
        arguments.records
    );
    let taken = Taken {
        register: &arguments.name,
        records: arguments.records,
        share,
        header: &header,
        rows: &rows,
        columns: &arguments.taken,
        day: arguments.day.as_deref().map(day).transpose()?,
    };
    if let Some(list) = &arguments.list {
        let mut text = String::new();
        for (group, members) in harm::members(&taken) {
            let members: Vec<Vec<String>> = members.into_iter().map(<[String]>::to_vec).collect();
            text.push_str(&format!(
                "# {group}: {} in the sample\r\n{}",
                members.len(),
                tables::written(&header, &members)
            ));
        }
        std::fs::write(list, text).with_context(|| format!("cannot write {}", list.display()))?;
    }
    tell(&harm::harm(&taken), arguments.json)
}

fn tell(harm: &Harm, json: bool) -> anyhow::Result<Outcome> {
    let mut out = std::io::stdout().lock();
    if json {
        writeln!(out, "{}", serde_json::to_string_pretty(harm)?)?;
        return Ok(Outcome::Done);
    }
    let (from, to) = harm.people;
    writeln!(out, "# What the theft of {} means\n", harm.register)?;
    match from == to {
        true => writeln!(out, "People concerned: {to}.")?,
        false => writeln!(out, "People concerned: between {from} and {to}.")?,
    }
    if harm.is_named {
        writeln!(out, "Names were taken: nobody has to be singled out first.")?;
    }
    writeln!(out, "\n## Who can be singled out\n")?;
    for one in &harm.singling {
        writeln!(
            out,
            "- {}: {} unique; {:.1} people share it in the middle; {:.1} of {:.1} bits [{}]",
            one.columns,
            percent(&one.unique),
            one.k,
            one.bits.0,
            one.bits.1,
            one.unique.method
        )?;
    }
    if !harm.joining.is_empty() {
        writeln!(out, "\n## What joining it with other data adds\n")?;
    }
    for one in &harm.joining {
        writeln!(
            out,
            "- with {}, by {}: {} matched; adds {} [{}]",
            one.with,
            one.by,
            percent(&one.matched),
            one.adds,
            one.matched.method
        )?;
    }
    if !harm.groups.is_empty() {
        writeln!(out, "\n## Who is hit harder\n")?;
    }
    for group in &harm.groups {
        let unique = group.unique.as_ref().map_or_else(String::new, |range| {
            format!(", {} of them unique without their name", percent(range))
        });
        writeln!(
            out,
            "- {}: {} to {} people{unique}. {}",
            group.name, group.people.0, group.people.1, group.why
        )?;
    }
    writeln!(out, "\n## Limits\n")?;
    for limit in &harm.limits {
        writeln!(out, "- {limit}")?;
    }
    writeln!(out, "\n{}\n{}", harm::for_regulator(harm), harm::for_people(harm))?;
    Ok(Outcome::Done)
}

/// `2026-11-23`.
fn day(text: &str) -> anyhow::Result<(i32, u32, u32)> {
    let parts: Vec<u32> = text.split('-').filter_map(|part| part.parse().ok()).collect();
    match parts[..] {
        [year @ 1900..=2200, month @ 1..=12, day @ 1..=31] => Ok((i32::try_from(year)?, month, day)),
        _ => bail!("--day {text}: write it like 2026-11-23"),
    }
}

/// Numbers of people, one a line; what follows a comma is left out.
fn sizes(text: &str) -> anyhow::Result<Vec<f64>> {
    let mut sizes = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let first = line.split([',', ';', '\t']).next().unwrap_or(line).trim();
        if first.is_empty() || first.starts_with('#') {
            continue;
        }
        let size = first
            .parse::<f64>()
            .ok()
            .filter(|size| size.is_finite() && *size >= 0.0);
        sizes.push(size.with_context(|| format!("line {number}: {first:?} is no number of people"))?);
    }
    ensure!(!sizes.is_empty(), "no numbers in it");
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn what_is_written_on_the_command_line() {
        assert_eq!(day("2026-11-23").unwrap(), (2026, 11, 23));
        assert!(day("23.11.2026").is_err());
        assert_eq!(sizes("# people\n12,a\n 7\n").unwrap(), [12.0, 7.0]);
        assert!(sizes("twelve").is_err() && sizes("").is_err());
    }
}
