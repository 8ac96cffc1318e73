#![allow(clippy::unwrap_used)]

use blackrod_model::{Class, Column, Timestamp};

use crate::harness::{Reading, damage, read, read_in_pieces};
use crate::{Format, Formats};

fn read_as(name: &str, text: &str) -> Reading {
    let formats = Formats::standard();
    let format = formats.recognise(text.as_bytes()).unwrap();
    assert_eq!(format.name(), name, "{text}");
    damage(format, text.as_bytes());
    read(format, text.as_bytes()).unwrap()
}

const IIS: &str = "#Software: Microsoft Internet Information Services 10.0\r\n#Version: 1.0\r\n#Date: 2021-08-13 11:02:11\r\n#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status time-taken\r\n2021-08-13 11:02:11 10.10.4.102 POST /autodiscover/autodiscover.json a=x@y.zz/powershell/ 443 HOUSE\\Admin 192.0.2.71 Mozilla/5.0+Firefox/90 - 200 410\r\n#Fields: date time c-ip cs-method cs-uri-stem sc-status\r\n2021-08-13 11:02:12 ::ffff:192.0.2.7 GET /owa 401\r\ntoo short\r\n";

#[test]
fn iis_with_a_header_that_changes_in_the_middle() {
    let reading = read_as("w3c", IIS);
    assert_eq!(reading.events.len(), 2);
    let [first, second] = &reading.events[..] else {
        panic!()
    };
    assert_eq!(first.class, Class::HTTP_ACTIVITY);
    assert_eq!((first.product, first.channel.as_str()), ("webserver", "iis"));
    assert_eq!(first.time, Timestamp::parse("2021-08-13T11:02:11Z").unwrap());
    assert_eq!(first.get("cs-uri-query"), Some("a=x@y.zz/powershell/"));
    for (column, value) in [
        (Column::SrcIp, "192.0.2.71"),
        (Column::User, "house\\admin"),
        (Column::Url, "/autodiscover/autodiscover.json"),
        (Column::Status, "200"),
        (Column::Action, "POST"),
        (Column::UserAgent, "Mozilla/5.0+Firefox/90"),
    ] {
        assert_eq!(first.column(column), Some(value));
    }
    assert_eq!(second.column(Column::SrcIp), Some("192.0.2.7"));
    assert_eq!(second.get("s-ip"), None);
    assert_eq!((first.at.record, second.at.record), (1, 2));
    for event in &reading.events {
        let start = usize::try_from(event.at.offset).unwrap();
        assert!(IIS[start..].starts_with(&event.raw), "{:?}", event.at);
    }
    assert_eq!(reading.refusals.len(), 1);
    assert_eq!(reading.refusals[0].at.record, 3);
    let formats = Formats::standard();
    let format = formats.recognise(IIS.as_bytes()).unwrap();
    assert_eq!(read_in_pieces(format, IIS.as_bytes(), 3).unwrap(), reading);
}

