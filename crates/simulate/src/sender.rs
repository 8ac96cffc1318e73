//! Who sends, with what, and through whom.

use std::net::Ipv4Addr;
use std::sync::Arc;

use blackrod_model::mail::AuthResult;

use crate::names::{self, House};
use crate::parliament::FREE_MAIL;
use crate::random::{Draw as _, Random};
use crate::software::Software;
use crate::url::{Pattern, Tracker};

/// An address that sends, and how.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// Tells it from all others.
    pub(crate) key: u64,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) software: Software,
    pub(crate) origin: Origin,
    pub(crate) bulk: Option<Bulk>,
    pub(crate) tracker: Option<Arc<Tracker>>,
    pub(crate) design: Design,
    /// Where its straight links lead.
    pub(crate) web: String,
    /// What stands below every message: organisation, address.
    pub(crate) imprint: String,
}

/// How its messages look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Design {
    /// No HTML.
    Plain,
    /// HTML as a desk program writes it.
    Note,
    /// Only HTML, hardly any design.
    Bare,
    /// A page with pictures and buttons; the number makes its shape.
    Styled(u64),
}

/// How its bulk mail is marked.
#[derive(Clone, Debug)]
pub(crate) struct Bulk {
    pub(crate) service: Option<Arc<Service>>,
    pub(crate) account: String,
    pub(crate) list: Option<String>,
    pub(crate) unsubscribe: bool,
}

/// Where its mail enters, and what the parliament's exchanger says about that.
#[derive(Clone, Debug)]
pub(crate) struct Origin {
    pub(crate) host: String,
    pub(crate) ip: Ipv4Addr,
    /// `Received:` fields of its own side.
    pub(crate) inner_hops: usize,
    pub(crate) spf: AuthResult,
    pub(crate) dkim: AuthResult,
    pub(crate) dmarc: AuthResult,
    pub(crate) signers: Vec<String>,
    /// The domain of bounces where it is not the address itself.
    pub(crate) bounces: Option<String>,
    /// It is the parliament itself.
    pub(crate) is_inside: bool,
}

/// A mass-mail service that many senders use.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) domain: String,
    pub(crate) kind: ServiceKind,
    pub(crate) tracker: Arc<Tracker>,
    pub(crate) software: Software,
    /// Designs that its customers choose from.
    designs: Vec<u64>,
    hosts: Vec<(String, Ipv4Addr)>,
    urls: Urls,
    /// Share of its customers who have these URLs on their own domain.
    branded: f64,
    /// It sends `Feedback-ID:` with the account in it.
    pub(crate) feedback: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServiceKind {
    /// For newsletters: customers have domains of their own.
    Newsletter,
    /// Mail merge: any mailbox may send through it, free ones too.
    Merge,
}

impl Service {
    /// The `number`-th service of a run.
    pub(crate) fn new(random: &mut Random, number: usize, branded: f64) -> Self {
        let kind = if number % 4 == 3 {
            ServiceKind::Merge
        } else {
            ServiceKind::Newsletter
        };
        let mut label = String::new();
        names::place(random, &mut label);
        let name = format!(
            "{label}{}",
            random.word(&["Send", "Mail", "Post", "Campaigns", "Letter"])
        );
        let domain = names::domain(random, &name);
        let urls = Urls::new(random);
        let hosts = (0..6)
            .map(|index| {
                (
                    format!("o{}.{}.{domain}", index + 1, random.word(&["mta", "out", "smtp"])),
                    outside(random),
                )
            })
            .collect();
        Self {
            kind,
            tracker: Arc::new(urls.tracker(&domain)),
            urls,
            branded,
            software: Software::service(random, &domain),
            designs: (0..6).map(|_| random.u64(..)).collect(),
            hosts,
            feedback: random.chance(0.6),
            name,
            domain,
        }
    }

    /// The same without `Feedback-ID`: nothing in its messages names an account there.
    pub(crate) fn without_feedback(mut self) -> Self {
        self.feedback = false;
        self
    }

    /// Lets somebody send through it with URLs on their own domain.
    pub(crate) fn branded_account(self: &Arc<Self>, random: &mut Random, who: Identity) -> Sender {
        let mut sender = self.account(random, who);
        sender.tracker = Some(Arc::new(self.urls.tracker(sender.domain())));
        sender
    }

