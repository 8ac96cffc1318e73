//! Texts as plain text and as HTML.

use blackrod_model::mail::hash;

use crate::body::{Filling, Piece, Section};
use crate::mailing::Mailing;
use crate::random::{Draw as _, Random, mix};
use crate::sender::Design;

const LINE: usize = 74;

/// The plain text.
pub(crate) fn text(mailing: &Mailing, filling: &Filling, quoted: Option<&str>) -> Vec<Piece> {
    let extras = mailing.extras();
    let mut page = Pieces::default();
    if let Some(greeting) = filling.greeting {
        page.text(greeting);
        if extras.personal {
            page.text(" ");
            page.piece(Piece::Name);
        }
        page.text(",\n\n");
    }
    let mut links = 0;
    for section in &filling.sections {
        if !section.headline.is_empty() {
            page.wrapped(&section.headline, "");
            page.text("\n");
        }
        for paragraph in &section.paragraphs {
            page.wrapped(paragraph, "");
            page.text("\n");
        }
        if !section.headline.is_empty() && has_links(mailing) {
            page.piece(Piece::Link(links));
            page.text("\n\n");
            links += 1;
        }
    }
    for number in 0..extras.links as u64 {
        page.piece(Piece::Link(links + number));
        page.text("\n\n");
    }
    for line in &filling.signature {
        page.text(line);
        page.text("\n");
    }
    if has_unsubscribe(mailing) {
        page.text("\nUnsubscribe: ");
        page.piece(Piece::Unsubscribe);
        page.text("\n");
    }
    if let Some(quoted) = quoted {
        page.text("\nEarlier it was said:\n");
        page.wrapped(quoted, "> ");
    }
    page.pieces
}

/// The HTML, and a name for the sequence of its elements.
pub(crate) fn html(mailing: &Mailing, filling: &Filling, quoted: Option<&str>) -> (Vec<Piece>, u64) {
    let mut page = Pieces::default();
    match mailing.sender.design {
        Design::Styled(seed) => styled(mailing, filling, seed, &mut page),
        design => note(mailing, filling, quoted, design == Design::Bare, &mut page),
    }
    let mut elements = String::new();
    for piece in &page.pieces {
        if let Piece::Text(text) = piece {
            for element in text.split('<').skip(1) {
                elements.push_str(element.split([' ', '>']).next().unwrap_or_default());
                elements.push(' ');
            }
        }
    }
    (page.pieces, hash(&elements))
}

/// A letter as desk programs and scripts write it.
fn note(mailing: &Mailing, filling: &Filling, quoted: Option<&str>, is_bare: bool, page: &mut Pieces) {
    let extras = mailing.extras();
    let habit = mailing.sender.key;
    let (open, close) = match (is_bare, habit % 3) {
        (true, _) => ("<p>", "</p>\n"),
        (_, 0) => ("<div>", "</div>\n<div><br></div>\n"),
        (_, 1) => (
            "<p class=\"MsoNormal\">",
            "</p>\n<p class=\"MsoNormal\">&nbsp;</p>\n",
        ),
        _ => ("<p>", "</p>\n"),
    };
    match (is_bare, habit % 3) {
        (true, _) => page.text("<html><body>\n"),
        (_, 1) => page.text(
            "<html xmlns:o=\"urn:schemas-invented:office\">\n<head>\n<style><!--\np.MsoNormal\n\t{margin:0cm;font-size:11.0pt;font-family:\"Calibri\",sans-serif;}\n--></style>\n</head>\n<body lang=\"EN-GB\">\n<div class=\"WordSection1\">\n",
        ),
        _ => page.text("<html>\n<head></head>\n<body>\n<div dir=\"ltr\">\n"),
    }
    if let Some(greeting) = filling.greeting {
        page.text(open);
        page.text(greeting);
        if extras.personal {
            page.text(" ");
            page.piece(Piece::Name);
        }
        page.text(",");
        page.text(close);
    }
    let mut links = 0;
    for section in &filling.sections {
        if !section.headline.is_empty() {
            page.text("<h2>");
            page.escaped(&section.headline);
            page.text("</h2>\n");
            if is_headline_image(mailing) {
                page.open(mailing, links);
            }
        }
        for paragraph in &section.paragraphs {
            page.text(open);
            page.escaped(paragraph);
            page.text(close);
        }
        if !section.headline.is_empty() && has_links(mailing) {
            page.link(links, "Read the full article");
            links += 1;
        }
    }
    for number in 0..extras.links as u64 {
        page.link(links + number, &mailing.sender.web);
    }
    for picture in 0..extras.pictures as u64 {
        page.text("<img src=\"");
        page.piece(Piece::Picture(picture));
        page.text("\" width=\"480\" alt=\"\">\n");
    }
    page.text(open);
    for line in &filling.signature {
        page.escaped(line);
        page.text("<br>\n");
    }
    page.text(close);
    if extras.logo {
        page.text("<img width=\"120\" height=\"40\" src=\"");
        page.piece(Piece::Inline(0));
        page.text("\">\n");
    }
    if has_unsubscribe(mailing) {
        page.text("<p><a href=\"");
        page.piece(Piece::Unsubscribe);
        page.text("\">unsubscribe</a></p>\n");
    }
    if let Some(quoted) = quoted {
        page.text("<blockquote type=\"cite\">\n");
        page.escaped(quoted);
        page.text("\n</blockquote>\n");
    }
    if has_open(mailing) && !is_headline_image(mailing) {
        page.open(mailing, 0);
    }
    page.text(if is_bare {
        "</body></html>\n"
    } else {
        "</div>\n</body>\n</html>\n"
    });
}

