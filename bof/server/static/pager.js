// @ts-check
// Goes from page to page of a list; the address holds which one is shown.

import { h, icon, link } from './dom.js';
import { number, t } from './language.js';
import { go, href } from './router.js';

/** @param {Query} query */
export const pageOf = ({ page }) => Math.max(1, Math.floor(Number(page)) || 1);

/** @param {string} view @param {number} last the number of the last page @param {Query} query */
export function pager(view, last, query) {
  const page = pageOf(query);
  if (last <= 1) return null;
  /** @param {number} target @param {string} words @param {IconName} name */
  const step = (target, words, name) => (target >= 1 && target <= last
    ? link(words, href(view, { ...query, page: target > 1 ? target : '' }), { icon: name })
    : h('span', { class: 'button off', 'aria-disabled': 'true' }, icon(name), h('span', {}, words)));
  return h('nav', { class: 'row center', 'aria-label': t('page.nav') },
    step(page - 1, t('page.before'), 'back'),
    h('label', { class: 'field inline' }, h('span', {}, t('page.of', { last: number(last) })),
      h('input', {
        type: 'number', min: 1, max: last, value: page,
        onchange: ({ currentTarget }) => go(href(view, { ...query, page: currentTarget.value })),
      })),
    step(page + 1, t('page.after'), 'next'));
}