#[test]
fn access_logs_in_json_have_the_names_of_w3c() {
    const NGINX: &str = r#"{"time_iso8601":"2021-08-13T11:02:11+00:00","remote_addr":"192.0.2.71","request":"GET /a/b?x=1 HTTP/2.0","status":"499","body_bytes_sent":"0","request_time":"0.004","http_referer":"-","http_user_agent":"Mozilla/5.0"}"#;
    const CADDY: &str = r#"{"level":"info","ts":1628852531.25,"logger":"http.log.access","request":{"remote_ip":"192.0.2.71","remote_port":"5","proto":"HTTP/2.0","method":"GET","host":"www.example","uri":"/a/b?x=1","headers":{"User-Agent":["Mozilla/5.0"],"Referer":["-"]}},"duration":0.004,"size":0,"status":499}"#;
    const TRAEFIK: &str = r#"{"ClientAddr":"192.0.2.71:5","ClientHost":"192.0.2.71","DownstreamStatus":499,"DownstreamContentSize":0,"Duration":4000000,"RequestHost":"www.example","RequestMethod":"GET","RequestPath":"/a/b?x=1","RequestProtocol":"HTTP/2.0","StartUTC":"2021-08-13T11:02:11.5Z","request_User-Agent":"Mozilla/5.0","request_Referer":"-","time":"2021-08-13T11:02:12Z"}"#;
    const APACHE: &str = r#"{"time":"13/Aug/2021:11:02:11 +0000","remoteIP":"192.0.2.71","host":"www.example","path":"/a/b","query":"?x=1","method":"GET","protocol":"HTTP/2.0","status":"499","bytes":"0","duration":"0.004","userAgent":"Mozilla/5.0","referer":"-"}"#;
    for log in [NGINX, CADDY, TRAEFIK, APACHE] {
        let reading = read_as("access-json", &[log, log, ""].join("\n"));
        assert_eq!(reading.events.len(), 2, "{:?}", reading.refusals);
        let event = &reading.events[0];
        assert_eq!(event.class, Class::HTTP_ACTIVITY);
        assert_eq!(event.time.seconds(), Some(1_628_852_531), "{log}");
        for (name, value) in [
            ("c-ip", "192.0.2.71"),
            ("cs-method", "GET"),
            ("cs-uri-stem", "/a/b"),
            ("cs-uri-query", "/a/b?x=1"),
            ("cs-version", "HTTP/2.0"),
            ("sc-status", "499"),
            ("time-taken", "4"),
            ("cs(User-Agent)", "Mozilla/5.0"),
            ("cs(Referer)", "-"),
        ] {
            assert_eq!(event.get(name), Some(value), "{name} in {log}");
        }
        assert_eq!(event.column(Column::SrcIp), Some("192.0.2.71"));
        assert_eq!(event.column(Column::Url), Some("/a/b?x=1"));
    }
    // What only looks like one is left to others.
    let formats = Formats::standard();
    let other = br#"{"timestamp":"2021-08-13T11:02:11Z","status":"ok","user":"anna","action":"sign-in"}"#;
    assert_ne!(
        formats
            .recognise(other)
            .map(|format| format.name().to_owned())
            .as_deref(),
        Some("access-json")
    );
}

#[test]
fn exchange_logs() {
    let proxy = "DateTime,RequestId,AuthenticatedUser,AnchorMailbox,UrlStem,HttpStatus,ClientIpAddress,Method,GenericErrors\r\n#Software: Microsoft Exchange Server\r\n#Version: 15.01.2242.004\r\n#Log-type: HttpProxy Logs\r\n#Fields: DateTime,RequestId,AuthenticatedUser,AnchorMailbox,UrlStem,HttpStatus,ClientIpAddress,Method,GenericErrors\r\n2021-03-01T00:00:01.123Z,1,,ServerInfo~a]@exch01:444/autodiscover/x,/ecp/y.js,200,192.0.2.7,POST,\"a, \"\"b\"\"\"\r\n";
    let reading = read_as("w3c", proxy);
    assert_eq!(reading.events.len(), 1, "{:?}", reading.refusals);
    let event = &reading.events[0];
    assert_eq!((event.product, event.channel.as_str()), ("exchange", "httpproxy"));
    assert_eq!(
        event.get("AnchorMailbox"),
        Some("ServerInfo~a]@exch01:444/autodiscover/x")
    );
    assert_eq!(event.get("GenericErrors"), Some("a, \"b\""));
    assert_eq!(event.column(Column::SrcIp), Some("192.0.2.7"));
    assert_eq!(event.time, Timestamp::parse("2021-03-01T00:00:01.123Z").unwrap());

    let tracking = "#Software: Microsoft Exchange Server\n#Log-type: Message Tracking Log\n#Fields: date-time,client-ip,event-id,message-id,recipient-address,sender-address,message-subject\n2021-03-01T00:00:01.123Z,192.0.2.7,SEND,<1@x>,a@h.example;b@h.example,c@h.example,\"Hello, you\"\n";
    let event = &read_as("w3c", tracking).events[0];
    assert_eq!(event.class, Class::EMAIL_ACTIVITY);
    assert_eq!(event.column(Column::Subject), Some("Hello, you"));
    assert_eq!(event.column(Column::MailTo), Some("a@h.example;b@h.example"));

    let ecp = "#Software: Microsoft Exchange Server\n#Log-type: ECP Server Log\n#Fields: TimeStamp,ServerName,EventId,EventData\n2021-03-01T00:00:01.123Z,EX1,ECP.Request,S:CMD=Set-OabVirtualDirectory\n";
    let event = &read_as("w3c", ecp).events[0];
    assert_eq!(event.channel, "ecp");
    assert_eq!(event.column(Column::Host), Some("EX1"));
}

