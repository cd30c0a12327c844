// Elements are made here. Text goes in as text nodes: nothing that comes from a file name or a server becomes markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter((child) => ![null, undefined, false].includes(child)));
  return element;
}

export const h = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);

export const svg = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

export const byId = (id) => document.getElementById(id);

function pressable(tag, words, { icon: name, quiet, kind = '', ...attributes }) {
  const label = quiet ? { 'aria-label': words, title: words } : {};
  return h(tag, { class: `button ${quiet ? 'square' : ''} ${kind}`, ...label, ...attributes },
    name ? icon(name) : null, quiet ? null : h('span', {}, words));
}

/** A button, with an icon perhaps; the words are shown, or only spoken and in a tooltip where `quiet`. */
export const button = (words, onclick, look = {}) => pressable('button', words, { type: 'button', onclick, ...look });

/** A link that looks like a button. */
export const link = (words, href, look = {}) => pressable('a', words, { href, ...look });

export const select = (words, options, value, onchange, attributes = {}) =>
  h('label', { class: 'field' }, h('span', {}, words),
    h('select', { onchange: (event) => onchange(event.target.value), ...attributes },
      options.map(([key, text]) => h('option', { value: key, selected: String(key) === String(value ?? '') }, text))));

/** Radio buttons that look like one control with several parts. */
export function segments(words, name, options, value, onchange) {
  return h('fieldset', { class: 'segments' }, h('legend', { class: 'unseen' }, words),
    options.map(([key, text, disabled]) => h('label', {},
      h('input', { type: 'radio', name, value: key, checked: key === value, disabled, onchange: () => onchange(key) }),
      h('span', {}, text))));
}

const PATHS = {
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
  plus: 'M12 5v14M5 12h14',
  minus: 'M5 12h14',
  help: 'M9 9a3 3 0 1 1 4 2.8c-1 .5-1 1.2-1 2.2M12 17.5v.5M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18',
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
  compare: 'M3 5h7v14H3zM14 5h7v14h-7zM6.5 12h11',
  refresh: 'M20 5v5h-5M19.5 10a8 8 0 1 0 .3 4',
  play: 'M7 4l13 8-13 8z',
};

export const icon = (name) => svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true' },
  svg('path', { d: PATHS[name] }));

/** Puts other children into a place; the field or button that had the focus, by its name, has it again. */
export function redraw(place, ...children) {
  const before = place.contains(document.activeElement) ? document.activeElement : null;
  place.replaceChildren(...children);
  const after = before?.name && place.querySelector(`[name="${CSS.escape(before.name)}"]`);
  if (!after) return;
  after.focus({ preventScroll: true });
  if (after.type !== 'search') return;
  after.value = before.value;  // what was typed meanwhile
  after.setSelectionRange(before.selectionStart, before.selectionEnd);
  after.dispatchEvent(new Event('input'));
}

/** For ears alone: what has happened. */
export function say(text) {
  byId('spoken').textContent = text;
}

let fading = 0;

/** For everybody: a line at the bottom that goes away by itself. */
export function toast(text) {
  const place = byId('toast');
  place.textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => place.replaceChildren(), 6000);
}

/** A dialog; it closes by Escape, by its button, or by `close()`. Resolves with what it was closed with. */
export function dialog(title, closeWords, build) {
  const box = h('dialog', { 'aria-labelledby': 'dialog-title' });
  const close = (value) => box.close(value === undefined ? '' : value);
  box.append(
    h('header', {}, h('h2', { id: 'dialog-title' }, title),
      button(closeWords, () => close(), { icon: 'close', quiet: true })),
    h('div', { class: 'inside' }, build(close)));
  box.addEventListener('click', (event) => event.target === box && close());
  document.body.append(box);
  box.showModal();
  return new Promise((resolve) => box.addEventListener('close', () => {
    box.remove();
    resolve(box.returnValue);
  }));
}
