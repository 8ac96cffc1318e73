// Scripts that hand a web server to whoever asks, and the traces of how they are put on Exchange.

rule webshell_asp_request_to_eval
{
    meta:
        title = "Web shell: ASP page evaluates what the request says"
        description = "A server page passes a request parameter to eval or execute, so that each visitor who knows the name of the parameter runs code as the web server. The one-line shells that follow Exchange break-ins look like this."
        severity = "high"
        attack = "T1505.003"
        author = "blackrod"
        reference = "NSA and ASD, Detect and Prevent Web Shell Malware, 2020"
    strings:
        $page = /<%@\s{0,20}(Page|WebService|WebHandler|Control)\s/ nocase
        $script = /<script[^>]{1,100}runat\s*=\s*["']?server/ nocase
        $asp = "<%"
        $eval = /\b(eval|execute(global)?)\s*\(?\s*\(?\s*(System\.Text\.Encoding\.[A-Za-z0-9_.()]{1,60}GetString\(\s*)?(System\.Convert\.FromBase64String\(\s*)?Request(\.(Item|Form|QueryString|Headers|Cookies|Params|BinaryRead))?\s*[\[\(.]/ nocase
    condition:
        filesize < 1MB and $eval and any of ($page, $script, $asp)
}

rule webshell_aspx_request_starts_process
{
    meta:
        title = "Web shell: ASP.NET page starts a program named by the request"
        description = "A server page reads a request parameter and starts a process, the second common form of a web shell."
        severity = "high"
        attack = "T1505.003, T1059.003"
        author = "blackrod"
        reference = "NSA and ASD, Detect and Prevent Web Shell Malware, 2020"
    strings:
        $page = /<%@\s{0,20}(Page|WebService|WebHandler)\s/ nocase
        $script = /<script[^>]{1,100}runat\s*=\s*["']?server/ nocase
        $start1 = "ProcessStartInfo" nocase
        $start2 = "Process.Start" nocase
        $start3 = /CreateObject\s*\(\s*["']WScript\.Shell/ nocase
        $request = /\bRequest(\.(Form|QueryString|Item|Params|Headers|Cookies))?\s*[\[\(.]/ nocase
        $box = /<asp:TextBox/ nocase
        $shell1 = "cmd.exe" nocase
        $shell2 = "powershell" nocase
        $shell3 = "RedirectStandardOutput" nocase
    condition:
        filesize < 1MB and any of ($page, $script) and any of ($start*) and any of ($request, $box) and any of ($shell*)
}

rule webshell_aspx_request_loads_assembly
{
    meta:
        title = "Web shell: ASP.NET page loads code out of the request"
        description = "A server page decodes or decrypts the request's body and loads it as an assembly: the shells whose commands never touch the disk."
        severity = "high"
        attack = "T1505.003, T1620"
        author = "blackrod"
        reference = "NSA and ASD, Detect and Prevent Web Shell Malware, 2020"
    strings:
        $page = /<%@\s{0,20}(Page|WebService|WebHandler)\s/ nocase
        $script = /<script[^>]{1,100}runat\s*=\s*["']?server/ nocase
        $load = /Assembly\s*[.\]"']{1,4}\s*\)?\.?\s*(GetMethod\(\s*["'])?Load\b/ nocase
        $load2 = "Assembly.Load" nocase
        $request = /\bRequest(\.(Form|QueryString|Item|BinaryRead|InputStream|Headers|Cookies))?\s*[\[\(.]/ nocase
        $decode1 = "FromBase64String" nocase
        $decode2 = "CreateDecryptor" nocase
        $decode3 = "TransformFinalBlock" nocase
    condition:
        filesize < 1MB and any of ($page, $script) and any of ($load*) and $request and any of ($decode*)
}

rule webshell_php_request_to_eval
{
    meta:
        title = "Web shell: PHP page runs what the request says"
        description = "A PHP function that runs code or commands gets a request variable directly."
        severity = "high"
        attack = "T1505.003"
        author = "blackrod"
        reference = "NSA and ASD, Detect and Prevent Web Shell Malware, 2020"
    strings:
        $php = /<\?(php|=)/ nocase
        $run = /\b(eval|assert|system|passthru|shell_exec|popen|proc_open|pcntl_exec|exec|create_function)\s*\(\s*(@|stripslashes\s*\(|base64_decode\s*\(|gzinflate\s*\(|str_rot13\s*\(|urldecode\s*\(|trim\s*\(|\s){0,4}\$_(POST|GET|REQUEST|COOKIE|SERVER\s*\[\s*['"]HTTP_)/ nocase
        $call = /\$_(POST|GET|REQUEST|COOKIE)\s*\[[^\]]{1,40}\]\s*\(\s*\$_(POST|GET|REQUEST|COOKIE)/ nocase
    condition:
        filesize < 2MB and $php and any of ($run, $call)
}

rule webshell_php_packed_eval
{
    meta:
        title = "PHP page unpacks itself and runs the result"
        description = "Code is decompressed or decoded from a long string and evaluated. Some commercial software does so too; in a web root of a public body it should be explained."
        severity = "medium"
        attack = "T1505.003, T1027"
        author = "blackrod"
        reference = "NSA and ASD, Detect and Prevent Web Shell Malware, 2020"
    strings:
        $php = /<\?(php|=)/ nocase
        $unpack = /\b(eval|assert)\s*\(\s*@?(gzinflate|gzuncompress|gzdecode|base64_decode|str_rot13|strrev|convert_uudecode)\s*\(\s*@?(gzinflate|gzuncompress|gzdecode|base64_decode|str_rot13|strrev|convert_uudecode)\s*\(/ nocase
        $long = /["'][A-Za-z0-9+\/=\\]{500}/
    condition:
        filesize < 2MB and $php and $unpack and $long
}

rule webshell_jsp_request_to_exec
{
    meta:
        title = "Web shell: JSP page runs what the request says"
        description = "A JSP page passes a request parameter to Runtime.exec or ProcessBuilder."
        severity = "high"
        attack = "T1505.003"
        author = "blackrod"
        reference = "NSA and ASD, Detect and Prevent Web Shell Malware, 2020"
    strings:
        $jsp = /<%[@!=\s]/
        $jspx = "<jsp:" nocase
        $exec1 = /getRuntime\s*\(\s*\)\s*\.\s*exec\s*\(/
        $exec2 = /new\s+ProcessBuilder\s*\(/
        $parameter = /request\s*\.\s*get(Parameter|Header|InputStream|Reader|QueryString)\s*\(/
    condition:
        filesize < 1MB and any of ($jsp, $jspx) and any of ($exec*) and $parameter
}

rule webshell_jsp_request_defines_class
{
    meta:
        title = "Web shell: JSP page defines a class out of the request"
        description = "A JSP page decodes or decrypts the request and hands it to a class loader."
        severity = "high"
        attack = "T1505.003, T1620"
        author = "blackrod"
        reference = "NSA and ASD, Detect and Prevent Web Shell Malware, 2020"
    strings:
        $jsp = /<%[@!=\s]/
        $jspx = "<jsp:" nocase
        $define = "defineClass"
        $decode1 = "BASE64Decoder"
        $decode2 = "Base64.getDecoder"
        $decode3 = "javax.crypto.Cipher"
        $decode4 = "Cipher.getInstance"
        $parameter = /request\s*\.\s*get(Parameter|Header|InputStream|Reader|Attribute)\s*\(/
    condition:
        filesize < 1MB and any of ($jsp, $jspx) and $define and any of ($decode*) and $parameter
}

rule webshell_behind_image_magic
{
    meta:
        title = "Picture with a server script inside"
        description = "The file begins like a GIF, PNG or JPEG and holds PHP or ASP code that reads the request: made to pass an upload check."
        severity = "high"
        attack = "T1505.003, T1036.008"
        author = "blackrod"
        reference = "OWASP, Unrestricted File Upload"
    strings:
        $php = /<\?php\s/ nocase
        $asp = /<%@\s{0,20}(Page|WebHandler)\s/ nocase
        $asp2 = /<script[^>]{1,100}runat\s*=\s*["']?server/ nocase
        $request1 = /\$_(POST|GET|REQUEST|COOKIE|FILES)\s*\[/
        $request2 = /\bRequest(\.\w+)?\s*[\[\(]/
        $request3 = "php://input"
    condition:
        filesize < 20MB
        and (uint32be(0) == 0x47494638 or uint32be(0) == 0x89504E47 or uint16be(0) == 0xFFD8)
        and any of ($php, $asp, $asp2) and any of ($request*)
}

rule exchange_virtual_directory_export_with_script
{
    meta:
        title = "Exchange virtual directory configuration with a script in its URL"
        description = "Set-OabVirtualDirectory writes the directory's settings to a file of the attacker's choice; a script in ExternalUrl makes that file a web shell (ProxyLogon, CVE-2021-27065). This is that file."
        severity = "critical"
        attack = "T1505.003, T1190"
        author = "blackrod"
        reference = "CVE-2021-27065; Microsoft, Test-ProxyLogon"
    strings:
        $setting1 = "OfflineAddressBooks" nocase
        $setting2 = "PollInterval" nocase
        $setting3 = "InternalUrl" nocase
        $setting4 = "VirtualDirectory" nocase
        $url = /ExternalUrl\s{0,40}:\s{0,10}https?:\/\/[^\r\n]{0,60}(<script|%3Cscript|<%)/ nocase
    condition:
        filesize < 100KB and $url and 2 of ($setting*)
}

rule exchange_mailbox_export_as_web_page
{
    meta:
        title = "Outlook data file with a server page inside"
        description = "A mailbox export (PST) that holds a server page in clear text: ProxyShell attackers mail themselves an encoded shell and export the mailbox into the web root (CVE-2021-31207)."
        severity = "critical"
        attack = "T1505.003, T1190"
        author = "blackrod"
        reference = "CVE-2021-31207"
    strings:
        $page = /<%@\s{0,20}(Page|WebService|WebHandler)\s/ nocase
        $script = /<script[^>]{1,100}runat\s*=\s*["']?server/ nocase
    condition:
        uint32be(0) == 0x2142444E and filesize < 50MB and any of them
}

rule exchange_certificate_request_as_web_page
{
    meta:
        title = "Certificate file with a server page inside"
        description = "A DER structure that holds a server script: New-ExchangeCertificate writes a request to any path, and its subject may be a script (the ProxyShell variant without mailbox export)."
        severity = "critical"
        attack = "T1505.003, T1190"
        author = "blackrod"
        reference = "CVE-2021-34523"
    strings:
        $page = /<%@\s{0,20}(Page|WebService|WebHandler)\s/ nocase
        $script = /<script[^>]{1,100}runat\s*=\s*["']?server/ nocase
    condition:
        uint16be(0) == 0x3082 and filesize < 20KB and any of them
}
