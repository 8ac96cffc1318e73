//! `blackrod formats`: what can be read.

use std::io::Write as _;

use blackrod_read::Formats;
use serde_json::json;

use super::Outcome;
use crate::cli;

pub(crate) fn run(arguments: &cli::Formats) -> anyhow::Result<Outcome> {
    let formats = Formats::standard();
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let records: Vec<_> = formats
            .iter()
            .map(|format| json!({ "name": format.name(), "description": format.description() }))
            .collect();
        let opened: Vec<_> = blackrod_read::container_names().collect();
        let document = json!({ "records": records, "containers": opened });
        writeln!(out, "{document:#}")?;
        return Ok(Outcome::Done);
    }
    writeln!(
        out,
        "Records are read from (recognised by content, never by name):\n"
    )?;
    for format in formats.iter() {
        writeln!(out, "  {:<14} {}", format.name(), format.description())?;
    }
    writeln!(out, "\nContainers are opened, also inside each other:\n")?;
    let containers: Vec<_> = blackrod_read::container_names().collect();
    writeln!(out, "  {}", containers.join(", "))?;
    writeln!(
        out,
        "\nAnything else is listed as unknown, compared with indicators and searched by YARA rules."
    )?;
    Ok(Outcome::Done)
}
