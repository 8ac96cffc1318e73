//! A message's origin checked once more by what the DNS said: DKIM (RFC 6376), SPF (RFC 7208), DMARC (RFC 9989), ARC
//! (RFC 8617).
//!
//! Nobody is asked: an analyst brings the records, as a zone file (RFC 1035 5) or as `dig +noall +answer` printed them. Of a
//! record that is not among them nothing is known, which is not the same as that there is none.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;
use std::time::Instant;

use blackrod_model::Timestamp;
use blackrod_model::mail::{AuthResult, Message};
use futures_util::FutureExt as _;
use mail_auth::common::parse::TxtRecordParser;
use mail_auth::common::verify::DomainKey;
use mail_auth::dmarc::Dmarc;
use mail_auth::dmarc::verify::DmarcParameters;
use mail_auth::hickory_resolver::config::{ResolverConfig, ResolverOpts};
use mail_auth::hickory_resolver::proto::op::ResponseCode;
use mail_auth::hickory_resolver::proto::rr::{Name, RData};
use mail_auth::hickory_resolver::proto::serialize::txt::Parser;
use mail_auth::spf::Spf;
use mail_auth::spf::verify::SpfParameters;
use mail_auth::{
    AuthenticatedMessage, DkimResult, DmarcResult, DnsError, DnssecStatus, Error, MX, MessageAuthenticator,
    Parameters, RecordSet, ResolverCache, SpfResult, Txt,
};
use rustc_hash::FxHashSet;

use super::circle::domain_of;

/// No zone file is longer.
pub const MAX_ZONE: u64 = 64 << 20;

/// One result: method, value and properties.
#[derive(Debug, PartialEq)]
pub(super) struct Stated<'a> {
    /// As RFC 8601 calls it.
    pub(super) method: &'a str,
    pub(super) result: AuthResult,
    /// The domain that it speaks for.
    pub(super) domain: Option<String>,
}

/// Records of the DNS, and what checks by them.
pub struct Records {
    txt: HashMap<Box<str>, Txt>,
    mx: Known<Box<str>, RecordSet<MX>>,
    v4: Known<Box<str>, RecordSet<Ipv4Addr>>,
    v6: Known<Box<str>, RecordSet<Ipv6Addr>>,
    ptr: Known<IpAddr, RecordSet<Box<str>>>,
    authenticator: MessageAuthenticator,
}

/// Who handed a message over, as the first server of the receiver's saw it.
pub(super) struct Client<'a> {
    pub(super) ip: Option<IpAddr>,
    pub(super) helo: &'a str,
    pub(super) arrived: Timestamp,
}

impl Records {
    /// The records of zone files (or of what dig prints): names, for errors, with their texts.
    ///
    /// # Errors
    ///
    /// Which text is no zone file, and why.
    pub fn parse(zones: &[(String, String)]) -> Result<Self, String> {
        let mut draft = Draft::default();
        for (name, text) in zones {
            draft.zone(text).map_err(|reason| format!("{name}: {reason}"))?;
        }
        draft.finish()
    }

