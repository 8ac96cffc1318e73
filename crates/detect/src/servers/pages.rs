//! Names of files, folders and programs of web servers.

/// Ends of files that a web server runs.
const PAGES: [&str; 13] = [
    ".aspx", ".ashx", ".asmx", ".asp", ".asax", ".cshtml", ".php", ".phtml", ".jsp", ".jspx", ".jspf",
    ".cfm", ".cer",
];

/// Folders, below a server's root, that hold pictures, styles, uploads or answers of the sign-in, and no pages but the known.
const ODD_FOLDERS: [&str; 16] = [
    "/aspnet_client/",
    "/owa/auth/",
    "/ecp/auth/",
    "/uploads/",
    "/upload/",
    "/images/",
    "/img/",
    "/css/",
    "/styles/",
    "/fonts/",
    "/js/",
    "/tmp/",
    "/temp/",
    "/.well-known/",
    "/_layouts/15/images/",
    "/wp-content/uploads/",
];

/// The pages that Exchange itself has in its sign-in folders.
const EXCHANGE_PAGES: [&str; 15] = [
    "errorfe.aspx",
    "expiredpassword.aspx",
    "frowny.aspx",
    "getidtoken.htm",
    "logoff.aspx",
    "logon.aspx",
    "oauthlogin.aspx",
    "outlookcn.aspx",
    "redirsuiteserviceproxy.aspx",
    "signout.aspx",
    "timeoutlogout.aspx",
    "logout.aspx",
    "error.aspx",
    "error2.aspx",
    "preload.aspx",
];

/// Folders on disk that a web server serves.
const SERVED: [&str; 9] = [
    "\\inetpub\\wwwroot\\",
    "\\frontend\\httpproxy\\",
    "\\clientaccess\\owa\\",
    "\\clientaccess\\ecp\\",
    "\\web server extensions\\15\\template\\layouts\\",
    "\\web server extensions\\16\\template\\layouts\\",
    "\\xampp\\htdocs\\",
    "\\tomcat\\webapps\\",
    "/var/www/",
];

const WEB_SERVERS: [&str; 12] = [
    "w3wp.exe",
    "httpd.exe",
    "nginx.exe",
    "php-cgi.exe",
    "tomcat8.exe",
    "tomcat9.exe",
    "tomcat10.exe",
    "umworkerprocess.exe",
    "apache2",
    "httpd",
    "nginx",
    "php-fpm",
];

/// What runs commands, and what somebody who looks around starts.
const INTERPRETERS: [&str; 26] = [
    "cmd.exe",
    "powershell.exe",
    "pwsh.exe",
    "cscript.exe",
    "wscript.exe",
    "mshta.exe",
    "rundll32.exe",
    "regsvr32.exe",
    "certutil.exe",
    "bitsadmin.exe",
    "wmic.exe",
    "net.exe",
    "net1.exe",
    "whoami.exe",
    "ipconfig.exe",
    "systeminfo.exe",
    "tasklist.exe",
    "quser.exe",
    "nltest.exe",
    "ntdsutil.exe",
    "procdump.exe",
    "procdump64.exe",
    "7z.exe",
    "rar.exe",
    "sh",
    "bash",
];

const INSTALLERS: [&str; 8] = [
    "msiexec.exe",
    "exsetup.exe",
    "exsetupui.exe",
    "setup.exe",
    "tiworker.exe",
    "trustedinstaller.exe",
    "msdeploy.exe",
    "poqexec.exe",
];

/// The last part of a path of either kind.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// Whether a path, in lower case, is of a page that a server runs.
pub(super) fn is_page(lower: &str) -> bool {
    PAGES.iter().any(|end| lower.ends_with(end))
}

/// Whether a request's path is of a page in a folder that holds none.
pub(super) fn is_odd(path: &str) -> bool {
    // Most paths end otherwise; nothing is copied for them.
    let dot = memchr::memrchr(b'.', path.as_bytes());
    let end = dot.and_then(|dot| path.get(dot..)).unwrap_or_default();
    if !PAGES.iter().any(|page| page.eq_ignore_ascii_case(end)) {
        return false;
    }
    let lower = path.to_ascii_lowercase();
    let is_odd_folder = ODD_FOLDERS.iter().any(|folder| lower.contains(folder));
    is_odd_folder && !EXCHANGE_PAGES.contains(&file_name(&lower))
}

/// Whether a file lies in a folder that is served, and is not one of ASP.NET's own.
pub(super) fn is_served(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    SERVED.iter().any(|folder| lower.contains(folder)) && !lower.contains("\\temporary asp.net files\\")
}

/// Whether a program answers web requests.
pub(super) fn is_web_server(path: &str) -> bool {
    let name = file_name(path);
    WEB_SERVERS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Whether a program, by its name in lower case, runs commands or looks around.
pub(super) fn is_interpreter(name: &str) -> bool {
    INTERPRETERS.contains(&name)
}

/// Whether a program puts pages where they belong.
pub(super) fn is_installer(path: &str) -> bool {
    let name = file_name(path);
    INSTALLERS.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Where in the address a file on disk is asked for: `/aspnet_client/x.aspx` for `C:\inetpub\wwwroot\aspnet_client\x.aspx`.
pub(super) fn address_of(file: &str) -> Option<String> {
    let lower = file.to_ascii_lowercase();
    let (root, below) = [
        ("\\inetpub\\wwwroot\\", "/"),
        ("\\frontend\\httpproxy\\", "/"),
        ("\\clientaccess\\", "/"),
        ("/var/www/html/", "/"),
    ]
    .into_iter()
    .find(|(root, _)| lower.contains(root))?;
    let (_, rest) = lower.split_once(root)?;
    Some(format!("{below}{}", rest.replace('\\', "/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_where_none_belong() {
        assert!(is_odd("/aspnet_client/system_web/error_ews.aspx"));
        assert!(is_odd("/wp-content/uploads/2021/x.PHP"));
        assert!(!is_odd("/owa/auth/logon.aspx"));
        assert!(!is_odd("/index.php"));
        assert!(!is_odd("/images/logo.png"));
        assert!(!is_odd("é"));
    }

    #[test]
    fn a_file_has_an_address() {
        let file = r"C:\inetpub\wwwroot\aspnet_client\system_web\error_ews.aspx";
        assert_eq!(
            address_of(file).as_deref(),
            Some("/aspnet_client/system_web/error_ews.aspx")
        );
        let owa = r"C:\Program Files\Microsoft\Exchange Server\V15\FrontEnd\HttpProxy\owa\auth\x.aspx";
        assert_eq!(address_of(owa).as_deref(), Some("/owa/auth/x.aspx"));
        assert!(is_served(owa) && is_installer(r"C:\Windows\System32\msiexec.exe"));
    }
}
