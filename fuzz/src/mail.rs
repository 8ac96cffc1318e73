//! Messages, taken apart and shown.

use std::ops::ControlFlow;
use std::sync::LazyLock;

use blackrod_mail::Anatomy;
use blackrod_mail::page::Page;
use blackrod_mail::score::Weights;
use blackrod_model::mail::Facts;
use blackrod_model::{Estate, Event, EvidenceId, Refusal};
use blackrod_read::{Formats, Sink};
use blackrod_report::{Body, MessageView, message_page, message_text};

static ANATOMY: LazyLock<Anatomy> = LazyLock::new(|| Anatomy::new(&Estate::default()));
static WEIGHTS: LazyLock<Weights> = LazyLock::new(Weights::load);

/// Takes a whole message apart, scores it and writes both for a reader.
pub fn inspect(message: &[u8]) {
    let formats = Formats::standard();
    let Some(format) = formats.iter().find(|format| format.name() == "eml") else {
        panic!("no reader for mail");
    };
    let outcome = format.split(&mut &message[..], &mut |block| {
        format.parse(&block, &mut Inspector);
        ControlFlow::Continue(())
    });
    assert!(outcome.is_ok(), "memory cannot fail to be read");
}

/// Writes `html` for showing; a client that opens what is written has nothing to load and nowhere to go.
pub fn show(html: &str) {
    let page = view(&Facts::default(), vec![Body::Html(html)], message_page);
    let walked = Page::walk(&page);
    assert!(walked.resources.is_empty(), "{:?}", walked.resources);
    assert!(
        walked.anchors.iter().all(|anchor| anchor.url.is_empty()),
        "{:?}",
        walked.anchors
    );
    assert!(walked.forms.is_empty() && walked.scripts.is_empty());
}

struct Inspector;

impl Sink for Inspector {
    fn event(&mut self, event: Event<'_>) {
        if let Some(facts) = ANATOMY.facts(EvidenceId::default(), &event) {
            view(&facts, Vec::new(), |views| {
                views.iter().map(message_text).collect()
            });
        }
    }

    fn refuse(&mut self, _: Refusal) {}
}

fn view(facts: &Facts, bodies: Vec<Body<'_>>, write: impl FnOnce(&[MessageView<'_>]) -> String) -> String {
    let scored = WEIGHTS.score(facts);
    assert!(scored.score.is_finite());
    let titles = |code: &str| match WEIGHTS.meaning(code) {
        Some(meaning) => meaning.title.clone(),
        None => code.to_owned(),
    };
    write(&[MessageView {
        facts,
        score: scored.score,
        terms: &scored.terms,
        titles: &titles,
        bodies,
    }])
}
