//! What findings share.

use maud::{Markup, html};

use super::{campaigns::kind_name, heading, parts};
use crate::tally::{EntityTotal, Tally};
use crate::words;

/// How many entities the table has.
const MAX_ENTITIES: usize = 200;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let (entities, shared) = tally.entities(MAX_ENTITIES);
    let rows = html! { @for total in &entities { (row(tally, total)) } };
    html! {
        section #entities aria-labelledby="entities-heading" {
            (heading("entities"))
            @if entities.is_empty() {
                p { "No two findings name the same account, host, address or file." }
            } @else {
                p.intro {
                    "Accounts, hosts, addresses and files that at least two findings name. A value that many findings share "
                    "need not mean anything: " code { "system" } " is on every machine."
                }
                (parts::table(
                    "Most shared entities",
                    &parts::columns(&["Entity", "Kind", "#Findings", "Campaigns"]),
                    &rows,
                ))
                @if shared > entities.len() {
                    p.note { "and " (words::counted_as((shared - entities.len()) as u64, "more entity", "more entities")) }
                }
            }
        }
    }
}

fn row(tally: &Tally<'_>, total: &EntityTotal<'_>) -> Markup {
    html! {
        tr {
            th.value scope="row" { (parts::quoted(&total.entity.value)) }
            td { (kind_name(total.entity.kind)) }
            td.num { (words::number(total.findings)) }
            td {
                ul.plain {
                    @for index in &total.campaigns {
                        @if let Some(campaign) = tally.view.campaigns.get(*index) {
                            li { a href={ "#" (parts::anchor(campaign)) } { (crate::shown::line_of(&campaign.title, 100)) } }
                        }
                    }
                    @if total.campaigns.len() == EntityTotal::MAX_CAMPAIGNS { li { "and perhaps others" } }
                }
            }
        }
    }
}
