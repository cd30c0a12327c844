// @ts-check
// One of many pictures: it is made smaller, sent, searched with, and forgotten by the server.

import { parametersOf } from './answers.js';
import { call, fetchBitmap, url } from './api.js';
import { smallerCopy } from './shrinking.js';
import { smallCopy } from './thumbnails.js';

const TOP = 20;

/** A small copy of a stored query, where the browser cannot decode the file. @param {string} query its id */
async function storedThumb(query) {
  const address = url('GET /queries/{query}/picture', { path: { query }, query: { size: 320 } });
  return smallCopy(await fetchBitmap(address.href));
}

/**
 * @template T
 * @param {File} file @param {string} name @param {AbortSignal | undefined} signal
 * @param {(query: Api.Query) => Promise<T>} use what is done with it, while the server has it
 */
export async function withStored(file, name, signal, use) {
  const { body, frame, sha256, bitmap } = await smallerCopy(file);
  bitmap?.close();
  const query = await call('POST /queries', { query: { name: name.slice(-200), frame, sha256 }, body, signal });
  try {
    return await use(query);
  } finally {
    call('DELETE /queries/{query}', { path: { query: query.id } }).catch(() => {});
  }
}

/** @param {File} file @param {string} name @param {Query} settings @param {AbortSignal} signal @returns {Promise<FoundOne>} */
const searchFile = (file, name, settings, signal) => withStored(file, name, signal, async ({ id }) => {
  const answer = await call('POST /search/query/{query}',
    { path: { query: id }, query: { ...parametersOf(settings), top: TOP }, signal });
  return { answer, thumb: await storedThumb(id).catch(() => null) };
});
