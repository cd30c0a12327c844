// @ts-check
// What the page says about the query itself, above the results.

import { rankers } from './api.js';
import { h } from './dom.js';
import { t } from './language.js';

const FEW_FEATURES = 30;

/** @param {string} text */
const notice = (text) => h('p', { class: 'notice' }, text);

/** Does a way to compare ask features, so that a query without any finds nothing? @param {string} ranker */
export async function asksFeatures(ranker) {
  const known = await rankers().catch(() => ({ rankers: [] }));
  const local = known.rankers.filter(({ needs }) => needs === null).map(({ name }) => name);
  return ranker.split('+').some((name) => local.includes(name));
}

/** What the address says of how the picture came here. @param {Query} query */
export function arrivalNotes({ instead, more }) {
  const texts = [];
  if (instead) texts.push(t('query.instead'));
  if (Number(more) > 0) texts.push(t('query.first-of', { n: Number(more) + 1 }));
  return texts.map(notice);
}

/**
 * What the answer says about the query itself.
 * @param {Api.Answer} answer @param {boolean} isAuto @param {boolean} isOfFeatures
 */
export function notes({ query: { box, n_features: n }, overlay }, isAuto, isOfFeatures) {
  const texts = [];
  if (isAuto && !box) texts.push(t('query.no-subject'));
  if (!isOfFeatures) return texts.map(notice);
  if (n === 0) texts.push(t('query.no-features'));
  else if (n < FEW_FEATURES) texts.push(t('query.few-features', { n }));
  if (overlay) texts.push(t('query.overlay', { n: overlay.n_images }));
  return texts.map(notice);
}
