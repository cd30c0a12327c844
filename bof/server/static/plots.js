// @ts-check
// Small plots in SVG; each has its numbers as a table for those who cannot see it.

import { h, svg } from './dom.js';
import { number, t } from './language.js';

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP] = [440, 180, 44, 26, 10];

/**
 * value: the length of its bar; shown: the value in words.
 * @typedef {{name: string, value: number, shown: string, link?: string}} Row
 */

/** @param {string[]} columns @param {string[][]} rows */
const table = (columns, rows) => h('details', { class: 'small' }, h('summary', {}, t('plot.table')),
  h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('plot.table') }, h('table', {},
    h('thead', {}, h('tr', {}, columns.map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell) => h('td', {}, cell))))))));

/** A round number at or above: 1, 2, 5 or 10 times a power of ten. @param {number} value */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  return power * ([1, 2, 5].find((step) => step * power >= value) ?? 10);
}

/** @param {number} x @param {number} y @param {string} anchor @param {string} words */
const text = (x, y, anchor, words) => svg('text', { x, y, 'text-anchor': anchor }, words);

/** @param {number} top */
function axis(top) {
  /** @param {number} share */
  const y = (share) => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);
  return [0, 0.5, 1].filter((share) => Number.isInteger(share * top)).map((share) => [
    svg('line', { x1: LEFT, x2: WIDTH, y1: y(share), y2: y(share), class: 'rule' }),
    text(LEFT - 8, y(share) + 4, 'end', number(share * top)),
  ]);
}

/**
 * How many values lie between edges: n + 1 edges, n counts.
 * @param {string} title @param {{edges: number[], counts: number[]}} bins
 * @param {[value: string, count: string]} columns
 */
export function histogram(title, { edges, counts }, columns) {
  const top = roundUp(Math.max(...counts, 1));
  /** @param {number} i */
  const range = (i) => edges.slice(i, i + 2).map((edge) => number(edge)).join(' – ');
  const step = (WIDTH - LEFT) / counts.length;
  const rects = counts.map((count, i) => {
    const height = (count / top) * (HEIGHT - BOTTOM - TOP);
    const place = { x: LEFT + i * step + 1, y: HEIGHT - BOTTOM - height, width: Math.max(1, step - 2), height };
    return svg('rect', { ...place, class: 'mark' }, svg('title', {}, `${range(i)}: ${number(count)}`));
  });
  const every = Math.max(1, Math.ceil(edges.length / 6));
  const labels = edges.map((edge, i) => i % every === 0
    && text(LEFT + i * step, HEIGHT - 8, i === edges.length - 1 ? 'end' : 'middle', number(edge)));
  return h('figure', { class: 'panel' }, h('figcaption', {}, title),
    svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': title, class: 'plot' },
      axis(top), rects, labels),
    table(columns, counts.map((count, i) => [range(i), number(count)])));
}

/** @param {number} share */
const bar = (share) => svg('svg', { class: 'bar-plot', 'aria-hidden': 'true' },
  svg('rect', { width: `${Math.max(share * 100, 0.4)}%`, height: '100%', class: 'mark kind-0' }));

/** A row per value; the largest fills the width. @param {string} title @param {Row[]} rows */
export function bars(title, rows) {
  const top = Math.max(...rows.map(({ value }) => value), 1);
  return h('figure', { class: 'panel' }, h('figcaption', {}, title),
    h('ul', { class: 'bars' }, rows.map(({ name, value, shown, link }) => h('li', {},
      link ? h('a', { href: link, class: 'name' }, name) : h('span', { class: 'name' }, name),
      bar(value / top), h('span', { class: 'value' }, shown)))));
}

/** The parts of a sum: one bar, and a legend with numbers. @param {string} title @param {Row[]} rows */
export function parts(title, rows) {
  const total = rows.reduce((sum, { value }) => sum + value, 0) || 1;
  let x = 0;
  const rects = rows.map(({ value }, i) => {
    const share = (value / total) * 100;
    x += share;
    return svg('rect', { x: `${x - share}%`, width: `${share}%`, height: '100%', class: `mark kind-${i}` });
  });
  return h('figure', { class: 'panel' }, h('figcaption', {}, title),
    svg('svg', { class: 'parts', role: 'img', 'aria-label': title }, rects),
    h('ul', { class: 'legend' }, rows.map(({ name, shown }, i) => h('li', {},
      h('span', { class: `key kind-${i}` }), h('span', {}, name), h('span', { class: 'value' }, shown)))));
}
