//! HTML without what it loads, runs or sends.
//!
//! `lol_html` cuts it into tokens as a browser does and gives back untouched tokens byte by byte. Elements stay, so that the
//! document keeps its shape; attributes go ([`attribute`]), style sheets are cleaned ([`css`]), scripts emptied. What `lol_html`
//! refuses as ambiguous becomes its text ([`plain`]).

mod attribute;
mod css;
mod entities;
mod plain;

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use encoding_rs::Encoding;
use lol_html::errors::RewritingError;
use lol_html::html_content::{Comment, ContentType, Element, TextChunk, TextType};
use lol_html::{
    AsciiCompatibleEncoding, DocumentContentHandlers, ElementContentHandlers, HandlerResult, HtmlRewriter,
    MemorySettings, Settings,
};
use url::Url;

use super::link::{self, Link};
use super::{DefusePolicy, Log};
use attribute::Verdict;

/// Conditional comments in conditional comments that are looked into.
const DEPTH_LIMIT: u8 = 3;
/// Memory that one rewriting may take: open elements and unfinished tokens.
const MEMORY_LIMIT: usize = 32 << 20;
/// Bytes of an anchor's text that are compared with its target.
const ANCHOR_LIMIT: usize = 300;

/// `html` made harmless; `None` where nothing had to be. `encoding` must be compatible with ASCII.
pub(super) fn rewrite(
    html: &[u8],
    encoding: &'static Encoding,
    policy: &DefusePolicy,
    log: &mut Log,
) -> Option<Vec<u8>> {
    // An escape sequence makes a client that guesses ISO-2022 read other characters than the ones here.
    let is_shifty = memchr::memchr(0x1b, html).is_some();
    let before = log.changes;
    let rewritten = match is_shifty {
        true => None,
        false => run(html, encoding, policy, log, 0),
    };
    match rewritten {
        Some(_) if log.changes == before => None,
        Some(rewritten) => Some(rewritten),
        None => {
            log.removed("html", "could not be rewritten with certainty; its text was kept");
            let (text, _, _) = encoding.decode(html);
            let page = plain::page(&text.replace('\u{1b}', ""));
            let (bytes, _, _) = encoding.encode(&page);
            Some(bytes.into_owned())
        }
    }
}

/// Runs the rewriter; `None` where it gives up.
fn run(
    html: &[u8],
    encoding: &'static Encoding,
    policy: &DefusePolicy,
    log: &mut Log,
    depth: u8,
) -> Option<Vec<u8>> {
    let state = Rc::new(RefCell::new(State {
        log: std::mem::take(log),
        policy: policy.clone(),
        encoding,
        base: None,
        inside: Inside::Text,
        raw: String::new(),
        anchor: String::new(),
        depth,
    }));
    let out = pass(html, encoding, &state);
    *log = std::mem::take(&mut state.borrow_mut().log);
    out.ok()
}

