//! Single messages.

use base64::Engine as _;
use blackrod_respond::{DefusePolicy, PersonalPart, defuse};

use super::{defused, single, text};

#[test]
fn nothing_of_what_loads_is_left() {
    for html in [
        "<img src=http://t.example/x.png?id=1 srcset='http://t.example/2x'>",
        "<IMG SRC='&#104;ttp://t.example/'>",
        "<picture><source srcset='http://t.example/a 1x, http://t.example/b 2x'><img src=//t.example/></picture>",
        "<link rel=dns-prefetch href=//t.example><link rel=stylesheet href=http://t.example/a.css>",
        "<meta http-equiv=refresh content='0;url=http://t.example/'>",
        "<base href=http://t.example/><img src=x>",
        "<style>@import 'http://t.example/';@font-face{src:url(http://t.example/f)}</style>",
        "<p style='background:u\\72l(http://t.example/)'>",
        "<p style='background&#58;url&lpar;http://t.example/&rpar;'>",
        "<svg><image href=http://t.example/></svg><svg><use xlink:href='http://t.example/#x'/></svg>",
        "<svg><style>@imp<!-- -->ort 'http://t.example/';</style></svg>",
        "<svg><style><![CDATA[@import 'http://t.example/';]]></style></svg>",
        "<svg><image><animate attributeName=href to=http://t.example/></image></svg>",
        "<!--[if mso]><v:fill src=http://t.example/><img src=http://t.example/><![endif]-->",
        "<noscript><img src=http://t.example/></noscript>",
        "<noscript><!--</noscript><p title=\"--><img src=http://t.example/>\">",
        "<iframe src=http://t.example/ srcdoc='<img src=http://t.example/>'></iframe>",
        "<object data=http://t.example/></object><embed src=http://t.example/>",
        "<object><param name=movie value=http://t.example/></object>",
        "<script>fetch('http://t.example/')</script><script src=http://t.example/></script>",
        "<svg><script>fetch('http://t.example/')</script></svg>",
        "<form action=http://t.example/><input type=image src=http://t.example/><button formaction=http://t.example/>",
        "<table background=http://t.example/><tr><td background=http://t.example/>",
        "<body background=http://t.example/ onload=fetch('http://t.example/')>",
        "<video poster=http://t.example/ autoplay><source src=http://t.example/><track src=http://t.example/></video><audio src=http://t.example/>",
        "<frameset><frame src=http://t.example/></frameset>",
        "<img attributionsrc=http://t.example/ src=cid:a>",
        "<html manifest=http://t.example/>",
        "<amp-img src=http://t.example/></amp-img>",
        "<?import namespace=x implementation=\"http://t.example/\">",
        "<select><option><img src=http://t.example/></select><select><table><img src=http://t.example/>",
        "<math><mtext><img src=http://t.example/></mtext></math>",
        "<x future='http://t.example/'>",
        "<a ping=http://t.example/>x</a>",
    ] {
        for kind in [
            "text/html; charset=utf-8",
            "text/html",
            "text/x-amp-html",
            "application/xhtml+xml",
        ] {
            let defused = defused(&single(kind, html));
            let left = text(&defused.bytes);
            let harmless = left
                .replace("[picture not loaded: t.example]", "")
                .replace("title=\"--&gt;<img src=http://t.example/>", "");
            let is_title = html.contains("title=");
            assert!(
                is_title || !harmless.contains("t.example"),
                "{kind} {html}\n{left}"
            );
            assert!(!defused.removed.is_empty(), "{html}");
            assert!(defused.changed);
        }
    }
}

#[test]
fn a_page_without_remote_content_is_left_byte_by_byte() {
    for body in [
        "<html><body style=\"color:red\"><p class=x>Hello &amp; <b>welcome</b><img src='cid:logo@x' alt=Logo></p>\r\n<!-- c --></body></html>",
        "<style>p{color:red}</style><table width=600 cellpadding=0><tr><td bgcolor=#ffffff>x",
        "<a href='mailto:a@b.example'>write</a><img src=\"data:image/png;base64,AAAA\">",
        "<!--[if mso]><table width=600><tr><td><![endif]-->x<!--[if mso]></td></tr></table><![endif]-->",
    ] {
        let message = single("text/html; charset=iso-8859-1", body);
        let defused = defused(&message);
        assert_eq!(text(&defused.bytes), text(&message));
        assert!(!defused.changed && defused.removed.is_empty());
    }
}

#[test]
fn only_the_part_that_changes_differs() {
    let page =
        base64::engine::general_purpose::STANDARD.encode("<p>h\u{e4}llo</p><img src=http://t.example/>");
    let message = format!(
        "From: a@a.example\nSubject: x\nContent-Type: multipart/mixed; boundary=b\n\npreamble\n--b\nContent-Type: text/plain\n\nodd  =20 text \n--b\nContent-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: base64\n\n{page}\n--b\nContent-Type: image/png\nContent-Transfer-Encoding: base64\n\nAAAA\n--b--\nepilogue\n"
    );
    let defused = defused(message.as_bytes());
    let after = text(&defused.bytes);
    let (head, rest) = message.split_once(&page).unwrap();
    assert!(after.starts_with(head) && after.ends_with(rest), "{after}");
    let body = after.strip_prefix(head).unwrap().strip_suffix(rest).unwrap();
    let page = base64::engine::general_purpose::STANDARD.decode(body).unwrap();
    assert_eq!(
        text(&page),
        "<p>h\u{e4}llo</p><img alt=\"[picture not loaded: t.example]\">"
    );
    assert_eq!(
        defused
            .removed
            .first()
            .map(|one| (one.part.as_str(), one.what.as_str())),
        Some(("2", "img"))
    );
}

