// @ts-check
// The reader chooses in the page: drags an area, or clicks a picture. The page's own scripts can do neither.

(() => {
  const { isPicture, areaOf, shadowOf, ofDocument, setChosen } = bofPictures;
  const DRAG_PX = 6;
  const HIDDEN_MS = 250;
  const TOP = 'all: initial; position: fixed; box-sizing: border-box;';

  /** Without a style sheet, which the page's policy might refuse. @param {string} style */
  function block(style) {
    const element = /** @type {HTMLElement} */ (ofDocument('createElement', 'div'));
    element.style.cssText = TOP + style;
    return element;
  }

  const host = block('inset: 0; width: 100vw; height: 100vh; margin: 0; padding: 0; border: 0; cursor: crosshair;'
    + 'background: rgb(0 0 0 / 0.25); z-index: 2147483647; overflow: hidden; touch-action: none; user-select: none;');
  const frame = block('border: 2px solid #fff; outline: 2px solid #3553c4; display: none; pointer-events: none;');
  const hint = block('top: 16px; left: 50%; transform: translateX(-50%); max-width: 90vw; padding: 10px 16px;'
    + 'border-radius: 8px; background: #1b2030; color: #fff; font: 16px/1.4 system-ui, sans-serif;'
    + 'pointer-events: none;');
  hint.textContent = chrome.i18n.getMessage('chooseHint');
  hint.setAttribute('role', 'status');
  host.tabIndex = -1;
  host.setAttribute('aria-label', chrome.i18n.getMessage('choose'));
  host.attachShadow({ mode: 'closed' }).append(frame, hint);

  /** Where a drag has begun. @type {{ x: number, y: number } | null} */
  let start = null;
  const listening = new AbortController();

  /** @param {Area | null} area */
  function outline(area) {
    frame.style.setProperty('display', area ? 'block' : 'none');
    if (!area) return;
    for (const [name, value] of [['left', area.x], ['top', area.y], ['width', area.width], ['height', area.height]]) {
      frame.style.setProperty(String(name), `${value}px`);
    }
  }

  /** @param {PointerEvent} event @returns {Area} */
  function dragged(event) {
    const from = start ?? { x: event.clientX, y: event.clientY };
    const [x0, x1] = [from.x, event.clientX].map((x) => Math.min(Math.max(x, 0), innerWidth)).sort((a, b) => a - b);
    const [y0, y1] = [from.y, event.clientY].map((y) => Math.min(Math.max(y, 0), innerHeight)).sort((a, b) => a - b);
    const [x, y] = [x0 ?? 0, y0 ?? 0];
    return { x, y, width: (x1 ?? 0) - x, height: (y1 ?? 0) - y, viewport: innerWidth };
  }

  /** @param {Area} area */
  const isDrag = ({ width, height }) => Math.max(width, height) >= DRAG_PX;

  /** What lies at a point below this layer, from the top; in shadow trees too. @param {number} x @param {number} y */
  function elementsAt(x, y) {
    host.style.setProperty('pointer-events', 'none');
    const found = /** @type {Element[]} */ (ofDocument('elementsFromPoint', x, y));
    const inside = found.flatMap((element) => shadowOf(element)?.elementsFromPoint(x, y) ?? []);
    host.style.setProperty('pointer-events', 'auto');
    return [...inside, ...found].filter((element) => element !== host);
  }

  /** @param {PointerEvent} event */
  const pictureAt = ({ clientX, clientY }) => elementsAt(clientX, clientY).find(isPicture);

  function end() {
    listening.abort();
    host.remove();
    globalThis.bofChoosing = false;
  }

  /** A frame of the screen, or a moment where the tab is not in front and has none. */
  const nextFrame = () => new Promise((resolve) => {
    requestAnimationFrame(resolve);
    setTimeout(resolve, HIDDEN_MS);
  });

  /** Ends, and says so once the screen shows the page without this layer. @param {Chosen} choice */
  async function finish(choice) {
    end();
    await nextFrame();
    await nextFrame();
    await chrome.runtime.sendMessage(choice);
  }

  /** @param {PointerEvent} event */
  function drop(event) {
    const area = dragged(event);
    start = null;
    if (isDrag(area)) {
      if (Math.min(area.width, area.height) >= DRAG_PX) finish({ kind: 'area', area });
      return;
    }
    const element = pictureAt(event);
    if (element) {
      setChosen(element);
      finish({ kind: 'element', area: null });
    } else hint.textContent = chrome.i18n.getMessage('noPicture');
  }

  /**
   * What a person does, and no script of the page.
   * @template {keyof WindowEventMap} K
   * @param {K} name @param {(event: WindowEventMap[K]) => void} listener
   */
  const on = (name, listener) => addEventListener(name, (event) => {
    if (!event.isTrusted) return;
    event.stopImmediatePropagation();
    if (event.cancelable) event.preventDefault();
    listener(event);
  }, { capture: true, signal: listening.signal, passive: false });

  on('pointerdown', (event) => {
    start = event.button === 0 ? { x: event.clientX, y: event.clientY } : null;
  });
  on('pointermove', (event) => {
    const area = dragged(event);
    const element = start ? undefined : pictureAt(event);
    outline(start && isDrag(area) ? area : element ? areaOf(element) : null);
  });
  on('pointerup', (event) => {
    if (start) drop(event);
  });
  for (const name of /** @type {const} */ (['click', 'mousedown', 'mouseup', 'contextmenu', 'keyup'])) {
    on(name, () => undefined); // the page is told nothing
  }
  on('keydown', (event) => {
    if (event.key === 'Escape') end();
    if (event.key === 'Enter') finish({ kind: 'area', area: null });
  });

  if (globalThis.bofChoosing) return end();
  globalThis.bofChoosing = true;
  /** @type {Element} */ (ofDocument('documentElement')).append(host);
  host.popover = 'manual'; // above every layer of the page
  host.showPopover();
  host.focus();
})();
