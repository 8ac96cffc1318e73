//! The pages that a message holds.

use blackrod_model::mail::{Message, Part, PartRole};

use super::clip;
use super::page::Page;

const PAGE_LIMIT: usize = 8;
const NAME_LIMIT: usize = 200;

/// The HTML that a client shows.
pub(super) fn pages(message: &Message<'_>) -> Vec<Page> {
    message
        .parts
        .iter()
        .filter(|part| part.depth == 0 && is_shown(part))
        .take(PAGE_LIMIT)
        .filter_map(|part| part.text())
        .map(Page::walk)
        .collect()
}

/// The HTML and SVG that somebody may open, by name.
pub(super) fn attached(message: &Message<'_>) -> Vec<(String, Page)> {
    message
        .parts
        .iter()
        .filter(|part| !(part.depth == 0 && is_shown(part)) && (is_shown(part) || is_page(part)))
        .take(PAGE_LIMIT)
        .map(|part| {
            let name = clip(part.name.as_deref().unwrap_or("attached page"), NAME_LIMIT).to_owned();
            (name, Page::walk(&String::from_utf8_lossy(&part.content)))
        })
        .collect()
}

fn is_shown(part: &Part<'_>) -> bool {
    part.role == PartRole::Html || part.content_type == "text/x-amp-html"
}

fn is_page(part: &Part<'_>) -> bool {
    const TYPES: [&str; 3] = ["text/html", "application/xhtml+xml", "image/svg+xml"];
    const ENDINGS: [&str; 6] = [".html", ".htm", ".shtml", ".xhtml", ".xht", ".svg"];
    let name = part.name.as_deref().unwrap_or_default().to_ascii_lowercase();
    TYPES.contains(&part.content_type.as_ref()) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}
