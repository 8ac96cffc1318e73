//! Who may open what.

use blackrod_store::{Case, StoreError};

use crate::invented::{commit, evidence};

#[test]
fn one_process_writes_and_others_read() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Case::create_or_open(dir.path()).unwrap();
    commit(&mut case, &[1]).unwrap();

    let Err(error) = Case::open(dir.path()) else {
        panic!("two writers")
    };
    assert!(
        matches!(error, StoreError::Locked { pid: Some(pid), .. } if pid == std::process::id()),
        "{error}"
    );

    let mut reader = Case::open_read_only(dir.path()).unwrap();
    assert!(reader.knows(evidence(1).id).unwrap());
    assert!(matches!(
        reader.set_campaigns(&[]),
        Err(StoreError::ReadOnly { .. })
    ));
    assert!(matches!(
        reader.event_writer().err(),
        Some(StoreError::ReadOnly { .. })
    ));

    drop(case);
    Case::open(dir.path()).unwrap();
}

#[test]
fn what_is_no_case_stays_untouched() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        Case::open(dir.path()).err(),
        Some(StoreError::NotACase { .. })
    ));
    std::fs::write(dir.path().join("thesis.doc"), "years of work").unwrap();
    let Err(error) = Case::create_or_open(dir.path()) else {
        panic!("made a case among other things")
    };
    assert!(error.to_string().contains("thesis.doc"), "{error}");
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);

    let other = tempfile::tempdir().unwrap();
    std::fs::write(
        other.path().join("case.sqlite"),
        "not SQLite at all, but long enough to be looked at",
    )
    .unwrap();
    assert!(matches!(
        Case::open(other.path()).err(),
        Some(StoreError::NotACase { .. })
    ));
}

#[test]
fn a_case_of_a_later_format_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(Case::create_or_open(dir.path()).unwrap());
    let book = rusqlite::Connection::open(dir.path().join("case.sqlite")).unwrap();
    book.pragma_update(None, "user_version", 7).unwrap();
    drop(book);
    for opened in [Case::open(dir.path()), Case::open_read_only(dir.path())] {
        assert!(matches!(opened.err(), Some(StoreError::Newer { found: 7, .. })));
    }
}

#[test]
fn the_same_evidence_is_not_committed_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut case = Case::create_or_open(dir.path()).unwrap();
    commit(&mut case, &[1]).unwrap();
    let before = case.summary().unwrap();
    let error = commit(&mut case, &[2, 1]).unwrap_err();
    assert!(
        matches!(error, StoreError::EvidenceTwice(id) if id == evidence(1).id),
        "{error}"
    );
    assert_eq!(case.summary().unwrap(), before);
    // Nothing of the failed batch gets in with the next one.
    commit(&mut case, &[3]).unwrap();
    assert_eq!(case.findings().unwrap().len(), 4);
}

#[test]
fn a_case_is_read_where_nothing_can_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    commit(&mut Case::create_or_open(&from).unwrap(), &[1]).unwrap();
    // What SQLite would have to make beside the casebook, it cannot; as on write-protected media.
    std::fs::create_dir(from.join("case.sqlite-shm")).unwrap();

    assert_eq!(Case::open_read_only(&from).unwrap().summary().unwrap().events, 60);
    let mut into = Case::create_or_open(dir.path().join("into")).unwrap();
    assert_eq!(into.merge_from(&from).unwrap().events_added, 60);
    assert_eq!(
        crate::invented::ask(&from, "SELECT count(*) AS n FROM findings").unwrap(),
        "{\"n\":2}\n"
    );
}
