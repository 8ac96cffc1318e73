#!/usr/bin/env python3
"""What surrounds `blackrod guard`, with real servers: milter over a Unix socket, alerts by webhook, reload by SIGHUP while sessions
are open, release from the quarantine over SMTP, recall over IMAP with TLS.

    sudo python3 benches/guard/services.py [--binary target/release/blackrod]

Needs postfix, dovecot and openssl from the distribution. Says for each whether it held.
"""

import argparse
import hashlib
import hmac
import http.server
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import run  # noqa: E402
import servers  # noqa: E402
from servers import IMAP  # noqa: E402

HOOK, IMAPS = 18895, 10993
KEY = b"black and white"


class Hook(http.server.BaseHTTPRequestHandler):
    """Takes alerts, refuses the first try of each with 503, checks signatures."""

    tries, taken, wrong = {}, [], 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        stamp = self.headers["X-Blackrod-Timestamp"]
        expected = "sha256=" + hmac.new(KEY, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, self.headers["X-Blackrod-Signature"]) or abs(time.time() - int(stamp)) > 60:
            Hook.wrong += 1
        campaign = json.loads(body)["campaign"]
        Hook.tries[campaign] = Hook.tries.get(campaign, 0) + 1
        if Hook.tries[campaign] > 1:
            Hook.taken.append(campaign)
        self.send_response(503 if Hook.tries[campaign] == 1 else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


def certificate(root):
    """A root of the house and a certificate for localhost."""
    ca, key, cert = root / "ca.pem", root / "key.pem", root / "cert.pem"
    quiet = dict(check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", root / "ca.key", "-out", ca, "-days", "2", "-subj", "/CN=House"], **quiet)
    subprocess.run(["openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", root / "csr", "-subj", "/CN=localhost"], **quiet)
    (root / "ext").write_text("subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
    subprocess.run(["openssl", "x509", "-req", "-in", root / "csr", "-CA", ca, "-CAkey", root / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", root / "ext", "-out", cert], **quiet)
    return ca, key, cert


def with_tls(bed):
    ca, key, cert = certificate(bed.root)
    text = bed.dovecot.conf.read_text().replace("ssl = no", f"ssl = yes\nssl_cert = <{cert}\nssl_key = <{key}")
    text = text.replace("inet_listener imaps {\n    port = 0", f"inet_listener imaps {{\n    address = 127.0.0.1\n    ssl = yes\n    port = {IMAPS}")
    bed.dovecot.conf.write_text(text)
    return ca


def held(name, good, figures):
    print(f"{'HELD' if good else 'NOT HELD'}: {name}: {figures}")
    return bool(good)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default=str(run.ROOT / "target/release/blackrod"))
    binary = str(Path(parser.parse_args().binary).resolve())
    if servers.missing():
        print("SKIPPED: missing:", ", ".join(servers.missing()))
        return 0
    server = http.server.ThreadingHTTPServer(("127.0.0.1", HOOK), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    bed = run.Bed(binary, "services", "unix:/tmp/guard-services.sock")
    ca = with_tls(bed)
    results = []
    with bed:
        mails, _ = run.prepared(binary, bed.root / "sim", 2500, 8, 5, 0)
        (bed.root / "hook-secret").write_bytes(KEY + b"\n")
        indicators = bed.root / "indicators.csv"
        indicators.write_text("type,value\ndomain,nobody.example\n")
        guard = bed.guard(bed.root / "sim/estate.toml", f'[[alerts.webhook]]\nurl = "http://127.0.0.1:{HOOK}/alerts"\nsecret_file = "{bed.root}/hook-secret"\n[policy]\nhigh = "hold"\n')
        text = guard.conf.read_text().replace("[listen]", f'indicators = ["{indicators}"]\n[listen]')
        text = text.replace("milter = [", 'milter = ["unix:/tmp/guard-services.sock", ')
        text = text.replace(f'imap = "127.0.0.1:{IMAP}"\ntls = false', f'imap = "localhost:{IMAPS}"\ntls = true\nca_file = "{ca}"')
        guard.conf.write_text(text)
        guard.start()
        os.chmod("/tmp/guard-services.sock", 0o666)

        refused, again, _, _ = run.send_all(mails[:-1])
        left = run.drained(bed.postfix)
        results.append(held("milter over a Unix socket", not refused and not left, f"{len(mails) - 1} messages, {len(refused)} refused, {left} left"))

        reports = run.settle(guard)
        done = sum(report["taken_back"] for report in reports)
        results.append(held("recall over IMAP with TLS", done > 0, f"{done} messages taken back"))

        time.sleep(4)
        told = guard.metric("blackrod_alerts_total")
        good = Hook.taken and not Hook.wrong and len(Hook.taken) == len(set(Hook.taken)) == told
        results.append(held("webhooks", good, f"{len(Hook.taken)} campaigns told after one refusal each, {Hook.wrong} wrong signatures, {told:.0f} counted"))

        # A session that is open over the reload, and a message that only the new indicators are against.
        open_one = socket.create_connection(("127.0.0.1", servers.MILTER))
        # No step may go unanswered (SMFIP_NR_*), so that each shows that the session lives.
        open_one.settimeout(10)
        open_one.sendall(struct.pack(">IcIII", 13, b"O", 6, 0x1FF, 0))
        open_one.recv(100)
        letter = b"From: a@sender.example\r\nTo: %s\r\nSubject: An invitation\r\nMessage-ID: <%s@sender.example>\r\nX-Bench: 0\r\n\r\nSee https://new-threat.example/x\r\n"
        to = mails[-1].recipient.encode()
        send = lambda number: run.Sender().send("a@sender.example", mails[-1].recipient, letter % (to, number))
        send(b"before")
        before = guard.command("quarantine", "list", "--search", "An invitation")
        indicators.write_text("type,value\ndomain,new-threat.example\n")
        guard.process.send_signal(signal.SIGHUP)
        for _ in range(100):
            time.sleep(0.2)
            if "loaded anew" in (bed.root / "guard.log").read_text(errors="replace"):
                break
        send(b"after")
        after = guard.command("quarantine", "list", "--json", "--search", "An invitation")
        open_one.sendall(struct.pack(">I", 12) + b"Clocalhost\0U")
        lives = open_one.recv(100)[4:5] == b"c"
        ids = [json.loads(line)["id"] for line in after.splitlines()]
        results.append(held("reload by SIGHUP", not before and len(ids) == 1 and lives, f"held before {len(before.splitlines())}, after {len(ids)}; the open session is {'answered' if lives else 'gone'}"))

        count = lambda: sum(b"An invitation" in raw for _, raw in bed.dovecot.delivered())
        were = count()
        if ids:
            guard.command("quarantine", "release", ids[0], "--by", "Anna Berg")
        run.drained(bed.postfix)
        time.sleep(1)
        results.append(held("release over SMTP", ids and count() == were + 1, f"{were} delivered before, {count()} after"))
        guard.stop()
        results.append(held("stop", guard.process.returncode == 0, f"exit {guard.process.returncode}"))
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
