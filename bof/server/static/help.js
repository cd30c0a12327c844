// How to use the page, and its keys.

import { dialog, h } from './dom.js';
import { t } from './language.js';
import { keep, setting } from './settings.js';

const KEYS = [
  ['?', 'key.help'], ['1 2 3 4', 'key.views'], ['/', 'key.text'], ['Ctrl+V', 'key.paste'],
  ['← ↑ → ↓', 'key.region'], ['Shift+←→', 'key.resize'], ['Alt+←→', 'key.fine'], ['Esc', 'key.clear'],
  ['O', 'key.overlay'], ['L', 'key.lines'], ['F', 'key.flicker'], ['[ ]', 'key.step'], ['+ − 0', 'key.zoom'],
];

export const keysAreOn = () => setting('keys', true);

export const showHelp = () => dialog(t('help.title'), t('close'), () => h('div', { class: 'help' },
  ['search', 'region', 'green', 'rest', 'match', 'collection'].map((name) => h('p', {}, t(`help.${name}`))),
  h('h3', {}, t('help.keys')),
  h('label', { class: 'check' },
    h('input', { type: 'checkbox', checked: keysAreOn(), onchange: (event) => keep('keys', event.target.checked) }),
    t('help.keys-on')),
  h('dl', { class: 'keys' }, KEYS.map(([keys, words]) => [h('dt', {}, h('kbd', {}, keys)), h('dd', {}, t(words))]))));