    /// What the records say of `message`. Empty where they say nothing.
    pub(super) fn check(&self, message: &Message<'_>, client: &Client<'_>) -> Vec<Stated<'static>> {
        let Some(mut mail) = AuthenticatedMessage::parse(message.raw) else {
            return Vec::new();
        };
        // A signature has run out where it had when the message arrived, not where it has today (RFC 6376 3.5, `x=`).
        let arrived = client
            .arrived
            .seconds()
            .and_then(|seconds| u64::try_from(seconds).ok());
        for header in &mut mail.dkim_headers {
            if arrived.is_none_or(|arrived| arrived <= header.header.x) {
                header.header.x = 0;
            }
        }
        let from = mail
            .from
            .first()
            .and_then(|address| domain_of(address))
            .unwrap_or_default();
        let texts = Texts {
            known: &self.txt,
            absent: self.absent(&from),
        };
        self.check_all(&mail, message, client, &texts).unwrap_or_default()
    }

    /// All that is asked of what is at hand is answered at once; `None` would be an answer that is waited for.
    fn check_all(
        &self,
        mail: &AuthenticatedMessage<'_>,
        message: &Message<'_>,
        client: &Client<'_>,
        texts: &Texts<'_>,
    ) -> Option<Vec<Stated<'static>>> {
        let mut all = Vec::new();
        let signed = self
            .authenticator
            .verify_dkim(self.by(mail, texts))
            .now_or_never()?;
        all.extend(signed.iter().map(|output| Stated {
            method: "dkim",
            result: dkim_result(output.result()),
            domain: output.signature().map(|signature| signature.d.to_lowercase()),
        }));
        let sealed = self
            .authenticator
            .verify_arc(self.by(mail, texts))
            .now_or_never()?;
        all.push(Stated {
            method: "arc",
            result: dkim_result(sealed.result()),
            domain: None,
        });
        let path = message.return_path.as_deref().unwrap_or_default();
        let Some(ip) = client.ip else {
            return Some(all);
        };
        let sender = match path.contains('@') {
            true => SpfParameters::verify_mail_from(ip, client.helo, client.helo, path),
            false => SpfParameters::verify_ehlo(ip, client.helo, client.helo),
        };
        let sent = self
            .authenticator
            .verify_spf(self.by(sender, texts))
            .now_or_never()?;
        let path_domain = domain_of(path).unwrap_or_else(|| client.helo.to_lowercase());
        all.push(Stated {
            method: "spf",
            result: spf_result(sent.result()),
            domain: Some(path_domain.clone()),
        });
        let aligned = DmarcParameters {
            message: mail,
            dkim_output: &signed,
            dkim2_output: None,
            rfc5321_mail_from_domain: &path_domain,
            spf_output: &sent,
        };
        let aligned = self
            .authenticator
            .verify_dmarc(self.by(aligned, texts))
            .now_or_never()?;
        all.push(Stated {
            method: "dmarc",
            result: dmarc_result(&aligned.result()),
            domain: None,
        });
        Some(all)
    }

    #[expect(clippy::type_complexity)]
    fn by<'x, P>(
        &'x self,
        what: P,
        texts: &'x Texts<'x>,
    ) -> Parameters<
        'x,
        P,
        Texts<'x>,
        Known<Box<str>, RecordSet<MX>>,
        Known<Box<str>, RecordSet<Ipv4Addr>>,
        Known<Box<str>, RecordSet<Ipv6Addr>>,
        Known<IpAddr, RecordSet<Box<str>>>,
    > {
        Parameters::new(what)
            .with_txt_cache(texts)
            .with_mx_cache(&self.mx)
            .with_ipv4_cache(&self.v4)
            .with_ipv6_cache(&self.v6)
            .with_ptr_cache(&self.ptr)
    }

    /// The names at which no policy stands, where one is known for the domain or for one above it.
    fn absent(&self, domain: &str) -> FxHashSet<Box<str>> {
        let labels: Vec<&str> = domain.split('.').collect();
        let names: Vec<Box<str>> = (0..labels.len())
            .filter_map(|from| labels.get(from..))
            .map(|rest| format!("_dmarc.{}.", rest.join(".")).into_boxed_str())
            .collect();
        match names.iter().any(|name| self.txt.contains_key(name)) {
            true => names
                .into_iter()
                .filter(|name| !self.txt.contains_key(name))
                .collect(),
            false => FxHashSet::default(),
        }
    }
}

/// Records while files are read.
#[derive(Default)]
struct Draft {
    txt: HashMap<Box<str>, Txt>,
    mx: HashMap<Box<str>, Vec<MX>>,
    v4: HashMap<Box<str>, Vec<Ipv4Addr>>,
    v6: HashMap<Box<str>, Vec<Ipv6Addr>>,
    ptr: HashMap<IpAddr, Vec<Box<str>>>,
}

