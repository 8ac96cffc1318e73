//! Names that logs of many makers use for the same thing.

use std::sync::LazyLock;

use blackrod_model::Column;
use rustc_hash::FxHashMap;

use super::map::{Claim, Claims, Target};

/// What a field of this name claims to be when no field map says so. Case does not matter, and
/// blanks, dots, hyphens and underscores are the same: `Source IP` is `source_ip`.
pub(super) fn claims_of(name: &str) -> &'static [Claim] {
    static COMMON: LazyLock<Claims> = LazyLock::new(common_claims);
    let mut simple = String::with_capacity(name.len());
    simplify(name, &mut simple);
    COMMON.get(&simple).map_or(&[], Vec::as_slice)
}

/// Claims of a field map come first; these begin behind the last of them.
pub(super) const FIRST_RANK: u16 = 1_000;

fn simplify(name: &str, into: &mut String) {
    let simple = |character: char| match character {
        ' ' | '.' | '-' | '@' => '_',
        other => other.to_ascii_lowercase(),
    };
    into.extend(name.trim().chars().map(simple));
}

fn common_claims() -> Claims {
    let mut claims = FxHashMap::default();
    let mut add = |target: Target, names: &str| {
        for (rank, name) in names.split_whitespace().enumerate() {
            let rank = FIRST_RANK + u16::try_from(rank).unwrap_or(u16::MAX - FIRST_RANK);
            claims
                .entry(name.to_owned())
                .or_insert_with(Vec::new)
                .push(Claim { target, rank });
        }
    };
    add(Target::Time, TIMES);
    for (column, names) in COLUMNS {
        add(Target::Column(*column), names);
    }
    claims
}

/// The best name of a kind comes first.
const TIMES: &str = "_timestamp timestamp event_time eventtime time datetime date_time _time ts \
    created_at createdat creationtime created time_created timecreated occurred_at event_created \
    start_time starttime when logged_at received_at date";

const COLUMNS: &[(Column, &str)] = &[
    (
        Column::Host,
        "host hostname host_name computer computername computer_name device device_name devicename \
         machine server",
    ),
    (
        Column::User,
        "user username user_name userid user_id account account_name login user_principal_name \
         userprincipalname upn actor principal src_user",
    ),
    (Column::UserDomain, "user_domain userdomain account_domain"),
    (
        Column::TargetUser,
        "target_user targetuser dst_user target_user_name",
    ),
    (
        Column::SrcIp,
        "src_ip srcip source_ip sourceip source_address src_addr srcaddr source_ip_address client_ip \
         clientip c_ip client_address remote_ip remote_addr remote_address ip_address ipaddress ip src \
         source_ip_addr sourceipaddress id_orig_h",
    ),
    (
        Column::SrcPort,
        "src_port srcport source_port sourceport client_port id_orig_p",
    ),
    (
        Column::DstIp,
        "dst_ip dstip dest_ip destination_ip destinationip destination_address dst_addr dstaddr \
         dest_addr server_ip s_ip dst id_resp_h",
    ),
    (
        Column::DstPort,
        "dst_port dstport dest_port destination_port destinationport server_port id_resp_p",
    ),
    (
        Column::DstHost,
        "dst_host dest_host destination_host destination_hostname destination_domain",
    ),
    (
        Column::Process,
        "process process_name process_path process_executable image exe program",
    ),
    (Column::Pid, "pid process_pid process_id"),
    (
        Column::CommandLine,
        "command_line commandline process_command_line cmdline cmd command",
    ),
    (
        Column::Parent,
        "parent parent_process parent_image process_parent_executable process_parent_name",
    ),
    (
        Column::ParentCommandLine,
        "parent_command_line parent_commandline process_parent_command_line",
    ),
    (Column::File, "file file_path filepath filename file_name path"),
    (
        Column::Hash,
        "hash sha256 file_hash hashes file_hash_sha256 sha1 md5",
    ),
    (
        Column::Url,
        "url uri request_url url_full url_original request_uri cs_uri_stem link",
    ),
    (
        Column::Domain,
        "domain query dns_question_name query_name fqdn dns_query",
    ),
    (
        Column::UserAgent,
        "user_agent useragent user_agent_original http_user_agent cs(user_agent)",
    ),
    (Column::Session, "session session_id sessionid logon_id"),
    (Column::RegistryKey, "registry_key registry_path"),
    (Column::Service, "service_name"),
    (
        Column::Action,
        "action event_action activity operation event method event_type eventtype",
    ),
    (
        Column::Status,
        "status result outcome event_outcome status_code sc_status response_code",
    ),
    (
        Column::MailFrom,
        "mail_from from sender sender_address from_address",
    ),
    (
        Column::MailTo,
        "mail_to to recipient recipients recipient_address to_address",
    ),
    (Column::Subject, "subject mail_subject email_subject"),
    (
        Column::MessageId,
        "message_id messageid internet_message_id internetmessageid",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_of_names_does_not_matter() {
        for name in ["Source IP", "source.ip", "source-ip", " SOURCE_IP "] {
            assert!(
                matches!(claims_of(name), [claim] if claim.target == Target::Column(Column::SrcIp)),
                "{name}"
            );
        }
        assert!(matches!(claims_of("@timestamp"), [claim] if claim.target == Target::Time));
        assert!(claims_of("flavour").is_empty());
    }

    #[test]
    fn no_name_is_listed_twice_for_one_column() {
        for (name, claims) in common_claims() {
            assert_eq!(claims.len(), 1, "{name}: {claims:?}");
        }
    }
}
