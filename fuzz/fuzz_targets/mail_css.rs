//! Style sheets and style attributes: every URL is found within bounds, and none is left in what is shown.
#![no_main]

use blackrod_mail::page::{Page, URL_LENGTH};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let css = String::from_utf8_lossy(data);
    let attribute = css.replace('&', "&amp;").replace('"', "&quot;");
    for html in [
        format!("<style>{css}</style><p class=a id=b>x"),
        format!("<p style=\"{attribute}\">x</p>"),
    ] {
        let page = Page::walk(&html);
        assert!(
            page.resources
                .iter()
                .all(|resource| resource.url.len() <= URL_LENGTH)
        );
        blackrod_fuzz::mail::show(&html);
    }
});
