// @ts-check
// A smaller copy of a photograph, which is sent in its place: the engine reads features of about 1,024 pixels.

import { penOf } from './pictures.js';

/** Measured with scripts/server/shrinking.py: smaller copies lose features, larger ones gain none. */
const SIDE = 1280;
const QUALITY = 0.85;
/** Smaller files are sent as they are. */
const LARGE_BYTES = 400e3;
/** A copy that is hardly smaller is not worth its losses. */
const WORTH = 0.7;

/** @param {number} width @param {number} height */
function canvasOf(width, height) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}

/**
 * A picture in another size. It is halved as often as that leaves enough, because browsers skip pixels where they
 * shrink by more.
 * @param {Bitmap} bitmap @param {number} width @param {number} height
 */
export function resized(bitmap, width, height) {
  let from = bitmap;
  for (;;) {
    const isLast = from.width < 2 * width || from.height < 2 * height;
    const [w, h] = isLast ? [width, height] : [Math.ceil(from.width / 2), Math.ceil(from.height / 2)];
    const canvas = canvasOf(w, h);
    const pen = penOf(canvas);
    pen.imageSmoothingQuality = 'high';
    pen.fillStyle = '#fff';  // as the server lays what is transparent on white
    pen.fillRect(0, 0, w, h);
    pen.drawImage(from, 0, 0, w, h);
    if (isLast) return canvas;
    from = canvas;
  }
}

/**
 * A smaller copy of a file as a JPEG; null where the file itself is to be sent.
 * @param {Blob} file @param {Bitmap} bitmap of all of it @returns {Promise<Blob | null>}
 */
export async function smallerCopy(file, bitmap) {
  if (file.size <= LARGE_BYTES) return null;
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = resized(bitmap, Math.round(bitmap.width * scale) || 1, Math.round(bitmap.height * scale) || 1);
  /** @type {Blob | null} */
  const copy = await new Promise((resolve) => { canvas.toBlob(resolve, 'image/jpeg', QUALITY); });
  return copy && copy.size < WORTH * file.size ? copy : null;
}