/// A page of tables with pictures and buttons; `seed` makes its shape.
fn styled(mailing: &Mailing, filling: &Filling, seed: u64, page: &mut Pieces) {
    let mut random = Random::with_seed(mix(seed, &[7]));
    let extras = mailing.extras();
    let width = *random.pick(&[560, 580, 600, 620, 640]);
    let colour = format!("#{:06x}", random.u32(..) & 0x7f_7f7f);
    let font = random.word(&[
        "Arial,Helvetica,sans-serif",
        "Georgia,serif",
        "Verdana,sans-serif",
        "'Helvetica Neue',Arial",
    ]);
    let has_preheader = random.bool();
    let has_menu = random.chance(0.4);
    let has_rules = random.bool();
    let has_button = random.bool();
    let open_first = random.chance(0.3);
    let nesting = random.usize(1..4);
    let cell = format!(
        "padding:{}px;font-family:{font};font-size:{}px;color:#222222",
        random.usize(8..28),
        random.usize(13..18)
    );
    page.text("<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title></title>\n<style>\nbody{margin:0;padding:0;background:#f4f4f4}\n");
    page.text(&format!("a{{color:{colour}}}\n.c{{max-width:{width}px}}\n@media (max-width:{width}px){{.c{{width:100%!important}}}}\n</style>\n</head>\n<body>\n"));
    if open_first && has_open(mailing) && !is_headline_image(mailing) {
        page.open(mailing, 0);
    }
    if has_preheader {
        page.text("<div style=\"display:none;max-height:0;overflow:hidden\">");
        if let Some(section) = filling.sections.first() {
            page.escaped(&section.headline);
        }
        page.text("</div>\n");
    }
    for _ in 0..nesting {
        page.text("<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\"><tr><td align=\"center\">\n");
    }
    page.text(&format!(
        "<table class=\"c\" role=\"presentation\" width=\"{width}\" bgcolor=\"#ffffff\">\n"
    ));
    page.text(&format!(
        "<tr><td style=\"background:{colour};padding:16px\"><img src=\""
    ));
    if extras.logo {
        page.piece(Piece::Inline(0))
    } else {
        page.piece(Piece::Picture(100))
    }
    page.text("\" width=\"160\" alt=\"\" style=\"display:block\"></td></tr>\n");
    let mut links = 0;
    if has_menu && has_links(mailing) {
        page.text("<tr><td>");
        for label in ["News", "Events", "About"] {
            page.text("<a href=\"");
            page.piece(Piece::Link(200 + links));
            page.text(&format!("\">{label}</a> | "));
            links += 1;
        }
        page.text("</td></tr>\n");
    }
    links = 0;
    if let Some(greeting) = filling.greeting.filter(|_| extras.personal) {
        page.text(&format!("<tr><td style=\"{cell}\">{greeting} "));
        page.piece(Piece::Name);
        page.text(",</td></tr>\n");
    }
    for (number, section) in filling.sections.iter().enumerate() {
        section_of(mailing, section, number as u64, &cell, has_button, page);
        links += 1;
        if has_rules {
            page.text("<tr><td><hr></td></tr>\n");
        }
    }
    for picture in 0..extras.pictures as u64 {
        page.text("<tr><td><img src=\"");
        page.piece(Piece::Picture(picture + 1));
        page.text(&format!("\" width=\"{width}\" alt=\"\"></td></tr>\n"));
    }
    for number in 0..extras.links as u64 {
        page.text(&format!("<tr><td style=\"{cell}\">"));
        page.link(links + number, "More");
        page.text("</td></tr>\n");
    }
    page.text(&format!("<tr><td style=\"{cell};font-size:11px;color:#888888\">"));
    for line in &filling.signature {
        page.escaped(line);
        page.text("<br>\n");
    }
    if has_unsubscribe(mailing) {
        page.text("This message was sent to ");
        page.piece(Piece::Address);
        page.text(". <a href=\"");
        page.piece(Piece::Unsubscribe);
        page.text("\">Unsubscribe</a>");
    }
    page.text("</td></tr>\n</table>\n");
    for _ in 0..nesting {
        page.text("</td></tr></table>\n");
    }
    if !open_first && has_open(mailing) && !is_headline_image(mailing) {
        page.open(mailing, 0);
    }
    page.text("</body>\n</html>\n");
}

