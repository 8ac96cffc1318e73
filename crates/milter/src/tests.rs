#![allow(clippy::unwrap_used)]

use bytes::BytesMut;

use super::*;

fn framed(content: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(content.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(content);
    bytes
}

#[test]
fn commands_are_read_as_a_mail_server_sends_them() {
    let mut received = BytesMut::from(framed(b"O\0\0\0\x06\0\0\x01\xff\0\x1f\xff\xff").as_slice());
    received.extend(framed(b"DMi\x004Rk2\0{mail_addr}\0a@example.org\0"));
    received.extend(framed(b"Cmx.example.org\x004\x9c\x40192.0.2.7\0"));
    received.extend(framed(b"M<a@example.org>\0SIZE=12\0"));
    received.extend(framed(b"LSubject\0 caf\xe9\n more\0"));
    received.extend(framed(b"E"));
    let mut commands = Vec::new();
    while let Some(command) = next_command(&mut received).unwrap() {
        commands.push(command);
    }
    assert!(received.is_empty());
    assert_eq!(
        commands,
        [
            Command::Negotiate(Offer {
                version: 6,
                actions: 0x1ff,
                steps: 0x1f_ffff
            }),
            Command::Macros {
                command: b'M',
                values: vec![
                    (b"i".to_vec(), b"4Rk2".to_vec()),
                    (b"{mail_addr}".to_vec(), b"a@example.org".to_vec())
                ]
            },
            Command::Connect {
                host: b"mx.example.org".to_vec(),
                family: b'4',
                address: b"192.0.2.7".to_vec()
            },
            Command::Mail(b"<a@example.org>".to_vec()),
            Command::Header {
                name: b"Subject".to_vec(),
                value: b" caf\xe9\n more".to_vec()
            },
            Command::EndOfBody(Vec::new()),
        ]
    );
}

#[test]
fn half_a_frame_waits_and_stays() {
    let whole = framed(b"Hmx.example.org\0");
    for cut in 0..whole.len() {
        let mut received = BytesMut::from(&whole[..cut]);
        assert_eq!(next_command(&mut received), Ok(None));
        assert_eq!(received.len(), cut);
    }
}

#[test]
fn what_is_no_milter_is_refused() {
    let refused = |bytes: &[u8]| next_command(&mut BytesMut::from(bytes)).unwrap_err();
    assert_eq!(refused(&[0, 0, 0, 0]), ProtocolError::FrameLength { length: 0 });
    assert_eq!(
        refused(b"GET / HTTP/1.1\r\n"),
        ProtocolError::FrameLength { length: 0x4745_5420 }
    );
    for broken in [
        &b"O\0\0"[..],
        b"Mno end",
        b"LSubject\0no end",
        b"Chost\x004\0",
        b"DMname\0no end",
        b"D",
    ] {
        let code = char::from(broken[0]);
        assert_eq!(refused(&framed(broken)), ProtocolError::Malformed { code });
    }
    assert_eq!(
        refused(&framed(b"?")),
        ProtocolError::UnknownCommand { code: '?' }
    );
}

#[test]
fn answers_are_framed() {
    let mut out = Vec::new();
    Change::InsertHeader {
        index: 0,
        name: b"X-A".to_vec(),
        value: b" b".to_vec(),
    }
    .write(&mut out);
    Change::Body(b"new".to_vec()).write(&mut out);
    Reply::Code("550 5.7.1 100% refused".to_owned()).write(&mut out);
    Reply::Continue.write(&mut out);
    let mut expected = framed(b"i\0\0\0\0X-A\0 b\0");
    expected.extend(framed(b"bnew"));
    expected.extend(framed(b"y550 5.7.1 100%% refused\0"));
    expected.extend(framed(b"c"));
    assert_eq!(out, expected);
}
