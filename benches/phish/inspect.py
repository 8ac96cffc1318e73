#!/usr/bin/env python3
"""Runs `mail inspect` over every file below folders: as text with its page, and as JSON. None may fail or panic.

    python3 benches/phish/inspect.py target/release/blackrod OUT FOLDER...

What is no mail may be refused in words (exit code 1 with an error and no panic); it is listed. Writes N.before.eml and N.after.html into OUT
for benches/defuse/browser.py.
"""
import json, os, resource, shutil, subprocess, sys

LIMIT = 60


def run(arguments):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None, b"", b"more than %d s" % LIMIT, LIMIT
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.returncode, done.stdout, done.stderr, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


blackrod, out = sys.argv[1:3]
os.makedirs(out, exist_ok=True)
files = sorted(os.path.join(at, name) for folder in sys.argv[3:] for at, _, names in os.walk(folder) for name in names)
times, refused, failed, messages = [], [], [], 0
for number, path in enumerate(files):
    page = os.path.join(out, f"{number}.after.html")
    code, text, error, seconds = run([blackrod, "mail", "inspect", path, "--html", page])
    code2, lines, error2, seconds2 = run([blackrod, "mail", "inspect", path, "--json"])
    times.append((max(seconds, seconds2), path))
    if code == code2 == 1 and b"panicked" not in error + error2 and error.strip():
        refused.append((path, error.decode(errors="replace").strip().splitlines()[-1]))
        continue
    try:
        count = len([json.loads(line) for line in lines.splitlines()])
    except ValueError as wrong:
        count, error = 0, str(wrong).encode()
    if code != 0 or code2 != 0 or not text or not count or not os.path.getsize(page):
        failed.append((path, code, code2, error[-300:]))
        continue
    messages += count
    shutil.copyfile(path, os.path.join(out, f"{number}.before.eml"))
times.sort(reverse=True)
print(f"{len(files)} files, {messages} messages, {len(refused)} refused, {len(failed)} failed")
for row in failed:
    print("FAILED", *row)
for path, error in refused:
    print("refused", path, error)
for seconds, path in times[:5]:
    print(f"slowest {seconds:.3f} CPU s {path}")
sys.exit(bool(failed))
