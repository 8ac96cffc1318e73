//! What the detectors say of themselves.

use blackrod_mail::stream;

use crate::flood::requests;
use crate::{
    accounts, analytics, canary, indicators, rarity, register, senders, servers, sigma, traffic, yara,
};

/// A detector's documentation.
#[derive(Clone, Copy, Debug)]
pub struct Doc {
    /// The code that its findings carry.
    pub code: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// What it finds, why it matters, what it misses, references.
    pub text: &'static str,
}

/// All codes: a line each. Correlations are part of what the Sigma detector explains.
pub static ALL: &[Doc] = &[
    doc(sigma::CODE, "Sigma rules over records", sigma::EXPLAIN),
    doc(
        sigma::CORRELATION_CODE,
        "Sigma rules over several records together",
        sigma::EXPLAIN,
    ),
    doc(yara::CODE, "YARA rules over attachments and files", yara::EXPLAIN),
    doc(
        indicators::CODE,
        "Indicators of compromise in every field",
        indicators::EXPLAIN,
    ),
    doc(
        stream::RECONNAISSANCE,
        "Campaigns that find out who reads",
        stream::EXPLAIN,
    ),
    doc(
        stream::SPEAR,
        "Messages that stand out among a day's mail",
        stream::EXPLAIN,
    ),
    doc(stream::LATERAL, "Phishing from inside accounts", stream::EXPLAIN),
    doc(
        rarity::SESSION_CODE,
        "Unusual commands along a session and from host to host",
        rarity::EXPLAIN,
    ),
    doc(rarity::COMMAND_CODE, "A single unusual command", rarity::EXPLAIN),
    doc(
        "account/spray",
        "Passwords tried out over many accounts",
        accounts::EXPLAIN,
    ),
    doc(
        "account/guessed",
        "A sign-in from where passwords were sprayed",
        accounts::EXPLAIN,
    ),
    doc(
        "account/mfa-fatigue",
        "A second factor given after many requests",
        accounts::EXPLAIN,
    ),
    doc(
        "account/session-moved",
        "A session in two places",
        accounts::EXPLAIN,
    ),
    doc(
        "account/mailbox-rule",
        "A mailbox rule that hides or forwards mail",
        accounts::EXPLAIN,
    ),
    doc(
        "account/taken",
        "An account with several signs of a takeover",
        accounts::EXPLAIN,
    ),
    doc(
        requests::CODE,
        "Floods of requests to a web service",
        requests::EXPLAIN,
    ),
    doc(
        senders::CODE,
        "Mail in the estate's name that is not proved to be",
        senders::EXPLAIN,
    ),
    doc(
        traffic::volume::CODE,
        "Floods of packets, in flows and captures",
        traffic::volume::EXPLAIN,
    ),
    doc(
        traffic::egress::BURST,
        "A machine that sends out far more than it used to",
        traffic::egress::EXPLAIN,
    ),
    doc(
        traffic::egress::SLOW,
        "A machine that leaks a little every day",
        traffic::egress::EXPLAIN,
    ),
    doc(canary::CODE, "An invented elector was seen", canary::EXPLAIN),
    doc(register::BULK, "Much of a register read", register::EXPLAIN),
    doc(register::DUMP, "A register copied as a whole", register::EXPLAIN),
    doc(
        register::ELSEWHERE,
        "A register loaded where it does not belong",
        register::EXPLAIN,
    ),
    doc(
        register::files::COPY,
        "Far more files copied than is usual",
        register::EXPLAIN,
    ),
    doc(
        "server/attack-answered",
        "A server answered a known attack",
        servers::EXPLAIN,
    ),
    doc(
        "server/attack-tried",
        "A known attack was tried on a server",
        servers::EXPLAIN,
    ),
    doc(
        "server/odd-page",
        "A page where none belongs, asked for by few",
        servers::EXPLAIN,
    ),
    doc(
        "server/mail-read",
        "Mail read from where a server was attacked",
        servers::EXPLAIN,
    ),
    doc(
        "server/probed",
        "A server that was attacked, as far as is known without success",
        servers::EXPLAIN,
    ),
    doc(
        "server/exploited",
        "A server on which an attack worked",
        servers::EXPLAIN,
    ),
    doc(
        "server/taken",
        "A server that was exploited and used afterwards",
        servers::EXPLAIN,
    ),
    doc(
        analytics::CODE,
        "Questions in SQL asked of every case",
        analytics::EXPLAIN,
    ),
];

/// The detector with this code, in any case.
pub fn explain(code: &str) -> Option<&'static Doc> {
    ALL.iter().find(|doc| doc.code.eq_ignore_ascii_case(code))
}

const fn doc(code: &'static str, title: &'static str, text: &'static str) -> Doc {
    Doc { code, title, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_detector_says_what_it_misses() {
        for doc in ALL {
            for heading in [
                "# What it finds",
                "# Why it matters",
                "# What it misses",
                "# References",
            ] {
                assert!(
                    doc.text.contains(heading),
                    "{} has no section {heading:?}",
                    doc.code
                );
            }
        }
    }
}
