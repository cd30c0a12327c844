// @ts-check
// Pictures to search with: one of the collection, known by its number, or the reader's own, known by its content.

import { call, fetchBitmap, original, thumbnail, url } from './api.js';
import { ExplainedError, isQueryGone } from './errors.js';
import { smallerCopy } from './shrinking.js';
import { turnedSize } from './transforms.js';

const LARGEST = 1600;
const N_RETAINED = 40;
const N_OWN = 20;

/** @type {Map<string, OwnPicture>} */
const own = new Map();
/** @type {Map<string, IndexedPicture>} */
const indexed = new Map();

/** A short name of the bytes, for links that need the picture: two 32 bit FNV-1a hashes. @param {File} file */
async function contentName(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let [a, b] = [0x811c9dc5, 0x9dc5811c];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x01000197);
  }
  return `u${[a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')}`;
}

/**
 * A bitmap of at most LARGEST a side, null where the browser cannot decode the file; and the copy to send in its place.
 * @param {File} file
 */
async function decode(file) {
  const full = await createImageBitmap(file).catch(() => null);
  if (!full) return { width: 0, height: 0, bitmap: null, copy: null };
  const { width, height } = full;
  const copy = await smallerCopy(file, full);
  const scale = LARGEST / Math.max(width, height);
  if (scale >= 1) return { width, height, bitmap: full, copy };
  const [resizeWidth, resizeHeight] = [Math.round(width * scale), Math.round(height * scale)];
  const bitmap = await createImageBitmap(full, { resizeWidth, resizeHeight, resizeQuality: 'medium' });
  full.close();
  return { width, height, bitmap, copy };
}

/** What is known of a picture of the reader's before it is sent. */
const UNSENT = { id: null, stored: null, sending: null, sentBytes: 0, sendsOriginal: false };

/** @param {OwnPicture} picture */
function retain(picture) {
  const [oldest] = own.keys();
  if (oldest && own.size >= N_OWN) own.delete(oldest);
  own.set(picture.key, picture);
  return picture;
}

/** Reads one of many pictures, which is not retained. @param {File} file @returns {Promise<OwnPicture>} */
export const readPicture = async (file) => ({ ...UNSENT, key: '', file, name: file.name, ...await decode(file) });

/** Reads the reader's picture. @param {File} file */
export async function loadPicture(file) {
  const key = await contentName(file);
  const before = own.get(key);
  if (before?.file) return before;
  const fresh = { ...await readPicture(file), key };
  return retain({ ...fresh, stored: before?.stored ?? null });
}

/** @param {string} id @param {number} [size] */
const storedPicture = (id, size) => url('GET /queries/{query}/picture', { path: { query: id }, query: { size } });

/**
 * The reader's picture, as this page or the server has it; undefined where neither does.
 * @param {{query?: string, upload?: string}} address id on the server, name by content
 */
export async function ownPicture({ query: id = '', upload: key = '' }) {
  const name = key || `q-${id}`;
  const known = own.get(name);
  if (known || !id) return known;
  try {
    const stored = await call('GET /queries/{query}', { path: { query: id } });
    const bitmap = await fetchBitmap(storedPicture(id).href);
    const { width, height } = stored;
    return retain({ ...UNSENT, key: name, file: null, name: stored.name, width, height, bitmap, copy: null, stored });
  } catch (error) {
    if (isQueryGone(error) || (error instanceof ExplainedError && error.kind === 'not-found')) return undefined;
    throw error;
  }
}

/** Is it the name by content of a picture that this page or the server has? @param {string} key */
export const isKnown = (key) => Boolean(own.get(key)?.file ?? own.get(key)?.stored);

/** A picture that the browser cannot decode, as the server shows it. @param {OwnPicture} picture */
export async function showStored(picture) {
  if (picture.bitmap || !picture.stored) return false;
  picture.bitmap = await fetchBitmap(storedPicture(picture.stored.id).href).catch(() => null);
  return picture.bitmap !== null;
}

/** A picture of the collection. @param {string} id */
export async function indexedPicture(id) {
  const before = indexed.get(id);
  if (before) return before;
  const small = fetchBitmap(thumbnail({ id }, 640)).catch(() => null);
  const [facts, bitmap] = await Promise.all([call('GET /images/{id}', { path: { id } }), small]);
  const [oldest] = indexed.keys();
  if (oldest && indexed.size >= N_RETAINED) indexed.delete(oldest);
  const picture = { ...facts, key: `id-${id}`, bitmap };
  indexed.set(id, picture);
  return picture;
}

/** The same in full size, where the browser can decode the file. @param {QueryPicture} picture */
export async function fullBitmap(picture) {
  if (picture.id === null) return picture.bitmap;
  picture.full ??= await fetchBitmap(original(picture)).catch(() => picture.bitmap);
  return picture.full;
}

/** @param {number} id */
export const forgetPicture = (id) => indexed.delete(String(id));

/** @param {HTMLCanvasElement} canvas */
export function penOf(canvas) {
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('the browser gives no 2D canvas');
  return pen;
}

/** A picture as it is shown: turned clockwise, then mirrored. @param {Bitmap} bitmap @param {Pose} pose */
export function turned(bitmap, { turn, flip }) {
  const { width, height } = turnedSize(bitmap, turn);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const pen = penOf(canvas);
  pen.translate(width / 2, height / 2);
  if (flip) pen.scale(-1, 1);
  pen.rotate((turn * Math.PI) / 180);
  pen.drawImage(bitmap, -bitmap.width / 2, -bitmap.height / 2);
  return canvas;
}

/** What was dropped or pasted: pictures first, and nothing else beside them. @param {File[]} files */
export function inSearchOrder(files) {
  const pictures = files.filter((file) => file.type.startsWith('image/'));
  return pictures.length ? pictures : files;
}

/** The address of a picture, or of a link, that was dropped; '' for none. @param {DataTransfer} transfer */
export function addressIn(transfer) {
  const page = new DOMParser().parseFromString(transfer.getData('text/html'), 'text/html');
  const [first = ''] = transfer.getData('text/uri-list').split(/\r?\n/).filter((line) => line && !line.startsWith('#'));
  const address = page.querySelector('img')?.getAttribute('src') || first;
  return /^https?:/i.test(address) ? address : '';
}
