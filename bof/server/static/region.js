// @ts-check
// The query with a region that the reader draws, moves and resizes: by pointer, fingers, keyboard, or exact numbers.
// A finger on the picture scrolls the page, unless the region button was pressed before, or the finger stays a while.

import { h, say, toast } from './dom.js';
import { t } from './language.js';
import { watchPress } from './long_press.js';
import { boxAround } from './transforms.js';

const EDGES = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'];
const SIDES = /** @type {const} */ (['x0', 'y0', 'x1', 'y1']);
const SMALLEST = 0.02;
const PAUSE_MS = 500;
/** @type {Record<string, [x: number, y: number]>} */
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CLEARING = ['Escape', 'Delete', 'Backspace'];

/** @param {number} value @param {number} low @param {number} high */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/**
 * A region after it was moved or resized.
 * @param {Box} box shares of the picture @param {string} edge what is dragged; '' moves all of it
 * @param {number} dx @param {number} dy @returns {Box}
 */
function dragged([x0, y0, x1, y1], edge, dx, dy) {
  if (edge === '') {
    const [mx, my] = [clamp(dx, -x0, 1 - x1), clamp(dy, -y0, 1 - y1)];
    return [x0 + mx, y0 + my, x1 + mx, y1 + my];
  }
  return [
    edge.includes('w') ? clamp(x0 + dx, 0, x1 - SMALLEST) : x0,
    edge.includes('n') ? clamp(y0 + dy, 0, y1 - SMALLEST) : y0,
    edge.includes('e') ? clamp(x1 + dx, x0 + SMALLEST, 1) : x1,
    edge.includes('s') ? clamp(y1 + dy, y0 + SMALLEST, 1) : y1,
  ];
}

/**
 * region: before the drag; edge: what is dragged, null where a new region is drawn.
 * @typedef {{start: Point, region: Box | null, edge: string | null}} Drag
 */

/** The region editor of one picture. */
export class Region {
  /** Shares of the picture. @type {Box | null} */
  region = null;
  /** Does a finger draw? For one drag, then it scrolls again. */
  isDrawing = false;
  #waiting = 0;
  #isChanging = false;

  /**
   * @param {HTMLCanvasElement} canvas the picture as shown @param {string} name of the picture
   * @param {Size} size of the picture as shown, in pixels @param {Box | null} box in these pixels
   * @param {(box: Box | null) => void} onChange what happens when the reader has changed the box
   * @param {(isDrawing: boolean) => void} onMode
   */
  constructor(canvas, name, size, box, onChange, onMode) {
    this.canvas = canvas;
    this.size = size;
    this.onChange = onChange;
    this.onMode = onMode;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', t('query.picture', { name }));
    this.frame = h('div', {
      class: 'region', tabindex: 0, role: 'group', hidden: true, 'aria-describedby': 'region-keys',
      onkeydown: (event) => this.#onKey(event),
    }, EDGES.map((edge) => h('span', { class: `handle ${edge}`, 'data-edge': edge })));
    this.area = h('div', { class: 'canvas', onpointerdown: (event) => this.#onDown(event) }, canvas, this.frame);
    // A browser asks here whether a finger scrolls: it does not, once it changes the region.
    this.area.addEventListener('touchmove', (event) => this.#isChanging && event.cancelable && event.preventDefault(),
      { passive: false });
    this.area.addEventListener('contextmenu', (event) => this.#isChanging && event.preventDefault());
    this.inputs = SIDES.map((side, i) =>
      h('input', { type: 'number', min: 0, max: this.#extent(i), name: side, onchange: () => this.#onNumber() }));
    this.element = h('div', { class: 'query-picture' }, this.area, h('details', { class: 'exact' },
      h('summary', {}, t('region.exact')), h('p', { id: 'region-keys', class: 'small' }, t('region.keys')),
      h('div', { class: 'numbers' }, SIDES.map((side, i) =>
        h('label', { class: 'field' }, h('span', {}, t(`region.${side}`)), this.inputs[i])))));
    this.setBox(box);
  }

  /** Pixels along the axis of the i-th number of a box. @param {number} i */
  #extent(i) {
    return i % 2 ? this.size.height : this.size.width;
  }

  /** @param {Box} region @returns {Box} */
  #inPixels([x0, y0, x1, y1]) {
    const { width, height } = this.size;
    return [Math.round(x0 * width), Math.round(y0 * height), Math.round(x1 * width), Math.round(y1 * height)];
  }

  /** @param {Box | null} region */
  #setRegion(region) {
    const { frame, inputs, area } = this;
    this.region = region;
    frame.hidden = region === null;
    area.classList.toggle('has-region', region !== null);
    const box = this.#inPixels(region ?? [0, 0, 1, 1]);
    inputs.forEach((input, i) => { input.value = String(box[i]); });
    if (!region) return;
    const [left, top, right, bottom] = region;
    Object.assign(frame.style, {
      left: `${left * 100}%`, top: `${top * 100}%`,
      width: `${(right - left) * 100}%`, height: `${(bottom - top) * 100}%`,
    });
    const [x, y, x1, y1] = box;
    frame.setAttribute('aria-label', t('region.label', { x, y, width: x1 - x, height: y1 - y }));
  }

  #done() {
    clearTimeout(this.#waiting);
    this.#isChanging = false;
    this.onChange(this.region && this.#inPixels(this.region));
  }

  /** Done, unless the reader goes on within a moment. */
  #doneSoon() {
    clearTimeout(this.#waiting);
    this.#isChanging = true;
    this.#waiting = setTimeout(() => {
      say(this.region ? this.frame.getAttribute('aria-label') ?? '' : t('region.none'));
      this.#done();
    }, PAUSE_MS);
  }

  #onNumber() {
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = this.inputs.map((input, i) =>
      clamp((Number(input.value) || 0) / this.#extent(i), 0, 1));
    if (x1 - x0 >= 0.001 && y1 - y0 >= 0.001) this.#setRegion([x0, y0, x1, y1]);
    this.#doneSoon();
  }

  /** Where a pointer is, in shares of the picture. @param {PointerEvent} event @returns {Point} */
  #pointOf(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [clamp((event.clientX - left) / width, 0, 1), clamp((event.clientY - top) / height, 0, 1)];
  }

  /** @param {boolean} isDrawing */
  #setDrawing(isDrawing) {
    this.isDrawing = isDrawing;
    this.area.classList.toggle('drawing', isDrawing);
    if (!isDrawing) this.area.classList.remove('large');
    this.onMode(isDrawing);
  }

  /** What a pointer drags: an edge, '' for all of the region, null for a new one. @param {PointerEvent} event */
  #edgeAt({ target }) {
    const isOnFrame = target instanceof HTMLElement && this.frame.contains(target);
    return isOnFrame ? target.dataset.edge ?? '' : null;
  }

