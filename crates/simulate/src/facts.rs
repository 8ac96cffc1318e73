//! The facts of a message without writing and reading it: for tuning, where only what is seen across messages
//! matters. A test compares them with what the detector's anatomy makes of the written message.

use blackrod_model::mail::{
    Attachment, AuthResult, Authentication, Bulk, Facts, Link, LinkRole, Origin, Print, PrintKind, hash,
};
use blackrod_model::{EvidenceId, Position, Sha256, Timestamp};

use crate::body::{Piece, straight};
use crate::design;
use crate::files;
use crate::mail::Mail;
use crate::random::mix;
use crate::url::Keys;

impl Mail {
    /// Its facts, as the detector's anatomy would find them, without signals.
    pub fn facts(&self, evidence: EvidenceId) -> Facts {
        let mailing = &self.mailing;
        let sender = &mailing.sender;
        let origin = &sender.origin;
        let bounce = origin
            .bounces
            .as_ref()
            .map(|domain| format!("b-{:x}@{domain}", mix(self.key(), &[9])));
        let dkim = if origin.signers.is_empty() {
            origin.spf_only()
        } else {
            origin.dkim
        };
        Facts {
            evidence,
            at: Position {
                offset: self.number,
                record: self.number,
            },
            time: Timestamp::from_seconds(self.seconds()),
            message_id: self.message_id(),
            from_name: sender.name.clone(),
            from: sender.address.clone(),
            reply_to: sender.reply_to.clone(),
            return_path: bounce,
            recipients: self
                .recipients()
                .iter()
                .map(|recipient| recipient.address.to_string())
                .collect(),
            subject: self.body.subject.clone(),
            references: mailing
                .answers
                .iter()
                .map(|earlier| hash(&earlier.message_id()))
                .collect(),
            authentication: Authentication {
                spf: origin.spf,
                dkim,
                dmarc: origin.dmarc,
                arc: AuthResult::Unknown,
                signers: origin.signers.clone(),
                aligned: origin.dmarc == AuthResult::Pass
                    || origin.signers.iter().any(|signer| signer == sender.domain()),
            },
            origin: Origin {
                ip: (!origin.is_inside).then_some(origin.ip.into()),
                host: (!origin.is_inside).then(|| origin.host.clone()),
                hops: if origin.is_inside {
                    1
                } else {
                    2 + origin.inner_hops as u16
                },
            },
            prints: self.prints(),
            links: self.links(),
            text: self.body.sketch.clone(),
            attachments: self.attachments(),
            bulk: self.bulk(),
            signals: Vec::new(),
        }
    }

    fn prints(&self) -> Vec<Print> {
        let sender = &self.mailing.sender;
        let software = &sender.software;
        let (id, boundary) = software.shapes();
        let mut prints = Vec::with_capacity(8);
        let mut push = |kind, value: String| {
            prints.push(Print {
                kind,
                value: hash(&value),
            })
        };
        push(PrintKind::MessageIdShape, format!("id {id}"));
        if self.body.html.is_some() {
            push(PrintKind::BoundaryShape, format!("boundary {boundary}"));
        }
        push(
            PrintKind::HeaderOrder,
            format!(
                "order {} {} {}",
                software.order,
                software.mailer.is_some(),
                sender.bulk.is_some()
            ),
        );
        if let Some(mailer) = &software.mailer {
            push(PrintKind::Mailer, mailer.value.clone());
        }
        push(PrintKind::TimeZone, format!("{}", software.zone));
        push(
            PrintKind::Encoding,
            format!("{:?} {:?}", software.charset, software.encoding),
        );
        push(
            PrintKind::Structure,
            format!(
                "{} {:?}",
                self.body.html.is_some(),
                self.mailing.extras().attachment
            ),
        );
        if let Some(bulk) = &sender.bulk
            && let Some(service) = bulk.service.as_ref().filter(|service| service.feedback)
        {
            push(PrintKind::BulkAccount, bulk.account.clone());
            push(PrintKind::BulkService, service.name.to_lowercase());
        }
        if self.body.html.is_some() {
            prints.push(Print {
                kind: PrintKind::HtmlSkeleton,
                value: self.body.skeleton,
            });
        }
        prints
    }

