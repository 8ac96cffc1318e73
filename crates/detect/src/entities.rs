//! What a record names that other records may name too.

use std::net::{IpAddr, Ipv6Addr};

use blackrod_model::{Column, Entity, EntityKind, Event, Sha256, Value, mail, plain_v4};

/// The most entities taken from one record: a mail to a thousand people ties no better than one to
/// thirty.
pub const MAX_ENTITIES: usize = 64;

const MAX_SENDERS: usize = 8;
const MAX_RECIPIENTS: usize = 24;
const MAX_REFERENCES: usize = 4;
const MAX_ATTACHMENTS: usize = 8;
const MAX_EMBEDDED: usize = 4;

/// The entities that `event` names, without repetition, at most [`MAX_ENTITIES`].
///
/// Accounts of machines (`WS01$`) and of the system itself, addresses that mean the machine itself
/// (loopback, link-local, unspecified) and its built-in logon sessions are left out: they say
/// nothing about who was there. Values that are merely common stay in; they weigh little later.
pub fn of(event: &Event<'_>) -> Vec<Entity> {
    let mut entities = Entities::default();
    entities.columns(event);
    if let Some(message) = &event.mail {
        entities.message(message);
    }
    entities.0
}

/// An IP address as it stands in a record, without brackets, zone and IPv4 mapping (RFC 4291
/// 2.5.5.2); `None` for other text and for addresses that name no particular machine.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    if let Some(v4) = plain_v4(text) {
        return names_a_machine(v4.into()).then_some(v4.into());
    }
    let bare = text.trim().trim_start_matches('[').trim_end_matches(']');
    let without_zone = bare.split_once('%').map_or(bare, |(address, _)| address);
    let address: IpAddr = without_zone.parse().ok()?;
    let canonical = match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(IpAddr::V6(v6), IpAddr::V4),
        v4 @ IpAddr::V4(_) => v4,
    };
    names_a_machine(canonical).then_some(canonical)
}

/// The host of a URL in lower case, without user, port and brackets; `None` where there is none.
pub fn url_host(url: &str) -> Option<String> {
    let (_, after_scheme) = url.split_once("://")?;
    let authority = after_scheme.split(['/', '?', '#', '\\']).next()?;
    let host_and_port = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host_and_port.strip_prefix('[') {
        Some(v6) => v6.split_once(']')?.0,
        None => host_and_port.split(':').next()?,
    };
    let trimmed = host.trim_end_matches('.');
    (!trimmed.is_empty()).then(|| trimmed.to_lowercase())
}

#[derive(Default)]
struct Entities(Vec<Entity>);

impl Entities {
    fn columns(&mut self, event: &Event<'_>) {
        let each = |column: Column, visit: &mut dyn FnMut(&str)| {
            if let Some(value) = event.column(column) {
                value.each_str(visit);
            }
        };
        let user_domain = event.column_text(Column::UserDomain);
        let is_system_domain = user_domain.as_deref().is_some_and(is_system_authority);
        if !is_system_domain {
            each(Column::User, &mut |user| self.account(user));
        }
        each(Column::TargetUser, &mut |user| self.account(user));
        each(Column::Host, &mut |host| self.host(host));
        each(Column::DstHost, &mut |host| self.name(host));
        each(Column::SrcIp, &mut |ip| self.ip(ip));
        each(Column::DstIp, &mut |ip| self.ip(ip));
        each(Column::Domain, &mut |domain| self.name(domain));
        each(Column::Url, &mut |url| self.url(url));
        each(Column::Hash, &mut |hashes| self.hashes(hashes));
        each(Column::File, &mut |path| self.path(EntityKind::File, path));
        each(Column::Process, &mut |path| self.path(EntityKind::Process, path));
        each(Column::Parent, &mut |path| {
            if !is_system_program(path) {
                self.path(EntityKind::Process, path);
            }
        });
        if let Some(session) = event.column(Column::Session) {
            self.session(event.column_text(Column::Host).as_deref(), session);
        }
        each(Column::MailFrom, &mut |list| self.addresses(list));
        each(Column::MailTo, &mut |list| self.addresses(list));
        each(Column::MessageId, &mut |id| self.message_id(id));
    }

    /// A message and those that it contains: what was forwarded or reported is what matters.
    fn message(&mut self, message: &mail::Message<'_>) {
        self.one_message(message);
        for embedded in message.embedded.iter().take(MAX_EMBEDDED) {
            self.one_message(embedded);
        }
        for attachment in message.attachments().take(MAX_ATTACHMENTS) {
            if !attachment.content.is_empty() {
                let sha256 = attachment
                    .sha256
                    .unwrap_or_else(|| Sha256::of(&attachment.content));
                self.push(EntityKind::Hash, &sha256.to_string());
            }
        }
        for recipient in message.recipients().take(MAX_RECIPIENTS) {
            self.address(recipient);
        }
    }

