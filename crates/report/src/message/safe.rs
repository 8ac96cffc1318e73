//! The HTML of a message, written anew so that nothing of it can load, lead anywhere or run.
//!
//! Nothing is filtered out of the original: it is cut into tokens as a browser would cut it, and from
//! the tokens a new text is written, of elements, attributes and declarations that are known to be harmless. What
//! is not known is not written, so there is no input for which the original comes through.

use std::convert::Infallible;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

/// HTML beyond this many bytes is not shown.
const INPUT_LIMIT: usize = 2 << 20;
const ATTRIBUTE_LIMIT: usize = 40;
const VALUE_LIMIT: usize = 500;

/// Elements that only arrange text.
const ELEMENTS: [&str; 54] = [
    "a",
    "abbr",
    "address",
    "article",
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "i",
    "ins",
    "li",
    "main",
    "mark",
    "ol",
    "p",
    "pre",
    "s",
    "section",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
];
/// Attributes whose values are words, colours and lengths.
const ATTRIBUTES: [&str; 15] = [
    "align",
    "bgcolor",
    "border",
    "cellpadding",
    "cellspacing",
    "color",
    "colspan",
    "dir",
    "face",
    "height",
    "lang",
    "rowspan",
    "size",
    "valign",
    "width",
];

/// `html` as a text of harmless elements. Pictures become boxes that say what they were; links keep their text and
/// lead nowhere; style sheets, scripts, frames, forms' fields and comments are left out.
pub(super) fn safe_html(html: &str) -> String {
    let mut writer = Writer::default();
    let within = html
        .get(..html.floor_char_boundary(INPUT_LIMIT))
        .unwrap_or_default();
    let mut emitter = CallbackEmitter::new(Feed(&mut writer));
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(within, emitter).finish();
    if within.len() < html.len() {
        writer
            .out
            .push_str("<p>[cut here: the message is too long to be shown]</p>");
    }
    writer.out
}

#[derive(Default)]
struct Writer {
    out: String,
    tag: String,
    attributes: Vec<(String, String)>,
    in_start_tag: bool,
    /// The element whose text is not for readers.
    silent: Option<String>,
}

struct Feed<'w>(&'w mut Writer);

impl Callback<Infallible, ()> for Feed<'_> {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Infallible> {
        let writer = &mut *self.0;
        match event {
            CallbackEvent::OpenStartTag { name } => {
                writer.tag = String::from_utf8_lossy(name).into_owned();
                writer.attributes.clear();
                writer.in_start_tag = true;
            }
            CallbackEvent::AttributeName { name }
                if writer.in_start_tag && writer.attributes.len() < ATTRIBUTE_LIMIT =>
            {
                let name = String::from_utf8_lossy(name).into_owned();
                writer.attributes.push((name, String::new()));
            }
            CallbackEvent::AttributeValue { value } if writer.in_start_tag => {
                if let Some((_, empty)) = writer.attributes.last_mut().filter(|(_, value)| value.is_empty()) {
                    *empty = String::from_utf8_lossy(value).into_owned();
                }
            }
            CallbackEvent::CloseStartTag { .. } => {
                writer.in_start_tag = false;
                writer.start();
            }
            CallbackEvent::EndTag { name } => {
                writer.in_start_tag = false;
                writer.end(&String::from_utf8_lossy(name));
            }
            CallbackEvent::String { value } if writer.silent.is_none() => {
                escape(&String::from_utf8_lossy(value), &mut writer.out);
            }
            _ => {}
        }
        None
    }
}

impl Writer {
    fn start(&mut self) {
        let tag = std::mem::take(&mut self.tag);
        match tag.as_str() {
            "script" | "style" | "title" | "textarea" | "iframe" | "noscript" | "noembed" | "noframe"
            | "xmp" => {
                self.silent = Some(tag);
            }
            "img" | "image" | "amp-img" => self.picture(),
            _ if ELEMENTS.contains(&tag.as_str()) => self.element(&tag),
            _ => {}
        }
    }

    fn end(&mut self, tag: &str) {
        if self.silent.as_deref() == Some(tag) {
            self.silent = None;
        } else if ELEMENTS.contains(&tag) && !matches!(tag, "br" | "hr" | "col") {
            self.out.push_str("</");
            self.out.push_str(tag);
            self.out.push('>');
        }
    }

