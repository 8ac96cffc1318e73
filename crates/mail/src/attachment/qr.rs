//! QR codes (ISO/IEC 18004): links that a filter does not see and a phone opens.

use std::io::Cursor;

use blackrod_model::mail::LinkRole;
use image::{DynamicImage, ImageReader, Limits};
use rqrr::PreparedImage;

use super::{File, Notes, clipped};

/// The largest file that is decoded.
const MAX_SIZE: usize = 8 << 20;
/// The longest side of an image that is decoded, in pixels.
const MAX_SIDE: usize = 4_000;
/// The longest side that is searched; larger images are searched at a fraction of their size.
const SEARCHED_SIDE: usize = 1_000;
/// The shortest side that can hold a code: 21 modules and its margin, at one pixel each.
const MIN_SIDE: usize = 25;
/// Memory that decoding one image may take.
const MAX_MEMORY: u64 = 96 << 20;
/// Codes taken from one image.
const MAX_CODES: usize = 4;

/// Looks at an attached image.
pub(super) fn look(file: File<'_>, notes: &mut Notes<'_>) {
    image(file.bytes, "qr", notes);
}

/// Whether an image of this size may hold a code and may be decoded.
pub(super) fn is_plausible(width: usize, height: usize) -> bool {
    let sides = MIN_SIDE..=MAX_SIDE;
    sides.contains(&width) && sides.contains(&height) && width.max(height) <= 12 * width.min(height)
}

/// Searches an encoded image.
pub(super) fn image(bytes: &[u8], found_in: &str, notes: &mut Notes<'_>) {
    if bytes.len() > MAX_SIZE {
        return;
    }
    let reader = || ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok();
    let Some((width, height)) = reader().and_then(|reader| reader.into_dimensions().ok()) else {
        return;
    };
    let (width, height) = (width as usize, height as usize);
    if !is_plausible(width, height) || !notes.take_pixels(width * height) {
        return;
    }
    let decoded = reader().and_then(|mut reader| {
        let mut limits = Limits::default();
        limits.max_alloc = Some(MAX_MEMORY);
        reader.limits(limits);
        reader.decode().ok()
    });
    if let Some(decoded) = decoded {
        let pixels = Pixels::of(decoded);
        search(width, height, |x, y| pixels.grey(y * width + x), found_in, notes);
    }
}

/// Searches an image that `grey` tells pixel by pixel, 0 for black.
pub(super) fn grey(
    width: usize,
    height: usize,
    grey: impl Fn(usize, usize) -> u8,
    found_in: &str,
    notes: &mut Notes<'_>,
) {
    if is_plausible(width, height) && notes.take_pixels(width * height) {
        search(width, height, grey, found_in, notes);
    }
}

/// An image as it was decoded: most of a large one is never looked at, so its pixels (of 8 bits a sample) are converted when they are.
struct Pixels {
    samples: Vec<u8>,
    /// How many samples a pixel has: 1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha.
    width: usize,
}

impl Pixels {
    fn of(image: DynamicImage) -> Self {
        let (samples, width) = match image {
            DynamicImage::ImageLuma8(image) => (image.into_raw(), 1),
            DynamicImage::ImageLumaA8(image) => (image.into_raw(), 2),
            DynamicImage::ImageRgb8(image) => (image.into_raw(), 3),
            other => (other.into_rgba8().into_raw(), 4),
        };
        Self { samples, width }
    }

    /// The brightness (ITU-R BT.709) of a pixel as it is shown on a white page, 0 for black.
    fn grey(&self, number: usize) -> u8 {
        let start = number * self.width;
        let (luma, alpha) = match self.samples.get(start..start + self.width) {
            Some([luma]) => (u32::from(*luma), 255),
            Some([luma, alpha]) => (u32::from(*luma), u32::from(*alpha)),
            Some([red, green, blue]) => (luma(*red, *green, *blue), 255),
            Some([red, green, blue, alpha]) => (luma(*red, *green, *blue), u32::from(*alpha)),
            _ => (255, 255),
        };
        u8::try_from((luma * alpha + 255 * (255 - alpha)) / 255).unwrap_or(255)
    }
}

