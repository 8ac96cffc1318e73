//! What a mailing says and shows, before it is known to whom.

use blackrod_model::mail::TextSketch;

use crate::design;
use crate::mailing::{Content, Earlier, Mailing};
use crate::patterns;
use crate::random::{Draw as _, Random, mix};
use crate::sender::Design;
use crate::sketch;
use crate::text;
use crate::url::Keys;
use crate::words::TOPICS;

/// The texts of a mailing with gaps for what differs by recipient.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) subject: String,
    pub(crate) text: Vec<Piece>,
    pub(crate) html: Option<Vec<Piece>>,
    pub(crate) sketch: TextSketch,
    /// Names the sequence of elements of the HTML.
    pub(crate) skeleton: u64,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    /// The recipient's name.
    Name,
    /// The recipient's address.
    Address,
    /// The URL that reports that the message was opened.
    Open,
    /// The n-th link.
    Link(u64),
    /// The n-th picture.
    Picture(u64),
    Unsubscribe,
    /// The n-th file that lies in the message.
    Inline(u64),
}

/// What a design is filled with.
pub(crate) struct Filling {
    pub(crate) greeting: Option<&'static str>,
    pub(crate) sections: Vec<Section>,
    pub(crate) signature: Vec<String>,
}

/// A headline and its paragraphs.
pub(crate) struct Section {
    pub(crate) headline: String,
    pub(crate) paragraphs: Vec<String>,
}

impl Body {
    /// The body of `mailing`.
    pub(crate) fn new(mailing: &Mailing) -> Self {
        let mut random = Random::with_seed(mix(mailing.key, &[3]));
        let sender = &mailing.sender;
        let extras = mailing.extras();
        let (subject, sections) = match &mailing.content {
            Content::Drawn {
                kind,
                topic,
                sentences,
                ..
            } => {
                let paragraph = drawn_text(mailing.key, kind, *topic, *sentences);
                let section = Section {
                    headline: String::new(),
                    paragraphs: vec![paragraph],
                };
                let subject = match mailing.answers.first() {
                    Some(first) => format!("Re: {}", drawn_subject(first.mailing, kind, *topic)),
                    None => drawn_subject(mailing.key, kind, *topic),
                };
                (subject, vec![section])
            }
            Content::Told {
                articles,
                sentences,
                subject,
                ..
            } => {
                let sections: Vec<Section> = articles
                    .iter()
                    .map(|article| Section {
                        headline: article.headline(),
                        paragraphs: article.paragraphs(*sentences),
                    })
                    .collect();
                let first = sections
                    .first()
                    .map(|section| section.headline.clone())
                    .unwrap_or_default();
                (
                    subject.as_ref().map_or(first, |subject| subject.to_string()),
                    sections,
                )
            }
        };
        let is_letter = extras.personal || sender.bulk.is_none();
        let mut signature = Vec::new();
        if is_letter {
            signature.push((random.word(patterns::CLOSINGS)).to_owned());
            signature.push(sender.name.clone());
        }
        if !sender.imprint.is_empty() {
            signature.push(sender.imprint.clone());
        }
        let filling = Filling {
            greeting: is_letter.then(|| random.word(patterns::GREETINGS)),
            sections,
            signature,
        };
        let quoted = mailing.answers.last().map(|earlier| quoted(mailing, earlier));
        let visible = filling.sections.iter().flat_map(|section| {
            [section.headline.as_str()]
                .into_iter()
                .chain(section.paragraphs.iter().map(String::as_str))
        });
        let sketch = sketch::of(visible, &subject);
        let text = design::text(mailing, &filling, quoted.as_deref());
        let (html, skeleton) = match sender.design {
            Design::Plain => (None, 0),
            _ => {
                let (pieces, skeleton) = design::html(mailing, &filling, quoted.as_deref());
                (Some(pieces), skeleton)
            }
        };
        Self {
            subject,
            text,
            html,
            sketch,
            skeleton,
        }
    }
}