    /// Lets somebody send through it from `address`.
    pub(crate) fn account(self: &Arc<Self>, random: &mut Random, who: Identity) -> Sender {
        let (host, ip) = random.pick(&self.hosts).clone();
        let domain = who.address.split('@').nth(1).unwrap_or_default().to_owned();
        let is_own_domain = !FREE_MAIL.contains(&domain.as_str()) && random.chance(0.8);
        let mut signers = vec![self.domain.clone()];
        if is_own_domain {
            signers.insert(0, domain.clone());
        }
        let key = random.u64(..);
        let account = format!("{}", key % 8_999_999 + 1_000_000);
        let unsubscribe = match self.kind {
            ServiceKind::Newsletter => random.chance(0.95),
            ServiceKind::Merge => random.chance(0.35),
        };
        let mut software = self.software.clone();
        software.zone = 0;
        let is_branded = self.branded > 0.0 && is_own_domain && random.chance(self.branded);
        let tracker = match is_branded {
            true => Arc::new(self.urls.tracker(&domain)),
            false => Arc::clone(&self.tracker),
        };
        Sender {
            key,
            name: who.name,
            address: who.address,
            reply_to: who.reply_to,
            software,
            origin: Origin {
                host,
                ip,
                inner_hops: 1,
                spf: AuthResult::Pass,
                dkim: AuthResult::Pass,
                dmarc: if is_own_domain {
                    AuthResult::Pass
                } else {
                    AuthResult::None
                },
                signers,
                bounces: Some(format!("bounce.{}", self.domain)),
                is_inside: false,
            },
            bulk: Some(Bulk {
                list: (unsubscribe && random.chance(0.6)).then(|| format!("{account}.{}", self.domain)),
                account,
                service: Some(Arc::clone(self)),
                unsubscribe,
            }),
            tracker: Some(tracker),
            design: match self.kind {
                ServiceKind::Newsletter if random.chance(0.7) => Design::Styled(*random.pick(&self.designs)),
                ServiceKind::Newsletter => Design::Styled(random.u64(..)),
                ServiceKind::Merge if random.chance(0.7) => Design::Bare,
                ServiceKind::Merge => Design::Styled(*random.pick(&self.designs)),
            },
            web: who.web,
            imprint: who.imprint,
        }
    }
}

/// How a service's URLs look, on its own domain or on a customer's.
#[derive(Clone, Debug)]
struct Urls {
    /// The recipient's mark, and the account's where it shows.
    mark: &'static str,
    account: &'static str,
    /// The label of the host.
    host: &'static str,
    open: usize,
    click: &'static str,
}

impl Urls {
    fn new(random: &mut Random) -> Self {
        let mark = random.word(&[
            "{m:b64:60}",
            "{r:hex:32}",
            "{r:b62:22}",
            "{m:uuid}",
            "{r:b62:12}/{i:n:7}",
            "{m:b64:120}",
        ]);
        let account = random.word(&["{s:n:7}/", "{s:hex:10}/", "", "", "u{s:n:8}."]);
        let host = match account.ends_with('.') {
            true => "ct",
            false => random.word(&["click", "track", "links", "t"]),
        };
        Self {
            mark,
            account,
            host,
            open: random.usize(..4),
            click: random.word(&["c", "ls/click", "e/c", "l"]),
        }
    }

    fn tracker(&self, domain: &str) -> Tracker {
        let Self { mark, click, .. } = self;
        let (host, path) = match self.account.ends_with('.') {
            true => (format!("{}{}.{domain}", self.account, self.host), ""),
            false => (format!("{}.{domain}", self.host), self.account),
        };
        let open = match self.open {
            0 => format!("https://{host}/{path}open/{mark}.gif"),
            1 => format!(
                "https://{host}/wf/open?{}upn={mark}",
                if path.is_empty() { "" } else { "a={s:n:7}&" }
            ),
            2 => format!("https://{host}/{path}o/{mark}/pixel.png"),
            _ => format!("https://{host}/{path}e/o/{mark}"),
        };
        Tracker {
            open: Some(Pattern::new(&open)),
            click: Some(Pattern::new(&format!(
                "https://{host}/{path}{click}/{mark}/{{l:b62:8}}"
            ))),
            image: Pattern::new(&format!("https://images.{domain}/{path}{{i:hex:16}}.png")),
            unsubscribe: Pattern::new(&format!("https://{host}/{path}unsub/{mark}")),
            headline_image: false,
        }
    }
}

/// Who somebody says that they are.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) reply_to: Option<String>,
    pub(crate) web: String,
    pub(crate) imprint: String,
}

impl Identity {
    /// An organisation that writes from its own domain.
    pub(crate) fn of_house(random: &mut Random, house: &House) -> Self {
        let local = random.word(&[
            "news",
            "info",
            "newsletter",
            "office",
            "hello",
            "contact",
            "press",
            "updates",
            "mail",
        ]);
        let mut place = String::new();
        names::place(random, &mut place);
        Self {
            name: house.name.clone(),
            address: format!("{local}@{}", house.domain),
            reply_to: None,
            web: format!("www.{}", house.domain),
            imprint: format!("{}, {} Market Street, {place}", house.name, random.usize(1..200)),
        }
    }

