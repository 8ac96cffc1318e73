//! What EXCHANGE01 was asked over the web, and what was read in mailboxes afterwards: IIS, HttpProxy and control panel logs, and the
//! audit log of mailboxes.
//!
//! All lines are inert: they are what such logs hold after the fact, shortened to the parts that log checks published with the
//! advisories look for. Nothing in them can be sent anywhere or do anything.

use crate::Files;
use crate::json::Object;
use crate::mail::strftime;
use crate::pack;
use crate::people::Assembly;
use crate::random::Random;
use crate::story::{EXCHANGE, EXCHANGE_IP, GUESSING_IP, INTRUDER_IP, SECOND, TARGET_GROUP, january};

const IIS_HEADER: &str = "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2021-01-11 00:00:00\r\n\
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken\r\n";
const PROXY_FIELDS: &str = "DateTime,RequestId,MajorVersion,MinorVersion,BuildVersion,RevisionVersion,ClientRequestId,Protocol,UrlHost,UrlStem,ProtocolAction,\
AuthenticationType,IsAuthenticated,AuthenticatedUser,Organization,AnchorMailbox,UserAgent,ClientIpAddress,ServerHostName,HttpStatus,BackEndStatus,ErrorCode,\
Method,ProxyAction,TargetServer,TargetServerVersion,RoutingType,RoutingHint,BackEndCookie,UrlQuery,GenericInfo,GenericErrors";
const OUTLOOK: &str = "Microsoft+Office/16.0+(Windows+NT+10.0;+Microsoft+Outlook+16.0.13426;+Pro)";
const BROWSER: &str =
    "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)+AppleWebKit/537.36+Chrome/87.0.4280.141+Safari/537.36";
const SCRIPT: &str = "python-requests/2.25.1";
/// The page that was put there, by its address.
const SHELL: &str = "/aspnet_client/system_web/error_ews.aspx";
const BORROWED_ACCOUNT: &str = "svc-backup";

/// A request as both logs tell it.
struct Asked {
    at: i64,
    method: &'static str,
    path: &'static str,
    query: &'static str,
    user: String,
    client: String,
    agent: &'static str,
    referer: &'static str,
    status: u16,
}

/// Adds the logs.
pub(crate) fn add(assembly: &Assembly, files: &mut Files) {
    let mut asked = ordinary(assembly);
    asked.extend(intrusion());
    asked.sort_by_key(|request| request.at);
    let archive = pack::tar(
        &[
            (
                "inetpub/logs/LogFiles/W3SVC1/u_ex210111-22.log",
                iis(&asked).as_bytes(),
            ),
            (
                "V15/Logging/HttpProxy/Ecp/HttpProxy_2021012003-1.LOG",
                proxy(&asked).as_bytes(),
            ),
            (
                "V15/Logging/ECP/Server/ECPServer20210120-1.LOG",
                control_panel().as_bytes(),
            ),
        ],
        1_611_360_000,
    );
    files.insert(
        "evidence/exchange01-web-logs.tar.zst".to_owned(),
        pack::zstd(&archive),
    );
    files.insert(
        "evidence/m365/mailbox-audit-2021-01.ndjson.gz".to_owned(),
        pack::gzip(mailbox_audit(assembly).as_bytes()),
    );
}

/// People at their mail: Outlook all day, the browser now and then.
fn ordinary(assembly: &Assembly) -> Vec<Asked> {
    let mut random = Random::named("web");
    let mut asked = Vec::new();
    for day in [11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22] {
        let is_weekend = day == 16 || day == 17;
        let count = if is_weekend { 60 } else { 190 };
        for _ in 0..count {
            let number = random.below(assembly.people.len());
            let person = &assembly.people[number];
            let at = january(day, 6, 0, 0) + random.below(50_000) as i64 * SECOND;
            let (method, path, query, agent, referer) = match random.below(9) {
                0 | 1 => ("POST", "/mapi/emsmdb/", "MailboxId=0", OUTLOOK, "-"),
                2 => ("POST", "/EWS/Exchange.asmx", "-", OUTLOOK, "-"),
                3 => (
                    "GET",
                    "/autodiscover/autodiscover.json",
                    "Protocol=ActiveSync&RedirectCount=1",
                    OUTLOOK,
                    "-",
                ),
                4 => ("GET", "/owa/auth/logon.aspx", "replaceCurrent=1", BROWSER, "-"),
                5 => (
                    "POST",
                    "/owa/auth.owa",
                    "-",
                    BROWSER,
                    "https://mail.assembly.example/owa/auth/logon.aspx",
                ),
                6 => (
                    "GET",
                    "/owa/",
                    "-",
                    BROWSER,
                    "https://mail.assembly.example/owa/auth/logon.aspx",
                ),
                7 => (
                    "POST",
                    "/owa/service.svc",
                    "action=FindItem",
                    BROWSER,
                    "https://mail.assembly.example/owa/",
                ),
                _ => (
                    "POST",
                    "/Microsoft-Server-ActiveSync/default.eas",
                    "Cmd=Sync",
                    "Apple-iPhone11C2/1802.92",
                    "-",
                ),
            };
            let is_signed_in = path != "/owa/auth/logon.aspx" && path != "/owa/auth.owa";
            let user = if is_signed_in {
                format!("NORRLAND\\{}", person.account)
            } else {
                "-".to_owned()
            };
            let client = if random.below(3) == 0 {
                format!("198.51.100.{}", 100 + number)
            } else {
                format!("192.0.2.{}", 100 + number)
            };
            let status = if path == "/owa/auth.owa" { 302 } else { 200 };
            asked.push(Asked {
                at,
                method,
                path,
                query,
                user,
                client,
                agent,
                referer,
                status,
            });
        }
    }
    asked
}