fn luma(red: u8, green: u8, blue: u8) -> u32 {
    (2_126 * u32::from(red) + 7_152 * u32::from(green) + 722 * u32::from(blue)) / 10_000
}

fn search(
    width: usize,
    height: usize,
    grey: impl Fn(usize, usize) -> u8,
    found_in: &str,
    notes: &mut Notes<'_>,
) {
    let step = width.max(height).div_ceil(SEARCHED_SIDE);
    let bits = Bits::of(width / step, height / step, |x, y| grey(x * step, y * step));
    for dark in [true, false] {
        let corners = bits.corners(dark);
        if corners < 2 {
            continue;
        }
        if !notes.take_corners(corners) {
            return;
        }
        // The same black and white for rqrr, so that it sees no more corners than were counted here.
        let mut prepared =
            PreparedImage::prepare_from_bitmap(bits.width, bits.height, |x, y| bits.is_dark(x, y) == dark);
        for grid in prepared.detect_grids().iter().take(MAX_CODES) {
            if let Ok((_, content)) = grid.decode() {
                report(&content, found_in, notes);
            }
        }
    }
}

/// Adds what a code says.
fn report(content: &str, found_in: &str, notes: &mut Notes<'_>) {
    let content = content.trim();
    let lower = content.to_ascii_lowercase();
    let is_web = lower.starts_with("http:") || lower.starts_with("https:") || lower.starts_with("www.");
    let is_link = is_web
        || lower
            .split_once(':')
            .is_some_and(|(scheme, _)| LINKING.contains(&scheme));
    let seen = format!("{found_in}: {}", clipped(content, 200));
    if !is_link {
        notes.signal("content/qr-text", &seen);
        return;
    }
    notes.signal("content/qr-link", &seen);
    if LINKING.iter().skip(1).any(|scheme| lower.starts_with(scheme)) {
        notes.signal("content/qr-device-link", &seen);
    }
    notes.link(content, LinkRole::Click, found_in);
}

/// Schemes of codes that add a device to an account, or log in (`otpauth` first: it only adds a second factor).
const LINKING: &[&str] = &[
    "otpauth", "sgnl", "tg", "whatsapp", "line", "weixin", "fido", "wechat",
];

/// An image in black and white.
struct Bits {
    width: usize,
    height: usize,
    dark: Vec<bool>,
}

impl Bits {
    /// Splits the tones where they differ most (Otsu, 1979).
    fn of(width: usize, height: usize, grey: impl Fn(usize, usize) -> u8) -> Self {
        let mut tones = Vec::with_capacity(width * height);
        let mut counts = [0_u32; 256];
        for y in 0..height {
            for x in 0..width {
                let tone = grey(x, y);
                tones.push(tone);
                counts[usize::from(tone)] += 1;
            }
        }
        let limit = otsu(&counts);
        Self {
            width,
            height,
            dark: tones.into_iter().map(|tone| tone <= limit).collect(),
        }
    }

    fn is_dark(&self, x: usize, y: usize) -> bool {
        self.dark.get(y * self.width + x).copied().unwrap_or_default()
    }

    /// How many places look like the corner of a code whose outline is `dark` or light: in a row and in a column, five
    /// runs of 1 : 1 : 3 : 1 : 1. Rows that cross the same corner count once.
    fn corners(&self, dark: bool) -> usize {
        // Middle of a corner, half its width, and the row in which it was seen last.
        let mut corners: Vec<(usize, usize, usize)> = Vec::new();
        for y in 0..self.height {
            let row = self
                .dark
                .get(y * self.width..(y + 1) * self.width)
                .unwrap_or_default();
            each_corner(row, dark, |middle, half| {
                if !self.crosses(middle, y) {
                    return;
                }
                let same = |corner: &&mut (usize, usize, usize)| {
                    corner.0.abs_diff(middle) <= half && y - corner.2 <= 2
                };
                match corners.iter_mut().rev().take(RECENT).find(same) {
                    Some(corner) => corner.2 = y,
                    None => corners.push((middle, half, y)),
                }
            });
            if corners.len() > TOO_MANY {
                break;
            }
        }
        corners.len()
    }
}

