// Adds to a page that is complete without it: narrowing by facet, sorting by column, tooltips in charts, and the state of
// the first two in the address, so that a view can be passed on. Nothing is ever removed, and printing shows everything.
"use strict";
(() => {
  const controls = document.getElementById("controls");
  const facets = JSON.parse(controls.dataset.facets);
  const parts = [...document.querySelectorAll("[data-in]")]; // "0.2 3.1": the first facet's third value, ...
  const tables = [...document.querySelectorAll("main table")];
  const original = new Map(tables.map((table) => [table, [...table.tBodies[0].rows]]));
  const summary = controls.querySelector("summary");
  const inputs = [];
  let sorted = {}; // index of a table -> "2" or "-2": the column it is sorted by, downwards with a minus

  function chosen() {
    const values = {};
    for (const [name] of facets) {
      const own = inputs.filter((input) => input.name === name);
      const kept = own.filter((input) => input.checked);
      if (kept.length < own.length) values[name] = kept.map((input) => input.value);
    }
    return values;
  }

  function narrow() {
    const values = chosen();
    const unchosen = new Set(inputs.filter((input) => !input.checked).map((input) => input.dataset.place));
    for (const part of parts) part.classList.toggle("out", part.dataset.in.split(" ").some((place) => unchosen.has(place)));
    for (const table of tables) {
      const rows = original.get(table);
      const empty = rows.length > 0 && rows.every((row) => row.classList.contains("out"));
      (table.closest("details") || table.closest(".scroll")).classList.toggle("emptied", empty);
    }
    const told = Object.entries(values).map(([name, kept]) => `${name}: ${kept.join(" or ") || "none"}`);
    summary.textContent = told.length ? `Narrowed to ${told.join("; ")}` : "Narrow this page";
    remember(values);
  }

  function remember(values) {
    const query = new URLSearchParams();
    for (const [name, kept] of Object.entries(values)) {
      query.append(name, "");
      for (const value of kept) query.append(name, value);
    }
    for (const [table, column] of Object.entries(sorted)) query.append("sort", `${table}.${column}`);
    const text = query.toString();
    try {
      history.replaceState(null, "", (text ? `?${text}` : location.pathname) + location.hash);
    } catch { /* some browsers give a file no address of its own */ }
  }

  function build() {
    const form = controls.querySelector("form");
    facets.forEach(([name, values], number) => {
      const group = document.createElement("fieldset");
      const legend = document.createElement("legend");
      legend.textContent = name;
      group.append(legend);
      values.forEach((value, place) => {
        const label = document.createElement("label");
        const input = Object.assign(document.createElement("input"), { type: "checkbox", name, value, checked: true });
        input.dataset.place = `${number}.${place}`;
        inputs.push(input);
        label.append(input, ` ${value}`);
        group.append(label);
      });
      form.append(group);
    });
    const all = Object.assign(document.createElement("button"), { type: "button", textContent: "Show everything" });
    all.addEventListener("click", () => { inputs.forEach((input) => { input.checked = true; }); narrow(); });
    form.append(all);
    form.addEventListener("change", narrow);
    controls.hidden = inputs.length === 0;
  }

  function key(row, column) {
    const cell = row.cells[column];
    if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
    const number = cell.textContent.match(/-?\d[\d,]*\.?\d*/);
    return number ? Number(number[0].replaceAll(",", "")) : NaN;
  }

  function inOrder(one, other, column, numeric) {
    if (!numeric) {
      return one.cells[column].textContent.localeCompare(other.cells[column].textContent, "en", { numeric: true });
    }
    return key(one, column) - key(other, column);
  }

  function sort(table, column, down) {
    const index = tables.indexOf(table);
    const header = table.tHead.rows[0].cells[column];
    const numeric = header.classList.contains("number");
    const rows = [...original.get(table)];
    const holes = numeric ? rows.filter((row) => Number.isNaN(key(row, column))) : [];
    const full = rows.filter((row) => !holes.includes(row));
    full.sort((one, other) => inOrder(one, other, column, numeric) * (down ? -1 : 1));
    table.tBodies[0].append(...full, ...holes);
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    sorted[index] = `${down ? "-" : ""}${column}`;
  }

  function unsort(table) {
    table.tBodies[0].append(...original.get(table));
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    delete sorted[tables.indexOf(table)];
  }

  function sortable(table) {
    if (original.get(table).length < 2) return;
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "sort" });
      button.append(...header.childNodes);
      header.append(button);
      button.addEventListener("click", () => {
        const now = header.getAttribute("aria-sort");
        if (now === "descending") unsort(table);
        else sort(table, column, now === "ascending");
        remember(chosen());
      });
    });
  }

  function restore() {
    const query = new URLSearchParams(location.search);
    for (const [name] of facets) {
      const kept = query.getAll(name);
      if (kept.length) inputs.filter((i) => i.name === name).forEach((i) => { i.checked = kept.includes(i.value); });
    }
    for (const entry of query.getAll("sort")) {
      const [index, column] = entry.split(".").map(Number);
      const header = tables[index]?.tHead.rows[0].cells[Math.abs(column)];
      if (header) sort(tables[index], Math.abs(column), entry.split(".")[1].startsWith("-"));
    }
    narrow();
  }

  function tooltips() {
    const tip = document.getElementById("tip");
    const hide = () => { tip.hidden = true; };
    document.addEventListener("pointermove", (event) => {
      const mark = event.target.closest?.(".chart svg [aria-label]:not(.marks)");
      if (!mark || mark.getAttribute("role") === "group") return hide();
      tip.textContent = mark.getAttribute("aria-label");
      tip.hidden = false;
      const left = Math.min(event.pageX + 12, scrollX + document.documentElement.clientWidth - tip.offsetWidth - 8);
      tip.style.left = `${Math.max(8, left)}px`;
      tip.style.top = `${event.pageY + 16}px`;
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  }

  addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("main details")) part.open = true; });
  build();
  tables.forEach(sortable);
  restore();
  tooltips();
})();