/// Probes on the 16th, the way in on the 20th, the page and the mailboxes afterwards.
fn intrusion() -> Vec<Asked> {
    let by = |client: &str, at: i64, method, path, query, status| Asked {
        at,
        method,
        path,
        query,
        user: "-".to_owned(),
        client: client.to_owned(),
        agent: SCRIPT,
        referer: "-",
        status,
    };
    let mut asked = vec![
        by(
            GUESSING_IP,
            january(16, 22, 41, 9),
            "GET",
            "/owa/auth/logon.aspx",
            "-",
            200,
        ),
        by(
            GUESSING_IP,
            january(16, 22, 41, 12),
            "POST",
            "/ecp/y.js",
            "-",
            500,
        ),
        by(
            GUESSING_IP,
            january(16, 22, 41, 31),
            "POST",
            "/ecp/y.js",
            "-",
            500,
        ),
        by(INTRUDER_IP, january(20, 3, 4, 2), "POST", "/ecp/y.js", "-", 200),
        by(INTRUDER_IP, january(20, 3, 4, 40), "POST", "/ecp/y.js", "-", 200),
        by(INTRUDER_IP, january(20, 3, 5, 55), "POST", "/ecp/y.js", "-", 200),
    ];
    for (day, hour, minute) in [
        (20, 3, 9),
        (20, 3, 11),
        (20, 3, 14),
        (20, 3, 19),
        (21, 3, 57),
        (22, 4, 11),
        (22, 4, 12),
    ] {
        asked.push(by(
            INTRUDER_IP,
            january(day, hour, minute, 0),
            "POST",
            SHELL,
            "-",
            200,
        ));
    }
    asked.push(by(
        INTRUDER_IP,
        january(21, 4, 6, 30),
        "GET",
        "/aspnet_client/logo.png",
        "-",
        200,
    ));
    for minute in 0..14 {
        let at = january(21, 4, 20, 0) + minute * 97 * SECOND;
        let mut request = by(INTRUDER_IP, at, "POST", "/EWS/Exchange.asmx", "-", 200);
        request.user = format!("NORRLAND\\{BORROWED_ACCOUNT}");
        asked.push(request);
    }
    asked
}

fn iis(asked: &[Asked]) -> String {
    let mut text = IIS_HEADER.to_owned();
    for request in asked {
        let when = strftime(request.at, "%Y-%m-%d %H:%M:%S");
        text.push_str(&format!(
            "{when} {EXCHANGE_IP} {} {} {} 443 {} {} {} {} {} 0 0 {}\r\n",
            request.method,
            request.path,
            request.query,
            request.user,
            request.client,
            request.agent,
            request.referer,
            request.status,
            31 + request.at / SECOND % 200
        ));
    }
    text
}

/// What the front end passed on of the control panel: the lines that name a mailbox which is no mailbox are the attack.
fn proxy(asked: &[Asked]) -> String {
    let mut random = Random::named("proxy");
    let mut text = format!(
        "#Software: Microsoft Exchange Server\r\n#Version: 15.01.2106.002\r\n#Log-type: HttpProxy Logs\r\n#Date: 2021-01-11T00:00:00.000Z\r\n#Fields: {PROXY_FIELDS}\r\n"
    );
    for request in asked {
        let is_attack = request.path == "/ecp/y.js";
        if !is_attack && !request.path.starts_with("/owa/s") {
            continue;
        }
        let when = strftime(request.at, "%Y-%m-%dT%H:%M:%S%.3fZ");
        let id = random.hex(32);
        let anchor = match (is_attack, request.status) {
            (true, 200) if request.at > january(20, 3, 5, 0) => {
                format!(
                    "ServerInfo~a]@{EXCHANGE}:444/ecp/DDI/DDIService.svc/SetObject?schema=ResetOABVirtualDirectory#"
                )
            }
            (true, _) => format!("ServerInfo~a]@{EXCHANGE}:444/ecp/proxyLogon.ecp?#"),
            _ => format!("Sid~{}", request.user),
        };
        let (protocol, user) = match is_attack {
            true => ("Ecp", ""),
            false => ("Owa", request.user.as_str()),
        };
        let short = EXCHANGE.split('.').next().unwrap_or(EXCHANGE);
        text.push_str(&format!(
            "{when},{id},15,1,2106,2,,{protocol},mail.assembly.example,{},,FBA,{},{user},,\"{anchor}\",{},{},{short},{},{},,{},Proxy,{EXCHANGE},Version 15.1 (Build 2106.0),,,,,,\r\n",
            request.path,
            if user.is_empty() { "false" } else { "true" },
            request.agent.replace(',', " "),
            request.client,
            request.status,
            request.status,
            request.method
        ));
    }
    text
}

