#!/usr/bin/env python3
"""Turns a file of NetFlow v5 datagrams (as `flow-rate` makes it) into nfdump's own format, by sending it to nfcapd on the loopback, and
says what nfdump needs for the same question: who sent, by source.

    benches/flow/nfdump.py /tmp/flows.v5 /tmp/nfcapd

Needs Debian's nfdump. Says how many flows arrived: datagrams may be lost on the way.
"""

import os, resource, signal, socket, struct, subprocess, sys, time

SOURCE, FOLDER = sys.argv[1], sys.argv[2]
PORT = 29955
os.makedirs(FOLDER, exist_ok=True)
if not any(name.startswith("nfcapd.2") for name in os.listdir(FOLDER)):
    collector = subprocess.Popen(
        ["nfcapd", "-l", FOLDER, "-p", str(PORT), "-b", "127.0.0.1", "-t", "3600", "-B", "67108864"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sent = 0
    with open(SOURCE, "rb") as file:
        while head := file.read(24):
            count = struct.unpack(">HH", head[:4])[1]
            out.sendto(head + file.read(48 * count), ("127.0.0.1", PORT))
            sent += count
            if sent % 900 == 0:
                time.sleep(0.001)
    time.sleep(3)
    collector.send_signal(signal.SIGTERM)
    collector.wait()
    print("sent", sent)
files = [os.path.join(FOLDER, name) for name in sorted(os.listdir(FOLDER)) if name.startswith("nfcapd.2")]
before = resource.getrusage(resource.RUSAGE_CHILDREN)
told = subprocess.run(["nfdump", "-R", FOLDER, "-s", "srcip/flows", "-n", "10"], capture_output=True, text=True)
after = resource.getrusage(resource.RUSAGE_CHILDREN)
cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
print(told.stdout.strip().splitlines()[-5:])
print(f"nfdump -s srcip/flows: {cpu:.2f} CPU s, largest memory {after.ru_maxrss / 1024:.0f} MiB, {len(files)} file(s)")
