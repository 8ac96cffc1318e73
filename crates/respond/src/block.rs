//! Block lists from a campaign's infrastructure. What many others use too (mass-mail services, shared hosts) must not be among
//! it: the caller says what is shared, and it is listed as left out.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::net::IpAddr;

use blackrod_model::mail::MailCampaign;

/// What a campaign was sent from and reports to.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Infrastructure {
    /// Senders' addresses.
    pub senders: BTreeSet<String>,
    /// Hosts that messages load from or lead to.
    pub hosts: BTreeSet<String>,
    /// Addresses that messages entered from.
    pub addresses: BTreeSet<IpAddr>,
    /// What was left out, because it is shared or not well-formed.
    pub left_out: BTreeSet<String>,
}

impl Infrastructure {
    /// That of `campaign`, without hosts and senders' domains that are `shared` with others. `addresses` are those that its messages
    /// entered from and that nobody else sends from.
    pub fn of(campaign: &MailCampaign, addresses: &[IpAddr], shared: &dyn Fn(&str) -> bool) -> Self {
        let mut found = Self {
            addresses: addresses.iter().copied().collect(),
            ..Self::default()
        };
        for message in &campaign.messages {
            found.sender(&message.from.to_ascii_lowercase());
        }
        for used in &campaign.templates {
            let rest = used
                .template
                .split_once("://")
                .map_or(used.template.as_str(), |(_, rest)| rest);
            let host = rest
                .split(['/', '?', '#'])
                .next()
                .unwrap_or_default()
                .to_ascii_lowercase();
            // A label that varies is left off: its parent is what is blocked.
            let host = host.rsplit_once("}.").map_or(host.as_str(), |(_, parent)| parent);
            let host = host.split(':').next().unwrap_or_default();
            found.host(host, shared);
        }
        found
    }

    /// A sender is blocked by its whole address, which nobody shares.
    pub(crate) fn sender(&mut self, address: &str) {
        let is_address = address
            .split_once('@')
            .is_some_and(|(local, domain)| is_local(local) && is_host(domain));
        let list = if is_address {
            &mut self.senders
        } else {
            &mut self.left_out
        };
        list.insert(address.to_owned());
    }

    pub(crate) fn host(&mut self, host: &str, shared: &dyn Fn(&str) -> bool) {
        let is_blockable = is_host(host) && !shared(host);
        let list = if is_blockable {
            &mut self.hosts
        } else {
            &mut self.left_out
        };
        list.insert(host.to_owned());
    }
}

/// A table for Postfix's `check_sender_access` (access(5)): each sender with `action`, `REJECT` or `HOLD`.
pub fn postfix_access(found: &Infrastructure, action: &str, campaign: &str) -> String {
    let mut table = format!(
        "# {}: check_sender_access, postmap this file\n",
        one_line(campaign)
    );
    for sender in &found.senders {
        let _ = writeln!(
            table,
            "{sender}\t{} blackrod {}",
            one_line(action),
            one_line(campaign)
        );
    }
    table
}

/// A response policy zone (draft-vixie-dnsop-dns-rpz): the hosts and all below them do not exist.
pub fn rpz_zone(found: &Infrastructure, zone: &str, serial: u32) -> String {
    let zone = zone.trim_end_matches('.');
    let mut text = format!(
        "$TTL 300\n@ IN SOA localhost. hostmaster.{zone}. {serial} 3600 600 86400 300\n@ IN NS localhost.\n"
    );
    for host in &found.hosts {
        let _ = write!(text, "{host} CNAME .\n*.{host} CNAME .\n");
    }
    text
}

/// Sets for nftables and the chain that drops what goes to and comes from them: `nft -f`.
pub fn nftables(found: &Infrastructure) -> String {
    let list = |is_wanted: fn(&IpAddr) -> bool| {
        let all: Vec<String> = found
            .addresses
            .iter()
            .filter(|ip| is_wanted(ip))
            .map(IpAddr::to_string)
            .collect();
        match all.is_empty() {
            true => String::new(),
            false => format!("\n    elements = {{ {} }}", all.join(", ")),
        }
    };
    let (four, six) = (list(IpAddr::is_ipv4), list(IpAddr::is_ipv6));
    format!(
        "table inet blackrod {{\n  set blocked4 {{\n    type ipv4_addr{four}\n  }}\n  set blocked6 {{\n    type ipv6_addr{six}\n  }}\n  \
         chain out {{\n    type filter hook output priority 0; policy accept;\n    ip daddr @blocked4 drop\n    ip6 daddr @blocked6 drop\n  }}\n  \
         chain in {{\n    type filter hook input priority 0; policy accept;\n    ip saddr @blocked4 drop\n    ip6 saddr @blocked6 drop\n  }}\n}}\n"
    )
}

fn is_host(host: &str) -> bool {
    let is_label = |label: &str| {
        !label.is_empty()
            && label.len() < 64
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    host.contains('.') && host.len() < 254 && host.parse::<IpAddr>().is_err() && host.split('.').all(is_label)
}

fn is_local(local: &str) -> bool {
    !local.is_empty()
        && local
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~.".contains(&byte))
        && !local.starts_with('#')
}

fn one_line(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use blackrod_model::mail::{CampaignMessage, TemplateUse};

    use super::*;

    #[test]
    fn what_is_shared_or_malformed_is_left_out() {
        let template = |template: &str| TemplateUse {
            template: template.into(),
            ..TemplateUse::default()
        };
        let message = |from: &str| CampaignMessage {
            from: from.into(),
            ..CampaignMessage::default()
        };
        let campaign = MailCampaign {
            messages: vec![message("News@Desk.example"), message("x y\n@evil.example")],
            templates: vec![
                template("https://{hex:8}.pixel.example/o.gif"),
                template("https://esp.example/t"),
                template("https://a b/"),
            ],
            ..MailCampaign::default()
        };
        let found = Infrastructure::of(&campaign, &["192.0.2.7".parse().unwrap()], &|host| {
            host == "esp.example"
        });
        assert_eq!(found.senders.iter().collect::<Vec<_>>(), ["news@desk.example"]);
        assert_eq!(found.hosts.iter().collect::<Vec<_>>(), ["pixel.example"]);
        assert_eq!(found.left_out.len(), 3);
        assert!(
            postfix_access(&found, "REJECT", "M-1\nx").ends_with("news@desk.example\tREJECT blackrod M-1x\n")
        );
        assert!(
            rpz_zone(&found, "rpz.example.", 7).ends_with("pixel.example CNAME .\n*.pixel.example CNAME .\n")
        );
        assert!(nftables(&found).contains("type ipv4_addr\n    elements = { 192.0.2.7 }"));
    }
}
