"use strict";

(() => {
  const PAGE_LENGTH = 50;
  const SEVERITIES = ["informational", "low", "medium", "high", "critical"];
  const canInflate = typeof DecompressionStream === "function";

  // Text reaches the page only as text: nothing here ever parses markup.
  const element = (name, className, ...children) => {
    const made = document.createElement(name);
    if (className) made.className = className;
    made.append(...children.filter((child) => child !== null));
    return made;
  };

  const severityMark = (level) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("aria-hidden", "true");
    const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    use.setAttribute("href", `#sev-${SEVERITIES[level]}`);
    svg.append(use);
    return element("span", `sev sev-${SEVERITIES[level]}`, svg, SEVERITIES[level]);
  };

  const figures = new Intl.NumberFormat("en-GB");
  // Positions can pass 2^53, so they come as text and are grouped as text.
  const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");

  const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  const moment = (milliseconds) => {
    if (milliseconds === null) return "time unknown";
    const date = new Date(milliseconds);
    return Number.isNaN(date.valueOf()) ? "time unknown" : `${days.format(date)}, ${date.toISOString().slice(11, 19)} UTC`;
  };

  async function inflate(id) {
    const base64 = document.getElementById(id).textContent;
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).json();
  }

  /** A list that is searched in memory and shown a page at a time. */
  class List {
    constructor(root, kind) {
      this.root = root;
      this.kind = kind;
      this.page = 0;
      this.shown = [];
      this.status = root.querySelector(".list-status");
      this.rowsElement = root.querySelector(".rows");
      this.previous = root.querySelector(".previous");
      this.next = root.querySelector(".next");
      this.previous.addEventListener("click", () => this.turn(-1));
      this.next.addEventListener("click", () => this.turn(1));
      for (const control of root.querySelectorAll("input, select")) {
        control.addEventListener("input", () => this.filterSoon());
      }
    }

    async load() {
      this.loading ??= this.unpack();
      return this.loading;
    }

    async unpack() {
      try {
        this.data = await inflate(this.root.dataset.source);
        this.words = new Array(this.data.rows.length);
        this.filter();
      } catch (error) {
        this.status.textContent = `The list could not be unpacked: ${error.message}`;
      }
    }

    filterSoon() {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.filter(), 150);
    }

    filter() {
      if (!this.data) return;
      const words = this.kind.text().toLowerCase().split(/\s+/).filter(Boolean);
      const accepts = this.kind.accepts(this.data);
      const shown = [];
      this.data.rows.forEach((row, index) => {
        if (!accepts(row)) return;
        if (words.length > 0) {
          this.words[index] ??= this.kind.words(this.data, row).toLowerCase();
          if (!words.every((word) => this.words[index].includes(word))) return;
        }
        shown.push(row);
      });
      this.kind.sort?.(this.data, shown);
      this.shown = shown;
      this.page = 0;
      this.render();
    }

    turn(step) {
      this.page += step;
      this.render();
      this.root.scrollIntoView();
    }

    render() {
      const first = this.page * PAGE_LENGTH;
      const rows = this.shown.slice(first, first + PAGE_LENGTH);
      const pages = Math.max(1, Math.ceil(this.shown.length / PAGE_LENGTH));
      this.rowsElement.replaceChildren(...rows.map((row) => element("li", "", this.kind.render(this.data, row))));
      this.previous.disabled = this.page === 0;
      this.next.disabled = this.page + 1 >= pages;
      this.root.querySelector(".page").textContent = `page ${figures.format(this.page + 1)} of ${figures.format(pages)}`;
      const all = this.data.rows.length;
      this.status.textContent =
        rows.length === 0
          ? `None of ${figures.format(all)} match.`
          : `${figures.format(first + 1)} to ${figures.format(first + rows.length)} of ${figures.format(this.shown.length)}` +
            (this.shown.length < all ? ` that match, of ${figures.format(all)} in all.` : ".");
    }
  }

  const value = (id) => document.getElementById(id).value;

  const findings = {
    text: () => value("finding-text"),
    accepts(data) {
      const least = Number(value("finding-severity"));
      const campaign = value("finding-campaign");
      return (row) =>
        data.rules[row[0]][0] >= least && (campaign === "any" || row[5] === (campaign === "none" ? -1 : Number(campaign)));
    },
    words(data, row) {
      const [, title, code, id, attack] = data.rules[row[0]];
      return [title, code, id, attack, data.paths[row[2]] ?? "", ...row[6].flat()].join(" ");
    },
    sort(data, rows) {
      // Unknown times come last in every order.
      const time = (row) => row[1] ?? Infinity;
      const earliest = (a, b) => (time(a) === time(b) ? 0 : time(a) - time(b));
      const orders = {
        severity: (a, b) => data.rules[b[0]][0] - data.rules[a[0]][0] || earliest(a, b),
        time: earliest,
        latest: (a, b) => (b[1] ?? -Infinity) - (a[1] ?? -Infinity) || 0,
      };
      rows.sort(orders[value("finding-order")]);
    },
    render(data, row) {
      const [level, title, code, id, attack] = data.rules[row[0]];
      const fields = element("dl", "fields");
      for (const [field, text] of row[6]) {
        fields.append(
          element("div", "", element("dt", "", element("bdi", "", field)), element("dd", "", element("code", "", text))),
        );
      }
      const place = [row[3] === "0" ? "" : `, record ${grouped(row[3])}`, `, byte ${grouped(row[4])}`].join("");
      return element(
        "article",
        "finding",
        element("p", "finding-head", severityMark(level), " ", element("strong", "", element("bdi", "", title))),
        element("p", "finding-meta", `${moment(row[1])} · rule `, element("bdi", "", `${code} ${id}`), attack ? ` · ${attack}` : null),
        row[6].length > 0 ? fields : null,
        element("p", "pointer", "In ", element("bdi", "path", data.paths[row[2]] ?? "evidence that is not in this case"), place),
      );
    },
  };

  const evidence = {
    text: () => value("evidence-text"),
    accepts: () => () => true,
    words: (_data, row) => [row[0], row[1], row[2], row[6]].join(" "),
    render(_data, [path, format, state, read, refused, size, digest]) {
      const counts = `${format || "no known format"} · ${state} · ${figures.format(read)} read, ${figures.format(refused)} refused · ${figures.format(size)} bytes`;
      return element(
        "article",
        "finding",
        element("p", "", element("bdi", "path", path)),
        element("p", "finding-meta", counts),
        element("p", "digest", `SHA-256 ${digest}`),
      );
    },
  };

  function start(id, kind) {
    const root = document.getElementById(id);
    if (!root) return null;
    const list = new List(root, kind);
    // The summary is on the page first; a list is unpacked when its place comes near.
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) {
          observer.disconnect();
          list.load();
        }
      },
      { rootMargin: "1500px" },
    );
    observer.observe(root);
    // An address that names the list asks for it at once.
    if (location.hash === `#${id}`) list.load();
    return list;
  }

  if (!canInflate) return;
  document.documentElement.classList.add("js");
  const findingList = start("finding-list", findings);
  start("evidence-list", evidence);

  for (const link of document.querySelectorAll("a.show-campaign")) {
    link.addEventListener("click", async (event) => {
      event.preventDefault();
      document.getElementById("finding-campaign").value = link.dataset.campaign;
      await findingList.load();
      findingList.filter();
      const target = document.getElementById("finding-list");
      target.scrollIntoView();
      document.getElementById("finding-text").focus({ preventScroll: true });
    });
  }

  // Paper has no drawers to open; only the long lists of rules stay in the file.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open], .long)")];
    for (const drawer of opened) drawer.open = true;
  });
  addEventListener("afterprint", () => {
    for (const drawer of opened) drawer.open = false;
  });
})();
