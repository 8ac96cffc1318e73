#![allow(clippy::unwrap_used)]
use super::*;
use blackrod_model::Technique;

#[test]
fn the_builtin_table_is_sound() {
    let table = Table::builtin();
    assert!(table.classes.len() > 20 && table.uses.len() > 40);
    let mut programs = FxHashSet::default();
    for class in &table.classes {
        for program in &class.programs {
            assert!(programs.insert(program), "{program} is in two classes");
            assert_eq!(*program, program.to_lowercase());
        }
    }
    let ids = table.classes.iter().flat_map(|class| &class.attack);
    let ids = ids.chain(table.uses.iter().flat_map(|entry| &entry.attack));
    for id in ids.chain(table.lineages.iter().flat_map(|lineage| &lineage.attack)) {
        assert!(Technique::parse(id).is_some(), "{id}");
    }
    for lineage in &table.lineages {
        for child in &lineage.children {
            let is_class = table.classes.iter().any(|class| class.name == *child);
            assert!(is_class || table.knows(child), "{child}");
        }
    }
    let mut names = FxHashSet::default();
    assert!(table.uses.iter().all(|entry| names.insert(&entry.name)));
    assert!(
        table
            .uses
            .iter()
            .all(|entry| !entry.any.is_empty() || !entry.all.is_empty())
    );
}

#[test]
fn what_is_left_out_is_gone() {
    let table = Table::builtin();
    let programs = ["certutil".to_owned()];
    let text = "certutil -urlcache -f x y";
    assert!(!table.uses_in(text, &programs).0.is_empty());
    let class_only = table.class_only("Certutil.exe").unwrap();
    assert!(class_only.uses_in(text, &programs).0.is_empty());
    assert!(class_only.class_of("certutil").is_some());
    assert!(
        table
            .without("certutil.exe")
            .unwrap()
            .class_of("certutil")
            .is_none()
    );
}
