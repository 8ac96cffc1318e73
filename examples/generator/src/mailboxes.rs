//! The Assembly's mail: three weeks of ordinary letters, and three days of letters that only look so.

use crate::Files;
use crate::mail::{Mail, domain_of, mbox};
use crate::people::{Assembly, Person};
use crate::random::Random;
use crate::story::{SECOND, TAKEN_ACCOUNT, TARGET_GROUP, january};

const TOPICS: [&str; 14] = [
    "ferry timetable",
    "harbour dues",
    "draft minutes",
    "fisheries quota",
    "school transport",
    "budget estimates",
    "visit of the delegation",
    "question time",
    "broadband on the outer isles",
    "committee room",
    "translation of the report",
    "hearing of witnesses",
    "travel claims",
    "electoral roll",
];
const SENTENCES: [&str; 16] = [
    "thank you for your note.",
    "I have read the paper and have two remarks on the second part.",
    "The figures in the annex do not add up yet; the secretariat is looking into it.",
    "Could we move this to Thursday, after the plenary?",
    "The member will be on the morning ferry and can call from the harbour.",
    "Please find the points for the meeting below.",
    "I would rather not have this on the agenda before the hearing.",
    "The ministry has promised an answer by the end of the month.",
    "Two witnesses have confirmed, the third has not answered so far.",
    "From what I hear the amendment has a majority in committee.",
    "We still need the translation for the visitors.",
    "The room is booked until noon.",
    "There were eleven letters on this from the outer isles alone.",
    "I agree with the last version.",
    "Let us keep it short this time.",
    "The press office asks not to be quoted before Friday.",
];

/// The senders of the wave: few, none used for more than some letters, all on rented newsletter
/// services and domains that sound like news.
const WAVE_SENDERS: [(&str, &str); 5] = [
    ("Isles Herald World Desk", "world@isles-herald.example"),
    ("Isles Herald", "editor@isles-herald.example"),
    ("Northern Dispatch Newsroom", "newsroom@northern-dispatch.example"),
    (
        "M. Keller, Northern Dispatch",
        "m.keller@northern-dispatch.example",
    ),
    ("Strait Monitor Briefing", "briefing@strait-monitor.example"),
];
const WAVE_HEADLINES: [&str; 6] = [
    "Strait: fishing fleets face new inspections",
    "Exclusive: what the trade talks left out",
    "Lawmakers abroad call for joint statement on the Strait",
    "Opinion: small parliaments, large neighbours",
    "Ferry incident renews calls for maritime hotline",
    "Interview: the diplomat who left early",
];

/// Adds all mail.
pub(crate) fn add(assembly: &Assembly, files: &mut Files) {
    let wave = wave(assembly);
    let mut archive = ordinary(assembly, 230);
    archive.extend(newsletters(assembly));
    let reported: Vec<Mail> = wave.iter().step_by(11).cloned().collect();
    let member = assembly.group(TARGET_GROUP)[0];
    archive.extend(wave.iter().filter(|mail| mail.to[0] != member.address).cloned());
    archive.sort_by_key(|mail| mail.unix_micros);
    files.insert("evidence/mail/journal-2021-01.mbox".to_owned(), mbox(&archive));

    maildir(assembly, member, &wave, files);

    let forwarded = forward(assembly, &wave[2]);
    let certificate = certificate_lure(assembly.by_account(TAKEN_ACCOUNT));
    for (name, mail) in [
        ("constituent-forward", forwarded),
        ("vpn-certificate", certificate),
    ] {
        let path = format!("evidence/mail/reported/{name}.eml");
        files.insert(path, mail.write().into_bytes());
    }
    let members: Vec<(String, Vec<u8>)> = reported
        .iter()
        .enumerate()
        .map(|(number, mail)| (format!("reported/{}.eml", number + 1), mail.write().into_bytes()))
        .collect();
    files.insert(
        "evidence/mail/reported/help-desk.zip".to_owned(),
        crate::pack::zip(&members),
    );
}

