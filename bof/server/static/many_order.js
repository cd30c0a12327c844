// @ts-check
// Which of many queries a table shows, and in which order. The address says it.

import { currentLanguage, TAGS } from './language.js';

export const BUCKETS = /** @type {const} */ (['all', 'proved', 'part', 'open', 'failed', 'waiting']);
export const SORTS = /** @type {const} */ (['number', 'name', 'verdict', 'best', 'proved', 'seconds']);
/** @type {Api.Hit['verdict'][]} */
const VERDICTS = ['same', 'part', 'maybe', 'unverified', 'no'];

/** @typedef {typeof BUCKETS[number]} Bucket */
/** @typedef {typeof SORTS[number]} Sort */
/** @typedef {{bucket: Bucket, sort: Sort, isDown: boolean, page: number}} Order */

/** @param {Query} query @returns {Order} */
export const orderOf = ({ show, sort, down, page }) => ({
  bucket: BUCKETS.find((name) => name === show) ?? 'all',
  sort: SORTS.find((name) => name === sort) ?? 'number',
  isDown: down === '1',
  page: Math.max(1, Math.floor(Number(page)) || 1),
});

/** @param {Item} item @returns {Exclude<Bucket, 'all'>} */
export function bucketOf({ state, summary }) {
  if (state === 'waiting' || state === 'running') return 'waiting';
  if (state !== 'done') return 'failed';
  const verdict = summary?.best?.verdict;
  return verdict === 'same' ? 'proved' : verdict === 'part' ? 'part' : 'open';
}

/** How many there are of each kind. @param {Item[]} items */
export function countsOf(items) {
  const counts = { all: items.length, proved: 0, part: 0, open: 0, failed: 0, waiting: 0 };
  for (const item of items) counts[bucketOf(item)] += 1;
  return counts;
}

/**
 * What a column is sorted by; null comes last either way.
 * @type {Record<Sort, (item: Item) => string | number | null>}
 */
const KEYS = {
  number: (item) => item.number,
  name: (item) => item.source.path,
  verdict: ({ summary }) => summary && (summary.best ? VERDICTS.indexOf(summary.best.verdict) : VERDICTS.length),
  best: ({ summary }) => summary?.best?.name ?? null,
  proved: ({ summary }) => summary?.nProved ?? null,
  seconds: ({ state, seconds }) => (state === 'done' ? seconds : null),
};

/** @param {Item[]} items @param {Order} order */
export function shownItems(items, { bucket, sort, isDown }) {
  const shown = bucket === 'all' ? [...items] : items.filter((item) => bucketOf(item) === bucket);
  if (sort === 'number' && !isDown) return shown;
  const { compare } = new Intl.Collator(TAGS[currentLanguage()], { numeric: true });
  const keyed = shown.map((item) => ({ item, key: KEYS[sort](item) }));
  const sign = isDown ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
    const way = typeof a.key === 'number' && typeof b.key === 'number'
      ? a.key - b.key : compare(String(a.key), String(b.key));
    return sign * way || a.item.number - b.item.number;
  });
  return keyed.map(({ item }) => item);
}
