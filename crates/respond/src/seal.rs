//! An ARC set (RFC 8617) for a message that was changed: it says what the arrival's authentication was, which the change
//! has made impossible to repeat.

use mail_auth::arc::{ArcSealer, Set};
use mail_auth::common::crypto::{RsaKey, Sha256};
use mail_auth::common::headers::{Header, HeaderWriter as _};
use mail_auth::dkim::Done;
use mail_auth::{ArcOutput, AuthenticatedMessage, AuthenticationResults, DkimResult, Error};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;

/// Fields that are signed where the message has them.
const SIGNED: [&str; 14] = [
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "DKIM-Signature",
];
/// Characters of the arrival's results that are sealed: a line of mail has at most 998.
const RESULTS: usize = 900;

/// Why a message was not sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The key is not an RSA key in PEM, PKCS #1 or PKCS #8.
    #[error("the key cannot be used: {0}")]
    Key(String),
    /// The message has no header, or none of the fields that are signed.
    #[error("the message cannot be sealed: {0}")]
    Message(String),
}

/// What checking the ARC sets that a message arrived with has given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chain {
    /// It had none.
    None,
    /// They are good.
    Pass,
    /// They are not, or could not be checked.
    Fail,
}

/// Seals with one key.
pub struct Sealer(ArcSealer<RsaKey<Sha256>, Done>);

impl Sealer {
    /// With the RSA key of `pem`, whose public half stands under `selector._domainkey.domain`.
    ///
    /// # Errors
    ///
    /// When the key cannot be used. The error does not hold the key.
    pub fn new(pem: &[u8], domain: &str, selector: &str) -> Result<Self, SealError> {
        let der = PrivateKeyDer::from_pem_slice(pem).map_err(|error| SealError::Key(error.to_string()))?;
        let key = RsaKey::<Sha256>::from_key_der(der).map_err(|error| SealError::Key(error.to_string()))?;
        Ok(Self(
            ArcSealer::from_key(key)
                .domain(domain)
                .selector(selector)
                .headers(SIGNED),
        ))
    }

    /// The fields of the set for `message`, to be put before its header in this order: name and value, folded.
    ///
    /// `results` is the value of the arrival's `Authentication-Results:`, with the server's name at its start; `chain` what the
    /// sets that `message` brought were worth when it arrived. Seal last: a field that is changed later breaks it.
    ///
    /// # Errors
    ///
    /// When the message has nothing to sign.
    pub fn seal(
        &self,
        message: &[u8],
        results: &str,
        chain: Chain,
    ) -> Result<Vec<(String, String)>, SealError> {
        let message = as_signed(message);
        let parsed = AuthenticatedMessage::parse(&message)
            .ok_or_else(|| SealError::Message("it has no header".to_owned()))?;
        let results = one_line(results);
        let results = AuthenticationResults::new(&results);
        let set = self
            .0
            .seal(&parsed, &results, &arrival(&parsed, chain))
            .map_err(|error: Error| SealError::Message(error.to_string()))?;
        Ok(fields(&set.to_header()))
    }
}

/// The sets that the message brought.
fn arrival<'m>(parsed: &'m AuthenticatedMessage<'m>, chain: Chain) -> ArcOutput<'m> {
    let is_whole = parsed.as_headers.len() == parsed.ams_headers.len()
        && parsed.as_headers.len() == parsed.aar_headers.len();
    let result = match chain {
        Chain::Pass if is_whole && !parsed.has_arc_errors => DkimResult::Pass,
        _ => DkimResult::None,
    };
    let seals = parsed
        .as_headers
        .iter()
        .zip(&parsed.ams_headers)
        .zip(&parsed.aar_headers);
    seals.fold(
        ArcOutput::default().with_result(result),
        |output, ((seal, signature), results)| {
            output.with_set(Set {
                signature: Header::new(signature.name, signature.value, &signature.header),
                seal: Header::new(seal.name, seal.value, &seal.header),
                results: Header::new(results.name, results.value, &results.header),
            })
        },
    )
}

/// As it is signed: lines end with CRLF, and blank ones at the end are left out (RFC 6376 3.4.4), which mail-auth does only where they
/// are empty.
fn as_signed(message: &[u8]) -> Vec<u8> {
    let mut out = with_crlf(message);
    if let Some(at) = memchr::memmem::find(&out, b"\r\n\r\n") {
        let body = out.get(at + 4..).unwrap_or_default();
        let last = body.iter().rposition(|byte| !b" \t\r\n".contains(byte));
        match last {
            Some(last) => {
                out.truncate(at + 4 + last + 1);
                out.extend_from_slice(b"\r\n");
            }
            None => out.truncate(at + 4),
        }
    }
    out
}

/// Lines end with CRLF when a message is sent.
fn with_crlf(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + message.len() / 40);
    let mut before = 0;
    for byte in message {
        if *byte == b'\n' && before != b'\r' {
            out.push(b'\r');
        }
        out.push(*byte);
        before = *byte;
    }
    out
}

fn one_line(results: &str) -> String {
    let words: Vec<&str> = results.split_ascii_whitespace().collect();
    let line: String = words
        .join(" ")
        .chars()
        .filter(|c| matches!(c, ' '..='~'))
        .collect();
    line.get(..RESULTS).unwrap_or(&line).trim_end().to_owned()
}

fn fields(header: &str) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in header.lines() {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push_str("\r\n");
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.to_owned(), value.trim_start().to_owned()));
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_one_line() {
        assert_eq!(
            one_line("mx.example;\r\n\tspf=pass\r\n  smtp.mailfrom=a"),
            "mx.example; spf=pass smtp.mailfrom=a"
        );
    }

    #[test]
    fn blank_lines_at_the_end_are_not_signed() {
        let signed = as_signed(b"A: b\n\na\r\n \r\nb\t \r\n  \r\n\t\r\n\r\n");
        assert_eq!(signed, b"A: b\r\n\r\na\r\n \r\nb\r\n");
        assert_eq!(as_signed(b"A: b\n\n \n"), b"A: b\r\n\r\n");
        assert_eq!(as_signed(b"A: b\n"), b"A: b\r\n");
    }

    #[test]
    fn keys_that_are_none_are_refused() {
        assert!(matches!(
            Sealer::new(b"not a key", "a.example", "s"),
            Err(SealError::Key(_))
        ));
    }
}