#[test]
fn access_logs() {
    let text = concat!(
        "192.0.2.7 - Anna [17/May/2015:10:05:03 +0200] \"GET /a/b.php?x=\\\"1 HTTP/1.1\" 200 203023 \"http://x/\" \"Mozilla/5.0 (X11; \\\"q\\\")\" \"-\"\n",
        "2001:DB8::7 - - [17/May/2015:10:05:03 +0000] \"\\x16\\x03\\x01\" 400 -\n",
        "www.house.example:443 192.0.2.8 - - [17/May/2015:10:05:03 +0000] \"POST /x HTTP/1.1\" 404 12 \"-\" \"curl/8\"\n",
        "nonsense\n",
    );
    let reading = read_as("access-log", text);
    assert_eq!((reading.events.len(), reading.refusals.len()), (3, 1));
    let [first, second, third] = &reading.events[..] else {
        panic!()
    };
    assert_eq!(first.class, Class::HTTP_ACTIVITY);
    assert_eq!(first.time, Timestamp::parse("2015-05-17T08:05:03Z").unwrap());
    for (name, value) in [
        ("c-ip", "192.0.2.7"),
        ("cs-method", "GET"),
        ("cs-uri-stem", "/a/b.php"),
        ("cs-uri-query", "/a/b.php?x=\\\"1"),
        ("sc-status", "200"),
        ("cs(Referer)", "http://x/"),
        ("rest", "\"-\""),
    ] {
        assert_eq!(first.get(name), Some(value), "{name}");
    }
    assert_eq!(first.column(Column::User), Some("anna"));
    assert_eq!(second.column(Column::SrcIp), Some("2001:db8::7"));
    assert_eq!(second.get("cs-uri-query"), Some("\\x16\\x03\\x01"));
    assert_eq!(second.column(Column::UserAgent), None);
    assert_eq!(third.column(Column::DstHost), Some("www.house.example:443"));
    assert_eq!(third.column(Column::SrcIp), Some("192.0.2.8"));
}

#[test]
fn other_text_is_not_taken() {
    for text in [
        "a b [c] \"d\" 200\n",
        "[17/May/2015:10:05:03 +0000]\n",
        "# Fields of study\n",
        "x\n",
    ] {
        let formats = Formats::standard();
        let name = formats.recognise(text.as_bytes()).map(Format::name);
        assert!(!matches!(name, Some("w3c" | "access-log")), "{text}: {name:?}");
    }
}

#[test]
fn syslog_of_both_rfcs() {
    let text = concat!(
        "<38>Feb  6 12:14:14 gate sshd[812]: Failed password for invalid user Anna from ::ffff:192.0.2.7 port 4711 ssh2\n",
        "2023-02-06T12:14:15.123456+01:00 gate sshd[812]: Accepted publickey for ben from 192.0.2.8 port 22 ssh2: RSA x\n",
        "<34>1 2023-02-06T12:14:16Z gate sudo - - [x@1 a=\"]\"] anna : TTY=pts/0 ; PWD=/home ; USER=root ; COMMAND=/bin/ls a=b ; c\n",
        "Feb  6 12:14:17 mail postfix/smtp[9]: 4F9DABC: to=<b@y.example>, relay=x[192.0.2.3]:25, delay=1, status=sent (250 ok)\n",
        "Feb  6 12:14:18 mail dovecot: imap-login: Aborted login (auth failed, 1 attempts in 2 secs): user=<ben>, method=PLAIN, rip=192.0.2.9, lip=192.0.2.1, session=<abc>\n",
        "Feb  6 12:14:19 lb haproxy[1]: 192.0.2.7:3331 [06/Feb/2009:12:14:14.655] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {a} {} \"GET /i.php?x=1 HTTP/1.1\"\n",
        "nonsense\n",
    );
    let reading = read_as("syslog", text);
    assert_eq!((reading.events.len(), reading.refusals.len()), (6, 1));
    let [failed, accepted, sudo, sent, imap, web] = &reading.events[..] else {
        panic!()
    };
    assert_eq!(failed.class, Class::AUTHENTICATION);
    assert_eq!((failed.product, failed.channel.as_str()), ("linux", "sshd"));
    assert!(failed.time <= Timestamp::now() && failed.time.to_string().contains("-02-06T12:14:14"));
    for (column, value) in [
        (Column::User, "anna"),
        (Column::SrcIp, "192.0.2.7"),
        (Column::SrcPort, "4711"),
        (Column::Status, "failure"),
        (Column::Host, "gate"),
    ] {
        assert_eq!(failed.column(column), Some(value));
    }
    assert_eq!(
        accepted.time,
        Timestamp::parse("2023-02-06T11:14:15.123456Z").unwrap()
    );
    assert_eq!(
        (accepted.get("method"), accepted.column(Column::User)),
        (Some("publickey"), Some("ben"))
    );
    assert_eq!(sudo.get("COMMAND"), Some("/bin/ls a=b ; c"));
    assert_eq!(
        (sudo.get("USER"), sudo.column(Column::TargetUser)),
        (Some("root"), Some("root"))
    );
    assert_eq!(sent.class, Class::EMAIL_ACTIVITY);
    assert_eq!(
        (sent.column(Column::MailTo), sent.column(Column::Status)),
        (Some("b@y.example"), Some("sent"))
    );
    assert_eq!(
        (imap.column(Column::User), imap.column(Column::SrcIp)),
        (Some("ben"), Some("192.0.2.9"))
    );
    assert_eq!(imap.column(Column::Status), Some("failure"));
    assert_eq!((web.product, web.class), ("webserver", Class::HTTP_ACTIVITY));
    assert_eq!(web.get("cs-uri-stem"), Some("/i.php"));
}

