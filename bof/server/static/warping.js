// A picture seen through a homography, drawn on a 2D canvas: a net of triangles, each of which is affine.

import { apply, isAffine } from './transforms.js';

const CELLS = 20;
const LARGEST = 1800;
const OVERLAP_PX = 0.6;

const add = (corner, centre) => {
  const [dx, dy] = [corner[0] - centre[0], corner[1] - centre[1]];
  const length = Math.hypot(dx, dy) || 1;
  return [corner[0] + (dx / length) * OVERLAP_PX, corner[1] + (dy / length) * OVERLAP_PX];
};

/** The affine map of canvas' setTransform that takes three points to three others. */
function affine([a, b, c], [p, q, r]) {
  const [bx, by, cx, cy] = [b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]];
  const area = bx * cy - cx * by;
  const solve = (i) => {
    const [u, v] = [q[i] - p[i], r[i] - p[i]];
    return [(u * cy - v * by) / area, (v * bx - u * cx) / area];
  };
  const [[m11, m21], [m12, m22]] = [solve(0), solve(1)];
  return [m11, m12, m21, m22, p[0] - m11 * a[0] - m21 * a[1], p[1] - m12 * a[0] - m22 * a[1]];
}

function triangle(pen, bitmap, source, target) {
  const centre = [0, 1].map((i) => (target[0][i] + target[1][i] + target[2][i]) / 3);
  const map = affine(source, target);
  if (!map.every(Number.isFinite)) return;
  pen.save();
  pen.beginPath();
  for (const corner of target) pen.lineTo(...add(corner, centre));
  pen.clip();
  pen.transform(...map);
  pen.drawImage(bitmap, 0, 0);
  pen.restore();
}

/**
 * bitmap shows `size` {width, height} pixels of the original; m takes these to the target's; what lies in `frame`
 * [x0, y0, x1, y1], in the target's pixels, is kept. Returns {canvas, x, y, width, height}: what to draw,
 * and where in the target.
 */
export function warp(bitmap, size, m, frame) {
  const net = [];
  for (let i = 0; i <= CELLS; i += 1) {
    for (let j = 0; j <= CELLS; j += 1) net.push([(j / CELLS) * size.width, (i / CELLS) * size.height]);
  }
  const seen = net.map((point) => apply(m, point));
  const inFront = seen.filter(([, , w]) => w > 0);
  const lies = (i, pick, start) => inFront.reduce((best, point) => pick(best, point[i]), start);
  const x = Math.max(frame[0], lies(0, Math.min, Infinity));
  const y = Math.max(frame[1], lies(1, Math.min, Infinity));
  const width = Math.min(frame[2], lies(0, Math.max, -Infinity)) - x;
  const height = Math.min(frame[3], lies(1, Math.max, -Infinity)) - y;
  if (!(width > 0 && height > 0)) return null;
  const scale = Math.min(LARGEST / Math.max(width, height), Math.max(1, LARGEST / 2 / Math.max(width, height)));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const pen = canvas.getContext('2d');
  const [sx, sy] = [bitmap.width / size.width, bitmap.height / size.height];
  const source = net.map((point) => [point[0] * sx, point[1] * sy]);
  const target = seen.map((point) => [(point[0] - x) * scale, (point[1] - y) * scale]);
  if (isAffine(m, size)) {
    const three = [0, CELLS, CELLS * (CELLS + 1)];
    pen.transform(...affine(three.map((k) => source[k]), three.map((k) => target[k])));
    pen.drawImage(bitmap, 0, 0);
    return { canvas, x, y, width, height };
  }
  for (let i = 0; i < CELLS; i += 1) {
    for (let j = 0; j < CELLS; j += 1) {
      const k = i * (CELLS + 1) + j;
      const cell = [k, k + 1, k + CELLS + 2, k + CELLS + 1];
      if (cell.some((corner) => seen[corner][2] <= 0)) continue;
      for (const three of [[cell[0], cell[1], cell[2]], [cell[0], cell[2], cell[3]]]) {
        triangle(pen, bitmap, three.map((n) => source[n]), three.map((n) => target[n]));
      }
    }
  }
  return { canvas, x, y, width, height };
}
