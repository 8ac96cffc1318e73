//! What the simulation takes for granted.

/// All that is assumed about the estate, its ordinary mail and the campaigns. None of it is measured: how much
/// mail of which kind a parliament gets is not published. What is known of real campaigns stands at the field.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Assumptions {
    /// People of the estate.
    pub people: usize,
    /// Share of them who are members, and share who are members' assistants; the others are officials.
    pub members: f64,
    /// See `members`.
    pub assistants: f64,
    /// Committees, at most nineteen.
    pub committees: usize,
    /// Caucuses.
    pub caucuses: usize,
    /// Parties and units of officials, at most six each.
    pub parties: usize,
    /// See `parties`.
    pub units: usize,
    /// Least and most members of a committee, and officials in it, in an estate of `sized_for` people.
    pub committee_members: (usize, usize),
    /// See `committee_members`.
    pub committee_officials: (usize, usize),
    /// Least and most members of a caucus in such an estate.
    pub caucus_members: (f64, f64),
    /// The number of people that the sizes of groups are meant for; they grow with `people`.
    pub sized_for: usize,
    /// Days of mail, beginning on a Monday.
    pub days: usize,
    /// Messages in all, without the history; a message to several recipients at once is one.
    pub messages: usize,
    /// Multiplies the numbers of all senders and mailings besides the campaigns; `messages` is not touched.
    pub scale: f64,
    /// Whether a thin history precedes the first day: a few messages of every established sender, so that
    /// "new" means new.
    pub history: bool,

    /// Newsletters and notification lists that people have long subscribed to.
    pub newsletters: usize,
    /// Share of them whose readers mostly belong to one group.
    pub topical_newsletters: f64,
    /// Organisations outside that people have long written with, and people there.
    pub organisations: usize,
    /// People outside who are known to somebody in the estate.
    pub correspondents: usize,
    /// Shops, banks, travel, tickets, social networks: services that write to single people.
    pub services: usize,
    /// News outlets that are known.
    pub outlets: usize,
    /// Multiplies how many people a list or a mailing goes to: who writes to a small house writes to few.
    pub audience: f64,
    /// Share of the customers of mass-mail services who load and link from a domain of their own through it.
    pub branded: f64,

    /// Share of messages that are between people of the estate.
    pub internal_share: f64,
    /// Share of messages between people of the estate and known people outside, both ways.
    pub personal_share: f64,

    /// New bulk senders each day: NGOs, newsletters, event invitations, surveys.
    pub new_bulk_senders: f64,
    /// Share of them who write to one group (60 to 100 % of their recipients are in it).
    pub new_topical: f64,
    /// Press lists of a new client that a known or new agency sends for each day.
    pub press_releases: f64,
    /// Organisations each day of whom several people write with one template.
    pub shared_templates: f64,
    /// Waves of letters by citizens that an organiser wrote for them, each day.
    pub citizen_letters: f64,
    /// New salespeople each day, one recipient at a time, with trackers.
    pub sales: f64,
    /// Journalists each day who write to a few people and were not known: from their outlet's domain.
    pub journalists: f64,
    /// Journalists each day who write to several people of one group from a private address with a mail-merge
    /// service that tracks, claiming their outlet: the sender most like a campaign.
    pub merging_journalists: f64,
    /// Waves of untargeted phishing each day.
    pub phishing: f64,
    /// Share of those with a tracking image.
    pub phishing_tracked: f64,
    /// New single people outside who write each day.
    pub strangers: f64,

    /// Hidden campaigns.
    pub campaigns: usize,
    /// The day before which no campaign begins.
    pub first_campaign_day: usize,
    /// Least and most people of this estate in a campaign. In 2021 more than 400 in all parliaments together,
    /// between 3 and some 40 in each.
    pub campaign_recipients: (usize, usize),
    /// Most people of a campaign as a multiple of the group that it is after.
    pub campaign_of_group: f64,
    /// Most identities. In 2021 ten.
    pub campaign_identities: usize,
    /// Longest campaign in days.
    pub campaign_days: f64,
    /// Mean number of messages to each recipient. In 2021 about 2.5.
    pub campaign_messages_per_recipient: f64,
    /// Share of campaigns that found newspapers: each of these has a domain that bears its name, pictures and pages there, a
    /// text of its own, and nothing of the others but a mass-mail service, mostly one that nobody else here uses.
    pub campaign_fronts: f64,
    /// Of the others, the share through a shared mass-mail provider; the rest have hosts of their own.
    pub campaign_shared_service: f64,
    /// Of those, the share with several accounts. In 2021 ten accounts.
    pub campaign_several_accounts: f64,
    /// Of the campaigns with hosts of their own, the share whose images lie on a reputable host, so that only their
    /// links have tokens.
    pub campaign_reputable_host: f64,
    /// Of the campaigns with hosts of their own, the share that is sent from a partner's compromised account.
    pub campaign_partner: f64,
    /// Share of campaigns with 50 to 80 % of their recipients in one group; the others have 80 to 100 %.
    pub campaign_mixed: f64,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            people: 1_500,
            members: 0.3,
            assistants: 0.45,
            committees: 19,
            caucuses: 10,
            parties: 6,
            units: 6,
            committee_members: (15, 38),
            committee_officials: (2, 5),
            caucus_members: (12.0, 60.0),
            sized_for: 1_500,
            days: 14,
            messages: 1_100_000,
            scale: 1.0,
            history: true,
            newsletters: 1_200,
            topical_newsletters: 0.35,
            organisations: 900,
            correspondents: 4_500,
            services: 300,
            outlets: 30,
            audience: 1.0,
            branded: 0.0,
            internal_share: 0.46,
            personal_share: 0.20,
            new_bulk_senders: 24.0,
            new_topical: 0.5,
            press_releases: 4.0,
            shared_templates: 2.0,
            citizen_letters: 0.5,
            sales: 40.0,
            journalists: 6.0,
            merging_journalists: 0.3,
            phishing: 6.0,
            phishing_tracked: 0.5,
            strangers: 120.0,
            campaigns: 10,
            first_campaign_day: 2,
            campaign_recipients: (3, 36),
            campaign_of_group: 100.0,
            campaign_identities: 10,
            campaign_days: 7.0,
            campaign_messages_per_recipient: 1.6,
            campaign_fronts: 0.0,
            campaign_shared_service: 1.0 / 3.0,
            campaign_several_accounts: 0.8,
            campaign_reputable_host: 0.12,
            campaign_partner: 0.1,
            campaign_mixed: 0.25,
        }
    }
}

