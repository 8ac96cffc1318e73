//! One message taken apart, as a page of its own and as text for the terminal.

mod safe;

use std::fmt::Write as _;

use blackrod_model::mail::{AuthResult, Facts, LinkRole, Term};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::shown::line as shown;

/// No request leaves a page with this policy, whatever stands in it; the frame inherits it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'";
const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}\
    table{border-collapse:collapse;margin:.5rem 0 1.5rem}th,td{text-align:left;vertical-align:top;padding:.2rem .8rem .2rem 0}\
    td{overflow-wrap:anywhere}code{font-size:.9em}.n{text-align:right}\
    iframe,pre.body{width:100%;box-sizing:border-box;border:1px solid #999;height:36rem;background:#fff;color:#000}\
    pre.body{white-space:pre-wrap;overflow:auto;padding:1rem}";

/// A message to be shown.
pub struct MessageView<'m> {
    /// Its anatomy.
    pub facts: &'m Facts,
    /// How suspicious it is by itself, in nats.
    pub score: f64,
    /// What the score is made of.
    pub terms: &'m [Term],
    /// What its signals mean, code to title; for those that weigh nothing too.
    pub titles: &'m dyn Fn(&str) -> String,
    /// What it shows, in its order.
    pub bodies: Vec<Body<'m>>,
}

/// A body that a message shows.
pub enum Body<'m> {
    /// Plain text.
    Text(&'m str),
    /// HTML as it was sent.
    Html(&'m str),
}

/// The page of `messages`: their anatomy, and what they look like. It loads nothing, whatever the messages say: their HTML is
/// written anew from harmless elements, stands in a frame without any rights, under a policy that allows no load.
pub fn message_page(messages: &[MessageView<'_>]) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="referrer" content="no-referrer";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Message: " (shown(messages.first().map_or("", |one| &one.facts.subject))) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                @for message in messages { (section(message)) }
            }
        }
    }
    .into_string()
}

/// The anatomy of a message for the terminal.
pub fn message_text(message: &MessageView<'_>) -> String {
    let mut text = String::new();
    for (name, value) in head(message.facts) {
        let _ = writeln!(text, "{name:<14} {}", shown(&value));
    }
    let _ = writeln!(text, "\nScore {:.1} nats", message.score);
    for term in message.terms {
        let _ = writeln!(
            text,
            "{:>6.1}  {:<34} {}",
            term.weight,
            term.code,
            shown(&term.words)
        );
        let _ = writeln!(text, "        innocent if: {}", term.innocent);
    }
    for signal in unweighted(message) {
        let _ = writeln!(text, "     -  {:<34} {}", signal.code, shown(&signal.seen));
    }
    for (title, rows) in tables(message.facts) {
        let _ = writeln!(text, "\n{title}");
        for row in rows {
            let cells: Vec<String> = row
                .iter()
                .filter(|cell| !cell.is_empty())
                .map(|cell| shown(cell).into_owned())
                .collect();
            let _ = writeln!(text, "  {}", cells.join("  "));
        }
    }
    text
}

fn section(message: &MessageView<'_>) -> Markup {
    html! {
        h1 { (shown(&message.facts.subject)) }
        table {
            @for (name, value) in head(message.facts) {
                tr { th { (name) } td { (shown(&value)) } }
            }
        }
        h2 { "What speaks against it: " (format!("{:.1}", message.score)) " nats" }
        table {
            @for term in message.terms {
                tr {
                    td.n { (format!("{:+.1}", term.weight)) }
                    td { b { ((message.titles)(&term.code)) } br; (shown(&term.words)) br; small { "Innocent if: " (term.innocent) } }
                }
            }
            @for signal in unweighted(message) {
                tr { td.n { "–" } td { ((message.titles)(&signal.code)) br; (shown(&signal.seen)) } }
            }
        }
        @for (title, rows) in tables(message.facts) {
            h2 { (title) }
            table {
                @for row in &rows { tr { @for cell in row { td { (shown(cell)) } } } }
            }
        }
        @for body in &message.bodies {
            h2 { "As it looks, without pictures, links and scripts" }
            @match body {
                Body::Text(text) => pre.body { (shown_long(text)) },
                Body::Html(source) => iframe sandbox="" referrerpolicy="no-referrer" title="The message" srcdoc=(frame(source)) {},
            }
        }
    }
}

