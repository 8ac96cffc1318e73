#!/usr/bin/env python3
"""What rspamd costs on messages: CPU seconds of its processes over /checkv2, everything off that would ask the network.

    apt-get install rspamd
    python3 benches/phish/rspamd.py FOLDER...        # the folders of `mail-phish speed`, run after each other

Its configuration is Debian's in a folder of its own under /tmp; one worker; each message is sent once to warm up, then once measured.
"""
import http.client, os, shutil, subprocess, sys, tempfile, time

OFF = ["rbl", "dmarc", "arc", "asn", "fuzzy_check", "mx_check", "ratelimit", "greylist", "replies", "neural", "history_redis", "dkim_signing",
       "dkim", "spf", "milter_headers", "url_redirector", "reputation", "known_senders", "bayes_expiry", "metadata_exporter", "elastic"]
PORT = 21333


def configuration(folder):
    shutil.copytree("/etc/rspamd", folder, dirs_exist_ok=True)
    local = os.path.join(folder, "local.d")
    os.makedirs(local, exist_ok=True)

    def write(name, text):
        open(os.path.join(local, name), "w").write(text)
    for module in OFF:
        write(module + ".conf", "enabled = false;\n")
    write("options.inc", 'dns { nameserver = ["127.0.0.1:1"]; timeout = 0.01s; retransmits = 0; }\ndisable_monitoring = true;\n'
          f'filters = "chartable,regexp";\nmax_message = 50M;\npidfile = "{folder}/pid";\n')
    write("worker-normal.inc", f'count = 1;\nbind_socket = "127.0.0.1:{PORT}";\n')
    for worker in ("proxy", "controller", "fuzzy"):
        write(f"worker-{worker}.inc", "enabled = false;\ncount = 0;\nbind_socket = \"127.0.0.1:0\";\n")
    write("classifier-bayes.conf", "enabled = false;\n")
    write("logging.inc", f'type = "file";\nfilename = "{folder}/log";\nlevel = "error";\n')


def family(pid):
    found = [pid]
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            parent = int(open(f"/proc/{entry}/stat").read().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == pid:
            found.append(int(entry))
    return found


def cpu(pid):
    ticks = 0
    for one in family(pid):
        fields = open(f"/proc/{one}/stat").read().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def send(mails):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    failed, actions = 0, {}
    for mail in mails:
        try:
            connection.request("POST", "/checkv2", mail)
            answer = connection.getresponse()
            body = answer.read()
            failed += answer.status != 200
            for action in (b"no action", b"greylist", b"add header", b"reject"):
                if b'"action":"' + action in body:
                    actions[action.decode()] = actions.get(action.decode(), 0) + 1
        except (OSError, http.client.HTTPException):
            failed += 1
            connection.close()
    return failed, actions


mails = []
for folder in sys.argv[1:]:
    for at, _, names in sorted(os.walk(folder)):
        mails += [open(os.path.join(at, name), "rb").read() for name in sorted(names)]
with tempfile.TemporaryDirectory(prefix="rspamd-bench-") as folder:
    configuration(folder)
    os.chmod(folder, 0o777)
    log = open(os.path.join(folder, "out"), "w")
    server = subprocess.Popen(["rspamd", "-f", "-i", "-u", "root", "-g", "root", "-c", f"{folder}/rspamd.conf", f"--var=CONFDIR={folder}",
                               f"--var=LOCAL_CONFDIR={folder}", f"--var=RUNDIR={folder}", f"--var=DBDIR={folder}", f"--var=LOGDIR={folder}"],
                              stdout=log, stderr=log)
    try:
        for _ in range(100):
            try:
                http.client.HTTPConnection("127.0.0.1", PORT, timeout=5).request("GET", "/ping")
                break
            except OSError:
                time.sleep(0.2)
        else:
            sys.exit(open(log.name).read()[-2000:])
        send(mails[:200])
        before = cpu(server.pid)
        failed, actions = send(mails)
        spent = cpu(server.pid) - before
        print(f"rspamd: {len(mails)} messages, {failed} not answered, {spent * 1e3 / max(1, len(mails)):.2f} ms a message, "
              f"{len(mails) / max(spent, 1e-9):.0f} messages per CPU second; {actions}")
    finally:
        server.terminate()
        server.wait()
