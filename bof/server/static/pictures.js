// Pictures to search with: one of the collection, known by its number, or one from the reader, known by its content.

import { call, drawable, original, thumbnail } from './api.js';
import { turnedSize } from './transforms.js';

const LARGEST = 1600;
const given = new Map();
const indexed = new Map();

/** A short name of the bytes, so that a link can say which picture it needs. Two 32 bit hashes, as in FNV-1a. */
async function nameOfContent(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  let [a, b] = [0x811c9dc5, 0x9dc5811c];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x01000197);
  }
  return `u${[a, b].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')}`;
}

/** What can be drawn of a file, at most LARGEST a side; null where the browser does not know the format. */
async function decode(file) {
  let whole;
  try {
    whole = await createImageBitmap(file);
  } catch {
    return { width: 0, height: 0, bitmap: null };
  }
  const { width, height } = whole;
  const scale = LARGEST / Math.max(width, height);
  if (scale >= 1) return { width, height, bitmap: whole };
  const [resizeWidth, resizeHeight] = [Math.round(width * scale), Math.round(height * scale)];
  const bitmap = await createImageBitmap(whole, { resizeWidth, resizeHeight, resizeQuality: 'medium' });
  whole.close();
  return { width, height, bitmap };
}

/** The reader's picture: {key, file, name, width, height, bitmap}. */
export async function take(file) {
  const key = await nameOfContent(file);
  if (!given.has(key)) given.set(key, { key, id: null, file, name: file.name || '', ...await decode(file) });
  return given.get(key);
}

export const taken = (key) => given.get(key) ?? null;

/** A picture of the collection: {key, id, name, width, height, bitmap, tags}. */
export async function ofCollection(id) {
  if (!indexed.has(id)) {
    const small = drawable(thumbnail({ id }, 640)).catch(() => null);
    const [facts, bitmap] = await Promise.all([call(`images/${id}`), small]);
    if (indexed.size > 40) indexed.delete(indexed.keys().next().value);
    indexed.set(id, { ...facts, key: `id-${id}`, id: Number(id), file: null, bitmap });
  }
  return indexed.get(id);
}

/** The same with every pixel that the file has, where the browser can show the format. */
export async function inDetail(picture) {
  if (picture.file || picture.detail) return picture.detail ?? picture.bitmap;
  picture.detail = await drawable(original(picture)).catch(() => picture.bitmap);
  return picture.detail;
}

export const forgetPicture = (id) => indexed.delete(String(id));

/** A picture as it is shown: a canvas, turned clockwise and then mirrored. */
export function turned(bitmap, turn, flip) {
  const { width, height } = turnedSize(bitmap, turn);
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  const pen = canvas.getContext('2d');
  pen.translate(width / 2, height / 2);
  if (flip) pen.scale(-1, 1);
  pen.rotate((turn * Math.PI) / 180);
  pen.drawImage(bitmap, -bitmap.width / 2, -bitmap.height / 2);
  return canvas;
}

/** The picture among what was dropped or pasted, or null. */
export function pictureIn(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith('image/')) ?? files[0] ?? null;
}