/// The control panel's own log: a virtual directory was given an address that is no address. What stands there cannot run.
fn control_panel() -> String {
    let at = |second| strftime(january(20, 3, 5, second), "%Y-%m-%dT%H:%M:%S%.3fZ");
    format!(
        "#Software: Microsoft Exchange Server\r\n#Version: 15.01.2106.002\r\n#Log-type: ECP Server Log\r\n#Date: 2021-01-20T03:00:00.000Z\r\n\
         #Fields: TimeStamp,ServerName,EventId,EventData\r\n\
         {},EXCHANGE01,ECP.Request,\"S:TIME=211;S:SID=0;S:CMD=Get-OabVirtualDirectory.ADPropertiesOnly=$true;S:RESULT=OK\"\r\n\
         {},EXCHANGE01,ECP.Request,\"S:TIME=702;S:SID=0;S:CMD=Set-OabVirtualDirectory.ExternalUrl=''http://inert.example/#<script language=none>INERT, cannot run</script>''.Identity=''OAB (Default Web Site)'';S:RESULT=OK\"\r\n",
        at(56),
        at(58)
    )
}

/// Mailboxes that are kept in the cloud: everybody reads their own; the intruder reads those of the caucus.
fn mailbox_audit(assembly: &Assembly) -> String {
    let mut random = Random::named("mailbox audit");
    let mut records: Vec<(i64, String)> = Vec::new();
    for day in [11, 12, 13, 14, 15, 18, 19, 20, 21, 22] {
        for _ in 0..22 {
            let number = random.below(assembly.people.len());
            let person = &assembly.people[number];
            let at = january(day, 6, 0, 0) + random.below(45_000) as i64 * SECOND;
            let client = format!("192.0.2.{}", 100 + number);
            let count = 1 + random.below(4);
            let session = format!("{number:08x}-0000-4000-8000-{day:012x}");
            records.push(read(
                &mut random,
                at,
                &person.address,
                &person.address,
                &client,
                &session,
                count,
            ));
        }
    }
    let night = january(21, 4, 20, 0);
    for (number, member) in (0..).zip(assembly.group(TARGET_GROUP).iter().take(6)) {
        for part in 0..4 {
            let at = night + (number * 240 + part * 40) * SECOND;
            let count = 30 + random.below(60);
            let intruder = format!("{BORROWED_ACCOUNT}@assembly.example");
            let session = "5f1a2b3c-0000-4000-8000-00000000beef";
            records.push(read(
                &mut random,
                at,
                &intruder,
                &member.address,
                INTRUDER_IP,
                session,
                count,
            ));
        }
    }
    records.sort();
    records.into_iter().map(|(_, line)| line + "\n").collect()
}

/// One record of mail that was read.
fn read(
    random: &mut Random,
    at: i64,
    user: &str,
    mailbox: &str,
    client: &str,
    session: &str,
    count: usize,
) -> (i64, String) {
    let id = format!(
        "{}-{}-{}-{}-{}",
        random.hex(8),
        random.hex(4),
        random.hex(4),
        random.hex(4),
        random.hex(12)
    );
    let items: Vec<String> = (0..count.min(3))
        .map(|_| {
            format!(
                "{{\"InternetMessageId\":\"<{}@assembly.example>\"}}",
                random.hex(16)
            )
        })
        .collect();
    let record = Object::default()
        .text("CreationTime", &strftime(at, "%Y-%m-%dT%H:%M:%S"))
        .text("Id", &id)
        .text("Operation", "MailItemsAccessed")
        .text("OrganizationId", "00000000-0000-4000-8000-000000000001")
        .number("RecordType", 50)
        .text("ResultStatus", "Succeeded")
        .text("Workload", "Exchange")
        .text("UserId", user)
        .number("UserType", 0)
        .number("LogonType", if user == mailbox { 0 } else { 2 })
        .text("MailboxOwnerUPN", mailbox)
        .text("ClientIPAddress", client)
        .text("ClientInfoString", if user == mailbox { "Client=OutlookService;" } else { "Client=WebServices;python-requests/2.25.1;" })
        .text("SessionId", session)
        .number("OperationCount", count as u64)
        .raw(
            "OperationProperties",
            "[{\"Name\":\"MailAccessType\",\"Value\":\"Bind\"},{\"Name\":\"IsThrottled\",\"Value\":\"False\"}]",
        )
        .raw(
            "Folders",
            &format!("[{{\"FolderItems\":[{}],\"Path\":\"\\\\Inbox\"}}]", items.join(",")),
        );
    (at, record.finish())
}
