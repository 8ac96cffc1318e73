#![allow(clippy::unwrap_used)]

use super::*;

fn loaded(html: &str) -> Vec<(String, &'static str)> {
    let page = Page::walk(html);
    page.resources
        .into_iter()
        .map(|one| (one.url, one.found_in))
        .collect()
}

fn urls(html: &str) -> Vec<String> {
    loaded(html).into_iter().map(|(url, _)| url).collect()
}

#[test]
fn everything_that_a_client_loads_is_found() {
    let ways = [
        ("<img src='U'>", "img"),
        ("<IMG/SRC=U>", "img"),
        ("<img src='U", ""),
        ("<image src=U>", "img"),
        ("<img srcset='data:image/gif;base64,R0 1x, U 2x'>", "srcset"),
        ("<picture><source srcset='U'></picture>", "srcset"),
        ("<p style='background:url(U)'>", "css url"),
        ("<p style='background:u\\72l(\"U\")'>", "css url"),
        ("<p style='background:image-set(\"U\" 1x)'>", "css url"),
        ("<style>@import 'U';</style>", "css import"),
        ("<style>/* ' */@import/**/url(U);</style>", "css import"),
        (
            "<style>@font-face{font-family:x;src:url('U')}</style>",
            "css font",
        ),
        (
            "<style>p{filter:progid:DXImageTransform.Microsoft.AlphaImageLoader(src='U')}</style>",
            "css url",
        ),
        ("<table><tr><td background=U>", "background"),
        ("<link rel='shortcut icon' href=U>", "link"),
        ("<link rel=dns-prefetch href=U>", "link"),
        ("<video poster=U>", "poster"),
        ("<audio><source src=U>", "media"),
        ("<svg><image xlink:href='U'/></svg>", "svg image"),
        ("<svg><use href='U'/></svg>", "svg use"),
        ("<svg><rect fill='url(U)'/></svg>", "css url"),
        ("<svg><style><img src=U></style></svg>", "img"),
        ("<svg><image><set attributeName=href to=U></svg>", "svg image"),
        ("<!--[if mso]><v:fill src='U' type=frame /><![endif]-->", "vml"),
        ("<!--[if gte mso 9]><v:imagedata src=U /><![endif]-->", "vml"),
        ("<!--[if !mso]><!--><img src=U><!--<![endif]-->", "img"),
        ("<noscript><img src=U></noscript>", "img"),
        ("<iframe src=U></iframe>", "iframe"),
        ("<iframe srcdoc='<img src=U>'></iframe>", "img"),
        ("<object data=U>", "object"),
        ("<object><param name=movie value=U>", "object"),
        ("<embed src=U>", "embed"),
        ("<input type=image src=U>", "input image"),
        ("<amp-img src=U>", "amp"),
        ("<amp-pixel src=U>", "amp"),
        ("<meta http-equiv=refresh content=\"0; url='U'\">", "meta refresh"),
        ("<script src=U></script>", "script"),
        ("<whatever src=U>", "src"),
    ];
    for (html, found_in) in ways {
        let html = html.replace('U', "https://t.example/p?a=1&amp;b=2");
        let expected: Vec<(String, &str)> = match found_in {
            "" => Vec::new(),
            found_in => vec![("https://t.example/p?a=1&b=2".to_owned(), found_in)],
        };
        // Style sheets and scripts hold no character references.
        let found: Vec<_> = loaded(&html)
            .into_iter()
            .map(|(url, found_in)| (url.replace("&amp;", "&"), found_in))
            .collect();
        assert_eq!(found, expected, "{html}");
    }
}

#[test]
fn what_loads_nothing_is_left_out() {
    for html in [
        "<!-- <img src=https://t.example/> -->",
        "<img src='data:image/png;base64,AAAA'>",
        "<svg><use href='#shape'/></svg>",
        "<textarea><img src=https://t.example/></textarea>",
        "<link rel=canonical href=https://t.example/>",
        "<style>@namespace url(https://t.example/);/* url(https://t.example/) */ a{content:'url(https://t.example/)'}</style>",
        "<p style='background:u/**/rl(https://t.example/)'>",
        "<a href=https://t.example/>x</a>",
    ] {
        assert_eq!(urls(html), [""; 0], "{html}");
    }
}

#[test]
fn relative_urls_are_seen_against_the_base() {
    let html = "<base href='https://t.example/a/'><base href=https://other.example/><img src=o.gif><a href='/x'>x</a>";
    let page = Page::walk(html);
    assert_eq!(page.resources[0].url, "https://t.example/a/o.gif");
    assert_eq!(page.anchors[0].url, "https://t.example/x");
}

