//! `blackrod actors`: the profiles of actors.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;
use blackrod_judge::actors::{Actors, Bundle, update};

use super::Outcome;
use crate::cli;

pub(crate) fn run(command: &cli::Actors) -> anyhow::Result<Outcome> {
    match command {
        cli::Actors::List => list()?,
        cli::Actors::Show { name } => show(name)?,
        cli::Actors::Update {
            bundle,
            release,
            folder,
        } => update_files(bundle, release, folder)?,
    }
    Ok(Outcome::Done)
}

fn list() -> anyhow::Result<()> {
    let actors = Actors::built_in()?;
    let mut out = std::io::stdout().lock();
    for actor in &actors.actors {
        let attack = actor.attack.as_ref();
        writeln!(
            out,
            "{:<34} {:<6} {:<3} {:<10} {:>3} techniques  {:>3} reports  {}",
            actor.name,
            attack.map_or("", |attack| attack.id.as_str()),
            actor.state().unwrap_or(""),
            actor.motive,
            attack.map_or(actor.techniques.len(), |attack| attack.techniques.len()),
            attack.map_or(actor.sources.len(), |attack| attack.reports),
            actor.aliases.join(", ")
        )?;
    }
    Ok(())
}

fn show(name: &str) -> anyhow::Result<()> {
    let actors = Actors::built_in()?;
    let actor = actors
        .find(name)
        .with_context(|| format!("there is no profile of {name}; `blackrod actors list` lists them"))?;
    let mut out = std::io::stdout().lock();
    let mut line = |what: &str, text: &str| match text.is_empty() {
        true => Ok(()),
        false => writeln!(out, "{what:<12} {text}"),
    };
    line("name", &actor.name)?;
    line("also", &actor.aliases.join(", "))?;
    let state = actor.state().map(|letters| {
        actors
            .states
            .get(letters)
            .map_or(letters, |state| state.name.as_str())
    });
    line("state", state.unwrap_or("nobody has said in public"))?;
    line("sponsor", &actor.sponsor)?;
    line("motive", &actor.motive)?;
    line("interests", &actor.interests.join(", "))?;
    line("notes", &actor.notes)?;
    line("checked", &actor.dated)?;
    for source in &actor.sources {
        line(
            "source",
            &format!("{} {} {}", source.date, source.title, source.url),
        )?;
    }
    if let Some(attack) = &actor.attack {
        let known = format!(
            "{} {} ({}), {} reports, the newest of {}",
            attack.id, attack.name, attack.version, attack.reports, attack.last_report
        );
        line("ATT&CK", &known)?;
        line("techniques", &attack.techniques.join(", "))?;
        let names = attack
            .software()
            .map(|(listed, _)| listed.name.clone())
            .collect::<Vec<_>>();
        line("software", &names.join(", "))?;
    }
    line("techniques", &actor.techniques.join(", "))?;
    Ok(())
}

fn update_files(bundle: &Path, version: &str, folder: &Path) -> anyhow::Result<()> {
    let json = std::fs::read(bundle).with_context(|| format!("cannot read {}", bundle.display()))?;
    let bundle = Bundle::parse(&json)?;
    let mut files = BTreeMap::new();
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot look into {}", folder.display()))?;
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.filter(|name| name.ends_with(".toml")) {
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name.to_owned(), text);
        }
    }
    let made = update(&bundle, version, &files);
    for (name, text) in &made.files {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{} profiles written, {} of them new", made.files.len(), made.new);
    for id in &made.gone {
        println!("{id} is in a profile and no longer in ATT&CK");
    }
    Ok(())
}
