// @ts-check
// What the edge of the page says of many searches while the reader is elsewhere.

import { button, byId, h, link } from './dom.js';
import { t } from './language.js';
import { countsOf } from './many_order.js';
import { progressText } from './many_parts.js';
import { href } from './router.js';

/** Shows how far a run is, until the line is closed. @param {import('./many_run.js').Run} run */
export function showInTray(run) {
  const words = h('span', { class: 'small' });
  const bar = h('progress', { 'aria-label': t('many.title') });
  /** @type {HTMLElement} */
  const box = h('section', { class: 'task', id: 'many-task', 'aria-label': t('many.title') },
    h('div', { class: 'row between' }, h('b', {}, t('many.title')),
      button(t('close'), () => box.remove(), { icon: 'close', quiet: true })),
    bar, words, link(t('many.table'), href('many'), { icon: 'next' }));
  const draw = () => {
    const counts = countsOf(run.items);
    const done = counts.all - counts.waiting;
    [bar.max, bar.value] = [counts.all || 1, done];
    words.textContent = `${t(`many.state.${run.state}`)} · ${progressText(run, counts)}`;
    box.classList.toggle('good', run.state === 'over');
  };
  draw();
  byId('tray').append(box);
  return { draw, remove: () => box.remove() };
}
