//! The assessments and the action plan as Markdown (CommonMark), to go on working with.

use std::fmt::Write as _;

use blackrod_model::ActionKind;
use blackrod_model::assessment::{Question, Scale};

use crate::{CaseView, shown, words};

/// Campaigns with what is judged of them and what is to be done. Text from evidence is escaped: it makes no link, no image, no heading.
pub fn markdown(view: &CaseView<'_>) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    let _ = write_all(view, &mut out);
    out
}

fn write_all(view: &CaseView<'_>, out: &mut String) -> std::fmt::Result {
    writeln!(out, "# {}\n", plain(view.title))?;
    writeln!(
        out,
        "Made {}. All times are in UTC.\n",
        words::moment(view.generated)
    )?;
    writeln!(
        out,
        "{} in {}.\n",
        words::counted(view.totals.iter().map(|total| total.findings).sum(), "finding"),
        words::counted(view.campaigns.len() as u64, "campaign")
    )?;
    for campaign in view.campaigns {
        writeln!(out, "## {}\n", plain(&campaign.title))?;
        writeln!(
            out,
            "`{}` · {}\n",
            campaign.id.as_str().replace('`', ""),
            words::span(campaign.first_seen, campaign.last_seen)
        )?;
        let Some(assessment) = view.assessments.iter().find(|one| one.campaign == campaign.id) else {
            continue;
        };
        for question in Question::ALL {
            let mut judgements = assessment.on(question).peekable();
            if judgements.peek().is_none() {
                continue;
            }
            writeln!(out, "### {}\n", question.heading())?;
            for judgement in judgements {
                writeln!(out, "{}\n", plain(&judgement.sentence(Scale::Phia)))?;
                writeln!(out, "> {}\n", plain(&judgement.confidence_line()))?;
            }
        }
        for enrichment in &assessment.targeting {
            writeln!(out, "- {}", plain(&enrichment.sentence("people who were hit")))?;
        }
        if !assessment.targeting.is_empty() {
            writeln!(out)?;
        }
        for line in assessment.unknown() {
            writeln!(out, "- {}", plain(line))?;
        }
        writeln!(out)?;
    }
    write_plan(view, out)
}

fn write_plan(view: &CaseView<'_>, out: &mut String) -> std::fmt::Result {
    writeln!(out, "## Action plan\n")?;
    if view.plan.actions.is_empty() {
        writeln!(out, "Nothing is proposed.\n")?;
    }
    for kind in ActionKind::ALL {
        let mut actions = view
            .plan
            .actions
            .iter()
            .filter(|action| action.kind == kind)
            .peekable();
        if actions.peek().is_none() {
            continue;
        }
        writeln!(out, "### {}\n", kind.heading())?;
        for action in actions {
            let answers: Vec<String> = action.attack.iter().map(|id| words::technique(id)).collect();
            writeln!(
                out,
                "- **{}**: {} (`{}`)",
                action.state().name(),
                plain(&action.what),
                action.id.as_str().replace('`', "")
            )?;
            writeln!(out, "  Why: {}", plain(&action.why))?;
            if !answers.is_empty() {
                writeln!(out, "  Answers: {}", plain(&answers.join(", ")))?;
            }
            for step in &action.steps {
                writeln!(
                    out,
                    "  {} by {}, {}. {}",
                    words::capitalised(step.state.name()),
                    plain(&step.by),
                    words::moment(step.at),
                    plain(&step.note)
                )?;
            }
        }
        writeln!(out)?;
    }
    for line in &view.plan.left_out {
        writeln!(out, "{}\n", plain(line))?;
    }
    Ok(())
}

/// Text with all that means something to Markdown or HTML escaped.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in shown::line(text).chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|' | '~' => {
                out.push('\\');
                out.push(c);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_evidence_says_is_no_markup() {
        assert_eq!(plain("[x](http://y) <img>"), "\\[x\\]\\(http://y\\) &lt;img&gt;");
    }
}
