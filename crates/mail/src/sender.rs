//! Who a message says it is from, and whether that holds together.

use blackrod_model::mail::{Facts, Mailbox, Message};

use super::circle::{Circle, domain_of, same_organisation};
use super::fold::{fold, is_costume, words};
use super::lookalike::{Kin, Lookalike, Trick, registrable};
use super::names::{Claim, ClaimKind};
use super::{Anatomy, View, clip, signal};

/// Fills the addresses of the sender, and says what is wrong with them.
pub(super) fn look(anatomy: &Anatomy, view: &View<'_>, facts: &mut Facts) {
    let message = view.message;
    let circle = anatomy.circle();
    fill(message, facts);
    form(message, facts);
    let from_domain = domain_of(&facts.from).unwrap_or_default();
    disagreement(message, circle, &from_domain, facts);
    claims(circle, &from_domain, facts);
    imitation(circle, &from_domain, facts);
    invention(circle, &from_domain, facts);
}

fn fill(message: &Message<'_>, facts: &mut Facts) {
    if let Some(mailbox) = message
        .from
        .iter()
        .find(|mailbox| mailbox.address.contains('@'))
        .or(message.from.first())
    {
        facts.from = clean(&mailbox.address);
    }
    let name = message.from.iter().find_map(|mailbox| mailbox.name.as_deref());
    facts.from_name = clip(name.unwrap_or_default(), 200).to_owned();
    let differs = |address: &String| !address.is_empty() && *address != facts.from;
    facts.reply_to = message
        .reply_to
        .first()
        .map(|mailbox| clean(&mailbox.address))
        .filter(differs);
    facts.return_path = message.return_path.as_deref().map(clean).filter(differs);
}

fn clean(address: &str) -> String {
    clip(address.trim().trim_matches(['<', '>']), 320).to_lowercase()
}

/// RFC 5322 3.6.2: one address, well formed.
fn form(message: &Message<'_>, facts: &mut Facts) {
    let fields = message.headers_named("from").count();
    if fields == 0 || message.from.is_empty() {
        return signal(
            facts,
            "sender/no-from",
            message.header("from").unwrap_or_default(),
        );
    }
    let with_address: Vec<&Mailbox<'_>> = message
        .from
        .iter()
        .filter(|mailbox| mailbox.address.contains('@'))
        .collect();
    if fields > 1 || with_address.len() > 1 {
        let seen: Vec<&str> = with_address
            .iter()
            .map(|mailbox| mailbox.address.as_ref())
            .collect();
        signal(facts, "sender/several-from", &seen.join(", "));
    }
    if !is_well_formed(&facts.from) {
        let seen = facts.from.clone();
        signal(facts, "sender/malformed-from", &seen);
    }
    let field = message.header("from").unwrap_or_default();
    if is_dressed(field) {
        signal(facts, "sender/broken-from-field", field);
    }
}

fn is_well_formed(address: &str) -> bool {
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    let is_host = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '[' | ']' | ':');
    let dots =
        domain.contains('.') && !domain.contains("..") && !domain.starts_with('.') && !domain.ends_with('.');
    !local.is_empty() && !local.contains(char::is_whitespace) && dots && domain.chars().all(is_host)
}

/// Remains of bad mailing software around the angle brackets: `Name ,_<a@b>`, `Name,(<a@b>)`, `<a@b> >`.
fn is_dressed(field: &str) -> bool {
    let outside_quotes: String = field.split('"').step_by(2).collect();
    let Some((before, rest)) = outside_quotes.split_once('<') else {
        return false;
    };
    let after = rest.rsplit_once('>').map_or(rest, |(_, after)| after);
    let broken_before = before.trim_end().ends_with([',', '_', '(', ';']) || before.ends_with("\t");
    let blank_inside = rest.split('>').next().is_some_and(|inner| inner.contains(' '));
    broken_before || blank_inside || after.trim_start().starts_with([')', '&', '?', '>'])
}

