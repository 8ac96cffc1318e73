//! Reads a folder and matches Sigma rules the plain way: each record becomes a `serde_json::Value`,
//! is flattened, and goes to an rsigma engine that holds the rules for its channel and event id.
//!
//! Routing and field names are those of blackrod, so that the findings can be compared; everything
//! else is what one writes first with the same libraries.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use blackrod_benches::{Args, Clock, Outcome, files};
use blackrod_detect::sigma;
use blackrod_model::Source;
use rsigma_eval::{Engine, JsonEvent};
use rsigma_parser::SigmaRule;
use serde_json::{Map, Value};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> anyhow::Result<()> {
    let args = Args::parse()?;
    let (routes, _) = sigma::Rules::load(&args.rules, false)?;
    let mut rules = HashMap::new();
    for folder in &args.rules {
        for path in files(folder, &["yml", "yaml"])? {
            let parsed = rsigma_parser::parse_sigma_file(&path)?;
            rules.extend(
                parsed
                    .rules
                    .into_iter()
                    .filter_map(|rule| Some((rule.id.clone()?, rule))),
            );
        }
    }
    eprintln!("{} rules", rules.len());
    let mut plain = Plain {
        routes,
        rules,
        engines: HashMap::new(),
        by_log: HashMap::new(),
    };
    // Engines are built as records call for them; a first pass leaves that out of the measurement.
    plain.scan(&args)?;
    let clock = Clock::start();
    let outcome = plain.scan(&args)?;
    clock.finish(&args, outcome)
}

struct Plain {
    routes: sigma::Rules,
    rules: HashMap<String, SigmaRule>,
    engines: HashMap<Vec<String>, Engine>,
    by_log: HashMap<(String, u32), Vec<String>>,
}

impl Plain {
    fn scan(&mut self, args: &Args) -> anyhow::Result<Outcome> {
        let mut outcome = Outcome::default();
        for path in files(&args.evidence, &["evtx", "json", "ndjson"])? {
            let name = path.strip_prefix(&args.evidence)?.display().to_string();
            if path.extension().is_some_and(|extension| extension == "evtx") {
                self.evtx(&path, &name, &mut outcome);
            } else {
                self.json_lines(&path, &name, &mut outcome)?;
            }
        }
        Ok(outcome)
    }

    fn evtx(&mut self, path: &Path, name: &str, outcome: &mut Outcome) {
        let Ok(mut parser) = evtx::EvtxParser::from_path(path) else {
            return;
        };
        for record in parser.records_json_value().flatten() {
            let mut flat = Map::new();
            flatten(record.data, &mut flat);
            let number = number(flat.get("EventRecordID")).unwrap_or(0).unsigned_abs();
            self.record(flat, name, number, outcome);
        }
    }

    fn json_lines(&mut self, path: &Path, name: &str, outcome: &mut Outcome) -> anyhow::Result<()> {
        for (line, number) in BufReader::new(File::open(path)?).lines().zip(1..) {
            if let Ok(Value::Object(mut flat)) = serde_json::from_str(&line?) {
                if let Some(provider) = flat.get("SourceName").cloned() {
                    flat.entry("Provider_Name").or_insert(provider);
                }
                self.record(flat, name, number, outcome);
            }
        }
        Ok(())
    }

    fn record(&mut self, mut flat: Map<String, Value>, name: &str, record: u64, outcome: &mut Outcome) {
        outcome.events += 1;
        let channel = flat
            .get("Channel")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        let event_id = number(flat.get("EventID"))
            .and_then(|id| u32::try_from(id).ok())
            .unwrap_or(0);
        add_aliases(&channel, event_id, &mut flat);
        let key = (channel, event_id);
        let ids = self.by_log.entry(key.clone()).or_insert_with(|| {
            let source = Source {
                product: "windows",
                channel: key.0.clone().into(),
                event_id,
                ..Source::default()
            };
            self.routes
                .applicable(&source)
                .into_iter()
                .map(str::to_owned)
                .collect()
        });
        let engine = self.engines.entry(ids.clone()).or_insert_with_key(|ids| {
            let mut engine = Engine::new();
            engine.add_rules(ids.iter().filter_map(|id| self.rules.get(id)));
            engine
        });
        let event = Value::Object(flat);
        for result in engine.evaluate(&JsonEvent::borrow(&event)) {
            let rule = result.header.rule_id.unwrap_or_default();
            outcome.findings.push((rule, name.to_owned(), record));
        }
    }
}

fn number(value: Option<&Value>) -> Option<i64> {
    let value = value?;
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

/// One flat object out of what the evtx crate makes of a record.
fn flatten(record: Value, flat: &mut Map<String, Value>) {
    let Value::Object(mut record) = record else { return };
    let Some(Value::Object(event)) = record.remove("Event") else {
        return;
    };
    for (section, content) in event {
        let Value::Object(content) = content else { continue };
        match section.as_str() {
            "System" => flatten_system(content, flat),
            "UserData" => {
                for inner in content.into_iter().filter_map(|(_, inner)| match inner {
                    Value::Object(inner) => Some(inner),
                    _ => None,
                }) {
                    flatten_data(inner, flat);
                }
            }
            _ => flatten_data(content, flat),
        }
    }
}

fn flatten_system(content: Map<String, Value>, flat: &mut Map<String, Value>) {
    for (name, value) in content {
        let Value::Object(mut value) = value else {
            flat.insert(name, value);
            continue;
        };
        if let Some(Value::Object(attributes)) = value.remove("#attributes") {
            for (attribute, text) in attributes {
                flat.insert(format!("{name}_{attribute}"), text);
            }
        }
        if let Some(text) = value.remove("#text") {
            flat.insert(name, text);
        }
    }
}

fn flatten_data(content: Map<String, Value>, flat: &mut Map<String, Value>) {
    for (name, value) in content {
        if name == "#attributes" {
            continue;
        }
        let value = match value {
            Value::Object(mut value) => value.remove("#text").unwrap_or_default(),
            value => value,
        };
        flat.entry(name).or_insert(value);
    }
}

/// The few names that most rules need; what blackrod takes from its table.
fn add_aliases(channel: &str, event_id: u32, flat: &mut Map<String, Value>) {
    if !channel.eq_ignore_ascii_case("security") {
        return;
    }
    match event_id {
        4688 => {
            for (name, own) in [
                ("Image", "NewProcessName"),
                ("ParentImage", "ParentProcessName"),
                ("User", "SubjectUserName"),
                ("LogonId", "SubjectLogonId"),
            ] {
                if let Some(value) = flat.get(own).cloned() {
                    flat.entry(name).or_insert(value);
                }
            }
            let level = match flat.get("MandatoryLabel").and_then(Value::as_str) {
                Some("S-1-16-4096") => "Low",
                Some("S-1-16-8192") => "Medium",
                Some("S-1-16-12288") => "High",
                Some("S-1-16-16384") => "System",
                _ => return,
            };
            flat.insert("IntegrityLevel".to_owned(), level.into());
        }
        4624 | 4625 => {
            if let Some(Value::String(name)) = flat.get_mut("LogonProcessName") {
                name.truncate(name.trim_end().len());
            }
        }
        _ => {}
    }
}