impl Assumptions {
    /// A small parliament or a party: 70 people in eleven groups, four weeks, as much mail for each as in the large house. Its
    /// senders write to a quarter as many people each, so there are about a fifth as many of them; salespeople and strangers, who write
    /// to single people, are as many for each person.
    #[must_use]
    pub fn small() -> Self {
        Self {
            people: 70,
            members: 0.5,
            assistants: 0.25,
            committees: 5,
            caucuses: 2,
            parties: 2,
            units: 2,
            committee_members: (5, 11),
            committee_officials: (1, 2),
            caucus_members: (8.0, 20.0),
            sized_for: 70,
            days: 28,
            messages: 100_000,
            newsletters: 220,
            organisations: 170,
            correspondents: 210,
            services: 80,
            outlets: 12,
            audience: 0.25,
            branded: 0.3,
            new_bulk_senders: 4.4,
            press_releases: 0.75,
            shared_templates: 0.4,
            citizen_letters: 0.1,
            sales: 1.9,
            journalists: 1.1,
            merging_journalists: 0.06,
            phishing: 1.1,
            strangers: 5.6,
            campaigns: 5,
            campaign_recipients: (3, 16),
            campaign_of_group: 1.25,
            campaign_identities: 6,
            campaign_fronts: 0.3,
            ..Self::default()
        }
    }

    /// The same at a part of the size: messages and senders by `scale`, people and campaigns as they are.
    #[must_use]
    pub fn scaled(mut self, scale: f64) -> Self {
        self.scale *= scale;
        self.messages = (self.messages as f64 * scale) as usize;
        self
    }

    /// `count` by the scale, at least one.
    pub(crate) fn many(&self, count: usize) -> usize {
        ((count as f64 * self.scale).round() as usize).max(1)
    }
}
