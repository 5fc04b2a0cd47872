// Adds to a page that is complete without it: sorting by column, and words beside the marks of charts. A link, and printing, open what is folded.
"use strict";
(() => {
  const tables = [...document.querySelectorAll("main table")];
  const original = new Map(tables.map((table) => [table, [...table.tBodies[0].rows]]));

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
    const header = table.tHead.rows[0].cells[column];
    const numeric = header.classList.contains("number");
    const rows = [...original.get(table)];
    const holes = numeric ? rows.filter((row) => Number.isNaN(key(row, column))) : [];
    const full = rows.filter((row) => !holes.includes(row));
    full.sort((one, other) => inOrder(one, other, column, numeric) * (down ? -1 : 1));
    table.tBodies[0].append(...full, ...holes);
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
  }

  function unsort(table) {
    table.tBodies[0].append(...original.get(table));
    for (const cell of table.tHead.rows[0].cells) cell.removeAttribute("aria-sort");
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
      });
    });
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

  function unfold() {
    const part = location.hash && document.getElementById(location.hash.slice(1));
    for (const fold of part ? part.querySelectorAll(":scope > details") : []) fold.open = true;
  }

  addEventListener("hashchange", unfold);
  unfold();
  addEventListener("beforeprint", () => { for (const part of document.querySelectorAll("main details")) part.open = true; });
  tables.forEach(sortable);
  tooltips();
})();
