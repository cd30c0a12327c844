// @ts-check
// Where the hits lie in the query: all outlines faintly over its picture, and clearly the one that is pointed at.

import { svg } from './dom.js';

/** @typedef {{points: Point[], polygon: SVGPolygonElement, card: HTMLElement, size: number}} Outline */

const PROVED = new Set(['same', 'part']);
const CLICK_PX = 6;

/** Where a hit lies in the query, or what both share. @param {Api.Hit} hit */
export const outlineInQuery = ({ verdict, query_outline: outline, query_region: shared }) =>
  (verdict === 'part' ? shared : outline);

/** @param {Point[]} points */
function areaOf(points) {
  const next = [...points.slice(1), ...points.slice(0, 1)];
  return Math.abs(points.reduce((sum, [x, y], i) => {
    const [a, b] = next[i] ?? [x, y];
    return sum + x * b - a * y;
  }, 0)) / 2;
}

/** By the even-odd rule. @param {Point[]} points @param {Point} point */
function holds(points, [x, y]) {
  let isInside = false;
  let [a, b] = points[points.length - 1] ?? [0, 0];
  for (const [c, d] of points) {
    if ((b > y) !== (d > y) && x < ((c - a) * (y - b)) / (d - b) + a) isInside = !isInside;
    [a, b] = [c, d];
  }
  return isInside;
}

/** The smallest upright box around points. @param {Point[]} points @returns {[Point, Point]} */
function boxAround(points) {
  const xs = points.map(([x]) => x), ys = points.map(([, y]) => y);
  return [[Math.min(...xs), Math.min(...ys)], [Math.max(...xs), Math.max(...ys)]];
}

/** Do the boxes share more than half of what either covers? @param {Point[]} one @param {Point[]} other */
function isAtOnePlace(one, other) {
  const [[a, b], [c, d]] = boxAround(one), [[e, f], [g, i]] = boxAround(other);
  const shared = Math.max(0, Math.min(c, g) - Math.max(a, e)) * Math.max(0, Math.min(d, i) - Math.max(b, f));
  return shared > ((c - a) * (d - b) + (g - e) * (i - f) - shared) / 2;
}

/** The outlines over the picture of one query. They take no pointer away: regions are drawn as ever. */
export class QueryOutlines {
  /** @type {Outline[]} */
  #outlines = [];
  /** @type {Outline | null} */
  #lit = null;
  #listening = new AbortController();
  /** Where the pointer went down, and on which outline: a note may move the page before the click comes. */
  #down = { x: 0, y: 0, outline: /** @type {Outline | null} */ (null) };

  /** @param {HTMLElement} area holds the picture @param {Size} size of the picture as shown, in pixels */
  constructor(area, size) {
    this.area = area;
    this.size = size;
    this.drawn = svg('svg', {
      class: 'where', viewBox: `0 0 ${size.width} ${size.height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true',
    });
    area.append(this.drawn);
    const { signal } = this.#listening;
    area.addEventListener('pointerdown', (event) => {
      this.#down = { x: event.clientX, y: event.clientY, outline: this.#at(event) };
    }, { signal });
    area.addEventListener('pointermove', (event) => this.#onMove(event), { signal });
    area.addEventListener('pointerleave', () => this.#light(null), { signal });
    area.addEventListener('click', (event) => this.#onClick(event), { signal });
  }

  /**
   * Shows where a hit lies, clearly while its card is pointed at, and else only where no better hit is outlined: thirty
   * photographs of one thing would hide it.
   * @param {Api.Hit} hit @param {HTMLElement} card
   */
  add(hit, card) {
    const isOfOther = hit.query_number > 0;  // it lies in a picture that is not shown here
    const corners = PROVED.has(hit.verdict) && !isOfOther ? outlineInQuery(hit) : null;
    if (!corners) return;
    const points = corners.map(([x, y]) => /** @type {Point} */ ([x + 0.5, y + 0.5]));
    const isHidden = this.#outlines.some((other) => isAtOnePlace(other.points, points));
    const polygon = svg('polygon', {
      class: `${hit.verdict}${isHidden ? ' behind' : ''}`, points: points.map((point) => point.join(',')).join(' '),
      'vector-effect': 'non-scaling-stroke', 'data-id': hit.id,
    });
    const outline = { points, polygon, card, size: areaOf(points) };
    this.#outlines.push(outline);
    this.drawn.append(polygon);
    const { signal } = this.#listening;
    for (const name of ['pointerenter', 'focusin']) card.addEventListener(name, () => this.#light(outline), { signal });
    for (const name of ['pointerleave', 'focusout']) card.addEventListener(name, () => this.#light(null), { signal });
  }

  close() {
    this.#light(null);
    this.#listening.abort();
    this.drawn.remove();
  }

  /** @param {Outline | null} outline */
  #light(outline) {
    if (outline === this.#lit) return;
    for (const element of [this.#lit?.polygon, this.#lit?.card]) element?.classList.remove('lit');
    for (const element of [outline?.polygon, outline?.card]) element?.classList.add('lit');
    if (outline) this.drawn.append(outline.polygon);  // on top of the others
    this.drawn.classList.toggle('has-lit', outline !== null);
    this.#lit = outline;
  }

  /** The smallest outline around a place of the screen. @param {MouseEvent} event */
  #at({ clientX, clientY }) {
    const { left, top, width, height } = this.drawn.getBoundingClientRect();
    /** @type {Point} */
    const point = [((clientX - left) / width) * this.size.width, ((clientY - top) / height) * this.size.height];
    const around = this.#outlines.filter(({ points }) => holds(points, point));
    return around.sort((a, b) => a.size - b.size)[0] ?? null;
  }

  /** @param {PointerEvent} event */
  #onMove(event) {
    if (event.buttons === 0) this.#light(this.#at(event));
  }

  /** A click or a tap, not the end of a drag, goes to the hit that lies there. @param {MouseEvent} event */
  #onClick(event) {
    const { x, y, outline } = this.#down;
    if (Math.hypot(event.clientX - x, event.clientY - y) > CLICK_PX) return;
    this.#light(outline);
    if (!outline) return;
    event.preventDefault();
    outline.card.scrollIntoView({ block: 'center', behavior: 'smooth' });
    outline.card.querySelector('a')?.focus({ preventScroll: true });
  }
}
