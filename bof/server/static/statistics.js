// @ts-check
// What is in the index, in numbers and plots.

import { call } from './api.js';
import { h } from './dom.js';
import { errorBox } from './errors.js';
import { number, size, t, tOr } from './language.js';
import { bars, histogram, parts } from './plots.js';
import { href } from './router.js';

const MOST_ROWS = 15;

export const title = () => t('nav.statistics');

/** @param {string} name @param {string} value */
const figure = (name, value) => h('div', { class: 'panel figure' }, h('dt', {}, name), h('dd', {}, value));

/** @param {Api.Index} index */
const figures = (index) => h('dl', { class: 'figures' },
  figure(t('stat.pictures'), number(index.pictures)),
  figure(t('stat.features'), number(index.features)),
  figure(t('stat.mean'), number(index.pictures ? index.features / index.pictures : 0)),
  figure(t('stat.bytes'), size(index.bytes)),
  figure(t('stat.words'), number(index.vocabulary.words)),
  figure(t('stat.used'), number(index.vocabulary.used)));

/**
 * The largest first.
 * @param {Api.Index['tags']} items @param {(name: string) => {name: string, link?: string}} labelOf
 */
const counted = (items, labelOf) => [...items].sort((a, b) => b.pictures - a.pictures).slice(0, MOST_ROWS)
  .map(({ name, pictures }) => ({ ...labelOf(name), value: pictures, shown: number(pictures) }));

/** Each row is a link to its pictures. @param {Api.Index['tags']} items @param {'folder' | 'tag'} filter */
const linked = (items, filter) =>
  counted(items, (name) => ({ name: name || t('stat.top-folder'), link: href('collection', { [filter]: name }) }));

/** @param {Api.Index} index */
function plots(index) {
  const bytes = Object.entries(index.bytes_by_part).filter(([, value]) => value > 0)
    .map(([name, value]) => ({ name: tOr(`part.${name}`, name), value, shown: size(value) }));
  return h('div', { class: 'plots' },
    index.pictures
      ? histogram(t('stat.histogram'), index.features_per_image, [t('stat.features-of'), t('stat.pictures')]) : null,
    parts(t('stat.parts'), bytes),
    index.folders.length ? bars(t('stat.folders'), linked(index.folders, 'folder')) : null,
    index.tags.length ? bars(t('stat.tags'), linked(index.tags, 'tag')) : null,
    index.fields.length
      ? bars(t('stat.fields'), counted(index.fields, (name) => ({ name: tOr(`field.${name}`, name) }))) : null);
}

/** @param {Api.Index} index */
const small = (index) => h('p', { class: 'small' }, [
  t('stat.segments', { n: index.segments }), t('stat.generation', { value: String(index.generation) }),
  `bof ${index.version}`,
  t('stat.vocabulary', { value: index.vocabulary.fingerprint.slice(0, 12) }),
  index.columns.length ? t('stat.columns', { value: index.columns.join(', ') }) : null].filter(Boolean).join(' · '));

/** @type {ViewModule['show']} */
export function show(root) {
  const place = h('div', { 'aria-busy': 'true' }, h('p', { class: 'waiting' }, t('loading')));
  const load = async () => {
    try {
      const index = await call('GET /index');
      place.replaceChildren(figures(index), plots(index), small(index));
    } catch (error) {
      place.replaceChildren(errorBox(error, load));
    }
    place.setAttribute('aria-busy', 'false');
  };
  root.replaceChildren(h('section', { class: 'statistics' }, h('h1', {}, t('nav.statistics')), place));
  addEventListener('collection-changed', load);
  load();
  return { update: load, close: () => removeEventListener('collection-changed', load) };
}
