"""Postfix and Dovecot in a folder of their own, run by hand; nothing of the machine's own mail is touched."""

import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

SMTP, PLAIN, LMTP, IMAP, MILTER, METRICS = 10025, 10026, 10024, 10143, 18890, 18891


def missing():
    """What has to be installed first."""
    return [tool for tool in ("postfix", "dovecot") if not shutil.which(tool)] + (
        [] if os.geteuid() == 0 else ["root (Postfix starts as root)"]
    )


def wait_for(port, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


class Postfix:
    def __init__(self, root, milters):
        self.conf = root / "postfix"
        queue, data = root / "queue", root / "data"
        for folder in (self.conf, queue, data):
            folder.mkdir(parents=True)
        shutil.chown(data, "postfix")
        os.chmod(root, 0o755)
        (self.conf / "main.cf").write_text(
            f"""compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = mx1.assembly.example
mydestination =
mynetworks = 127.0.0.0/8
virtual_mailbox_domains = assembly.example
virtual_mailbox_maps = static:all
virtual_transport = lmtp:inet:127.0.0.1:{LMTP}
default_transport = discard:
relay_transport = discard:
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_milters = {milters}
milter_default_action = tempfail
milter_connect_timeout = 10s
milter_command_timeout = 30s
milter_content_timeout = 60s
lmtp_line_length_limit = 0
line_length_limit = 65536
header_size_limit = 1024000
message_size_limit = 60000000
message_drop_headers =
local_header_rewrite_clients =
maillog_file = {root}/postfix.log
maillog_file_prefixes = /tmp
smtpd_client_connection_count_limit = 0
smtpd_error_sleep_time = 0
in_flow_delay = 0
minimal_backoff_time = 5s
maximal_backoff_time = 10s
queue_run_delay = 5s
lmtp_destination_concurrency_limit = 10
""",
        )
        inet = f"smtpd -o syslog_name=plain -o smtpd_milters="
        (self.conf / "master.cf").write_text(
            f"""127.0.0.1:{SMTP} inet n - n - 60 smtpd
127.0.0.1:{PLAIN} inet n - n - 10 {inet}
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 5 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
lmtp unix - - n - 10 lmtp
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
        )

    def start(self):
        # Its daemons keep what they are given open: a pipe would never end.
        with open(self.conf.parent / "postfix.said", "wb") as said:
            subprocess.run(["postfix", "-c", self.conf, "start"], check=True, stdout=said, stderr=said)
        wait_for(SMTP)

    def stop(self):
        subprocess.run(["postfix", "-c", self.conf, "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def waiting(self):
        """Messages still in the queue."""
        queue = self.conf.parent / "queue"
        folders = ("incoming", "active", "deferred", "maildrop")
        return sum(1 for name in folders for path in (queue / name).rglob("*") if path.is_file())


class Dovecot:
    def __init__(self, root):
        self.root = root
        self.mail = root / "mail"
        self.mail.mkdir(parents=True)
        (root / "dovecot").mkdir()
        shutil.chown(self.mail, "mail", "mail")
        (root / "masters").write_text("blackrod:{PLAIN}open sesame\n")
        (root / "imap-password").write_text("open sesame\n")
        mail = pwd.getpwnam("mail")
        self.conf = root / "dovecot.conf"
        self.conf.write_text(
            f"""protocols = imap lmtp
base_dir = {root}/dovecot
log_path = {root}/dovecot.log
ssl = no
disable_plaintext_auth = no
auth_master_user_separator = *
mail_location = maildir:{self.mail}/%u
first_valid_uid = 1
mail_fsync = never
mail_max_userip_connections = 100
passdb {{
  driver = passwd-file
  master = yes
  args = {root}/masters
}}
passdb {{
  driver = static
  args = password=reader
}}
userdb {{
  driver = static
  args = uid={mail.pw_uid} gid={mail.pw_gid} home={self.mail}/%u allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {IMAP}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {LMTP}
  }}
}}
"""
        )

    def start(self):
        with open(self.root / "dovecot.said", "wb") as said:
            subprocess.run(["dovecot", "-c", self.conf], check=True, stdout=said, stderr=said)
        wait_for(IMAP)
        wait_for(LMTP)

    def stop(self):
        subprocess.run(["doveadm", "-c", self.conf, "stop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def delivered(self):
        """All delivered messages: (mailbox, bytes)."""
        for path in self.mail.glob("*/*/*"):
            if path.parent.name in ("cur", "new") and path.is_file():
                yield path.parts[len(self.mail.parts)], path.read_bytes()


class Guard:
    def __init__(self, binary, root, estate, extra=""):
        self.binary, self.root = binary, root
        self.conf = root / "guard.toml"
        self.log = open(root / "guard.log", "ab")
        self.process = None
        self.conf.write_text(
            f"""estate = "{estate}"
state = "{root}/state"
[listen]
milter = ["127.0.0.1:{MILTER}"]
metrics = "127.0.0.1:{METRICS}"
[judge]
clock = "message"
[quarantine]
release = "127.0.0.1:{PLAIN}"
[recall]
imap = "127.0.0.1:{IMAP}"
tls = false
user = "{{address}}*blackrod"
password_file = "{root}/imap-password"
action = "purge"
approval = "policy"
{extra}
"""
        )
        (root / "state").mkdir(exist_ok=True)

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "guard", "--config", self.conf], stderr=self.log, stdout=self.log
        )
        wait_for(MILTER, 180)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(60)

    def cpu_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def metric(self, name):
        text = urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics").read().decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def command(self, *words):
        done = subprocess.run(
            [self.binary, *words, "--config", self.conf], capture_output=True, text=True
        )
        if done.returncode:
            raise SystemExit(f"{words}: {done.stderr}")
        return done.stdout


class Sender:
    """Sends messages over one connection until each is taken, as a sending server would."""

    def __init__(self, port=SMTP):
        self.port, self.smtp = port, None

    def send(self, sender, recipient, raw):
        """Seconds from the end of the message to the answer, and how often it was sent."""
        for attempt in range(600):
            try:
                if self.smtp is None:
                    self.smtp = smtplib.SMTP("127.0.0.1", self.port, timeout=120)
                    self.smtp.ehlo("mout.sender.example")
                begun = time.perf_counter()
                self.smtp.sendmail(sender, [recipient], raw, ["BODY=8BITMIME"])
                return time.perf_counter() - begun, attempt + 1
            except smtplib.SMTPResponseException as error:
                if error.smtp_code // 100 == 5:
                    return None, attempt + 1
                self.reset()
            except (smtplib.SMTPRecipientsRefused, smtplib.SMTPServerDisconnected, OSError):
                self.reset()
            time.sleep(0.2)
        raise SystemExit("a message is not taken")

    def reset(self):
        try:
            if self.smtp is not None:
                self.smtp.close()
        except OSError:
            pass
        self.smtp = None
