// A canvas that can be zoomed and moved: wheel, pinch, drag, keyboard, buttons.

const FARTHEST = 40;
const PAN_PX = 60;
const MOVES = { ArrowLeft: [PAN_PX, 0], ArrowRight: [-PAN_PX, 0], ArrowUp: [0, PAN_PX], ArrowDown: [0, -PAN_PX] };

export class Stage {
  /**
   * canvas: fills its parent; extent(width, height): size {width, height} of what is painted on a stage of that size;
   * paint(pen, px): paints it, px being its units per screen pixel.
   */
  constructor(canvas, extent, paint) {
    Object.assign(this, { canvas, extent, paint, view: { zoom: 1, x: 0, y: 0 }, wanted: 0, fingers: new Map() });
    this.listen();
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(canvas.parentElement);
  }

  close() {
    this.watcher.disconnect();
  }

  listen() {
    const on = (name, what, options) => this.canvas.addEventListener(name, what, options);
    on('wheel', (event) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), this.point(event));
    }, { passive: false });
    on('pointerdown', (event) => {
      this.canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, this.point(event));
    });
    on('pointermove', (event) => this.fingers.has(event.pointerId) && this.onFinger(event));
    for (const end of ['pointerup', 'pointercancel']) on(end, (event) => this.fingers.delete(event.pointerId));
    on('dblclick', (event) => this.zoom(2, this.point(event)));
    on('keydown', (event) => this.onKey(event));
  }

  point(event) {
    const area = this.canvas.getBoundingClientRect();
    return [event.clientX - area.left, event.clientY - area.top];
  }

  /** Screen pixels per unit, and where the origin lies. */
  placing() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const inner = this.extent(width, height);
    const { zoom, x, y } = this.view;
    const scale = Math.min(width / inner.width, height / inner.height) * 0.97 * zoom;
    const middle = (whole, part) => (whole - part * scale) / 2;
    return { scale, x: middle(width, inner.width) + x, y: middle(height, inner.height) + y, width, height };
  }

  draw() {
    this.wanted ||= requestAnimationFrame(() => this.drawNow());
  }

  drawNow() {
    this.wanted = 0;
    const { scale, x, y, width, height } = this.placing();
    const dense = Math.min(devicePixelRatio || 1, 2);
    if (!width || !height) return;
    [this.canvas.width, this.canvas.height] = [Math.round(width * dense), Math.round(height * dense)];
    const pen = this.canvas.getContext('2d');
    pen.setTransform(scale * dense, 0, 0, scale * dense, x * dense, y * dense);
    this.paint(pen, 1 / scale);
  }

  /** Zoom by a factor; the point (x, y) of the stage stays where it is, the middle if none is given. */
  zoom(factor, point) {
    const { width, height } = this.canvas.getBoundingClientRect();
    const [x, y] = point ?? [width / 2, height / 2];
    const next = Math.min(FARTHEST, Math.max(0.5, this.view.zoom * factor));
    const real = next / this.view.zoom;
    const [fx, fy] = [x - width / 2, y - height / 2];
    this.view = { zoom: next, x: fx + (this.view.x - fx) * real, y: fy + (this.view.y - fy) * real };
    this.draw();
  }

  pan(dx, dy) {
    this.view = { ...this.view, x: this.view.x + dx, y: this.view.y + dy };
    this.draw();
  }

  fit() {
    this.view = { zoom: 1, x: 0, y: 0 };
    this.draw();
  }

  /** How far two fingers are apart, and the middle between them. */
  spread() {
    const [a, b] = [...this.fingers.values()];
    return { far: Math.hypot(a[0] - b[0], a[1] - b[1]), x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
  }

  onFinger(event) {
    const before = this.fingers.size === 2 ? this.spread() : null;
    const [x, y] = this.fingers.get(event.pointerId);
    const next = this.point(event);
    this.fingers.set(event.pointerId, next);
    if (this.fingers.size === 1) this.pan(next[0] - x, next[1] - y);
    if (!before) return;
    const after = this.spread();
    this.pan(after.x - before.x, after.y - before.y);
    this.zoom(after.far / Math.max(before.far, 1), [after.x, after.y]);
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (MOVES[event.key]) this.pan(...MOVES[event.key]);
    else if (event.key === '+' || event.key === '=') this.zoom(1.3);
    else if (event.key === '-') this.zoom(1 / 1.3);
    else if (event.key === '0') this.fit();
    else return;
    event.preventDefault();
  }
}
