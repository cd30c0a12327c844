// The query with a region that is drawn, moved and resized on it: pointer, fingers, keyboard, or exact numbers.

import { h, say } from './dom.js';
import { t } from './language.js';
import { turned } from './pictures.js';
import { turnedSize } from './transforms.js';

const EDGES = ['nw', 'n', 'ne', 'e', 'se', 's', 'sw', 'w'];
const SMALLEST = 0.02;
const PAUSE_MS = 500;
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const CLEARING = ['Escape', 'Delete', 'Backspace'];

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** Move or resize a region [x0, y0, x1, y1], shares of the picture; `edge` is '' to move all of it. */
function dragged(box, edge, dx, dy) {
  const [x0, y0, x1, y1] = box;
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

const between = ([a, b], [x, y]) => [Math.min(a, x), Math.min(b, y), Math.max(a, x), Math.max(b, y)];

/** The region editor of one picture {width, height, bitmap}; boxes are in pixels of the picture as shown. */
export class Region {
  /** onChange: called with a box, or null, when the reader has done with it. */
  constructor({ picture, turn, flip, box, onChange }) {
    this.size = turnedSize(picture, turn);
    this.onChange = onChange;
    this.part = null;
    this.waiting = 0;
    this.isChanging = false;
    this.build(picture, turned(picture.bitmap, turn, flip));
    this.setBox(box);
  }

  build(picture, canvas) {
    this.canvas = canvas;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', t('query.picture', { name: picture.name || t('query.yours') }));
    this.frame = h('div', {
      class: 'region', tabindex: 0, role: 'group', hidden: true, 'aria-describedby': 'region-keys',
      onkeydown: (event) => this.onKey(event),
    }, EDGES.map((edge) => h('span', { class: `handle ${edge}`, 'data-edge': edge })));
    this.stage = h('div', { class: 'canvas', onpointerdown: (event) => this.onDown(event) }, canvas, this.frame);
    this.inputs = ['x0', 'y0', 'x1', 'y1'].map((name, i) =>
      h('input', { type: 'number', min: 0, max: this.extent(i), name, onchange: () => this.typed() }));
    this.element = h('div', { class: 'query-picture' }, this.stage, h('details', { class: 'exact' },
      h('summary', {}, t('region.exact')), h('p', { id: 'region-keys', class: 'small' }, t('region.keys')),
      h('div', { class: 'numbers' }, this.inputs.map((input) =>
        h('label', { class: 'field' }, h('span', {}, t(`region.${input.name}`)), input)))));
  }

  /** Pixels along the axis of the i-th number of a box. */
  extent(i) {
    return i % 2 ? this.size.height : this.size.width;
  }

  inPixels() {
    return this.part.map((share, i) => Math.round(share * this.extent(i)));
  }

  paint() {
    const { part, frame } = this;
    frame.hidden = part === null;
    this.stage.classList.toggle('has-region', part !== null);
    const values = part ? this.inPixels() : [0, 0, this.size.width, this.size.height];
    values.forEach((value, i) => { this.inputs[i].value = value; });
    if (!part) return;
    const inPercent = (share) => `${share * 100}%`;
    [frame.style.left, frame.style.top] = [part[0], part[1]].map(inPercent);
    [frame.style.width, frame.style.height] = [part[2] - part[0], part[3] - part[1]].map(inPercent);
    const [x0, y0, x1, y1] = values;
    frame.setAttribute('aria-label', t('region.label', { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }));
  }

  become(part) {
    this.part = part;
    this.paint();
  }

  done() {
    clearTimeout(this.waiting);
    this.isChanging = false;
    this.onChange(this.part && this.inPixels());
  }

  /** Done, unless more follows. */
  soon() {
    clearTimeout(this.waiting);
    this.isChanging = true;
    this.waiting = setTimeout(() => {
      say(this.part ? this.frame.getAttribute('aria-label') : t('region.none'));
      this.done();
    }, PAUSE_MS);
  }

  typed() {
    const [x0, y0, x1, y1] = this.inputs.map((input, i) => clamp((Number(input.value) || 0) / this.extent(i), 0, 1));
    if (x1 - x0 >= 0.001 && y1 - y0 >= 0.001) this.become([x0, y0, x1, y1]);
    this.soon();
  }

  /** Where a pointer is, in shares of the picture. */
  where(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return [clamp((event.clientX - left) / width, 0, 1), clamp((event.clientY - top) / height, 0, 1)];
  }

  onDown(event) {
    if (event.button !== 0 || !event.isPrimary) return;
    event.preventDefault();
    this.stage.setPointerCapture(event.pointerId);
    this.isChanging = true;
    const edge = this.frame.contains(event.target) ? event.target.dataset.edge ?? '' : null;
    const drag = { start: this.where(event), before: this.part, edge };
    const listening = new AbortController();
    const listen = (name, what) => this.stage.addEventListener(name, what, { signal: listening.signal });
    const end = (kept) => {
      listening.abort();
      this.onUp(drag, kept);
    };
    listen('pointermove', (now) => this.onMove(drag, this.where(now)));
    listen('pointerup', () => end(true));
    listen('pointercancel', () => end(false));
  }

  onMove({ start, before, edge }, [x, y]) {
    const [dx, dy] = [x - start[0], y - start[1]];
    if (edge !== null) this.become(dragged(before, edge, dx, dy));
    else if (Math.max(Math.abs(dx), Math.abs(dy)) > SMALLEST) this.become(between(start, [x, y]));
  }

  onUp({ before }, isKept) {
    this.isChanging = false;
    const { part } = this;
    const isTiny = part && Math.min(part[2] - part[0], part[3] - part[1]) < SMALLEST;
    if (!isKept || isTiny) this.become(before);
    else if (part !== before) this.done();
    if (this.part) this.frame.focus({ preventScroll: true });
  }

  onKey(event) {
    const step = event.altKey ? 0.002 : 0.02;
    const move = STEPS[event.key];
    if (move) this.become(dragged(this.part, event.shiftKey ? 'se' : '', move[0] * step, move[1] * step));
    else if (CLEARING.includes(event.key)) this.become(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
    this.soon();
  }

  /** Shows a box that comes from outside; what the reader is changing at the moment goes before it. */
  setBox(box) {
    if (!this.isChanging) this.become(box && box.map((value, i) => clamp(value / this.extent(i), 0, 1)));
  }

  /** A region in the middle, for those who do not draw it; the keyboard takes it from there. */
  start() {
    if (!this.part) {
      this.become([0.25, 0.25, 0.75, 0.75]);
      this.done();
    }
    this.frame.focus();
  }
}
