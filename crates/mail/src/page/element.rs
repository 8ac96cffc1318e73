//! What an element loads, leads to or asks for.

use url::Url;

use super::look::Look;
use super::walk::Walker;
use super::{Anchor, FIELD_LIMIT, FORM_LIMIT, Form, LIST_LIMIT, Page, Resource, URL_LENGTH, css};
use crate::{begins, clip};

const ATTRIBUTE_LIMIT: usize = 64;
const NAME_LIMIT: usize = 80;

/// The attributes of a tag, in one buffer that is used again.
#[derive(Default)]
pub(super) struct Attributes {
    text: String,
    spans: Vec<[usize; 3]>,
}

impl Attributes {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.spans.clear();
    }

    pub(super) fn name(&mut self, name: &[u8]) {
        if self.spans.len() >= ATTRIBUTE_LIMIT {
            return;
        }
        let start = self.text.len();
        self.text.push_str(&String::from_utf8_lossy(name));
        let end = self.text.len();
        self.spans.push([start, end, end]);
    }

    pub(super) fn value(&mut self, value: &[u8]) {
        if let Some(last) = self.spans.last_mut()
            && last[1] == last[2]
        {
            self.text.push_str(&String::from_utf8_lossy(value));
            last[2] = self.text.len();
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.spans.iter().filter_map(|[start, middle, end]| {
            Some((self.text.get(*start..*middle)?, self.text.get(*middle..*end)?))
        })
    }

    /// The value of the first attribute of this name, as the HTML standard has it.
    pub(super) fn get(&self, wanted: &str) -> Option<&str> {
        self.iter()
            .find(|(name, _)| *name == wanted)
            .map(|(_, value)| value)
    }
}

/// Adds what an element loads and asks for.
pub(super) fn element(walker: &mut Walker, name: &str, attributes: &Attributes, look: &Look) {
    let (size, hidden) = (look.size, look.is_hidden());
    let base = walker.base.clone();
    for (attribute, value) in attributes.iter() {
        if let Some(found_in) = loads(name, attribute, attributes) {
            load(&mut walker.page, base.as_ref(), value, found_in, size, hidden);
            continue;
        }
        match attribute {
            "srcset" | "imagesrcset" => {
                for url in candidates(value) {
                    load(&mut walker.page, base.as_ref(), url, "srcset", size, hidden);
                }
            }
            "srcdoc" if name == "iframe" => walker.nested(value),
            "alt" if name == "img" => walker.alternative(value),
            "style" | "fill" | "stroke" | "filter" | "mask" | "clip-path" | "cursor" | "marker"
            | "marker-start" | "marker-mid" | "marker-end" => css::urls(value, &mut |url, found_in| {
                load(&mut walker.page, base.as_ref(), url, found_in, size, hidden);
            }),
            _ if attribute.starts_with("on") && attribute.len() > 4 => walker.script(value),
            _ => {}
        }
    }
    match name {
        "base" if walker.base.is_none() => {
            walker.base = attributes
                .get("href")
                .and_then(|href| Url::parse(href.trim()).ok());
        }
        "meta" => refresh(walker, attributes),
        "area" => {
            anchor(walker, attributes, look);
        }
        "form" | "isindex" => form(walker, attributes.get("action").unwrap_or_default()),
        "input" | "textarea" | "select" | "button" => field(walker, name, attributes),
        "param" => parameter(walker, attributes),
        "animate" | "set" => animated(walker, attributes),
        _ => {}
    }
}

/// Adds a link to click; tells which it is.
pub(super) fn anchor(walker: &mut Walker, attributes: &Attributes, look: &Look) -> Option<usize> {
    let href = attributes.get("href").or_else(|| attributes.get("xlink:href"))?;
    let page = &mut walker.page;
    if page.anchors.len() >= LIST_LIMIT {
        page.cut = true;
        return None;
    }
    page.anchors.push(Anchor {
        url: resolve(walker.base.as_ref(), href),
        text: String::new(),
        hidden: look.is_hidden(),
    });
    Some(page.anchors.len() - 1)
}

/// Adds something that is loaded.
pub(super) fn load(
    page: &mut Page,
    base: Option<&Url>,
    url: &str,
    found_in: &'static str,
    size: (Option<u32>, Option<u32>),
    hidden: bool,
) {
    let url = url.trim();
    let is_picture_within = begins(url, "data:image/");
    // What refers to a place in the same document loads nothing.
    if url.is_empty() || url.starts_with('#') || is_picture_within {
        return;
    }
    if page.resources.len() >= LIST_LIMIT {
        page.cut = true;
        return;
    }
    page.resources.push(Resource {
        url: resolve(base, url),
        found_in,
        size: size.0.zip(size.1),
        hidden,
    });
}