fn pass(
    html: &[u8],
    encoding: &'static Encoding,
    state: &Rc<RefCell<State>>,
) -> Result<Vec<u8>, RewritingError> {
    let mut out = Vec::with_capacity(html.len() + html.len() / 8);
    let on_element = Rc::clone(state);
    let on_comment = Rc::clone(state);
    let on_text = Rc::clone(state);
    let everything = ElementContentHandlers::default()
        .element(move |element: &mut Element<'_, '_>| State::element(&on_element, element));
    let document = DocumentContentHandlers::default()
        .comments(move |comment: &mut Comment<'_>| on_comment.borrow_mut().comment(comment))
        .text(move |text: &mut TextChunk<'_>| on_text.borrow_mut().text(text));
    let all = "*"
        .parse()
        .map_err(|error| RewritingError::ContentHandlerError(Box::new(error)))?;
    let settings = Settings::new()
        .append_element_content_handler((Cow::Owned(all), everything))
        .append_document_content_handler(document)
        .with_encoding(AsciiCompatibleEncoding::new(encoding).unwrap_or_else(AsciiCompatibleEncoding::utf_8))
        .with_memory_settings(MemorySettings::new().with_max_allowed_memory_usage(MEMORY_LIMIT))
        .with_strict(true);
    let mut rewriter = HtmlRewriter::new(settings, |chunk: &[u8]| out.extend_from_slice(chunk));
    rewriter.write(html)?;
    rewriter.end()?;
    Ok(out)
}

/// What the text that comes is part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Text,
    Script,
    Style,
    /// Shown where scripts do not run, parsed in two ways: kept as plain text.
    NoScript,
    /// Never shown by clients that know the element.
    Replaced,
}

struct State {
    log: Log,
    policy: DefusePolicy,
    encoding: &'static Encoding,
    base: Option<Url>,
    inside: Inside,
    /// Text of the element that it is inside of, collected.
    raw: String,
    /// Text of the anchor that is open.
    anchor: String,
    depth: u8,
}

impl State {
    fn element(this: &Rc<RefCell<Self>>, element: &mut Element<'_, '_>) -> HandlerResult {
        let name = element.tag_name();
        let mut link = None;
        {
            let mut state = this.borrow_mut();
            if element.namespace_uri().ends_with("xhtml") {
                state.inside = Inside::Text;
            }
            if name == "base" {
                state.remember_base(element);
            }
            state.attributes(&name, element)?;
            match name.as_str() {
                "a" | "area" => link = state.link(element)?,
                "img" | "image" | "amp-img" => {}
                "meta" => state.charset(element),
                _ => {}
            }
        }
        let inside = match name.as_str() {
            "script" => Inside::Script,
            "style" => Inside::Style,
            "noscript" => Inside::NoScript,
            "iframe" | "noembed" | "noframes" => Inside::Replaced,
            _ => Inside::Text,
        };
        if inside != Inside::Text && element.can_have_content() {
            this.borrow_mut().inside = inside;
            let state = Rc::clone(this);
            element.on_end_tag(Box::new(move |_| {
                state.borrow_mut().inside = Inside::Text;
                Ok(())
            }))?;
        }
        if let Some(target) = link.filter(|_| element.can_have_content()) {
            let state = Rc::clone(this);
            element.on_end_tag(Box::new(move |end| {
                let mut state = state.borrow_mut();
                if let Some(note) = link::note(&state.anchor, &target) {
                    end.before(&note, ContentType::Text);
                    state.log.changes += 1;
                }
                Ok(())
            }))?;
        }
        Ok(())
    }

    /// Takes the attributes away that load, send or run.
    fn attributes(&mut self, name: &str, element: &mut Element<'_, '_>) -> HandlerResult {
        let is_anchor = matches!(name, "a" | "area");
        let all: Vec<(String, String)> = element
            .attributes()
            .iter()
            .map(|one| (one.name(), one.value()))
            .collect();
        let mut lost_picture = None;
        for (at, (attribute, value)) in all.iter().enumerate() {
            if is_anchor && matches!(attribute.as_str(), "href" | "xlink:href" | "title") {
                continue;
            }
            let is_repeated = all.iter().take(at).any(|(earlier, _)| earlier == attribute);
            if is_repeated {
                continue;
            }
            let log = &mut self.log;
            match attribute::judge(name, attribute, value, &mut |what, url| log.removed(what, url)) {
                Verdict::Keep => {}
                Verdict::Set(value) => element.set_attribute(attribute, &value)?,
                Verdict::Remove(what) => {
                    self.log.removed(what, &entities::decode(value));
                    element.remove_attribute(attribute);
                    if attribute == "http-equiv" {
                        element.remove_attribute("content");
                    }
                    if attribute == "src" && matches!(name, "img" | "image" | "amp-img") {
                        lost_picture = Some(value);
                    }
                }
            }
        }
        if let Some(source) = lost_picture.filter(|_| !element.has_attribute("alt")) {
            element.set_attribute("alt", &placeholder(source, element))?;
        }
        Ok(())
    }

    /// Makes a link say where it leads; tells the host it leads to.
    fn link(
        &mut self,
        element: &mut Element<'_, '_>,
    ) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
        self.anchor.clear();
        for name in ["href", "xlink:href"] {
            let Some(written) = element.get_attribute(name) else {
                continue;
            };
            let href = entities::decode(&written);
            match link::judge(&href, self.base.as_ref(), &self.policy) {
                Link::Dead(why) => {
                    self.log.removed(why, &href);
                    element.remove_attribute(name);
                }
                Link::Kept(target) => return self.show(element, target.as_ref()),
                Link::Changed {
                    href: changed,
                    what,
                    target,
                } => {
                    self.log.removed(what, &href);
                    element.set_attribute(name, &entities::encode(&changed))?;
                    return self.show(element, Some(&target));
                }
            }
        }
        Ok(None)
    }

    fn show(
        &mut self,
        element: &mut Element<'_, '_>,
        target: Option<&Url>,
    ) -> Result<Option<String>, Box<dyn std::error::Error + Send + Sync>> {
        let Some(target) = target else {
            return Ok(None);
        };
        let title = entities::encode(&link::title(target));
        if self.policy.show_destinations && element.get_attribute("title").as_deref() != Some(title.as_str())
        {
            element.set_attribute("title", &title)?;
            self.log.changes += 1;
        }
        Ok(target.host_str().map(str::to_owned))
    }

    fn remember_base(&mut self, element: &Element<'_, '_>) {
        if self.base.is_none() {
            self.base = element
                .get_attribute("href")
                .and_then(|href| Url::parse(entities::decode(&href).trim()).ok())
                .filter(|base| !base.cannot_be_a_base());
        }
    }

    /// A page that names another charset than its part could be read as other characters than the ones here.
    fn charset(&mut self, element: &mut Element<'_, '_>) {
        for name in ["charset", "content"] {
            let Some(value) = element.get_attribute(name) else {
                continue;
            };
            let value = entities::decode(&value).to_ascii_lowercase();
            let label = match name {
                "charset" => Some(value.as_str()),
                _ => value.split_once("charset=").map(|(_, label)| label),
            };
            let Some(label) = label.map(|label| label.trim_matches(|c: char| " ;\"'".contains(c))) else {
                continue;
            };
            let is_same = Encoding::for_label(label.as_bytes()).is_none_or(|named| named == self.encoding);
            if !is_same || label.contains("utf-7") {
                self.log.removed("charset", label);
                element.remove_attribute(name);
            }
        }
    }

    /// Conditional comments are HTML for Outlook; processing instructions load style sheets and components.
    fn comment(&mut self, comment: &mut Comment<'_>) -> HandlerResult {
        let text = comment.text();
        let start = text
            .trim_start()
            .get(..4)
            .unwrap_or_default()
            .to_ascii_lowercase();
        if start.starts_with('?') && (text.contains("import") || text.contains("stylesheet")) {
            self.log.removed("instruction", &text);
            comment.remove();
            return Ok(());
        }
        let Some((open, rest)) = text.split_once("]>").filter(|_| start.starts_with("[if")) else {
            return Ok(());
        };
        let (inner, close) = match rest.rfind("<![endif]").and_then(|end| rest.split_at_checked(end)) {
            Some((inner, close)) => (inner, close),
            None => (rest, ""),
        };
        let before = self.log.changes;
        let rewritten = match self.depth < DEPTH_LIMIT {
            true => run(
                inner.as_bytes(),
                encoding_rs::UTF_8,
                &self.policy,
                &mut self.log,
                self.depth + 1,
            ),
            false => None,
        };
        let rewritten = rewritten.and_then(|bytes| String::from_utf8(bytes).ok());
        match rewritten {
            Some(_) if self.log.changes == before => {}
            Some(inner) if comment.set_text(&format!("{open}]>{inner}{close}")).is_ok() => {}
            _ => {
                self.log.removed("comment", &text);
                comment.remove();
            }
        }
        Ok(())
    }

    fn text(&mut self, chunk: &mut TextChunk<'_>) -> HandlerResult {
        let is_raw = matches!(chunk.text_type(), TextType::RawText | TextType::ScriptData);
        match self.inside {
            Inside::Text => {
                if chunk.text_type() == TextType::Data && self.anchor.len() < ANCHOR_LIMIT {
                    self.anchor.push_str(chunk.as_str());
                }
            }
            Inside::Script | Inside::Replaced => self.silence("script", chunk),
            // Within SVG the text of a style sheet is put together from pieces that comments may part.
            Inside::Style if !is_raw => self.silence("style", chunk),
            Inside::Style | Inside::NoScript => {
                self.raw.push_str(chunk.as_str());
                if !chunk.last_in_text_node() {
                    chunk.remove();
                    return Ok(());
                }
                let whole = std::mem::take(&mut self.raw);
                let changed = match self.inside {
                    Inside::Style => self.style(&whole),
                    _ => self.no_script(&whole),
                };
                chunk.replace(&changed.unwrap_or(whole), ContentType::Html);
            }
        }
        Ok(())
    }

    fn silence(&mut self, what: &'static str, chunk: &mut TextChunk<'_>) {
        if !chunk.as_str().trim().is_empty() {
            self.log.removed(what, chunk.as_str());
            chunk.remove();
        }
    }

    fn style(&mut self, whole: &str) -> Option<String> {
        let log = &mut self.log;
        let cleaned = css::clean(whole, &mut |what, url| log.removed(what, url))?;
        let ends_early = cleaned.to_ascii_lowercase().contains("</style");
        Some(if ends_early { String::new() } else { cleaned })
    }

    fn no_script(&mut self, whole: &str) -> Option<String> {
        let text = plain::text(whole);
        if text == whole {
            return None;
        }
        self.log.removed("noscript", whole);
        Some(text)
    }
}

/// What stands where a picture was: nothing for one that nobody was meant to see.
fn placeholder(source: &str, element: &Element<'_, '_>) -> String {
    let is_tiny = ["width", "height"].iter().any(|name| {
        let length = element.get_attribute(name).unwrap_or_default();
        length
            .trim()
            .trim_end_matches("px")
            .parse::<u32>()
            .is_ok_and(|length| length <= 3)
    });
    let host = Url::parse(entities::decode(source).trim()).ok();
    match host.as_ref().and_then(Url::host_str) {
        Some(host) if !is_tiny => format!("[picture not loaded: {host}]"),
        _ => String::new(),
    }
}
