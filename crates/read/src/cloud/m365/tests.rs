#![allow(clippy::unwrap_used)]

use blackrod_model::{Class, Column, Timestamp, Value};

use super::UnifiedAuditLog;
use crate::Format as _;
use crate::harness::{Kept, Reading, read, read_in_pieces};

/// An inbox rule as the audit log tells it.
const RULE: &str = r#"{"CreationTime":"2024-02-04T22:49:32","Id":"3afb17e9-3e04-4b8c-3bc4-08dc25d38dd4","Operation":"New-InboxRule","OrganizationId":"7c1aec86-7bc7-44d0-a01c-72c2f196f29b","RecordType":1,"ResultStatus":"True","UserKey":"1003","UserType":2,"Version":1,"Workload":"Exchange","ClientIP":"[2001:DB8::7]:14204","ObjectId":"house\\anna","UserId":"Anna@House.example","Parameters":[{"Name":"Name","Value":"."},{"Name":"ForwardTo","Value":"x@mail.example"},{"Name":"DeleteMessage","Value":"True"}],"SessionId":"c3a0b190-e9c0-42ce-b987-91b4eccfc985"}"#;

fn pascal_shape() -> String {
    format!("{RULE}\n")
}

fn shapes() -> Vec<(&'static str, String)> {
    let quoted = RULE.replace('\\', r"\\").replace('"', "\\\"");
    let doubled = RULE.replace('"', "\"\"");
    let camel = RULE
        .replace("\"CreationTime\"", "\"creationTime\"")
        .replace("\"ClientIP\"", "\"clientIp\"")
        .replace("\"Operation\"", "\"operation\"")
        .replace("\"Id\"", "\"id\"")
        .replace("\"Workload\"", "\"workload\"")
        .replace("\"Parameters\"", "\"parameters\"")
        .replace("\"UserId\"", "\"userId\"");
    let graph_outer = r#""id":"3afb17e9-3e04-4b8c-3bc4-08dc25d38dd4","createdDateTime":"2024-02-04T22:49:32Z","auditLogRecordType":"exchangeAdmin","operation":"New-InboxRule","userPrincipalName":"Anna@House.example","clientIp":"[2001:DB8::7]:14204""#;
    vec![
        ("ndjson", pascal_shape()),
        ("management API", format!("[{RULE}]")),
        (
            "old CSV",
            format!(
                "\"RecordType\",\"CreationDate\",\"UserIds\",\"Operations\",\"AuditData\",\"ResultIndex\",\"ResultCount\",\"Identity\"\r\n\"ExchangeAdmin\",\"2/4/2024 10:49:32 PM\",\"Anna@House.example\",\"New-InboxRule\",\"{doubled}\",\"1\",\"1\",\"3afb17e9-3e04-4b8c-3bc4-08dc25d38dd4\"\r\n"
            ),
        ),
        (
            "Purview CSV",
            format!(
                "\u{FEFF}RecordId,CreationDate,RecordType,Operation,UserId,AuditData,AssociatedAdminUnits\n3afb17e9-3e04-4b8c-3bc4-08dc25d38dd4,2024-02-04T22:49:32.0000000Z,1,New-InboxRule,Anna@House.example,\"{doubled}\",\n"
            ),
        ),
        (
            "AuditData as a string",
            format!(
                r#"[{{"RecordType":"ExchangeAdmin","CreationDate":"2024-02-04T22:49:32Z","ResultIndex":1,"ResultCount":1,"AuditData":"{quoted}"}}]"#
            ),
        ),
        (
            "AuditData as an object",
            format!(r#"{{"Identity":"x","AuditData":{RULE}}}"#),
        ),
        (
            "Graph",
            format!(
                r#"{{"@odata.context":"https://graph.example/x","value":[{{{graph_outer},"auditData":{RULE}}}]}}"#
            ),
        ),
        (
            "Graph, camelCase throughout",
            format!(r#"{{{graph_outer},"auditData":{camel}}}"#),
        ),
    ]
}

fn read_recognised(text: &str) -> Reading {
    assert!(
        UnifiedAuditLog.recognise(text.as_bytes()),
        "not recognised: {text}"
    );
    read(&UnifiedAuditLog, text.as_bytes()).unwrap()
}

fn assert_is_the_rule(shape: &str, event: &Kept) {
    assert_eq!(event.class, Class::ENTITY_MANAGEMENT, "{shape}");
    assert_eq!(
        event.time,
        Timestamp::parse("2024-02-04T22:49:32Z").unwrap(),
        "{shape}"
    );
    assert_eq!(
        (
            event.product,
            event.channel.as_str(),
            event.provider.as_str(),
            event.event_id
        ),
        ("m365", "UnifiedAuditLog/Exchange", "Exchange", 1),
        "{shape}"
    );
    for (name, value) in [
        ("Operation", "New-InboxRule"),
        ("ClientIP", "[2001:DB8::7]:14204"),
        ("Parameters.ForwardTo", "x@mail.example"),
        ("Parameters.Name", "."),
        (
            "Parameters",
            "Name, ., ForwardTo, x@mail.example, DeleteMessage, True",
        ),
        ("Id", "3afb17e9-3e04-4b8c-3bc4-08dc25d38dd4"),
    ] {
        assert_eq!(
            event.get(name),
            Some(value),
            "{shape}: {name} in {:?}",
            event.fields
        );
    }
    for (column, value) in [
        (Column::User, "anna@house.example"),
        (Column::SrcIp, "2001:db8::7"),
        (Column::SrcPort, "14204"),
        (Column::Action, "New-InboxRule"),
        (Column::Status, "True"),
        (Column::Session, "c3a0b190-e9c0-42ce-b987-91b4eccfc985"),
    ] {
        assert_eq!(event.column(column), Some(value), "{shape}: {}", column.name());
    }
}

#[test]
fn every_shape_is_one_record() {
    for (shape, text) in shapes() {
        let reading = read_recognised(&text);
        assert_eq!(reading.refusals, [], "{shape}");
        assert_eq!(reading.events.len(), 1, "{shape}");
        assert_is_the_rule(shape, &reading.events[0]);
    }
}

#[test]
fn the_same_id_is_dropped_and_counted_in_every_shape() {
    let other = RULE.replace("3afb17e9", "4afb17e9");
    for (shape, text) in shapes() {
        let (head, record, tail) = match shape {
            "old CSV" | "Purview CSV" => {
                let (head, row) = text.split_once('\n').unwrap();
                (format!("{head}\n"), row.to_owned(), String::new())
            }
            "Graph" => {
                let start = text.find("[{").unwrap() + 1;
                (
                    text[..start].to_owned(),
                    text[start..text.len() - 2].to_owned(),
                    "]}".to_owned(),
                )
            }
            _ => (
                String::new(),
                text.trim_matches(['[', ']', '\n']).to_owned(),
                String::new(),
            ),
        };
        let other_record = record.replace("3afb17e9", "4afb17e9");
        let separator = match (head.as_str(), tail.as_str()) {
            ("", "") => "\n",
            (_, "]}") => ",\n",
            _ => "",
        };
        let records = [record.as_str(), &other_record, &record, &record].join(separator);
        let reading = read_recognised(&format!("{head}{records}{tail}\n"));
        assert_eq!(reading.events.len(), 2, "{shape}: {:?}", reading.refusals);
        let numbers: Vec<_> = reading.events.iter().map(|event| event.at.record).collect();
        assert_eq!(numbers, [1, 2], "{shape}");
        let repeated: Vec<_> = reading
            .refusals
            .iter()
            .filter(|refusal| refusal.records > 0)
            .collect();
        assert_eq!(repeated.len(), 1, "{shape}: {:?}", reading.refusals);
        assert_eq!((repeated[0].records, repeated[0].at.record), (2, 3), "{shape}");
        assert!(repeated[0].reason.contains("same record again"));
    }
    // An identifier within the record is not its own.
    let with_inner = |id: &str| {
        format!(
            r#"{{"Alerts":[{{"Id":"11111111-2222-3333-4444-555555555555"}}],"CreationTime":"2024-02-04T22:49:32","Id":"{id}","Operation":"x","Workload":"y"}}"#
        )
    };
    let first = with_inner("aaaaaaaa-3e04-4b8c-3bc4-08dc25d38dd4");
    let second = with_inner("bbbbbbbb-3e04-4b8c-3bc4-08dc25d38dd4");
    let reading = read_recognised(&format!("{first}\n{second}\n{other}\n"));
    assert_eq!((reading.events.len(), reading.refusals.len()), (3, 0));
}

#[test]
fn results_that_are_not_there_are_told() {
    let head = "RecordType,CreationDate,UserIds,Operations,AuditData,ResultIndex,ResultCount\n";
    let row = |id: u32, index: i32, count: i32| {
        let record = RULE
            .replace("3afb17e9", &format!("{id:08x}"))
            .replace('"', "\"\"");
        format!("ExchangeAdmin,x,Anna,New-InboxRule,\"{record}\",{index},{count}\n")
    };
    let whole = format!("{head}{}{}", row(1, 2, 2), row(2, 1, 2));
    assert_eq!(read_recognised(&whole).refusals, []);
    let gap = format!("{head}{}{}{}", row(1, 1, 4), row(2, 4, 4), row(3, 1, 1));
    let refusals = read_recognised(&gap).refusals;
    assert_eq!(refusals.len(), 1, "{refusals:?}");
    assert!(
        refusals[0]
            .reason
            .starts_with("missing evidence: 2 of 4 results of 1 searches")
    );
    assert_eq!(refusals[0].records, 0);
    let failed = format!("{head}{}", row(1, -1, 0));
    assert!(
        read_recognised(&failed).refusals[0]
            .reason
            .contains("did not complete")
    );
    let json = format!(r#"[{{"ResultIndex":3,"ResultCount":9,"AuditData":{RULE}}}]"#);
    assert!(read_recognised(&json).refusals[0].reason.contains("8 of 9"));
}

#[test]
fn a_record_that_excel_cut_off_is_read_as_far_as_it_goes() {
    let items = r#"{"Id":"AAA","InternetMessageId":"<a@mail.example>"},"#.repeat(2_000);
    let record = RULE.replace(
        "\"SessionId\"",
        &format!("\"FolderItems\":[{items}{{}}],\"SessionId\""),
    );
    let cut: String = record.chars().take(32_767).collect();
    let text = format!(
        "RecordType,CreationDate,UserIds,Operations,AuditData\nExchangeAdmin,2024-02-04T22:49:32,Anna@House.example,New-InboxRule,\"{}\"\n",
        cut.replace('"', "\"\"")
    );
    let reading = read_recognised(&text);
    assert_eq!(reading.events.len(), 1);
    assert_eq!(reading.events[0].column(Column::User), Some("anna@house.example"));
    assert_eq!(
        reading.events[0].get("Parameters.ForwardTo"),
        Some("x@mail.example")
    );
    assert_eq!(reading.refusals.len(), 1);
    assert!(
        reading.refusals[0]
            .reason
            .contains("cut off after 32767 characters"),
        "{:?}",
        reading.refusals
    );
    assert_eq!(reading.refusals[0].records, 0, "the record is read");
    // Nothing of the record is left: the columns around it stand.
    let empty = "RecordType,CreationDate,UserIds,Operations,AuditData\n1,2/4/2024 10:49:32 PM,Anna,Set-Mailbox,\"\"\n";
    let event = &read(&UnifiedAuditLog, empty.as_bytes()).unwrap().events[0];
    assert_eq!(event.time, Timestamp::parse("2024-02-04T22:49:32Z").unwrap());
    assert_eq!(event.column(Column::Action), Some("Set-Mailbox"));
}

#[test]
fn what_was_read_in_a_mailbox_is_listed() {
    let text = r#"{"CreationTime":"2024-02-04T22:49:32","Id":"3afb17e9-3e04-4b8c-3bc4-08dc25d38dd4","Operation":"MailItemsAccessed","RecordType":50,"Workload":"Exchange","UserId":"a@h.example","MailboxOwnerUPN":"Ben@h.example","ClientIPAddress":"::ffff:192.0.2.7","OperationProperties":[{"Name":"MailAccessType","Value":"Bind"},{"Name":"IsThrottled","Value":"False"}],"Folders":[{"Path":"\\Inbox","FolderItems":[{"InternetMessageId":"<1@x>"},{"InternetMessageId":"<2@x>"}]},{"Path":"\\Sent","FolderItems":[{"InternetMessageId":"<3@x>"}]}],"OperationCount":3}"#;
    let event = &read_recognised(text).events[0];
    assert_eq!(event.class, Class::API_ACTIVITY);
    assert_eq!(event.event_id, 50);
    assert_eq!(
        event.get("Folders.FolderItems.InternetMessageId"),
        Some("<1@x>, <2@x>, <3@x>")
    );
    assert_eq!(event.get("Folders.Path"), Some("\\Inbox, \\Sent"));
    assert_eq!(event.get("OperationProperties.MailAccessType"), Some("Bind"));
    assert_eq!(event.column(Column::TargetUser), Some("ben@h.example"));
    assert_eq!(event.column(Column::SrcIp), Some("192.0.2.7"));
    assert_eq!(event.raw, text);

    // Cut off within the second folder: what is there of it joins the first.
    let cut = text.find("\"OperationCount\"").unwrap() - 4;
    let record = Value::text(&text[..cut]);
    let mut outer = "{\"RecordType\":50,\"AuditData\":".to_owned();
    record.write_json(&mut outer);
    outer.push('}');
    let reading = read_recognised(&outer);
    assert!(
        reading.refusals[0].reason.contains("cut off"),
        "{:?}",
        reading.refusals
    );
    assert_eq!(
        reading.events[0].get("Folders.FolderItems.InternetMessageId"),
        Some("<1@x>, <2@x>, <3@x>")
    );
    assert_eq!(reading.events[0].get("Folders.Path"), Some("\\Inbox, \\Sent"));
}

#[test]
fn sign_ins_tell_their_error() {
    let text = r#"{"CreationTime":"2023-07-12T12:38:43","Id":"f8a2e606-c46c-40b7-9663-a12b467d0300","Operation":"UserLoginFailed","RecordType":15,"ResultStatus":"Failed","Workload":"AzureActiveDirectory","ClientIP":"","UserId":"Miriam@house.example","ExtendedProperties":[{"Name":"UserAgent","Value":"curl/8"},{"Name":"RequestType","Value":"OAuth2:Token"}],"ActorIpAddress":"192.0.2.9","Actor":[{"ID":"1","Type":0},{"ID":"2","Type":5}],"ErrorNumber":"50126","LogonError":"InvalidUserNameOrPassword"}"#;
    let event = &read_recognised(text).events[0];
    assert_eq!(event.class, Class::AUTHENTICATION);
    assert_eq!(event.column(Column::Status), Some("50126"));
    assert_eq!(
        event.column(Column::SrcIp),
        Some("192.0.2.9"),
        "the first that is not blank"
    );
    assert_eq!(event.column(Column::UserAgent), Some("curl/8"));
    assert_eq!(event.get("Actor.ID"), Some("1, 2"));
}

#[test]
fn other_records_are_not_taken() {
    for text in [
        r#"{"a":1}"#,
        "a,b\n1,2\n",
        r#"{"Operation":"x"}"#,
        r#"{"EventID":1,"Channel":"Security","Computer":"x"}"#,
        "AuditData is a word\n",
        "",
    ] {
        assert!(!UnifiedAuditLog.recognise(text.as_bytes()), "{text}");
    }
}

#[test]
fn pieces_do_not_matter() {
    let text: String = (0..3_000)
        .map(|id| format!("{}\n", RULE.replace("3afb17e9", &format!("{:08x}", id % 2_000))))
        .collect();
    let whole = read(&UnifiedAuditLog, text.as_bytes()).unwrap();
    assert_eq!(whole.events.len(), 2_000);
    assert_eq!(
        read_in_pieces(&UnifiedAuditLog, text.as_bytes(), 777).unwrap(),
        whole
    );
}

#[test]
fn nothing_panics_and_nothing_is_lost() {
    for (_, text) in shapes() {
        crate::harness::damage(&UnifiedAuditLog, text.as_bytes());
    }
}
