// Asking the server, and keeping the last answers so that going back shows them again at once.

import { call } from './api.js';
import { ofCollection, taken } from './pictures.js';

const PAGE = 24;
const KEPT = 12;
const kept = new Map();

/** What of an address is a question, as opposed to the picture that is asked with. */
const QUESTION = ['box', 'turn', 'flip', 'ranker', 'mirror', 'where', 'text', 'tag', 'folder', 'verdict'];
const MATCHING = ['box', 'turn', 'flip', 'mirror'];

/** The last word may go on: what is being typed is found before it is whole. */
export const openEnded = (text) => (!text || /["*\s]$/.test(text) ? text : `${text}*`);

const read = { verdict: (value) => value.split(','), text: openEnded };

const chosen = (query, names) => Object.fromEntries(names.filter((name) => query[name]).map((name) =>
  [name, read[name]?.(query[name]) ?? query[name]]));

/** The picture that an address asks with; null where it names none, undefined where the reader must give it again. */
export async function pictureOf(query) {
  if (query.image) return ofCollection(query.image);
  if (query.upload) return taken(query.upload) ?? undefined;
  return null;
}

export const wayOf = (query) => ({ turn: Number(query.turn) || 0, flip: query.flip === '1' });

export const boxOf = (query) => (query.box && query.box !== 'auto' ? query.box.split(',').map(Number) : null);

function ask(picture, query, offset, signal) {
  const asked = { ...chosen(query, QUESTION), top: PAGE, offset };
  const path = picture.file ? 'search' : `search/image/${picture.id}`;
  return call(path, { method: 'POST', query: asked, body: picture.file ?? undefined, signal });
}

const keyOf = (picture, query) => JSON.stringify([picture.key, chosen(query, QUESTION)]);

/** The answer as far as it is known: {query, ranker, total, hits, seconds}; asks for its first page if it must. */
export async function answerTo(picture, query, signal) {
  const key = keyOf(picture, query);
  if (!kept.has(key)) {
    const answer = await ask(picture, query, 0, signal);
    if (kept.size >= KEPT) kept.delete(kept.keys().next().value);
    kept.set(key, { ...answer, isWhole: answer.hits.length === 0 || answer.hits.length >= answer.total });
  }
  return kept.get(key);
}

export const knownAnswer = (picture, query) => kept.get(keyOf(picture, query)) ?? null;

/** Asks for the next page; returns its hits. */
export async function more(picture, query, answer) {
  const next = await ask(picture, query, answer.hits.length, undefined);
  answer.hits.push(...next.hits);
  answer.isWhole = next.hits.length === 0 || answer.hits.length >= next.total;
  return next.hits;
}

/** After a change of the collection nothing that was answered need hold. */
export const forgetAnswers = () => kept.clear();

/** The points on which two pictures agree. */
export function matchOf(picture, id, query) {
  const asked = chosen(query, MATCHING);
  if (!picture.file) return call(`matches/${picture.id}/${id}`, { query: asked });
  return call(`matches/${id}`, { method: 'POST', query: asked, body: picture.file });
}
