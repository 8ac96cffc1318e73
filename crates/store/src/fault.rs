//! The steps of a commit between which a process may be killed; tests stop after each.

use crate::StoreError;

/// What has just been done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The staged files are on the disk.
    Synced,
    /// The rows are in, the transaction is open.
    Inserted,
    /// The transaction is committed; all files are still staged.
    Committed,
    /// One file is moved.
    Moved,
}

#[cfg(not(test))]
pub(crate) fn reached(_: Step) -> Result<(), StoreError> {
    Ok(())
}

#[cfg(test)]
thread_local! {
    /// Where the next commit of this thread is to stop.
    pub(crate) static STOP_AFTER: std::cell::Cell<Option<Step>> = const { std::cell::Cell::new(None) };
}

#[cfg(test)]
pub(crate) fn reached(step: Step) -> Result<(), StoreError> {
    match STOP_AFTER.get() {
        Some(stop) if stop == step => Err(StoreError::Killed),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::testing::investigate;
    use crate::{Case, VerifyOptions, layout};

    /// What must be the same after a kill as without one.
    fn content(case: &Case) -> impl PartialEq + std::fmt::Debug + use<> {
        let mut premises = Vec::new();
        case.each_premise(&mut |premise| premises.push(premise)).unwrap();
        let mut facts = Vec::new();
        case.each_fact("process", &mut |fact| facts.push(fact)).unwrap();
        (
            case.evidence().unwrap(),
            case.findings().unwrap(),
            case.refusals(1_000).unwrap(),
            premises,
            facts,
            case.summary().unwrap().events,
        )
    }

    #[test]
    fn a_kill_after_any_step_loses_and_doubles_nothing() {
        let undisturbed = tempfile::tempdir().unwrap();
        let mut case = Case::create_or_open(undisturbed.path()).unwrap();
        (0..3).for_each(|number| investigate(&mut case, number).unwrap());
        let expected = content(&case);

        for step in [Step::Synced, Step::Inserted, Step::Committed, Step::Moved] {
            let dir = tempfile::tempdir().unwrap();
            let mut case = Case::create_or_open(dir.path()).unwrap();
            investigate(&mut case, 0).unwrap();
            STOP_AFTER.set(Some(step));
            let stopped = investigate(&mut case, 1);
            STOP_AFTER.set(None);
            assert!(matches!(stopped, Err(StoreError::Killed)), "{step:?}");
            drop(case);
            assert!(
                !layout::files_below(&layout::staging(dir.path()))
                    .unwrap()
                    .is_empty(),
                "{step:?}"
            );

            let mut case = Case::create_or_open(dir.path()).unwrap();
            (0..3).for_each(|number| investigate(&mut case, number).unwrap());
            assert_eq!(content(&case), expected, "{step:?}");
            assert!(
                layout::files_below(&layout::staging(dir.path()))
                    .unwrap()
                    .is_empty(),
                "{step:?}"
            );
            let report = case.verify(&VerifyOptions::default()).unwrap();
            assert_eq!(report.problems, [], "{step:?}");
        }
    }

    #[test]
    fn reading_sees_what_was_committed_before_a_kill() {
        let dir = tempfile::tempdir().unwrap();
        let mut case = Case::create_or_open(dir.path()).unwrap();
        STOP_AFTER.set(Some(Step::Committed));
        let stopped = investigate(&mut case, 1);
        STOP_AFTER.set(None);
        assert!(stopped.is_err());
        // While the other still holds the lock the case is read as it is.
        assert_eq!(
            Case::open_read_only(dir.path())
                .unwrap()
                .summary()
                .unwrap()
                .events,
            40
        );
        drop(case);
        drop(Case::open_read_only(dir.path()).unwrap());
        assert!(
            layout::files_below(&layout::staging(dir.path()))
                .unwrap()
                .is_empty()
        );
    }
}
