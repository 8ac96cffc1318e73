//! An HTML part, walked once.

/// What an HTML part loads, leads to, asks for and shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What a client loads by itself, in order.
    pub resources: Vec<Resource>,
    /// Where it leads.
    pub anchors: Vec<Anchor>,
    /// What it asks for.
    pub forms: Vec<Form>,
    /// The texts of its `script` elements, at most 64 KiB in all.
    pub scripts: Vec<String>,
    /// The text that a reader sees, blanks folded.
    pub text: String,
    /// Characters of text that a reader cannot see (hidden, tiny, in the colour of the ground).
    pub hidden_characters: usize,
    /// The names of its elements in order, at most 2,000, as one hash.
    pub skeleton: u64,
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
    /// The text that is shown for it.
    pub text: String,
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
