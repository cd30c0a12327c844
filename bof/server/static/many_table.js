// @ts-check
// The table of many queries: a page of its rows is in the document, and only those that change are drawn again.

import { thumbnail } from './api.js';
import { button, h, icon, redraw } from './dom.js';
import { number, seconds, t } from './language.js';
import { SORTS } from './many_order.js';
import { verdictLine } from './results.js';
import { href } from './router.js';

export const ROWS = 100;

/** @typedef {import('./many_order.js').Order} Order */
/** @typedef {import('./many_order.js').Sort} Sort */
/**
 * What the reader does in the table.
 * @typedef {{retry: (item: Item) => unknown, sort: (sort: Sort, isDown: boolean) => unknown}} TableActions
 */

const COLUMNS = /** @type {const} */ (['picture', 'name', 'verdict', 'best', 'proved', 'seconds']);

/** @param {string | null} src @param {string} alt */
const thumb = (src, alt = '') => h('span', { class: 'mini' },
  src ? h('img', { src, alt, loading: 'lazy', decoding: 'async' }) : icon('search'));

/** @param {Item} item */
const ownThumb = ({ source: { image }, thumb: own }) => thumb(image ? thumbnail(image, 160) : own);

/** @param {Item} item */
function nameCell({ number: n, state, source: { path } }) {
  const name = h('span', { class: 'path', title: path }, path);
  if (state !== 'done') return name;
  const words = t('many.row.open', { name: path });
  return h('a', { href: href('many', {}, n), 'aria-label': words, name: `open-${n}` }, name);
}

/** @param {Item} item */
function verdictCell({ state, summary, problem, detail }) {
  if (state === 'done') {
    return summary?.best ? verdictLine(summary.best) : h('p', { class: 'verdict no' }, t('many.row.nothing'));
  }
  if (state !== 'failed') return h('p', { class: 'verdict no' }, t(`many.row.${state}`));
  const why = detail
    ? h('details', { class: 'small' }, h('summary', {}, t('problem.detail')), h('p', { lang: 'en' }, detail)) : null;
  return [h('p', { class: 'verdict failed' }, icon('warning'), t('many.row.failed')),
    h('p', { class: 'small' }, problem), why];
}

/** @param {Item} item */
function bestCell({ number: n, source: { path }, summary }) {
  const best = summary?.best;
  return best && h('a', {
    class: 'best', href: href('many', {}, n, best.id), name: `best-${n}`,
    'aria-label': t('many.row.compare', { name: path, hit: best.name }),
  }, thumb(thumbnail(best, 160)), h('span', { class: 'path', title: best.name }, best.group?.value ?? best.name));
}

/** How many hits are proved; with a plus where more may follow. @param {Item} item */
function provedCell({ summary }) {
  if (!summary) return '';
  const { nProved, nHits, total } = summary;
  return `${number(nProved)}${nProved === nHits && nHits < total ? '+' : ''}`;
}

/** @param {'picture' | Sort} column */
const label = (column) => (column === 'number' ? t('many.sort.number') : t(`many.column.${column}`));

export class Table {
  /** Rows that were drawn, by number. @type {Map<number, HTMLTableRowElement>} */
  #rows = new Map();
  /** @type {number[]} */
  #shown = [];

  /** @param {TableActions} actions */
  constructor(actions) {
    this.actions = actions;
    this.head = h('tr', { role: 'row' });
    this.body = h('tbody', { role: 'rowgroup' });
    this.element = h('table', { class: 'many-table', role: 'table', 'aria-label': t('many.table') },
      h('thead', { role: 'rowgroup' }, this.head), this.body);
  }

  /**
   * Shows rows; those of changed items are drawn anew.
   * @param {Item[]} items of this page @param {Order} order @param {Set<Item>} changed
   */
  draw(items, order, changed) {
    this.#drawHead(order);
    const numbers = items.map((item) => item.number);
    const isSame = numbers.length === this.#shown.length && numbers.every((n, i) => n === this.#shown[i]);
    for (const item of items) {
      const row = this.#rows.get(item.number);
      if (!row) this.#rows.set(item.number, this.#fill(h('tr', { role: 'row', 'data-n': item.number }), item));
      else if (changed.has(item)) this.#fill(row, item);
    }
    if (!isSame) this.#place(numbers);
  }

  /** Forgets what was drawn. */
  reset() {
    this.#rows.clear();
    this.#shown = [];
    this.body.replaceChildren();
  }

  /** Puts rows in their order; the focus stays where it is. @param {number[]} numbers */
  #place(numbers) {
    const { activeElement } = document;
    const isInside = this.body.contains(activeElement);
    const rows = new Map(numbers.map((n) => [n, this.#rows.get(n)]));
    this.#rows = /** @type {Map<number, HTMLTableRowElement>} */ (rows);
    this.#shown = numbers;
    this.body.replaceChildren(...this.#rows.values());
    if (isInside && activeElement instanceof HTMLElement) activeElement.focus({ preventScroll: true });
  }

  /** @param {HTMLTableRowElement} row @param {Item} item */
  #fill(row, item) {
    const { number: n, state, source: { path }, summary } = item;
    const canRetry = state === 'failed' || state === 'stopped';
    /** @param {typeof COLUMNS[number]} column @param {...Child} children */
    const cell = (column, ...children) =>
      h('td', { role: 'cell', class: `of-${column}`, 'data-label': label(column) }, children);
    row.className = `${state} ${summary?.best?.verdict ?? ''}`;
    redraw(row,
      cell('picture', ownThumb(item)), cell('name', nameCell(item)),
      cell('verdict', verdictCell(item), canRetry
        ? button(t('retry'), () => this.actions.retry(item), {
          icon: 'refresh', kind: 'small-button', name: `retry-${n}`, 'aria-label': t('many.retry', { name: path }),
        }) : null),
      cell('best', bestCell(item)), cell('proved', provedCell(item)),
      cell('seconds', state === 'done' ? seconds(item.seconds) : ''));
    return row;
  }

  /** @param {Order} order */
  #drawHead({ sort, isDown }) {
    const isNew = `${sort} ${isDown}` !== this.head.dataset.order;
    this.head.dataset.order = `${sort} ${isDown}`;
    if (!isNew) return;
    redraw(this.head, ...COLUMNS.map((column) => {
      const name = column === 'picture' ? 'number' : column;
      const way = sort !== name ? null : isDown ? 'descending' : 'ascending';
      return h('th', { scope: 'col', role: 'columnheader', class: `of-${column}`, 'aria-sort': way },
        h('button', {
          type: 'button', name: `sort-${name}`, class: 'sort',
          onclick: () => this.actions.sort(name, way === 'ascending'),
        }, label(column), icon(way === 'descending' ? 'down' : 'up')));
    }));
  }
}

/** The same for narrow screens. @returns {[string, string][]} */
export const sortChoices = () => SORTS.flatMap((sort) => [
  [sort, label(sort)], [`${sort} 1`, t('many.sort.down', { column: label(sort) })],
]);
