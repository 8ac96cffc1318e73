// HTML and SVG that come as attachments: they run in the reader's browser, outside the mail gateway's sight.

rule html_smuggles_a_download
{
    meta:
        title = "HTML attachment that builds a file and downloads it"
        description = "Script decodes a long string into bytes and offers them as a file: HTML smuggling, which carries a container past gateways that look for attachments and links."
        severity = "high"
        attack = "T1027.006, T1566.001"
        author = "blackrod"
        reference = "Microsoft, HTML smuggling surges, 2021-11-11"
    strings:
        $html = /<(html|script|body|svg)[\s>]/ nocase
        $blob = /new\s+(Blob|File)\s*\(/
        $blob2 = "msSaveOrOpenBlob"
        $url = "createObjectURL"
        $download = /\.\s*download\s*=|\bdownload\s*=\s*["']|setAttribute\s*\(\s*["']download/
        $long = /["'`][A-Za-z0-9+\/=]{2000}/
        $numbers = /\[(\s{0,4}(0x)?[0-9a-fA-F]{1,3}\s{0,4},){400}/
    condition:
        filesize < 20MB and $html and any of ($blob*) and any of ($url, $download, $blob2) and any of ($long, $numbers)
}

rule html_data_link_to_a_container
{
    meta:
        title = "HTML attachment with an archive or program inside a link"
        description = "A data: link holds an archive, a disc image or a program."
        severity = "high"
        attack = "T1027.006, T1566.001"
        author = "blackrod"
        reference = "Microsoft, HTML smuggling surges, 2021-11-11"
    strings:
        $html = /<(html|script|body|a)\s/ nocase
        // Base64 of PK.., Rar!, 7z.., MZ, and of an LNK header.
        $link = /data:[a-z0-9.+\/;=-]{0,80};base64,\s{0,4}(UEsDB|UmFyI|N3q8|TVqQ|TVpQ|TAAAA)/ nocase
    condition:
        filesize < 20MB and $html and $link
}

rule html_asks_for_a_password
{
    meta:
        title = "HTML attachment that asks for a password and sends it away"
        description = "A page that comes as a file has no reason to hold a password field whose content goes to another server. Sign-in pages copied this way are the commonest start of account takeover."
        severity = "high"
        attack = "T1566.001, T1056.003"
        author = "blackrod"
        reference = "MITRE ATT&CK T1056.003"
    strings:
        $password = /<input[^>]{1,300}type\s*=\s*["']?password/ nocase
        $action = /<form[^>]{1,400}action\s*=\s*["']?https?:\/\// nocase
        $send1 = /(XMLHttpRequest|fetch\s*\(|\$\.(ajax|post)\s*\(|axios\.post)/
        $where = /["'`]https?:\/\//
        $encoded = /atob\s*\(\s*["'][A-Za-z0-9+\/=]{16,400}["']/
        $saved = "saved from url=" nocase
    condition:
        filesize < 5MB and $password and ($action or ($send1 and any of ($where, $encoded))) and not $saved
}

rule html_is_written_by_script
{
    meta:
        title = "HTML attachment that hides its page in an encoded string"
        description = "The visible page is decoded from a long string and written by script; nothing else is in the file. Gateways then see no form and no link."
        severity = "medium"
        attack = "T1027, T1566.001"
        author = "blackrod"
        reference = "MITRE ATT&CK T1027"
    strings:
        $write = /document(\s*\.\s*|\s*\[\s*["'])write(ln)?(["']\s*\])?\s*\(\s*(decodeURIComponent\s*\(\s*)?(escape\s*\(\s*)?(window\s*\.\s*)?(unescape|atob|decodeURIComponent)\s*\(/ nocase
        $inner = /\.innerHTML\s*=\s*(decodeURIComponent\s*\(\s*)?(escape\s*\(\s*)?(unescape|atob)\s*\(/ nocase
        $long64 = /["'`][A-Za-z0-9+\/=]{800}/
        $longhex = /(%[0-9a-fA-F]{2}){300}/
    condition:
        filesize < 5MB and any of ($write, $inner) and any of ($long*)
}

rule html_sends_to_telegram
{
    meta:
        title = "HTML page that reports to a Telegram bot"
        description = "A page that calls the Telegram bot interface from the reader's browser: how phishing kits without a server collect passwords."
        severity = "high"
        attack = "T1056.003, T1567"
        author = "blackrod"
        reference = "MITRE ATT&CK T1567"
    strings:
        $html = /<(html|script|body|form)[\s>]/ nocase
        $bot = /api\.telegram\.org\/bot/ nocase
        $bot64 = "api.telegram.org/bot" base64
        $send = /send(Message|Document|Photo)/ nocase
        $chat = "chat_id" nocase
    condition:
        filesize < 5MB and $html and ($bot64 or ($bot and any of ($send, $chat)))
}

rule html_jumps_at_once
{
    meta:
        title = "HTML attachment that only leads elsewhere"
        description = "A small file whose whole purpose is to send the reader to an address that is put together or decoded by script, often with the reader's own address in it."
        severity = "medium"
        attack = "T1566.002, T1027"
        author = "blackrod"
        reference = "MITRE ATT&CK T1566.002"
    strings:
        $jump1 = /(window|document|top|self|parent)?\.?location(\.href)?\s*(=|\.replace\s*\(|\.assign\s*\()\s*(window\.)?(atob|unescape|decodeURIComponent)\s*\(/ nocase
        $jump2 = /(window|document|top|self|parent)\.location(\.href)?\s*(=|\.replace\s*\(|\.assign\s*\()[^;]{0,200}(atob\s*\(|String\.fromCharCode|\.reverse\(\)\.join)/ nocase
        $html = /<(html|script|body|svg)[\s>]/ nocase
    condition:
        filesize < 30KB and $html and any of ($jump*)
}

rule svg_with_script
{
    meta:
        title = "Picture (SVG) that runs script"
        description = "An SVG file with script that decodes something, leaves for another page or embeds a form. Browsers run it when the attachment is opened; gateways take it for a picture."
        severity = "high"
        attack = "T1027.017, T1566.001"
        author = "blackrod"
        reference = "MITRE ATT&CK T1027.017"
    strings:
        $svg = /<svg[\s>]/ nocase
        $script = /<script[\s>]/ nocase
        $event = /\son(load|begin|click|error|mouseover)\s*=\s*["']/ nocase
        $foreign = "<foreignObject" nocase
        $does1 = /\b(atob|eval|unescape)\s*\(/ nocase
        $does2 = /location(\.href)?\s*(=|\.replace|\.assign)/ nocase
        $does3 = "fromCharCode"
        $does4 = "createObjectURL"
        $does5 = /<input[^>]{1,200}password/ nocase
        $does6 = /<iframe[^>]{1,300}src\s*=\s*["']?https?:/ nocase
        $html = /<html[\s>]/ nocase
    condition:
        filesize < 10MB and $svg in (0..4096) and not $html in (0..1024)
        and any of ($script, $event, $foreign) and any of ($does*)
}

rule webmail_script_injection
{
    meta:
        title = "HTML made to run script inside a webmail client"
        description = "Markup that is harmless in a browser and turns into script inside Roundcube, Zimbra or Outlook on the web: event handlers on animation elements and script hidden in a link of an embedded picture. Used against European governments since 2023."
        severity = "high"
        attack = "T1203, T1114.002"
        author = "blackrod"
        reference = "CVE-2023-5631, CVE-2023-43770, CVE-2022-27926"
    strings:
        $animate = /<(animate|set|animatetransform)\s[^>]{0,300}\son(begin|end|repeat)\s*=\s*["']?[^"'>]{0,40}(eval|atob|fetch|import|document|window)/ nocase
        $use = /<use\s[^>]{0,200}href\s*=\s*["']?data:image\/(svg\+xml|s)[^>]{0,40};base64,/ nocase
        $handler = /\son(error|load|focus|toggle)\s*=\s*["']?\s*(eval|\(0,\s*eval\)|import|Function)\s*\(\s*(atob|window\.atob|unescape)\s*\(/ nocase
    condition:
        filesize < 5MB and any of them
}
