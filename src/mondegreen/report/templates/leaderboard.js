
/* ---- tables that are sorted and filtered ---- */
for (const grid of all(".grid")) {
  const table = grid.querySelector("table"), body = table.tBodies[0];
  const heads = all("thead th", table), selects = all("select", grid);
  const count = grid.querySelector("output");
  const value = (row, column) => row.cells[column].dataset.v;
  const show = () => {
    let shown = 0;
    for (const row of body.rows) {
      row.hidden = selects.some((one) => one.value && value(row, one.dataset.column) !== one.value);
      shown += !row.hidden;
    }
    if (count) count.textContent = `${shown} of ${body.rows.length} rows`;
  };
  const sort = (head) => {
    const column = head.cellIndex, number = head.dataset.kind === "n";
    const rising = number ? head.ariaSort === "descending" : head.ariaSort !== "ascending";
    for (const one of heads) one.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", rising ? "ascending" : "descending");
    const compare = (one, other) => number ? one - other : one.localeCompare(other);
    const rows = [...body.rows].sort((one, other) => {
      const [a, b] = [value(one, column), value(other, column)];
      if (!a || !b) return !a - !b;  // what has no value comes last, either way
      return rising ? compare(a, b) : compare(b, a);
    });
    body.append(...rows);
  };
  for (const one of selects) one.addEventListener("change", show);
  for (const head of heads) head.querySelector("button").addEventListener("click", () => sort(head));
  grid.querySelector(".clear")?.addEventListener("click", () => {
    for (const one of selects) one.value = "";
    show();
  });
  show();
}
for (const link of all('a[href^="#entry-"]')) {
  link.addEventListener("click", () => { document.getElementById(link.hash.slice(1)).open = true; });
}