#[test]
fn charsets_and_encodings_survive() {
    let latin = b"Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>gr=FC=DFe =\r\nx</p><img src=3D\"http://t.example/\" alt=3D\"\">\r\n";
    assert_eq!(
        text(&defused(latin).bytes),
        "Content-Type: text/html; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<p>gr=FC=DFe x</p><img alt=3D\"\">\r\n"
    );
    let (japanese, _, _) = encoding_rs::ISO_2022_JP.encode("<p>日本語</p><img src=http://t.example/ alt=''>");
    let mut message = b"Content-Type: text/html; charset=ISO-2022-JP\r\n\r\n".to_vec();
    message.extend_from_slice(&japanese);
    let after = defused(&message).bytes;
    let (decoded, _, _) = encoding_rs::ISO_2022_JP.decode(&after);
    assert!(
        decoded.ends_with("<p>日本語</p><img alt=\"\">") || decoded.ends_with("<p>日本語</p><img alt=''>"),
        "{decoded}"
    );
    let utf7 = single(
        "text/html; charset=utf-7",
        "+ADw-img src=http://t.example/+AD4-text",
    );
    let after = text(&defused(&utf7).bytes);
    assert!(
        after.contains("charset=\"utf-8\"") && after.contains("text") && !after.contains("src="),
        "{after}"
    );
}

#[test]
fn links_stay_and_say_where_they_lead() {
    let message = single(
        "text/html",
        "<a href='https://evil.example.net/login?u=4711&v=1'>www.bank.com</a>",
    );
    let after = text(&defused(&message).bytes);
    assert!(after.ends_with("<a href='https://evil.example.net/login?u=4711&v=1' title=\"Leads to https://evil.example.net/login?u=4711&amp;v=1\">www.bank.com [leads to evil.example.net]</a>"), "{after}");
    let policy = DefusePolicy {
        personal: vec![PersonalPart {
            host: "example.net".into(),
            place: "query u".into(),
        }],
        show_destinations: false,
        ..DefusePolicy::default()
    };
    let after = text(&defuse(&message, &policy).unwrap().bytes);
    assert!(
        after.contains("<a href=\"https://evil.example.net/login?v=1\">"),
        "{after}"
    );
    let plain = single("text/plain", "see https://x.example.net/?u=1&w=2 \r\nbye\r\n");
    assert!(
        text(&defuse(&plain, &policy).unwrap().bytes).ends_with("see https://x.example.net/?w=2 \r\nbye\r\n")
    );
    let warned = DefusePolicy {
        click_warning: Some("https://warn.parliament.example/?to=".into()),
        ..DefusePolicy::default()
    };
    let once = defuse(&message, &warned).unwrap();
    assert!(text(&once.bytes).contains("href=\"https://warn.parliament.example/?to=https%3A%2F%2Fevil"));
    assert_eq!(
        text(&defuse(&once.bytes, &warned).unwrap().bytes),
        text(&once.bytes)
    );
}

#[test]
fn receipts_and_attachments_are_disarmed() {
    let message = "From: a@a.example\r\nDisposition-Notification-To:\r\n a@a.example\r\nReturn-Receipt-To: a@a.example\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\nContent-Type: image/svg+xml; name=\"a.svg\"\r\nContent-Disposition: attachment; filename=\"a.svg\"\r\nContent-Transfer-Encoding: base64\r\n\r\nPHN2Zz4=\r\n--b\r\nContent-Type: message/external-body; access-type=URL; URL=\"http://t.example/\"\r\n\r\nContent-Type: text/html\r\n\r\n--b--\r\n";
    let after = text(&defused(message.as_bytes()).bytes);
    assert!(
        !after.contains("Notification") && !after.contains("Receipt") && !after.contains("t.example"),
        "{after}"
    );
    assert!(after.contains("Content-Type: text/plain; charset=\"utf-8\"; name=\"a.svg.txt\"\r\nContent-Disposition: attachment; filename=\"a.svg.txt\"\r\nContent-Transfer-Encoding: base64\r\n\r\nPHN2Zz4="), "{after}");
}

#[test]
fn what_is_signed_is_left_and_listed_but_not_what_only_says_so() {
    let signed = |signature: &str| {
        format!(
            "Content-Type: multipart/signed; boundary=b; protocol=\"application/pgp-signature\"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<img src=http://t.example/>\r\n--b\r\nContent-Type: {signature}\r\n\r\nxx\r\n--b--\r\n"
        )
    };
    let genuine = signed("application/pgp-signature");
    let left = defused(genuine.as_bytes());
    assert_eq!(text(&left.bytes), genuine);
    assert_eq!(left.untouched.len(), 1);
    assert!(!text(&defused(signed("text/plain").as_bytes()).bytes).contains("src="));
}

#[test]
fn what_can_be_read_in_two_ways_is_made_to_be_read_in_one() {
    let doubled = b"Content-Type: text/plain\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\n<img src=http://t.example/>";
    let after = text(&defused(doubled).bytes);
    assert_eq!(after.matches("Content-Type").count(), 1, "{after}");
    assert!(after.contains("Content-Transfer-Encoding: 8bit"), "{after}");
    assert!(after.contains("text/plain") || !after.contains("src="), "{after}");
}

#[test]
fn a_boundary_within_a_line_hides_nothing() {
    let message = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x--b\r\nContent-Type: text/plain\r\n\r\n<img src=http://t.example/>\r\n--b--\r\n";
    let after = text(&defused(message).bytes);
    assert!(
        after.contains("<p>x\r\n--b\r\nContent-Type: text/plain"),
        "{after}"
    );
    assert!(!defused(after.as_bytes()).changed);
}