    fn element(&mut self, tag: &str) {
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in std::mem::take(&mut self.attributes) {
            let value = match name.as_str() {
                "style" => harmless_style(&value),
                name if ATTRIBUTES.contains(&name) && value.len() <= VALUE_LIMIT => value,
                _ => continue,
            };
            self.out.push(' ');
            self.out.push_str(&name);
            self.out.push_str("=\"");
            escape(&value, &mut self.out);
            self.out.push('"');
        }
        self.out.push('>');
    }

    fn picture(&mut self) {
        let attributes = std::mem::take(&mut self.attributes);
        let get = |wanted: &str| {
            attributes
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        let shown = match (get("alt"), get("src")) {
            (Some(alt), _) if !alt.trim().is_empty() => alt,
            (_, Some(src)) => src.split(['?', '#']).next().unwrap_or_default(),
            _ => "",
        };
        self.out.push_str(
            "<span style=\"border:1px dashed #999;color:#666;font:12px sans-serif;padding:2px\">picture: ",
        );
        escape(
            shown.get(..shown.floor_char_boundary(100)).unwrap_or_default(),
            &mut self.out,
        );
        self.out.push_str("</span>");
    }
}

/// The declarations that hold only words, colours and lengths: without functions, escapes and comments nothing
/// can be loaded. What takes text out of its place is left out, so that the page around cannot be covered.
fn harmless_style(style: &str) -> String {
    let harmless = |declaration: &&str| {
        let name = declaration
            .split(':')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        let is_plain = declaration
            .bytes()
            .all(|byte| byte.is_ascii() && !b"(\\@/<>\"{}&".contains(&byte));
        is_plain
            && declaration.len() < VALUE_LIMIT
            && !matches!(
                name.as_str(),
                "position" | "behavior" | "-moz-binding" | "content"
            )
    };
    style
        .split(';')
        .filter(harmless)
        .take(ATTRIBUTE_LIMIT)
        .collect::<Vec<_>>()
        .join(";")
}

fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\0' => {}
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_arranges_text_is_kept() {
        let html = "<table width=600 onclick=x()><tr><td style='color:red;background:url(http://t.example/)'>A &amp; B</td></tr></table>";
        assert_eq!(
            safe_html(html),
            "<table width=\"600\"><tr><td style=\"color:red\">A &amp; B</td></tr></table>"
        );
        assert_eq!(safe_html("<a href='http://t.example/'>go</a>"), "<a>go</a>");
    }

    #[test]
    fn nothing_that_loads_or_runs_is_written() {
        for html in [
            "<img src=http://t.example/x.png?id=1 srcset='http://t.example/2x'>",
            "<link rel=dns-prefetch href=//t.example>",
            "<meta http-equiv=refresh content='0;url=http://t.example/'>",
            "<base href=http://t.example/>",
            "<style>@import 'http://t.example/'</style>",
            "<p style='background:u\\72l(http://t.example/)'>",
            "<p style=\"x:'&quot;>&lt;img src=http://t.example/>\">",
            "<svg><image href=http://t.example/></svg>",
            "<!--[if mso]><v:fill src=http://t.example/><![endif]-->",
            "<noscript><img src=http://t.example/></noscript>",
            "<iframe src=http://t.example/ srcdoc='<img src=http://t.example/>'></iframe>",
            "<script>fetch('http://t.example/')</script>",
            "<form action=http://t.example/><input type=image src=http://t.example/>",
            "<td background=http://t.example/><body background=http://t.example/>",
            "<video poster=http://t.example/ autoplay><source src=http://t.example/></video>",
            "<img src='http://t.example/",
            "<a ping=http://t.example/ href=http://t.example/>x</a>",
            "<font face='x\" src=\"http://t.example/'>x",
        ] {
            let safe = safe_html(html);
            let markup: Vec<&str> = safe
                .split('<')
                .skip(1)
                .filter_map(|tag| tag.split('>').next())
                .collect();
            let without_quoted = |tag: &&str| tag.split('"').step_by(2).collect::<String>();
            for tag in &markup {
                let bare = without_quoted(tag);
                for word in [
                    "src",
                    "href",
                    "t.example",
                    "background=",
                    "url",
                    "poster",
                    "action",
                    "ping",
                    "script",
                ] {
                    assert!(!bare.contains(word), "{html} gave {safe}");
                }
                assert!(!tag.contains("url("), "{html} gave {safe}");
            }
        }
    }

    #[test]
    fn long_html_is_cut_aloud() {
        let long = "ä ".repeat(INPUT_LIMIT);
        assert!(safe_html(&long).ends_with("too long to be shown]</p>"));
    }
}
