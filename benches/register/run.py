#!/usr/bin/env python3
"""A real PostgreSQL with pgaudit, a register of invented electors, ordinary work and five thefts: is each found, how
near is the share that blackrod tells to the truth, and is ordinary work left alone?

    benches/register/run.py --blackrod target/release/blackrod [--electors 1000000] [--work /tmp/register-bench]

Needs Debian's postgresql and postgresql-15-pgaudit (or another version's) and rights to become the user `postgres`. Statements are
really run, and what blackrod reads is what PostgreSQL wrote (csvlog). Days and nights are made afterwards: one day's
log is written, and its time stamps are moved; so each ordinary day has the same statements as the first, at the same
hours, and each theft's night is moved to the small hours. Nobody waits for ten nights.
"""
import argparse
import csv
import datetime as dt
import glob
import io
import json
import os
import pwd
import random
import re
import shutil
import subprocess
import sys

DAY = dt.timedelta(days=1)
START = dt.datetime(2026, 11, 2, tzinfo=dt.timezone.utc)  # a Monday


class Server:
    """A PostgreSQL of its own on a private port."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.user = pwd.getpwnam("postgres") if os.getuid() == 0 else None

    def run(self, *words, feed=None, **settings):
        environment = {"PATH": f"{self.bin}:/usr/bin:/bin", "LC_ALL": "C.UTF-8", **settings}
        identity = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []} if self.user else {}
        done = subprocess.run(
            [str(word) for word in words], input=feed, text=True, capture_output=True, env=environment, cwd="/tmp", **identity
        )
        if done.returncode:
            sys.exit(f"{words[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def start(self):
        os.makedirs(self.folder)
        if self.user:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        data = f"{self.folder}/data"
        self.run("initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync")
        with open(f"{data}/postgresql.conf", "a") as out:
            out.write(
                f"port={self.port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{self.folder}'\n"
                "shared_preload_libraries='pgaudit'\npgaudit.log='read,write,ddl'\npgaudit.log_catalog=off\n"
                "pgaudit.log_rows=on\npgaudit.log_parameter=on\nlogging_collector=on\nlog_destination='csvlog'\n"
                f"log_directory='{self.folder}/log'\nlog_replication_commands=on\nlog_connections=on\n"
                "log_timezone='UTC'\nlog_rotation_size=0\nfsync=off\nmax_wal_size='4GB'\n"
            )
        self.run("pg_ctl", "-D", data, "-w", "-l", f"{self.folder}/start.log", "start")

    def stop(self):
        self.run("pg_ctl", "-D", f"{self.folder}/data", "-m", "fast", "stop")

    def sql(self, text, user="postgres", database="register", program="psql"):
        connection = f"host=127.0.0.1 port={self.port} user={user} dbname={database} application_name={program}"
        return self.run("psql", "-qXAt", "-v", "ON_ERROR_STOP=1", connection, feed=text)

    def rows(self):
        """All rows of the log so far."""
        for path in sorted(glob.glob(f"{self.folder}/log/*.csv")):
            with open(path, newline="") as log:
                yield from csv.reader(log)


NAMES = ["berg", "lund", "dahl", "holm", "strand", "vik", "nes", "moen", "haug", "sand", "aas", "bakke", "eide", "foss"]


def fill(server, electors):
    accounts = ["web", "clerk1", "clerk2", "clerk3", "clerk4", "clerk5", "stats", "backup"]
    server.sql("create database register", database="postgres")
    names = ",".join(f"'{name}'" for name in NAMES)
    server.sql(
        "create extension pgaudit;"
        "create table electors (elector_no bigint primary key, surname text, first_name text, ward text,"
        " postcode text, birth_date date);"
        f"insert into electors select g, initcap((array[{names}])[1 + (g::bigint * 7919 % 14)::int]) || "
        f"(array[{names}])[1 + ((g / 14)::bigint * 104729 % 14)::int] || chr(97 + (g::bigint * 31 % 26)::int) || chr(97 + (g::bigint * 17 / 26 % 26)::int),"
        " 'F' || (g % 400), 'W' || (g % 1200), 'NI' || (g % 20000), date '1930-01-01' + (g::bigint * 37 % 28000)::int"
        f" from generate_series(1, {electors}) g;"
        "create index on electors (surname text_pattern_ops); create index on electors (ward); analyze;"
        + "".join(f"create role {name} login superuser;" for name in accounts)
    )


def statement_batch(server, user, program, statements):
    server.sql(";\n".join(statements) + ";\n", user=user, program=program)


def ordinary(server, electors, backup=True):
    """What a day's clients ask."""
    random.seed(7)
    pick = lambda: random.randint(1, electors)
    surnames = server.sql("select surname from electors tablesample system (0.5) limit 400").split()
    lookups = ["prepare one(bigint) as select * from electors where elector_no = $1"]
    lookups += [f"execute one({pick()})" for _ in range(3000)]
    statement_batch(server, "web", "portal", lookups)
    for clerk in range(1, 6):
        asked = []
        for _ in range(150):
            asked.append(f"select * from electors where surname = '{random.choice(surnames)}' order by first_name limit 50")
            asked.append(f"select * from electors where elector_no = {pick()}")
            asked.append(f"select * from electors where surname like '{random.choice(surnames)[:7]}%' limit 25")
        asked.append(f"select * from electors where ward = 'W{random.randint(0, 1199)}' order by surname")
        statement_batch(server, f"clerk{clerk}", "desk", asked)
    statement_batch(
        server,
        "stats",
        "report",
        [
            "select ward, count(*) from electors group by ward",
            "select date_part('year', birth_date), count(*) from electors group by 1",
            "select count(*) from electors",
            "select * from electors limit 100",
        ],
    )
    if backup:
        server.run("pg_dump", "-h", "127.0.0.1", "-p", server.port, "-U", "backup", "-Fc", "-Z0", "--no-sync", "-f", "/dev/null", "register")