/// Letters between the people, some of them answers.
fn ordinary(assembly: &Assembly, count: usize) -> Vec<Mail> {
    let mut random = Random::named("ordinary mail");
    let mut mails: Vec<Mail> = Vec::with_capacity(count);
    for number in 0..count {
        let working_day = [4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 18, 19, 20, 21, 22][number * 15 / count];
        let at = january(working_day, 7, 30, 0) + random.below(36_000) as i64 * SECOND;
        let answered = (number > 20 && random.below(3) == 0).then(|| mails[random.below(number)].clone());
        let (sender, receivers, subject) = match &answered {
            Some(before) => (
                before.to[0].clone(),
                vec![before.from.clone()],
                format!("Re: {}", before.subject.trim_start_matches("Re: ")),
            ),
            None => {
                let sender = random.pick(&assembly.people).address.clone();
                let receivers: Vec<String> = (0..1 + random.below(3))
                    .map(|_| random.pick(&assembly.people).address.clone())
                    .collect();
                (sender, receivers, capitalised(random.pick::<&str>(&TOPICS)))
            }
        };
        mails.push(letter(
            &mut random,
            at,
            assembly,
            sender,
            receivers,
            subject,
            answered,
        ));
    }
    mails
}

fn letter(
    random: &mut Random,
    at: i64,
    assembly: &Assembly,
    from: String,
    to: Vec<String>,
    subject: String,
    answered: Option<Mail>,
) -> Mail {
    let name_of = |address: &str| {
        let person = assembly.people.iter().find(|person| person.address == address);
        person.map_or_else(|| address.to_owned(), |person| person.name.clone())
    };
    let greeting = name_of(&to[0]).split(' ').next().unwrap_or_default().to_owned();
    let sentences: Vec<&str> = (0..2 + random.below(5))
        .map(|_| *random.pick(&SENTENCES[..]))
        .collect();
    let from_name = name_of(&from);
    let text = format!("Dear {greeting},\n\n{}\n\n{from_name}\n", sentences.join(" "));
    Mail {
        unix_micros: at,
        from_name,
        from,
        to,
        subject,
        id: format!("{}.{}", at / SECOND, random.hex(10)),
        in_reply_to: answered.map(|before| before.message_id()),
        relay: (
            "exchange01.norrland.assembly.example".to_owned(),
            "192.0.2.25".to_owned(),
        ),
        more_headers: vec!["X-Mailer: Microsoft Outlook 16.0".to_owned()],
        text,
        html: None,
        forwarded: None,
    }
}

/// Real newsletters: to everybody who asked, with one picture for all and a way out.
fn newsletters(assembly: &Assembly) -> Vec<Mail> {
    let mut random = Random::named("newsletters");
    let mut mails = Vec::new();
    for (day, issue) in [(6, 201), (13, 202), (20, 203)] {
        for person in assembly
            .people
            .iter()
            .filter(|person| person.role != "admin")
            .step_by(3)
        {
            let at = january(day, 6, 0, 0) + random.below(900) as i64 * SECOND;
            mails.push(Mail {
                unix_micros: at,
                from_name: "Union of Island Municipalities".to_owned(),
                from: "newsletter@island-municipalities.example".to_owned(),
                to: vec![person.address.clone()],
                subject: format!("Island municipalities, issue {issue}"),
                id: format!("{issue}.{}", random.hex(12)),
                in_reply_to: None,
                relay: ("out3.list-host.example".to_owned(), "198.51.100.12".to_owned()),
                more_headers: vec![
                    "List-Id: <newsletter.island-municipalities.example>".to_owned(),
                    "List-Unsubscribe: <https://island-municipalities.example/leave>".to_owned(),
                    "Precedence: bulk".to_owned(),
                ],
                text: format!("Issue {issue}: harbours, schools, roads. Read it on our site.\n"),
                html: Some(format!(
                    "<html><body><img src=\"https://island-municipalities.example/{issue}/head.png\" width=\"600\" \
                     alt=\"\"><h1>Issue {issue}</h1><p>Harbours, schools, roads.</p></body></html>\n"
                )),
                forwarded: None,
            });
        }
    }
    mails
}

