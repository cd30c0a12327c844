// @ts-check
// The reader's picture on its way to the server, which stores it for a while: it is sent once, and then known by an id.

import { call } from './api.js';
import { ExplainedError, isQueryGone } from './errors.js';
import { t } from './language.js';

/** The bytes of a file's SHA-256 in hexadecimal digits; '' where the browser has none to give. @param {Blob} file */
async function digestOf(file) {
  if (!('subtle' in crypto)) return '';
  const bytes = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** @param {Size} picture @param {File} file @param {Blob} copy */
const aboutCopy = async ({ width, height }, file, copy) =>
  ({ frame: `${width},${height}`, sha256: await digestOf(file), n: copy.size });

/** @param {OwnPicture} picture @param {File} file @param {OnProgress} onProgress */
async function send(picture, file, onProgress) {
  const copy = picture.sendsOriginal ? null : picture.copy;
  const { n, ...about } = copy ? await aboutCopy(picture, file, copy) : { n: file.size };
  const form = new FormData();
  form.append('image', copy ?? file, picture.name || 'picture');
  const stored = await call('POST /queries', { query: about, body: form, onProgress });
  Object.assign(picture, { stored, sentBytes: n, width: stored.width, height: stored.height });
  return stored;
}

/** The server has forgotten a query, and this page does not have its picture either. */
export class PictureNeeded extends ExplainedError {
  constructor() {
    super(t('problem.query-gone'));
  }
}

/**
 * The id under which the server has a picture; it is sent where it has not been.
 * @param {OwnPicture} picture @param {OnProgress} onProgress
 */
export async function storedId(picture, onProgress = () => {}) {
  if (picture.stored) return picture.stored.id;
  const { file } = picture;
  if (!file) throw new PictureNeeded();
  picture.onProgress = onProgress;
  picture.sending ??= send(picture, file, (share) => picture.onProgress?.(share)).finally(() => {
    picture.sending = null;
  });
  const stored = await picture.sending;
  return stored.id;
}

/** Does the server still have a query? @param {string} id */
export async function isStored(id) {
  try {
    await call('GET /queries/{query}', { path: { query: id } });
    return true;
  } catch (error) {
    if (isQueryGone(error)) return false;
    throw error;
  }
}

/**
 * Does something with the id of a picture; where the server has forgotten it, the picture is sent again.
 * @template T
 * @param {OwnPicture} picture @param {(id: string) => Promise<T>} use @param {OnProgress} [onProgress]
 */
export async function withStored(picture, use, onProgress) {
  const id = await storedId(picture, onProgress);
  try {
    return await use(id);
  } catch (error) {
    if (!isQueryGone(error) || await isStored(id)) throw error;  // of several pictures another may be gone
    if (picture.stored?.id === id) picture.stored = null;
    return use(await storedId(picture, onProgress));
  }
}

/** From now on the picture's own file is what the server has. @param {OwnPicture} picture */
export function sendOriginal(picture) {
  picture.sendsOriginal = true;
  picture.stored = null;
}
