//! What the detectors say of themselves.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::{heading, parts};
use crate::shown;
use crate::tally::Tally;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let fired: BTreeSet<&str> = tally
        .view
        .findings
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    let quoted: Vec<_> = tally
        .view
        .explanations
        .iter()
        .filter(|explanation| fired.contains(explanation.code))
        .collect();
    html! {
        section #annex aria-labelledby="annex-heading" {
            (heading("annex"))
            @if quoted.is_empty() {
                p { "No detector that has an explanation found anything." }
            }
            @for explanation in quoted {
                div.explanation {
                    h3 { (parts::quoted(explanation.code)) }
                    (prose(explanation.text))
                }
            }
        }
    }
}

/// Paragraphs, headings and lists, as doc comments are written.
fn prose(text: &str) -> Markup {
    let paragraphs = text
        .split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty());
    html! {
        @for paragraph in paragraphs {
            @match paragraph.strip_prefix('#') {
                Some(heading) => {
                    @let (first, rest) = heading.split_once('\n').unwrap_or((heading, ""));
                    h4 { (shown::line(first.trim_start_matches('#').trim())) }
                    @if !rest.is_empty() { (lines(rest)) }
                }
                None => { (lines(paragraph)) }
            }
        }
    }
}

/// A paragraph, or a list where its lines begin with hyphens.
fn lines(paragraph: &str) -> Markup {
    let Some(first_item) = paragraph.strip_prefix("- ") else {
        return html! { p { (shown::block(paragraph)) } };
    };
    html! {
        ul { @for item in first_item.split("\n- ") { li { (shown::block(item)) } } }
    }
}