fn section_of(
    mailing: &Mailing,
    section: &Section,
    number: u64,
    cell: &str,
    has_button: bool,
    page: &mut Pieces,
) {
    page.text(&format!("<tr><td style=\"{cell}\">"));
    if !section.headline.is_empty() {
        page.text("<h2 style=\"margin:0 0 12px 0\">");
        page.escaped(&section.headline);
        page.text("</h2>\n");
        if is_headline_image(mailing) && number == 0 {
            page.open(mailing, number);
        }
    }
    for paragraph in &section.paragraphs {
        page.text("<p style=\"margin:0 0 12px 0\">");
        page.escaped(paragraph);
        page.text("</p>\n");
    }
    if has_links(mailing) && !section.headline.is_empty() {
        if has_button {
            page.text("<table role=\"presentation\"><tr><td style=\"border-radius:4px;padding:8px 16px\">");
        }
        page.link(number, "Read more");
        if has_button {
            page.text("</td></tr></table>\n");
        }
    }
    page.text("</td></tr>\n");
}

/// Texts lead somewhere where their sender has a web site or counts clicks.
fn has_links(mailing: &Mailing) -> bool {
    !mailing.sender.web.is_empty()
}

fn has_open(mailing: &Mailing) -> bool {
    mailing
        .sender
        .tracker
        .as_ref()
        .is_some_and(|tracker| tracker.open.is_some())
}

fn is_headline_image(mailing: &Mailing) -> bool {
    let shows =
        |tracker: &std::sync::Arc<crate::url::Tracker>| tracker.headline_image && tracker.open.is_some();
    mailing.sender.tracker.as_ref().is_some_and(shows)
}

/// Whether what is loaded on opening cannot be seen.
pub(crate) fn is_open_hidden(mailing: &Mailing) -> bool {
    !is_headline_image(mailing) && mailing.sender.key % 5 != 4
}

fn has_unsubscribe(mailing: &Mailing) -> bool {
    let leaves = mailing.sender.bulk.as_ref().is_some_and(|bulk| bulk.unsubscribe);
    leaves && mailing.sender.tracker.is_some()
}

#[derive(Default)]
struct Pieces {
    pieces: Vec<Piece>,
}

impl Pieces {
    fn text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    fn piece(&mut self, piece: Piece) {
        self.pieces.push(piece);
    }

    fn escaped(&mut self, text: &str) {
        if text.contains(['&', '<', '>']) {
            let text = text
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;");
            return self.text(&text);
        }
        self.text(text);
    }

    fn link(&mut self, number: u64, label: &str) {
        self.text("<a href=\"");
        self.piece(Piece::Link(number));
        self.text("\">");
        self.escaped(label);
        self.text("</a>\n");
    }

    /// What reports that the message was opened: a headline picture, or one pixel in one of the usual ways.
    fn open(&mut self, mailing: &Mailing, number: u64) {
        let (before, after) = match (is_headline_image(mailing), mailing.sender.key % 5) {
            (true, _) if number > 0 => return,
            (true, _) => (
                "<img src=\"",
                "\" width=\"560\" alt=\"\" style=\"display:block\"><br>\n",
            ),
            (_, 0) => ("<img src=\"", "\" width=\"1\" height=\"1\" alt=\"\">\n"),
            (_, 1) => ("<img alt=\"\" style=\"display:none\" src=\"", "\">\n"),
            (_, 2) => (
                "<img src=\"",
                "\" height=\"1\" width=\"1\" border=\"0\" style=\"width:1px;height:1px\"/>\n",
            ),
            (_, 3) => ("<div style=\"display:none\"><img src=\"", "\"></div>\n"),
            _ => ("<img src=\"", "\" alt=\"\">\n"),
        };
        self.text(before);
        self.piece(Piece::Open);
        self.text(after);
    }

    /// Lines of at most [`LINE`] characters, each after `mark`.
    fn wrapped(&mut self, text: &str, mark: &str) {
        let mut line = String::from(mark);
        for word in text.split(' ') {
            if line.len() + word.len() > LINE {
                line.truncate(line.trim_end().len());
                line.push('\n');
                self.text(&line);
                line.clear();
                line.push_str(mark);
            }
            line.push_str(word);
            line.push(' ');
        }
        line.truncate(line.trim_end().len());
        line.push('\n');
        self.text(&line);
    }
}
