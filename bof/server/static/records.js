// @ts-check
// Answers as rows of a table. The columns are those of `bof search --format csv`, in its order; where the command has
// the path of a file, the page has its number in the collection.

import { outlineOf } from './results.js';

/** @typedef {string | number | boolean | null} Cell */
/** @typedef {Record<string, Cell>} Cells by column */
/**
 * What some answers say of a hit besides: its fields, the group that it is the best of, and where in a film it is.
 * @typedef {Api.Hit & {
 *   fields?: Record<string, string[]>, group?: Record<string, Cell> | null, film?: Record<string, Cell> | null,
 * }} MoreHit
 */

const FIELD = 'field:';
const SEPARATOR = '; ';
const GROUP = { value: 'group', n_agree: 'group_agree', n_found: 'group_found', n_pictures: 'group_pictures',
  margin: 'margin' };
const FILM = { time: 'time', start: 'shot_start', stop: 'shot_stop', n_shots: 'shots' };

export const COLUMNS = /** @type {const} */ ([
  'query', 'problem', 'rank', ...Object.values(GROUP), 'verdict', 'basis', 'score', 'probability', 'inliers',
  'mirrored', 'variant', 'query_number', 'query_overlap', 'hit_overlap', 'left', 'top', 'right', 'bottom', 'width',
  'height', 'name', 'id', 'part',
  ...Object.values(FILM),
]);

/** What bounds the query, or what is shared, in the hit. @param {Api.Hit} hit @returns {Cells} */
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

/** @param {MoreHit} hit @returns {Cells} */
function moreCells({ fields, tags, group, film }) {
  /** @param {Record<string, string>} columns @param {Record<string, Cell> | null | undefined} values */
  const named = (columns, values) =>
    (values ? Object.entries(columns).map(([key, column]) => [column, values[key] ?? null]) : []);
  const all = tags.length ? { ...fields, tag: tags } : fields;
  const values = Object.entries(all).map(([key, texts]) => [`${FIELD}${key}`, texts.join(SEPARATOR)]);
  return Object.fromEntries([...named(GROUP, group), ...named(FILM, film), ...values]);
}

/** @param {Api.Hit} hit @param {number} rank @returns {Cells} */
const hitCells = (hit, rank) => ({
  rank, verdict: hit.verdict, basis: hit.basis, score: hit.score, probability: hit.probability,
  inliers: hit.n_inliers, mirrored: hit.mirrored, variant: hit.variant, query_number: hit.query_number,
  query_overlap: hit.query_overlap, hit_overlap: hit.hit_overlap,
  ...boundsOf(hit), width: hit.width, height: hit.height, name: hit.name, id: hit.id,
  part: hit.part, ...moreCells(hit),
});

/**
 * The rows of one query: one a hit, and one that says so where there is none, or no answer.
 * @param {string} query its name @param {Api.Hit[]} hits @param {string} problem why there is no answer
 * @returns {Cells[]}
 */
export function recordsOf(query, hits, problem = '') {
  if (!hits.length) return [{ query, problem: problem || null }];
  return hits.map((hit, i) => ({ query, ...hitCells(hit, i + 1) }));
}

/**
 * The columns of a table: those of groups and of films where there are some, and one for each field of the pictures.
 * @param {Iterable<string>} seen the columns that its rows have
 */
export function columnsOf(seen) {
  const given = new Set(seen);
  const optional = [...Object.values(GROUP), ...Object.values(FILM)];
  const fields = [...given].filter((name) => name.startsWith(FIELD)).sort();
  return [...COLUMNS.filter((name) => !optional.includes(name) || given.has(name)), ...fields];
}
