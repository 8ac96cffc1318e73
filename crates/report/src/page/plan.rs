//! What is to be done: each action with its reason, and how far it has come.

use blackrod_model::{Action, ActionKind, ActionState, ActionStep, Campaign};
use maud::{Markup, html};

use super::{heading, parts};
use crate::tally::Tally;
use crate::{shown, words};

/// How many actions of one kind are told; the case has all.
const MAX_OF_KIND: usize = 40;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let plan = tally.view.plan;
    html! {
        section #plan aria-labelledby="plan-heading" {
            (heading("plan"))
            @if plan.actions.is_empty() {
                p { "No campaign has a finding grave enough to propose anything." }
            } @else {
                p.intro {
                    "What would limit the harm, drawn from a fixed table of measures. These are proposals: nothing is done before a named "
                    "person approves it, and blackrod does none of it by itself. " (so_far(&plan.actions))
                }
            }
            @for kind in ActionKind::ALL {
                @let actions: Vec<&Action> = plan.actions.iter().filter(|action| action.kind == kind).collect();
                @if !actions.is_empty() {
                    h3 { (kind.heading()) }
                    ul.actions {
                        @for action in actions.iter().take(MAX_OF_KIND) { (told(tally, action)) }
                    }
                    @if actions.len() > MAX_OF_KIND {
                        p.note { "and " (words::number((actions.len() - MAX_OF_KIND) as u64)) " more: blackrod respond plan" }
                    }
                }
            }
            @if !plan.former.is_empty() {
                h3 { "No longer called for" }
                ul.actions {
                    @for former in &plan.former {
                        li { (parts::quoted(&former.what)) (steps(&former.steps)) }
                    }
                }
            }
            @for line in &plan.left_out { p.note { (shown::line(line)) } }
        }
    }
}

/// `Of 43 actions 2 are approved and 1 is done.`
fn so_far(actions: &[Action]) -> String {
    let states = [
        ActionState::Approved,
        ActionState::Done,
        ActionState::Verified,
        ActionState::Declined,
    ];
    let counted = states.map(|state| (actions.iter().filter(|one| one.state() == state).count(), state));
    let some: Vec<String> = counted
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{} {}", words::number(*count as u64), state.name()))
        .collect();
    let all = words::counted(actions.len() as u64, "action");
    match some.is_empty() {
        true => format!("Of {all} none has been decided on."),
        false => format!("Of {all}: {}; the others are proposed.", words::listed(&some)),
    }
}

fn told(tally: &Tally<'_>, action: &Action) -> Markup {
    let answers: Vec<String> = action.attack.iter().map(|id| words::technique(id)).collect();
    let findings: Vec<_> = action
        .findings
        .iter()
        .filter_map(|id| tally.finding(id))
        .collect();
    html! {
        li.action {
            p.what {
                span .state .state-open[matches!(action.state(), ActionState::Proposed | ActionState::Approved)] { (action.state().name()) }
                " " (parts::quoted(&action.what)) " " span.id { (shown::line_of(action.id.as_str(), 40)) }
            }
            p.why {
                "Because: " (shown::line(&action.why)) ". "
                (campaigns(tally, action))
                @if !answers.is_empty() { " Answers " (shown::line(&words::listed(&answers))) "." }
            }
            @if !action.care.is_empty() { p.note { "First: " (shown::line(&action.care)) } }
            (steps(&action.steps))
            @if !findings.is_empty() {
                details {
                    summary { "Rests on " (words::counted(findings.len() as u64, "finding")) ", among others" }
                    ul {
                        @for finding in findings {
                            li { (parts::quoted(&finding.title)) " · " (words::moment(finding.time)) " · " (parts::pointer(tally, finding)) }
                        }
                    }
                }
            }
        }
    }
}

/// Links to the campaigns that call for it.
fn campaigns(tally: &Tally<'_>, action: &Action) -> Markup {
    const MAX: usize = 3;
    let of = |campaign: &&Campaign| action.campaigns.contains(&campaign.id);
    let calling: Vec<&Campaign> = tally.view.campaigns.iter().filter(of).collect();
    html! {
        @for campaign in calling.iter().take(MAX) {
            a href={ "#" (parts::anchor(campaign)) } { (shown::line_of(campaign.id.as_str(), 60)) } " "
        }
        @if calling.len() > MAX { "and " (words::counted((calling.len() - MAX) as u64, "more campaign")) }
    }
}

fn steps(steps: &[ActionStep]) -> Markup {
    html! {
        @for step in steps {
            p.note {
                (words::capitalised(step.state.name())) " by " (shown::line_of(&step.by, 80)) ", " (words::moment(step.at))
                @if !step.note.is_empty() { ": " (shown::line(&step.note)) }
                span.weight { " (remark " (step.remark) ")" }
            }
        }
    }
}
