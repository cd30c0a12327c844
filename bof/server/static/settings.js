// What the reader chose, kept in this browser; where it may not be kept it holds until the page is left.

const NAME = 'bof';
let known = {};
try {
  known = JSON.parse(localStorage.getItem(NAME) || '{}');
} catch { /* no storage */ }

export const setting = (name, otherwise) => known[name] ?? otherwise;

export function keep(name, value) {
  known = { ...known, [name]: value };
  try {
    localStorage.setItem(NAME, JSON.stringify(known));
  } catch { /* no storage */ }
}