fn frame(source: &str) -> String {
    format!(
        "<!DOCTYPE html><meta charset=\"utf-8\"><meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"><body>{}",
        safe::safe_html(source)
    )
}

/// Plain text as it is; maud escapes it.
fn shown_long(text: &str) -> &str {
    const LIMIT: usize = 200 << 10;
    text.get(..text.floor_char_boundary(LIMIT)).unwrap_or(text)
}

fn unweighted<'m>(message: &'m MessageView<'_>) -> impl Iterator<Item = &'m blackrod_model::mail::Signal> {
    let weighed = |code: &str| message.terms.iter().any(|term| term.code == code);
    message
        .facts
        .signals
        .iter()
        .filter(move |signal| !weighed(&signal.code))
}

fn head(facts: &Facts) -> Vec<(&'static str, String)> {
    let optional = |name, value: &Option<String>| value.clone().map(|value| (name, value));
    let mut rows = vec![
        ("From", format!("{} <{}>", facts.from_name, facts.from)),
        ("To", facts.recipients.join(", ")),
        ("Subject", facts.subject.clone()),
        ("Time", facts.time.to_string()),
    ];
    rows.extend(optional("Reply-To", &facts.reply_to));
    rows.extend(optional("Return-Path", &facts.return_path));
    rows.push(("Message-ID", facts.message_id.clone()));
    let auth = &facts.authentication;
    let results = [
        ("SPF", auth.spf),
        ("DKIM", auth.dkim),
        ("DMARC", auth.dmarc),
        ("ARC", auth.arc),
    ];
    let told: Vec<String> = results
        .iter()
        .filter(|(_, result)| *result != AuthResult::Unknown)
        .map(|(name, result)| format!("{name} {result:?}").to_lowercase())
        .collect();
    rows.push((
        "Authentication",
        match told.is_empty() {
            true => "nobody who is trusted said anything".into(),
            false => format!("{}; signed by {}", told.join(", "), auth.signers.join(", ")),
        },
    ));
    let origin = &facts.origin;
    let ip = origin.ip.map(|ip| ip.to_string()).unwrap_or_default();
    let host = origin.host.as_deref().unwrap_or_default();
    rows.push(("Entered from", format!("{ip} {host} ({} stations)", origin.hops)));
    if let Some(service) = &facts.bulk.service {
        let account = facts.bulk.account.as_deref().unwrap_or("not named");
        rows.push(("Sent through", format!("{service}, account {account}")));
    }
    rows.extend(optional("Language", &facts.text.language));
    rows.retain(|(_, value)| !value.is_empty());
    rows
}

/// Tables with a title each: what it loads, where it leads, what is attached.
fn tables(facts: &Facts) -> Vec<(&'static str, Vec<Vec<String>>)> {
    let of_role = |role: LinkRole| {
        let links = facts.links.iter().filter(|link| link.role == role);
        links
            .map(|link| {
                let tokens: Vec<String> = link
                    .tokens
                    .iter()
                    .map(|token| match &token.derived {
                        Some(way) => format!("{}: the recipient's address ({way})", token.place),
                        None => format!("{}: {} characters", token.place, token.length),
                    })
                    .collect();
                let hidden = if link.hidden { "hidden" } else { "" };
                vec![
                    link.found_in.clone(),
                    hidden.into(),
                    link.template.clone(),
                    tokens.join("; "),
                ]
            })
            .collect::<Vec<_>>()
    };
    let attachments = facts.attachments.iter();
    let attachments =
        attachments.map(|one| vec![one.name.clone(), one.kind.clone(), format!("{} bytes", one.size)]);
    let mut tables = vec![
        ("What it loads by itself", of_role(LinkRole::Beacon)),
        ("Where it leads", of_role(LinkRole::Click)),
        ("Where its forms send to", of_role(LinkRole::Form)),
        ("How to leave the list", of_role(LinkRole::Unsubscribe)),
        ("Attachments", attachments.collect()),
    ];
    tables.retain(|(_, rows)| !rows.is_empty());
    tables
}
