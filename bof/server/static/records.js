// @ts-check
// Answers as rows of a table. The columns are those of `bof search --csv`, in its order; the number in the collection
// follows, where the command has the path.

import { outlineOf } from './results.js';

/** @typedef {string | number | boolean | null} Cell */

export const COLUMNS = /** @type {const} */ ([
  'query', 'problem', 'rank', 'name', 'verdict', 'basis', 'score', 'probability', 'inliers', 'mirrored',
  'query_overlap', 'hit_overlap', 'left', 'top', 'right', 'bottom', 'width', 'height', 'id',
]);

/** @typedef {Partial<Record<typeof COLUMNS[number], Cell>>} CellsByColumn */

/** What bounds the query, or what is shared, in the hit. @param {Api.Hit} hit */
function boundsOf(hit) {
  const corners = hit.verdict === 'no' ? null : outlineOf(hit) ?? hit.outline;
  if (!corners) return {};
  /** @param {number[]} values @param {number} most */
  const range = (values, most) =>
    [Math.min(...values), Math.max(...values)].map((value) => Math.min(Math.max(value, 0), most));
  const [left = null, right = null] = range(corners.map(([x]) => x), hit.width);
  const [top = null, bottom = null] = range(corners.map(([, y]) => y), hit.height);
  return { left, top, right, bottom };
}

/** @param {Api.Hit} hit @param {number} rank @returns {CellsByColumn} */
const hitCells = (hit, rank) => ({
  rank, name: hit.name, verdict: hit.verdict, basis: hit.basis, score: hit.score, probability: hit.probability,
  inliers: hit.n_inliers, mirrored: hit.mirrored, query_overlap: hit.query_overlap, hit_overlap: hit.hit_overlap,
  ...boundsOf(hit), width: hit.width, height: hit.height, id: hit.id,
});

/**
 * The rows of one query: one a hit, and one that says so where there is none, or no answer.
 * @param {string} query its name @param {Api.Hit[]} hits @param {string} problem why there is no answer
 * @returns {CellsByColumn[]}
 */
export function recordsOf(query, hits, problem = '') {
  if (!hits.length) return [{ query, problem: problem || null }];
  return hits.map((hit, i) => ({ query, ...hitCells(hit, i + 1) }));
}
