// Password stores that have been copied out of where they belong. Lying in a temporary or web folder they are loot.

rule memory_of_the_password_process
{
    meta:
        title = "Memory dump of LSASS"
        description = "A minidump of the process that holds the passwords of everybody signed in. Its presence means that they were, or were to be, taken."
        severity = "high"
        attack = "T1003.001"
        author = "blackrod"
        reference = "MITRE ATT&CK T1003.001"
    strings:
        $process = "lsass.exe" nocase wide
        $library1 = "lsasrv.dll" nocase wide
        $library2 = "wdigest.dll" nocase wide
        $library3 = "kerberos.dll" nocase wide
    condition:
        uint32be(0) == 0x4D444D50 and $process and 2 of ($library*)
}

rule copy_of_the_directory_database
{
    meta:
        title = "Copy of the Active Directory database"
        description = "An NTDS.DIT file: the password hashes of every account of the domain. Outside a domain controller and its backup it should not exist."
        severity = "high"
        attack = "T1003.003"
        author = "blackrod"
        reference = "CISA, AA23-144A"
    strings:
        $table = "datatable"
        $links = "link_table"
        // Unicode password hash and Pek list, the attributes that make it worth stealing.
        $password = "ATTk589914"
        $key = "ATTk590689"
    condition:
        uint32be(4) == 0xEFCDAB89 and $table and $links and any of ($password, $key)
}

rule copy_of_the_account_hive
{
    meta:
        title = "Copy of the SAM or SECURITY registry hive"
        description = "A registry hive with the machine's account or service secrets, saved as a file."
        severity = "medium"
        attack = "T1003.002, T1003.004"
        author = "blackrod"
        reference = "MITRE ATT&CK T1003.002"
    strings:
        $accounts = { 53 41 4D 00 }
        $domains = "Domains"
        $builtin = "Builtin"
        $users = "000001F4"
        $secrets = "PolSecretEncryptionKey"
        $secrets2 = "PolEKList"
    condition:
        uint32be(0) == 0x72656766 and filesize < 50MB
        and (($accounts and $domains and $builtin and $users) or any of ($secrets*))
}