#[test]
fn what_cannot_be_seen_is_marked() {
    for html in [
        "<img src=x width=1 height=1>",
        "<img src=x width=1px height='1px'>",
        "<img src=x style='width:1px;height:1px'>",
        "<img src=x height=0>",
        "<img src=x style='DISPLAY : NONE !important'>",
        "<div style='display:none'><p><img src=x></p></div>",
        "<div hidden><img src=x></div>",
        "<style>.o, p{visibility:hidden}</style><img class='a o' src=x>",
        "<img src=x style='position:absolute;left:-9999px'>",
        "<div style='max-height:0;overflow:hidden'><img src=x></div>",
        "<img src=x style='opacity:0'>",
    ] {
        assert!(Page::walk(html).resources[0].hidden, "{html}");
    }
    for html in [
        "<img src=x>",
        "<img src=x width=1 height=20>",
        "<img src=x width=100% style='height:auto'>",
        "<style>@media print{.o{display:none}}</style><img class=o src=x>",
        "<table><tr><td style='display:none'>a<td><img src=x></table>",
        "<div style='display:none'></div><img src=x>",
    ] {
        assert!(!Page::walk(html).resources[0].hidden, "{html}");
    }
    assert_eq!(
        Page::walk("<img src=x width=600 style='height:20pt'>").resources[0].size,
        Some((600, 27))
    );
}

#[test]
fn text_is_what_a_reader_sees() {
    let page = Page::walk(
        "<title>News &amp; views</title><style>p{}</style><div style='display:none'>secret words</div>\
         <p>Dear&nbsp;Anna,<br>the <b>vote</b></p><p>is\n  near</p><span style='font-size:0'>zz</span>\
         <span style='color:#fff;background:white'>yy</span><script>var x = 1;</script> Pay\u{200b}Pal",
    );
    assert_eq!(page.title, "News & views");
    assert_eq!(page.text, "Dear Anna, the vote is near PayPal");
    assert_eq!(page.hidden_characters, 15);
    assert_eq!(page.zero_width, 1);
    assert_eq!(page.scripts, ["var x = 1;"]);
}

#[test]
fn links_have_the_text_that_is_shown_for_them() {
    let page = Page::walk(
        "<a href='https://a.example/?x=1&amp;y=2'><b>www.bank</b>.example</a> <a href=/b><img alt='Sign in' src=x></a><a name=t>z</a>\
         <map><area href=https://c.example/></map>",
    );
    let anchors: Vec<_> = page
        .anchors
        .iter()
        .map(|one| (one.url.as_str(), one.text.as_str()))
        .collect();
    assert_eq!(
        anchors,
        [
            ("https://a.example/?x=1&y=2", "www.bank.example"),
            ("/b", "Sign in"),
            ("https://c.example/", "")
        ]
    );
}

#[test]
fn forms_say_what_they_ask() {
    let page = Page::walk(
        "<form action=https://f.example/post><input name=user><input type=hidden name=h><input type=PASSWORD name=p>\
         <button formaction=https://g.example/>Go</button></form><input placeholder=Code>",
    );
    assert_eq!(page.forms.len(), 3);
    assert_eq!(page.forms[0].action, "https://f.example/post");
    assert!(page.forms[0].asks_password);
    assert_eq!(page.forms[0].fields, ["user"]);
    assert_eq!(page.forms[1].action, "https://g.example/");
    assert_eq!(page.forms[2].fields, ["Code"]);
}

#[test]
fn skeletons_are_of_elements_only() {
    let one = Page::walk("<div><p class=a>Dear Anna</p><img src=1></div>").skeleton;
    assert_eq!(
        one,
        Page::walk("<div><p class=b>Dear Boris<!-- x --></p><img src=2></div>").skeleton
    );
    assert_ne!(one, Page::walk("<div><p>Dear Anna</p></div>").skeleton);
    assert_eq!(Page::walk("plain").skeleton, 0);
}

#[test]
fn hostile_html_is_bounded() {
    let deep = "<div>".repeat(100_000) + "<img src=x>";
    assert_eq!(Page::walk(&deep).resources.len(), 1);
    let many = "<img src=x><a href=y>z</a>".repeat(5_000);
    let page = Page::walk(&many);
    assert_eq!(
        (page.resources.len(), page.anchors.len(), page.cut),
        (LIST_LIMIT, LIST_LIMIT, true)
    );
    let frames = "<!--[if mso]>".repeat(10_000);
    Page::walk(&frames);
    Page::walk(&"<noscript>".repeat(10_000));
    let long = format!(
        "<img src='https://t.example/{}'><p>{}",
        "ä".repeat(9_000),
        "wörter ".repeat(50_000)
    );
    let page = Page::walk(&long);
    assert!(page.resources[0].url.len() <= URL_LENGTH && page.text.len() <= TEXT_LIMIT + 4);
}
