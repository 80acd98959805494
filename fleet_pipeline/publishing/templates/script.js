/* Sorting, filtering and the way to other weeks, for those who let scripts run. */
(() => {
  const UNITS = { k: 1e3, M: 1e6, B: 1e9 };
  const make = (tag, properties, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const words = (cell) => cell.textContent.trim();
  const number = (text) => {
    const found = text.replace(/,/g, "").match(/(\u2212)?[<>\u2265+$]*(\d+(?:\.\d+)?)([kMB](?![a-z]))?/);
    return found && (found[1] ? -1 : 1) * found[2] * (UNITS[found[3]] || 1);
  };
  const compare = (a, b) => (typeof a === "number" ? a - b : a.localeCompare(b, "en"));

  const sort = (table, column, numeric, down) => {
    const body = table.tBodies[0];
    const value = (row) => (numeric ? number(words(row.cells[column])) : words(row.cells[column]));
    const rows = [...body.rows].map((row) => [value(row), row]);
    // What nobody knows, and the unattributed rest, stay at the end whichever way the rows run.
    const last = ([known, row]) => known === null || row.classList.contains("rest");
    rows.sort((a, b) => last(a) - last(b) || (last(a) ? 0 : compare(a[0], b[0]) * (down ? -1 : 1)));
    body.append(...rows.map(([, row]) => row));
  };

  for (const table of document.querySelectorAll("table[data-sort]")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const numeric = head.classList.contains("n");
      const button = make("button", { type: "button", className: "sort" }, ...head.childNodes);
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const down = before ? before === "ascending" : numeric;
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, column, numeric, down);
      });
      head.append(button);
    });
  }

  for (const table of document.querySelectorAll("table[data-filter]")) {
    const said = make("output", {});
    const field = make("input", { type: "search", autocomplete: "off" });
    const label = make("label", {}, `${table.dataset.filter} `, field);
    const clear = make("button", { type: "button", textContent: "Show all" });
    const apply = () => {
      const wanted = field.value.trim().toLowerCase();
      let shown = 0;
      for (const body of table.tBodies) {
        const head = body.querySelector(".group");
        const whole = head && words(head).toLowerCase().includes(wanted);
        const rows = [...body.rows].filter((row) => row !== head);
        for (const row of rows) row.hidden = !whole && !words(row).toLowerCase().includes(wanted);
        const left = rows.filter((row) => !row.hidden).length;
        if (head) head.hidden = !left;
        shown += left;
      }
      said.textContent = wanted ? `${shown} shown` : "";
    };
    field.addEventListener("input", apply);
    clear.addEventListener("click", () => {
      field.value = "";
      apply();
      field.focus();
    });
    table.closest(".scroll").before(make("p", { className: "tools" }, label, clear, said));
  }

  // The same bytes lie one folder below the index as latest, two as a week, three as one in S3.
  const week = location.pathname.match(/\/weeks\/\d{4}-\d\d-\d\d\/([0-9a-f]{16}\/)?/);
  const up = week ? (week[1] ? 3 : 2) : 1;
  document.getElementById("all-weeks").href = `${"../".repeat(up)}index.html`;
})();
