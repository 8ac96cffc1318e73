//! The way of a message: `Received:` fields as anybody may write them, one for each line.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut message = Vec::with_capacity(data.len() * 2);
    for line in data.split(|byte| *byte == b'\n').take(200) {
        message.extend_from_slice(b"Received: ");
        message.extend_from_slice(line);
        message.extend_from_slice(b"\r\n");
    }
    message.extend_from_slice(b"Date: Tue, 2 Jan 2024 10:00:00 +0000\r\nFrom: a@b.example\r\n\r\nx");
    blackrod_fuzz::mail::inspect(&message);
});
