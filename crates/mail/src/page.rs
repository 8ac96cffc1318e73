//! An HTML part, walked once.

mod css;
mod element;
mod look;
mod walk;

/// HTML beyond this many bytes is not walked; [`Page::cut`] tells so.
pub const HTML_LIMIT: usize = 8 << 20;
/// How many resources, and how many anchors, are kept.
pub const LIST_LIMIT: usize = 1_000;
/// A URL is cut at this many bytes.
pub const URL_LENGTH: usize = 4_096;
/// The visible text is cut at this many bytes.
pub const TEXT_LIMIT: usize = 128 << 10;
const SCRIPT_LIMIT: usize = 64 << 10;
const SHOWN_LIMIT: usize = 300;
const FORM_LIMIT: usize = 50;
const FIELD_LIMIT: usize = 50;
const SKELETON_LIMIT: usize = 2_000;

/// What an HTML part loads, leads to, asks for and shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What a client loads by itself, in order. `data:` images, which load nothing, are left out.
    pub resources: Vec<Resource>,
    /// Where it leads.
    pub anchors: Vec<Anchor>,
    /// What it asks for.
    pub forms: Vec<Form>,
    /// The texts of its `script` elements and event attributes, at most 64 KiB in all.
    pub scripts: Vec<String>,
    /// Its title.
    pub title: String,
    /// The text that a reader sees, blanks folded, characters without width left out.
    pub text: String,
    /// Characters of text that a reader cannot see (hidden, tiny, in the colour of the ground).
    pub hidden_characters: usize,
    /// Characters without width that stand between visible ones: a disguise for words.
    pub zero_width: usize,
    /// The names of its elements in order, at most 2,000, as one hash; 0 where there are none.
    pub skeleton: u64,
    /// Its elements.
    pub elements: usize,
    /// There was more of it than is walked or kept.
    pub cut: bool,
}

/// Something that a client loads by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Resource {
    /// As written, character references resolved, against `<base>`.
    pub url: String,
    /// `img`, `srcset`, `css url`, `css import`, `background`, `link`, `poster`, `svg image`, `iframe`, …
    pub found_in: &'static str,
    /// Declared width and height in pixels, where they are.
    pub size: Option<(u32, u32)>,
    /// It cannot be seen.
    pub hidden: bool,
}

/// A link that somebody may click.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Anchor {
    /// As written, character references resolved, against `<base>`.
    pub url: String,
    /// The text that is shown for it; the alternative text of its pictures where there is no other.
    pub text: String,
    /// It cannot be seen.
    pub hidden: bool,
}

/// A form.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Form {
    /// Where it sends to.
    pub action: String,
    /// It has a field for a password.
    pub asks_password: bool,
    /// The names of its other fields.
    pub fields: Vec<String>,
}

impl Page {
    /// Walks `html` as the HTML standard's tokenizer cuts it, so that what a client finds in malformed HTML is found
    /// here too. Contents of conditional comments (`<!--[if mso]>`), of `noscript` and of `iframe srcdoc` are walked
    /// as well, since some client shows them. Never fails; all lists are bounded.
    pub fn walk(html: &str) -> Self {
        walk::walk(html)
    }
}

#[cfg(test)]
mod tests;
