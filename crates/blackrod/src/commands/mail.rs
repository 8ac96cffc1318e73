//! `blackrod mail`: look at mail, message by message.

use std::fs::File;
use std::io::{BufReader, Read as _, Write as _};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, bail};
use blackrod_mail::Anatomy;
use blackrod_mail::score::{Scored, Weights};
use blackrod_model::mail::{Facts, Message, PartRole};
use blackrod_model::{Estate, Event, EvidenceId, Refusal};
use blackrod_read::{Format, Formats, HEAD_LEN, Sink};
use blackrod_report::{Body, MessageView, message_page, message_text};

use super::{Outcome, estate, simulate};
use crate::cli;

pub(crate) fn run(command: &cli::Mail) -> anyhow::Result<Outcome> {
    match command {
        cli::Mail::Inspect(arguments) => inspect(arguments),
        cli::Mail::Simulate(arguments) => simulate::run(arguments),
    }
}

pub(super) fn inspect(arguments: &cli::Inspect) -> anyhow::Result<Outcome> {
    let estate = match &arguments.estate {
        Some(file) => estate::load(file)?.0,
        None => Estate::default(),
    };
    let dns = blackrod_detect::dns_records(&arguments.dns)?;
    let mut inspector = Inspector {
        arguments,
        anatomy: Anatomy::new(&estate).with_dns(dns).with_language(true),
        weights: Weights::load(),
        messages: 0,
        pages: String::new(),
        refusals: Vec::new(),
        failure: None,
    };
    inspector.read(&arguments.file)?;
    for refusal in &inspector.refusals {
        eprintln!("record {}: {}", refusal.at.record, refusal.reason);
    }
    if let Some(failure) = inspector.failure {
        return Err(failure);
    }
    if inspector.messages == 0 {
        bail!("no such message in {}", arguments.file.display());
    }
    if let Some(path) = &arguments.html {
        std::fs::write(path, inspector.pages).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(Outcome::Done)
}

/// Takes messages apart as they are read.
struct Inspector<'i> {
    arguments: &'i cli::Inspect,
    anatomy: Anatomy,
    weights: Weights,
    messages: usize,
    pages: String,
    refusals: Vec<Refusal>,
    failure: Option<anyhow::Error>,
}

impl Inspector<'_> {
    fn read(&mut self, path: &Path) -> anyhow::Result<()> {
        let told = || format!("cannot read {}", path.display());
        let mut head = Vec::new();
        let file = File::open(path).with_context(told)?;
        file.take(HEAD_LEN as u64)
            .read_to_end(&mut head)
            .with_context(told)?;
        let formats = Formats::standard();
        // What is not recognised was named as a message all the same.
        let is_mail = |format: &&dyn Format| matches!(format.name(), "eml" | "mbox");
        let format = formats.recognise(&head).filter(is_mail);
        let Some(format) = format.or_else(|| formats.iter().find(|format| format.name() == "eml")) else {
            bail!("no reader for mail");
        };
        let mut input = BufReader::new(File::open(path).with_context(told)?);
        let split = format.split(&mut input, &mut |block| {
            format.parse(&block, self);
            ControlFlow::Continue(())
        });
        self.refusals.extend(split.with_context(told)?.refusals);
        Ok(())
    }

    fn show(&mut self, facts: &Facts, message: &Message<'_>) -> anyhow::Result<()> {
        let Scored { score, terms } = self.weights.score(facts);
        let mut out = std::io::stdout().lock();
        if self.arguments.json {
            serde_json::to_writer(&mut out, facts)?;
            writeln!(out)?;
        }
        let titles = |code: &str| match self.weights.meaning(code) {
            Some(meaning) => meaning.title.clone(),
            None => code.to_owned(),
        };
        let view = MessageView {
            facts,
            score,
            terms: &terms,
            titles: &titles,
            bodies: bodies(message),
        };
        if !self.arguments.json {
            if self.messages > 0 {
                writeln!(out, "\n{}\n", "─".repeat(72))?;
            }
            write!(out, "{}", message_text(&view))?;
        }
        if self.arguments.html.is_some() {
            self.pages.push_str(&message_page(&[view]));
        }
        Ok(())
    }
}

impl Sink for Inspector<'_> {
    fn event(&mut self, event: Event<'_>) {
        let is_wanted = self
            .arguments
            .record
            .is_none_or(|wanted| wanted == event.at.record);
        if self.failure.is_some() || !is_wanted {
            return;
        }
        let Some(message) = event.mail.as_deref() else {
            return;
        };
        let Some(facts) = self.anatomy.facts(EvidenceId::default(), &event) else {
            return;
        };
        if let Err(failure) = self.show(&facts, message) {
            self.failure = Some(failure);
        }
        self.messages += 1;
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }
}

fn bodies<'m>(message: &'m Message<'_>) -> Vec<Body<'m>> {
    let shown = message.parts.iter().filter(|part| part.depth == 0);
    let of_role = |role: PartRole| {
        shown
            .clone()
            .filter(move |part| part.role == role)
            .filter_map(|part| part.text())
    };
    let html = of_role(PartRole::Html).map(Body::Html);
    let text = of_role(PartRole::Text).map(Body::Text);
    html.chain(text).take(8).collect()
}
