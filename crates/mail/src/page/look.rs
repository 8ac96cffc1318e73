//! Whether an element can be seen.

use rustc_hash::FxHashSet;

use super::element::Attributes;

/// A picture of at most so many pixels a side cannot be seen.
const TINY: u32 = 2;
/// Text of at most so many pixels cannot be read.
const TINY_FONT: f32 = 1.5;
/// What lies further out than this many pixels is off the page.
const FAR_OUT: f32 = -900.0;
const RULE_LIMIT: usize = 500;

/// How an element looks, as far as it can be seen or not.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look {
    /// It and all in it is not shown.
    hidden: bool,
    tiny_font: bool,
    colour: Option<u32>,
    ground: Option<u32>,
    /// Its own width and height in pixels, as declared.
    pub(super) size: (Option<u32>, Option<u32>),
}

impl Look {
    /// The look of an element in one that looks like `self`.
    pub(super) fn within(&self, name: &str, attributes: &Attributes, rules: &HiddenRules) -> Self {
        let mut look = Self {
            size: (None, None),
            ..*self
        };
        let mut style = None;
        for (attribute, value) in attributes.iter() {
            match attribute {
                "hidden" => look.hidden = true,
                "width" => look.size.0 = pixels(value).map(to_pixels),
                "height" => look.size.1 = pixels(value).map(to_pixels),
                "bgcolor" => look.ground = colour(value),
                "color" => look.colour = colour(value),
                "size" if name == "font" && value.trim() == "0" => look.tiny_font = true,
                "style" => style = style.or(Some(value)),
                _ => {}
            }
        }
        look.hidden |= matches!(name, "template" | "datalist") || rules.hide(name, attributes);
        if let Some(style) = style {
            look.declare(style);
        }
        look
    }

    /// The element cannot be seen.
    pub(super) fn is_hidden(&self) -> bool {
        let tiny = match self.size {
            (Some(width), Some(height)) => width <= TINY && height <= TINY || width == 0 || height == 0,
            (Some(side), None) | (None, Some(side)) => side <= TINY,
            (None, None) => false,
        };
        self.hidden || tiny
    }

    /// Text in it cannot be seen.
    pub(super) fn text_is_hidden(&self) -> bool {
        self.hidden || self.tiny_font || self.colour.is_some() && self.colour == self.ground
    }

    fn declare(&mut self, style: &str) {
        let (mut clipped, mut flat, mut out) = (false, false, false);
        for declaration in style.split(';') {
            let Some((name, value)) = declaration.split_once(':') else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            let value = value.strip_suffix("!important").unwrap_or(value).trim_end();
            let is = |wanted: &str| value.eq_ignore_ascii_case(wanted);
            let mut buffer = [0; 24];
            match lower(name, &mut buffer) {
                "display" => self.hidden |= is("none"),
                "visibility" => self.hidden |= is("hidden") || is("collapse"),
                "opacity" => self.hidden |= value.parse::<f32>().is_ok_and(|opacity| opacity < 0.02),
                "font-size" => self.tiny_font = pixels(value).is_some_and(|size| size <= TINY_FONT),
                "color" => self.colour = colour(value),
                "background-color" | "background" => {
                    if let Some(ground) = value.split_ascii_whitespace().find_map(colour) {
                        self.ground = Some(ground);
                    }
                }
                "width" => self.size.0 = pixels(value).map(to_pixels).or(self.size.0),
                "height" => self.size.1 = pixels(value).map(to_pixels).or(self.size.1),
                "max-height" | "max-width" => flat |= pixels(value).is_some_and(|size| size < 1.0),
                "overflow" => clipped |= is("hidden"),
                "text-indent" | "left" | "top" | "margin-left" | "margin-top" | "right" => {
                    out |= pixels(value).is_some_and(|offset| offset < FAR_OUT);
                }
                "transform" => self.hidden |= is("scale(0)") || is("scale(0,0)"),
                "clip" => {
                    self.hidden |= is("rect(0,0,0,0)") || is("rect(0 0 0 0)") || is("rect(0px,0px,0px,0px)")
                }
                _ => {}
            }
        }
        let flat = flat || self.size.0 == Some(0) || self.size.1 == Some(0);
        self.hidden |= out || flat && clipped;
    }
}

/// The simple selectors that style sheets hide: `.preheader`, `#x`, `img`, `img.x`.
#[derive(Default)]
pub(super) struct HiddenRules(FxHashSet<String>);

