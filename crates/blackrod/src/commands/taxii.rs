//! `blackrod taxii`: STIX from and to a TAXII 2.1 server (OASIS Standard, 10 June 2021).

use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blackrod_report::shown;
use blackrod_store::Case;
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Response;
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::report::{Gathered, default_path};
use super::{Outcome, estate, plan};
use crate::cli;

/// The media type of TAXII 2.1, section 1.6.8.
const MEDIA_TYPE: &str = "application/taxii+json;version=2.1";
/// What a server may send in one answer, in bytes.
const MAX_ANSWER: u64 = 64 << 20;
/// Objects that are asked for at once; servers may give fewer.
const PAGE: &str = "1000";
/// How many pages one pull follows, so that a server cannot keep it busy for ever.
const MAX_PAGES: usize = 10_000;
/// How many objects of all pages are kept.
const MAX_OBJECTS: usize = 2_000_000;
/// How many objects are sent at once.
const BATCH: usize = 500;
const TIMEOUT: Duration = Duration::from_secs(60);

pub(crate) fn run(command: &cli::Taxii) -> anyhow::Result<Outcome> {
    match command {
        cli::Taxii::Collections { server } => collections(&Client::new(server)?)?,
        cli::Taxii::Pull {
            server,
            collection,
            added_after,
            output,
        } => pull(&Client::new(server)?, collection, added_after.as_deref(), output)?,
        cli::Taxii::Push {
            server,
            collection,
            case,
            estate,
            tlp,
        } => {
            let (estate, _) = estate::load_or_empty(estate.as_deref())?;
            let case_read = Case::open_read_only(case)?;
            plan::ensure_own_is_known(&case_read, &estate)?;
            let gathered = Gathered::from_case(&case_read, case, &estate, &[])?;
            let bundle = gathered.view(&default_path(case), |view| {
                blackrod_report::stix(view, (*tlp).into())
            });
            push(&Client::new(server)?, collection, bundle)?;
        }
    }
    Ok(Outcome::Done)
}

fn collections(client: &Client) -> anyhow::Result<()> {
    let (answer, _) = client.get("collections/", &[])?;
    let mut out = std::io::stdout().lock();
    for collection in answer["collections"].as_array().into_iter().flatten() {
        let may = |name: &str| collection[name].as_bool().unwrap_or(false);
        let access = match (may("can_read"), may("can_write")) {
            (true, true) => "read, write",
            (true, false) => "read",
            (false, true) => "write",
            (false, false) => "no access",
        };
        writeln!(
            out,
            "{}  {access:<11}  {}",
            shown::line_of(collection["id"].as_str().unwrap_or(""), 60),
            shown::line_of(collection["title"].as_str().unwrap_or(""), 200)
        )?;
    }
    Ok(())
}

fn pull(client: &Client, collection: &str, added_after: Option<&str>, output: &Path) -> anyhow::Result<()> {
    let path = format!("collections/{}/objects/", segment(collection)?);
    let mut objects: Vec<Value> = Vec::new();
    let mut newest = added_after.map(str::to_owned);
    let mut next: Option<String> = None;
    for page in 0.. {
        ensure!(
            page < MAX_PAGES,
            "the server has no end of pages; {page} were read"
        );
        // Some servers cannot go on where the first page was not asked for with a limit (TAXII 2.1 5.4).
        let mut query: Vec<(&str, &str)> = vec![("limit", PAGE)];
        query.extend(added_after.map(|time| ("added_after", time)));
        query.extend(next.as_deref().map(|next| ("next", next)));
        let (mut envelope, added_last) = client.get(&path, &query)?;
        newest = added_last.or(newest);
        let had = objects.len();
        if let Value::Array(page) = envelope["objects"].take() {
            objects.extend(page);
        }
        ensure!(
            objects.len() <= MAX_OBJECTS,
            "the collection has more than {MAX_OBJECTS} objects; ask for less with --added-after"
        );
        let before = next;
        next = envelope["next"].as_str().map(str::to_owned);
        if envelope["more"] != true || next.is_none() {
            break;
        }
        // The name of what follows may stay the same from page to page; then at least its content must not run dry.
        ensure!(
            next != before || objects.len() > had,
            "the server names the same page again and again"
        );
    }
    let count = objects.len();
    let bundle = blackrod_report::bundle_of(objects);
    std::fs::write(output, serde_json::to_vec(&bundle)?)
        .with_context(|| format!("cannot write {}", output.display()))?;
    println!("{count} objects in {}", output.display());
    if let Some(newest) = newest {
        println!(
            "for what comes later: --added-after {}",
            shown::line_of(&newest, 60)
        );
    }
    Ok(())
}

