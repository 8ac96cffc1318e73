//! Known attacks, hidden in the month.

use serde_json::json;

use crate::estate::{ADMINISTRATORS, DAY, Estate};
use crate::log::{Logs, NO_SECOND_FACTOR, START, Spot, WELL, WRONG_PASSWORD};
use crate::random::Random;

/// One attack: what it is, and the accounts and addresses by which a finding is known to be about it.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) marks: Vec<String>,
}

const RENTED: [u32; 5] = [16_276, 24_940, 14_061, 20_473, 9_009];
const TOOL: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/119.0 Safari/537.36";

struct Attacker<'a> {
    random: &'a mut Random,
    logs: &'a mut Logs,
    estate: &'a Estate,
    days: i64,
    victims: Vec<usize>,
}

/// Adds all attacks to `logs`, each on accounts of its own.
pub(crate) fn hide(random: &mut Random, estate: &Estate, days: i64, logs: &mut Logs) -> Vec<Attack> {
    let mut attacker = Attacker {
        random,
        logs,
        estate,
        days,
        victims: Vec::new(),
    };
    vec![
        attacker.fast_spray(),
        attacker.slow_spray(),
        attacker.fatigue(),
        attacker.stolen_session(),
        attacker.consent(),
        attacker.device_code(),
        attacker.old_protocol(),
        attacker.hidden_rule(),
        attacker.administrator(),
        attacker.first_password(),
        attacker.application_secret(),
    ]
}