  /** @param {PointerEvent} event */
  #onDown(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    const edge = this.#edgeAt(event);
    if (event.pointerType !== 'touch' || this.isDrawing || edge) {
      event.preventDefault();
      this.#begin(event, edge);
    } else {
      watchPress(this.area, event, () => {
        this.#setDrawing(true);
        this.#begin(event, edge);
      }, () => this.area.addEventListener('click', (click) => click.defaultPrevented || toast(t('region.touch')),
        { once: true }));  // not before the click, which would go to the note
    }
  }

  /** @param {PointerEvent} event @param {string | null} edge */
  #begin(event, edge) {
    this.area.setPointerCapture(event.pointerId);
    this.#isChanging = true;
    const drag = { start: this.#pointOf(event), region: this.region, edge };
    const listening = new AbortController();
    const { signal } = listening;
    /** @param {boolean} isComplete */
    const end = (isComplete) => {
      listening.abort();
      this.#onUp(drag, isComplete);
    };
    this.area.addEventListener('pointermove', (now) => this.#onMove(drag, this.#pointOf(now)), { signal });
    this.area.addEventListener('pointerup', () => end(true), { signal });
    this.area.addEventListener('pointercancel', () => end(false), { signal });
  }

  /** @param {Drag} drag @param {Point} point */
  #onMove({ start, region, edge }, point) {
    const [dx, dy] = [point[0] - start[0], point[1] - start[1]];
    if (edge !== null && region) this.#setRegion(dragged(region, edge, dx, dy));
    else if (Math.max(Math.abs(dx), Math.abs(dy)) > SMALLEST) this.#setRegion(boxAround(start, point));
  }

  /** @param {Drag} drag @param {boolean} isComplete */
  #onUp({ region: before }, isComplete) {
    this.#isChanging = false;
    this.#setDrawing(false);
    const { region } = this;
    const isTiny = region && Math.min(region[2] - region[0], region[3] - region[1]) < SMALLEST;
    if (!isComplete || isTiny) this.#setRegion(before);
    else if (region !== before) this.#done();
    if (this.region) this.frame.focus({ preventScroll: true });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    const size = event.altKey ? 0.002 : 0.02;
    const step = STEPS[event.key];
    if (step && this.region) {
      this.#setRegion(dragged(this.region, event.shiftKey ? 'se' : '', step[0] * size, step[1] * size));
    } else if (CLEARING.includes(event.key)) this.#setRegion(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.#doneSoon();
  }

  /**
   * Shows a box that comes from the address or the server, unless the reader is changing it.
   * @param {Box | null} box
   */
  setBox(box) {
    if (this.#isChanging) return;
    const { width, height } = this.size;
    /** @param {number} value @param {number} extent */
    const share = (value, extent) => clamp(value / extent, 0, 1);
    this.#setRegion(box && [share(box[0], width), share(box[1], height), share(box[2], width), share(box[3], height)]);
  }

  /**
   * Lets a finger draw, or not again; puts a region in the middle, where there is none, for the keyboard to move and
   * resize.
   */
  start() {
    this.#setDrawing(!this.isDrawing);
    this.area.classList.toggle('large', this.isDrawing);
    if (!this.region) {
      this.#setRegion([0.25, 0.25, 0.75, 0.75]);
      this.#done();
    }
    this.frame.focus();
  }
}
