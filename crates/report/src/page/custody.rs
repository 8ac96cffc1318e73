//! Who did what to the case, and how to prove that it is unchanged.

use blackrod_model::{Run, Sha256, Timestamp};
use maud::{Markup, html};

use super::{heading, parts};
use crate::tally::Tally;
use crate::{shown, words};

pub(super) fn section(tally: &Tally<'_>) -> Markup {
    let view = &tally.view;
    html! {
        section #custody aria-labelledby="custody-heading" {
            (heading("custody"))
            p.intro {
                "Every item of evidence was read without being changed and is named by its SHA-256 digest. Every change to the "
                "case was appended to a log in which each line holds the digest of the line before it."
            }
            dl.custody-facts {
                div { dt { "Case" } dd { code { (parts::quoted(view.case)) } } }
                div { dt { "Head of the log" } dd { code.digest { (digest(view.log_head)) } } }
                div {
                    dt { "To verify" }
                    dd {
                        code { "blackrod case verify " (parts::quoted(&shell_word(view.case))) }
                        " reads all evidence again, compares every digest and follows the log to this head. Keep the head "
                        "outside the case, on paper or in another system: with it, nobody can replace the whole log unnoticed."
                    }
                }
            }
            h3 { "Runs" }
            @if view.runs.is_empty() {
                p { "No run is on record." }
            }
            @for (number, run) in (1_u32..).zip(view.runs) { (one_run(number, run)) }
        }
    }
}

fn one_run(number: u32, run: &Run) -> Markup {
    let arguments: Vec<String> = run.arguments.iter().map(|word| shell_word(word)).collect();
    let none_given = run.estate == Sha256([0; 32]);
    html! {
        div.run {
            h4 { "Run " (number) }
            dl.custody-facts {
                div { dt { "Version" } dd { (parts::quoted(&run.version)) } }
                div { dt { "Command" } dd { code { (shown::line(&arguments.join(" "))) } } }
                div { dt { "Began" } dd { (words::moment(run.started)) } }
                div {
                    dt { "Ended" }
                    dd { @if run.ended == Timestamp::UNKNOWN { "did not end, or still runs" } @else { (words::moment(run.ended)) } }
                }
                div { dt { "Rules" } dd { code.digest { "SHA-256 " (run.rules) } } }
                div {
                    dt { "Estate" }
                    dd { @if none_given { "none given" } @else { code.digest { "SHA-256 " (run.estate) } } }
                }
            }
        }
    }
}

fn digest(head: Option<Sha256>) -> String {
    head.map_or_else(|| "not recorded".to_owned(), |digest| digest.to_string())
}

/// `word` as a shell reads it back.
fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn words_are_quoted_where_a_shell_would_part_them() {
        assert_eq!(shell_word("cases/one"), "cases/one");
        assert_eq!(shell_word("my case"), "'my case'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
    }
}