def thefts(server, other, electors, work):
    """Five thefts. Yields name, rows of the log, the nights they are spread over, the truth, and what must be named."""
    mark = lambda: sum(1 for _ in server.rows())
    since = lambda before: list(server.rows())[before:]
    share = lambda where: int(server.sql(f"select count(*) from electors where {where}").split()[0]) / electors

    before = mark()
    server.run("pg_dump", "-h", "127.0.0.1", "-p", server.port, "-U", "clerk1", "-Fc", "-Z0", "--no-sync", "-f", f"{work}/stolen.dump", "register")
    yield "dump", since(before), 1, 1.0, ["clerk1"]

    before, last = mark(), int(electors * 0.38)
    step = max(electors // 400, 100)
    pages = [f"select * from electors where elector_no > {at} order by elector_no limit {step}" for at in range(0, last, step)]
    statement_batch(server, "clerk2", "desk", pages)
    yield "pages", since(before), 9, share(f"elector_no <= {len(pages) * step}"), ["clerk2"]

    before, step = mark(), electors // 500
    ranges = [(at, at + step - 1) for at in range(electors // 2, electors // 2 + electors // 4, step)]
    for turn, user in enumerate(["clerk3", "clerk4"]):
        swept = [f"select * from electors where elector_no between {a} and {b}" for a, b in ranges[turn::2]]
        statement_batch(server, user, "desk", swept)
    yield "sweep", since(before), 3, len(ranges) * step / electors, ["clerk3", "clerk4"]

    before = mark()
    prefixes = [f"{a.capitalize()}{b}" for a in NAMES[:5] for b in NAMES]
    prefixes = [f"{prefix}{letter}" for prefix in prefixes for letter in "abcdefghijklmnop"]
    statement_batch(server, "clerk5", "desk", [f"select * from electors where surname like '{prefix}%'" for prefix in prefixes])
    like = " or ".join(f"surname like '{prefix}%'" for prefix in prefixes)
    yield "search", since(before), 5, share(f"({like})"), ["clerk5"]

    before = sum(1 for _ in other.rows())
    other.sql("create database scratch", database="postgres")
    other.run("pg_restore", "-h", "127.0.0.1", "-p", other.port, "-U", "postgres", "--no-owner", "-d", "scratch", f"{work}/stolen.dump")
    yield "restore", list(other.rows())[before:], 1, 1.0, ["scratch"]


def moved(rows, day, hours, part=0, parts=1):
    """Rows `part` of `parts`, with their times spread over `hours` of `day`."""
    mine = [row for index, row in enumerate(rows) if index * parts // max(len(rows), 1) == part]
    begin, end = hours
    span = dt.timedelta(hours=end - begin) / max(len(mine), 1)
    for index, row in enumerate(mine):
        time = day + dt.timedelta(hours=begin) + span * index
        row = list(row)
        row[0] = time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"
        yield time, row


def write(path, timed):
    with open(path, "w", newline="") as out:
        writer = csv.writer(out)
        for _, row in sorted(timed, key=lambda one: one[0]):
            writer.writerow(row)


def estate(path, electors):
    with open(path, "w") as out:
        out.write(
            '[[system]]\nname = "roll"\nkind = "database"\nhosts = ["roll"]\n\n[[register]]\nname = "the register"\n'
            f'records = {electors}\nsystem = "roll"\ntables = ["electors"]\nkey = "elector_no"\ndatabases = ["register"]\n'
            'exporters = ["backup"]\nhours = "7-19"\n'
        )


def investigate(arguments, work, name, files):
    case = f"{work}/{name}.case"
    shutil.rmtree(case, ignore_errors=True)
    command = [arguments.blackrod, "investigate", *files, "--estate", f"{work}/estate.toml", "--case", case, "--quiet"]
    before = os.times()
    subprocess.run(command, check=True, capture_output=True)
    after = os.times()
    found = subprocess.run(
        [arguments.blackrod, "hunt", "SELECT code, title, reason FROM findings WHERE code LIKE 'register/%'", "--case", case,
         "--format", "json"],
        check=True, capture_output=True, text=True,
    ).stdout
    seconds = after.children_user + after.children_system - before.children_user - before.children_system
    return [json.loads(line) for line in found.splitlines()], seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blackrod", required=True)
    parser.add_argument("--electors", type=int, default=1_000_000)
    parser.add_argument("--work", default="/tmp/register-bench")
    arguments = parser.parse_args()
    work, electors = arguments.work, arguments.electors
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    os.chmod(work, 0o777)
    server, other = Server(f"{work}/server", 54391), Server(f"{work}/other", 54392)
    server.start()
    other.start()
    try:
        fill(server, electors)
        before = sum(1 for _ in server.rows())
        ordinary(server, electors)
        day = list(server.rows())[before:]
        stolen = list(thefts(server, other, electors, work))
    finally:
        server.stop()
        other.stop()
    estate(f"{work}/estate.toml", electors)

    workdays = [START + DAY * n for n in range(14) if (START + DAY * n).weekday() < 5]
    is_backup = lambda row: row[1] == "backup"
    ordinary_days = []
    for at in workdays:
        ordinary_days += moved([row for row in day if not is_backup(row)], at, (8, 17))
        ordinary_days += moved([row for row in day if is_backup(row)], at, (1, 1.1))
    write(f"{work}/ordinary.csv", ordinary_days)
    found, seconds = investigate(arguments, work, "ordinary", [f"{work}/ordinary.csv"])
    size = os.path.getsize(f"{work}/ordinary.csv")
    print(f"ordinary work: {len(ordinary_days)} rows of log, {size / 1e6:.0f} MB, {len(found)} findings, {seconds:.1f} CPU s")
    for one in found:
        print("  FALSE:", one["title"])
    failed = bool(found)

    files = [f"{work}/ordinary.csv"]
    for name, rows, nights, _, _ in stolen:
        timed = []
        for night in range(nights):
            timed += moved(rows, START + DAY * (14 + night), (2, 4), night, nights)
        files.append(f"{work}/theft-{name}.csv")
        write(files[-1], timed)
    found, seconds = investigate(arguments, work, "thefts", files)
    print(f"with thefts: {len(found)} findings, {seconds:.1f} CPU s")
    told = set()
    for name, _, _, truth, named in stolen:
        matching = [one for one in found if all(word in one["title"] for word in named)]
        shares = [float(share) for one in matching for share in re.findall(r"likeliest share=([0-9.]+) %", json.dumps(one["reason"]))]
        told.update(one["title"] for one in matching)
        if not shares:
            print(f"{name}: truth {truth:.1%}, MISSED")
            failed = True
            continue
        nearest = min(shares, key=lambda share: abs(share / 100 - truth))
        off = abs(nearest / 100 - truth)
        print(f"{name}: truth {truth:.1%}, told {nearest:.1f} % ({off * 100:.1f} points off): {matching[0]['title']}")
        failed |= off > 0.10 * max(truth, 0.01)
    for one in found:
        if one["title"] not in told:
            print("also:", one["title"])
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
