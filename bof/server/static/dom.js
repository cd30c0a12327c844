// @ts-check
// Makes elements. Text becomes text nodes: nothing that comes from a file name or a server becomes markup.

const SVG = 'http://www.w3.org/2000/svg';

/** @param {Element} element @param {object} attributes @param {unknown[]} children */
function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name.slice(2), /** @type {EventListener} */ (value));
    else if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? '' : String(value));
    }
  }
  element.append(...children.flat(Infinity).filter((child) => typeof child === 'string' || child instanceof Node));
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Attributes<HTMLElementTagNameMap[K]>} attributes @param {...Child} children
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  fill(element, attributes, children);
  return element;
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag @param {Attributes<SVGElementTagNameMap[K]>} attributes @param {...Child} children
 */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  fill(element, attributes, children);
  return element;
}

/** An element that index.html has. @param {string} id */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`there is no element #${id}`);
  return element;
}

/**
 * @template {'a' | 'button'} K
 * @param {K} tag @param {string} words @param {Pressable<HTMLElementTagNameMap[K]>} options
 */
function pressable(tag, words, { icon: name, quiet, kind = '', ...attributes }) {
  const label = quiet ? { 'aria-label': words, title: words } : {};
  return h(tag, { class: `button ${quiet ? 'square' : ''} ${kind}`, ...label, .../** @type {{}} */ (attributes) },
    name ? icon(name) : null, quiet ? null : h('span', {}, words));
}

/**
 * Shows its icon and its words; where `quiet`, the icon alone, and the words as a tooltip.
 * @param {string} words @param {(event: MouseEvent) => unknown} onclick @param {Pressable<HTMLButtonElement>} options
 */
export const button = (words, onclick, options = {}) =>
  pressable('button', words, { type: 'button', onclick, ...options });

/**
 * A link that looks like a button.
 * @param {string} words @param {string} href @param {Pressable<HTMLAnchorElement>} options
 */
export const link = (words, href, options = {}) => pressable('a', words, { href, ...options });

/**
 * @param {string} words @param {[key: string, text: string][]} options @param {string | undefined} value
 * @param {(value: string) => unknown} onchange @param {Attributes<HTMLSelectElement>} attributes
 */
export const select = (words, options, value, onchange, attributes = {}) =>
  h('label', { class: 'field' }, h('span', {}, words),
    h('select', { onchange: ({ currentTarget }) => onchange(currentTarget.value), ...attributes },
      options.map(([key, text]) => h('option', { value: key, selected: key === (value ?? '') }, text))));

/**
 * Radio buttons that look like one control with several parts.
 * @template {string} T
 * @param {string} words @param {string} name @param {[key: T, text: string, disabled?: boolean][]} options
 * @param {T} value @param {(value: T) => unknown} onchange
 */
export function segments(words, name, options, value, onchange) {
  return h('fieldset', { class: 'segments' }, h('legend', { class: 'unseen' }, words),
    options.map(([key, text, disabled]) => h('label', {},
      h('input', { type: 'radio', name, value: key, checked: key === value, disabled, onchange: () => onchange(key) }),
      h('span', {}, text))));
}

export const PATHS = {
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M16 16l5 5',
  collection: 'M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z',
  duplicates: 'M8 8h12v12H8zM4 16V4h12',
  statistics: 'M4 20h16M7 20v-7M12 20V5M17 20v-10',
  camera: 'M4 8h4l2-3h4l2 3h4v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7',
  folder: 'M3 6h6l2 2h10v11H3z',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  paste: 'M9 4h6v3H9zM9 5H5v15h14V5h-4M8 12h8M8 16h5',
  left: 'M5 5v5h5M5.5 10a7.5 7.5 0 1 1-.8 5',
  right: 'M19 5v5h-5M18.5 10a7.5 7.5 0 1 0 .8 5',
  mirror: 'M12 3v18M9 7 3 17h6zM15 7l6 10h-6z',
  subject: 'M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6',
  region: 'M6 2v16h16M2 6h16v16',
  whole: 'M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5',
  close: 'M6 6l12 12M18 6 6 18',
  up: 'M6 15l6-6 6 6',
  down: 'M6 9l6 6 6-6',
  pause: 'M8 5v14M16 5v14',
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  help: 'M9 9a3 3 0 1 1 4 2.8c-1 .5-1 1.2-1 2.2M12 17.5v.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
  info: 'M12 11v6M12 7.5v.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
  auto: 'M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18',
  light: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v3M12 19v3M2 12h3M19 12h3M5 5l2 2M17 17l2 2M19 5l-2 2M7 17l-2 2',
  dark: 'M19 15A8 8 0 0 1 9 5a8 8 0 1 0 10 10',
  download: 'M12 4v12M7 11l5 5 5-5M4 20h16',
  link: 'M10 14 14 10M8 11l-3 3a3.5 3.5 0 0 0 5 5l3-3M16 13l3-3a3.5 3.5 0 0 0-5-5l-3 3',
  tag: 'M4 4h8l8 8-8 8-8-8zM8 8h.01',
  remove: 'M5 7h14M9 7V4h6v3M7 7l1 13h8l1-13M10 11v5M14 11v5',
  back: 'M14 5l-7 7 7 7',
  next: 'M10 5l7 7-7 7',
  check: 'M5 13l5 5 9-12',
  warning: 'M12 4 2.5 20h19zM12 10v5M12 17.5v.5',
  part: 'M10 4a8 8 0 1 0 10 10H10zM14 3v7h7a7 7 0 0 0-7-7',
  compare: 'M3 5h7v14H3zM14 5h7v14h-7zM6.5 12h11',
  refresh: 'M20 5v5h-5M19.5 10a8 8 0 1 0 .3 4',
  play: 'M7 4l13 8-13 8z',
};