/// From, Sender, Reply-To and Return-Path, compared by organisation.
fn disagreement(message: &Message<'_>, circle: &Circle, from_domain: &str, facts: &mut Facts) {
    let elsewhere = |address: &str| {
        domain_of(address).filter(|domain| !from_domain.is_empty() && !same_organisation(domain, from_domain))
    };
    // A list has answers sent to itself.
    let reply = facts
        .reply_to
        .clone()
        .filter(|reply| !facts.recipients.contains(reply));
    if let Some(reply) = reply {
        if let Some(domain) = elsewhere(&reply) {
            signal(facts, "sender/reply-elsewhere", &reply);
            if circle.is_free_mail(&domain) {
                signal(facts, "sender/reply-to-free-mail", &reply);
            }
        } else if circle.is_free_mail(from_domain) {
            signal(facts, "sender/reply-to-other-free-mail", &reply);
        }
    }
    if let Some(path) = facts.return_path.clone()
        && elsewhere(&path).is_some()
    {
        signal(facts, "sender/envelope-elsewhere", &path);
    }
    if let Some(sender) = &message.sender
        && elsewhere(&sender.address).is_some()
    {
        signal(facts, "sender/sender-elsewhere", &sender.address);
    }
    let from = facts.from.clone();
    if !from.is_empty() && facts.recipients.contains(&from) {
        signal(facts, "sender/from-is-recipient", &from);
    }
}

/// What the display name claims, against the address.
fn claims(circle: &Circle, from_domain: &str, facts: &mut Facts) {
    let display = facts.from_name.clone();
    let mut claimed = circle.names.claims(&display, &circle.lists);
    claimed.retain(|claim| !is_theirs(claim, &facts.from, from_domain));
    for claim in claimed {
        let code = match claim.kind {
            ClaimKind::Person => "sender/name-of-person",
            ClaimKind::OwnOrganisation => "sender/name-of-own-organisation",
            ClaimKind::Partner => "sender/name-of-partner",
            ClaimKind::Brand => "sender/name-of-brand",
            ClaimKind::Press => "sender/name-of-press",
        };
        signal(
            facts,
            code,
            &format!("{} as {display} <{}>", claim.name, facts.from),
        );
        if claim.disguised {
            signal(facts, "sender/disguised-name", &display);
        }
    }
    let address_in_name = display
        .split([' ', '<', '>', '(', ')', '"', '\'', ',', ';'])
        .find(|word| is_well_formed(word));
    if let Some(other) = address_in_name
        && domain_of(other).is_some_and(|domain| !same_organisation(&domain, from_domain))
    {
        signal(
            facts,
            "sender/name-is-other-address",
            &format!("{other} as a name of {}", facts.from),
        );
    }
    let folded = fold(&display);
    let is_organisation = words(&folded).any(|word| circle.lists.organisation_words.contains(word.as_ref()));
    if is_organisation && circle.is_free_mail(from_domain) {
        signal(
            facts,
            "sender/free-mail-organisation",
            &format!("{display} <{}>", facts.from),
        );
    }
}

/// Whether the address may bear the name: it is one of theirs, or of their domain; or the name is the domain's own under
/// a national suffix.
fn is_theirs(claim: &Claim, from: &str, from_domain: &str) -> bool {
    if claim.kind == ClaimKind::Person {
        return claim.owned.iter().any(|address| address == from);
    }
    if Circle::is_one_of(from_domain, &claim.owned) {
        return true;
    }
    let Some(own) = registrable(from_domain) else {
        return false;
    };
    let (label, suffix) = own.split_once('.').unwrap_or((own, ""));
    let is_national = suffix.len() == 2 || suffix.starts_with("co.") || suffix.starts_with("com.");
    let owned_labels = claim.owned.iter().filter_map(|domain| domain.split('.').next());
    is_national && owned_labels.into_iter().any(|owned| owned == label)
}

/// Domains made to be taken for others.
fn imitation(circle: &Circle, from_domain: &str, facts: &mut Facts) {
    let reply = facts.reply_to.as_deref().and_then(domain_of);
    let path = facts.return_path.as_deref().and_then(domain_of);
    let mut seen: Vec<String> = Vec::new();
    for domain in [Some(from_domain.to_owned()), reply, path].into_iter().flatten() {
        if domain.is_empty() || seen.contains(&domain) || circle.is_free_mail(&domain) {
            continue;
        }
        if let Some(found) = circle.lookalikes.find(&domain) {
            signal(
                facts,
                code_of(&found),
                &format!("{domain} for {} ({:?})", found.of, found.trick),
            );
        }
        seen.push(domain);
    }
}