impl Bits {
    /// Whether the column through `(x, y)` has the lengths of a corner, with this place in the middle run.
    fn crosses(&self, x: usize, y: usize) -> bool {
        let middle = self.is_dark(x, y);
        let above = self.outward((0..=y).rev(), x, middle);
        let below = self.outward(y..self.height, x, middle);
        let runs = [
            above[2],
            above[1],
            (above[0] + below[0]).saturating_sub(1),
            below[1],
            below[2],
        ];
        fits(&runs)
    }

    /// The lengths of the first three runs of a column, read along `rows`, of which the first has the colour `middle`.
    fn outward(&self, rows: impl Iterator<Item = usize>, x: usize, middle: bool) -> [usize; 3] {
        let mut runs = [0; 3];
        let mut at = 0;
        for y in rows {
            if self.is_dark(x, y) != (middle ^ (at == 1)) {
                at += 1;
            }
            match runs.get_mut(at) {
                Some(run) => *run += 1,
                None => break,
            }
        }
        runs
    }
}

/// Corners of which a row that crosses one is looked for.
const RECENT: usize = 64;
/// Corners after which nobody needs to count on.
const TOO_MANY: usize = 1_000;

/// The tone up to which it is dark: the one that splits `counts` into the two groups that differ most.
fn otsu(counts: &[u32; 256]) -> u8 {
    let total: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    let sum: f64 = (0..)
        .zip(counts)
        .map(|(tone, count)| f64::from(tone) * f64::from(*count))
        .sum();
    let (mut weight, mut below, mut best, mut limit) = (0.0, 0.0, 0.0, 127);
    for (tone, count) in (0_u8..=255).zip(counts) {
        weight += f64::from(*count);
        below += f64::from(tone) * f64::from(*count);
        if weight == 0.0 || weight == total {
            continue;
        }
        let difference = below / weight - (sum - below) / (total - weight);
        let variance = weight * (total - weight) * difference * difference;
        if variance > best {
            (best, limit) = (variance, tone);
        }
    }
    limit
}

/// Calls `found` with the middle and half the width of each place in `row` where five runs, the first of them `dark` or
/// light, have the lengths of a corner.
fn each_corner(row: &[bool], dark: bool, mut found: impl FnMut(usize, usize)) {
    let mut runs = [0_usize; 5];
    let mut colour = None;
    for (x, here) in row.iter().copied().map(Some).chain([None]).enumerate() {
        if here == colour {
            runs[4] += 1;
            continue;
        }
        if colour == Some(dark) && fits(&runs) {
            let half = runs.iter().sum::<usize>() / 2;
            found(x.saturating_sub(half), half);
        }
        runs.rotate_left(1);
        runs[4] = 1;
        colour = here;
    }
}

fn fits(runs: &[usize; 5]) -> bool {
    let total: usize = runs.iter().sum();
    if runs.contains(&0) || total < 7 {
        return false;
    }
    // In sevenths of the whole, each with half a module of tolerance.
    let near = |run: usize, modules: usize| (14 * run).abs_diff(2 * modules * total) <= total.max(14);
    let [first, second, third, fourth, fifth] = *runs;
    near(first, 1) && near(second, 1) && near(third, 3) && near(fourth, 1) && near(fifth, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_of_a_corner_is_known() {
        assert!(fits(&[1, 1, 3, 1, 1]));
        assert!(fits(&[4, 5, 13, 4, 4]));
        assert!(!fits(&[1, 1, 1, 1, 1]));
        assert!(!fits(&[0, 1, 3, 1, 1]));
        assert!(!fits(&[9, 1, 3, 1, 1]));
    }

    #[test]
    fn corners_are_counted_by_the_colour_of_their_outline() {
        let row: Vec<bool> = b"..##..######..##....".iter().map(|byte| *byte == b'#').collect();
        let mut seen = Vec::new();
        each_corner(&row, true, |middle, half| seen.push((middle, half)));
        assert_eq!(seen, [(9, 7)]);
        each_corner(&row, false, |_, _| panic!("nothing light"));
    }

    #[test]
    fn tones_are_split_between_their_groups() {
        let mut counts = [0; 256];
        counts[30] = 500;
        counts[200] = 700;
        assert!((30..200).contains(&otsu(&counts)));
        assert_eq!(otsu(&[0; 256]), 127);
    }
}
