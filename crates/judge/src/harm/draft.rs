//! Drafts of what to tell whom, to be completed and signed by people.

use super::{Harm, Kind, percent};

/// What the regulator has to be told within 72 hours (Regulation (EU) 2016/679 and UK GDPR, Article 33(3)).
pub fn for_regulator(harm: &Harm) -> String {
    let mut text = format!(
        "# Draft: notification to the supervisory authority\n\nDue within 72 hours after becoming aware (Article 33). Send what is known, \
         and the rest later (33(4)). [What stands in brackets is to be filled in.]\n\n\
         **What happened.** Records of {} were read and copied without right. [When it began, when it was found, how.]\n\n\
         **Who is concerned.** {} people.\n",
        harm.register,
        between(harm.people)
    );
    for group in &harm.groups {
        text.push_str(&format!(
            "Among them {}: {}. {}\n",
            group.name,
            between(group.people),
            group.why
        ));
    }
    text.push_str("\n**What was taken.** ");
    let columns: Vec<&str> = harm.columns.iter().map(|(name, _)| name.as_str()).collect();
    text.push_str(&match columns.is_empty() {
        true => "[The columns.]".to_owned(),
        false => columns.join(", "),
    });
    text.push_str(".\n\n**Likely consequences.** ");
    if harm.is_named {
        text.push_str("The records name people. ");
    }
    for one in &harm.singling {
        text.push_str(&format!(
            "By {} alone {} are unique ({}). ",
            one.columns,
            percent(&one.unique),
            one.unique.method
        ));
    }
    for one in &harm.joining {
        text.push_str(&format!(
            "Joined with {} by {}: {} matched, which adds {}. ",
            one.with,
            one.by,
            percent(&one.matched),
            one.adds
        ));
    }
    text.push_str(
        "\n\n**Measures.** [Accounts closed, access cut off, evidence kept, canaries looked for.]\n\n\
         **Contact.** [Name and address of the data protection officer.]\n",
    );
    text
}

/// What to tell people at high risk (Article 34): plain words, no figures that frighten and do not help.
pub fn for_people(harm: &Harm) -> String {
    let has = |kind: Kind| harm.columns.iter().any(|(_, own)| *own == kind);
    let mut told: Vec<&str> = Vec::new();
    for (_, kind) in &harm.columns {
        let is_told = !matches!(
            kind,
            Kind::Other | Kind::Number | Kind::Overseas | Kind::Anonymous
        );
        if is_told && !told.contains(&kind.words()) {
            told.push(kind.words());
        }
    }
    let mut text = format!(
        "# Draft: letter to people at high risk\n\nYour record in {} was probably copied by somebody who had no right to it. It holds your {}.\n\n\
         What you can do:\n\n- Do not trust letters, calls or messages because they know these things about you.\n",
        harm.register,
        told.join(", ")
    );
    if has(Kind::Contact) {
        text.push_str(
            "- Expect calls and mail that pose as ours. We will never ask you for a password or a payment.\n",
        );
    }
    if has(Kind::BirthDate) || has(Kind::Attains) {
        text.push_str("- Where your date of birth is asked for to prove who you are, ask for another way.\n");
    }
    text.push_str("- If somebody threatens you or your family, here or abroad, tell the police at [number], and us at [number].\n");
    for group in &harm.groups {
        text.push_str(&format!("\n[To {}: {}]\n", group.name, group.why));
    }
    text
}

fn between((lower, upper): (u64, u64)) -> String {
    match lower == upper {
        true => upper.to_string(),
        false => format!("between {lower} and {upper}"),
    }
}
