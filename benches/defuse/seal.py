#!/usr/bin/env python3
"""Checks ARC sets with dkimpy: `seal.py OUT PUBLIC.b64 [N]`, where OUT was written by the example `defuse` with a key.

Messages that came with ARC sets of others are left out: their keys would have to be looked up.
"""
import glob, os, sys
import dkim

folder, public, limit = sys.argv[1], open(sys.argv[2]).read().strip(), int(sys.argv[3]) if len(sys.argv) > 3 else 1000
record = f"v=DKIM1; k=rsa; p={public}".encode()
good, bad, foreign = 0, 0, 0
for path in sorted(glob.glob(os.path.join(folder, "*.after.eml"))):
    before = open(path.replace(".after.", ".before."), "rb").read()
    after = open(path, "rb").read()
    if before == after or b"arc-seal:" in before.lower():
        foreign += 1
        continue
    cv, _, reason = dkim.arc_verify(after, dnsfunc=lambda name, timeout=5: record)
    if cv == dkim.CV_Pass:
        good += 1
    else:
        bad += 1
        print(f"{path}: {cv} {reason}")
    if good + bad >= limit:
        break
print(f"{good} pass, {bad} fail, {foreign} left out")
sys.exit(bad > 0 or good == 0)
