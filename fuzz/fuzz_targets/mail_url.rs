//! URLs: read as browsers do, made templates, unwrapped, compared with an address.
#![no_main]

use blackrod_mail::token::Derivations;
use blackrod_mail::url::Target;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let url = String::from_utf8_lossy(data);
    let recipients = ["anna.berg@example.org".to_owned()];
    let derivations = Derivations::of(&recipients);
    if let Some(target) = Target::parse(&url) {
        let shape = target.shape(&|part| derivations.is_name(part));
        assert!(shape.template.len() <= 300);
        for part in &shape.parts {
            derivations.find(&part.value);
        }
    }
    let link = url.replace('&', "&amp;").replace('"', "&quot;");
    let message = format!(
        "From: a@b.example\r\nTo: {}\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<a href=\"{link}\">{link}</a><img src=\"{link}\">",
        recipients[0]
    );
    blackrod_fuzz::mail::inspect(message.as_bytes());
});
