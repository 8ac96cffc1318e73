//! How telling an entity is by its kind and nature, before anything is counted.

use std::net::IpAddr;

use blackrod_model::{Entity, EntityKind};

use crate::common::COMMON;
use crate::people::{People, short_host};

/// What sharing an entity says by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prior {
    /// How much it says: 0 nothing, 1 what a shared host says, 3 what a shared digest says.
    pub(crate) weight: f64,
    /// The time after which it says 1/e of that, in hours.
    pub(crate) decay_hours: f64,
    /// Whether it is the estate's own: a host, an account, a recipient.
    pub(crate) own: bool,
}

impl Prior {
    const NOTHING: Self = Self {
        weight: 0.0,
        decay_hours: 1.0,
        own: false,
    };

    const fn own(weight: f64, decay_hours: f64) -> Self {
        Self {
            weight,
            decay_hours,
            own: true,
        }
    }

    const fn foreign(weight: f64, decay_hours: f64) -> Self {
        Self {
            weight,
            decay_hours,
            own: false,
        }
    }
}

const DAY: f64 = 24.0;

/// What it says that two findings are about one record: enough to tie them whatever they share.
pub(crate) const SAME_RECORD: Prior = Prior::foreign(10.0, DAY);

/// What sharing a person of the estate says, by whichever account or address.
pub(crate) const SAME_PERSON: Prior = Prior::own(1.0, 12.0);

/// What sharing `entity` says.
pub(crate) fn prior(entity: &Entity, people: &People<'_>) -> Prior {
    let value = entity.value.as_str();
    if COMMON.contains(entity.kind, value) {
        return Prior::NOTHING;
    }
    match entity.kind {
        EntityKind::Account => account(value),
        EntityKind::Address => address(value, people),
        EntityKind::Host => host(value, people),
        EntityKind::Ip => ip(value, people),
        EntityKind::Domain => domain(value, people),
        EntityKind::Url => url(value, people),
        EntityKind::File | EntityKind::Process => Prior::foreign(1.2 * place(value), 2.0 * DAY),
        EntityKind::Hash => Prior::foreign(3.0, 90.0 * DAY),
        EntityKind::Session => session(value),
        EntityKind::MessageId => Prior::foreign(3.0, 30.0 * DAY),
        // The mail detector has judged them to be one operation already.
        EntityKind::MailCampaign => Prior::foreign(6.0, 90.0 * DAY),
    }
}

/// How much a file's name and place say: 0 for a program of the system by its known name, 0.3 for
/// anything else in a folder that only installers write to, 1 elsewhere.
pub(crate) fn place(path: &str) -> f64 {
    let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
    let has_folder = name.len() < path.len();
    let in_system = SYSTEM_FOLDERS.iter().any(|folder| path.contains(folder))
        && !WRITABLE_FOLDERS.iter().any(|folder| path.contains(folder));
    let is_common_name = COMMON.contains(EntityKind::Process, name);
    match (is_common_name, in_system, has_folder) {
        // The system's own program, or a bare name that may be it.
        (true, true, _) | (true, _, false) => 0.0,
        (false, true, _) => 0.3,
        // A system program's name elsewhere is a disguise.
        _ => 1.0,
    }
}

const SYSTEM_FOLDERS: [&str; 6] = [
    "\\windows\\",
    "\\program files\\",
    "\\program files (x86)\\",
    "\\systemroot\\",
    "/usr/",
    "/bin/",
];

const WRITABLE_FOLDERS: [&str; 5] = [
    "\\windows\\temp\\",
    "\\windows\\tasks\\",
    "\\windows\\system32\\tasks\\",
    "\\windows\\debug\\",
    "\\spool\\drivers\\",
];

fn account(value: &str) -> Prior {
    if is_service_account(value) {
        return Prior::NOTHING;
    }
    // A machine's own account says what its host says; the built-in administrator is on every host.
    let is_machine = value.ends_with('$');
    let is_built_in = matches!(
        value,
        "administrator" | "administrateur" | "administrador" | "admin"
    );
    let weight = if is_machine || is_built_in { 0.5 } else { 1.0 };
    Prior::own(weight, 12.0)
}

/// Accounts that Windows numbers: window managers, font hosts, application pools.
fn is_service_account(value: &str) -> bool {
    let numbered = ["dwm-", "umfd-"].iter().any(|prefix| {
        value
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
    });
    numbered
        || [
            "nt service\\",
            "nt authority\\",
            "iis apppool\\",
            "s-1-5-80-",
            "s-1-5-90-",
        ]
        .iter()
        .any(|prefix| value.starts_with(prefix))
}

fn address(value: &str, people: &People<'_>) -> Prior {
    let Some((local, domain)) = value.rsplit_once('@') else {
        return Prior::foreign(1.0, 7.0 * DAY);
    };
    if people.is_own_domain(domain) {
        return Prior::own(1.0, 12.0);
    }
    if !COMMON.contains_domain(domain) {
        return Prior::foreign(
            if people.is_partner_domain(domain) {
                1.0
            } else {
                2.5
            },
            14.0 * DAY,
        );
    }
    // A provider's own robots write to everybody; one customer of theirs is one sender.
    let is_robot = ROBOTS.iter().any(|robot| local.contains(robot));
    if is_robot {
        Prior::NOTHING
    } else {
        Prior::foreign(1.2, 7.0 * DAY)
    }
}

const ROBOTS: [&str; 10] = [
    "noreply",
    "no-reply",
    "no_reply",
    "donotreply",
    "do-not-reply",
    "daemon",
    "postmaster",
    "notification",
    "abuse",
    "support",
];

