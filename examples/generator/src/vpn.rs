//! The log of the VPN gateway, as CSV: a format of its own, which `vpn-fields.toml` explains.

use crate::Files;
use crate::mail::strftime;
use crate::people::Assembly;
use crate::random::Random;
use crate::story::{GUESSING_IP, INTRUDER_IP, INTRUDER_VPN_IP, SECOND, TAKEN_ACCOUNT, january};

/// Adds the log.
pub(crate) fn add(assembly: &Assembly, files: &mut Files) {
    let mut sessions = ordinary(assembly);
    sessions.extend(guessing(assembly));
    sessions.sort();
    let mut csv = String::from("when,gateway,login,remote_ip,assigned_ip,result,reason,client\n");
    for (at, rest) in sessions {
        let when = strftime(at, "%d/%m/%Y %H:%M:%S");
        csv.push_str(&format!("{when},vpn1,{rest}\n"));
    }
    files.insert("evidence/vpn/vpn1-2021-01.csv".to_owned(), csv.into_bytes());
}

fn ordinary(assembly: &Assembly) -> Vec<(i64, String)> {
    let mut random = Random::named("vpn");
    let mut sessions = Vec::new();
    for day in 4..=24 {
        let is_weekend = matches!((day - 4) % 7, 5 | 6);
        for (number, person) in assembly.people.iter().enumerate() {
            if random.below(if is_weekend { 12 } else { 3 }) > 0 {
                continue;
            }
            let at = january(day, 6, 30, 0) + random.below(45_000) as i64 * SECOND;
            let home = format!("198.51.100.{}", 100 + number);
            let assigned = format!("192.0.2.{}", 193 + random.below(20));
            if random.below(14) == 0 {
                let slip = at - 25 * SECOND;
                let account = &person.account;
                sessions.push((
                    slip,
                    format!("{account},{home},,denied,wrong password,Connect 5.1"),
                ));
            }
            let account = &person.account;
            sessions.push((at, format!("{account},{home},{assigned},accepted,,Connect 5.1")));
        }
    }
    sessions
}

/// Slow at night, over the assistants' accounts, until one password fits.
fn guessing(assembly: &Assembly) -> Vec<(i64, String)> {
    let mut random = Random::named("guessing");
    let mut sessions = Vec::new();
    let assistants = assembly.group("assistants");
    for round in 0..4 {
        for (number, assistant) in assistants.iter().enumerate() {
            let offset = round * 1_500 + number as i64 * 95 + random.below(40) as i64;
            let at = january(18, 1, 10, 0) + offset * SECOND;
            let account = &assistant.account;
            sessions.push((
                at,
                format!("{account},{GUESSING_IP},,denied,wrong password,Connect 4.8"),
            ));
        }
    }
    let first = january(19, 2, 14, 7);
    for (at, address) in [
        (january(18, 3, 2, 41), GUESSING_IP),
        (first, INTRUDER_IP),
        (january(20, 2, 51, 30), INTRUDER_IP),
    ] {
        sessions.push((
            at,
            format!("{TAKEN_ACCOUNT},{address},{INTRUDER_VPN_IP},accepted,,Connect 4.8"),
        ));
    }
    sessions
}
