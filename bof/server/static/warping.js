// @ts-check
// Draws a picture through a homography on a 2D canvas, as a net of triangles: each triangle is affine.

import { penOf } from './pictures.js';
import { apply, isAffine } from './transforms.js';

const CELLS = 20;
const LARGEST = 1800;
const OVERLAP_PX = 0.6;

/** @typedef {[Point, Point, Point]} Triangle */

/**
 * A corner moved away from the centre, so that neighbours overlap.
 * @param {Point} corner @param {Point} centre @returns {Point}
 */
const outward = (corner, centre) => {
  const [dx, dy] = [corner[0] - centre[0], corner[1] - centre[1]];
  const length = Math.hypot(dx, dy) || 1;
  return [corner[0] + (dx / length) * OVERLAP_PX, corner[1] + (dy / length) * OVERLAP_PX];
};

/**
 * The affine map, as the canvas' transform takes it, from three points to three others.
 * @param {Triangle} source @param {Triangle} target
 * @returns {[number, number, number, number, number, number]}
 */
function affine([a, b, c], [p, q, r]) {
  const [bx, by, cx, cy] = [b[0] - a[0], b[1] - a[1], c[0] - a[0], c[1] - a[1]];
  const area = bx * cy - cx * by;
  /** @param {0 | 1} i @returns {[number, number, number]} */
  const solve = (i) => {
    const [u, v] = [q[i] - p[i], r[i] - p[i]];
    const [mx, my] = [(u * cy - v * by) / area, (v * bx - u * cx) / area];
    return [mx, my, p[i] - mx * a[0] - my * a[1]];
  };
  const [[m11, m21, dx], [m12, m22, dy]] = [solve(0), solve(1)];
  return [m11, m12, m21, m22, dx, dy];
}

/** @param {Pen} pen @param {Bitmap} bitmap @param {Triangle} source @param {Triangle} target */
function drawTriangle(pen, bitmap, source, target) {
  const [a, b, c] = target;
  const map = affine(source, target);
  if (!map.every(Number.isFinite)) return;
  pen.save();
  pen.beginPath();
  for (const corner of target) pen.lineTo(...outward(corner, [(a[0] + b[0] + c[0]) / 3, (a[1] + b[1] + c[1]) / 3]));
  pen.clip();
  pen.transform(...map);
  pen.drawImage(bitmap, 0, 0);
  pen.restore();
}

/**
 * A point of the bitmap, and where it goes in the target.
 * @typedef {{source: Point, target: Point, isInFront: boolean}} NetNode
 */

/**
 * A net over a picture, row by row.
 * @param {(across: number, down: number) => NetNode} node of two shares of the picture
 */
function netOf(node) {
  const steps = [...Array(CELLS + 1).keys()].map((i) => i / CELLS);
  return steps.flatMap((down) => steps.map((across) => node(across, down)));
}

/** The extent of a net inside a frame. @param {NetNode[]} net @param {Box} frame */
function extentOf(net, frame) {
  const inFront = net.filter(({ isInFront }) => isInFront);
  const [xs, ys] = [inFront.map(({ target: [x] }) => x), inFront.map(({ target: [, y] }) => y)];
  const [x, y] = [Math.max(frame[0], Math.min(...xs)), Math.max(frame[1], Math.min(...ys))];
  return { x, y, width: Math.min(frame[2], Math.max(...xs)) - x, height: Math.min(frame[3], Math.max(...ys)) - y };
}

/** Two triangles for each cell of a net that lies in front of the viewer. @param {NetNode[]} net */
function trianglesOf(net) {
  const row = CELLS + 1;
  /** @type {[NetNode, NetNode, NetNode][]} */
  const triangles = [];
  net.forEach((corner, k) => {
    const [right, below, opposite] = [net[k + 1], net[k + row], net[k + row + 1]];
    if ((k + 1) % row === 0 || !right || !below || !opposite) return;
    if (![corner, right, below, opposite].every(({ isInFront }) => isInFront)) return;
    triangles.push([corner, right, opposite], [corner, opposite, below]);
  });
  return triangles;
}

/**
 * What to draw, and where in the target; null where nothing of it lies in the frame.
 * @param {Bitmap} bitmap @param {Size} size pixels of the original that the bitmap shows
 * @param {Homography} m takes these pixels to the target's @param {Box} frame the part of the target to draw
 * @returns {Overlay | null}
 */
export function warp(bitmap, size, m, frame) {
  /** @param {number} across @param {number} down @returns {NetNode} */
  const node = (across, down) => {
    const [x, y, w] = apply(m, [across * size.width, down * size.height]);
    return { source: [across * bitmap.width, down * bitmap.height], target: [x, y], isInFront: w > 0 };
  };
  const net = netOf(node);
  const extent = extentOf(net, frame);
  const { x, y, width, height } = extent;
  if (!(width > 0 && height > 0)) return null;
  const scale = Math.min(LARGEST / Math.max(width, height), Math.max(1, LARGEST / 2 / Math.max(width, height)));
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  const pen = penOf(canvas);
  /** @param {NetNode} node @returns {Point} */
  const onCanvas = ({ target }) => [(target[0] - x) * scale, (target[1] - y) * scale];
  /** @param {[NetNode, NetNode, NetNode]} nodes @returns {[source: Triangle, target: Triangle]} */
  const sides = ([a, b, c]) => [[a.source, b.source, c.source], [onCanvas(a), onCanvas(b), onCanvas(c)]];
  if (isAffine(m, size)) {
    pen.transform(...affine(...sides([node(0, 0), node(1, 0), node(0, 1)])));
    pen.drawImage(bitmap, 0, 0);
  } else for (const triangle of trianglesOf(net)) drawTriangle(pen, bitmap, ...sides(triangle));
  return { canvas, ...extent };
}
