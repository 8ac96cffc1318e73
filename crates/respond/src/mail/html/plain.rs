//! The text of HTML, as HTML that holds nothing else: the way out where the rewriter is not certain.

use std::convert::Infallible;

use html5gum::emitters::callback::{Callback, CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};

use super::entities;

/// Elements whose text nobody sees.
const SILENT: [&[u8]; 9] = [
    b"script",
    b"style",
    b"title",
    b"textarea",
    b"iframe",
    b"noembed",
    b"noframes",
    b"template",
    b"xml",
];
/// Elements that begin a line.
const BLOCKS: [&[u8]; 18] = [
    b"address",
    b"article",
    b"blockquote",
    b"br",
    b"dd",
    b"div",
    b"dt",
    b"h1",
    b"h2",
    b"h3",
    b"h4",
    b"hr",
    b"li",
    b"p",
    b"pre",
    b"table",
    b"tr",
    b"section",
];

/// The text of `html` as a page.
pub(super) fn page(html: &str) -> String {
    format!("<!DOCTYPE html>\n<html><body>{}</body></html>\n", text(html))
}

/// The text of `html`, escaped, its lines parted by `<br>`. Text that has no markup stays as it is.
pub(super) fn text(html: &str) -> String {
    let mut writer = Writer::default();
    let mut emitter = CallbackEmitter::new(Feed(&mut writer));
    emitter.naively_switch_states(true);
    let Ok(()) = Tokenizer::new_with_emitter(html, emitter).finish();
    writer.out
}

#[derive(Default)]
struct Writer {
    out: String,
    silent: Option<Vec<u8>>,
}

struct Feed<'w>(&'w mut Writer);

impl Callback<Infallible, ()> for Feed<'_> {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Infallible> {
        let writer = &mut *self.0;
        match event {
            CallbackEvent::OpenStartTag { name } => {
                let is_open = writer.silent.is_none();
                if is_open && SILENT.contains(&name) {
                    writer.silent = Some(name.to_vec());
                } else if is_open && BLOCKS.contains(&name) {
                    writer.out.push_str("<br>");
                }
            }
            CallbackEvent::EndTag { name } if writer.silent.as_deref() == Some(name) => writer.silent = None,
            CallbackEvent::String { value } if writer.silent.is_none() => {
                writer
                    .out
                    .push_str(&entities::encode(&String::from_utf8_lossy(value)));
            }
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_left() {
        let html =
            "<p>a &amp; b<br>c</p><script>x()</script><img src=x alt='<img src=y>'><!-- <img> --><b>d</b>";
        assert_eq!(text(html), "<br>a &amp; b<br>cd");
        assert_eq!(text(&text(html)), text(html));
        assert_eq!(text("<<img src=x>"), "&lt;");
    }
}
