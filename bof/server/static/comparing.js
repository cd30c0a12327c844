// What two pictures have in common, as something that can be painted, saved and linked to.

import { h, toast } from './dom.js';
import { t } from './language.js';
import { turned } from './pictures.js';
import { turnedSize } from './transforms.js';
import { warp } from './warping.js';

const PNG_SIDE = 2000;
const KEPT_MS = 10000;

const fromCentre = ([x, y]) => [x + 0.5, y + 0.5];

/** The API counts points from the first pixel's centre; a canvas counts from its edge. */
function fromEdge(m) {
  const shift = ([p, q, r]) => [p, q, r - 0.5 * (p + q)];
  const [x, y, w] = m.map(shift);
  return [...x.map((value, i) => value + 0.5 * w[i]), ...y.map((value, i) => value + 0.5 * w[i]), ...w];
}

/** The scene of a match: pictures as they are shown, all in pixels from the edge. way: {turn, flip} of the query. */
export function sceneOf(match, asked, hit, bitmaps, way) {
  const size = asked.width ? turnedSize(asked, way.turn) : match.query;
  const a = { width: size.width, height: size.height, bitmap: bitmaps[0] && turned(bitmaps[0], way.turn, way.flip) };
  const b = { width: hit.width, height: hit.height, bitmap: bitmaps[1] };
  const frame = [-b.width / 2, -b.height / 2, b.width * 1.5, b.height * 1.5];
  const isKnown = match.hit_from_query && a.bitmap;
  return {
    a, b,
    box: match.query.box,
    outline: match.hit.outline && match.hit.outline.map(fromCentre),
    points: { ...match.points, query: match.points.query.map(fromCentre), hit: match.points.hit.map(fromCentre) },
    overlay: isKnown ? warp(a.bitmap, a, fromEdge(match.hit_from_query), frame) : null,
    isProved: match.hit.verdict === 'same',
  };
}

/** Puts an address into the clipboard, or on the page where there is none. */
export async function copyLink(target, isUpload) {
  const address = new URL(target, location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    toast(t(isUpload ? 'match.link-upload' : 'match.link-done'));
  } catch {
    toast(isUpload ? `${address}\n${t('match.link-upload')}` : address);
  }
}

/** A painting of an extent {width, height} as a file; paint(pen, px) as on the stage. */
export function savePicture(extent, paint, name) {
  const scale = PNG_SIDE / Math.max(extent.width, extent.height);
  const canvas = h('canvas', { width: Math.round(extent.width * scale), height: Math.round(extent.height * scale) });
  const pen = canvas.getContext('2d');
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  paint(pen, 1.3 / scale);
  canvas.toBlob((blob) => {
    const address = URL.createObjectURL(blob);
    h('a', { href: address, download: `${name.replace(/[/\\:*?"<>|]+/g, '_')}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
    toast(t('match.saved'));
  }, 'image/png');
}
