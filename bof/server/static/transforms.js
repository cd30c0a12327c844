// Where a point goes: turned and mirrored pictures, boxes, and homographies as nine numbers in rows.

/** Size of a picture after turning it clockwise by 0, 90, 180 or 270 degrees. */
export const turnedSize = ({ width, height }, turn) =>
  (turn % 180 ? { width: height, height: width } : { width, height });

/** A point of the upright picture in the picture as shown: turned clockwise, then mirrored left to right. */
function shownPoint([x, y], { width, height }, turn, flip) {
  const [a, b] = { 0: [x, y], 90: [height - y, x], 180: [width - x, height - y], 270: [y, width - x] }[turn];
  return flip ? [turnedSize({ width, height }, turn).width - a, b] : [a, b];
}

/** And back. */
function uprightPoint([x, y], picture, turn, flip) {
  const a = flip ? turnedSize(picture, turn).width - x : x;
  const { width, height } = picture;
  return { 0: [a, y], 90: [y, height - a], 180: [width - a, height - y], 270: [width - y, a] }[turn];
}

const boxOf = ([x0, y0], [x1, y1]) => [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)];

const through = (move) => (box, picture, turn, flip) =>
  boxOf(move([box[0], box[1]], picture, turn, flip), move([box[2], box[3]], picture, turn, flip));

const shownBox = through(shownPoint);
const uprightBox = through(uprightPoint);

/** A box of a picture shown one way, in the same picture shown another way; a way is {turn, flip}. */
export const carriedBox = (box, picture, from, to) =>
  shownBox(uprightBox(box, picture, from.turn, from.flip), picture, to.turn, to.flip);

export const corners = ([x0, y0, x1, y1]) => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];

/** Where a homography takes a point, and by how much it divides (not positive: behind the viewer). */
export function apply(m, [x, y]) {
  const w = m[6] * x + m[7] * y + m[8];
  return [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w, w];
}

export const isAffine = (m, { width, height }) => Math.abs(m[6]) * width + Math.abs(m[7]) * height < 1e-4;
