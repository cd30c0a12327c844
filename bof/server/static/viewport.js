// @ts-check
// A canvas that can be zoomed and moved: wheel, pinch, drag, keyboard, buttons.

import { penOf } from './pictures.js';

const FARTHEST = 40;
const PAN_PX = 60;
const KEY_ZOOM = 1.3;
/** @type {Record<string, [x: number, y: number]>} */
const MOVES = { ArrowLeft: [PAN_PX, 0], ArrowRight: [-PAN_PX, 0], ArrowUp: [0, PAN_PX], ArrowDown: [0, -PAN_PX] };

export class Viewport {
  #view = { zoom: 1, x: 0, y: 0 };
  #frame = 0;
  /** @type {Map<number, Point>} */
  #fingers = new Map();

  /**
   * @param {HTMLCanvasElement} canvas it fills its parent
   * @param {(width: number, height: number) => Size} extent size of the painting on a canvas of a size
   * @param {Paint} paint
   */
  constructor(canvas, extent, paint) {
    this.canvas = canvas;
    this.extent = extent;
    this.paint = paint;
    this.#listen();
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(canvas);
  }

  close() {
    this.watcher.disconnect();
  }

  #listen() {
    const { canvas } = this;
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.#pointOf(event));
    }, { passive: false });
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#fingers.set(event.pointerId, this.#pointOf(event));
    });
    canvas.addEventListener('pointermove', (event) => this.#onFinger(event));
    canvas.addEventListener('pointerup', (event) => this.#fingers.delete(event.pointerId));
    canvas.addEventListener('pointercancel', (event) => this.#fingers.delete(event.pointerId));
    canvas.addEventListener('dblclick', (event) => this.zoom(2, this.#pointOf(event)));
    canvas.addEventListener('keydown', (event) => this.#onKey(event));
  }

  /** @param {MouseEvent} event @returns {Point} */
  #pointOf(event) {
    const area = this.canvas.getBoundingClientRect();
    return [event.clientX - area.left, event.clientY - area.top];
  }

  /** Screen pixels per unit of the painting, where its origin lies, and the size of the canvas on the screen. */
  #placement() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const inner = this.extent(width, height);
    const { zoom, x, y } = this.#view;
    const scale = Math.min(width / inner.width, height / inner.height) * 0.97 * zoom;
    const [left, top] = [(width - inner.width * scale) / 2, (height - inner.height * scale) / 2];
    return { scale, x: left + x, y: top + y, width, height };
  }

  /** Draws it with the next frame of the screen. */
  draw() {
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.#drawNow());
  }

  #drawNow() {
    this.#frame = 0;
    const { scale, x, y, width, height } = this.#placement();
    const density = Math.min(devicePixelRatio || 1, 2);
    if (!width || !height) return;
    [this.canvas.width, this.canvas.height] = [Math.round(width * density), Math.round(height * density)];
    const pen = penOf(this.canvas);
    pen.setTransform(scale * density, 0, 0, scale * density, x * density, y * density);
    this.paint(pen, 1 / scale);
  }

  /**
   * Zooms by a factor; a point stays where it is, the middle where none is given.
   * @param {number} factor @param {Point} [point]
   */
  zoom(factor, point) {
    const { width, height } = this.canvas.getBoundingClientRect();
    const [x, y] = point ?? [width / 2, height / 2];
    const before = this.#view;
    const zoom = Math.min(FARTHEST, Math.max(0.5, before.zoom * factor));
    const ratio = zoom / before.zoom;
    const [fx, fy] = [x - width / 2, y - height / 2];
    this.#view = { zoom, x: fx + (before.x - fx) * ratio, y: fy + (before.y - fy) * ratio };
    this.draw();
  }

  /** @param {number} dx @param {number} dy */
  #pan(dx, dy) {
    const { zoom, x, y } = this.#view;
    this.#view = { zoom, x: x + dx, y: y + dy };
    this.draw();
  }

  /** Shows all of it. */
  fit() {
    this.#view = { zoom: 1, x: 0, y: 0 };
    this.draw();
  }

  /** How far two fingers are apart, and the middle between them. @returns {{distance: number, middle: Point} | null} */
  #spread() {
    const [a, b, ...more] = this.#fingers.values();
    if (!a || !b || more.length) return null;
    return { distance: Math.hypot(a[0] - b[0], a[1] - b[1]), middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
  }

  /** @param {PointerEvent} event */
  #onFinger(event) {
    const start = this.#fingers.get(event.pointerId);
    if (!start) return;
    const before = this.#spread();
    const end = this.#pointOf(event);
    this.#fingers.set(event.pointerId, end);
    if (this.#fingers.size === 1) this.#pan(end[0] - start[0], end[1] - start[1]);
    const after = this.#spread();
    if (!before || !after) return;
    this.#pan(after.middle[0] - before.middle[0], after.middle[1] - before.middle[1]);
    this.zoom(after.distance / Math.max(before.distance, 1), after.middle);
  }

  /** Zooms by a key anywhere on the page; returns whether the key is one for that. @param {string} name */
  key(name) {
    if (name === '+' || name === '=') this.zoom(KEY_ZOOM);
    else if (name === '-' || name === '_') this.zoom(1 / KEY_ZOOM);
    else if (name === '0') this.fit();
    else return false;
    return true;
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const move = MOVES[event.key];
    if (move) this.#pan(...move);
    else if (!this.key(event.key)) return;
    event.preventDefault();
  }
}
