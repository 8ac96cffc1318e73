//! A message's facts as fields of its event, for rules. `docs/mail-fields.md` lists them for those who write rules.

use blackrod_model::mail::{AuthResult, Facts, Link, LinkRole, Signal};
use blackrod_model::{Event, Field, Value};

/// Values of one field.
const MAX_VALUES: usize = 500;

/// `event` with what is known of its message besides its header: `facts` and the text that a reader sees. Everything but
/// the lists is borrowed. The message itself is left out.
pub fn with_facts<'e>(event: &'e Event<'_>, facts: &'e Facts, text: &'e str) -> Event<'e> {
    let mut seen = Event::new(event.class, event.time, event.at);
    seen.source.product = event.source.product;
    seen.columns = event.columns;
    seen.fields.reserve(event.fields.len() + 40);
    let own = event
        .fields
        .iter()
        .map(|field| Field::new(&*field.name, field.value.borrowed()));
    seen.fields.extend(own);
    let mut add = Add(&mut seen.fields);
    add.text("body_text", text);
    authentication(facts, &mut add);
    links(facts, &mut add);
    attachments(facts, &mut add);
    let signals = || facts.signals.iter();
    add.list("signal", signals().map(|signal| Value::text(&signal.code)));
    add.list("signal_seen", signals().map(seen_text));
    add.int("recipient_count", facts.recipients.len());
    add.text("language", facts.text.language.as_deref().unwrap_or_default());
    add.int("word_count", text.split_whitespace().count());
    add.flag("unsubscribe", facts.bulk.unsubscribe);
    add.text("bulk_service", facts.bulk.service.as_deref().unwrap_or_default());
    add.text("bulk_account", facts.bulk.account.as_deref().unwrap_or_default());
    seen
}

struct Add<'a, 'e>(&'a mut Vec<Field<'e>>);

impl<'e> Add<'_, 'e> {
    /// A text; none where it is empty.
    fn text(&mut self, name: &'static str, value: &'e str) {
        if !value.is_empty() {
            self.0.push(Field::new(name, Value::text(value)));
        }
    }

    fn int(&mut self, name: &'static str, value: usize) {
        self.0.push(Field::new(
            name,
            Value::Int(i64::try_from(value).unwrap_or(i64::MAX)),
        ));
    }

    /// `true` or `false`, as rules write them.
    fn flag(&mut self, name: &'static str, value: bool) {
        self.text(name, if value { "true" } else { "false" });
    }

    /// A list; none where it is empty. Of equal neighbours one is kept.
    fn list(&mut self, name: &'static str, values: impl Iterator<Item = Value<'e>>) {
        let mut values: Vec<Value<'e>> = values.take(MAX_VALUES).collect();
        values.dedup();
        if !values.is_empty() {
            self.0.push(Field::new(name, Value::List(values)));
        }
    }
}

fn seen_text<'e>(signal: &Signal) -> Value<'e> {
    Value::Str(format!("{}: {}", signal.code, signal.seen).into())
}

fn authentication<'e>(facts: &'e Facts, add: &mut Add<'_, 'e>) {
    let results = &facts.authentication;
    add.text("spf", word(results.spf));
    add.text("dkim", word(results.dkim));
    add.text("dmarc", word(results.dmarc));
    add.text("arc", word(results.arc));
    add.list(
        "dkim_domain",
        results.signers.iter().map(|domain| Value::text(domain)),
    );
    add.flag("aligned", results.aligned);
    add.text("origin_host", facts.origin.host.as_deref().unwrap_or_default());
    add.int("hops", usize::from(facts.origin.hops));
}

/// The word of RFC 8601 2.7.
fn word(result: AuthResult) -> &'static str {
    match result {
        AuthResult::Unknown => "unknown",
        AuthResult::None => "none",
        AuthResult::Pass => "pass",
        AuthResult::Fail => "fail",
        AuthResult::SoftFail => "softfail",
        AuthResult::Neutral => "neutral",
        AuthResult::TempError => "temperror",
        AuthResult::PermError => "permerror",
    }
}

fn links<'e>(facts: &'e Facts, add: &mut Add<'_, 'e>) {
    let of = |role: LinkRole| facts.links.iter().filter(move |link| link.role == role);
    let hosts = |link: &'e Link| Value::text(&link.host);
    let domains = |link: &'e Link| Value::text(&link.domain);
    let templates = |link: &'e Link| Value::text(&link.template);
    add.int("link_count", of(LinkRole::Click).count());
    add.list("link_host", of(LinkRole::Click).map(hosts));
    add.list("link_domain", of(LinkRole::Click).map(domains));
    add.list("link_template", of(LinkRole::Click).map(templates));
    add.list(
        "link_found_in",
        facts.links.iter().map(|link| Value::text(&link.found_in)),
    );
    add.list("form_host", of(LinkRole::Form).map(hosts));
    add.list("form_template", of(LinkRole::Form).map(templates));
    add.int("beacon_count", of(LinkRole::Beacon).count());
    add.int(
        "hidden_beacons",
        of(LinkRole::Beacon).filter(|link| link.hidden).count(),
    );
    add.list("beacon_host", of(LinkRole::Beacon).map(hosts));
    add.list("beacon_domain", of(LinkRole::Beacon).map(domains));
    add.list("beacon_template", of(LinkRole::Beacon).map(templates));
    let hidden = || of(LinkRole::Beacon).filter(|link| link.hidden);
    add.list("hidden_beacon_domain", hidden().map(domains));
    let qr = || facts.links.iter().filter(|link| link.found_in.starts_with("qr"));
    add.list("qr_host", qr().map(hosts));
    let derived = facts.links.iter().flat_map(|link| &link.tokens);
    let derived = derived.filter_map(|token| token.derived.as_deref());
    add.list("recipient_token", derived.map(Value::text));
}

fn attachments<'e>(facts: &'e Facts, add: &mut Add<'_, 'e>) {
    add.int("attachment_count", facts.attachments.len());
    add.list(
        "attachment_kind",
        facts.attachments.iter().map(|file| Value::text(&file.kind)),
    );
}

#[cfg(test)]
mod tests {
    use blackrod_model::{Class, Position, Timestamp};

    use super::*;

    #[test]
    fn facts_are_fields_beside_the_event_s_own() {
        let mut event = Event::new(Class::EMAIL_ACTIVITY, Timestamp::UNKNOWN, Position::START);
        event.fields.push(Field::new("subject", "Agenda"));
        let link = |role, host: &str, hidden| Link {
            role,
            host: host.to_owned(),
            hidden,
            ..Link::default()
        };
        let facts = Facts {
            links: vec![
                link(LinkRole::Beacon, "a.example", true),
                link(LinkRole::Beacon, "b.example", false),
                link(LinkRole::Click, "c.example", false),
            ],
            ..Facts::default()
        };
        let seen = with_facts(&event, &facts, "Dear colleague");
        let text = |name: &str| seen.get(name).and_then(Value::as_str);
        assert_eq!(text("subject"), Some("Agenda"));
        assert_eq!(text("body_text"), Some("Dear colleague"));
        assert_eq!(text("dmarc"), Some("unknown"));
        assert_eq!(seen.get("hidden_beacons"), Some(&Value::Int(1)));
        assert_eq!(
            seen.get("link_host"),
            Some(&Value::List(vec![Value::text("c.example")]))
        );
        assert_eq!(seen.get("qr_host"), None);
    }
}