/** @param {IconName} name */
export const icon = (name) => svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' },
  svg('path', { d: PATHS[name] }));

/**
 * Replaces the children of a place; the field or button with the focus, known by its name, gets it back.
 * @param {Element} place @param {...Node} children
 */
export function redraw(place, ...children) {
  const { activeElement } = document;
  const before = place.contains(activeElement) ? activeElement : null;
  place.replaceChildren(...children);
  const name = before?.getAttribute('name');
  const after = name ? place.querySelector(`[name="${CSS.escape(name)}"]`) : null;
  if (!(after instanceof HTMLElement)) return;
  after.focus({ preventScroll: true });
  if (!(before instanceof HTMLInputElement && after instanceof HTMLInputElement && after.type === 'search')) return;
  after.value = before.value;  // what was typed meanwhile
  after.setSelectionRange(before.selectionStart, before.selectionEnd);
  after.dispatchEvent(new Event('input'));
}

/** Tells screen readers what has happened. @param {string} text */
export function say(text) {
  byId('spoken').textContent = text;
}

const NOTE_MS = 6000;
const MOST_NOTES = 3;

/**
 * Shows a line in the bar at the top for six seconds, below those that are there: it covers nothing. offer: what a
 * button beside it does.
 * @param {string} text @param {{words: string, act: () => unknown}} [offer]
 */
export function toast(text, offer) {
  const { note, remove } = lastingNote(text);
  if (offer) {
    const act = () => {
      remove();
      offer.act();
    };
    note.append(button(offer.words, act, { kind: 'compact' }));
    makeRoom();
  }
  const leave = () => (note.matches(':hover, :focus-within') ? setTimeout(leave, NOTE_MS / 3) : remove());
  setTimeout(leave, offer ? 2 * NOTE_MS : NOTE_MS);
}

/** A note that stays until it is removed. @param {string} text */
export function lastingNote(text) {
  const place = byId('notes');
  const note = h('p', { class: 'note' }, h('span', {}, text));
  place.append(note);
  while (place.childElementCount > MOST_NOTES) place.firstElementChild?.remove();
  makeRoom();
  const remove = () => {
    note.remove();
    makeRoom();
  };
  return { note, remove };
}

/** What is below the bar moves down by the notes that have no room in it. */
const makeRoom = () =>
  document.documentElement.style.setProperty('--notes', `${byId('notes').offsetHeight}px`);

/**
 * Where a dialog begins: where it says, else in its first field, else on its first button, else in its text.
 * @param {Element} inside
 */
function focusFirst(inside) {
  const first = ['[autofocus]', 'input, select, textarea', 'button, a[href]']
    .map((selector) => inside.querySelector(selector)).find((found) => found !== null) ?? inside;
  if (first instanceof HTMLElement) first.focus({ preventScroll: true });
}

/**
 * A dialog. Escape, its button, a click beside it and `close(value)` close it; `closed` resolves with the value, else
 * with null.
 * @template {string} T
 * @param {string} title @param {string} closeWords @param {(close: (value: T) => void) => Child} build
 * @param {string} kind its class
 */
export function dialog(title, closeWords, build, kind = '') {
  /** @type {T | null} */
  let result = null;
  const box = h('dialog', { 'aria-labelledby': 'dialog-title', class: kind });
  /** @param {T} value */
  const close = (value) => {
    result = value;
    box.close();
  };
  const inside = h('div', { class: 'inside', tabindex: -1 }, build(close));
  box.append(
    h('header', {}, h('h2', { id: 'dialog-title' }, title),
      button(closeWords, () => box.close(), { icon: 'close', quiet: true })), inside);
  box.addEventListener('click', (event) => event.target === box && box.close());
  document.body.append(box);
  box.showModal();
  focusFirst(inside);
  /** @type {Promise<T | null>} */
  const closed = new Promise((resolve) => {
    box.addEventListener('close', () => {
      box.remove();
      resolve(result);
    });
  });
  return { close, closed };
}