fn push(client: &Client, collection: &str, mut bundle: Value) -> anyhow::Result<()> {
    let path = format!("collections/{}/objects/", segment(collection)?);
    let Value::Array(objects) = bundle["objects"].take() else {
        bail!("the case gives no STIX objects");
    };
    let (mut taken, mut pending) = (0, 0);
    for batch in objects.chunks(BATCH) {
        let status = client.post(&path, &json!({ "objects": batch }))?;
        let count = |name: &str| status[name].as_u64().unwrap_or(0);
        taken += count("success_count");
        pending += count("pending_count");
        if count("failure_count") > 0 {
            let failure = &status["failures"][0];
            bail!(
                "the server refused {} of {} objects; the first, {}: {}",
                count("failure_count"),
                batch.len(),
                shown::line_of(failure["id"].as_str().unwrap_or("unnamed"), 100),
                shown::line_of(failure["message"].as_str().unwrap_or("no reason given"), 300)
            );
        }
    }
    println!(
        "{taken} objects taken by the server, {pending} still being taken, of {}",
        objects.len()
    );
    Ok(())
}

/// A collection's id or alias as one segment of a path.
fn segment(collection: &str) -> anyhow::Result<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    ensure!(
        !collection.is_empty() && !collection.starts_with('.') && collection.bytes().all(is_plain),
        "{collection} is no id of a collection; `blackrod taxii collections URL` lists them"
    );
    Ok(collection)
}

/// A connection to one API root. Redirects are not followed: they would carry the password elsewhere.
struct Client {
    agent: Agent,
    root: String,
    authorization: Option<String>,
}

impl Client {
    fn new(server: &cli::TaxiiServer) -> anyhow::Result<Self> {
        ensure!(
            server.root.starts_with("https://") || server.root.starts_with("http://"),
            "{} is no URL of an API root",
            server.root
        );
        let mut tls = TlsConfig::builder();
        if let Some(path) = &server.ca {
            tls = tls.root_certs(roots_of(path)?);
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_global(Some(TIMEOUT))
            .user_agent(concat!("blackrod/", env!("CARGO_PKG_VERSION")));
        Ok(Self {
            agent: config.build().into(),
            root: format!("{}/", server.root.trim_end_matches('/')),
            authorization: authorization(server)?,
        })
    }

    /// The answer, and when the newest of it was added to the server.
    fn get(&self, path: &str, query: &[(&str, &str)]) -> anyhow::Result<(Value, Option<String>)> {
        let url = format!("{}{path}", self.root);
        let mut request = self
            .agent
            .get(&url)
            .header("Accept", MEDIA_TYPE)
            .query_pairs(query.iter().copied());
        if let Some(value) = &self.authorization {
            request = request.header("Authorization", value);
        }
        let answer = request.call().with_context(|| format!("cannot ask {url}"))?;
        let added_last = answer
            .headers()
            .get("X-TAXII-Date-Added-Last")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok((read(&url, answer)?, added_last))
    }

    fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}{path}", self.root);
        let mut request = self
            .agent
            .post(&url)
            .header("Accept", MEDIA_TYPE)
            .header("Content-Type", MEDIA_TYPE);
        if let Some(value) = &self.authorization {
            request = request.header("Authorization", value);
        }
        let answer = request
            .send(serde_json::to_vec(body)?)
            .with_context(|| format!("cannot send to {url}"))?;
        read(&url, answer)
    }
}

fn read(url: &str, mut answer: Response<ureq::Body>) -> anyhow::Result<Value> {
    let status = answer.status();
    let body = answer
        .body_mut()
        .with_config()
        .limit(MAX_ANSWER)
        .read_to_vec()
        .with_context(|| format!("the answer of {url} cannot be read"))?;
    if !status.is_success() {
        let error: Value = serde_json::from_slice(&body).unwrap_or_default();
        let reason = error["description"].as_str().or(error["title"].as_str());
        bail!(
            "{url} answers {status}: {}",
            shown::line_of(reason.unwrap_or("no reason given"), 300)
        );
    }
    serde_json::from_slice(&body).with_context(|| format!("the answer of {url} is no TAXII"))
}

fn authorization(server: &cli::TaxiiServer) -> anyhow::Result<Option<String>> {
    let Some(path) = &server.secret else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the secret in {}", path.display()))?;
    let secret = text.lines().next().unwrap_or("").trim_end();
    ensure!(!secret.is_empty(), "{} is empty", path.display());
    Ok(Some(match &server.user {
        Some(user) => format!("Basic {}", STANDARD.encode(format!("{user}:{secret}"))),
        None => format!("Bearer {secret}"),
    }))
}

fn roots_of(path: &Path) -> anyhow::Result<RootCerts> {
    let pem = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item? {
            certificates.push(certificate);
        }
    }
    ensure!(!certificates.is_empty(), "{} has no certificate", path.display());
    Ok(RootCerts::new_with_certs(&certificates))
}
