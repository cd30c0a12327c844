// @ts-check
// A search with one of many pictures. The server stores a file as long as that takes.

import { searchParameters } from './answers.js';
import { call, fetchBitmap, url } from './api.js';
import { readPicture } from './pictures.js';
import { withStored } from './sending.js';
import { smallCopy } from './small_copies.js';

const TOP = 20;

/**
 * Does something with a file of the reader's as a picture to search with; then the server and the page forget it.
 * @template T
 * @param {File} file @param {(picture: OwnPicture) => Promise<T>} use
 */
export async function withFile(file, use) {
  const picture = await readPicture(file);
  try {
    return await use(picture);
  } finally {
    picture.bitmap?.close();
    if (picture.stored) call('DELETE /queries/{query}', { path: { query: picture.stored.id } }).catch(() => {});
  }
}

/**
 * A small copy, from the server where the browser cannot decode the file.
 * @param {OwnPicture} picture @param {string} id
 */
async function thumbOf({ bitmap }, id) {
  if (bitmap) return smallCopy(bitmap);
  const address = url('GET /queries/{query}/picture', { path: { query: id }, query: { size: 320 } });
  return smallCopy(await fetchBitmap(address.href));
}

/** @param {File} file @param {Query} settings @param {AbortSignal} signal @returns {Promise<FoundOne>} */
const searchFile = (file, settings, signal) => withFile(file, (picture) => withStored(picture, async (id) => {
  const query = { ...searchParameters(settings), top: TOP };
  const answer = await call('POST /search/query/{query}', { path: { query: id }, query, signal });
  return { answer, thumb: await thumbOf(picture, id).catch(() => null) };
}));

/** @param {Api.Image} image @param {Query} settings @param {AbortSignal} signal @returns {Promise<FoundOne>} */
async function searchImage({ id }, settings, signal) {
  const query = { ...searchParameters(settings), top: TOP, exclude_self: 1 };
  return { answer: await call('POST /search/image/{id}', { path: { id }, query, signal }), thumb: null };
}

/** @param {SeveralSource} source @param {Query} settings @param {AbortSignal} signal */
export const searchOne = ({ file, image }, settings, signal) =>
  (file ? searchFile(file, settings, signal) : searchImage(image, settings, signal));