fn host(value: &str, people: &People<'_>) -> Prior {
    let short = short_host(value);
    if COMMON.contains(EntityKind::Host, short) {
        return Prior::NOTHING;
    }
    // Many people's activity meets on a server: by itself it ties only what happens within the hour.
    Prior::own(if people.is_server(short) { 0.6 } else { 1.0 }, 6.0)
}

fn ip(value: &str, people: &People<'_>) -> Prior {
    let Ok(parsed) = value.parse::<IpAddr>() else {
        return Prior::NOTHING;
    };
    let address = parsed.to_canonical();
    if COMMON.contains_ip(address) {
        return Prior::NOTHING;
    }
    if is_private(address) || people.is_own_ip(address) {
        return Prior::own(0.8, 6.0);
    }
    Prior::foreign(2.5, 14.0 * DAY)
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_private() || matches!(v4.octets(), [100, 64..=127, ..]),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

fn domain(value: &str, people: &People<'_>) -> Prior {
    let name = value.trim_end_matches('.');
    let is_local = !name.contains('.')
        || [
            ".local",
            ".lan",
            ".localdomain",
            ".internal",
            ".corp",
            ".home",
            ".arpa",
        ]
        .iter()
        .any(|suffix| name.ends_with(suffix));
    if is_local || people.is_own_domain(name) || COMMON.contains_domain(name) {
        return Prior::NOTHING;
    }
    Prior::foreign(if people.is_partner_domain(name) { 0.3 } else { 3.0 }, 30.0 * DAY)
}

fn url(value: &str, people: &People<'_>) -> Prior {
    let rest = value.split_once("://").map_or(value, |(_, rest)| rest);
    let (authority, path) = match rest.find(['/', '?', '#']) {
        Some(end) => rest.split_at(end),
        None => (rest, ""),
    };
    let name = host_of_authority(authority);
    if people.is_own_domain(name) {
        return Prior::own(0.3, 12.0);
    }
    let is_common =
        COMMON.contains_domain(name) || name.parse().is_ok_and(|address| COMMON.contains_ip(address));
    // One document on a common service is as good as a domain; the service's front page is nothing.
    match (is_common, path.len() > 8) {
        (false, _) => Prior::foreign(3.0, 30.0 * DAY),
        (true, true) => Prior::foreign(1.5, 7.0 * DAY),
        (true, false) => Prior::NOTHING,
    }
}

/// The host of `user:password@host:port`.
fn host_of_authority(authority: &str) -> &str {
    let after_user = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    match after_user.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => after_user.split(':').next().unwrap_or(after_user),
    }
}

/// Windows gives its own services the same logon ids on every host and at every start.
fn session(value: &str) -> Prior {
    let mut words = value.split(|c: char| !c.is_ascii_alphanumeric());
    if words.any(|word| matches!(word, "0x0" | "0x3e3" | "0x3e4" | "0x3e5" | "0x3e7")) {
        return Prior::NOTHING;
    }
    Prior::foreign(3.0, 2.0 * DAY)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use blackrod_model::Estate;

    use super::*;

    fn weight(kind: EntityKind, value: &str) -> f64 {
        let estate = Estate {
            organisations: vec![blackrod_model::estate::Organisation {
                domains: vec!["parliament.example".to_owned()],
                ..Default::default()
            }],
            ..Default::default()
        };
        prior(&Entity::new(kind, value).unwrap(), &People::new(&estate)).weight
    }

    #[test]
    fn common_values_say_nothing() {
        for (kind, value) in [
            (EntityKind::Account, "SYSTEM"),
            (EntityKind::Account, "DWM-1"),
            (EntityKind::Account, "NT AUTHORITY\\SYSTEM"),
            (
                EntityKind::Account,
                "AUTORITE NT\\Système".rsplit('\\').next().unwrap(),
            ),
            (EntityKind::Ip, "127.0.0.1"),
            (EntityKind::Ip, "::1"),
            (EntityKind::Ip, "::ffff:127.0.0.1"),
            (EntityKind::Ip, "fe80::1"),
            (EntityKind::Host, "localhost"),
            (EntityKind::Domain, "gmail.com"),
            (EntityKind::Domain, "parliament.example"),
            (EntityKind::Address, "no-reply@accounts.google.com"),
            (EntityKind::Process, "C:\\Windows\\System32\\cmd.exe"),
            (EntityKind::Process, "cmd.exe"),
            (EntityKind::Session, "ws-014:0x3e7"),
            (EntityKind::Url, "https://www.google.com/"),
            (EntityKind::Hash, "d41d8cd98f00b204e9800998ecf8427e"),
        ] {
            assert_eq!(weight(kind, value), 0.0, "{value}");
        }
    }

    #[test]
    fn what_belongs_to_one_operation_says_most() {
        let of_host = weight(EntityKind::Host, "ws-014");
        for (kind, value) in [
            (EntityKind::Hash, "0d1f8a"),
            (EntityKind::Ip, "203.0.113.7"),
            (EntityKind::Domain, "parliament-login.example.net"),
            (EntityKind::Url, "https://parliament-login.example.net/x"),
            (EntityKind::Session, "ws-014:0x51a2b"),
            (EntityKind::Address, "clerk@sender.example"),
        ] {
            assert!(weight(kind, value) >= 2.0 * of_host, "{value}");
        }
    }

    #[test]
    fn a_system_name_in_the_wrong_place_is_a_disguise() {
        assert_eq!(place("c:\\windows\\system32\\svchost.exe"), 0.0);
        assert_eq!(place("c:\\users\\public\\svchost.exe"), 1.0);
        assert_eq!(place("c:\\windows\\temp\\lsass.dmp"), 1.0);
        assert!(place("c:\\windows\\system32\\unusual.exe") < 0.5);
    }
}
