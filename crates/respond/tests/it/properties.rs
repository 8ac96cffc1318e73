//! What holds for every message.

use mail_parser::{MessageParser, MimeHeaders as _, PartType};
use proptest::prelude::*;

use super::defused;

/// Pieces that pages are made of, harmless and not.
const PIECES: [&str; 34] = [
    "text ",
    "<p>",
    "</p>",
    "<img src=http://t.example/1>",
    "<img src=cid:a>",
    "<a href=http://x.example/?u=1>",
    "</a>",
    "<style>",
    "</style>",
    "@import 'http://t.example/';",
    "p{background:url(http://t.example/)}",
    "<!--",
    "-->",
    "<!--[if mso]>",
    "<![endif]-->",
    "<svg>",
    "</svg>",
    "<script>",
    "</script>",
    "<noscript>",
    "</noscript>",
    "<select>",
    "<table>",
    "<textarea>",
    "\"",
    "'",
    "<",
    ">",
    "&quot;",
    "\r\n--b",
    "\r\n",
    "\u{e4}",
    "<p style=\"background:url(x)\">",
    "<template>",
];

fn page() -> impl Strategy<Value = String> {
    proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..24).prop_map(|pieces| pieces.concat())
}

fn message() -> impl Strategy<Value = Vec<u8>> {
    const KINDS: [&str; 6] = [
        "text/html",
        "text/html; charset=utf-8",
        "text/plain",
        "text/calendar",
        "application/octet-stream; name=a.svg",
        "text/x-amp-html",
    ];
    let part = (proptest::sample::select(&KINDS[..]), 0..3usize, page());
    proptest::collection::vec(part, 1..4).prop_map(|parts| {
        let mut message = b"From: a@a.example\r\nReturn-Receipt-To: x\r\nContent-Type: multipart/mixed; boundary=boundary7\r\n\r\n".to_vec();
        for (kind, encoding, page) in parts {
            let (encoding, body) = match encoding {
                0 => ("8bit", page.into_bytes()),
                1 => ("base64", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, page).into_bytes()),
                _ => ("quoted-printable", page.replace('=', "=3D").into_bytes()),
            };
            message.extend_from_slice(format!("--boundary7\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n").as_bytes());
            message.extend_from_slice(&body);
            message.extend_from_slice(b"\r\n");
        }
        message.extend_from_slice(b"--boundary7--\r\n");
        message
    })
}

/// Type and raw bytes of each leaf.
fn leaves(raw: &[u8]) -> Vec<(String, Vec<u8>)> {
    let message = MessageParser::new().parse(raw).unwrap();
    let leaf = |part: &&mail_parser::MessagePart<'_>| !matches!(part.body, PartType::Multipart(_));
    let bytes = |part: &mail_parser::MessagePart<'_>| {
        let kind = part
            .content_type()
            .map(|kind| format!("{}/{:?}", kind.ctype(), kind.subtype()));
        (
            kind.unwrap_or_default(),
            raw.get(part.offset_header as usize..part.offset_end as usize)
                .unwrap()
                .to_vec(),
        )
    };
    message.parts.iter().filter(leaf).map(bytes).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn defusing_twice_is_defusing_once(message in message()) {
        let once = defused(&message);
        let twice = defused(&once.bytes);
        prop_assert_eq!(String::from_utf8_lossy(&twice.bytes), String::from_utf8_lossy(&once.bytes));
        prop_assert_eq!(once.changed, once.bytes != message);
    }

    #[test]
    fn parts_stay_and_those_without_anything_removed_stay_byte_by_byte(message in message()) {
        let once = defused(&message);
        let (before, after) = (leaves(&message), leaves(&once.bytes));
        prop_assert_eq!(before.len(), after.len());
        for (n, (old, new)) in before.iter().zip(&after).enumerate() {
            let is_touched = once.removed.iter().any(|one| one.part == (n + 1).to_string());
            // A link that gained its destination is not in the list of what was removed.
            let has_link = String::from_utf8_lossy(&old.1).contains("href") || old.0.contains("html");
            prop_assert!(is_touched || has_link || old.1 == new.1);
        }
    }

    #[test]
    fn no_input_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), head in "(Content-Type: (text/html|multipart/mixed; boundary=a)\r\n)?\r\n") {
        let mut message = head.into_bytes();
        message.extend_from_slice(&bytes);
        let _ = blackrod_respond::defuse(&message, &blackrod_respond::DefusePolicy::default());
    }
}
