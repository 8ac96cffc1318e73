//! Replies that answer nothing: `Re:` without a thread, or a thread without `Re:`.

use blackrod_model::mail::{Facts, Signal};

use super::{Anatomy, View};

/// What mail programs and people put before the subject of a reply, in lower case, with its colon.
const REPLY: &[&str] = &[
    "re:",
    "aw:",
    "sv:",
    "vs:",
    "antw:",
    "odp:",
    "ответ:",
    "ynt:",
    "res:",
    "rv:",
    "回复:",
    "回覆:",
    "答复:",
    "re：",
    "回复：",
    "rif:",
    "απ:",
    "vá:",
    "yt:",
    "hа:",
];
/// … of a forwarded message, which need not refer to it.
const FORWARD: &[&str] = &[
    "fw:",
    "fwd:",
    "wg:",
    "tr:",
    "i:",
    "vb:",
    "doorst:",
    "enc:",
    "转发:",
    "转发：",
    "пересл:",
];

/// Compares a message's subject and text with the thread that its header names.
pub(super) fn look(_anatomy: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let subject = view
        .message
        .subject
        .as_deref()
        .unwrap_or_default()
        .trim_start()
        .to_lowercase();
    let starts = |list: &[&str]| list.iter().any(|prefix| subject.starts_with(prefix));
    let is_reply = starts(REPLY) || numbered_reply(&subject);
    let has_thread = !view.message.references.is_empty() || view.message.header("Thread-Index").is_some();
    let is_list = view.message.header("List-Id").is_some();
    let mut signal = |code: &str, seen: &str| {
        facts.signals.push(Signal {
            code: code.to_owned(),
            seen: seen.chars().take(100).collect(),
        });
    };
    if is_reply && !has_thread {
        signal(
            "content/fake-reply",
            view.message.subject.as_deref().unwrap_or_default(),
        );
    } else if !view.message.references.is_empty()
        && !is_reply
        && !starts(FORWARD)
        && !is_list
        && !subject.is_empty()
    {
        signal(
            "content/thread-without-reply",
            view.message.subject.as_deref().unwrap_or_default(),
        );
    }
}

/// `re[2]:`, as The Bat! writes it.
fn numbered_reply(subject: &str) -> bool {
    let number = subject.strip_prefix("re[").and_then(|rest| rest.split_once("]:"));
    number.is_some_and(|(number, _)| !number.is_empty() && number.chars().all(|digit| digit.is_ascii_digit()))
}