    fn one_message(&mut self, message: &mail::Message<'_>) {
        let senders = message
            .from
            .iter()
            .chain(&message.sender)
            .chain(&message.reply_to);
        for mailbox in senders.take(MAX_SENDERS) {
            self.sender(&mailbox.address);
        }
        if let Some(envelope_sender) = &message.return_path {
            self.sender(envelope_sender);
        }
        if let Some(id) = &message.message_id {
            self.message_id(id);
        }
        for id in message.references.iter().rev().take(MAX_REFERENCES) {
            self.message_id(id);
        }
    }

    fn push(&mut self, kind: EntityKind, value: &str) {
        let Some(entity) = Entity::new(kind, value) else {
            return;
        };
        if self.0.len() < MAX_ENTITIES && !self.0.contains(&entity) {
            self.0.push(entity);
        }
    }

    /// `DOMAIN\user`, `user@domain`, `user` or a SID.
    fn account(&mut self, text: &str) {
        let trimmed = text.trim();
        let (authority, name) = trimmed.split_once('\\').unwrap_or(("", trimmed));
        if is_system_authority(authority) || is_system_account(name) {
            return;
        }
        match name.split_once('@') {
            Some((local, domain)) => {
                if is_system_account(local) {
                    return;
                }
                self.push(EntityKind::Account, local);
                if domain.contains('.') {
                    self.address(name);
                }
            }
            None => self.push(EntityKind::Account, name),
        }
    }

    fn host(&mut self, text: &str) {
        let name = text.trim().trim_start_matches('\\').trim_end_matches('.');
        if parse_ip(name).is_some() {
            self.ip(name);
        } else if !name.eq_ignore_ascii_case("localhost") && name.parse::<IpAddr>().is_err() {
            self.push(EntityKind::Host, name);
        }
    }

    /// A name that may be a DNS name, a computer's bare name or an address.
    fn name(&mut self, text: &str) {
        let name = text.trim().trim_end_matches('.');
        if name.contains('.') && name.parse::<IpAddr>().is_err() {
            self.push(EntityKind::Domain, name);
        } else {
            self.host(name);
        }
    }

    fn ip(&mut self, text: &str) {
        if let Some(address) = parse_ip(text) {
            self.push(EntityKind::Ip, &address.to_string());
        }
    }

    fn url(&mut self, url: &str) {
        self.push(EntityKind::Url, url);
        if let Some(host) = url_host(url) {
            self.name(&host);
        }
    }

    /// A digest, or several as Sysmon writes them: `SHA1=…,MD5=…,SHA256=…,IMPHASH=…`. The import
    /// hash is left out: unrelated programs share it.
    fn hashes(&mut self, text: &str) {
        for part in text.split([',', ';', ' ']) {
            let (algorithm, digest) = part.split_once(['=', ':']).unwrap_or(("", part));
            let is_hexadecimal = digest.bytes().all(|byte| byte.is_ascii_hexdigit());
            let is_known_length = matches!(digest.len(), 32 | 40 | 64);
            let is_of_nothing = digest.bytes().all(|byte| byte == b'0') || is_empty_digest(digest);
            if is_hexadecimal
                && is_known_length
                && !is_of_nothing
                && !algorithm.eq_ignore_ascii_case("IMPHASH")
            {
                self.push(EntityKind::Hash, digest);
            }
        }
    }

