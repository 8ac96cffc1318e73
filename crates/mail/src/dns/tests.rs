//! Messages signed here, checked by records written here.

#![allow(clippy::unwrap_used)]

use base64::Engine as _;
use blackrod_model::Estate;
use blackrod_model::mail::{AuthResult, Authentication};
use mail_auth::common::crypto::Ed25519Key;
use mail_auth::common::headers::HeaderWriter as _;
use mail_auth::dkim::DkimSigner;

use super::super::Anatomy;
use super::super::facet_tests::read;
use super::Records;

const RECEIVED: &str = "Received: from out.news.example (out.news.example [203.0.113.7]) by mx.assembly.example with ESMTPS; \
                        Tue, 4 Mar 2025 10:00:03 +0000\r\nReturn-Path: <bounce@news.example>\r\n";
const MESSAGE: &str = "From: News <editor@news.example>\r\nTo: anna.berg@assembly.example\r\nSubject: Today\r\n\
                       Date: Tue, 4 Mar 2025 11:00:00 +0100\r\nMessage-ID: <1@news.example>\r\n\r\nThe sitting is at noon.\r\n";
const POLICY: &str = "_dmarc.news.example. 300 IN TXT \"v=DMARC1; p=reject\"\n";
const SENDERS: &str = "news.example. 300 IN TXT \"v=spf1 mx -all\"\nnews.example. 300 IN MX 10 out.news.example.\n\
                       out.news.example. 300 IN A 203.0.113.7\n";

fn checked(mail: &str, zone: &str) -> Authentication {
    let records = Records::parse(&[("zone".to_owned(), zone.to_owned())]).unwrap();
    let anatomy = Anatomy::new(&Estate::default()).with_dns(Some(records));
    read(&anatomy, mail.as_bytes()).authentication
}

/// The message as it arrived, and its key as it stands in the DNS.
fn signed(runs_out: Option<u64>) -> (String, String) {
    let key = Ed25519Key::from_pkcs8_der(&Ed25519Key::generate_pkcs8().unwrap()).unwrap();
    let public = base64::engine::general_purpose::STANDARD.encode(key.public_key());
    let mut signer = DkimSigner::from_key(key)
        .domain("news.example")
        .selector("march")
        .headers(["From", "To", "Subject"]);
    if let Some(seconds) = runs_out {
        signer = signer.expiration(seconds);
    }
    let header = signer.sign(MESSAGE.as_bytes()).unwrap().to_header();
    let zone = format!("march._domainkey.news.example. 300 IN TXT \"v=DKIM1; k=ed25519; \" \"p={public}\"\n");
    (format!("{RECEIVED}{header}{MESSAGE}"), zone)
}

#[test]
fn a_signature_is_checked_where_its_key_is_at_hand() {
    let (mail, zone) = signed(None);
    let found = checked(&mail, &format!("{zone}{POLICY}"));
    assert_eq!((found.dkim, found.dmarc), (AuthResult::Pass, AuthResult::Pass));
    assert!(found.aligned);
    assert_eq!(found.signers, ["news.example"]);

    let changed = mail.replace("at noon", "at four");
    let found = checked(&changed, &zone);
    assert_eq!((found.dkim, found.dmarc), (AuthResult::Fail, AuthResult::Unknown));
    assert!(!found.aligned);

    // Without the key nothing is known, and the message only says who signed.
    let found = checked(&mail, SENDERS);
    assert_eq!(found.dkim, AuthResult::Unknown);
    assert_eq!(found.signers, ["news.example"]);
}

#[test]
fn a_signature_that_has_run_out_since_was_good_when_it_came() {
    // Signed now; it runs out in a second, which is years after the message arrived.
    let (mail, zone) = signed(Some(1));
    std::thread::sleep(std::time::Duration::from_secs(2));
    assert_eq!(checked(&mail, &zone).dkim, AuthResult::Pass);
}

#[test]
fn the_address_that_handed_it_over_is_checked_by_the_domains_policy() {
    let plain = format!("{RECEIVED}{MESSAGE}");
    let found = checked(&plain, &format!("{SENDERS}{POLICY}"));
    assert_eq!((found.spf, found.dmarc), (AuthResult::Pass, AuthResult::Pass));
    assert!(found.aligned);

    let elsewhere = plain.replace("203.0.113.7", "198.51.100.9");
    let found = checked(&elsewhere, &format!("{SENDERS}{POLICY}"));
    assert_eq!((found.spf, found.dmarc), (AuthResult::Fail, AuthResult::Fail));

    // Of a record that is not at hand nothing is known.
    let found = checked(
        &plain,
        "news.example. 300 IN TXT \"v=spf1 include:elsewhere.example -all\"\n",
    );
    assert_eq!(found.spf, AuthResult::Unknown);
}

#[test]
fn what_a_trusted_server_said_stays() {
    let said = "Authentication-Results: mx.assembly.example; spf=softfail smtp.mailfrom=news.example\r\n";
    let found = checked(&format!("{said}{RECEIVED}{MESSAGE}"), SENDERS);
    assert_eq!(found.spf, AuthResult::SoftFail);
}

#[test]
fn what_is_no_zone_is_refused_with_its_name() {
    let zone = ("march.zone".to_owned(), "this is ( not a zone".to_owned());
    let reason = Records::parse(&[zone]).err().unwrap();
    assert!(reason.starts_with("march.zone: "), "{reason}");
}
