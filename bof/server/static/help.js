// @ts-check
// How to use the page, and its keys.

import { dialog, h } from './dom.js';
import { t } from './language.js';
import { isOn, save } from './settings.js';

/** @type {[keys: string, words: WordKey][]} */
const KEYS = [
  ['?', 'key.help'], ['1 2 3 4', 'key.views'], ['/', 'key.text'], ['Ctrl+V', 'key.paste'],
  ['← ↑ → ↓', 'key.region'], ['Shift+←→', 'key.resize'], ['Alt+←→', 'key.fine'], ['Esc', 'key.clear'],
  ['O', 'key.overlay'], ['L', 'key.lines'], ['F', 'key.flicker'], ['[ ]', 'key.step'], ['+ − 0', 'key.zoom'],
];

const PARAGRAPHS = /** @type {const} */ (['search', 'region', 'green', 'part', 'rest', 'match', 'collection']);

/** Do single keys act? */
export const keysAreOn = () => isOn('keys');

const attributes = { class: 'help', tabindex: -1, autofocus: true };

export const showHelp = () => dialog(t('help.title'), t('close'), () => h('div', attributes,
  PARAGRAPHS.map((name) => h('p', {}, t(`help.${name}`))),
  h('h3', {}, t('help.keys')),
  h('label', { class: 'check' },
    h('input', {
      type: 'checkbox', checked: keysAreOn(), onchange: ({ currentTarget }) => save('keys', currentTarget.checked),
    }),
    t('help.keys-on')),
  h('dl', { class: 'keys' }, KEYS.map(([keys, words]) => [h('dt', {}, h('kbd', {}, keys)), h('dd', {}, t(words))]))));
