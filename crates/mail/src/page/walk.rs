//! From the tokenizer's events to elements and text.

use crate::clip;
use std::convert::Infallible;
use std::hash::Hasher as _;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use siphasher::sip::SipHasher13;
use url::Url;

use super::element::Attributes;
use super::look::{HiddenRules, Look};
use super::{HTML_LIMIT, Page, SCRIPT_LIMIT, SHOWN_LIMIT, SKELETON_LIMIT, TEXT_LIMIT, css, element};

/// How deep HTML may lie in the comments and frames of other HTML.
const NESTING_LIMIT: u8 = 4;
/// How many open elements are followed.
const STACK_LIMIT: usize = 256;
/// How far up the open elements an end tag is matched.
const REACH: usize = 64;
const TITLE_LIMIT: usize = 300;

pub(super) fn walk(html: &str) -> Page {
    let mut walker = Walker::default();
    let within = clip(html, HTML_LIMIT);
    walker.page.cut = within.len() < html.len();
    walker.feed(within);
    walker.finish()
}

#[derive(Default)]
pub(super) struct Walker {
    pub(super) page: Page,
    pub(super) base: Option<Url>,
    pub(super) rules: HiddenRules,
    pub(super) form: Option<usize>,
    tag: String,
    in_start_tag: bool,
    attributes: Attributes,
    stack: Vec<Open>,
    anchor: Option<usize>,
    skeleton: SipHasher13,
    nesting: u8,
    script_bytes: usize,
}

/// An element that is open.
struct Open {
    name: u64,
    content: Content,
    foreign: bool,
    look: Look,
}

/// What the text in an element is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Content {
    Text,
    Script,
    Style,
    Title,
    /// Text to the tokenizer, HTML to some clients.
    Doubtful,
}

struct Feed<'w>(&'w mut Walker);

impl Callback<Infallible, ()> for Feed<'_> {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Infallible> {
        let walker = &mut *self.0;
        match event {
            CallbackEvent::OpenStartTag { name } => {
                walker.tag.clear();
                walker.tag.push_str(&String::from_utf8_lossy(name));
                walker.attributes.clear();
                walker.in_start_tag = true;
            }
            CallbackEvent::AttributeName { name } if walker.in_start_tag => walker.attributes.name(name),
            CallbackEvent::AttributeValue { value } if walker.in_start_tag => {
                walker.attributes.value(value);
            }
            CallbackEvent::CloseStartTag { self_closing } => {
                walker.in_start_tag = false;
                walker.start(self_closing);
            }
            CallbackEvent::EndTag { name } => {
                walker.in_start_tag = false;
                walker.end(name);
            }
            CallbackEvent::String { value } => walker.string(&String::from_utf8_lossy(value)),
            CallbackEvent::Comment { value } => walker.comment(&String::from_utf8_lossy(value)),
            _ => {}
        }
        None
    }
}

impl Walker {
    fn feed(&mut self, html: &str) {
        let mut emitter = CallbackEmitter::new(Feed(self));
        emitter.naively_switch_states(true);
        let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    }

    /// Walks HTML that lies within the HTML.
    pub(super) fn nested(&mut self, html: &str) {
        if self.nesting >= NESTING_LIMIT {
            self.page.cut = true;
            return;
        }
        self.nesting += 1;
        let outer = self.stack.len();
        self.feed(html);
        self.stack.truncate(outer);
        self.nesting -= 1;
    }

    fn finish(mut self) -> Page {
        if self.page.elements > 0 {
            self.page.skeleton = self.skeleton.finish();
        }
        let kept = self.page.text.trim_end().len();
        self.page.text.truncate(kept);
        for anchor in &mut self.page.anchors {
            let kept = anchor.text.trim_end().len();
            anchor.text.truncate(kept);
        }
        self.page
    }

