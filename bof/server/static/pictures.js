// @ts-check
// Pictures to search with: one of the collection, known by its number, or the reader's own, known by its content.

import { call, fetchBitmap, original, thumbnail } from './api.js';
import { turnedSize } from './transforms.js';

const LARGEST = 1600;
const N_RETAINED = 40;

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

/** A bitmap of at most LARGEST a side; null where the browser cannot decode the file. @param {File} file */
async function decode(file) {
  const full = await createImageBitmap(file).catch(() => null);
  if (!full) return { width: 0, height: 0, bitmap: null };
  const { width, height } = full;
  const scale = LARGEST / Math.max(width, height);
  if (scale >= 1) return { width, height, bitmap: full };
  const [resizeWidth, resizeHeight] = [Math.round(width * scale), Math.round(height * scale)];
  const bitmap = await createImageBitmap(full, { resizeWidth, resizeHeight, resizeQuality: 'medium' });
  full.close();
  return { width, height, bitmap };
}

/** Reads the reader's picture. @param {File} file */
export async function loadPicture(file) {
  const key = await contentName(file);
  const picture = own.get(key) ?? { key, id: null, file, name: file.name, ...await decode(file) };
  own.set(key, picture);
  return picture;
}

/** The reader's picture, if it was given on this page. @param {string} key */
export const ownPicture = (key) => own.get(key);

/** A picture of the collection. @param {string} id */
export async function indexedPicture(id) {
  const before = indexed.get(id);
  if (before) return before;
  const small = fetchBitmap(thumbnail({ id }, 640)).catch(() => null);
  const [facts, bitmap] = await Promise.all([call('GET /images/{id}', { path: { id } }), small]);
  const [oldest] = indexed.keys();
  if (oldest && indexed.size >= N_RETAINED) indexed.delete(oldest);
  const picture = { ...facts, key: `id-${id}`, file: null, bitmap };
  indexed.set(id, picture);
  return picture;
}

/** The same in full size, where the browser can decode the file. @param {QueryPicture} picture */
export async function fullBitmap(picture) {
  if (picture.file) return picture.bitmap;
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

/** The picture among what was dropped or pasted, or null. @param {DataTransfer | null} transfer */
export function pictureIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith('image/')) ?? files[0] ?? null;
}
