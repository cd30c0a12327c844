// @ts-check
// A value of a field to choose: from a list, or, where there are many, by typing a part of it.

import { call } from './api.js';
import { h, select } from './dom.js';
import { t } from './language.js';

const LISTED = 100;
const PAUSE_MS = 200;

/** @typedef {{name: string, pictures: number}} Counted */

/** @param {Counted[]} items */
const options = (items) => items.map(({ name, pictures }) => h('option', { value: name }, `${name} (${pictures})`));

/**
 * A field that is searched while the reader types.
 * @param {'folder' | 'tag'} name @param {Counted[]} items the most frequent @param {number} total @param {string} value
 * @param {(value: string) => unknown} onchange
 */
function searched(name, items, total, value, onchange) {
  const list = h('datalist', { id: `values-${name}` }, options(items.slice(0, LISTED)));
  let waiting = 0;
  /** @param {string} text */
  const find = async (text) => {
    const query = { field: name, contains: text, limit: LISTED };
    const found = await call('GET /values', { query }).catch(() => null);
    if (found) list.replaceChildren(...options(found.values));
  };
  return h('div', {},
    h('label', { class: 'field' }, h('span', {}, t(`filter.${name}`)),
      h('input', {
        type: 'search', name, value, list: list.id, placeholder: t('filter.any'), autocomplete: 'off',
        'aria-describedby': `many-${name}`,
        onchange: ({ currentTarget }) => onchange(currentTarget.value.trim()),
        oninput: ({ currentTarget }) => {
          const { value: text } = currentTarget;
          clearTimeout(waiting);
          waiting = setTimeout(() => find(text), PAUSE_MS);
        },
      })),
    h('p', { class: 'small', id: `many-${name}` }, t('filter.many', { n: total })), list);
}

/**
 * Nothing where there is nothing to choose from.
 * @param {'folder' | 'tag'} name @param {Counted[]} items the most frequent @param {number} total of all
 * @param {string | undefined} value @param {(value: string) => unknown} onchange
 */
export function valueChoice(name, items, total, value, onchange) {
  if (!items.length) return null;
  if (total > LISTED) return searched(name, items, total, value ?? '', onchange);
  /** @type {[string, string][]} */
  const counted = items.map((item) => [item.name, `${item.name} (${item.pictures})`]);
  if (value && !items.some((item) => item.name === value)) counted.unshift([value, value]);
  return select(t(`filter.${name}`), [['', t('filter.any')], ...counted], value, onchange, { name });
}