impl Attacker<'_> {
    fn victim(&mut self) -> (usize, String) {
        loop {
            let number = self.random.index(self.estate.people.len());
            if !self.victims.contains(&number) {
                self.victims.push(number);
                return (number, self.estate.people[number].user.clone());
            }
        }
    }

    fn rented(&mut self, agent: &str) -> Spot {
        let system = *self.random.pick(&RENTED);
        Spot {
            ip: format!(
                "45.{}.{}.{}",
                system % 200,
                self.random.below(250),
                1 + self.random.below(250)
            ),
            system,
            country: "NL",
            agent: agent.to_owned(),
            session: format!("x-{:x}", self.random.next()),
        }
    }

    /// A time in the second half, when accounts are known.
    fn late(&mut self) -> i64 {
        let half = self.days / 2;
        START + (half + self.random.below((half - 2).max(1))) * DAY + 3_600 * self.random.below(20)
    }

    fn fast_spray(&mut self) -> Attack {
        let (spot, at) = (self.rented(TOOL), self.late());
        let (_, taken) = self.victim();
        for step in 0..40 {
            let number = self.random.index(self.estate.people.len());
            let user = self.estate.people[number].user.clone();
            self.logs
                .sign_in(self.random, at + 15 * step, &user, &spot, WRONG_PASSWORD);
        }
        self.logs
            .sign_in(self.random, at + 400, &taken, &spot, WRONG_PASSWORD);
        self.logs.sign_in(self.random, at + 700, &taken, &spot, WELL);
        Attack {
            name: "passwords sprayed from one address",
            marks: vec![taken, spot.ip],
        }
    }

    fn slow_spray(&mut self) -> Attack {
        let begin = START + (self.days / 2) * DAY;
        let mut marks = Vec::new();
        let (_, taken) = self.victim();
        for step in 0..72 {
            let mut spot = self.rented(TOOL);
            spot.agent = "Mozilla/5.0 (Windows NT 6.1; rv:52.0) Gecko/20100101 Seamonkey/2.49".to_owned();
            let user = match step {
                60 | 71 => taken.clone(),
                _ => self.estate.people[self.random.index(self.estate.people.len())]
                    .user
                    .clone(),
            };
            let at = begin + 2 * 3_600 * step + self.random.below(3_000);
            let error = if step == 71 { WELL } else { WRONG_PASSWORD };
            self.logs.sign_in(self.random, at, &user, &spot, error);
            marks.push(spot.ip);
        }
        marks.push(taken);
        Attack {
            name: "passwords tried every two hours from another address each",
            marks,
        }
    }

    fn fatigue(&mut self) -> Attack {
        let (spot, at, (_, user)) = (self.rented(TOOL), self.late(), self.victim());
        for step in 0..8 {
            self.logs
                .sign_in(self.random, at + 60 * step, &user, &spot, NO_SECOND_FACTOR);
        }
        self.logs.sign_in(self.random, at + 520, &user, &spot, WELL);
        self.logs
            .directory(self.random, at + 900, &user, "Register device.", &user, &[]);
        Attack {
            name: "second factor asked for until given",
            marks: vec![user],
        }
    }

    fn stolen_session(&mut self) -> Attack {
        let (at, (number, user)) = (self.late(), self.victim());
        let own = self.estate.spot(self.random, number, at, false);
        let mut spot = self.rented("axios/1.7.9");
        spot.session.clone_from(&own.session);
        self.logs.sign_in(self.random, at, &user, &own, WELL);
        self.logs.sign_in(self.random, at + 240, &user, &spot, WELL);
        self.logs.mail_read(self.random, at + 500, &user, &spot, 12);
        Attack {
            name: "session stolen over a page in between",
            marks: vec![user],
        }
    }

    fn consent(&mut self) -> Attack {
        let (at, (number, user)) = (self.late(), self.victim());
        let own = self.estate.spot(self.random, number, at, false);
        let scope = "ConsentType: Principal, Scope: Mail.Read Files.Read.All offline_access";
        let changed = [("ConsentAction.Permissions", scope)];
        self.logs.sign_in(self.random, at, &user, &own, WELL);
        self.logs.directory(
            self.random,
            at + 60,
            &user,
            "Consent to application.",
            "Document viewer",
            &changed,
        );
        Attack {
            name: "consent to an application that reads mail",
            marks: vec![user],
        }
    }

    fn device_code(&mut self) -> Attack {
        let (spot, at, (_, user)) = (self.rented("python-msal/1.2"), self.late(), self.victim());
        let program = "Mobile Apps and Desktop clients";
        self.logs
            .sign_in_with(self.random, at, &user, &spot, WELL, program, "deviceCode");
        Attack {
            name: "code typed in for somebody else's device",
            marks: vec![user],
        }
    }

    fn old_protocol(&mut self) -> Attack {
        let (spot, at, (_, user)) = (self.rented("BAV2ROPC"), self.late(), self.victim());
        self.logs
            .sign_in_with(self.random, at, &user, &spot, WELL, "IMAP4", "none");
        for step in 0..6 {
            self.logs.mail_read(self.random, at + 60 * step, &user, &spot, 0);
        }
        Attack {
            name: "mailbox copied over IMAP",
            marks: vec![user],
        }
    }

    fn hidden_rule(&mut self) -> Attack {
        let (spot, at, (_, user)) = (self.rented(TOOL), self.late(), self.victim());
        self.logs.sign_in(self.random, at, &user, &spot, WELL);
        let rule = [
            ("Name", "."),
            ("SubjectOrBodyContainsWords", "invoice;payment"),
            ("MoveToFolder", "RSS Feeds"),
            ("MarkAsRead", "True"),
        ];
        self.logs
            .cmdlet(self.random, at + 600, &user, &spot, "New-InboxRule", &rule);
        Attack {
            name: "rule that hides mail about money",
            marks: vec![user],
        }
    }

    fn administrator(&mut self) -> Attack {
        let (spot, at) = (self.rented(TOOL), self.late());
        let new = "svc.sync@assembly.example".to_owned();
        let role = [("Role.DisplayName", "Global Administrator")];
        self.logs
            .directory(self.random, at, ADMINISTRATORS[2], "Add user.", &new, &[]);
        self.logs.directory(
            self.random,
            at + 60,
            ADMINISTRATORS[2],
            "Add member to role.",
            &new,
            &role,
        );
        let off = [("UnifiedAuditLogIngestionEnabled", "False")];
        self.logs.cmdlet(
            self.random,
            at + 120,
            &new,
            &spot,
            "Set-AdminAuditLogConfig",
            &off,
        );
        Attack {
            name: "administrator made, audit log switched off",
            marks: vec![new],
        }
    }

    fn first_password(&mut self) -> Attack {
        let user = "intern.archive@assembly.example".to_owned();
        let spot = self.rented(TOOL);
        let at = START + (self.days - 2) * DAY + 3_600;
        self.logs.directory(
            self.random,
            START + 3_600,
            ADMINISTRATORS[0],
            "Add user.",
            &user,
            &[],
        );
        self.logs.sign_in(self.random, at, &user, &spot, WELL);
        for step in 0..5 {
            self.logs.mail_read(self.random, at + 60 * step, &user, &spot, 5);
        }
        Attack {
            name: "account that still had its first password",
            marks: vec![user],
        }
    }

    fn application_secret(&mut self) -> Attack {
        let (spot, at, (_, user)) = (self.rented(TOOL), self.late(), self.victim());
        self.logs.sign_in(self.random, at, &user, &spot, WELL);
        let operation = "Update application – Certificates and secrets management ";
        self.logs
            .directory(self.random, at + 900, &user, operation, "Archive connector", &[]);
        self.logs.audit(
            self.random,
            at + 960,
            &user,
            (
                "AzureActiveDirectory",
                "Add app role assignment to service principal.",
            ),
            &spot,
            json!({"ObjectId": "Archive connector", "RecordType": 8,
                "ModifiedProperties": [{"Name": "AppRole.Value", "NewValue": "Mail.Read", "OldValue": ""}]}),
        );
        Attack {
            name: "secret and rights given to an application",
            marks: vec![user],
        }
    }
}
