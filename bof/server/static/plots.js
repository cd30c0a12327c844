// @ts-check
// Small plots in SVG; each has its numbers as a table for those who cannot see it.

import { h, svg } from './dom.js';
import { number, t } from './language.js';

const [WIDTH, HEIGHT, BOTTOM, TOP] = [440, 190, 28, 12];
/** Room for a label, in units of the plot: of a letter, where letters are largest, and between two labels. */
const [LETTER, GAP] = [8.5, 14];

/**
 * value: the length of its bar; shown: the value in words.
 * @typedef {{name: string, value: number, shown: string, link?: string}} Row
 */

/** @param {string[]} columns @param {string[][]} rows */
const table = (columns, rows) => h('details', { class: 'small' }, h('summary', {}, t('plot.table')),
  h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': t('plot.table') }, h('table', {},
    h('thead', {}, h('tr', {}, columns.map((name) => h('th', { scope: 'col' }, name)))),
    h('tbody', {}, rows.map((row) => h('tr', {}, row.map((cell) => h('td', {}, cell))))))));

/** A round number at or above, whose half is whole too. @param {number} value */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  const top = power * ([1, 2, 3, 4, 6, 8].find((step) => step * power >= value) ?? 10);
  return top % 2 ? top + 1 : top;
}

/** @param {number} x @param {number} y @param {string} anchor @param {string} words */
const text = (x, y, anchor, words) => svg('text', { x, y, 'text-anchor': anchor }, words);

/** How much room a label takes. @param {string} words */
const roomOf = (words) => words.length * LETTER;

/** The numbers at the left, with their lines. @param {number} top @param {number} left */
function axis(top, left) {
  /** @param {number} share */
  const y = (share) => HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);
  return [0, 0.5, 1].map((share) => [
    svg('line', { x1: left, x2: WIDTH, y1: y(share), y2: y(share), class: 'rule' }),
    text(left - 6, y(share) + 4, 'end', number(share * top)),
  ]);
}

/**
 * The numbers below: first and last always, between them as many at equal steps as have room.
 * @param {number[]} edges @param {number} left @param {number} step from edge to edge
 */
function labels(edges, left, step) {
  const last = edges.length - 1;
  const room = Math.max(...edges.map((edge) => roomOf(number(edge)))) + GAP;
  const every = [1, 2, 4, 5, 10, 20].find((n) => n * step >= room) ?? last;
  return edges.map((edge, i) => {
    if (i === last) return text(WIDTH, HEIGHT - 8, 'end', number(edge));
    const isShown = i % every === 0 && (last - i) * step >= 1.5 * room - GAP;
    return isShown && text(left + i * step, HEIGHT - 8, i ? 'middle' : 'start', number(edge));
  });
}

/**
 * How many values lie between edges: n + 1 edges, n counts.
 * @param {string} title @param {{edges: number[], counts: number[]}} bins
 * @param {[value: string, count: string]} columns
 */
export function histogram(title, { edges, counts }, columns) {
  const top = roundUp(Math.max(...counts, 1));
  const left = roomOf(number(top)) + GAP;
  /** @param {number} i */
  const range = (i) => edges.slice(i, i + 2).map((edge) => number(edge)).join(' – ');
  const step = (WIDTH - left) / counts.length;
  const rects = counts.map((count, i) => {
    const height = (count / top) * (HEIGHT - BOTTOM - TOP);
    const place = { x: left + i * step + 1, y: HEIGHT - BOTTOM - height, width: Math.max(1, step - 2), height };
    return svg('rect', { ...place, class: 'mark' }, svg('title', {}, `${range(i)}: ${number(count)}`));
  });
  return h('figure', { class: 'panel' }, h('figcaption', {}, title),
    svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': title, class: 'plot' },
      axis(top, left), rects, labels(edges, left, step)),
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
