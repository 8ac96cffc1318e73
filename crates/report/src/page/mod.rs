//! The report as one HTML file.

mod annex;
mod assessment;
mod blob;
mod campaigns;
mod coverage;
mod custody;
mod entities;
mod findings;
mod floods;
mod mail;
mod mail_map;
mod new_shapes;
mod partners;
mod parts;
mod plan;
mod read;
mod remarks;
mod rules;
mod summary;
mod timeline;

use std::io::{self, Write};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use blackrod_model::Sha256;
use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use crate::tally::Tally;
use crate::{CaseView, shown, words};

const STYLE: &str = include_str!("../../assets/report.css");
const SCRIPT: &str = include_str!("../../assets/report.js");

/// Writes the report of a case as one self-contained HTML file.
///
/// The file asks nothing of any network: its content security policy allows only its own style sheet
/// and script, by their digests. Without JavaScript every summary, campaign and grouped table can
/// be read, and the gravest few hundred findings; with it, all findings can be searched.
///
/// # Errors
///
/// Whatever `out` fails with.
pub fn html(view: &CaseView<'_>, out: &mut dyn Write) -> io::Result<()> {
    let tally = Tally::new(view);
    let body = markup! {
        a.skip href="#main" { "Skip to the report" }
        (header(&tally))
        div.layout {
            (contents(&tally))
            main #main tabindex="-1" {
                (summary::section(&tally))
                (assessment::statement(&tally))
                (plan::section(&tally))
                (assessment::section(&tally))
                (campaigns::section(&tally))
                (mail::section(&tally))
                (floods::section(&tally))
                (new_shapes::section(&tally))
                (findings::section(&tally))
                (entities::section(&tally))
                (coverage::section(&tally))
                (read::section(&tally))
                (rules::section(&tally))
                (custody::section(&tally))
                (annex::section(&tally))
            }
        }
        (footer(&tally))
        (parts::symbols())
    };
    let head = head(view);
    write!(out, "{}", DOCTYPE.into_string())?;
    out.write_all(b"<html lang=\"en\">")?;
    out.write_all(head.into_string().as_bytes())?;
    out.write_all(b"<body>")?;
    out.write_all(body.into_string().as_bytes())?;
    // The long lists come last, so that a browser shows the page before it has read them.
    blob::write_findings(&tally, out)?;
    if read::needs_list(&tally) {
        blob::write_evidence(&tally, out)?;
    }
    writeln!(out, "<script>{SCRIPT}</script></body></html>")
}

/// The one style sheet and the one script, by digest; nothing else may load, run or be sent.
fn content_security_policy() -> String {
    let source = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::of(text.as_bytes()).0));
    format!(
        "default-src 'none'; style-src {}; script-src {}; img-src data:; base-uri 'none'; form-action 'none'",
        source(STYLE),
        source(SCRIPT)
    )
}

fn head(view: &CaseView<'_>) -> Markup {
    markup! {
        head {
            meta charset="utf-8";
            meta http-equiv="Content-Security-Policy" content=(content_security_policy());
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="referrer" content="no-referrer";
            meta name="robots" content="noindex, nofollow";
            meta name="color-scheme" content="light dark";
            title { (shown::line_of(view.title, 200)) }
            // Keeps a browser from asking a server for an icon.
            link rel="icon" href="data:,";
            style { (PreEscaped(STYLE)) }
        }
    }
}

fn header(tally: &Tally<'_>) -> Markup {
    let view = &tally.view;
    let organisations: Vec<String> = view
        .organisations
        .iter()
        .take(12)
        .map(|organisation| shown::line_of(&organisation.name, 200).into_owned())
        .collect();
    markup! {
        header.cover {
            p.brand { "blackrod" span.brand-note { " · report of an investigation" } }
            h1 { (shown::line_of(view.title, 300)) }
            @if !view.estate.is_empty() {
                p.estate { (shown::line_of(view.estate, 300)) }
            }
            @if !organisations.is_empty() {
                p.organisations { (words::listed(&organisations)) }
            }
            p.made { "Made " (words::moment(view.generated)) ". All times are in UTC." }
        }
    }
}

/// Id, number and heading of each section, in order.
const SECTIONS: [(&str, &str); 15] = [
    ("summary", "Summary"),
    ("statement", "Statement"),
    ("plan", "Action plan"),
    ("assessment", "Assessment"),
    ("campaigns", "Campaigns"),
    ("mail", "Mail campaigns"),
    ("floods", "Floods"),
    ("new-shapes", "Commands that are new here"),
    ("findings", "Findings"),
    ("entities", "What findings share"),
    ("coverage", "What was looked for, and what could not be"),
    ("read", "What was read and what was not"),
    ("rules", "Rules"),
    ("custody", "Custody"),
    ("annex", "Annex: what the detectors say of themselves"),
];

fn contents(tally: &Tally<'_>) -> Markup {
    let campaigns = &tally.view.campaigns;
    let shown_campaigns = &campaigns[..campaigns.len().min(8)];
    markup! {
        nav.contents aria-labelledby="contents-heading" {
            h2 #contents-heading { "Contents" }
            ol {
                @for (id, heading) in SECTIONS {
                    li {
                        a href={ "#" (id) } { (heading) }
                        @if id == "campaigns" && !shown_campaigns.is_empty() {
                            ol.campaign-links {
                                @for campaign in shown_campaigns {
                                    li { a href={ "#" (parts::anchor(campaign)) } { (shown::line_of(&campaign.title, 120)) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The heading of the section `id`, with its number.
fn heading(id: &str) -> Markup {
    let found = SECTIONS.iter().zip(1..).find(|((section, _), _)| *section == id);
    let (text, number) = found.map_or(("", 0), |((_, text), number)| (*text, number));
    markup! {
        h2 id={ (id) "-heading" } { span.number { (number) } " " (text) }
    }
}

fn footer(tally: &Tally<'_>) -> Markup {
    let version = tally.view.runs.last().map_or("", |run| run.version.as_str());
    markup! {
        footer.colophon {
            p {
                "Made by blackrod " (shown::line_of(version, 60)) ". This file holds everything it shows, asks nothing of any network, "
                "and names nothing from evidence as a link."
            }
        }
    }
}
