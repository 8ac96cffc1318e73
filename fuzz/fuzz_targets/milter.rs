//! What a mail server, or somebody who pretends to be one, sends: read to the end or refused, whatever way it is cut.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (cut, data) = data.split_first().unwrap_or((&0, &[]));
    let mut whole = bytes::BytesMut::from(data);
    let mut at_once = Vec::new();
    while let Ok(Some(command)) = blackrod_milter::next_command(&mut whole) {
        at_once.push(command);
    }
    let mut pieces = Vec::new();
    let mut received = bytes::BytesMut::new();
    'all: for piece in data.chunks(usize::from(*cut).max(1)) {
        received.extend_from_slice(piece);
        loop {
            match blackrod_milter::next_command(&mut received) {
                Ok(Some(command)) => pieces.push(command),
                Ok(None) => break,
                Err(_) => break 'all,
            }
        }
    }
    assert_eq!(at_once, pieces);
});
