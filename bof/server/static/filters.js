// @ts-check
// Ranker and filters of a search. The address holds what the reader chooses.

import { indexFacts, rankers } from './api.js';
import { button, h, select } from './dom.js';
import { t, tOr } from './language.js';

/** @typedef {(parts: Record<string, string>) => void} Change changes parts of the address */
/** @typedef {Api.Rankers['rankers'][number]} Ranker */

const MIRRORS = /** @type {const} */ (['auto', 'always', 'never']);
const VERDICTS = /** @type {const} */ (['all', 'same', 'same,part', 'part', 'same,maybe', 'maybe', 'no,unverified']);
const NAMES = ['ranker', 'verdict', 'folder', 'tag', 'text', 'where', 'mirror'];

/** What a ranker is for; the server says it where the page does not. @param {Ranker} ranker */
const purpose = ({ name, description }) => tOr(`ranker.${name}`, description);

/** @param {Ranker} ranker */
const title = ({ name }) => tOr(`ranker.${name}.name`, name);

/** @param {Ranker} ranker */
const missing = ({ available, needs }) => (available || !needs ? null
  : h('span', { class: 'needs' }, t('filter.needs'), ' ', h('code', {}, `bof index --columns ${needs}`)));

/** @param {Query} query @param {Change} change */
async function rankerChoice(query, change) {
  const { default: first, rankers: all } = await rankers();
  const list = all.filter((ranker) => ranker.available || ranker.name === query.ranker);
  const chosen = list.find((ranker) => ranker.name === (query.ranker || first)) ?? list[0];
  if (!chosen) return null;
  return h('div', {},
    select(t('filter.ranker'), list.map((ranker) => [ranker.name, title(ranker)]), chosen.name,
      (value) => change({ ranker: value === first ? '' : value }),
      { 'aria-describedby': 'ranker-about', name: 'ranker' }),
    h('p', { class: 'small', id: 'ranker-about' }, purpose(chosen)),
    all.length > 1 ? h('details', { class: 'small' }, h('summary', {}, t('filter.rankers')),
      h('dl', {}, all.map((ranker) => [
        h('dt', {}, title(ranker)), h('dd', {}, purpose(ranker), missing(ranker)),
      ]))) : null);
}

/** @param {string} label @param {string} name @param {Query} query @param {Attributes<HTMLInputElement>} attributes */
const textField = (label, name, query, attributes) => h('label', { class: 'field' }, h('span', {}, label),
  h('input', { type: 'search', name, value: query[name] ?? '', ...attributes }));

const TYPING_MS = 400;

/** Words in name or tags; the search follows while the reader types. @param {Query} query @param {Change} change */
export function textChoice(query, change) {
  let waiting = 0;
  /** @param {HTMLInputElement} field */
  const apply = (field) => {
    const text = field.value.trim();
    if (field.isConnected && text !== (query.text ?? '')) change({ text });
  };
  return textField(t('filter.text'), 'text', query, {
    id: 'text-filter',
    onchange: ({ currentTarget }) => change({ text: currentTarget.value.trim() }),
    oninput: ({ currentTarget }) => {
      clearTimeout(waiting);
      waiting = setTimeout(() => apply(currentTarget), TYPING_MS);
    },
  });
}

/** @param {'folder' | 'tag'} name @param {Api.Index['tags']} items @param {Query} query @param {Change} change */
function oneOf(name, items, query, change) {
  if (!items.length) return null;
  /** @type {[string, string][]} */
  const counted = items.map((item) => [item.name, `${item.name} (${item.pictures})`]);
  return select(t(`filter.${name}`), [['', t('filter.any')], ...counted], query[name],
    (value) => change({ [name]: value }), { name });
}

/** @param {Api.Index} facts @param {Query} query @param {Change} change */
export const folderChoice = (facts, query, change) => oneOf('folder', facts.folders, query, change);

/** @param {Api.Index} facts @param {Query} query @param {Change} change */
export const tagChoice = (facts, query, change) => oneOf('tag', facts.tags, query, change);

/** @param {Query} query @param {Change} change */
const expertFields = (query, change) => h('details', { open: Boolean(query.where || query.mirror), class: 'expert' },
  h('summary', {}, t('filter.more')),
  textField(t('filter.where'), 'where', query, {
    placeholder: 'year >= 1900 and not tag = draft',
    onchange: ({ currentTarget }) => change({ where: currentTarget.value.trim() }),
  }),
  select(t('filter.mirror'), MIRRORS.map((key) => [key === 'auto' ? '' : key, t(`filter.mirror.${key}`)]), query.mirror,
    (mirror) => change({ mirror }), { name: 'mirror' }));

/** @param {Api.Index} facts @param {Query} query @param {Change} change */
const filterFields = (facts, query, change) => [
  select(t('filter.verdict'), VERDICTS.map((key) => [key === 'all' ? '' : key, t(`filter.verdict.${key}`)]),
    query.verdict, (verdict) => change({ verdict }), { name: 'verdict' }),
  folderChoice(facts, query, change),
  tagChoice(facts, query, change),
  textChoice(query, change),
  expertFields(query, change),
];

/** @param {Query} query @param {Change} change */
export async function filters(query, change) {
  const [facts, choice] = await Promise.all([indexFacts(), rankerChoice(query, change)]);
  const active = NAMES.filter((name) => query[name]);
  const clear = Object.fromEntries(active.map((name) => [name, '']));
  return h('div', { class: 'filters' },
    h('details', { class: 'filter-box', open: active.length > 0 || matchMedia('(min-width: 60rem)').matches },
      h('summary', {}, t('filter.title'), active.length ? h('span', { class: 'count' }, String(active.length)) : null),
      h('div', { class: 'fields' }, choice, filterFields(facts, query, change)),
      active.length ? button(t('filter.clear'), () => change(clear), { icon: 'close' }) : null));
}
