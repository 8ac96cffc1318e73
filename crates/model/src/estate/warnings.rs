//! What is not wrong with an estate but probably not meant.

use super::{Estate, Index};

pub(super) fn warnings(estate: &Estate) -> Vec<String> {
    let mut warnings = Vec::new();
    let index = Index::new(estate);
    for organisation in &estate.organisations {
        if organisation.domains.is_empty() {
            warnings.push(format!(
                "organisation {}: no domains, so its own mail cannot be told from others'",
                organisation.id
            ));
        }
    }
    for person in &estate.people {
        if person.addresses.is_empty() {
            let advice = "no address, so mail to them cannot be recognised";
            warnings.push(format!("person {}: {advice}", person.id));
        }
        if person.high_risk && person.accounts.is_empty() {
            let advice = "high-risk, but no accounts, so their sign-ins cannot be recognised";
            warnings.push(format!("person {}: {advice}", person.id));
        }
    }
    for group in &estate.groups {
        match index.members_of(&group.id).len() {
            0 => warnings.push(format!("group {}: has no members", group.id)),
            1 => warnings.push(format!(
                "group {}: has one member, so nothing can be aimed at it as a group",
                group.id
            )),
            _ => {}
        }
    }
    for system in &estate.systems {
        if system.hosts.is_empty() && system.addresses.is_empty() {
            let advice = "neither hosts nor addresses, so no log can be matched with it";
            warnings.push(format!("system {}: {advice}", system.name));
        }
    }
    for register in &estate.registers {
        let name = &register.name;
        if !register.tables.is_empty() && register.records == 0 {
            warnings.push(format!(
                "register {name}: `records` is missing, so no share of it can be told"
            ));
        }
        if !register.tables.is_empty() && register.key.is_none() {
            warnings.push(format!(
                "register {name}: `key` is missing, so ranges that were read cannot be joined"
            ));
        }
    }
    for network in &estate.networks {
        if network.prefixes.is_empty() {
            warnings.push(format!("network {}: no prefixes", network.name));
        }
    }
    warnings
}
