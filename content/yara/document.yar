// Documents that do more than be read.

rule office_fetches_template
{
    meta:
        title = "Office document that fetches its template from elsewhere"
        description = "The relations of a document name a template or object on another server. Word loads it on opening, macros included, and offers the reader's password hash if it is a share. (Seen in the unpacked part; archives and documents given as evidence are opened.)"
        severity = "high"
        attack = "T1221"
        author = "blackrod"
        reference = "MITRE ATT&CK T1221"
    strings:
        $relations = "schemas.openxmlformats.org/package/2006/relationships"
        $target1 = /<Relationship\s[^>]{0,400}(attachedTemplate|oleObject|frame|subDocument)["'][^>]{0,400}Target\s*=\s*["'](https?:|ftp:|file:|\\\\|mhtml:)[^>]{0,600}TargetMode\s*=\s*["']External/ nocase
        $target2 = /<Relationship\s[^>]{0,400}Target\s*=\s*["'](https?:|ftp:|file:|\\\\|mhtml:)[^>]{0,600}(attachedTemplate|oleObject|frame|subDocument)["']/ nocase
        $target3 = /<Relationship\s[^>]{0,400}TargetMode\s*=\s*["']External["'][^>]{0,400}(attachedTemplate|oleObject|frame|subDocument)["'][^>]{0,400}Target\s*=\s*["'](https?:|ftp:|file:|\\\\|mhtml:)/ nocase
        $known = /Target\s*=\s*["']https?:\/\/[a-z0-9-]{1,60}\.sharepoint\.com\// nocase
    condition:
        filesize < 2MB and $relations and any of ($target*) and not $known
}

rule office_macro_starts_itself_and_a_program
{
    meta:
        title = "Office macro that starts by itself and runs a program"
        description = "A document whose macro project has a procedure that runs on opening or closing and mentions what starts programs or fetches files."
        severity = "high"
        attack = "T1059.005, T1204.002"
        author = "blackrod"
        reference = "MS-OVBA; MITRE ATT&CK T1059.005"
    strings:
        $vba1 = "_VBA_PROJECT" wide ascii
        $vba2 = "Attribut\x00e VB_"
        $auto = /(Auto_?Open|Auto_?Exec|Auto_?Close|Document_?Open|Document_?Close|Document_?New|Workbook_?Open|Workbook_?BeforeClose|InkPicture\w{0,20}_Painted)/ nocase
        $run1 = "WScript.Shell" nocase
        $run2 = "Shell.Application" nocase
        $run3 = "URLDownloadToFile" nocase
        $run4 = /MSXML2\.(Server)?XMLHTTP/ nocase
        $run5 = "powershell" nocase
        $run6 = "winmgmts" nocase
        $run7 = "CreateProcess" nocase
        $run8 = "VirtualAlloc" nocase
        $run9 = "rundll32" nocase
        $run10 = "ADODB.Stream" nocase
    condition:
        uint32be(0) == 0xD0CF11E0 and filesize < 30MB and any of ($vba*) and $auto and any of ($run*)
}

rule rtf_with_live_object
{
    meta:
        title = "RTF document with an object that updates itself or the old equation editor"
        description = "An RTF file with an embedded object that loads without a click, links to another file, or is for the equation editor whose holes are still used (CVE-2017-11882, CVE-2017-0199)."
        severity = "high"
        attack = "T1203, T1566.001"
        author = "blackrod"
        reference = "CVE-2017-0199, CVE-2017-11882"
    strings:
        $object = "\\objdata" nocase
        $update = "\\objupdate" nocase
        $autlink = "\\objautlink" nocase
        $equation = "4571756174696f6e2e33" nocase
        // The class of the equation editor, {0002CE02-0000-0000-C000-000000000046}, as hex text.
        $equation_class = "02ce020000000000c000000000000046" nocase
        $ole_link = "4f4c45324c696e6b" nocase
        // URL moniker {79EAC9E0-BAF9-11CE-8C82-00AA004BA90B}.
        $url_moniker = "e0c9ea79f9bace118c8200aa004ba90b" nocase
        $package = "5061636b61676500" nocase
    condition:
        uint32be(0) == 0x7B5C7274 and filesize < 30MB and $object
        and (any of ($equation*, $ole_link, $url_moniker) or (any of ($update, $autlink) and $package))
}

rule rtf_fetches_template
{
    meta:
        title = "RTF document that fetches its template from elsewhere"
        description = "The template control word names a web address. Word loads it on opening."
        severity = "high"
        attack = "T1221"
        author = "blackrod"
        reference = "Proofpoint, Injection is the New Black, 2021"
    strings:
        $plain = /\{\s*\\\*\s*\\template\s+(https?:|\\\\\\\\|file:)/ nocase
        // The same as escaped Unicode, which hides the address: \u-65431?
        $escaped = /\{\s*\\\*\s*\\template\s*(\\u-?[0-9]{2,6}\s?[?*]?\s*){6}/ nocase
    condition:
        uint32be(0) == 0x7B5C7274 and filesize < 30MB and any of them
}

rule pdf_runs_script_on_opening
{
    meta:
        title = "PDF that runs suspicious script on opening"
        description = "A PDF with an opening action and JavaScript that builds code, exports an embedded file or opens an address."
        severity = "medium"
        attack = "T1059.007, T1204.002"
        author = "blackrod"
        reference = "ISO 32000-2 12.6.4.17"
    strings:
        $open1 = "/OpenAction"
        $open2 = /\/AA\s*<</
        $script1 = "/JavaScript"
        $script2 = /\/JS\s*[(<0-9]/
        $does1 = /\beval\s*\(/
        $does2 = /unescape\s*\(/
        $does3 = "exportDataObject"
        $does4 = "launchURL"
        $does5 = "fromCharCode"
        $does6 = "util.printf"
        $does7 = /getURL\s*\(/
        $does8 = "submitForm"
    condition:
        uint32be(0) == 0x25504446 and filesize < 30MB and any of ($open*) and any of ($script*) and any of ($does*)
}

rule pdf_launches_program
{
    meta:
        title = "PDF that starts a program"
        description = "A launch action in a PDF that names a program or a file to open."
        severity = "high"
        attack = "T1204.002"
        author = "blackrod"
        reference = "ISO 32000-2 12.6.4.6"
    strings:
        $launch = /\/S\s*\/Launch/
        $target = /\/(F|P|Win|Unix)\s*(\(|<<|<)[^>]{0,300}(cmd|powershell|mshta|wscript|cscript|rundll32|\.exe|\.hta|\.js|\.vbs|\.lnk|\\\\\\\\)/ nocase
    condition:
        uint32be(0) == 0x25504446 and filesize < 30MB and all of them
}

rule pdf_with_embedded_program
{
    meta:
        title = "PDF with a program or container attached"
        description = "A PDF that carries a program, script, archive or disc image as an embedded file."
        severity = "medium"
        attack = "T1027.009, T1204.002"
        author = "blackrod"
        reference = "ISO 32000-2 7.11.4"
    strings:
        $embedded = "/EmbeddedFile"
        $name = /\/(F|UF)\s*\([^)]{1,120}\.(exe|scr|dll|js|jse|vbs|wsf|hta|lnk|bat|cmd|ps1|msi|iso|img|vhdx?|zip|rar|7z|docm|xlsm|xll)\)/ nocase
    condition:
        uint32be(0) == 0x25504446 and filesize < 50MB and all of them
}

rule calendar_entry_that_leads_elsewhere
{
    meta:
        title = "Calendar entry with a program, a page or a share"
        description = "An iCalendar entry that attaches a program or HTML page, or names a file share. It puts itself into the calendar before anybody has accepted it."
        severity = "medium"
        attack = "T1566.001, T1566.002"
        author = "blackrod"
        reference = "RFC 5545 3.8.1.1"
    strings:
        $calendar = "BEGIN:VCALENDAR" nocase
        $program = /ATTACH[^:\r\n]{0,200}ENCODING=BASE64[^:\r\n]{0,200}:\s{0,4}(TVqQ|TVpQ|UEsDB|UmFyI|N3q8|TAAAA|PCFET0NUWVBF|PGh0bW|PHNjcmlwd)/ nocase
        $share1 = /(ATTACH|URL|LOCATION|DESCRIPTION)[^:\r\n]{0,100}:[^\r\n]{0,200}(file:\/\/|\\\\\\\\[0-9a-z.]{4,60}(@[0-9a-z]{2,5})?\\\\)/ nocase
        $page = /X-ALT-DESC[^:\r\n]{0,100}:[^\r\n]{0,4000}(<script|<form|<input)/ nocase
        $name = /(FILENAME|X-FILENAME)=["']?[^"';:\r\n]{1,100}\.(html?|exe|js|hta|lnk|iso|zip|docm|xlsm)/ nocase
    condition:
        filesize < 5MB and $calendar in (0..1024) and any of ($program, $share1, $page, $name)
}

rule outlook_item_with_reminder_on_a_share
{
    meta:
        title = "Outlook item whose reminder sound lies on somebody else's server"
        description = "An Outlook message file that sets a reminder's sound file to a network path: Outlook fetches it without any click and gives away the reader's password hash (CVE-2023-23397, used against European governments)."
        severity = "critical"
        attack = "T1187, T1203"
        author = "blackrod"
        reference = "CVE-2023-23397"
    strings:
        $class = /IPM\.(Appointment|Task|Note|Schedule|StickyNote)/ wide
        // PSETID_Common {00062008-0000-0000-C000-000000000046}.
        $common = { 08 20 06 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
        // PidLidReminderFileParameter.
        $parameter = { 1F 85 00 00 }
        $share = /\\\x00\\\x00([0-9A-Za-z.\-]\x00){4,80}(@\x00([0-9A-Za-z]\x00){2,5})?\\\x00/
    condition:
        uint32be(0) == 0xD0CF11E0 and filesize < 5MB and all of them
}