#[test]
fn records_of_one_audit_event_are_joined() {
    let text = concat!(
        "type=SYSCALL msg=audit(1364481363.243:24287): arch=c000003e syscall=59 success=yes exit=0 a0=7ff a1=1 pid=3538 auid=1000 uid=0 comm=\"cat\" exe=\"/bin/cat\" key=\"k\"\n",
        "type=EXECVE msg=audit(1364481363.243:24287): argc=3 a0=\"cat\" a1=2F6574632F73736820782079 a2=\"ABCD\"\n",
        "type=PATH msg=audit(1364481363.243:24287): item=0 name=\"/bin/cat\" inode=1\n",
        "node=h1 type=USER_LOGIN msg=audit(1364481364.000:24288): pid=1 uid=0 msg='op=login acct=\"Anna\" exe=\"/usr/sbin/sshd\" hostname=? addr=192.0.2.7 terminal=ssh res=failed'\n",
        "nonsense\n",
    );
    let reading = read_as("auditd", text);
    assert_eq!((reading.events.len(), reading.refusals.len()), (2, 1));
    let [run, login] = &reading.events[..] else {
        panic!()
    };
    assert_eq!(run.class, Class::PROCESS_ACTIVITY);
    assert_eq!(
        (run.product, run.channel.as_str(), run.event_id),
        ("linux", "auditd", 1309)
    );
    for (name, value) in [
        ("type", "SYSCALL, EXECVE, PATH"),
        ("SYSCALL", "execve"),
        ("a0", "7ff, cat"),
        ("CommandLine", "cat /etc/ssh x y ABCD"),
        ("exe", "/bin/cat"),
    ] {
        assert_eq!(run.get(name), Some(value), "{name}");
    }
    assert_eq!(run.time, Timestamp::parse("2013-03-28T14:36:03.243Z").unwrap());
    assert_eq!(login.class, Class::AUTHENTICATION);
    assert_eq!(
        (login.column(Column::User), login.column(Column::SrcIp)),
        (Some("anna"), Some("192.0.2.7"))
    );
    assert_eq!(
        (login.column(Column::Status), login.column(Column::Host)),
        (Some("failed"), Some("h1"))
    );
    let formats = Formats::standard();
    let format = formats.recognise(text.as_bytes()).unwrap();
    assert_eq!(read_in_pieces(format, text.as_bytes(), 5).unwrap(), reading);
}

#[test]
fn samba_audit() {
    let text = "Nov 23 20:05:51 files1 smbd_audit: HOUSE\\Anna|192.0.2.7|registers|openat|ok|r|roll/2026.csv\nNov 23 20:05:52 files1 smbd_audit: anna|192.0.2.7|registers|create_file|ok|0x80|file|open|out.zip\n";
    let reading = read_as("syslog", text);
    let event = &reading.events[0];
    assert_eq!((event.class, event.product), (Class::FILE_ACTIVITY, "samba"));
    for (column, value) in [
        (Column::User, "house\\anna"),
        (Column::SrcIp, "192.0.2.7"),
        (Column::File, "roll/2026.csv"),
        (Column::Action, "openat"),
        (Column::Host, "files1"),
    ] {
        assert_eq!(event.column(column), Some(value));
    }
    assert_eq!(event.get("share"), Some("registers"));
}
