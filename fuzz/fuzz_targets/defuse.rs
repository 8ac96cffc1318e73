#![no_main]

use blackrod_respond::{DefusePolicy, defuse};

// The first byte chooses: a whole message, or a page in one. What comes out must not change again.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else {
        return;
    };
    let mut message = match choice % 3 {
        0 => Vec::new(),
        1 => b"Content-Type: text/html; charset=utf-8\r\n\r\n".to_vec(),
        _ => b"Content-Type: text/html\r\n\r\n<style>".to_vec(),
    };
    message.extend_from_slice(rest);
    let policy = DefusePolicy::default();
    if let Ok(once) = defuse(&message, &policy)
        && let Ok(twice) = defuse(&once.bytes, &policy)
    {
        assert_eq!(twice.bytes, once.bytes);
    }
});
