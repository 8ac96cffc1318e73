//! HTML as somebody sends it: walked within bounds, and shown so that nothing loads.
#![no_main]

use blackrod_mail::page::{LIST_LIMIT, Page, TEXT_LIMIT};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let html = String::from_utf8_lossy(data);
    let page = Page::walk(&html);
    assert!(page.resources.len() <= LIST_LIMIT && page.anchors.len() <= LIST_LIMIT);
    // A character or a blank may be written across the limit.
    assert!(page.text.len() <= TEXT_LIMIT + 8);
    blackrod_fuzz::mail::show(&html);
});