    /// Somebody who works there.
    pub(crate) fn at_house(random: &mut Random, house: &House, habit: usize) -> Self {
        let name = names::person(random);
        Self {
            address: format!("{}@{}", names::local_part(&name, habit), house.domain),
            imprint: format!("{name}, {}", house.name),
            name,
            reply_to: None,
            web: format!("www.{}", house.domain),
        }
    }

    /// Somebody with a free mailbox.
    pub(crate) fn private(random: &mut Random) -> Self {
        let name = names::person(random);
        let habit = random.usize(..4);
        let number = if random.bool() {
            format!("{}", random.usize(1..99))
        } else {
            String::new()
        };
        Self {
            address: format!(
                "{}{number}@{}",
                names::local_part(&name, habit),
                random.pick(&FREE_MAIL)
            ),
            imprint: String::new(),
            name,
            reply_to: None,
            web: "www.webpost.example".to_owned(),
        }
    }
}

impl Sender {
    /// Somebody at a desk whose mail goes out through the servers of their domain.
    pub(crate) fn desk(random: &mut Random, who: Identity) -> Self {
        let domain = who.address.split('@').nth(1).unwrap_or_default().to_owned();
        let design = *random.pick(&[Design::Plain, Design::Note, Design::Note]);
        Self {
            key: random.u64(..),
            name: who.name,
            address: who.address,
            reply_to: who.reply_to,
            software: Software::desk(random),
            origin: Origin::own(random, &domain),
            bulk: None,
            tracker: None,
            design,
            web: who.web,
            imprint: who.imprint,
        }
    }

    /// A program that sends from servers of its own.
    pub(crate) fn program(random: &mut Random, who: Identity) -> Self {
        let mut sender = Self::desk(random, who);
        sender.software = Software::program(random);
        sender.design = *random.pick(&[Design::Plain, Design::Bare, Design::Styled(sender.key)]);
        sender
    }

    /// A list on servers and tracking hosts of its own.
    pub(crate) fn own_list(random: &mut Random, who: Identity) -> Self {
        let domain = who.address.split('@').nth(1).unwrap_or_default().to_owned();
        let mut sender = Self::program(random, who);
        sender.design = Design::Styled(sender.key);
        sender.tracker = Some(Arc::new(Tracker::own(random, &domain, None)));
        sender.bulk = Some(Bulk {
            service: None,
            account: String::new(),
            list: random.chance(0.5).then(|| format!("news.{domain}")),
            unsubscribe: random.chance(0.75),
        });
        sender
    }

    /// The part of the address after the `@`.
    pub(crate) fn domain(&self) -> &str {
        self.address.split('@').nth(1).unwrap_or_default()
    }
}

impl Origin {
    /// Servers of `domain` itself, as well kept as most are.
    pub(crate) fn own(random: &mut Random, domain: &str) -> Self {
        let host = match FREE_MAIL.iter().position(|free| *free == domain) {
            Some(_) => format!("mout-{}.{domain}", random.usize(1..30)),
            None => format!(
                "{}.{domain}",
                random.word(&["mail", "smtp", "mx", "out", "relay"])
            ),
        };
        let is_signed = random.chance(0.8);
        let spf = *random.pick(&[
            AuthResult::Pass,
            AuthResult::Pass,
            AuthResult::Pass,
            AuthResult::Pass,
            AuthResult::None,
        ]);
        let has_policy = random.chance(0.7);
        let passes = is_signed || spf == AuthResult::Pass;
        Self {
            host,
            ip: outside(random),
            inner_hops: random.usize(0..3),
            spf,
            dkim: if is_signed {
                AuthResult::Pass
            } else {
                AuthResult::None
            },
            dmarc: match (has_policy, passes) {
                (true, true) => AuthResult::Pass,
                (true, false) => AuthResult::Fail,
                _ => AuthResult::None,
            },
            signers: if is_signed {
                vec![domain.to_owned()]
            } else {
                Vec::new()
            },
            bounces: None,
            is_inside: false,
        }
    }

    /// The parliament's own servers.
    pub(crate) fn inside(random: &mut Random) -> Self {
        Self {
            host: "mbx1.assembly.example".to_owned(),
            ip: Ipv4Addr::new(10, 1, random.u8(..), random.u8(1..255)),
            inner_hops: 0,
            spf: AuthResult::Unknown,
            dkim: AuthResult::Unknown,
            dmarc: AuthResult::Unknown,
            signers: Vec::new(),
            bounces: None,
            is_inside: true,
        }
    }
}

/// An address for documentation (RFC 5737) or benchmarks (RFC 2544).
pub(crate) fn outside(random: &mut Random) -> Ipv4Addr {
    match random.usize(..10) {
        0 => Ipv4Addr::new(203, 0, 113, random.u8(1..255)),
        1 => Ipv4Addr::new(198, 51, 100, random.u8(1..255)),
        _ => Ipv4Addr::new(198, 18 + random.u8(0..2), random.u8(..), random.u8(1..255)),
    }
}
