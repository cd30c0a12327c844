// A click on a column's head sorts the table by it, a second click the other way round.
for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.addEventListener("click", event => {
    const head = event.target.closest("th");
    if (!head) return;
    const up = head.getAttribute("aria-sort") !== "ascending";
    const number = head.classList.contains("number");
    const text = row => row.cells[head.cellIndex].textContent;
    const compare = (a, b) => number ? parseFloat(text(a)) - parseFloat(text(b))
      : text(a).localeCompare(text(b), undefined, {numeric: true});
    const known = row => !number || !isNaN(parseFloat(text(row)));
    const rows = [...table.tBodies[0].rows];
    const sorted = rows.filter(known).sort((a, b) => up ? compare(a, b) : compare(b, a));
    table.tBodies[0].append(...sorted, ...rows.filter(row => !known(row)));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
  });
}
