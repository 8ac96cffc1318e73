#!/usr/bin/env python3
"""Opens every HTML part of messages before and after in a headless browser and counts its requests. What comes after is the message
defused, or the page that `mail inspect` writes of it.

    cargo run -p blackrod-respond --example defuse -- MAIL OUT          # N.before.eml, N.after.eml
    python3 benches/phish/inspect.py target/release/blackrod OUT MAIL   # N.before.eml, N.after.html
    python3 benches/defuse/browser.py OUT

Needs playwright (PyPI) and /usr/bin/chromium. The MIME parser is Python's, not ours. No request leaves the machine: each is counted and
aborted. Scripts are off, as in a mail client; `--scripts` turns them on. Of defused mail the
text is compared: visible text is `innerText`, blanks joined; what defusing adds by itself ([leads to ...]) is taken out before.
"""
import email, email.policy, glob, os, re, sys, time
from playwright.sync_api import sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND"]
LOCAL = ("data:", "about:", "blob:", "cid:")


def pages(path):
    try:
        message = email.message_from_bytes(open(path, "rb").read(), policy=email.policy.compat32)
        parts = [part for part in message.walk() if not part.is_multipart() and "html" in part.get_content_type()]
    except Exception as error:
        print(f"{path}: {error}")
        return []
    found = []
    for part in parts:
        content = part.get_payload(decode=True) or b""
        charset = part.get_content_charset() or "utf-8"
        try:
            found.append(content.decode(charset, "replace"))
        except LookupError:
            found.append(content.decode("latin-1"))
    return found


def look(page, html, requests):
    requests.clear()
    try:
        page.set_content(html, wait_until="load", timeout=20000)
        page.wait_for_timeout(30)
        text = page.evaluate("document.body ? document.body.innerText : ''") if SCRIPTS else page.inner_text("body", timeout=2000)
    except Exception as error:
        return list(requests), None, str(error).splitlines()[0]
    return list(requests), text, None


def catching(requests):
    def caught(route):
        requests.append(route.request.url)
        route.abort()
    return caught


def words(text):
    return re.sub(r"\s+", " ", re.sub(r" ?\[leads to [^\]]*\]", "", text)).strip()


SCRIPTS = "--scripts" in sys.argv
folder = sys.argv[1]
befores = sorted(glob.glob(os.path.join(folder, "*.before.eml")), key=lambda path: int(os.path.basename(path).split(".")[0]))
count = dict(messages=0, pages=0, before_loading=0, before_requests=0, after_loading=0, after_requests=0, same=0, differs=0, failed=0, counts=0)
with sync_playwright() as play:
    browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
    context, begun = None, time.time()
    for number, before in enumerate(befores):
        if number % 200 == 0:
            if context:
                context.close()
            context = browser.new_context(java_script_enabled=SCRIPTS)
            # A tab for each kind: an original may send its reader on a second later.
            tabs = {which: (context.new_page(), []) for which in ("before", "after")}
            for page, requests in tabs.values():
                page.route("**/*", catching(requests))
        after = before.replace(".before.", ".after.")
        shown_page = after.removesuffix(".eml") + ".html"
        is_page = os.path.exists(shown_page)
        old, new = pages(before), [open(shown_page, encoding="utf-8").read()] if is_page else pages(after)
        # What was an attachment is one no more: those that are left are compared in their order where they are as many.
        count["messages"] += 1
        count["counts"] += not is_page and len(old) != len(new)
        texts = []
        for which, all_pages in (("before", old), ("after", new)):
            shown = []
            for html in all_pages:
                page, requests = tabs[which]
                asked, text, error = look(page, html, requests)
                asked = [url for url in asked if not url.startswith(LOCAL)]
                count["pages"] += which == "after"
                count[which + "_loading"] += bool(asked)
                count[which + "_requests"] += len(asked)
                if which == "after" and asked:
                    print(f"LOADS {after}: {asked[:3]}")
                if error:
                    count["failed"] += 1
                shown.append(text)
            texts.append(shown)
        if len(old) == len(new) and not is_page:
            for one, other in zip(*texts):
                if one is None or other is None:
                    continue
                same = words(one) == words(other)
                count["same" if same else "differs"] += 1
                if not same and count["differs"] <= 30:
                    print(f"TEXT {after}: {words(one)[:150]!r} / {words(other)[:150]!r}")
    browser.close()
print(count, f"{time.time() - begun:.0f} s")
sys.exit(count["after_requests"] > 0)
