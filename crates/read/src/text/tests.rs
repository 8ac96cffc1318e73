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
