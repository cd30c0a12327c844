// @ts-check
// Where a point goes: turned and mirrored pictures, boxes, homographies.

/** @type {Turn[]} */
const TURNS = [0, 90, 180, 270];

/**
 * The turn that is a number of degrees, also in an address; 0 for any that is none.
 * @param {number | string | undefined} degrees
 */
export const turnOf = (degrees) => TURNS.find((turn) => turn === Number(degrees)) ?? 0;

/** Size of a turned picture. @param {Size} size @param {Turn} turn @returns {Size} */
export const turnedSize = ({ width, height }, turn) =>
  (turn % 180 ? { width: height, height: width } : { width, height });

/**
 * A point of the upright picture in the picture as shown.
 * @param {Point} point @param {Size} size @param {Pose} pose @returns {Point}
 */
function shownPoint([x, y], size, { turn, flip }) {
  const { width, height } = size;
  /** @type {Record<Turn, Point>} */
  const points = { 0: [x, y], 90: [height - y, x], 180: [width - x, height - y], 270: [y, width - x] };
  const [a, b] = points[turn];
  return flip ? [turnedSize(size, turn).width - a, b] : [a, b];
}

/** And back. @param {Point} point @param {Size} size @param {Pose} pose @returns {Point} */
function uprightPoint([x, y], size, { turn, flip }) {
  const { width, height } = size;
  const a = flip ? turnedSize(size, turn).width - x : x;
  /** @type {Record<Turn, Point>} */
  const points = { 0: [a, y], 90: [y, height - a], 180: [width - a, height - y], 270: [width - y, a] };
  return points[turn];
}

/**
 * A box of a picture in one pose, in the same picture in another pose.
 * @param {Box} box @param {Size} picture @param {Pose} from @param {Pose} to @returns {Box}
 */
export function carriedBox([x0, y0, x1, y1], picture, from, to) {
  /** @param {Point} point */
  const carried = (point) => shownPoint(uprightPoint(point, picture, from), picture, to);
  return boxAround(carried([x0, y0]), carried([x1, y1]));
}

/** @param {Point} a @param {Point} b @returns {Box} */
export const boxAround = ([x0, y0], [x1, y1]) =>
  [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];

/** @param {Box} box @returns {Point[]} */
export const corners = ([x0, y0, x1, y1]) => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];

/**
 * Where a homography takes a point, and by how much it divides (not positive: behind the viewer).
 * @param {Homography} m @param {Point} point @returns {[x: number, y: number, w: number]}
 */
export function apply(m, [x, y]) {
  const w = m[6] * x + m[7] * y + m[8];
  return [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w, w];
}

/** @param {Homography} m @param {Size} size */
export const isAffine = (m, { width, height }) => Math.abs(m[6]) * width + Math.abs(m[7]) * height < 1e-4;