impl Draft {
    fn zone(&mut self, text: &str) -> Result<(), String> {
        let (_, sets) = Parser::new(text, None, Some(Name::root()))
            .parse()
            .map_err(|error| error.to_string())?;
        for (key, set) in sets {
            let name: Box<str> = key.name().to_string().to_lowercase().into();
            for record in set.records_without_rrsigs() {
                match &record.data {
                    RData::TXT(text) => {
                        if let Some(text) = text_record(&name, &text.txt_data.concat()) {
                            self.txt.entry(name.clone()).or_insert(text);
                        }
                    }
                    RData::A(address) => self.v4.entry(name.clone()).or_default().push(address.0),
                    RData::AAAA(address) => self.v6.entry(name.clone()).or_default().push(address.0),
                    RData::MX(mx) => self.mx.entry(name.clone()).or_default().push(MX {
                        exchanges: Box::new([mx.exchange.to_string().to_lowercase().into()]),
                        preference: mx.preference,
                    }),
                    RData::PTR(target) => {
                        if let Ok(network) = Name::from(key.name()).parse_arpa_name() {
                            let names = self.ptr.entry(network.addr()).or_default();
                            names.push(target.0.to_string().to_lowercase().into());
                        }
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Records, String> {
        self.mx
            .values_mut()
            .for_each(|all| all.sort_by_key(|mx| mx.preference));
        let nobody = ResolverConfig::from_parts(None, Vec::new(), Vec::new());
        let authenticator = MessageAuthenticator::new(nobody, ResolverOpts::default())
            .map_err(|error| format!("cannot check the origin of mail: {error}"))?;
        Ok(Records {
            txt: self.txt,
            mx: Known::of(self.mx),
            v4: Known::of(self.v4),
            v6: Known::of(self.v6),
            ptr: Known::of(self.ptr),
            authenticator,
        })
    }
}

/// What a text at a name means to mail, where it means something.
fn text_record(name: &str, text: &[u8]) -> Option<Txt> {
    let begins = |with: &[u8]| {
        text.get(..with.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(with))
    };
    if name.contains("._domainkey.") {
        return DomainKey::parse(text)
            .ok()
            .map(|key| Txt::DomainKey(Arc::new(key)));
    }
    if begins(b"v=spf1") {
        return Spf::parse(text).ok().map(|spf| Txt::Spf(Arc::new(spf)));
    }
    if begins(b"v=DMARC1") {
        return Dmarc::parse(text).ok().map(|dmarc| Txt::Dmarc(Arc::new(dmarc)));
    }
    None
}

/// Texts that are at hand, for one message.
struct Texts<'r> {
    known: &'r HashMap<Box<str>, Txt>,
    absent: FxHashSet<Box<str>>,
}

impl ResolverCache<Box<str>, Txt> for Texts<'_> {
    fn get<Q>(&self, name: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(match self.known.get(name) {
            Some(text) => text.clone(),
            None if self.absent.contains(name) => {
                Txt::Error(Error::Dns(DnsError::RecordNotFound(ResponseCode::NXDomain)))
            }
            None => Txt::Error(Error::Dns(DnsError::Resolver("not at hand".to_owned()))),
        })
    }

    fn remove<Q>(&self, _: &Q) -> Option<Txt>
    where
        Box<str>: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: Box<str>, _: Txt, _: Instant) {}
}

/// Other records that are at hand.
struct Known<K, V> {
    known: HashMap<K, V>,
    none: V,
}

impl<K: Hash + Eq, T> Known<K, RecordSet<T>> {
    fn of(known: HashMap<K, Vec<T>>) -> Self {
        let set = |all: Vec<T>| RecordSet {
            rrset: all.into(),
            dnssec_status: DnssecStatus::Indeterminate,
        };
        Self {
            known: known.into_iter().map(|(key, all)| (key, set(all))).collect(),
            none: set(Vec::new()),
        }
    }
}

impl<K: Hash + Eq, V: Clone> ResolverCache<K, V> for Known<K, V> {
    fn get<Q>(&self, name: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        Some(self.known.get(name).unwrap_or(&self.none).clone())
    }

    fn remove<Q>(&self, _: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        None
    }

    fn insert(&self, _: K, _: V, _: Instant) {}
}

// What could not be looked up is not known, rather than a passing error of the receiver's.

fn dkim_result(result: &DkimResult) -> AuthResult {
    match result {
        DkimResult::Pass => AuthResult::Pass,
        // RFC 6376 6.1: a body that is not as it was signed fails.
        DkimResult::Neutral(Error::Dkim(mail_auth::dkim::DkimError::FailedBodyHashMatch))
        | DkimResult::Fail(_) => AuthResult::Fail,
        DkimResult::Neutral(_) => AuthResult::Neutral,
        DkimResult::PermError(_) => AuthResult::PermError,
        DkimResult::TempError(_) => AuthResult::Unknown,
        DkimResult::None => AuthResult::None,
    }
}

fn spf_result(result: SpfResult) -> AuthResult {
    match result {
        SpfResult::Pass => AuthResult::Pass,
        SpfResult::Fail => AuthResult::Fail,
        SpfResult::SoftFail => AuthResult::SoftFail,
        SpfResult::Neutral => AuthResult::Neutral,
        SpfResult::PermError => AuthResult::PermError,
        SpfResult::TempError | SpfResult::None => AuthResult::Unknown,
    }
}

fn dmarc_result(result: &DmarcResult) -> AuthResult {
    match result {
        DmarcResult::Pass => AuthResult::Pass,
        DmarcResult::Fail(_) => AuthResult::Fail,
        DmarcResult::PermError(_) => AuthResult::PermError,
        DmarcResult::TempError(_) | DmarcResult::None => AuthResult::Unknown,
    }
}

#[cfg(test)]
mod tests;
