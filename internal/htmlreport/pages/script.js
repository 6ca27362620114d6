"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const [form, q, kind, outcome, found, results, items, accounts] = ["find", "q", "k", "o", "found", "results", "items", "accounts"].map($);
  const table = accounts.querySelector("table"), body = table.tBodies[0];
  const step = 200;
  let index, hits = [], shown = 0, timer;

  // Built at the first search, so that opening a large report costs nothing.
  function build() {
    index = [];
    for (const group of document.querySelectorAll(".group")) {
      const reason = group.querySelector("code").textContent;
      for (const li of group.querySelectorAll("li")) {
        index.push({ li, reason, outcome: group.dataset.o, kind: li.dataset.k, text: (reason + " " + li.textContent).toLowerCase() });
      }
    }
  }

  function more() {
    const list = document.createElement("ul");
    for (const hit of hits.slice(shown, shown + step)) {
      const li = hit.li.cloneNode(true), code = document.createElement("code");
      code.textContent = hit.outcome + " · " + hit.reason;
      li.append(code);
      list.append(li);
    }
    shown = Math.min(shown + step, hits.length);
    results.append(list);
    if (shown < hits.length) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = "Show more of the other " + (hits.length - shown).toLocaleString("en");
      button.addEventListener("click", () => { button.remove(); more(); });
      results.append(button);
    }
  }

  function search() {
    const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const searching = words.length > 0 || kind.value !== "" || outcome.value !== "";
    items.hidden = searching;
    results.hidden = !searching;
    results.replaceChildren();
    for (const row of body.rows) {
      row.hidden = words.length > 0 && !words.every((w) => row.textContent.toLowerCase().includes(w));
    }
    found.value = "";
    if (!searching) return;
    if (!index) build();
    hits = index.filter((i) => (!kind.value || i.kind === kind.value) && (!outcome.value || i.outcome === outcome.value) && words.every((w) => i.text.includes(w)));
    shown = 0;
    found.value = hits.length.toLocaleString("en") + (hits.length === 1 ? " item" : " items");
    if (hits.length > 0) more();
  }

  function sort(head) {
    const column = head.cellIndex, down = head.getAttribute("aria-sort") === "ascending";
    for (const th of head.parentNode.cells) th.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => { const c = row.cells[column]; return c.dataset.v ?? c.textContent; };
    const number = head.classList.contains("n");
    const rows = [...body.rows].map((row) => ({ row, v: number ? Number(value(row)) : value(row) }));
    rows.sort((a, b) => (number ? a.v - b.v : a.v.localeCompare(b.v)) * (down ? -1 : 1));
    body.append(...rows.map((r) => r.row));
  }

  form.hidden = false;
  form.addEventListener("submit", (e) => { e.preventDefault(); search(); });
  q.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 150); });
  for (const s of [kind, outcome]) s.addEventListener("change", search);
  for (const th of table.tHead.rows[0].cells) {
    th.tabIndex = 0;
    th.addEventListener("click", () => sort(th));
    th.addEventListener("keydown", (e) => { if (e.key === "Enter" || e.key === " ") { e.preventDefault(); sort(th); } });
  }
})();
