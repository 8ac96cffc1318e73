//! Messages that are changed before they are delivered, or in a mailbox afterwards.

use anyhow::Context as _;
use blackrod_respond::{Chain, DefusePolicy, Sealer, defuse, tag};

use super::config::{Config, secret};
use super::deliver::split;
use super::policy::Verdict;

/// How messages are rewritten.
pub(crate) struct Rewriter {
    policy: DefusePolicy,
    mark: String,
    seal: Option<Seal>,
}

/// Whose seal is put on what was changed.
struct Seal {
    sealer: Sealer,
    /// Whose `Authentication-Results:` are believed.
    authserv_id: String,
}

impl Rewriter {
    pub(crate) fn new(config: &Config) -> anyhow::Result<Self> {
        let seal = match &config.arc {
            Some(arc) => {
                let key = secret(&arc.key_file)?;
                let sealer = Sealer::new(key.reveal().as_bytes(), &arc.domain, &arc.selector)
                    .with_context(|| format!("{} cannot be used to seal", arc.key_file.display()))?;
                Some(Seal {
                    sealer,
                    authserv_id: arc.authserv_id.clone(),
                })
            }
            None => None,
        };
        Ok(Self {
            policy: DefusePolicy::default(),
            mark: config.tag.subject.clone(),
            seal,
        })
    }

    /// The message as it is to be read instead; none where it cannot be rewritten.
    pub(crate) fn rewrite(&self, raw: &[u8], verdict: Verdict) -> Option<Vec<u8>> {
        let fresh = match verdict {
            Verdict::Defuse => defuse(raw, &self.policy).ok()?.bytes,
            _ => {
                let mark = Some(self.mark.as_str()).filter(|mark| !mark.is_empty());
                tag(raw, &[], mark)
            }
        };
        match &self.seal {
            Some(seal) if fresh != raw => seal.put_on(fresh),
            _ => Some(fresh),
        }
    }
}

impl Seal {
    /// With the ARC set on top, which says how the message arrived.
    fn put_on(&self, message: Vec<u8>) -> Option<Vec<u8>> {
        let (fields, _) = split(&message);
        let results = fields
            .iter()
            .filter(|(name, _)| name.eq_ignore_ascii_case(b"authentication-results"))
            .map(|(_, value)| String::from_utf8_lossy(value).replace('\n', ""))
            .find(|value| {
                let server = value.trim().split([';', ' ']).next();
                server.is_some_and(|server| server.eq_ignore_ascii_case(&self.authserv_id))
            })
            .unwrap_or_else(|| format!("{}; none", self.authserv_id));
        let chain = match results.contains("arc=pass") {
            true => Chain::Pass,
            false => Chain::None,
        };
        let mut sealed = Vec::with_capacity(message.len() + 2_000);
        for (name, value) in self.sealer.seal(&message, &results, chain).ok()? {
            sealed.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        sealed.extend_from_slice(&message);
        Some(sealed)
    }
}
