#!/usr/bin/env python3
"""`blackrod guard` between a real Postfix and a real Dovecot.

    sudo python3 benches/guard/run.py [--binary target/release/blackrod] WHAT…

WHAT: end-to-end, kill, slow, rspamd, memory, faults; all but memory without it. Needs postfix and dovecot (rspamd for `rspamd`) from the
distribution, started here by hand from a folder under /tmp; says SKIPPED where something is missing.
"""

import argparse
import asyncio
import collections
import email
import email.policy
import email.utils
import json
import os
import queue
import random
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import servers  # noqa: E402
from servers import IMAP, MILTER, SMTP, Dovecot, Guard, Postfix, Sender  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
Mail = collections.namedtuple("Mail", "number sender recipient raw message_id campaign")


def simulated(binary, folder, messages, campaigns, seed):
    """Invented mail in the order of time, its estate, and which Message-IDs are which campaign."""
    subprocess.run(
        [binary, "mail", "simulate", "--out", folder, "--people", "300", "--days", "14", "--eml"]
        + ["--messages", str(messages), "--campaigns", str(campaigns), "--seed", str(seed)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    truth = json.loads((folder / "truth.json").read_text())
    campaign_of = {one: c["number"] for c in truth["campaigns"] for one in c["messages"]}
    mails = []
    for path in folder.glob("mail/*/*.eml"):
        raw = path.read_bytes()
        head = email.message_from_bytes(raw.split(b"\n\n", 1)[0], policy=email.policy.compat32)
        date = email.utils.parsedate_to_datetime(head["Date"]).timestamp()
        recipient = (head["Delivered-To"] or email.utils.parseaddr(head["To"] or "")[1]).strip()
        sender = (head["Return-Path"] or "").strip(" <>")
        mails.append((date, path.name, sender, recipient, raw, head["Message-ID"].strip(" <>")))
    mails.sort()
    return mails, campaign_of, truth


def corpus(count, seed):
    """Real messages (phish, ham, torture), where they are at hand."""
    shared = Path(os.environ.get("BLACKROD_SHARED", ROOT.parent / "shared"))
    folders = [Path("/tmp/data/mail/mail"), shared / "data" / "mail"]
    folder = next((one for one in folders if one.is_dir()), None)
    if folder is None:
        print("SKIPPED: corpora: unpack shared/data/mail.tar.zst to /tmp/data/mail; invented mail only")
        return []
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    random.Random(seed).shuffle(paths)
    raws = []
    for path in paths:
        if len(raws) >= count:
            break
        raw = path.read_bytes()
        if raw.startswith(b"From "):
            raw = raw.split(b"\n", 1)[-1]
        # Postfix puts an empty line before what is no header field, drops NUL and takes blanks before a colon out; that is not
        # what is measured.
        head = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)
        lines = re.split(rb"\r\n|\n|\r", head[0])
        is_message = all(re.match(rb"[!-9;-~]+:|[ \t]", line) for line in lines) and lines[0][:1].strip()
        if len(head) == 2 and is_message and len(raw) < 5_000_000 and b"\0" not in raw:
            raws.append(raw)
    return raws


def prepared(binary, folder, total, campaigns, seed, share=0.3):
    """All mail of a run: numbered, with line ends as SMTP wants them; real messages get the date of their neighbours, because
    the judge goes by the time that messages say."""
    real = corpus(int(total * share), seed)
    mails, campaign_of, truth = simulated(binary, folder, total - len(real), campaigns, seed)
    mails = mails[-(total - len(real)) :]
    people = sorted({one[3] for one in mails if one[3].endswith("@assembly.example")})
    chance = random.Random(seed)
    places = sorted(chance.sample(range(total), len(real)))
    out, simulated_ones = [], iter(mails)
    places = set(places)
    last = mails[0][0]
    for number in range(total):
        if number in places:
            raw = real.pop()
            date = email.utils.formatdate(last).encode()
            head, gap, body = re.split(rb"(\r?\n\r?\n)", raw, maxsplit=1)
            head = re.sub(rb"(?im)^date:.*(\r?\n[ \t].*)*", b"Date: " + date, head, count=1)
            raw = head + gap + body
            sender, recipient, message_id, campaign = f"bulk{number % 97}@sender.example", chance.choice(people), None, None
        else:
            last, _, sender, recipient, raw, message_id = next(simulated_ones)
            campaign = campaign_of.get(message_id)
        raw = b"X-Bench: %d\r\n" % number + re.sub(rb"\r\n|\n|\r", b"\r\n", raw)
        if not raw.endswith(b"\r\n"):
            raw += b"\r\n"
        out.append(Mail(number, sender, recipient, raw, message_id, campaign))
    return out, truth


def send_all(mails, connections=6, rate=None):
    """Sends all in their order over several connections; gives back what was refused, how often sent, and all waits."""
    todo = queue.Queue()
    for mail in mails:
        todo.put(mail)
    refused, waits, again = set(), [], [0]
    begun = time.time()

    def work():
        sender = Sender()
        while True:
            try:
                mail = todo.get_nowait()
            except queue.Empty:
                return
            if rate:
                time.sleep(max(0.0, begun + mail.number / rate - time.time()))
            waited, times = sender.send(mail.sender, mail.recipient, mail.raw)
            again[0] += times - 1
            if waited is None:
                refused.add(mail.number)
            else:
                waits.append(waited)

    threads = [threading.Thread(target=work) for _ in range(connections)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return refused, again[0], waits, time.time() - begun


def drained(postfix, seconds=300):
    end = time.time() + seconds
    while postfix.waiting() and time.time() < end:
        time.sleep(0.5)
    return postfix.waiting()


def by_number(dovecot):
    """Delivered copies of each numbered message: (mailbox, head above our number, the rest)."""
    found = collections.defaultdict(list)
    for mailbox, raw in dovecot.delivered():
        place = raw.find(b"X-Bench: ")
        number = int(raw[place + 9 :].split(b"\n", 1)[0])
        found[number].append((mailbox, raw[:place], raw[place:]))
    return found


def percentile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


class Bed:
    """All servers in a fresh folder."""

    def __init__(self, binary, name, milters=f"inet:127.0.0.1:{MILTER}", extra=""):
        self.root = Path(tempfile.mkdtemp(prefix=f"guard-{name}-", dir="/tmp"))
        os.chmod(self.root, 0o755)
        self.binary, self.milters, self.extra = binary, milters, extra
        self.dovecot = Dovecot(self.root)
        self.postfix = Postfix(self.root, milters)

    def __enter__(self):
        self.dovecot.start()
        self.postfix.start()
        return self

    def guard(self, estate, extra=""):
        self.one_guard = Guard(self.binary, self.root, estate, extra)
        return self.one_guard

    def __exit__(self, *error):
        if hasattr(self, "one_guard"):
            self.one_guard.stop()
        self.postfix.stop()
        self.dovecot.stop()
        if error[0] is None:
            shutil.rmtree(self.root, ignore_errors=True)
        else:
            print("left for looking at:", self.root)


def settle(guard, seconds=120):
    """Waits until nothing approved is left to do."""
    end = time.time() + seconds
    while time.time() < end:
        reports = [json.loads(line) for line in guard.command("recall", "report", "--json").splitlines()]
        if not any(report["waiting"] for report in reports):
            return reports
        time.sleep(2)
    return reports


def taken_back(bed):
    """The numbers of messages that lie in the quarantine."""
    numbers = set()
    for path in (bed.root / "state/quarantine").glob("*/message.eml"):
        raw = path.read_bytes()
        numbers.add(int(raw[raw.find(b"X-Bench: ") + 9 :].split(b"\n", 1)[0]))
    return numbers


def checked(mails, found, refused):
    """Lost, doubled, changed though it should not have been."""
    lost, doubled, changed, verdicts = [], [], [], collections.Counter()
    for mail in mails:
        copies = found.get(mail.number, [])
        is_own = mail.recipient.endswith("@assembly.example")
        if not is_own or mail.number in refused:
            continue
        if len(copies) > 1:
            doubled.append(mail.number)
        if not copies:
            lost.append(mail.number)
            continue
        _, head, rest = copies[0]
        verdict = re.search(rb"X-Blackrod-Verdict: (\w+)", head)
        verdict = verdict.group(1).decode() if verdict else "pass"
        verdicts[verdict] += 1
        sent = mail.raw.replace(b"\r\n", b"\n")
        if verdict in ("pass", "unjudged") and rest != sent:
            if not changed:
                at = next((i for i, (a, b) in enumerate(zip(rest, sent)) if a != b), min(len(rest), len(sent)))
                print("first change, message", mail.number, "at", at, rest[at - 60 : at + 60], "was", sent[at - 60 : at + 60])
            changed.append(mail.number)
    return lost, doubled, changed, verdicts


def end_to_end(binary, total):
    print(f"== end to end: {total} messages through Postfix, guard and Dovecot")
    with Bed(binary, "end") as bed:
        mails, truth = prepared(binary, bed.root / "sim", total, 8, 5)
        guard = bed.guard(bed.root / "sim/estate.toml")
        guard.start()
        refused, again, waits, seconds = send_all(mails)
        left = drained(bed.postfix)
        cpu, memory = guard.cpu_seconds(), guard.memory_mb()
        reports = settle(guard)
        found = by_number(bed.dovecot)
        lost, doubled, changed, verdicts = checked(mails, found, refused)
        numbers_purged = taken_back(bed)
        lost = [number for number in lost if number not in numbers_purged]
        print(f"sent in {seconds:.0f} s, refused by Postfix {len(refused)}, sent again {again}, left in the queue {left}")
        print(f"lost {len(lost)}, doubled {len(doubled)}, untouched but changed {len(changed)}; verdicts {dict(verdicts)}")
        print(f"purged {len(numbers_purged)} messages; guard: {cpu:.1f} CPU s, {1000 * cpu / len(mails):.2f} ms a message, {memory:.0f} MB")
        print(f"answer: median {1000 * percentile(waits, 0.5):.1f} ms, p99 {1000 * percentile(waits, 0.99):.1f} ms (as the sender sees it)")
        print("campaign  messages  k  defused  purged  left live  share that could still report")
        all_live = all_messages = 0
        for campaign in truth["campaigns"]:
            own = [m for m in mails if m.campaign == campaign["number"] and m.number not in refused]
            if not own:
                continue
            state = []
            for mail in own:
                copies = found.get(mail.number, [])
                if mail.number in numbers_purged:
                    state.append("purged")
                elif any(b"X-Blackrod-Verdict: defuse" in head for _, head, _ in copies):
                    state.append("defused")
                else:
                    state.append("live")
            k = next((i + 1 for i, one in enumerate(state) if one == "defused"), None)
            counts = collections.Counter(state)
            all_live += counts["live"]
            all_messages += len(own)
            print(
                f"{campaign['number']:8} {len(own):9} {k or '-':>2} {counts['defused']:8} {counts['purged']:7} {counts['live']:10}"
                f"  {counts['live'] / len(own):.0%} ({campaign['hosts']}, {campaign['identities']} identities)"
            )
        print(f"of all campaign messages {all_live}/{all_messages} = {all_live / max(1, all_messages):.0%} could still report an opening")
        for report in reports:
            print("recall", report)
        bad = lost or doubled or changed or left
        print("HELD" if not bad else f"NOT HELD: lost {lost[:5]} doubled {doubled[:5]} changed {changed[:5]}")
        return not bad


def kill(binary, total, kills=20):
    print(f"== kill -9: {kills} times while {total} messages are sent")
    with Bed(binary, "kill") as bed:
        mails, _ = prepared(binary, bed.root / "sim", total, 8, 7)
        guard = bed.guard(bed.root / "sim/estate.toml")
        guard.start()
        results = {}
        thread = threading.Thread(target=lambda: results.update(r=send_all(mails)))
        thread.start()
        chance, done = random.Random(1), 0
        while thread.is_alive() and done < kills:
            time.sleep(chance.uniform(0.5, 4))
            guard.kill()
            done += 1
            time.sleep(chance.uniform(0, 0.5))
            guard.start()
        thread.join()
        refused, again, _, seconds = results["r"]
        left = drained(bed.postfix)
        settle(guard)
        guard.kill()
        guard.start()
        remembered = guard.metric("blackrod_journal_restored")
        found = by_number(bed.dovecot)
        lost, doubled, changed, verdicts = checked(mails, found, refused)
        purged = taken_back(bed)
        lost = [number for number in lost if number not in purged]
        taken = len(mails) - len(refused)
        print(
            f"killed {done} times in {seconds:.0f} s; sent again {again}; left in the queue {left}; lost {len(lost)}, doubled {len(doubled)}, "
            f"changed {len(changed)}; taken {taken}, remembered after the last kill {remembered:.0f}; purged {len(purged)}; {dict(verdicts)}"
        )
        bad = lost or doubled or changed or left or remembered < taken or done < kills
        print("HELD" if not bad else f"NOT HELD {lost[:5]} {doubled[:5]}")
        return not bad


def slow(binary, connections=10_000):
    print(f"== {connections} slow and half-open connections")
    import resource

    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with Bed(binary, "slow") as bed:
        mails, _ = prepared(binary, bed.root / "sim", 600, 2, 9, 0)
        guard = bed.guard(bed.root / "sim/estate.toml", "[limits]\nhandshake_seconds = 60\n")
        guard.start()
        before = send_all(mails[:200])[2]
        negotiate = struct.pack(">IcIII", 13, b"O", 6, 0x1FF, 0x1FFFFF)
        sockets = []
        for number in range(connections):
            one = socket.create_connection(("127.0.0.1", MILTER))
            if number % 3 == 1:
                one.send(negotiate[: number % 12 + 1])
            if number % 3 == 2:
                one.send(negotiate + struct.pack(">I", 1000) + b"L")
            sockets.append(one)
        open_now = guard.metric("blackrod_sessions ")
        refused, again, during, seconds = send_all(mails[200:])
        left = drained(bed.postfix)
        found = by_number(bed.dovecot)
        lost, doubled, changed, _ = checked(mails, found, refused)
        settle(guard)
        lost = [number for number in lost if number not in taken_back(bed)]
        print(
            f"{open_now:.0f} sessions open; p99 {1000 * percentile(before, 0.99):.1f} ms before, {1000 * percentile(during, 0.99):.1f} ms during; "
            f"sent again {again}, lost {len(lost)}, doubled {len(doubled)}, memory {guard.memory_mb():.0f} MB"
        )
        [one.close() for one in sockets]
        bad = lost or doubled or changed or left or open_now < connections * 0.9
        print("HELD" if not bad else "NOT HELD")
        return not bad


def rspamd_conf(root):
    conf = root / "rspamd"
    (conf / "local.d").mkdir(parents=True)
    (conf / "run").mkdir()
    shutil.chown(conf / "run", "_rspamd", "_rspamd")
    text = f"""
options {{ pidfile = "{conf}/run/pid"; filters = "chartable,dkim,regexp"; dns {{ nameserver = ["127.0.0.1:1"]; timeout = 0.01s; retransmits = 1; }} local_networks = "127.0.0.0/8"; tempdir = "/tmp"; dbdir = "{conf}/run"; rundir = "{conf}/run"; task_timeout = 8s; }}
logging {{ type = "file"; filename = "{conf}/run/log"; level = "warning"; }}
.include "/etc/rspamd/metrics.conf"
.include "/etc/rspamd/composites.conf"
worker "normal" {{ bind_socket = "127.0.0.1:18893"; count = 1; enabled = false; }}
worker "rspamd_proxy" {{ bind_socket = "127.0.0.1:18892"; milter = yes; count = 1; timeout = 120s; upstream "local" {{ self_scan = yes; default = yes; }} }}
modules {{ path = "/usr/share/rspamd/plugins/"; }}
lua = "/usr/share/rspamd/rules/rspamd.lua";
"""
    for off in "rbl surbl spf dmarc dkim_signing arc fuzzy_check asn mx_check greylist ratelimit history_redis neural bayes_expiry reputation replies url_redirector elastic clickhouse metadata_exporter antivirus external_services".split():
        text += f"{off} {{ enabled = false; }}\n"
    (conf / "rspamd.conf").write_text(text)
    return conf


def tree_cpu(pid):
    """CPU seconds of a process and all that it started."""
    parents, times = {}, {}
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                fields = (path / "stat").read_text().rsplit(") ", 1)[1].split()
            except OSError:
                continue
            parents[int(path.name)] = int(fields[1])
            times[int(path.name)] = int(fields[11]) + int(fields[12])
    wanted, total = {pid}, 0
    for _ in range(4):
        wanted |= {child for child, parent in parents.items() if parent in wanted}
    return sum(times.get(one, 0) for one in wanted) / os.sysconf("SC_CLK_TCK")


def rspamd(binary, total, rate):
    print(f"== beside rspamd: {total} messages, at most {rate}/s, network tests off")
    if not shutil.which("rspamd"):
        print("SKIPPED: rspamd is not installed")
        return True
    figures = {}
    for name in ("nothing", "guard", "rspamd"):
        milter = {"nothing": "", "guard": f"inet:127.0.0.1:{MILTER}", "rspamd": "inet:127.0.0.1:18892"}[name]
        with Bed(binary, name, milter) as bed:
            mails, _ = prepared(binary, bed.root / "sim", total, 4, 11)
            process = None
            if name == "guard":
                guard = bed.guard(bed.root / "sim/estate.toml")
                guard.start()
                pid = guard.process.pid
            elif name == "rspamd":
                conf = rspamd_conf(bed.root)
                process = subprocess.Popen(["rspamd", "-f", "-i", "-c", conf / "rspamd.conf"], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
                servers.wait_for(18892)
                time.sleep(3)
                pid = process.pid
            else:
                pid = os.getpid()
            send_all(mails[:100])
            base = tree_cpu(pid)
            refused, again, waits, seconds = send_all(mails[100:], 8, rate)
            cpu = tree_cpu(pid) - base
            count = len(mails) - 100
            figures[name] = (cpu / count, percentile(waits, 0.5), percentile(waits, 0.99))
            shown = "" if name == "nothing" else f"{1000 * cpu / count:.2f} CPU ms a message, {count / max(cpu, 1e-9):.0f} messages a CPU second; "
            print(
                f"{name:8} {shown}answer median {1000 * figures[name][1]:.1f} ms, p99 {1000 * figures[name][2]:.1f} ms; {count / seconds:.0f}/s; sent again {again}"
            )
            if process:
                process.terminate()
                process.wait()
    ratio = figures["rspamd"][0] / figures["guard"][0]
    added = figures["guard"][2] - figures["nothing"][2]
    print(f"guard does {ratio:.1f} times as many messages a CPU second; p99 added latency {1000 * added:.1f} ms")
    held = ratio >= 5 and added < 0.05
    print("HELD" if held else "NOT HELD")
    return held


def resident(pid):
    """MiB that a process has in memory."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def memory(binary, total, rate):
    print(f"== memory over {total} messages, at most {rate}/s, delivered to nobody")
    bed = Bed(binary, "memory")
    with open(bed.postfix.conf / "main.cf", "a") as conf:
        conf.write("virtual_transport = discard:\n")
    with bed:
        mails, _ = prepared(binary, bed.root / "sim", total, 8, 13)
        guard = bed.guard(bed.root / "sim/estate.toml")
        guard.start()
        pid, sizes = guard.process.pid, []
        for part in range(10):
            tenth = mails[part * total // 10 : (part + 1) * total // 10]
            # Each tenth has a clock of its own.
            first = tenth[0].number
            refused, again, _, seconds = send_all([one._replace(number=one.number - first) for one in tenth], 8, rate)
            sizes.append(resident(pid))
            print(f"{(part + 1) * total // 10} messages: {sizes[-1]:.0f} MiB, {len(tenth) / seconds:.0f}/s, sent again {again}, refused {len(refused)}", flush=True)
    growth = sizes[-1] / sizes[4]
    print(f"the second half added {100 * (growth - 1):.0f} %")
    held = growth < 1.1
    print("HELD" if held else "NOT HELD")
    return held


def faults(binary):
    print("== disk full, IMAP down")
    good = True
    with Bed(binary, "full") as bed:
        mails, _ = prepared(binary, bed.root / "sim", 500, 1, 3, 0)
        state = bed.root / "state"
        state.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", state], check=True)
        try:
            guard = bed.guard(bed.root / "sim/estate.toml")
            guard.start()
            refused, again, _, _ = send_all(mails)
            left = drained(bed.postfix)
            lost, doubled, changed, verdicts = checked(mails, by_number(bed.dovecot), refused)
            failures = guard.metric("blackrod_journal_failures_total")
            print(f"disk full: {failures:.0f} journal writes failed, lost {len(lost)}, doubled {len(doubled)}, left {left}; {dict(verdicts)}")
            good &= not lost and not doubled and failures > 0 and verdicts["unjudged"] > 0
            guard.stop()
        finally:
            subprocess.run(["umount", "-l", state])
    with Bed(binary, "imap") as bed:
        mails, _ = prepared(binary, bed.root / "sim", 2500, 8, 5, 0)
        guard = bed.guard(bed.root / "sim/estate.toml")
        text = guard.conf.read_text()
        guard.conf.write_text(text.replace(f"127.0.0.1:{IMAP}", "127.0.0.1:1"))
        guard.start()
        send_all(mails)
        drained(bed.postfix)
        time.sleep(6)
        waiting = sum(json.loads(line)["waiting"] for line in guard.command("recall", "report", "--json").splitlines())
        guard.stop()
        guard.conf.write_text(text)
        guard.start()
        reports = settle(guard)
        done = sum(report["taken_back"] for report in reports)
        print(f"IMAP down: {waiting} actions waited; after a restart with IMAP up {done} taken back")
        good &= waiting > 0 and done > 0
    print("HELD" if good else "NOT HELD")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=["end-to-end", "kill", "slow", "rspamd", "faults"])
    parser.add_argument("--binary", default=str(ROOT / "target/release/blackrod"))
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=200)
    arguments = parser.parse_args()
    missing = servers.missing()
    if missing:
        print("SKIPPED: missing:", ", ".join(missing))
        return 0
    binary = str(Path(arguments.binary).resolve())
    runs = {
        "end-to-end": lambda: end_to_end(binary, arguments.messages),
        "kill": lambda: kill(binary, min(arguments.messages, 4_000)),
        "slow": lambda: slow(binary),
        "rspamd": lambda: rspamd(binary, min(arguments.messages, 3_000), arguments.rate),
        "memory": lambda: memory(binary, arguments.messages, arguments.rate),
        "faults": lambda: faults(binary),
    }
    held = [runs[what]() for what in arguments.what]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
