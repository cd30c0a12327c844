// @ts-check
// What the tab remembers of many queries: how they are searched for, and how many a reload takes.

import { SETTINGS } from './filters.js';

const NAME = 'bof-many';

/** How to search, of all that an address says. @param {Query} query @returns {Query} */
export const settingsOf = (query) =>
  Object.fromEntries(SETTINGS.filter((name) => query[name]).map((name) => [name, query[name]]));

/** How many pictures the table had before the page was loaded again. */
export function takeLost() {
  try {
    const n = Number(sessionStorage.getItem(NAME)) || 0;
    sessionStorage.removeItem(NAME);
    return n;
  } catch {
    return 0;
  }
}

/**
 * Asks before the page goes with answers that were not exported; what goes is counted.
 * @param {import('./many_run.js').Run} run
 */
export function keepTrack(run) {
  addEventListener('beforeunload', (event) => {
    if (run.isUnsaved) event.preventDefault();
  });
  addEventListener('pagehide', () => {
    try {
      if (run.items.length) sessionStorage.setItem(NAME, String(run.items.length));
      else sessionStorage.removeItem(NAME);
    } catch { /* no storage */ }
  });
}
