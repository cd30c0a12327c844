// Ranker and filters of a search. What is chosen goes into the address.

import { indexFacts, rankers } from './api.js';
import { button, h, select } from './dom.js';
import { t, tOr } from './language.js';

const MIRRORS = ['auto', 'always', 'never'];

/** What a ranker is for: in the reader's language where we know it, else as the server says. */
const purpose = (ranker) => tOr(`ranker.${ranker.name}`, {}, ranker.description);
const title = (ranker) => tOr(`ranker.${ranker.name}.name`, {}, ranker.name);

const needed = ({ available, needs }) => (available || !needs ? null
  : h('span', { class: 'needs' }, t('filter.needs'), ' ', h('code', {}, `bof index --columns ${needs}`)));

async function rankerChoice(query, change) {
  const { default: first, rankers: all } = await rankers();
  const list = all.filter((ranker) => ranker.available || ranker.name === query.ranker);
  const now = list.find((ranker) => ranker.name === (query.ranker || first)) ?? list[0];
  if (!now) return null;
  const about = h('p', { class: 'small', id: 'ranker-about' }, purpose(now));
  return h('div', {},
    select(t('filter.ranker'), list.map((ranker) => [ranker.name, title(ranker)]), now.name,
      (value) => change({ ranker: value === first ? '' : value }),
      { 'aria-describedby': 'ranker-about', name: 'ranker' }),
    about,
    all.length > 1 ? h('details', { class: 'small' }, h('summary', {}, t('filter.rankers')),
      h('dl', {}, all.map((ranker) => [
        h('dt', {}, title(ranker)), h('dd', {}, purpose(ranker), needed(ranker)),
      ]))) : null);
}

const counted = (items) => items.map(({ name, pictures }) => [name, `${name} (${pictures})`]);

function words(label, name, query, change, attributes = {}) {
  const onchange = (event) => change({ [name]: event.target.value.trim() });
  return h('label', { class: 'field' }, h('span', {}, label),
    h('input', { type: 'search', name, value: query[name] ?? '', onchange, ...attributes }));
}

const TYPING_MS = 400;

/** A field whose words count as soon as nothing more is typed. */
function typedWords(label, query, change) {
  let waiting = 0;
  const count = (field) => {
    const text = field.value.trim();
    if (field.isConnected && text !== (query.text ?? '')) change({ text });
  };
  const oninput = ({ target }) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => count(target), TYPING_MS);
  };
  return words(label, 'text', query, change, { id: 'text-filter', oninput });
}

function oneOf(name, items, query, change) {
  const choices = [['', t('filter.any')], ...counted(items)];
  const field = () => select(t(`filter.${name}`), choices, query[name], (value) => change({ [name]: value }), { name });
  return items.length ? field() : null;
}

export const folderChoice = (facts, query, change) => oneOf('folder', facts.folders, query, change);
export const tagChoice = (facts, query, change) => oneOf('tag', facts.tags, query, change);

export const textChoice = (query, change) => typedWords(t('filter.text'), query, change);

function filterFields(facts, query, change) {
  const verdicts = ['', 'same', 'same,maybe', 'maybe', 'no,unverified'];
  const isDeep = query.where || query.mirror;
  const mirrors = MIRRORS.map((key) => [key === 'auto' ? '' : key, t(`filter.mirror.${key}`)]);
  return [
    select(t('filter.verdict'), verdicts.map((key) => [key, t(`filter.verdict.${key || 'all'}`)]), query.verdict,
      (verdict) => change({ verdict }), { name: 'verdict' }),
    folderChoice(facts, query, change),
    tagChoice(facts, query, change),
    textChoice(query, change),
    h('details', { open: Boolean(isDeep), class: 'expert' }, h('summary', {}, t('filter.more')),
      words(t('filter.where'), 'where', query, change, { placeholder: 'year >= 1900 and not tag = draft' }),
      select(t('filter.mirror'), mirrors, query.mirror, (mirror) => change({ mirror }), { name: 'mirror' })),
  ];
}

/** change: called with the parts of the question that become different. */
export async function filters(query, change) {
  const [facts, choice] = await Promise.all([indexFacts(), rankerChoice(query, change)]);
  const active = ['ranker', 'verdict', 'folder', 'tag', 'text', 'where', 'mirror'].filter((name) => query[name]);
  const clear = Object.fromEntries(active.map((name) => [name, '']));
  return h('div', { class: 'filters' },
    h('details', { class: 'filter-box', open: active.length > 0 || matchMedia('(min-width: 60rem)').matches },
      h('summary', {}, t('filter.title'), active.length ? h('span', { class: 'count' }, String(active.length)) : null),
      h('div', { class: 'fields' }, choice, filterFields(facts, query, change)),
      active.length ? button(t('filter.clear'), () => change(clear), { icon: 'close' }) : null));
}
