// @ts-check
// Two pictures that match, painted: side by side with lines between the points that agree, or one laid on the other.

import { turned } from './pictures.js';
import { outlineOf } from './results.js';
import { corners, turnedSize } from './transforms.js';
import { warp } from './warping.js';

const QUERY = '#e5303f';
const PROVED = '#17a34a';
const PART = '#9b45e0';
const OTHER = '#e08a00';
/** Of the outline in the hit. @type {Partial<Record<Api.Hit['verdict'], string>>} */
const COLOURS = { same: PROVED, part: PART };
const SIDE = 1000;
const GAP = 24;

/**
 * The API counts pixels from the centre of the first one, a canvas from its edge.
 * @param {Point} point @returns {Point}
 */
const fromEdge = ([x, y]) => [x + 0.5, y + 0.5];

/** @param {NonNullable<Api.Match['hit_from_query']>} m @returns {Homography} */
function homographyFromEdge([[a, b, c], [d, e, f], [g, h, i]]) {
  const [x, y, w] = [c - 0.5 * (a + b), f - 0.5 * (d + e), i - 0.5 * (g + h)];
  return [a + 0.5 * g, b + 0.5 * h, x + 0.5 * w, d + 0.5 * g, e + 0.5 * h, y + 0.5 * w, g, h, w];
}

/**
 * @param {Api.Match} match @param {QueryPicture} query @param {IndexedPicture} hit
 * @param {[query: Bitmap | null, hit: Bitmap | null]} bitmaps @param {Pose} pose of the query @returns {Scene}
 */
export function sceneOf(match, query, hit, [queryBitmap, hitBitmap], pose) {
  const size = query.width ? turnedSize(query, pose.turn) : match.query;
  const bitmap = queryBitmap && turned(queryBitmap, pose);
  const { width, height } = hit;
  const { hit_from_query: m, points } = match;
  /** @param {Point} point @param {number} i */
  const pair = (point, i) => ({
    query: fromEdge(point), hit: fromEdge(points.hit[i] ?? [0, 0]), isInlier: points.inlier[i] ?? false,
  });
  return {
    query: { width: size.width, height: size.height, bitmap },
    hit: { width, height, bitmap: hitBitmap },
    box: match.query.box,
    outline: outlineOf(match.hit)?.map(fromEdge) ?? null,
    shared: match.hit.verdict === 'part' && match.hit.query_region?.map(fromEdge) || null,
    pairs: points.query.map(pair),
    overlay: m && bitmap
      ? warp(bitmap, size, homographyFromEdge(m), [-width / 2, -height / 2, width * 1.5, height * 1.5]) : null,
    colour: COLOURS[match.hit.verdict] ?? OTHER,
  };
}

/**
 * Beside each other, or one above the other on a tall canvas.
 * @param {Scene} scene @param {boolean} isTall @returns {Layout}
 */
export function sideBySide({ query, hit }, isTall) {
  /** @param {Size} picture */
  const scaleOf = (picture) => SIDE / (isTall ? picture.width : picture.height);
  const [first, second] = [scaleOf(query), scaleOf(hit)];
  const [x, y] = isTall ? [0, query.height * first + GAP] : [query.width * first + GAP, 0];
  return {
    query: { x: 0, y: 0, scale: first },
    hit: { x, y, scale: second },
    width: isTall ? SIDE : x + hit.width * second,
    height: isTall ? y + hit.height * second : SIDE,
  };
}

/** One on the other. @param {Scene} scene @returns {Layout} */
export const onTop = ({ hit }) => {
  const place = { x: 0, y: 0, scale: 1 };
  return { query: place, hit: place, width: hit.width, height: hit.height };
};

/** @param {Placement} place @param {Point} point @returns {Point} */
const at = (place, [x, y]) => [place.x + x * place.scale, place.y + y * place.scale];

/** @param {Pen} pen @param {ScenePicture} picture @param {Placement} place */
function paintPicture(pen, { bitmap, width, height }, { x, y, scale }) {
  if (bitmap) {
    pen.drawImage(bitmap, x, y, width * scale, height * scale);
    return;
  }
  pen.fillStyle = '#8884';
  pen.fillRect(x, y, width * scale, height * scale);
}

/** @param {Pen} pen @param {Placement} place @param {Point[]} points @param {string} colour @param {number} width */
function paintPolygon(pen, place, points, colour, width) {
  pen.beginPath();
  for (const point of points) pen.lineTo(...at(place, point));
  pen.closePath();
  pen.lineJoin = 'round';
  pen.strokeStyle = '#fff';
  pen.lineWidth = width * (5 / 3);
  pen.stroke();
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}

/**
 * The pairs of points; inliers lie on top.
 * @param {Pen} pen @param {Scene} scene @param {Layout} layout @param {boolean} isAll @param {number} px
 */
function paintPairs(pen, { pairs }, layout, isAll, px) {
  const [inliers, others] = [pairs.filter(({ isInlier }) => isInlier), pairs.filter(({ isInlier }) => !isInlier)];
  const opacity = Math.min(0.85, Math.max(0.3, 60 / inliers.length));
  for (const { query, hit, isInlier } of [...(isAll ? others : []), ...inliers]) {
    const ends = [at(layout.query, query), at(layout.hit, hit)];
    pen.strokeStyle = isInlier ? PROVED : OTHER;
    pen.fillStyle = pen.strokeStyle;
    pen.globalAlpha = isInlier ? opacity : 0.4;
    pen.lineWidth = (isInlier ? 1.4 : 0.8) * px;
    pen.beginPath();
    for (const end of ends) pen.lineTo(...end);
    pen.stroke();
    pen.globalAlpha = isInlier ? 1 : 0.4;
    for (const end of ends) {
      pen.beginPath();
      pen.arc(...end, (isInlier ? 2.6 : 1.6) * px, 0, 7);
      pen.fill();
    }
  }
  pen.globalAlpha = 1;
}

/** @param {Pen} pen @param {Scene} scene @param {Layout} layout @param {Display} display @param {number} px */
export function paintBeside(pen, scene, layout, { lines, framed }, px) {
  const { query, hit, outline, box, shared, colour } = scene;
  paintPicture(pen, query, layout.query);
  paintPicture(pen, hit, layout.hit);
  if (lines !== 'none') paintPairs(pen, scene, layout, lines === 'all', px);
  if (!framed) return;
  const own = box ?? (shared ? null : /** @type {Box} */ ([0, 0, query.width, query.height]));
  if (own) paintPolygon(pen, layout.query, corners(own), QUERY, 2.5 * px);
  if (shared) paintPolygon(pen, layout.query, shared, colour, 2.5 * px);
  if (!outline) return;
  const { x, y, scale } = layout.hit;
  pen.save();
  pen.beginPath();
  pen.rect(x, y, hit.width * scale, hit.height * scale);
  pen.clip();
  paintPolygon(pen, layout.hit, outline, colour, 2.5 * px);
  pen.restore();
}

/** @param {Pen} pen @param {Scene} scene @param {Layout} layout @param {Display} display @param {number} px */
export function paintOnTop(pen, { hit, overlay, outline, colour }, layout, { opacity, framed }, px) {
  paintPicture(pen, hit, layout.hit);
  if (overlay) {
    pen.globalAlpha = opacity;
    pen.drawImage(overlay.canvas, overlay.x, overlay.y, overlay.width, overlay.height);
    pen.globalAlpha = 1;
  }
  if (framed && outline) paintPolygon(pen, layout.hit, outline, colour, 2.5 * px);
}
