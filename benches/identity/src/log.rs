//! The real formats: Entra sign-ins as Graph hands them out, and the unified audit log as NDJSON.

use serde_json::{Value, json};

use crate::random::Random;

/// Where somebody sits, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Spot {
    pub(crate) ip: String,
    pub(crate) system: u32,
    pub(crate) country: &'static str,
    pub(crate) agent: String,
    pub(crate) session: String,
}

/// Records by time; of one day, or of all.
#[derive(Default)]
pub(crate) struct Logs {
    pub(crate) sign_ins: Vec<(i64, String)>,
    pub(crate) audit: Vec<(i64, String)>,
}

pub(crate) const WELL: i64 = 0;
pub(crate) const WRONG_PASSWORD: i64 = 50_126;
pub(crate) const NO_SECOND_FACTOR: i64 = 500_121;

/// The first second of the month: 2 February 2026.
pub(crate) const START: i64 = 1_769_990_400;

impl Logs {
    pub(crate) fn sign_in(&mut self, random: &mut Random, at: i64, user: &str, spot: &Spot, error: i64) {
        self.sign_in_with(random, at, user, spot, error, "Browser", "none");
    }

    #[expect(clippy::too_many_arguments, reason = "a sign-in has so many sides")]
    pub(crate) fn sign_in_with(
        &mut self,
        random: &mut Random,
        at: i64,
        user: &str,
        spot: &Spot,
        error: i64,
        program: &str,
        protocol: &str,
    ) {
        let reason = match error {
            WELL => "Other.",
            NO_SECOND_FACTOR => "Authentication failed during strong authentication request.",
            _ => "Error validating credentials due to invalid username or password.",
        };
        let record = json!({
            "id": id(random), "createdDateTime": time(at), "userDisplayName": user, "userPrincipalName": user,
            "userId": format!("{:x}", stable(user)), "appId": "4765445b-32c6-49b0-83e6-1d93765276ca",
            "appDisplayName": "OfficeHome", "ipAddress": spot.ip, "clientAppUsed": program,
            "conditionalAccessStatus": "success", "isInteractive": true, "correlationId": id(random),
            "sessionId": spot.session, "autonomousSystemNumber": spot.system, "userAgent": spot.agent,
            "authenticationProtocol": protocol, "riskDetail": "none", "riskLevelAggregated": "none",
            "riskLevelDuringSignIn": "none", "riskState": "none", "resourceDisplayName": "OfficeHome",
            "status": {"errorCode": error, "failureReason": reason, "additionalDetails": null},
            "deviceDetail": {"deviceId": "", "displayName": "", "operatingSystem": "Windows10"},
            "location": {"city": "", "state": "", "countryOrRegion": spot.country},
        });
        self.sign_ins.push((at, record.to_string()));
    }

    /// A record of the audit log; `more` are its own members.
    pub(crate) fn audit(
        &mut self,
        random: &mut Random,
        at: i64,
        user: &str,
        (workload, operation): (&str, &str),
        spot: &Spot,
        more: Value,
    ) {
        let mut record = json!({
            "CreationTime": &time(at)[..19], "Id": id(random), "Operation": operation,
            "OrganizationId": "8d4121ed-0008-406d-bff9-0d5bb312183c", "RecordType": 2, "ResultStatus": "Success",
            "UserKey": format!("{:x}", stable(user)), "UserType": 0, "Version": 1, "Workload": workload,
            "UserId": user, "ClientIP": spot.ip, "ClientInfoString": spot.agent,
        });
        if let (Some(record), Value::Object(more)) = (record.as_object_mut(), more) {
            record.extend(more);
        }
        self.audit.push((at, record.to_string()));
    }

    pub(crate) fn directory(
        &mut self,
        random: &mut Random,
        at: i64,
        who: &str,
        operation: &str,
        on: &str,
        changed: &[(&str, &str)],
    ) {
        let changed: Vec<Value> = changed
            .iter()
            .map(|(name, value)| json!({"Name": name, "NewValue": value, "OldValue": ""}))
            .collect();
        let nowhere = Spot {
            ip: String::new(),
            system: 0,
            country: "",
            agent: String::new(),
            session: String::new(),
        };
        let more = json!({"ObjectId": on, "ModifiedProperties": changed, "RecordType": 8});
        self.audit(
            random,
            at,
            who,
            ("AzureActiveDirectory", operation),
            &nowhere,
            more,
        );
    }

    pub(crate) fn cmdlet(
        &mut self,
        random: &mut Random,
        at: i64,
        user: &str,
        spot: &Spot,
        operation: &str,
        parameters: &[(&str, &str)],
    ) {
        let parameters: Vec<Value> = parameters
            .iter()
            .map(|(name, value)| json!({"Name": name, "Value": value}))
            .collect();
        let more =
            json!({"Parameters": parameters, "RecordType": 1, "ResultStatus": "True", "ObjectId": "mailbox"});
        self.audit(random, at, user, ("Exchange", operation), spot, more);
    }

    /// Messages read one by one (`Bind`) or a folder copied (`Sync`).
    pub(crate) fn mail_read(&mut self, random: &mut Random, at: i64, user: &str, spot: &Spot, items: i64) {
        let kind = if items == 0 { "Sync" } else { "Bind" };
        let messages: Vec<Value> = (0..items)
            .map(|_| json!({"InternetMessageId": format!("<{:x}@mail.example>", random.next()), "SizeInBytes": 20_000}))
            .collect();
        let more = json!({
            "RecordType": 50, "MailboxOwnerUPN": user, "OperationCount": items.max(1), "LogonType": 0,
            "SessionId": spot.session,
            "OperationProperties": [{"Name": "MailAccessType", "Value": kind}, {"Name": "IsThrottled", "Value": "False"}],
            "Folders": [{"Id": "LgAAAAB", "Path": "\\Inbox", "FolderItems": messages}],
        });
        self.audit(random, at, user, ("Exchange", "MailItemsAccessed"), spot, more);
    }
}

/// `2026-02-02T08:00:00Z`
pub(crate) fn time(at: i64) -> String {
    let (day, second) = (at.div_euclid(86_400), at.rem_euclid(86_400));
    // Days to a date, after Howard Hinnant's algorithm.
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let doe = z.rem_euclid(146_097);
    let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
    let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    let mp = (5 * doy + 2) / 153;
    let (d, m) = (
        doy - (153 * mp + 2) / 5 + 1,
        if mp < 10 { mp + 3 } else { mp - 9 },
    );
    let y = yoe + era * 400 + i64::from(m <= 2);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{y:04}-{m:02}-{d:02}T{hour:02}:{minute:02}:{:02}Z", second % 60)
}

fn id(random: &mut Random) -> String {
    let (a, b) = (random.next(), random.next());
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        a >> 32,
        (a >> 16) & 0xffff,
        a & 0xffff,
        b >> 48,
        b & 0xffff_ffff_ffff
    )
}

fn stable(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
