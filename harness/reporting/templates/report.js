"use strict";
// The report is complete without this script: it only filters, and opens what a link points at.
(() => {
  const controls = document.getElementById("controls");
  const box = document.getElementById("filter");
  const status = document.getElementById("shown");
  const toggles = [...controls.querySelectorAll("input[type=checkbox]")];
  const items = [...document.querySelectorAll("[data-v]")];
  const cases = items.filter((item) => item.matches("details"));
  const files = [...document.querySelectorAll(".file")];
  const texts = new Map();

  const text = (item) => {
    if (!texts.has(item)) texts.set(item, item.textContent.toLowerCase());
    return texts.get(item);
  };

  const apply = () => {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    const on = new Set(toggles.filter((toggle) => toggle.checked).map((toggle) => toggle.value));
    for (const item of items) {
      const kinds = item.dataset.v.split(" ");
      item.hidden = !(kinds.some((kind) => on.has(kind)) && words.every((word) => text(item).includes(word)));
    }
    for (const file of files) file.hidden = !file.querySelector("details.case:not([hidden])");
    const shown = cases.filter((item) => !item.hidden).length;
    status.textContent = `${shown} of ${cases.length} listed cases shown`;
  };

  const reveal = () => {
    const target = document.getElementById(location.hash.slice(1));
    const item = target && target.closest("details.case");
    if (!item) return;
    item.hidden = item.closest(".file").hidden = false;
    item.open = true;
    item.scrollIntoView();
  };

  const sortable = (table) => {
    const body = table.tBodies[0];
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const value = (row) => {
        const cell = row.cells[column];
        const number = cell.dataset.s;
        return number === undefined ? cell.textContent : number === "inf" ? Infinity : Number(number);
      };
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const rows = [...body.rows].map((row) => [value(row), row]);
        const was = head.getAttribute("aria-sort");
        const down = was ? was === "ascending" : rows.length > 0 && typeof rows[0][0] === "number";
        rows.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1));
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        body.append(...rows.map(([, row]) => row));
      });
    });
  };
  document.querySelectorAll("table.sortable").forEach(sortable);

  // Pointing at a name in a plot's legend dims the others.
  for (const legend of document.querySelectorAll(".legend")) {
    const drawn = [...legend.closest("figure").querySelectorAll("g.s")];
    const dim = (number) => {
      for (const series of drawn) series.classList.toggle("dim", number !== undefined && series.dataset.n !== number);
    };
    for (const name of legend.querySelectorAll("li[data-n]")) {
      name.addEventListener("pointerenter", () => dim(name.dataset.n));
      name.addEventListener("pointerleave", () => dim());
    }
  }

  let timer = 0;
  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(apply, 150);
  });
  for (const toggle of toggles) toggle.addEventListener("change", apply);
  document.getElementById("reset").addEventListener("click", () => {
    box.value = "";
    for (const toggle of toggles) toggle.checked = true;
    apply();
  });
  document.getElementById("open").addEventListener("click", () => {
    const shown = cases.filter((item) => !item.hidden);
    const open = !shown.every((item) => item.open);
    for (const item of shown) item.open = open;
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-q]");
    if (!link) return;
    box.value = link.dataset.q;
    apply();
  });
  addEventListener("hashchange", reveal);
  addEventListener("beforeprint", () => {
    for (const item of document.querySelectorAll("details.failed")) item.open = true;
  });
  controls.hidden = false;
  apply();
  reveal();
})();
