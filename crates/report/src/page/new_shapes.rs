//! Commands that are new here, for somebody to say whether they are usual, and those of which somebody said so.

use blackrod_model::assessment::{Noted, Remark};
use blackrod_model::{NewShape, UsualShape};
use maud::{Markup, html};

use super::{heading, parts, remarks};
use crate::tally::Tally;
use crate::{shown, words};

/// How many shapes are told; all are in the case.
const MAX_SHAPES: usize = 100;
/// The longest command that is shown, in bytes.
const MAX_COMMAND: usize = 300;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let shapes = tally.view.new_shapes;
    let rest = shapes.len().saturating_sub(MAX_SHAPES);
    html! {
        section #new-shapes aria-labelledby="new-shapes-heading" {
            (heading("new-shapes"))
            @if shapes.is_empty() {
                p { "No command was new in the last week of the evidence that could do harm." }
            } @else {
                p.intro {
                    "Programs with arguments that were not seen before the last week of the evidence, those first that speak most for an intruder. "
                    "Most are new work. Somebody who knows the estate should look, and say of what is theirs that it is usual: it then "
                    "says nothing against the accounts that it was said for."
                }
                p { code { "blackrod usual add --case " (shown::line_of(tally.view.case, 200)) " --by NAME --reason \"our deployment tool\" ID…" } }
                (table(&shapes[..shapes.len() - rest]))
            }
            @if rest > 0 {
                p.note { "and " (words::counted(rest as u64, "more command")) ", in the case's table new_shapes" }
            }
            (usual(tally.view.remarks))
        }
    }
}

fn table(shapes: &[NewShape]) -> Markup {
    let rows = html! {
        @for new in shapes {
            tr {
                td.time { code { (new.shape.id()) } }
                td { (words::moment(new.first)) span.sub { (words::counted_as(new.times, "time", "times")) " since" } }
                th scope="row" {
                    code { (shown::line_of(&new.command, MAX_COMMAND)) }
                    @if !new.can.is_empty() { span.sub { "can " (parts::quoted(&new.can.join(", "))) } }
                }
                td { (parts::quoted(&new.accounts.join(", "))) span.sub { "on " (parts::quoted(&new.hosts.join(", "))) } }
                td.num { (format!("{:+.1}", new.score)) }
            }
        }
    };
    parts::table(
        "Commands that are new here",
        &parts::columns(&["ID", "First seen", "Command", "By whom", "#Score"]),
        &rows,
    )
}

/// What somebody said is usual.
fn usual(noted: &[Noted]) -> Markup {
    let said: Vec<(&UsualShape, &str, &str, &Noted)> = noted
        .iter()
        .filter_map(|noted| match &noted.remark {
            Remark::Usual {
                usual,
                command,
                reason,
            } => Some((usual, command.as_str(), reason.as_str(), noted)),
            _ => None,
        })
        .collect();
    html! {
        @if !said.is_empty() {
            h3 { "Said to be usual" }
            p.intro { "These say nothing against the accounts named. " code { "blackrod assess undo" } " takes a remark back." }
            ul.plain {
                @for (usual, command, reason, noted) in said {
                    li {
                        code { (shown::line_of(command, MAX_COMMAND)) } " by "
                        @if usual.accounts.is_empty() { "everybody" } @else { (parts::quoted(&usual.accounts.join(", "))) }
                        ": " (shown::block(reason)) " " (remarks::source(noted))
                    }
                }
            }
        }
    }
}
