// @ts-check
// Searches; the last answers are retained, so that going back shows them at once.

import { call } from './api.js';
import { indexedPicture, ownPicture } from './pictures.js';
import { withStored } from './sending.js';
import { turnOf } from './transforms.js';

const FIRST_PAGE = 6;
const PAGE = 24;
const N_RETAINED = 12;
const MOST_SHOTS = 200;

/** @type {Map<string, PartialAnswer>} */
const retained = new Map();

/** The parts of an address that say how to search, besides the picture. */
const SEARCH = /** @type {const} */ ([
  'box', 'turn', 'flip', 'ranker', 'metric', 'fusion', 'mirror', 'inverse', 'enlarge', 'tilt', 'where', 'text',
  'tag', 'folder', 'verdict',
  'group_by', 'other',
]);
const MATCH = /** @type {const} */ (['box', 'turn', 'flip', 'mirror', 'inverse', 'enlarge', 'tilt']);

/** The last word is open: a search finds it before it is complete. @param {string | undefined} text */
export const openEnded = (text) => (!text || /["*\s]$/.test(text) ? text : `${text}*`);

/** @param {string} name @param {string | undefined} value */
const parameter = (name, value) => {
  if (name === 'verdict' || name === 'other') return value?.split(',');
  return name === 'text' ? openEnded(value) : value;
};

/** @template {string} T @param {Query} query @param {readonly T[]} names */
function parameters(query, names) {
  /** @type {Partial<Record<T, string | string[]>>} */
  const given = {};
  for (const name of names) if (query[name]) given[name] = parameter(name, query[name]);
  return given;
}

/** How to search, as a request says it. @param {Query} query */
export const searchParameters = (query) => parameters(query, SEARCH);

/**
 * The picture to search with; null where the address names none, undefined where the reader must give it again.
 * @param {Query} query @returns {Promise<QueryPicture | null | undefined>}
 */
export async function queryPicture(query) {
  if (query.image) return indexedPicture(query.image);
  return query.query || query.upload ? ownPicture(query) : null;
}

/** @param {Query} query @returns {Pose} */
export const poseOf = (query) => ({ turn: turnOf(query.turn), flip: query.flip === '1' });

/** The region of the picture; null where there is none, or the server finds it. @param {Query} query */
export function boxOf({ box = '' }) {
  const numbers = box.split(',').map(Number);
  return numbers.length === 4 && numbers.every(Number.isFinite) ? /** @type {Box} */ (numbers) : null;
}

/**
 * A page of the answer: the first is short, so that something is there to see while the rest is on its way.
 * @param {QueryPicture} picture @param {Query} query @param {number} offset
 * @param {{signal?: AbortSignal, onProgress?: OnProgress}} options
 */
function requestPage(picture, query, offset, { signal, onProgress } = {}) {
  const given = { ...parameters(query, SEARCH), top: offset ? PAGE : FIRST_PAGE, offset };
  if (picture.id !== null) return call('POST /search/image/{id}', { path: { id: picture.id }, query: given, signal });
  /** @param {string} id */
  const searchWith = (id) => call('POST /search/query/{query}', { path: { query: id }, query: given, signal });
  return withStored(picture, searchWith, onProgress);
}

/**
 * The numbers of the pictures of a film that are hits, of those shots that are called the same or share a part.
 * @param {QueryPicture} picture @param {Query} query @param {string} film its name
 */
export async function shotsFound(picture, query, film) {
  const given = {
    ...parameters(query, SEARCH), folder: film, group_by: '', verdict: ['same', 'part'], shots: 1, top: MOST_SHOTS,
  };
  const { hits } = picture.id !== null
    ? await call('POST /search/image/{id}', { path: { id: picture.id }, query: given })
    : await withStored(picture, (id) => call('POST /search/query/{query}', { path: { query: id }, query: given }));
  return new Set(hits.map(({ id }) => id));
}

/** @param {QueryPicture} picture @param {Query} query */
const keyOf = (picture, query) => JSON.stringify([picture.key, parameters(query, SEARCH)]);

/**
 * The answer as far as it was requested.
 * @param {QueryPicture} picture @param {Query} query @param {AbortSignal} signal @param {OnProgress} onProgress
 */
export async function search(picture, query, signal, onProgress) {
  const key = keyOf(picture, query);
  const before = retained.get(key);
  if (before) return before;
  const first = await requestPage(picture, query, 0, { signal, onProgress });
  const [oldest] = retained.keys();
  if (oldest && retained.size >= N_RETAINED) retained.delete(oldest);
  const answer = { ...first, isComplete: first.hits.length === 0 || first.hits.length >= first.total };
  retained.set(key, answer);
  return answer;
}

/** Is there more to load at once? @param {PartialAnswer} answer */
export const isBeginning = ({ hits, isComplete }) => !isComplete && hits.length <= FIRST_PAGE;

/** The query in the path of a comparison: its number, its name by content, or `q`. @param {QueryPicture} picture */
export const nameInPath = ({ id, key }) => id ?? (key.startsWith('u') ? key : 'q');

/** @param {QueryPicture} picture @param {Query} query */
export const retainedAnswer = (picture, query) => retained.get(keyOf(picture, query)) ?? null;

/**
 * Adds the next page to an answer; returns its hits.
 * @param {QueryPicture} picture @param {Query} query @param {PartialAnswer} answer
 */
export async function nextPage(picture, query, answer) {
  const next = await requestPage(picture, query, answer.hits.length);
  answer.hits.push(...next.hits);
  answer.isComplete = next.hits.length === 0 || answer.hits.length >= next.total;
  return next.hits;
}

/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "''")}'`;

/** The condition of all pictures of a group. @param {NonNullable<Api.Hit['group']>} group @param {string} [where] */
export const withinGroup = ({ field, value }, where) =>
  `${where ? `(${where}) and ` : ''}${quoted(field)} = ${quoted(value ?? '')}`;

/** After a change of the collection no answer is certain to hold. */
export const forgetAnswers = () => retained.clear();

/** The points on which two pictures agree. @param {QueryPicture} picture @param {string} id @param {Query} query */
export function matchOf(picture, id, query) {
  const given = parameters(query, MATCH);
  if (picture.id !== null) return call('GET /matches/{a}/{b}', { path: { a: picture.id, b: id }, query: given });
  return withStored(picture, (own) =>
    call('GET /matches/query/{query}/{id}', { path: { query: own, id }, query: given }));
}
