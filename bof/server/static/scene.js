// Two pictures that match, painted: side by side with lines between the points that agree, or one laid upon the other.
// A scene: {a, b: {bitmap, width, height}, box, outline, points, overlay}, in pixels from the left and top edge.

import { corners } from './transforms.js';

const QUERY = '#e5303f';
const PROVED = '#17a34a';
const OTHER = '#e08a00';
const SIDE = 1000;
const GAP = 24;

/** Where both pictures lie: beside each other, or one above the other on a tall stage. */
export function sideBySide({ a, b }, isTall) {
  const scale = (picture) => SIDE / (isTall ? picture.width : picture.height);
  const [first, second] = [scale(a), scale(b)];
  const start = isTall ? [0, a.height * first + GAP] : [a.width * first + GAP, 0];
  return {
    a: { x: 0, y: 0, scale: first },
    b: { x: start[0], y: start[1], scale: second },
    width: isTall ? SIDE : start[0] + b.width * second,
    height: isTall ? start[1] + b.height * second : SIDE,
  };
}

export const onTop = ({ b }) => ({ b: { x: 0, y: 0, scale: 1 }, width: b.width, height: b.height });

const at = (place, [x, y]) => [place.x + x * place.scale, place.y + y * place.scale];

function lay(pen, picture, place) {
  if (!picture.bitmap) {
    pen.fillStyle = '#8884';
    pen.fillRect(place.x, place.y, picture.width * place.scale, picture.height * place.scale);
    return;
  }
  pen.drawImage(picture.bitmap, place.x, place.y, picture.width * place.scale, picture.height * place.scale);
}

function polygon(pen, place, points, colour, width) {
  pen.beginPath();
  for (const point of points) pen.lineTo(...at(place, point));
  pen.closePath();
  pen.lineJoin = 'round';
  for (const [style, extra] of [['#fff', 2], [colour, 0]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width * (1 + extra / 3);
    pen.stroke();
  }
}

function lines(pen, scene, layout, which, px) {
  const order = [...scene.points.inlier.keys()].filter((i) => which === 'all' || scene.points.inlier[i]);
  order.sort((i, k) => scene.points.inlier[i] - scene.points.inlier[k]);
  const n = scene.points.inlier.filter(Boolean).length;
  const visible = Math.min(0.85, Math.max(0.3, 60 / n));
  for (const i of order) {
    const isInlier = scene.points.inlier[i];
    const ends = [at(layout.a, scene.points.query[i]), at(layout.b, scene.points.hit[i])];
    pen.globalAlpha = isInlier ? visible : 0.4;
    pen.strokeStyle = isInlier ? PROVED : OTHER;
    pen.lineWidth = (isInlier ? 1.4 : 0.8) * px;
    pen.beginPath();
    pen.moveTo(...ends[0]);
    pen.lineTo(...ends[1]);
    pen.stroke();
    pen.globalAlpha = isInlier ? 1 : 0.4;
    pen.fillStyle = pen.strokeStyle;
    for (const end of ends) {
      pen.beginPath();
      pen.arc(...end, (isInlier ? 2.6 : 1.6) * px, 0, 7);
      pen.fill();
    }
  }
  pen.globalAlpha = 1;
}

/** px: how much of the layout one pixel on the screen is, so that lines keep their width. */
export function paintBeside(pen, scene, layout, { which, framed }, px) {
  lay(pen, scene.a, layout.a);
  lay(pen, scene.b, layout.b);
  if (which !== 'none') lines(pen, scene, layout, which, px);
  if (!framed) return;
  polygon(pen, layout.a, corners(scene.box ?? [0, 0, scene.a.width, scene.a.height]), QUERY, 2.5 * px);
  if (!scene.outline) return;
  pen.save();
  pen.beginPath();
  pen.rect(layout.b.x, layout.b.y, scene.b.width * layout.b.scale, scene.b.height * layout.b.scale);
  pen.clip();
  polygon(pen, layout.b, scene.outline, scene.isProved ? PROVED : OTHER, 2.5 * px);
  pen.restore();
}

export function paintOnTop(pen, scene, layout, { opacity, framed }, px) {
  lay(pen, scene.b, layout.b);
  const { overlay } = scene;
  if (overlay) {
    pen.globalAlpha = opacity;
    pen.drawImage(overlay.canvas, overlay.x, overlay.y, overlay.width, overlay.height);
    pen.globalAlpha = 1;
  }
  if (framed && scene.outline) polygon(pen, layout.b, scene.outline, scene.isProved ? PROVED : OTHER, 2.5 * px);
}
