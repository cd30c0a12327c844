// @ts-check
// The frame of the page: views, language, colours, keys, and what happens when the server is away.

import { signIn } from './access.js';
import { call, connect, indexFacts } from './api.js';
import { button, byId, h, icon, toast } from './dom.js';
import { errorBox, errorText, ExplainedError, Unreachable } from './errors.js';
import { keysAreOn, showHelp } from './help.js';
import { resume } from './jobs.js';
import { LANGUAGES, otherLanguage, setLanguage, t, TAGS } from './language.js';
import { listen } from './picture_input.js';
import './printing.js';
import { here, href } from './router.js';
import { choice, save } from './settings.js';
import * as begin from './start.js';

/** @type {Map<string, () => Promise<ViewModule>>} */
const VIEWS = new Map([
  ['start', () => Promise.resolve(begin)],
  ['search', () => import('./search.js')],
  ['match', () => import('./match.js')],
  ['many', () => import('./many.js')],
  ['collection', () => import('./collection.js')],
  ['duplicates', () => import('./duplicates.js')],
  ['statistics', () => import('./statistics.js')],
]);
const THEMES = /** @type {const} */ (['auto', 'light', 'dark']);
const RETRY_MS = 2000;

const main = byId('main');
/** @type {{name: string, view: View, hash: string} | null} */
let open = null;
let turn = 0;
/** Views that the navigation names. @type {('search' | 'collection' | 'statistics' | 'duplicates')[]} */
let named = ['search', 'collection', 'statistics'];

function header() {
  const current = here().view;
  const theme = choice('theme', THEMES);
  const other = otherLanguage();
  byId('skip').textContent = t('skip');
  byId('bar').replaceChildren(
    h('a', { class: 'brand', href: '#/search' },
      h('img', { src: 'static/icon.svg', alt: '', width: 28, height: 28 }), 'bof'),
    h('nav', { 'aria-label': t('nav') }, named.map((name) =>
      h('a', { href: href(name), 'aria-current': name === current ? 'page' : null },
        icon(name), h('span', {}, t(`nav.${name}`))))),
    h('div', { class: 'row tight push' },
      button(LANGUAGES[other], () => changeLanguage(other), { id: 'language', lang: TAGS[other] }),
      button(t(`theme.${theme}`), changeTheme, { icon: theme, quiet: true, id: 'theme' }),
      button(t('help.title'), showHelp, { icon: 'help', quiet: true, id: 'help' })));
}

function changeTheme() {
  const next = THEMES[(THEMES.indexOf(choice('theme', THEMES)) + 1) % THEMES.length] ?? 'auto';
  save('theme', next);
  document.documentElement.dataset.theme = next;
  header();
  byId('theme').focus();
}

/** @param {Language} name */
function changeLanguage(name) {
  setLanguage(name);
  header();
  byId('language').focus();
  close();
  render();
}

function close() {
  open?.view.leave?.(open.hash);
  open?.view.close?.();
  open = null;
}

/** The first load has what the start needs; a search is loaded when there is a picture. @param {Route} route */
function viewOf({ view, query }) {
  if (view !== 'search' && VIEWS.has(view)) return view;
  return query.image || query.query || query.upload || query.problem ? 'search' : 'start';
}

async function render() {
  const mine = ++turn;
  const route = here();
  const name = viewOf(route);
  /** @type {NodeListOf<HTMLDialogElement>} */
  const dialogs = document.querySelectorAll('dialog:not(.of-image)');
  for (const dialog of dialogs) dialog.close();
  if (open?.name === name) {
    main.removeAttribute('aria-busy');
    open.view.leave?.(open.hash);
    open.hash = location.hash;
    open.view.update(route);
    return;
  }
  main.setAttribute('aria-busy', 'true');
  let module;
  try {
    module = await VIEWS.get(name)?.() ?? begin;
  } catch {
    main.removeAttribute('aria-busy');
    main.replaceChildren(errorBox(new Unreachable(), () => location.reload()));
    return;
  }
  if (mine !== turn) return;
  const wasOpen = open !== null;
  close();
  main.replaceChildren();
  main.removeAttribute('aria-busy');
  header();
  document.title = `${module.title()} · bof`;
  if (wasOpen) {
    scrollTo({ top: 0, behavior: 'instant' });
    main.focus({ preventScroll: true });
  }
  open = { name, hash: location.hash, view: module.show(main, route) };
}

let waking = 0;

/** Says that the server does not answer, and tries again until it does. @param {boolean} isReached */
function onReach(isReached) {
  const banner = byId('banner');
  if (isReached === banner.hidden) return;
  if (isReached) {
    clearInterval(waking);
    banner.hidden = true;
    toast(t('online'));
    dispatchEvent(new Event('server-back'));
    return;
  }
  banner.replaceChildren(icon('warning'), t('offline'));
  banner.hidden = false;
  waking = setInterval(() => call('GET /health').catch(() => {}), RETRY_MS);
}

const WRITING = 'input:not([type=checkbox], [type=radio], [type=range]), select, textarea';

/** Does a key act here: outside fields and dialogs, without Ctrl, Alt or Meta? @param {KeyboardEvent} event */
function isForPage({ target, defaultPrevented, ctrlKey, metaKey, altKey, key }) {
  const isWriting = target instanceof Element && target.closest(WRITING);
  if (defaultPrevented || isWriting || ctrlKey || metaKey || altKey) return false;
  return !document.querySelector('dialog[open]') && (keysAreOn() || key === 'Escape');
}

/** Goes to the field for words; returns whether there is one. */
function focusTextFilter() {
  const field = document.getElementById('text-filter');
  field?.closest('details')?.setAttribute('open', '');
  field?.focus();
  return field !== null;
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  const { key } = event;
  if (!isForPage(event) || open?.view.key?.(key.length === 1 ? key.toLowerCase() : key)) return;
  const view = named[Number(key) - 1];
  if (key === '?') showHelp();
  else if (view) location.hash = href(view);
  else if (key !== '/' || !focusTextFilter()) return;
  event.preventDefault();
}

connect({ askForToken: signIn, onReach });
listen((transfer) => open?.view.acceptDrop?.(transfer) ?? false);
addEventListener('hashchange', () => render());
addEventListener('renamed', () => {
  if (open) open.hash = location.hash;
});
addEventListener('keydown', onKey);
addEventListener('unhandledrejection', (event) => {
  if (!(event.reason instanceof ExplainedError)) return;
  event.preventDefault();
  toast(errorText(event.reason));
});
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
render();
indexFacts().then((facts) => {
  if (!facts.duplicates) return;
  named = [...named, 'duplicates'];
  header();
}, () => {});
resume().catch(() => {});
