//! What is judged of campaigns: sentences with their certainty, what carries them, who is at risk.

use blackrod_model::Campaign;
use blackrod_model::assessment::{
    Assessment, EvidenceItem, Judgement, Likelihood, PersonAtRisk, Question, Scale,
};
use maud::{Markup, html};

use super::{heading, parts};
use crate::tally::Tally;
use crate::{shown, words};

/// How many campaigns are judged at length here; the case holds the judgements on all.
const MAX_IN_FULL: usize = 12;
const MAX_PEOPLE: usize = 60;
const MAX_ITEMS: usize = 40;
/// How many findings of a judgement are pointed at.
const MAX_POINTERS: usize = 3;

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let judged = judged(tally);
    html! {
        section #assessment aria-labelledby="assessment-heading" {
            (heading("assessment"))
            @if judged.is_empty() {
                p { "No campaign has been judged." }
            } @else {
                p.intro {
                    "Each sentence stands by itself, with its probability in brackets in the words of the UK's yardstick of probability. "
                    "How well founded it is stands on a line of its own. For which state and by which group are judged apart, and so are "
                    "what was reached and what was taken away."
                }
            }
            @for (campaign, assessment) in judged.iter().take(MAX_IN_FULL) { (in_detail(tally, campaign, assessment)) }
            @if judged.len() > MAX_IN_FULL {
                p.note { "and " (words::counted((judged.len() - MAX_IN_FULL) as u64, "weaker campaign")) ": blackrod assess show" }
            }
        }
    }
}

/// A page to be read out, without the name of any person, account or host.
pub(super) fn statement(tally: &Tally<'_>) -> Markup {
    let judged = judged(tally);
    html! {
        section #statement aria-labelledby="statement-heading" {
            (heading("statement"))
            @if let Some((campaign, assessment)) = judged.first() {
                p.note { "A draft for the public on the strongest campaign. It names no person, account or system. Somebody answers for it before it is given out." }
                div.public {
                    p {
                        "Between " (words::moment(campaign.first_seen)) " and " (words::moment(campaign.last_seen))
                        " activity was directed at this institution that is assessed as follows."
                    }
                    @for question in Question::ALL {
                        @for judgement in assessment.on(question).filter(|judgement| is_for_public(judgement)) {
                            p { (shown::line(&judgement.sentence(Scale::Phia))) }
                        }
                    }
                    @for line in &assessment.open { p { (shown::line(line)) } }
                    p {
                        (words::counted_as(assessment.at_risk.iter().filter(|person| person.was_hit).count() as u64, "person was", "people were"))
                        " seen to be hit; "
                        (words::number(assessment.at_risk.iter().filter(|person| person.told.is_some()).count() as u64))
                        " of those at risk have been told in person."
                    }
                }
            } @else {
                p { "There is nothing to state." }
            }
        }
    }
}

/// Weak claims of a group are for the room, not for the public.
fn is_for_public(judgement: &Judgement) -> bool {
    judgement.question != Question::Group || judgement.probability >= 0.55
}

fn judged<'t>(tally: &'t Tally<'_>) -> Vec<(&'t Campaign, &'t Assessment)> {
    let of = |campaign: &Campaign| {
        tally
            .view
            .assessments
            .iter()
            .find(move |one| one.campaign == campaign.id)
    };
    let campaigns = tally.view.campaigns.iter().take(10 * MAX_IN_FULL);
    campaigns
        .filter_map(|campaign| Some((campaign, of(campaign)?)))
        .collect()
}

fn in_detail(tally: &Tally<'_>, campaign: &Campaign, assessment: &Assessment) -> Markup {
    let anchor = format!("assessment-{}", parts::anchor(campaign));
    html! {
        article.campaign.assessment id=(anchor) aria-labelledby={ (anchor) "-heading" } {
            h3 id={ (anchor) "-heading" } { (parts::quoted(&campaign.title)) }
            p.campaign-meta {
                span.id { (shown::line_of(campaign.id.as_str(), 60)) }
                " · " a href={ "#" (parts::anchor(campaign)) } { "the campaign" }
                " · judged with " (shown::line_of(&assessment.profiles, 80))
            }
            @for question in Question::ALL {
                @let judgements: Vec<&Judgement> = assessment.on(question).collect();
                @if !judgements.is_empty() {
                    h4 { (question.heading()) }
                    @for judgement in judgements { (sentence(tally, judgement)) }
                }
            }
            (targeting(assessment))
            (matrix(assessment))
            (people(&assessment.at_risk))
            (lines("What is not known", assessment.unknown()))
            (lines("What would change the judgement of who it was", assessment.would_change.iter().map(String::as_str)))
        }
    }
}

fn sentence(tally: &Tally<'_>, judgement: &Judgement) -> Markup {
    let by_id = |id| tally.finding(id);
    let pointed = judgement.findings.iter().filter_map(by_id).take(MAX_POINTERS);
    let rest = judgement.findings.len().saturating_sub(MAX_POINTERS);
    html! {
        div.judgement {
            p.sentence { (shown::line(&judgement.sentence(Scale::Phia))) }
            p.confidence { (shown::line(&judgement.confidence_line())) }
            @if let Some(reason) = &judgement.held_down { p.note { (shown::line(&words::capitalised(reason))) "." } }
            @if !judgement.findings.is_empty() {
                details {
                    summary { "Rests on " (words::counted(judgement.findings.len() as u64, "finding")) }
                    ul {
                        @for finding in pointed {
                            li { (parts::quoted(&finding.title)) " · " (words::moment(finding.time)) " · " (parts::pointer(tally, finding)) }
                        }
                        @if rest > 0 { li { "and " (words::number(rest as u64)) " more" } }
                    }
                }
            }
        }
    }
}

