// Files that carry other files past the gateway and the mark of the web, and shortcuts that start programs.

import "lnk"
import "zip"
import "pe"

rule shortcut_starts_an_interpreter
{
    meta:
        title = "Shortcut that starts a script interpreter"
        description = "A Windows shortcut (LNK) whose command runs PowerShell, cmd, mshta, rundll32 or a script host with arguments. People are sent documents, not shortcuts."
        severity = "high"
        attack = "T1204.002, T1059"
        author = "blackrod"
        reference = "MITRE ATT&CK T1204.002"
    strings:
        $program = /(powershell|pwsh|cmd|mshta|rundll32|regsvr32|wscript|cscript|msiexec|conhost|forfiles|ssh)(\.exe)?/ nocase wide ascii
        $argument1 = /(^|[\s"'\/-])(-e(nc|ncodedcommand)?|-w(indowstyle)?\s+h(idden)?|iex|invoke-|downloadstring|frombase64)/ nocase wide
        $argument2 = /https?:\/\// nocase wide
        $argument3 = /\/[ckr]\s/ nocase wide
        $argument4 = /%(temp|appdata|public|programdata|localappdata)%/ nocase wide
        $argument5 = "ProxyCommand" nocase wide
        $argument6 = "javascript:" nocase wide
        $argument7 = /\.(dll|js|vbs|hta|ps1|bat|cmd),?/ nocase wide
    condition:
        uint32(0) == 0x0000004C and uint32(4) == 0x00021401 and filesize < 20MB and $program and any of ($argument*)
}

rule shortcut_with_a_load
{
    meta:
        title = "Shortcut with a large load behind it"
        description = "A shortcut needs two kilobytes. What follows its end is another file for the shortcut's command to cut out and run."
        severity = "high"
        attack = "T1027.012, T1204.002"
        author = "blackrod"
        reference = "MITRE ATT&CK T1027.012"
    condition:
        uint32(0) == 0x0000004C and uint32(4) == 0x00021401 and lnk.is_lnk and lnk.overlay_size > 8192
}

rule disc_image_with_a_launcher
{
    meta:
        title = "Disc image with a shortcut or script and a program"
        description = "An ISO image that holds a shortcut or script beside a library or program. Files inside an opened image carried no mark of the web on unpatched systems (CVE-2022-41091); the pair is the classic loader of 2021 to 2023."
        severity = "high"
        attack = "T1553.005, T1204.002"
        author = "blackrod"
        reference = "CVE-2022-41091"
    strings:
        $launcher = /[A-Z0-9_\-]{1,60}\.(LNK|JS|VBS|WSF|HTA|BAT|CMD|CHM);1/ nocase
        $launcher_wide = /\.\x00(L\x00N\x00K|J\x00S|V\x00B\x00S|H\x00T\x00A|B\x00A\x00T|C\x00M\x00D)/ nocase
        $load = /[A-Z0-9_\-]{1,60}\.(DLL|EXE|OCX|CPL|XLL|MSI);1/ nocase
    condition:
        filesize < 200MB and uint32be(0x8001) == 0x43443030 and any of ($launcher*) and $load
}

rule disc_image_as_attachment
{
    meta:
        title = "Disc image or virtual disk"
        description = "ISO, VHD and VHDX files open with a double click and hide their content from mail gateways. Rare in the mail of an office."
        severity = "low"
        attack = "T1553.005"
        author = "blackrod"
        reference = "MITRE ATT&CK T1553.005"
    condition:
        filesize < 30MB
        and (uint32be(0x8001) == 0x43443030
            or (uint32be(0) == 0x76686478 and uint32be(4) == 0x66696C65)
            or (uint32be(0) == 0x636F6E65 and uint32be(4) == 0x63746978)
            or (filesize > 512 and uint32be(filesize - 512) == 0x636F6E65 and uint32be(filesize - 508) == 0x63746978))
}

rule onenote_with_a_program
{
    meta:
        title = "OneNote section with a script or program inside"
        description = "A OneNote file with an embedded file that runs: the picture over it says \"double click to view\"."
        severity = "high"
        attack = "T1566.001, T1204.002"
        author = "blackrod"
        reference = "MS-ONESTORE 2.6.13, FileDataStoreObject"
    strings:
        // The GUID that begins an embedded file, then 20 bytes of lengths.
        $file_start = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC }
        $program = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] 4D 5A }
        $shortcut = { E7 16 E3 BD 65 26 11 45 A4 C4 8D 4D 0B 7A 9E AC [20] 4C 00 00 00 01 14 02 00 }
        $script1 = "WScript.Shell" nocase
        $script2 = "<HTA:APPLICATION" nocase
        $script3 = /powershell(\.exe)?\s+[-\/]/ nocase
        $script4 = /@echo off/ nocase
        $script5 = "<script" nocase
        $name = /\.\x00(e\x00x\x00e|h\x00t\x00a|j\x00s|j\x00s\x00e|v\x00b\x00s|w\x00s\x00f|b\x00a\x00t|c\x00m\x00d|l\x00n\x00k|c\x00h\x00m)\x00\x00/ nocase
    condition:
        uint32be(0) == 0xE4525C7B and filesize < 50MB
        and (any of ($program, $shortcut) or ($file_start and (any of ($script*) or $name)))
}