    fn start(&mut self, self_closing: bool) {
        let name = std::mem::take(&mut self.tag);
        let attributes = std::mem::take(&mut self.attributes);
        self.page.elements += 1;
        if self.page.elements <= SKELETON_LIMIT {
            self.skeleton.write(name.as_bytes());
            self.skeleton.write_u8(0);
        }
        self.close_implied(&name);
        let (outer, foreign) = match self.stack.last() {
            Some(open) => (open.look, open.foreign),
            None => (Look::default(), false),
        };
        let look = outer.within(&name, &attributes, &self.rules);
        if is_block(&name) {
            self.blank();
        }
        element::element(self, &name, &attributes, &look);
        if name == "a" {
            self.anchor = element::anchor(self, &attributes, &look);
        }
        let foreign = foreign || matches!(name.as_str(), "svg" | "math");
        if !(is_void(&name) || foreign && self_closing && content_of(&name) == Content::Text) {
            self.open(&name, foreign, look);
        }
        self.tag = name;
        self.attributes = attributes;
    }

    fn open(&mut self, name: &str, foreign: bool, look: Look) {
        if self.stack.len() >= STACK_LIMIT {
            self.page.cut = true;
            return;
        }
        self.stack.push(Open {
            name: key(name.as_bytes()),
            content: content_of(name),
            foreign,
            look,
        });
    }

    fn end(&mut self, name: &[u8]) {
        match name {
            b"a" => self.anchor = None,
            b"form" => self.form = None,
            _ => {}
        }
        let wanted = key(name);
        let lowest = self.stack.len().saturating_sub(REACH);
        let found = self.stack.iter().rposition(|open| open.name == wanted);
        if let Some(at) = found.filter(|at| *at >= lowest) {
            self.stack.truncate(at);
        }
        if is_block(&String::from_utf8_lossy(name)) {
            self.blank();
        }
    }

