/* ---- matrix: one cell's pairs at a time; arrow keys walk over the cells ---- */
const table = document.getElementById("matrix-table");
const links = all("a.cell", table);
const cellStatus = document.getElementById("cell-status");
const panel = document.getElementById("pairs");

function choose(link) {
  if (sounding) sounding.pause();
  all(".group.shown").forEach((group) => group.classList.remove("shown"));
  links.forEach((other) => {
    other.tabIndex = other === link ? 0 : -1;
    if (other === link) other.setAttribute("aria-current", "true");
    else other.removeAttribute("aria-current");
  });
  document.getElementById(link.hash.slice(1)).classList.add("shown");
}

function walk(event) {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const step = steps[event.key];
  const link = event.target.closest("a.cell");
  if (!step || !link) return;
  event.preventDefault();
  let [row, column] = [Number(link.dataset.row) + step[0], Number(link.dataset.column) + step[1]];
  const size = table.tBodies[0].rows.length;
  while (row >= 0 && row < size && column >= 0 && column < size) {
    const next = table.querySelector(`a[data-row="${row}"][data-column="${column}"]`);
    if (next) { next.focus(); return; }
    row += step[0];
    column += step[1];
  }
}

function showPair(hash) {
  const article = hash.startsWith("#pair-") ? document.getElementById(hash.slice(1)) : null;
  const group = article?.closest(".group");
  const link = group && links.find((one) => one.hash === `#${group.id}`);
  if (!link) return false;
  choose(link);
  article.scrollIntoView({ block: "start" });
  article.querySelector(".player")?.focus({ preventScroll: true });
  return true;
}

links.forEach((link) => {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    choose(link);
    history.replaceState(null, "", link.hash);
    cellStatus.textContent = link.getAttribute("aria-label");
    const below = panel.getBoundingClientRect().top > innerHeight * 0.8;
    if (below) panel.scrollIntoView({ block: "start" });
  });
});
table.addEventListener("keydown", walk);
all("a.to-pair").forEach((link) => {
  link.addEventListener("click", (event) => {
    if (!showPair(link.hash)) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
  });
});
const first = links.find((link) => link.hash === location.hash)
  || links.find((link) => link.classList.contains("audible")) || links[0];
if (first) choose(first);
showPair(location.hash);

