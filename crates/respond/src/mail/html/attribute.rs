//! What becomes of an attribute.
//!
//! Attributes are kept because they are known to be harmless, or because their value is made of words and numbers only. So
//! what a client of tomorrow loads by a name of its own does not come through.

use super::{css, entities};

/// What becomes of an attribute.
pub(super) enum Verdict {
    Keep,
    /// It goes; what it was, for the record.
    Remove(&'static str),
    /// It gets another value (as it stands in the source).
    Set(String),
}

/// Attributes that load or send something, whatever their value, and on whatever element.
const LOADING: [(&str, &str); 29] = [
    ("action", "form"),
    ("archive", "object"),
    ("attributionsrc", "ping"),
    ("background", "background"),
    ("classid", "object"),
    ("code", "object"),
    ("codebase", "object"),
    ("data", "object"),
    ("datasrc", "object"),
    ("dynsrc", "media"),
    ("formaction", "form"),
    ("href", "link"),
    ("icon", "img"),
    ("imagesrcset", "srcset"),
    ("implementation", "object"),
    ("lowsrc", "img"),
    ("manifest", "manifest"),
    ("movie", "object"),
    ("object", "object"),
    ("o:href", "vml"),
    ("ping", "ping"),
    ("pluginspage", "object"),
    ("pluginurl", "object"),
    ("poster", "poster"),
    ("profile", "link"),
    ("src", "img"),
    ("srcdoc", "iframe"),
    ("srcset", "srcset"),
    ("xlink:href", "svg use"),
];
/// Attributes that hold text, lengths or names: no client loads anything for them.
const HARMLESS: [&str; 43] = [
    "abbr",
    "about",
    "accept",
    "align",
    "alt",
    "bgcolor",
    "charset",
    "cite",
    "class",
    "color",
    "content",
    "d",
    "datatype",
    "datetime",
    "face",
    "for",
    "headers",
    "height",
    "id",
    "itemid",
    "itemprop",
    "itemtype",
    "label",
    "lang",
    "longdesc",
    "media",
    "name",
    "pattern",
    "placeholder",
    "points",
    "prefix",
    "property",
    "rel",
    "resource",
    "rev",
    "summary",
    "target",
    "title",
    "transform",
    "type",
    "typeof",
    "vocab",
    "width",
];
/// Attributes of SVG whose values are CSS, beside `style`.
const STYLES: [&str; 10] = [
    "style",
    "fill",
    "stroke",
    "filter",
    "mask",
    "clip-path",
    "cursor",
    "marker-start",
    "marker-mid",
    "marker-end",
];
/// Elements that show a picture, so that one within the message may stay.
const PICTURES: [&str; 9] = [
    "img", "image", "input", "body", "table", "td", "th", "tr", "source",
];
/// `http-equiv` that only describes.
const DESCRIBING: [&str; 5] = [
    "content-type",
    "content-language",
    "x-ua-compatible",
    "content-style-type",
    "imagetoolbar",
];

/// What becomes of `name="value"` on `element`, all lower case but the value, which stands as in the source. `found` is told what is
/// cut out of a style.
pub(super) fn judge(
    element: &str,
    name: &str,
    value: &str,
    found: &mut dyn FnMut(&'static str, &str),
) -> Verdict {
    if STYLES.contains(&name) {
        let style = entities::decode(value);
        return match css::clean(&style, found) {
            Some(cleaned) => Verdict::Set(entities::encode(&cleaned)),
            None => Verdict::Keep,
        };
    }
    if name == "http-equiv" {
        let is_describing = DESCRIBING
            .iter()
            .any(|one| value.trim().eq_ignore_ascii_case(one));
        return if is_describing {
            Verdict::Keep
        } else {
            Verdict::Remove("meta")
        };
    }
    if let Some((_, what)) = LOADING.iter().find(|(loading, _)| *loading == name) {
        let is_picture = PICTURES.contains(&element) || element.starts_with("v:");
        let stays = match name {
            "src" | "background" | "href" | "xlink:href" if is_picture => css::is_local(value),
            "href" | "xlink:href" => value.trim_start().starts_with('#'),
            _ => false,
        };
        return if stays {
            Verdict::Keep
        } else {
            Verdict::Remove(kind(element, name, what))
        };
    }
    let is_harmless = HARMLESS.contains(&name)
        || (name == "value" && element != "param")
        || ["aria-", "data-", "xmlns"]
            .iter()
            .any(|start| name.starts_with(start))
        || (!name.starts_with("on") && is_words(value));
    if is_harmless {
        return Verdict::Keep;
    }
    Verdict::Remove(if name.starts_with("on") {
        "script"
    } else {
        "attribute"
    })
}

/// Nothing in it can be an address or a function.
fn is_words(value: &str) -> bool {
    !value
        .bytes()
        .any(|byte| matches!(byte, b':' | b'/' | b'\\' | b'(' | b'&' | b'@' | b'<' | b'{'))
}

fn kind(element: &str, name: &str, what: &'static str) -> &'static str {
    match (element, name) {
        (_, "href") if element == "base" => "base",
        ("iframe" | "frame" | "layer" | "ilayer", "src") => "iframe",
        ("video" | "audio" | "source" | "track" | "bgsound", "src") => "media",
        ("embed" | "object" | "applet", "src") => "object",
        ("script", _) => "script",
        ("image" | "feimage", "href" | "xlink:href") => "svg image",
        ("use", "href") => "svg use",
        _ if element.starts_with("v:") => "vml",
        _ if element.starts_with("amp-") => "amp",
        _ => what,
    }
}