/// Writes `pieces` for one recipient.
pub(crate) fn write(
    pieces: &[Piece],
    mailing: &Mailing,
    keys: &Keys<'_>,
    name: &str,
    html: bool,
    out: &mut String,
) {
    let tracker = mailing.sender.tracker.as_deref();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Name => out.push_str(name),
            Piece::Address => out.push_str(keys.address),
            Piece::Open => {
                if let Some(open) = tracker.and_then(|tracker| tracker.open.as_ref()) {
                    open.write(keys, html, out);
                }
            }
            Piece::Link(number) => {
                let keys = Keys {
                    link: *number,
                    ..*keys
                };
                match tracker.and_then(|tracker| tracker.click.as_ref()) {
                    Some(click) => click.write(&keys, html, out),
                    None => straight(mailing, *number, out),
                }
            }
            Piece::Picture(number) => {
                let keys = Keys {
                    mailing: mix(keys.mailing, &[*number]),
                    ..*keys
                };
                match tracker {
                    Some(tracker) => tracker.image.write(&keys, html, out),
                    None => {
                        out.push_str("https://");
                        out.push_str(&mailing.sender.web);
                        out.push_str("/logo.png");
                    }
                }
            }
            Piece::Unsubscribe => {
                if let Some(tracker) = tracker {
                    tracker.unsubscribe.write(keys, html, out);
                }
            }
            Piece::Inline(number) => {
                out.push_str("cid:");
                content_id(mailing, *number, out);
            }
        }
    }
}

/// The Content-ID of the `number`-th file in a message.
pub(crate) fn content_id(mailing: &Mailing, number: u64, out: &mut String) {
    crate::url::letters(
        mix(mailing.sender.key, &[40, number]),
        12,
        b"0123456789abcdef",
        out,
    );
    out.push('@');
    out.push_str(mailing.sender.domain());
}

/// A link without a tracker: a page of the sender's web site.
pub(crate) fn straight(mailing: &Mailing, number: u64, out: &mut String) {
    let mut random = Random::with_seed(mix(mailing.key, &[60, number]));
    out.push_str("https://");
    out.push_str(&mailing.sender.web);
    out.push('/');
    out.push_str(random.word(&["news", "articles", "about", "events", "reports", "blog", "press"]));
    let topic = &TOPICS[random.usize(..TOPICS.len())];
    for noun in random.sample(topic.nouns.len(), 2) {
        out.push('/');
        out.push_str(&topic.nouns[noun].replace(' ', "-"));
    }
}

/// The text that the mailing of this key says.
fn drawn_text(key: u64, kind: &[&str], topic: usize, sentences: usize) -> String {
    let mut text = String::new();
    text::sentences(
        kind,
        topic,
        sentences,
        &mut Random::with_seed(mix(key, &[5])),
        &mut text,
    );
    text
}

/// The subject that the mailing of this key has.
fn drawn_subject(key: u64, kind: &[&str], topic: usize) -> String {
    static PLAIN: [&str; 12] = [
        "%t: next steps",
        "Meeting on %w",
        "Question about %i",
        "%h on the %t",
        "Call at %c?",
        "Figures for %m",
        "Re-scheduled: %w %c",
        "Draft on %i",
        "Visitors from %P",
        "Your mail of the %d",
        "%t in %P",
        "Short question",
    ];
    let mut random = Random::with_seed(mix(key, &[4]));
    let mut subject = String::new();
    let is_notice = std::ptr::eq(kind, patterns::TRANSACTIONAL) || std::ptr::eq(kind, patterns::PHISHING);
    let pattern = if is_notice {
        random.pick(kind)
    } else {
        random.pick(&PLAIN)
    };
    text::sentence(pattern, topic, &mut random, &mut subject);
    subject.truncate(subject.trim_end_matches('.').len());
    subject
}

/// What an answer quotes.
fn quoted(mailing: &Mailing, earlier: &Earlier) -> String {
    match &mailing.content {
        Content::Drawn { kind, topic, .. } => drawn_text(earlier.mailing, kind, *topic, earlier.sentences),
        Content::Told { .. } => String::new(),
    }
}