/// The reconnaissance: news to the members of one caucus, each letter with a picture whose address
/// nobody else gets. Whoever looks at it is known to read that mailbox, from where and with what.
fn wave(assembly: &Assembly) -> Vec<Mail> {
    let mut random = Random::named("wave");
    let mut mails = Vec::new();
    let targets = assembly.group(TARGET_GROUP);
    for (index, person) in targets.iter().take(14).enumerate() {
        for round in 0..2 + index % 2 {
            let (name, from) = WAVE_SENDERS[(index + round * 2) % WAVE_SENDERS.len()];
            let headline = WAVE_HEADLINES[(index * 2 + round) % WAVE_HEADLINES.len()];
            let day = 11 + round as i64;
            let at = january(day, 8, 0, 0) + (index as i64 * 410 + random.below(300) as i64) * SECOND;
            let token = random.hex(24);
            let domain = domain_of(from);
            let relay = 41 + random.below(5);
            mails.push(Mail {
                unix_micros: at,
                from_name: name.to_owned(),
                from: from.to_owned(),
                to: vec![person.address.clone()],
                subject: headline.to_owned(),
                id: format!("{}.{}", at / SECOND, random.hex(16)),
                in_reply_to: None,
                relay: (format!("o{relay}.bulk-post.example"), format!("198.51.100.{relay}")),
                more_headers: vec![
                    "X-Mailer: BulkPost 4.2".to_owned(),
                    format!("Authentication-Results: mx1.assembly.example; spf=pass; dkim=pass header.d={domain}"),
                ],
                text: format!("{headline}\n\nRead the full story on our site.\n"),
                html: Some(format!(
                    "<html><body><h2>{headline}</h2><img src=\"https://cdn.{domain}/i/{token}.jpg\" width=\"560\" \
                     alt=\"\"><p>{}</p><p><a href=\"https://www.{domain}/world\">Read the full story</a></p>\
                     </body></html>\n",
                    random.pick(&[
                        "Officials declined to comment on Monday.",
                        "The talks are to resume next week.",
                        "Observers expect no quick agreement.",
                    ]),
                )),
                forwarded: None,
            });
        }
    }
    mails
}

/// The mailbox of one member, as a Maildir.
fn maildir(assembly: &Assembly, member: &Person, wave: &[Mail], files: &mut Files) {
    let mut random = Random::named("maildir");
    let mut mails: Vec<Mail> = (0..18)
        .map(|number| {
            let at = january(5 + number, 9, 0, 0) + random.below(20_000) as i64 * SECOND;
            let from = random.pick(&assembly.people).address.clone();
            let subject = capitalised(random.pick::<&str>(&TOPICS));
            letter(
                &mut random,
                at,
                assembly,
                from,
                vec![member.address.clone()],
                subject,
                None,
            )
        })
        .collect();
    mails.extend(wave.iter().filter(|mail| mail.to[0] == member.address).cloned());
    mails.sort_by_key(|mail| mail.unix_micros);
    let folder = format!("evidence/mail/maildir-{}", member.account);
    for (number, mail) in mails.iter().enumerate() {
        let part = if number < 16 { "cur" } else { "new" };
        let name = format!("{}.M{number}P214.mx1", mail.unix_micros / SECOND);
        files.insert(format!("{folder}/{part}/{name}"), mail.write().into_bytes());
    }
}

/// A constituent's office passes on a letter that looked odd.
fn forward(assembly: &Assembly, odd: &Mail) -> Mail {
    let desk = assembly.group("it-operations")[0];
    Mail {
        unix_micros: january(13, 15, 20, 0),
        from_name: "Office of the member".to_owned(),
        from: odd.to[0].clone(),
        to: vec![desk.address.clone()],
        subject: "Is this one of ours? Fwd: World news".to_owned(),
        id: "1610551200.forward".to_owned(),
        in_reply_to: None,
        relay: (
            "exchange01.norrland.assembly.example".to_owned(),
            "192.0.2.25".to_owned(),
        ),
        more_headers: Vec::new(),
        text: "We never subscribed to this and my assistant got it as well. Can you have a look?\n"
            .to_owned(),
        html: None,
        forwarded: Some(odd.write()),
    }
}

/// The letter after the reconnaissance, to the assistant of a member who had looked.
fn certificate_lure(assistant: &Person) -> Mail {
    let host = "portal.vpn-assembly.example";
    Mail {
        unix_micros: january(15, 10, 4, 0),
        from_name: "IT Operations".to_owned(),
        from: "it-operations@vpn-assembly.example".to_owned(),
        to: vec![assistant.address.clone()],
        subject: "Your remote access certificate expires on 18 January".to_owned(),
        id: "1610705040.7a1c".to_owned(),
        in_reply_to: None,
        relay: ("vps7.rented-host.example".to_owned(), "203.0.113.77".to_owned()),
        more_headers: vec!["X-Priority: 1".to_owned()],
        text: format!("Confirm your sign-in to keep remote access: https://{host}/renew\n"),
        html: Some(format!(
            "<html><body><p>Dear {},</p><p>your remote access certificate expires on 18 January. \
             <a href=\"https://{host}/renew\">https://vpn.assembly.example/renew</a></p></body></html>\n",
            assistant.name
        )),
        forwarded: None,
    }
}

fn capitalised(text: &str) -> String {
    format!("{}{}", text[..1].to_uppercase(), &text[1..])
}