    fn links(&self) -> Vec<Link> {
        let mailing = &self.mailing;
        let tracker = mailing.sender.tracker.as_deref();
        let keys = self.keys();
        let mut links: Vec<Link> = Vec::new();
        let mut add = |link: Link| {
            let known = |seen: &Link| seen.template == link.template && seen.role == link.role;
            if !links.iter().any(known) {
                links.push(link);
            }
        };
        let has_header = mailing.sender.bulk.as_ref().is_some_and(|bulk| bulk.unsubscribe);
        if has_header && let Some(tracker) = tracker {
            add(tracker
                .unsubscribe
                .link(&keys, LinkRole::Unsubscribe, "list-unsubscribe", false));
        }
        for piece in self.body.html.as_deref().unwrap_or(&self.body.text) {
            match (piece, tracker) {
                (Piece::Open, Some(tracker)) => {
                    if let Some(open) = &tracker.open {
                        add(open.link(&keys, LinkRole::Beacon, "img", design::is_open_hidden(mailing)));
                    }
                }
                (Piece::Link(number), Some(tracker)) if let Some(click) = &tracker.click => {
                    add(click.link(
                        &Keys {
                            link: *number,
                            ..keys
                        },
                        LinkRole::Click,
                        "a",
                        false,
                    ));
                }
                (Piece::Link(number), _) => {
                    let mut url = String::new();
                    straight(mailing, *number, &mut url);
                    add(plain_link(url, LinkRole::Click, "a"));
                }
                (Piece::Picture(number), Some(tracker)) => {
                    let keys = Keys {
                        mailing: mix(keys.mailing, &[*number]),
                        ..keys
                    };
                    add(tracker.image.link(&keys, LinkRole::Beacon, "img", false));
                }
                (Piece::Picture(_), None) => {
                    add(plain_link(
                        format!("https://{}/logo.png", mailing.sender.web),
                        LinkRole::Beacon,
                        "img",
                    ));
                }
                _ => {}
            }
        }
        links
    }

    fn attachments(&self) -> Vec<Attachment> {
        let Some(attached) = self.mailing.extras().attachment else {
            return Vec::new();
        };
        let file = files::attachment(attached, self);
        let digest = Sha256::of(&file.content)
            .0
            .iter()
            .take(8)
            .fold(0, |state, byte| state << 8 | u64::from(*byte));
        vec![Attachment {
            name: file.name,
            kind: file.kind.to_owned(),
            digest,
            size: file.content.len() as u64,
        }]
    }

    fn bulk(&self) -> Bulk {
        let Some(bulk) = &self.mailing.sender.bulk else {
            return Bulk::default();
        };
        let named = bulk.service.as_ref().filter(|service| service.feedback);
        Bulk {
            unsubscribe: bulk.unsubscribe,
            list: bulk.list.clone(),
            service: named.map(|service| service.name.to_lowercase()),
            account: named.map(|_| bulk.account.clone()),
        }
    }
}

impl crate::sender::Origin {
    fn spf_only(&self) -> AuthResult {
        if self.is_inside {
            AuthResult::Unknown
        } else {
            AuthResult::None
        }
    }
}

fn plain_link(url: String, role: LinkRole, found_in: &str) -> Link {
    let host = url
        .trim_start_matches("https://")
        .split('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let labels: Vec<&str> = host.rsplitn(3, '.').collect();
    let domain = match labels.as_slice() {
        [top, second, ..] => format!("{second}.{top}"),
        _ => host.clone(),
    };
    Link {
        role,
        host,
        domain,
        template: url,
        tokens: Vec::new(),
        hidden: false,
        found_in: found_in.to_owned(),
    }
}
