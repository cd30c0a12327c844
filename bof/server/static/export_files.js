// @ts-check
// Answers as files for programs and spreadsheets: CSV and JSON. Each part becomes a blob, so that the whole file is
// never text in memory.

import { csvHead, csvLines } from './csv.js';
import { h } from './dom.js';
import { columnsOf, recordsOf } from './records.js';

const RETAINED_MS = 60000;

/** A name that any file system takes. @param {string} name @param {number} most characters */
export const safeName = (name, most = 60) => name.replace(/[^\p{L}\p{N}_.-]+/gu, '_').slice(0, most) || '_';

/** Hands a file to the reader. @param {Blob} blob @param {string} name */
export function saveFile(blob, name) {
  const address = URL.createObjectURL(blob);
  h('a', { href: address, download: safeName(name, 120) }).click();
  setTimeout(() => URL.revokeObjectURL(address), RETAINED_MS);
}

/**
 * Does something with one query after the other.
 * @param {Exported[]} found @param {(done: number) => void} onProgress @param {AbortSignal} signal
 * @param {(one: Exported, answer: Api.Answer | null, i: number) => unknown} use
 */
export async function forEach(found, onProgress, signal, use) {
  for (const [i, one] of found.entries()) {
    signal.throwIfAborted();
    await use(one, await one.answer(), i);
    onProgress(i + 1);
  }
}

/** A table that grows query by query; its rows wait as JSON, in blobs, until all of its columns are known. */
export class GrowingTable {
  /** @type {Blob[]} */
  #rows = [];
  /** @type {Set<string>} */
  #seen = new Set();

  /** @param {import('./records.js').Cells[]} rows */
  add(rows) {
    for (const row of rows) for (const name of Object.keys(row)) this.#seen.add(name);
    this.#rows.push(new Blob([JSON.stringify(rows)]));
  }

  /** @param {string[]} more columns at the end */
  async finish(...more) {
    const columns = [...columnsOf(this.#seen), ...more];
    const parts = [csvHead(columns)];
    for (const rows of this.#rows) {
      parts.push(csvLines(columns, /** @type {import('./records.js').Cells[]} */ (JSON.parse(await rows.text()))));
    }
    return new Blob(parts, { type: 'text/csv' });
  }
}

/** @type {MakeExport} */
export async function csvOf({ found }, onProgress, signal) {
  const table = new GrowingTable();
  await forEach(found, onProgress, signal, ({ name, problem }, answer) =>
    table.add(recordsOf(name, answer?.hits ?? [], problem)));
  return table.finish();
}

/** As `POST /search/batch` answers; of one picture its answer alone. @type {MakeExport} */
export async function jsonOf({ found, isSingle }, onProgress, signal) {
  /** @type {BlobPart[]} */
  const parts = [];
  await forEach(found, onProgress, signal, ({ name, problem }, answer, i) => {
    const text = JSON.stringify({ name, ...answer ?? { problem: { detail: problem } } }, null, isSingle ? 2 : 0);
    parts.push(new Blob([i ? ',\n' : '', text]));
  });
  return new Blob(isSingle ? [...parts, '\n'] : ['{"answers": [\n', ...parts, '\n]}\n'], { type: 'application/json' });
}
