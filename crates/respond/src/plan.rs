//! What is to be done about a campaign's messages, and what its recipients are told.

use std::collections::BTreeMap;

use blackrod_model::mail::{CampaignMessage, MailCampaign};

/// A message to be taken out of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Purge {
    /// Whose mailbox.
    pub mailbox: String,
    /// The message's Message-ID; empty where it has none, so that it must be found by sender, subject and time.
    pub message_id: String,
    /// Its sender.
    pub from: String,
    /// Its subject.
    pub subject: String,
    /// When it was sent, RFC 3339.
    pub time: String,
}

/// Every copy of every message of `campaign` in the mailboxes that are `ours`, in the order of mailboxes and time.
pub fn purge(campaign: &MailCampaign, ours: &dyn Fn(&str) -> bool) -> Vec<Purge> {
    by_recipient(campaign, ours)
        .into_iter()
        .flat_map(|(mailbox, messages)| {
            messages.into_iter().map(move |message| Purge {
                mailbox: mailbox.clone(),
                message_id: message.message_id.clone(),
                from: message.from.clone(),
                subject: message.subject.clone(),
                time: message.time.to_string(),
            })
        })
        .collect()
}

/// A draft of a message to somebody at risk. Nobody gets it before it was approved.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Draft {
    /// To whom.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its text.
    pub body: String,
}

/// What is written where no other template is given. `{messages}` is a list, `{contact}` who answers.
pub const NOTICE: &str = "Messages that were sent to you are part of a campaign that collects information about its readers. \
Opening one may have told its sender when and where you read it, and with which device.\n\n{messages}\n\n\
Please do not open, answer or forward them, and do not delete them: we take them out of your mailbox. \
If you opened one or clicked on a link, also on a private device or in a private mailbox, tell us: {contact}.\n";

/// A draft for each recipient of `campaign` that is `ours`, from `template`.
pub fn notices(
    campaign: &MailCampaign,
    ours: &dyn Fn(&str) -> bool,
    template: &str,
    contact: &str,
) -> Vec<Draft> {
    let draft = |(to, messages): (String, Vec<&CampaignMessage>)| {
        let lines: Vec<String> = messages
            .iter()
            .map(|message| {
                format!(
                    "- {}, from {}: {}",
                    message.time,
                    line(&message.from),
                    line(&message.subject)
                )
            })
            .collect();
        // The contact first: what senders wrote must not be taken for a place to fill.
        let body = template
            .replace("{contact}", contact)
            .replace("{messages}", &lines.join("\n"));
        Draft {
            to,
            subject: "Messages sent to you that you should not open".to_owned(),
            body,
        }
    };
    by_recipient(campaign, ours).into_iter().map(draft).collect()
}

/// A draft as a message (RFC 5322) that mail programs open for editing: `X-Unsent` (MS-OXCMAIL) marks it as not sent.
pub fn unsent(draft: &Draft) -> String {
    // A header field holds one line, whatever an address or a subject hold.
    let field = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).collect() };
    format!(
        "X-Unsent: 1\r\nTo: <{}>\r\nSubject: {}\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Transfer-Encoding: 8bit\r\n\r\n{}",
        field(&draft.to),
        field(&draft.subject),
        draft.body.replace("\r\n", "\n").replace('\n', "\r\n")
    )
}

fn by_recipient<'c>(
    campaign: &'c MailCampaign,
    ours: &dyn Fn(&str) -> bool,
) -> BTreeMap<String, Vec<&'c CampaignMessage>> {
    let mut found: BTreeMap<String, Vec<&CampaignMessage>> = BTreeMap::new();
    for message in &campaign.messages {
        let recipients = message.recipients.iter().map(|one| one.to_lowercase());
        for recipient in recipients.filter(|one| ours(one)) {
            found.entry(recipient).or_default().push(message);
        }
    }
    for messages in found.values_mut() {
        messages.sort_by_key(|message| message.time);
        messages.dedup_by_key(|message| (message.evidence, message.at));
    }
    found
}

/// What a sender wrote, on one line and without links to click.
fn line(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    text.replace("://", ":// ").replace("www.", "www .")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_mailbox_has_its_messages_and_each_reader_one_notice() {
        let message = |id: &str, to: &[&str]| CampaignMessage {
            message_id: id.into(),
            subject: "see http://t.example {contact}".into(),
            recipients: to.iter().map(|one| (*one).to_owned()).collect(),
            ..CampaignMessage::default()
        };
        let mut second = message("2", &["a@p.example"]);
        second.at.record = 1;
        let campaign = MailCampaign {
            messages: vec![
                message("1", &["B@p.example", "a@p.example", "x@private.example"]),
                second,
            ],
            ..MailCampaign::default()
        };
        let ours = |address: &str| address.ends_with("@p.example");
        let planned: Vec<(String, String)> = purge(&campaign, &ours)
            .into_iter()
            .map(|one| (one.mailbox, one.message_id))
            .collect();
        let expected = [("a@p.example", "1"), ("a@p.example", "2"), ("b@p.example", "1")];
        assert_eq!(planned, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let drafts = notices(&campaign, &ours, NOTICE, "security@p.example");
        assert_eq!(drafts.len(), 2);
        assert!(drafts.iter().all(|one| one.body.contains("tell us: security@p.example") && !one.body.contains("http://t")));
    }
}
