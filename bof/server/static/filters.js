// @ts-check
// Ranker and filters of a search. The address holds what the reader chooses.

import { indexFacts, rankers } from './api.js';
import { button, h, select } from './dom.js';
import { ExplainedError } from './errors.js';
import { t, tOr } from './language.js';
import { valueChoice } from './values.js';

/** @typedef {(parts: Record<string, string>) => void} Change changes parts of the address */
/** @typedef {Api.Rankers['rankers'][number]} Ranker */

const VARIANTS = /** @type {const} */ (['mirror', 'inverse', 'enlarge', 'tilt']);
const MODES = /** @type {const} */ (['auto', 'always', 'never']);
const VERDICTS = /** @type {const} */ (['all', 'same', 'same,part', 'part', 'same,maybe', 'maybe', 'no,unverified']);
/** What an address may say of how to search. */
export const SETTINGS = [
  'ranker', 'verdict', 'group_by', 'folder', 'tag', 'text', 'where', ...VARIANTS, 'metric', 'fusion',
];
const METRICS = /** @type {const} */ (['bhattacharyya', 'chi-square', 'euclidean', 'correlation', 'intersection']);
const FUSIONS = /** @type {const} */ (['calibrated', 'rrf']);
/** Rankers that a metric is for. */
const COLOURS = ['color', 'histogram'];
/** Parts of an address that the reader types, and the server may refuse. */
const REFUSABLE = ['where', 'text', 'tag', 'folder', 'group_by'];

/** What the server said of a filter: which, and what is wrong with it. @typedef {{name: string, text: string}} Fault */

/** The filter that an error is about, or null. @param {unknown} error @returns {Fault | null} */
export const faultOf = (error) => (error instanceof ExplainedError && REFUSABLE.includes(error.parameter)
  ? { name: error.parameter, text: error.detail.replace(/^\w+: /, '') } : null);

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

/** @param {Api.Index} facts @param {Query} query @param {Change} change */
export const folderChoice = (facts, query, change) =>
  valueChoice('folder', facts.folders, facts.n_folders, query.folder, (folder) => change({ folder }));

/** @param {Api.Index} facts @param {Query} query @param {Change} change */
export const tagChoice = (facts, query, change) =>
  valueChoice('tag', facts.tags, facts.n_tags, query.tag, (tag) => change({ tag }));

/** One hit of each value of a field. @param {Api.Index} facts @param {Query} query @param {Change} change */
function groupChoice(facts, query, change) {
  const fields = facts.fields.map(({ name }) => name).filter((name) => name !== 'title');
  const known = [...fields, ...(facts.tags.length ? ['tag'] : []), ...(facts.folders.length ? ['folder'] : [])];
  const chosen = query.group_by;
  if (!known.length && !chosen) return null;
  const names = chosen && !known.includes(chosen) ? [...known, chosen] : known;
  /** @type {[string, string][]} */
  const options = names.map((name) => [name, tOr(`group.by.${name}`, name)]);
  return select(t('filter.group'), [['', t('filter.group.none')], ...options], chosen,
    (name) => change({ group_by: name }), { name: 'group_by' });
}

/**
 * One of a few names; the first is what holds where none is chosen.
 * @template {typeof VARIANTS[number] | 'metric' | 'fusion'} N
 * @param {N} name @param {readonly string[]} keys @param {(key: string) => string} words
 * @param {Query} query @param {Change} change
 */
const fixedChoice = (name, keys, words, query, change) => select(
  t(`filter.${name}`), keys.map((key, i) => [i ? key : '', words(key)]), query[name],
  (value) => change({ [name]: value }), { name });

/** Options of some rankers alone. @param {Query} query @param {Change} change */
function rankerOptions(query, change) {
  const names = (query.ranker ?? '').split('+');
  return [
    names.some((name) => COLOURS.includes(name)) || query.metric
      ? fixedChoice('metric', METRICS, (key) => tOr(`filter.metric.${key}`, key), query, change) : null,
    names.length > 1 || query.fusion
      ? fixedChoice('fusion', FUSIONS, (key) => tOr(`filter.fusion.${key}`, key), query, change) : null,
  ];
}

/** @param {Query} query @param {Change} change */
const expertFields = (query, change) => h('details', { open: Boolean(query.where || query.mirror), class: 'expert' },
  h('summary', {}, t('filter.more')),
  textField(t('filter.where'), 'where', query, {
    placeholder: 'year >= 1900 and not tag = draft',
    onchange: ({ currentTarget }) => change({ where: currentTarget.value.trim() }),
  }),
  VARIANTS.map((name) => fixedChoice(name, MODES, (key) => tOr(`filter.mirror.${key}`, key), query, change)));

/** @param {Api.Index} facts @param {Query} query @param {Change} change */
const filterFields = (facts, query, change) => [
  rankerOptions(query, change),
  select(t('filter.verdict'), VERDICTS.map((key) => [key === 'all' ? '' : key, t(`filter.verdict.${key}`)]),
    query.verdict, (verdict) => change({ verdict }), { name: 'verdict' }),
  groupChoice(facts, query, change),
  folderChoice(facts, query, change),
  tagChoice(facts, query, change),
  textChoice(query, change),
  expertFields(query, change),
];

/** Says beside a field what is wrong with it. @param {Element} fields @param {Fault} fault */
function markFault(fields, { name, text }) {
  const field = fields.querySelector(`[name="${name}"]`);
  const message = h('p', { class: 'fault', id: 'filter-fault', lang: 'en' }, text);
  field?.setAttribute('aria-invalid', 'true');
  field?.setAttribute('aria-describedby', message.id);
  (field?.closest('label') ?? fields).after(message);
  for (let above = field?.closest('details'); above; above = above.parentElement?.closest('details')) above.open = true;
}

/** @param {Query} query @param {Change} change @param {Fault | null} fault what the server said of one of them */
export async function filters(query, change, fault = null) {
  const [facts, choice] = await Promise.all([indexFacts(), rankerChoice(query, change)]);
  const active = SETTINGS.filter((name) => query[name]);
  const clear = Object.fromEntries(active.map((name) => [name, '']));
  const fields = h('div', { class: 'fields' }, choice, filterFields(facts, query, change));
  const isOpen = active.length > 0 || matchMedia('(min-width: 60rem)').matches;
  const all = h('div', { class: 'filters' },
    h('details', { class: 'filter-box', open: isOpen },
      h('summary', {}, t('filter.title'), active.length ? h('span', { class: 'count' }, String(active.length)) : null),
      fields, active.length ? button(t('filter.clear'), () => change(clear), { icon: 'close' }) : null));
  if (fault) markFault(fields, fault);
  return all;
}