rule hta_with_shell
{
    meta:
        title = "HTML application that uses the Windows shell"
        description = "An HTA file, or HTML with VBScript, that creates a shell or download object. Opened by mshta it runs with the user's full rights."
        severity = "high"
        attack = "T1218.005, T1059.005"
        author = "blackrod"
        reference = "MITRE ATT&CK T1218.005"
    strings:
        $hta = "<HTA:APPLICATION" nocase
        $vbs = /<script[^>]{0,80}(vbscript|jscript)/ nocase
        $object = /(CreateObject|ActiveXObject|GetObject)\s*\(\s*["'](WScript\.Shell|Shell\.Application|MSXML2\.|Microsoft\.XMLHTTP|ADODB\.Stream|Scripting\.FileSystemObject|winmgmts:)/ nocase
        $server = /runat\s*=\s*["']?server/ nocase
    condition:
        filesize < 5MB and any of ($hta, $vbs) and $object and not $server
}

rule script_downloads_and_runs
{
    meta:
        title = "Script file that fetches something and runs it"
        description = "A Windows script (JS, VBS, WSF) that makes a web request and starts a program or writes a file."
        severity = "high"
        attack = "T1059.005, T1059.007, T1105"
        author = "blackrod"
        reference = "MITRE ATT&CK T1059.007"
    strings:
        $fetch = /(MSXML2\.(Server)?XMLHTTP|Microsoft\.XMLHTTP|WinHttp\.WinHttpRequest)/ nocase
        $run1 = /(WScript\.Shell|Shell\.Application)/ nocase
        $run2 = "ADODB.Stream" nocase
        $create = /(CreateObject|ActiveXObject)\s*\(/ nocase
        $html = /<(html|body)[\s>]/ nocase
        $asp = "<%"
    condition:
        filesize < 2MB and $fetch and any of ($run*) and $create and not any of ($html, $asp) and uint16be(0) != 0x4D5A
}

rule zip_with_disguised_program
{
    meta:
        title = "Archive with a program that is named like a document"
        description = "A ZIP archive holds a file with a document's extension before a program's, or a name that turns its end around (U+202E)."
        severity = "high"
        attack = "T1036.007, T1036.002"
        author = "blackrod"
        reference = "MITRE ATT&CK T1036.007"
    condition:
        uint32be(0) == 0x504B0304 and zip.is_zip
        and for any entry in zip.entries : (
            entry.file_path matches /\.(pdf|docx?|xlsx?|pptx?|rtf|txt|jpe?g|png|html?|eml|zip)[\s_.]{0,80}\.(exe|scr|com|pif|lnk|js|jse|vbs|vbe|wsf|hta|bat|cmd|ps1|msi|cpl)$/i
            or entry.file_path contains "\xE2\x80\xAE"
        )
}

rule zip_with_script_or_shortcut
{
    meta:
        title = "Archive with a script or shortcut"
        description = "A small ZIP archive with a file that Windows runs on a double click and that nobody sends as a document."
        severity = "medium"
        attack = "T1204.002"
        author = "blackrod"
        reference = "MITRE ATT&CK T1204.002"
    condition:
        uint32be(0) == 0x504B0304 and filesize < 10MB and zip.is_zip and zip.entries.len() <= 8
        and for any entry in zip.entries : (
            entry.file_path matches /\.(lnk|jse?|vbe|vbs|wsf|wsh|hta|scr|pif|cpl|chm|url|iso|img|vhdx?|msc|library-ms|search-ms|settingcontent-ms|appref-ms)$/i
        )
}

rule archive_with_password
{
    meta:
        title = "Archive that needs a password"
        description = "The archive's members are encrypted, so that no scanner sees them; the password usually stands in the mail. Ministries and courts use this too: weigh it with the sender."
        severity = "low"
        attack = "T1027.013"
        author = "blackrod"
        reference = "APPNOTE 6.3.10 4.4.4; RAR 5.0 technical note; 7zFormat.txt"
    strings:
        $seven_zip_aes = { 06 F1 07 01 }
    condition:
        (uint32be(0) == 0x504B0304 and uint8(6) & 1 == 1)
        or (uint32be(0) == 0x52617221 and uint32be(4) == 0x1A070100 and uint8(13) == 4)
        or (uint32be(0) == 0x377ABCAF and uint16be(4) == 0x271C and filesize > 64 and $seven_zip_aes in (filesize - 512 .. filesize))
}

rule remote_desktop_file_that_shares_drives
{
    meta:
        title = "Remote desktop file that gives its server the reader's drives"
        description = "An RDP file for an outside server that maps drives, clipboard or devices. Sent signed and by the thousand to governments and think tanks in October 2024: opening it hands files over and lets the server plant programs."
        severity = "high"
        attack = "T1566.001, T1219"
        author = "blackrod"
        reference = "Microsoft, Midnight Blizzard conducts large-scale spear-phishing campaign using RDP files, 2024-10-29"
    strings:
        $address = /full address:s:\s*[^\s]{4,}/ nocase wide ascii
        $drives = /drivestoredirect:s:\s*[^\s]/ nocase wide ascii
        $program = /remoteapplication(program|mode):[si]:\s*[^\s0]/ nocase wide ascii
        $inside = /full address:s:\s*(10\.|192\.168\.|172\.(1[6-9]|2[0-9]|3[01])\.|localhost)/ nocase wide ascii
    condition:
        filesize < 200KB and $address and any of ($drives, $program) and not $inside
}

rule internet_shortcut_to_a_share
{
    meta:
        title = "Internet shortcut that opens a file on a share"
        description = "A URL file that leads to file:// or to a WebDAV share, which runs what lies there and offers the reader's password hash (CVE-2023-36025, CVE-2024-21412)."
        severity = "high"
        attack = "T1204.001, T1187"
        author = "blackrod"
        reference = "CVE-2023-36025, CVE-2024-21412"
    strings:
        $kind = "[InternetShortcut]" nocase
        $share = /(URL|IconFile|WorkingDirectory)\s*=\s*(file:\/{2,}[^\/\s]|\\\\[^\s\\]{1,100}(@(SSL|80|443|[0-9]{2,5}))?\\)/ nocase
    condition:
        filesize < 20KB and $kind and $share
}

rule search_connector_to_a_share
{
    meta:
        title = "Search connector or library that shows somebody else's server as a folder"
        description = "A library-ms or search-ms file that makes Explorer show a WebDAV share as if it were the reader's own folder."
        severity = "high"
        attack = "T1204.002, T1187"
        author = "blackrod"
        reference = "Trellix, Beyond File Search, 2023"
    strings:
        $library = "<libraryDescription" nocase
        $connector = "<searchConnectorDescription" nocase
        $search = /search(-ms)?:[^\s"'<]{0,300}crumb=location:/ nocase
        $where = /<url>\s*(https?:|\\\\|file:)/ nocase
        $remote = /crumb=location:(%5C%5C|\\\\|https?)/ nocase
    condition:
        filesize < 1MB and ((any of ($library, $connector) and $where) or ($search and $remote))
}

rule management_console_file_with_script
{
    meta:
        title = "Management console file that runs script"
        description = "An MSC file that loads script through a console task or the apds.dll redirection (\"GrimResource\")."
        severity = "high"
        attack = "T1218.014"
        author = "blackrod"
        reference = "Elastic Security Labs, GrimResource, 2024"
    strings:
        $console = "<MMC_ConsoleFile" nocase
        $redirect = "apds.dll" nocase
        $script = /(javascript|vbscript)(:|&#|%3A)/ nocase
        $task = /<ConsoleTaskpads|CommandLine\s*(Directory)?=/ nocase
        $interpreter = /(powershell|cmd\.exe|mshta|wscript)/ nocase
    condition:
        filesize < 20MB and $console and (any of ($redirect, $script) or ($task and $interpreter))
}

rule excel_add_in_library
{
    meta:
        title = "Excel add-in (XLL)"
        description = "A program library that Excel loads and runs when the file is opened. Colleagues do not mail these."
        severity = "high"
        attack = "T1137.006, T1566.001"
        author = "blackrod"
        reference = "MITRE ATT&CK T1137.006"
    condition:
        pe.is_pe and pe.exports("xlAutoOpen") and filesize < 30MB
}
