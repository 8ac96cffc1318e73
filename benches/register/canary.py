#!/usr/bin/env python3
"""One invented elector among 100,000, in a dump in a zip in a mail: is it found, and is the copy named?

    benches/register/canary.py --blackrod target/debug/blackrod [--work /tmp/canary-bench]
"""
import argparse
import csv
import io
import json
import os
import random
import shutil
import subprocess
import sys
import time
import zipfile
from email.message import EmailMessage

HEADER = ["elector_no", "surname", "first_name", "street", "town", "postcode", "birth_date"]
SURNAMES = [a + b for a in ["Berg", "Lund", "Dahl", "Holm", "Vik", "Moen", "Haug", "Sand"] for b in ["", "sen", "stad", "nes", "by"]]
FIRST = ["Anna", "Carl", "Ida", "Jon", "Kari", "Ola", "Nils", "Runa", "Elin", "Aksel", "Marit", "Torvald"]


def elector(number):
    pick = random.choice
    day = f"{random.randint(1935, 2005)}-{random.randint(1, 12):02}-{random.randint(1, 28):02}"
    return [number, pick(SURNAMES), pick(FIRST), f"{random.randint(1, 90)} {pick(SURNAMES)} Street", f"Town{number % 40}", f"NI{number % 900}", day]


def table(rows):
    out = io.StringIO()
    csv.writer(out).writerows([HEADER, *rows])
    return out.getvalue()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--blackrod", required=True)
    parser.add_argument("--work", default="/tmp/canary-bench")
    arguments = parser.parse_args()
    work = arguments.work
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(f"{work}/evidence")
    random.seed(11)
    electors = [elector(number) for number in range(1, 100_001)]
    with open(f"{work}/roll.csv", "w") as out:
        out.write(table(electors[:500]))
    for copy in ["printer", "party-b"]:
        words = [arguments.blackrod, "canary", "make", "--register", f"{work}/roll.csv", "--copy", copy, "--numbers", "200000-299999",
                 "--out", f"{work}/canaries"]
        told = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    print(told)
    with open(f"{work}/canaries/printer.csv", newline="") as made:
        canary = list(csv.reader(made))[4]
    electors[61_803] = canary

    def mail(name, rows):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("dump/electors.csv", table(rows))
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "a@one.example", "b@two.example", "as agreed"
        message["Date"], message["Message-ID"] = "Mon, 23 Nov 2026 20:00:00 +0000", f"<{name}@one.example>"
        message.set_content("See attachment.")
        message.add_attachment(packed.getvalue(), maintype="application", subtype="zip", filename="electors.zip")
        with open(f"{work}/evidence/{name}.eml", "wb") as out:
            out.write(message.as_bytes())

    mail("leak", electors)
    mail("honest", electors[:50_000])
    begin = time.process_time(), os.times()
    subprocess.run([arguments.blackrod, "investigate", f"{work}/evidence", "--canaries", f"{work}/canaries", "--case", f"{work}/case",
                    "--no-builtin", "--quiet"], check=True, capture_output=True)
    spent = os.times().children_user - begin[1].children_user
    rows = subprocess.run(
        [arguments.blackrod, "hunt", "SELECT f.title, f.reason, e.path FROM findings f JOIN evidence e ON e.id = f.evidence "
         "WHERE f.code = 'canary/seen'", "--case", f"{work}/case", "--format", "json"], check=True, capture_output=True, text=True).stdout
    found = [json.loads(line) for line in rows.splitlines()]
    for one in found:
        print(one["path"], "|", one["title"], "|", json.dumps(one["reason"])[:400])
    print(f"{spent:.1f} CPU s")
    right = len(found) == 1 and "printer" in found[0]["title"] and found[0]["path"].endswith("leak.eml")
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()
