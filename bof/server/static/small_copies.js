// @ts-check
// Small copies of pictures as JPEGs, with the outline of what was found.

import { penOf } from './pictures.js';

const SIDE = 160;
const QUALITY = 0.8;

/** @param {HTMLCanvasElement} canvas @param {number} quality @returns {Promise<Blob>} */
export const jpegOf = (canvas, quality = QUALITY) => new Promise((resolve, reject) => {
  /** @param {Blob | null} blob */
  const take = (blob) => (blob ? resolve(blob) : reject(new Error('the canvas gives no JPEG')));
  canvas.toBlob(take, 'image/jpeg', quality);
});

/**
 * @param {Bitmap} bitmap @param {number} side at most, in pixels
 * @param {{corners: Point[], of: Size, colour: string} | null} outline in pixels of the original, whose size is `of`
 */
export function smallCopy(bitmap, side = SIDE, outline = null) {
  const scale = Math.min(1, side / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.ceil(bitmap.width * scale), Math.ceil(bitmap.height * scale)];
  const pen = penOf(canvas);
  pen.imageSmoothingQuality = 'high';
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  if (outline) drawOutline(pen, canvas, outline);
  return jpegOf(canvas);
}

/** @param {Pen} pen @param {Size} canvas @param {{corners: Point[], of: Size, colour: string}} outline */
function drawOutline(pen, { width, height }, { corners, of, colour }) {
  pen.beginPath();
  for (const [x, y] of corners) pen.lineTo(((x + 0.5) * width) / of.width, ((y + 0.5) * height) / of.height);
  pen.closePath();
  for (const [style, line] of /** @type {const} */ ([['#000a', 4], [colour, 2.5]])) {
    [pen.strokeStyle, pen.lineWidth, pen.lineJoin] = [style, line, 'round'];
    pen.stroke();
  }
}

/** The bytes of a file as an address of its own. @param {Blob} blob @returns {Promise<string>} */
export const dataAddress = (blob) => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(typeof reader.result === 'string' ? reader.result : '');
  reader.onerror = () => reject(reader.error ?? new Error('the file cannot be read'));
  reader.readAsDataURL(blob);
});
