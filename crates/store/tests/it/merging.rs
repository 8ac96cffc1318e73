//! Cases joined to one another.

use blackrod_model::assessment::Remark;
use blackrod_model::{CampaignId, FindingId};
use blackrod_store::{Case, VerifyOptions};

use crate::invented::{campaign, commit, everything, evidence, finding};

#[test]
fn the_order_of_merging_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let parts = [
        ("a", vec![vec![1, 2], vec![3]]),
        ("b", vec![vec![3, 4]]),
        ("c", vec![vec![2, 5, 4]]),
    ];
    for (name, batches) in &parts {
        let mut case = Case::create_or_open(dir.path().join(name)).unwrap();
        for batch in batches {
            commit(&mut case, batch).unwrap();
        }
        let mut correlated = finding(evidence(batches[0][0]).id, 1, "correlated");
        correlated.code = "sigma-correlation".to_owned();
        case.replace_correlations(&[correlated]).unwrap();
        case.set_campaigns(&[campaign(&case.findings().unwrap())])
            .unwrap();
    }

    let mut results = Vec::new();
    for order in [["a", "b", "c"], ["c", "b", "a"], ["b", "a", "c"]] {
        let target = dir.path().join(order.concat());
        let mut case = Case::create_or_open(&target).unwrap();
        for name in order {
            case.merge_from(&dir.path().join(name)).unwrap();
        }
        let again = case.merge_from(&dir.path().join("a")).unwrap();
        assert_eq!(
            (again.evidence_added, again.evidence_known, again.events_added),
            (0, 3, 0)
        );
        assert_eq!(case.campaigns().unwrap(), []);
        assert_eq!(case.summary().unwrap().events, 5 * 60);
        assert_eq!(case.verify(&VerifyOptions::default()).unwrap().problems, []);
        drop(case);
        results.push(everything(&target));
    }
    assert!(results[0] == results[1] && results[1] == results[2]);

    // The same as if all had been read into one case, but for the findings of correlations.
    let whole = dir.path().join("whole");
    let mut case = Case::create_or_open(&whole).unwrap();
    commit(&mut case, &[1, 2, 3, 4, 5]).unwrap();
    drop(case);
    let without = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| !line.contains("correlat"))
            .map(str::to_owned)
            .collect()
    };
    let events = |text: &str| {
        without(text)
            .into_iter()
            .filter(|line| line.contains("command_line"))
            .collect::<Vec<_>>()
    };
    assert_eq!(events(&results[0]), events(&everything(&whole)));
}

#[test]
fn what_people_noted_comes_along_once() {
    let dir = tempfile::tempdir().unwrap();
    let dissent = |text: &str| Remark::Dissent {
        campaign: CampaignId::from_first(FindingId([1; 16])),
        text: text.to_owned(),
    };
    let said = |case: &Case| -> Vec<Remark> {
        let remarks = case.remarks().unwrap();
        remarks.into_iter().map(|noted| noted.remark).collect()
    };
    let mut from = Case::create_or_open(dir.path().join("from")).unwrap();
    from.add_remark("Anna Berg", &dissent("first")).unwrap();
    let mut case = Case::create_or_open(dir.path().join("into")).unwrap();
    case.add_remark("Ola Nes", &dissent("second")).unwrap();
    let third = from.add_remark("Anna Berg", &dissent("third")).unwrap();
    drop(from);
    for _ in 0..2 {
        case.merge_from(&dir.path().join("from")).unwrap();
        assert_eq!(
            said(&case),
            [dissent("first"), dissent("second"), dissent("third")]
        );
    }

    let mut from = Case::create_or_open(dir.path().join("from")).unwrap();
    assert!(from.undo_remark(third, "Anna Berg").unwrap());
    drop(from);
    case.merge_from(&dir.path().join("from")).unwrap();
    assert_eq!(said(&case), [dissent("first"), dissent("second")]);
    assert!(case.has_remark(&dissent("third")).unwrap());
    assert_eq!(case.verify(&VerifyOptions::default()).unwrap().problems, []);
}

#[test]
fn a_damaged_case_is_not_taken_in() {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("from");
    commit(&mut Case::create_or_open(&from).unwrap(), &[1]).unwrap();
    let day = std::fs::read_dir(from.join("events/class=authentication"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let file = std::fs::read_dir(day.path())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut bytes = std::fs::read(&file).unwrap();
    bytes[50] ^= 1;
    std::fs::write(&file, bytes).unwrap();

    let mut case = Case::create_or_open(dir.path().join("into")).unwrap();
    let error = case.merge_from(&from).unwrap_err();
    assert!(error.to_string().contains("was changed"), "{error}");
    assert_eq!(case.summary().unwrap().events, 0);
    assert!(!case.knows(evidence(1).id).unwrap());
}