fn targeting(assessment: &Assessment) -> Markup {
    html! {
        @if !assessment.targeting.is_empty() {
            h4 { "Whom it was after" }
            ul {
                @for enrichment in assessment.targeting.iter().take(8) {
                    li {
                        (shown::line(&enrichment.sentence("people who were hit")))
                        span.weight { " · odds " (format!("{:.0}", enrichment.odds_ratio)) " to 1 against everybody else" }
                    }
                }
            }
        }
    }
}

/// Hypotheses by evidence: a display and a check that nothing was left out; the arithmetic is done before.
fn matrix(assessment: &Assessment) -> Markup {
    if assessment.items.is_empty() {
        return html! {
            h4 { "Who it may have been" }
            p { "No evidence speaks of who it was: the figures are those from before anything was seen." }
        };
    }
    let shown_hypotheses = assessment.hypotheses.len().min(6);
    let hypotheses = &assessment.hypotheses[..shown_hypotheses];
    let others = assessment.hypotheses.iter().skip(shown_hypotheses);
    html! {
        h4 { "Who it may have been" }
        (parts::table(
            "Hypotheses before and after the evidence, before ceilings",
            &parts::columns(&["Hypothesis", "#Before", "#After", "In words"]),
            &html! {
                @for hypothesis in hypotheses.iter().chain(others) {
                    tr {
                        th scope="row" { (shown::line_of(&hypothesis.name, 80)) }
                        td.num { (percent(hypothesis.prior)) }
                        td.num { (percent(hypothesis.posterior)) }
                        td { (Likelihood::of(hypothesis.posterior, Scale::Phia).word) }
                    }
                }
            },
        ))
        p.note {
            "With this evidence a state is named with at most " (percent(assessment.ceilings.state)) " and a group with at most "
            (percent(assessment.ceilings.group)) ": " (shown::line(&assessment.ceilings.reason)) "."
        }
        h4 { "What speaks for whom" }
        p.note {
            "Each figure is how many times likelier the evidence is if the hypothesis is true than if anybody may have done it, tempered "
            "and shrunk by the grade of its source. The rows that tell the hypotheses apart most come first. The last columns are the "
            "leading state and group without the row."
        }
        (parts::table(
            "Evidence by hypotheses",
            &html! {
                tr {
                    th scope="col" { "Evidence" }
                    th scope="col" { "Grade" }
                    @for hypothesis in hypotheses { th.num scope="col" { (shown::line_of(&hypothesis.name, 40)) } }
                    th.num scope="col" { "State without" }
                    th.num scope="col" { "Group without" }
                }
            },
            &html! { @for item in assessment.items.iter().take(MAX_ITEMS) { (row(item, shown_hypotheses)) } },
        ))
    }
}

fn row(item: &EvidenceItem, count: usize) -> Markup {
    html! {
        tr {
            th scope="row" {
                (shown::line_of(&item.claim, 300))
                span.sub { (item.class.name()) @if !item.forgeable { " · hard to forge" } }
            }
            td { (item.grade) }
            @for at in 0..count {
                td.num { (item.ln_ratios.get(at).map_or_else(|| "–".to_owned(), |ln| format!("{:.2}", ln.exp()))) }
            }
            td.num { (percent(item.state_without)) }
            td.num { (percent(item.group_without)) }
        }
    }
}

fn people(at_risk: &[PersonAtRisk]) -> Markup {
    let rest = at_risk.len().saturating_sub(MAX_PEOPLE);
    let untold = at_risk.iter().filter(|person| person.told.is_none()).count();
    html! {
        @if !at_risk.is_empty() {
            h4 { "People at risk" }
            p { (words::number(untold as u64)) " of " (words::number(at_risk.len() as u64)) " have not been told." }
            (parts::table(
                "People who were hit or share what those who were hit have in common",
                &parts::columns(&["Person", "Why", "#Hit (again)", "Told"]),
                &html! {
                    @for person in at_risk.iter().take(MAX_PEOPLE) {
                        tr {
                            th scope="row" { (parts::quoted(if person.name.is_empty() { &person.person } else { &person.name })) }
                            td { (shown::line_of(&person.why, 200)) }
                            td.num { (percent(person.probability)) }
                            td {
                                @match &person.told {
                                    Some(told) => { (words::moment(told.at)) " by " (parts::quoted(&told.by)) ": " (shown::line_of(&told.advice, 200)) },
                                    None => strong { "not yet" },
                                }
                            }
                        }
                    }
                },
            ))
            @if rest > 0 { p.note { "and " (words::counted_as(rest as u64, "more person", "more people")) } }
        }
    }
}

fn lines<'l>(heading: &str, lines: impl Iterator<Item = &'l str>) -> Markup {
    let mut lines = lines.peekable();
    html! {
        @if lines.peek().is_some() {
            h4 { (heading) }
            ul { @for line in lines { li { (shown::line(line)) } } }
        }
    }
}

/// A probability as people read it: never none, never certain.
fn percent(probability: f64) -> String {
    match 100.0 * probability {
        value if value < 0.5 => "below 1 %".to_owned(),
        value if value >= 99.5 => "above 99 %".to_owned(),
        value => format!("{value:.0} %"),
    }
}