    fn path(&mut self, kind: EntityKind, text: &str) {
        let trimmed = text.trim().trim_matches('"');
        let path = trimmed
            .strip_prefix(r"\\?\")
            .or_else(|| trimmed.strip_prefix(r"\??\"))
            .unwrap_or(trimmed);
        if !path.eq_ignore_ascii_case("System") {
            self.push(kind, path);
        }
    }

    /// A logon id is numbered per host, so the host is part of the session's name.
    fn session(&mut self, host: Option<&str>, value: &Value<'_>) {
        /// LocalSystem, LocalService, NetworkService and "no session" (MS-DTYP, winnt.h `SYSTEM_LUID`).
        const BUILT_IN: [i64; 6] = [0x3e7, 0x3e5, 0x3e4, 0x3e6, 0, -1];
        let Some(text) = value.to_text() else {
            return;
        };
        match (value.as_int(), host) {
            (Some(number), _) if BUILT_IN.contains(&number) => {}
            (Some(number), Some(host_name)) => {
                let session = format!("{}/{number:#x}", host_name.trim_end_matches('.'));
                self.push(EntityKind::Session, &session);
            }
            // A bare number without its host would be shared by strangers.
            (Some(_), None) => {}
            (None, _) => self.push(EntityKind::Session, &text),
        }
    }

    fn sender(&mut self, text: &str) {
        self.address(text);
        if let Some((_, domain)) = text.trim_end_matches('>').rsplit_once('@') {
            self.name(domain);
        }
    }

    /// Addresses out of a header-like list: `Anna <anna@parl.example>, ben@parl.example`.
    fn addresses(&mut self, list: &str) {
        for part in list.split([',', ';']).take(MAX_RECIPIENTS) {
            self.address(part);
        }
    }

    fn address(&mut self, text: &str) {
        let inner = match (text.rfind('<'), text.rfind('>')) {
            (Some(open), Some(close)) if open < close => &text[open + 1..close],
            _ => text,
        };
        let address = inner.trim();
        if is_mailbox(address) {
            self.push(EntityKind::Address, address);
        }
    }

    fn message_id(&mut self, text: &str) {
        self.push(
            EntityKind::MessageId,
            text.trim().trim_start_matches('<').trim_end_matches('>'),
        );
    }
}

fn names_a_machine(address: IpAddr) -> bool {
    let is_shared = address.is_loopback() || address.is_unspecified() || address.is_multicast();
    let is_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => is_link_local_v6(v6),
    };
    !is_shared && !is_local
}

fn is_link_local_v6(address: Ipv6Addr) -> bool {
    address.segments()[0] & 0xffc0 == 0xfe80
}

/// Whether accounts of this authority belong to Windows itself. `NT AUTHORITY` is translated in
/// some languages; every translation begins with "NT" or "AUTOR".
fn is_system_authority(authority: &str) -> bool {
    const AUTHORITIES: [&str; 7] = [
        "nt authority",
        "nt service",
        "nt virtual machine",
        "nt-autorität",
        "window manager",
        "font driver host",
        "iis apppool",
    ];
    let folded = authority.trim().to_lowercase();
    AUTHORITIES.contains(&folded.as_str()) || (folded.starts_with("autor") && folded.ends_with(" nt"))
}

fn is_system_account(name: &str) -> bool {
    const ACCOUNTS: [&str; 13] = [
        "system",
        "local system",
        "localsystem",
        "local service",
        "network service",
        "anonymous logon",
        "anonymous",
        "iusr",
        "defaultaccount",
        "-",
        "s-1-0-0",
        "s-1-5-7",
        "wdagutilityaccount",
    ];
    const BUILT_IN_SIDS: [&str; 4] = ["s-1-5-18", "s-1-5-19", "s-1-5-20", "s-1-5-80-"];
    let folded = name.trim().to_lowercase();
    let is_desktop_host = ["dwm-", "umfd-"].iter().any(|prefix| {
        folded
            .strip_prefix(prefix)
            .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
    });
    folded.is_empty()
        || folded.ends_with('$')
        || is_desktop_host
        || ACCOUNTS.contains(&folded.as_str())
        || BUILT_IN_SIDS.iter().any(|sid| folded.starts_with(sid))
}

/// Programs of the system start nearly everything; as a parent they say nothing.
fn is_system_program(path: &str) -> bool {
    let folded = path.to_lowercase();
    let below_drive = folded.get(2..).unwrap_or_default();
    below_drive.starts_with(r"\windows\") && !below_drive.contains(r"\temp\")
}

fn is_empty_digest(digest: &str) -> bool {
    const EMPTY: [&str; 3] = [
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ];
    EMPTY.iter().any(|empty| digest.eq_ignore_ascii_case(empty))
}

/// Whether `text` is an address without quotes or literals (RFC 5322 3.4.1, RFC 6532): logs of attacks hold texts that only look like one,
/// such as `x]@host:444/path`.
fn is_mailbox(text: &str) -> bool {
    let special = |c: char| c.is_whitespace() || c.is_control() || "()<>[]:;@\\,\"".contains(c);
    let of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.') || !c.is_ascii();
    text.rsplit_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !local.contains(special) && domain.contains('.') && domain.chars().all(of_name)
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use blackrod_model::{Class, Field, Position, Timestamp};

    fn event(columns: &[(Column, &'static str)]) -> Event<'static> {
        let mut event = Event::new(Class::PROCESS_ACTIVITY, Timestamp::UNKNOWN, Position::START);
        for (column, text) in columns {
            event.columns.set(*column, event.fields.len());
            event.fields.push(Field::new(column.name(), *text));
        }
        event
    }

    fn names(columns: &[(Column, &'static str)]) -> Vec<String> {
        of(&event(columns)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn the_machine_itself_is_nobody() {
        let nobody = [
            (Column::User, "NT AUTHORITY\\SYSTEM"),
            (Column::User, "NT-AUTORITÄT\\Lokaler Dienst"),
            (Column::User, "AUTORITE NT\\Système"),
            (Column::User, "ANONYMOUS LOGON"),
            (Column::TargetUser, "WS01$"),
            (Column::TargetUser, "WS01$@PARL.EXAMPLE"),
            (Column::User, "DWM-3"),
            (Column::User, "S-1-5-18"),
            (Column::SrcIp, "127.0.0.1"),
            (Column::SrcIp, "::1"),
            (Column::SrcIp, "fe80::1%12"),
            (Column::SrcIp, "0.0.0.0"),
            (Column::Session, "0x3e7"),
            (Column::Session, "0x51ab3"),
            (Column::Hash, "IMPHASH=0123456789ABCDEF0123456789ABCDEF"),
            (Column::Hash, "MD5=D41D8CD98F00B204E9800998ECF8427E"),
        ];
        for (column, text) in nobody {
            assert_eq!(
                names(&[(column, text)]),
                Vec::<String>::new(),
                "{column:?} {text}"
            );
        }
    }

    #[test]
    fn a_system_domain_silences_the_user_column_only() {
        let found = names(&[
            (Column::User, "Netzwerkdienst"),
            (Column::UserDomain, "NT-AUTORITÄT"),
            (Column::TargetUser, "PARL\\Anna"),
        ]);
        assert_eq!(found, ["account anna"]);
    }

    #[test]
    fn columns_become_canonical_entities() {
        let found = names(&[
            (Column::Host, "WS01.parl.example."),
            (Column::User, "PARL\\Anna.Berg"),
            (Column::TargetUser, "Ben@PARL.example"),
            (Column::SrcIp, "::ffff:192.0.2.7"),
            (Column::DstIp, "2001:DB8::0:1"),
            (Column::Url, "https://user@Evil.Example:8443/x?y"),
            (
                Column::Hash,
                "SHA1=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA,IMPHASH=BB",
            ),
            (Column::Session, "334515"),
            (Column::Process, r"\\?\C:\Users\Public\a.exe"),
            (Column::Parent, r"C:\Windows\explorer.exe"),
            (
                Column::MailTo,
                "Anna <anna@parl.example>, x, ben@parl.example, admin]@mail.parl.example:444/ecp/page?#",
            ),
        ]);
        assert_eq!(
            found,
            [
                "account anna.berg",
                "account ben",
                "address ben@parl.example",
                "host ws01.parl.example",
                "ip 192.0.2.7",
                "ip 2001:db8::1",
                "url https://user@evil.example:8443/x?y",
                "domain evil.example",
                "hash aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                r"process c:\users\public\a.exe",
                "session ws01.parl.example/0x51ab3",
                "address anna@parl.example",
            ]
        );
    }

    #[test]
    fn a_mail_to_everybody_stays_bounded() {
        let mut event = event(&[]);
        let mailbox = |text: String| mail::Mailbox {
            name: None,
            address: text.into(),
        };
        event.mail = Some(Box::new(mail::Message {
            from: vec![mailbox("Chair@Lists.Example".to_owned())],
            to: (0..5_000)
                .map(|n| mailbox(format!("m{n}@parl.example")))
                .collect(),
            message_id: Some("abc@lists.example".into()),
            ..mail::Message::default()
        }));
        let found = of(&event);
        assert!(found.len() <= MAX_ENTITIES);
        assert_eq!(found[0].to_string(), "address chair@lists.example");
        assert_eq!(found[1].to_string(), "domain lists.example");
        assert!(found.iter().any(|entity| entity.kind == EntityKind::MessageId));
    }

    #[test]
    fn hosts_of_urls() {
        assert_eq!(
            url_host("HTTP://[2001:db8::1]:80/x").as_deref(),
            Some("2001:db8::1")
        );
        assert_eq!(url_host("ftp://a.b./").as_deref(), Some("a.b"));
        assert_eq!(url_host("mailto:x@y"), None);
        assert_eq!(url_host("http://"), None);
    }
}
