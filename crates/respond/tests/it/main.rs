//! Defusing: what a message loses, what it keeps.

#![allow(clippy::unwrap_used)]

mod corpus;
mod messages;
mod properties;

use blackrod_respond::{DefusePolicy, Defused, defuse};

/// `raw` defused by the default policy.
fn defused(raw: &[u8]) -> Defused {
    defuse(raw, &DefusePolicy::default()).unwrap()
}

/// A message that is one part.
fn single(content_type: &str, body: &str) -> Vec<u8> {
    format!("From: a@a.example\r\nTo: b@b.example\r\nSubject: s\r\nMIME-Version: 1.0\r\nContent-Type: {content_type}\r\n\r\n{body}")
        .into_bytes()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