/// Under which name an attribute loads something; none where it does not.
fn loads(name: &str, attribute: &str, attributes: &Attributes) -> Option<&'static str> {
    match (attribute, name) {
        ("src" | "lowsrc" | "dynsrc", "img" | "image") => Some("img"),
        ("src", "iframe" | "frame" | "layer" | "ilayer") => Some("iframe"),
        ("src", "video" | "audio" | "source" | "track" | "bgsound") => Some("media"),
        ("src" | "code", "embed" | "applet") => Some("embed"),
        ("src", "script") => Some("script"),
        ("src", "input") => Some("input image"),
        ("src", _) if name.starts_with("amp-") => Some("amp"),
        ("src" | "o:href" | "href", _) if name.starts_with("v:") => Some("vml"),
        ("src", _) => Some("src"),
        ("poster", _) => Some("poster"),
        ("background", _) => Some("background"),
        ("data" | "classid" | "codebase", "object") => Some("object"),
        ("archive", "applet" | "object") => Some("object"),
        ("manifest", "html") => Some("manifest"),
        ("href", "link") => link_loads(attributes.get("rel").unwrap_or_default()).then_some("link"),
        ("href" | "xlink:href", "image" | "feimage") => Some("svg image"),
        ("href" | "xlink:href", "use" | "script" | "mpath" | "textpath" | "pattern" | "filter") => {
            Some("svg use")
        }
        ("xlink:href", _) if name != "a" => Some("svg use"),
        _ => None,
    }
}

fn link_loads(rel: &str) -> bool {
    const LOADING: [&str; 9] = [
        "stylesheet",
        "icon",
        "preload",
        "prefetch",
        "dns-prefetch",
        "preconnect",
        "modulepreload",
        "manifest",
        "prerender",
    ];
    rel.split_ascii_whitespace().any(|word| {
        LOADING.iter().any(|loading| word.eq_ignore_ascii_case(loading)) || word.contains("-icon")
    })
}

/// The URLs of a `srcset` (HTML 4.8.4.2.1), which may hold commas themselves.
fn candidates(srcset: &str) -> impl Iterator<Item = &str> {
    let mut rest = srcset;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len());
        let (url, after) = rest.split_at_checked(end)?;
        rest = match url.ends_with(',') {
            true => after,
            false => after.split_once(',').map_or("", |(_, next)| next),
        };
        Some(url.trim_end_matches(','))
    })
}

fn refresh(walker: &mut Walker, attributes: &Attributes) {
    let is_refresh = attributes
        .get("http-equiv")
        .is_some_and(|value| value.trim().eq_ignore_ascii_case("refresh"));
    if !is_refresh {
        return;
    }
    let content = attributes.get("content").unwrap_or_default();
    let after =
        content.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' ' | ';' | ','));
    let named = after.get(..3).filter(|start| start.eq_ignore_ascii_case("url"));
    let url = match named {
        Some(_) => after
            .get(3..)
            .unwrap_or_default()
            .trim_start()
            .trim_start_matches('='),
        None => after,
    };
    let url = url.trim().trim_matches(['\'', '"']);
    let base = walker.base.clone();
    load(
        &mut walker.page,
        base.as_ref(),
        url,
        "meta refresh",
        (None, None),
        false,
    );
}

fn form(walker: &mut Walker, action: &str) {
    if walker.page.forms.len() >= FORM_LIMIT {
        walker.page.cut = true;
        return;
    }
    walker.page.forms.push(Form {
        action: resolve(walker.base.as_ref(), action),
        ..Form::default()
    });
    walker.form = Some(walker.page.forms.len() - 1);
}

fn field(walker: &mut Walker, name: &str, attributes: &Attributes) {
    if let Some(action) = attributes.get("formaction") {
        let outer = walker.form;
        form(walker, action);
        walker.form = outer;
    }
    let kind = attributes.get("type").unwrap_or_default().to_ascii_lowercase();
    if name == "button" || matches!(kind.as_str(), "submit" | "button" | "reset" | "image" | "hidden") {
        return;
    }
    if walker.form.is_none() {
        // A field outside any form is a form by script.
        form(walker, "");
    }
    let Some(form) = walker.form.and_then(|at| walker.page.forms.get_mut(at)) else {
        return;
    };
    if kind == "password" {
        form.asks_password = true;
    } else if form.fields.len() < FIELD_LIMIT {
        let called = ["name", "id", "placeholder"]
            .iter()
            .find_map(|wanted| attributes.get(wanted))
            .unwrap_or_default();
        form.fields.push(clip(called, NAME_LIMIT).to_owned());
    }
}

fn parameter(walker: &mut Walker, attributes: &Attributes) {
    let called = attributes.get("name").unwrap_or_default().to_ascii_lowercase();
    if matches!(called.as_str(), "src" | "movie" | "filename" | "url" | "data") {
        let base = walker.base.clone();
        let value = attributes.get("value").unwrap_or_default();
        load(
            &mut walker.page,
            base.as_ref(),
            value,
            "object",
            (None, None),
            false,
        );
    }
}

/// SVG animation may set where an image comes from.
fn animated(walker: &mut Walker, attributes: &Attributes) {
    let animates = attributes.get("attributename").unwrap_or_default();
    if !animates.to_ascii_lowercase().ends_with("href") {
        return;
    }
    let base = walker.base.clone();
    for name in ["from", "to", "values"] {
        for url in attributes.get(name).unwrap_or_default().split(';') {
            load(
                &mut walker.page,
                base.as_ref(),
                url,
                "svg image",
                (None, None),
                false,
            );
        }
    }
}

fn resolve(base: Option<&Url>, url: &str) -> String {
    let url = clip(url.trim(), URL_LENGTH);
    if let Some(base) = base
        && let Ok(joined) = base.join(url)
    {
        return clip(joined.as_str(), URL_LENGTH).to_owned();
    }
    url.to_owned()
}
