//! Reports about TLS between mail servers (RFC 8460): JSON, an event each.

use blackrod_model::{Class, Column};

use crate::cloud::fill_columns;
use crate::cloud::service::{Service, first_of, has};
use crate::times::read_time;

/// TLS reports.
pub(crate) static TLS: Service = Service {
    name: "tls-report",
    description: "SMTP TLS reports (RFC 8460), also as attachments of mail",
    unwrapped: &[],
    named: &[],
    rename: |_| None,
    is_record: |fields| has(fields, "organization-name") && has(fields, "policies.policy.policy-domain"),
    is_table: |_| false,
    describe: |event| {
        event.class = Class::EMAIL_ACTIVITY;
        event.source.product = "tls-report";
        event.time = first_of(event, &["date-range.start-datetime"])
            .and_then(read_time)
            .unwrap_or_default();
        fill_columns(event, |name| {
            Some(match name {
                "policies.policy.policy-domain" => (Column::Domain, 0),
                "policies.failure-details.sending-mta-ip" => (Column::SrcIp, 0),
                "policies.failure-details.receiving-mx-hostname" => (Column::DstHost, 0),
                "policies.failure-details.result-type" => (Column::Status, 0),
                _ => return None,
            })
        });
    },
};
