//! Files that come with messages.

use std::fmt::Write as _;

use crate::date;
use crate::mail::Mail;
use crate::mailing::Attached;
use crate::random::{Draw as _, Random, mix};
use crate::url::noise;

/// A file.
pub(crate) struct File {
    pub(crate) name: String,
    pub(crate) content_type: &'static str,
    /// What the facts call it.
    pub(crate) kind: &'static str,
    pub(crate) content: Vec<u8>,
}

/// The file that comes with `mail`; the same for all messages of a mailing.
pub(crate) fn attachment(attached: Attached, mail: &Mail) -> File {
    let key = mail.mailing.key;
    let mut random = Random::with_seed(mix(key, &[50]));
    let word = random.word(&[
        "report",
        "agenda",
        "minutes",
        "programme",
        "statement",
        "figures",
        "letter",
        "draft",
    ]);
    let number = random.usize(1..400);
    let (ending, content_type, kind, content) = match attached {
        Attached::Pdf => (
            "pdf",
            "application/pdf",
            "pdf",
            pdf(key, random.usize(600..3_000)),
        ),
        Attached::Invitation => ("ics", "text/calendar", "ics", invitation(mail).into_bytes()),
        Attached::Picture => ("gif", "image/gif", "gif", picture(key, random.usize(500..3_000))),
        Attached::Table => {
            let mut table = String::from("number;place;amount\n");
            for row in 0..random.usize(10..60) {
                let _ = writeln!(
                    table,
                    "{row};{};{}",
                    noise(mix(key, &[row as u64]), 6),
                    random.usize(1..90_000)
                );
            }
            ("csv", "text/csv", "csv", table.into_bytes())
        }
    };
    File {
        name: format!("{word}-{number}.{ending}"),
        content_type,
        kind,
        content,
    }
}

/// The logo of a sender.
pub(crate) fn logo(sender: u64) -> Vec<u8> {
    picture(sender, 300)
}

/// A GIF of one pixel with a comment of about `size` bytes.
fn picture(key: u64, size: usize) -> Vec<u8> {
    let mut content = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff\x21\xfe".to_vec();
    for chunk in noise(key, size * 3 / 4).as_bytes().chunks(255) {
        content.push(chunk.len() as u8);
        content.extend_from_slice(chunk);
    }
    content.extend_from_slice(b"\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00\x3b");
    content
}

/// A PDF of one empty page with a comment of `size` characters.
fn pdf(key: u64, size: usize) -> Vec<u8> {
    let mut content = String::from(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>endobj\n%",
    );
    content.push_str(&noise(key, size * 3 / 4));
    content.push_str("\ntrailer<</Root 1 0 R>>\n%%EOF\n");
    content.into_bytes()
}

fn invitation(mail: &Mail) -> String {
    let begins = date::compact(mail.seconds() + 3 * 86_400);
    let begins = format!("{}T{}Z", &begins[..8], &begins[8..]);
    format!(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Invented//Calendar//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\n\
         UID:{:x}@{}\r\nDTSTAMP:{begins}\r\nDTSTART:{begins}\r\nSUMMARY:{}\r\nORGANIZER:mailto:{}\r\nEND:VEVENT\r\n\
         END:VCALENDAR\r\n",
        mail.mailing.key,
        mail.mailing.sender.domain(),
        mail.body.subject,
        mail.mailing.sender.address
    )
}
