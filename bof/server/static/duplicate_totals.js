// @ts-check
// What was found, in figures: together and by kind, each with a button that accepts all its suggestions.

import { button, h } from './dom.js';
import { accept } from './duplicate_decisions.js';
import { number, size, t, tOr } from './language.js';

/** @typedef {{kind: Kind, only?: string, folder?: string}} Filter which groups are meant */
/** @typedef {Api.Groups['kind']} Kind */
/** @typedef {Omit<Api.GroupTotals, 'by_kind'>} Figures */

/** @param {string} name @param {string} value */
const figure = (name, value) => h('div', { class: 'panel figure' }, h('dt', {}, name), h('dd', {}, value));

/** @param {Api.GroupTotals} totals */
const figures = (totals) => h('dl', { class: 'figures' },
  figure(t('dup.groups'), number(totals.groups)),
  figure(t('dup.pictures'), number(totals.pictures)),
  figure(t('dup.suggested'), number(totals.duplicates)),
  figure(t('dup.frees'), size(totals.bytes_to_free)));

/** @param {Api.Groups} answer @param {Filter} filter @param {boolean} canWrite */
export function totalsBox({ totals, actions }, filter, canWrite) {
  const rows = Object.entries(totals.by_kind);
  /** @param {string} words @param {Figures} of @param {Filter} meant */
  const offer = (words, of, meant) => (canWrite && of.duplicates
    ? button(words, () => accept(meant, of, actions), { icon: 'check' }) : null);
  /** @param {[kind: string, of: Figures]} row */
  const row = ([kind, of]) => h('li', {},
    h('b', {}, tOr(`dup.${kind}`, kind)),
    h('span', { class: 'small' }, t('dup.figures', {
      groups: t('dup.n-groups', { n: of.groups }), n: number(of.duplicates), bytes: size(of.bytes_to_free),
    })),
    rows.length > 1 ? offer(t('dup.accept'), of, { ...filter, only: kind }) : null);
  return h('section', { class: 'totals', 'aria-label': t('dup.totals') }, figures(totals),
    totals.groups ? h('div', { class: 'panel' }, h('ul', { class: 'kinds' }, rows.map(row)),
      h('p', { class: 'row' }, offer(t('dup.accept-all'), totals, filter))) : null);
}
