// The page's frame: where the reader is, language, colours, keys, and what happens when the server is away.

import { signIn } from './access.js';
import { call, connect, indexFacts } from './api.js';
import { button, byId, h, icon, toast } from './dom.js';
import { keysAreOn, showHelp } from './help.js';
import { resume } from './jobs.js';
import { current, LANGUAGES, speak, t, TAGS } from './language.js';
import { here, href } from './router.js';
import * as search from './search.js';
import { keep, setting } from './settings.js';
import { listen } from './taking.js';
import { inWords, trouble } from './trouble.js';

const VIEWS = {
  search: async () => search,
  match: () => import('./match.js'),
  collection: () => import('./collection.js'),
  duplicates: () => import('./duplicates.js'),
  statistics: () => import('./statistics.js'),
};
const NAMED = ['search', 'collection', 'statistics'];
const THEMES = ['auto', 'light', 'dark'];
const AGAIN_MS = 2000;

const main = byId('main');
let open = { view: null, module: null, shown: null, hash: '' };
let turn = 0;
let named = NAMED;

function header() {
  const now = here().view;
  const theme = setting('theme', 'auto');
  const other = Object.keys(LANGUAGES).find((name) => name !== current());
  byId('skip').textContent = t('skip');
  byId('bar').replaceChildren(
    h('a', { class: 'brand', href: '#/search' },
      h('img', { src: 'static/icon.svg', alt: '', width: 28, height: 28 }), 'bof'),
    h('nav', { 'aria-label': t('nav') }, named.map((name) =>
      h('a', { href: href(name), 'aria-current': name === now ? 'page' : null },
        icon(name), h('span', {}, t(`nav.${name}`))))),
    h('div', { class: 'row tight push' },
      button(LANGUAGES[other], () => changeLanguage(other), { id: 'language', lang: TAGS[other] }),
      button(t(`theme.${theme}`), changeTheme, { icon: theme, quiet: true, id: 'theme' }),
      button(t('help.title'), showHelp, { icon: 'help', quiet: true, id: 'help' })));
}

function changeTheme() {
  const next = THEMES[(THEMES.indexOf(setting('theme', 'auto')) + 1) % THEMES.length];
  keep('theme', next);
  document.documentElement.dataset.theme = next;
  header();
  byId('theme').focus();
}

function changeLanguage(name) {
  speak(name);
  header();
  byId('language').focus();
  close();
  render();
}

function close() {
  open.shown?.leaving?.(open.hash);
  open.shown?.close?.();
  open = { view: null, module: null, shown: null, hash: '' };
}

async function render(isFirst = false) {
  const mine = ++turn;
  const route = here();
  const view = VIEWS[route.view] ? route.view : 'search';
  for (const left of document.querySelectorAll('dialog:not(.of-image)')) left.close('left');
  if (open.view === view) {
    open.shown.leaving?.(open.hash);
    open.hash = location.hash;
    open.shown.update(route);
    return;
  }
  main.setAttribute('aria-busy', 'true');
  let module;
  try {
    module = await VIEWS[view]();
  } catch {
    main.replaceChildren(trouble({ words: t('problem.unreachable') }, () => location.reload()));
    return;
  }
  if (mine !== turn) return;
  const wasOpen = open.view !== null;
  close();
  main.replaceChildren();
  main.removeAttribute('aria-busy');
  header();
  document.title = `${module.title()} · bof`;
  if (wasOpen && !isFirst) {
    scrollTo({ top: 0, behavior: 'instant' });
    main.focus({ preventScroll: true });
  }
  open = { view, module, hash: location.hash, shown: module.show(main, route) };
}

let waking = 0;

/** The server does not answer: say so, and ask until it does. */
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
  waking = setInterval(() => call('health').then(() => !banner.hidden && onReach(true), () => {}), AGAIN_MS);
}

function onKey(event) {
  const isWriting = event.target.closest?.('input:not([type=checkbox], [type=radio], [type=range]), select, textarea');
  const isOther = event.ctrlKey || event.metaKey || event.altKey;
  if (event.defaultPrevented || isWriting || isOther || document.querySelector('dialog[open]')) return;
  if (!keysAreOn() && event.key !== 'Escape') return;
  if (open.shown?.key?.(event.key.length === 1 ? event.key.toLowerCase() : event.key)) return;
  if (event.key === '?') showHelp();
  else if (named[Number(event.key) - 1]) location.hash = href(named[Number(event.key) - 1]);
  else if (event.key === '/') {
    const field = byId('text-filter');
    field?.closest('details')?.setAttribute('open', '');
    field?.focus();
    if (!field) return;
  } else return;
  event.preventDefault();
}

connect({ askForToken: signIn, onReach });
listen((transfer) => open.shown?.takes?.(transfer) ?? false);
addEventListener('hashchange', () => render());
addEventListener('keydown', onKey);
addEventListener('unhandledrejection', (event) => {
  if (!event.reason?.words) return;
  event.preventDefault();
  toast(inWords(event.reason));
});
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  main.focus();
});
render(true);
indexFacts().then((facts) => {
  if (!facts.duplicates) return;
  named = [...NAMED, 'duplicates'];
  header();
}, () => {});
resume().catch(() => {});