/// The code for a look-alike of this kind.
pub(super) fn code_of(found: &Lookalike) -> &'static str {
    match (found.kin, found.trick) {
        (Kin::Own, Trick::Suffix) => "sender/other-suffix-own",
        (Kin::Own, _) => "sender/lookalike-own",
        (Kin::Partner, Trick::Suffix) => "sender/other-suffix-partner",
        (Kin::Partner, _) => "sender/lookalike-partner",
        (Kin::Brand, Trick::Suffix) => "sender/other-suffix-brand",
        (Kin::Brand, _) => "sender/lookalike-brand",
        (Kin::Correspondent, _) => "sender/lookalike-correspondent",
    }
}

/// Addresses and names that no person and no organisation would choose.
fn invention(circle: &Circle, from_domain: &str, facts: &mut Facts) {
    let local = facts
        .from
        .rsplit_once('@')
        .map_or("", |(local, _)| local)
        .to_owned();
    let label = registrable(from_domain)
        .and_then(|own| own.split('.').next())
        .unwrap_or(from_domain);
    if is_random(label) {
        signal(facts, "sender/random-domain", from_domain);
    }
    if is_random(&local) && !local.contains(['=', '+']) {
        signal(facts, "sender/random-address", &facts.from.clone());
    }
    let labels = from_domain.split('.').count();
    let single = from_domain.split('.').filter(|label| label.len() == 1).count();
    if labels > 5 || single > 2 {
        signal(facts, "sender/deep-domain", from_domain);
    }
    let display = facts.from_name.clone();
    if display.chars().any(is_costume) {
        signal(facts, "sender/name-in-costume", &display);
    }
    if display.chars().any(is_ornament) || display.contains("!!") || display.ends_with(['!', '?']) {
        signal(facts, "sender/ornate-name", &display);
    }
    let digits = local.chars().rev().take_while(char::is_ascii_digit).count();
    if digits >= 4 && !circle.is_free_mail(from_domain) {
        signal(facts, "sender/numbered-address", &facts.from.clone());
    }
    let folded = fold(&display);
    let named: Vec<String> = words(&folded)
        .map(|word| word.into_owned())
        .filter(|word| word.len() > 2)
        .collect();
    let is_of_two_words = named.len() >= 2 && named.iter().all(|word| word.chars().all(char::is_alphabetic));
    let foldings = fold(&facts.from);
    let initials_fit = named
        .iter()
        .any(|word| foldings.contains(word.get(..3).unwrap_or(word)));
    if is_of_two_words && circle.is_free_mail(from_domain) && !initials_fit {
        signal(
            facts,
            "sender/free-mail-other-name",
            &format!("{display} <{}>", facts.from),
        );
    }
}

fn is_ornament(character: char) -> bool {
    matches!(character, '\u{2122}' | '\u{ae}' | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}' | '\u{3010}' | '\u{3011}' | '|' | '*' | '$')
}

/// Whether a label looks made by a machine: digits strewn between letters, or consonants that nobody could say.
pub(super) fn is_random(label: &str) -> bool {
    let label = label.trim_start_matches("www");
    label.split(['-', '.', '_']).any(|piece| {
        let letters: Vec<char> = piece.chars().take(64).collect();
        if letters.len() < 7 || !letters.iter().all(char::is_ascii_alphanumeric) {
            return false;
        }
        let changes = letters
            .windows(2)
            .filter(|pair| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit()))
            .count();
        changes >= 4 || longest_consonants(&letters) >= 6 || vowels_are_rare(&letters)
    })
}

fn longest_consonants(letters: &[char]) -> usize {
    letters
        .split(|c| !c.is_ascii_alphabetic() || is_vowel(*c))
        .map(<[char]>::len)
        .max()
        .unwrap_or(0)
}

fn vowels_are_rare(letters: &[char]) -> bool {
    let alphabetic = letters.iter().filter(|c| c.is_ascii_alphabetic()).count();
    let vowels = letters.iter().filter(|c| is_vowel(**c)).count();
    alphabetic >= 9 && vowels * 6 < alphabetic
}

fn is_vowel(character: char) -> bool {
    matches!(character, 'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'h')
}
