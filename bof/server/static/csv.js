// @ts-check
// Tables as CSV (RFC 4180, lines end with LF), as the command line writes them: a text that a spreadsheet would take
// for a formula begins with an apostrophe, control characters are escapes.

const MARK = '\ufeff';  // spreadsheets know UTF-8 by it
const FORMULA = /^[=+\-@\t\r＝＋－＠]/;
// eslint-disable-next-line no-control-regex -- these are what it is about
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
const NAMED = new Map([['\n', '\\n'], ['\r', '\\r'], ['\t', '\\t']]);

/** @param {string} letter */
const escaped = (letter) => NAMED.get(letter) ?? `\\x${letter.charCodeAt(0).toString(16).padStart(2, '0')}`;

/** @param {string | number | boolean | null | undefined} value */
function cell(value) {
  if (value === null || value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const shown = value.replace(CONTROL, escaped);
  const safe = FORMULA.test(shown) ? `'${shown}` : shown;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/**
 * Lines of a table, each with its end.
 * @param {readonly string[]} columns @param {Record<string, string | number | boolean | null>[]} rows
 */
export const csvLines = (columns, rows) =>
  rows.map((row) => `${columns.map((column) => cell(row[column])).join(',')}\n`).join('');

/** What a file begins with. @param {readonly string[]} columns */
export const csvHead = (columns) => `${MARK}${columns.map(cell).join(',')}\n`;