    /// Ends the elements that a start tag ends without an end tag (HTML 13.1.2.4), so that what hid one
    /// cell does not hide the next.
    fn close_implied(&mut self, name: &str) {
        let (ended, bound): (&[&str], &[&str]) = match name {
            "td" | "th" => (&["td", "th"], &["tr", "table"]),
            "tr" => (&["tr"], &["table", "tbody", "thead", "tfoot"]),
            "tbody" | "thead" | "tfoot" => (&["tbody", "thead", "tfoot"], &["table"]),
            "li" => (&["li"], &["ul", "ol", "menu"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl"]),
            "option" => (&["option"], &["select"]),
            "p" | "div" | "table" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" => {
                (&["p"], &["td", "th", "div", "table", "body"])
            }
            _ => return,
        };
        let is_one_of =
            |open: &Open, names: &[&str]| names.iter().any(|name| key(name.as_bytes()) == open.name);
        for at in (self.stack.len().saturating_sub(REACH)..self.stack.len()).rev() {
            let Some(open) = self.stack.get(at) else { return };
            if is_one_of(open, ended) {
                self.stack.truncate(at);
                return;
            }
            if is_one_of(open, bound) {
                return;
            }
        }
    }

    fn comment(&mut self, comment: &str) {
        // Only Outlook reads these; a reader elsewhere sees neither their text nor their pictures.
        let conditional = comment.trim_start().strip_prefix("[if");
        if let Some((_, html)) = conditional.and_then(|rest| rest.split_once("]>")) {
            self.nested(html.trim_end_matches("<![endif]"));
        }
    }

    fn string(&mut self, text: &str) {
        let (content, foreign, look) = match self.stack.last() {
            Some(open) => (open.content, open.foreign, open.look),
            None => (Content::Text, false, Look::default()),
        };
        match content {
            Content::Text => return self.shown(text, &look),
            Content::Script => self.script(text),
            Content::Style => {
                self.rules.add(text);
                css::urls(text, &mut |url, found_in| {
                    element::load(
                        &mut self.page,
                        self.base.as_ref(),
                        url,
                        found_in,
                        (None, None),
                        false,
                    );
                });
            }
            Content::Title => {
                if self.page.title.is_empty() {
                    self.page.title = clip(text.trim(), TITLE_LIMIT).to_owned();
                }
            }
            Content::Doubtful => return self.nested(text),
        }
        // In SVG and MathML these elements hold markup; the tokenizer does not know that it is there.
        if foreign && text.contains('<') {
            self.nested(text);
        }
    }

    pub(super) fn script(&mut self, text: &str) {
        let room = SCRIPT_LIMIT.saturating_sub(self.script_bytes);
        let kept = clip(text, room);
        self.page.cut |= kept.len() < text.len();
        if !kept.trim().is_empty() {
            self.script_bytes += kept.len();
            self.page.scripts.push(kept.to_owned());
        }
    }

    /// Text that is not a script, a style sheet or a title.
    fn shown(&mut self, text: &str, look: &Look) {
        if look.text_is_hidden() {
            self.page.hidden_characters += text.chars().filter(|c| !c.is_whitespace()).count();
            return;
        }
        let anchor = self.anchor.and_then(|at| self.page.anchors.get_mut(at));
        if let Some(anchor) = anchor {
            fold(text, &mut anchor.text, SHOWN_LIMIT);
        }
        self.page.zero_width += fold(text, &mut self.page.text, TEXT_LIMIT);
    }

    /// The alternative text of a picture, shown for a link that has no other.
    pub(super) fn alternative(&mut self, text: &str) {
        if let Some(anchor) = self.anchor.and_then(|at| self.page.anchors.get_mut(at))
            && anchor.text.is_empty()
        {
            fold(text, &mut anchor.text, SHOWN_LIMIT);
        }
    }

    fn blank(&mut self) {
        let text = &mut self.page.text;
        if !text.is_empty() && !text.ends_with(' ') && text.len() < TEXT_LIMIT {
            text.push(' ');
        }
    }
}

/// Appends `text` with blanks folded; returns how many characters without width were left out from
/// between letters.
fn fold(text: &str, out: &mut String, limit: usize) -> usize {
    let mut without_width = 0;
    let mut after_letter = false;
    let mut pending = 0;
    for character in text.chars() {
        if out.len() >= limit {
            break;
        }
        if is_zero_width(character) {
            pending += usize::from(after_letter);
            continue;
        }
        if character.is_whitespace() {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            (after_letter, pending) = (false, 0);
            continue;
        }
        // A joiner is part of emoji, Persian and Indic scripts: only between ASCII letters is it a disguise.
        let letter = character.is_ascii_alphabetic();
        if letter {
            without_width += pending;
        }
        (after_letter, pending) = (letter, 0);
        out.push(character);
    }
    without_width
}

fn is_zero_width(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{34f}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

fn key(name: &[u8]) -> u64 {
    let mut hasher = rustc_hash::FxHasher::default();
    hasher.write(name);
    hasher.finish()
}

fn content_of(name: &str) -> Content {
    match name {
        "script" => Content::Script,
        "style" => Content::Style,
        "title" => Content::Title,
        "noscript" | "noembed" | "noframe" | "noframes" | "iframe" | "xmp" => Content::Doubtful,
        _ => Content::Text,
    }
}

fn is_void(name: &str) -> bool {
    matches!(
        name,
        "area"
            | "base"
            | "basefont"
            | "bgsound"
            | "br"
            | "col"
            | "embed"
            | "frame"
            | "hr"
            | "image"
            | "img"
            | "input"
            | "keygen"
            | "link"
            | "meta"
            | "param"
            | "source"
            | "track"
            | "wbr"
    )
}

fn is_block(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "blockquote"
            | "body"
            | "br"
            | "center"
            | "dd"
            | "div"
            | "dl"
            | "dt"
            | "form"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "footer"
            | "hr"
            | "li"
            | "ol"
            | "option"
            | "p"
            | "pre"
            | "section"
            | "table"
            | "td"
            | "th"
            | "tr"
            | "ul"
    )
}