impl HiddenRules {
    /// Adds the rules of a style sheet that hold everywhere. Those inside `@media` are for some screens
    /// only, and what they hide is shown on others.
    pub(super) fn add(&mut self, css: &str) {
        let mut rest = css;
        while let Some((selectors, after)) = rest.split_once('{') {
            let selectors = selectors.rsplit(['}', ';']).next().unwrap_or_default();
            let selectors = selectors.rsplit("*/").next().unwrap_or_default().trim();
            if selectors.starts_with('@') && !selectors.starts_with("@font-face") {
                rest = after_block(after);
                continue;
            }
            let (declarations, next) = after.split_once('}').unwrap_or((after, ""));
            rest = next;
            let mut look = Look::default();
            look.declare(declarations);
            if look.hidden && self.0.len() < RULE_LIMIT {
                let simple = selectors.split(',').map(str::trim).filter(|one| is_simple(one));
                self.0.extend(simple.map(str::to_owned));
            }
        }
    }

    fn hide(&self, name: &str, attributes: &Attributes) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let classes = attributes
            .get("class")
            .unwrap_or_default()
            .split_ascii_whitespace()
            .take(20);
        self.0.contains(name)
            || attributes
                .get("id")
                .is_some_and(|id| self.0.contains(&format!("#{id}")))
            || classes
                .flat_map(|class| [format!(".{class}"), format!("{name}.{class}")])
                .any(|selector| self.0.contains(&selector))
    }
}

/// What follows the block that has just been opened.
fn after_block(text: &str) -> &str {
    let mut depth = 1;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return text.get(at + 1..).unwrap_or_default();
        }
    }
    ""
}

fn is_simple(selector: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'#');
    !selector.is_empty() && selector.bytes().all(word)
}

/// A length in CSS pixels; none for percentages and what is no length.
fn pixels(value: &str) -> Option<f32> {
    let value = value.trim();
    let end = value
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+')))
        .unwrap_or(value.len());
    let (number, unit) = value.split_at_checked(end)?;
    let number: f32 = number.parse().ok()?;
    let unit = unit.split_ascii_whitespace().next().unwrap_or_default();
    match unit {
        "" | "px" | "PX" | "Px" => Some(number),
        "pt" => Some(number * 4.0 / 3.0),
        "em" | "rem" => Some(number * 16.0),
        _ if number == 0.0 => Some(0.0),
        _ => None,
    }
}

fn to_pixels(length: f32) -> u32 {
    length.max(0.0).ceil() as u32
}

/// A colour as `0xrrggbb`; none where it is not known, such as `inherit`.
fn colour(value: &str) -> Option<u32> {
    let value = value.trim();
    if let Some(hex) = value.strip_prefix('#') {
        return hex_colour(hex);
    }
    if let Some(arguments) = value.strip_prefix("rgb(").or_else(|| value.strip_prefix("rgba(")) {
        let mut parts = arguments
            .split([',', ')', ' ', '/'])
            .filter_map(|part| part.trim().parse::<f32>().ok());
        let mut next = || parts.next().map(|part| part.clamp(0.0, 255.0) as u32);
        return Some(next()? << 16 | next()? << 8 | next()?);
    }
    match value.len() {
        5 if value.eq_ignore_ascii_case("white") => Some(0xff_ffff),
        5 if value.eq_ignore_ascii_case("black") => Some(0),
        3 if value.eq_ignore_ascii_case("red") => Some(0xff_0000),
        _ => hex_colour(value).filter(|_| value.len() == 6),
    }
}

fn hex_colour(hex: &str) -> Option<u32> {
    let number = u32::from_str_radix(hex, 16).ok()?;
    match hex.len() {
        6 => Some(number),
        3 => {
            let [red, green, blue] = [number >> 8 & 0xf, number >> 4 & 0xf, number & 0xf];
            Some((red << 16 | green << 8 | blue) * 0x11)
        }
        _ => None,
    }
}

/// `name` in lower case; as it is where it does not fit.
fn lower<'b>(name: &'b str, buffer: &'b mut [u8; 24]) -> &'b str {
    let Some(target) = buffer.get_mut(..name.len()) else {
        return name;
    };
    target.copy_from_slice(name.as_bytes());
    target.make_ascii_lowercase();
    std::str::from_utf8(target).unwrap_or(name)
}
