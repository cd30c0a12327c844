// What is in the index, as numbers and plots.

import { call } from './api.js';
import { h } from './dom.js';
import { number, size, t, tOr } from './language.js';
import { bars, histogram, parts } from './plots.js';
import { href } from './router.js';
import { trouble } from './trouble.js';

const MOST_ROWS = 15;

export const title = () => t('nav.statistics');

const figure = (name, value) => h('div', { class: 'panel figure' }, h('dt', {}, name), h('dd', {}, value));

function figures(index) {
  return h('dl', { class: 'figures' },
    figure(t('stat.pictures'), number(index.pictures)),
    figure(t('stat.features'), number(index.features)),
    figure(t('stat.mean'), number(index.pictures ? index.features / index.pictures : 0)),
    figure(t('stat.bytes'), size(index.bytes)),
    figure(t('stat.words'), number(index.vocabulary.words)),
    figure(t('stat.used'), number(index.vocabulary.used)));
}

/** The largest first, as rows of a plot; filter: what of the collection a row leads to. */
function counted(items, filter) {
  const largest = [...items].sort((a, b) => b.pictures - a.pictures).slice(0, MOST_ROWS);
  return largest.map(({ name, pictures }) => ({
    name: filter ? name || t('stat.top-folder') : tOr(`field.${name}`, {}, name),
    value: pictures,
    shown: number(pictures),
    link: filter ? href('collection', { [filter]: name }) : null,
  }));
}

function plots(index) {
  const histogramWords = [t('stat.features-of'), t('stat.pictures')];
  const bytes = Object.entries(index.bytes_by_part).filter(([, value]) => value > 0)
    .map(([name, value]) => ({ name: tOr(`part.${name}`, {}, name), value, shown: size(value) }));
  return h('div', { class: 'plots' },
    index.pictures ? histogram(t('stat.histogram'), index.features_per_image, histogramWords) : null,
    parts(t('stat.parts'), bytes),
    index.folders.length ? bars(t('stat.folders'), counted(index.folders, 'folder')) : null,
    index.tags.length ? bars(t('stat.tags'), counted(index.tags, 'tag')) : null,
    index.fields.length ? bars(t('stat.fields'), counted(index.fields, null)) : null);
}

const small = (index) => h('p', { class: 'small' }, [
  t('stat.segments', { n: index.segments }), t('stat.generation', { value: String(index.generation) }),
  `bof ${index.version}`,
  t('stat.vocabulary', { value: String(index.vocabulary.fingerprint).slice(0, 12) }),
  index.columns.length ? t('stat.columns', { value: index.columns.join(', ') }) : null].filter(Boolean).join(' · '));

export function show(root) {
  const place = h('div', { 'aria-busy': 'true' }, h('p', { class: 'waiting' }, t('loading')));
  const load = async () => {
    try {
      const index = await call('index');
      place.replaceChildren(figures(index), plots(index), small(index));
    } catch (error) {
      place.replaceChildren(trouble(error, load));
    }
    place.setAttribute('aria-busy', 'false');
  };
  root.replaceChildren(h('section', { class: 'statistics' }, h('h1', {}, t('nav.statistics')), place));
  addEventListener('collection-changed', load);
  load();
  return { update: load, close: () => removeEventListener('collection-changed', load) };
}
