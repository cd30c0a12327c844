// @ts-check
// Several pictures of one thing are one query: the address names the others, and a strip below the first shows them.

import { thumbnail, url } from './api.js';
import { button, h, icon, lastingNote, link, toast } from './dom.js';
import { errorText } from './errors.js';
import { t } from './language.js';
import { loadPicture } from './pictures.js';
import { href } from './router.js';
import { isStored, storedId } from './sending.js';
import './words_together.js';

/** Pictures beside the first. */
const MOST = 8;
const SMALL = 320;

/** Can so many pictures be one query? @param {number} n */
export const isOneQuery = (n) => n > 1 && n <= MOST + 1;

/** What names the others in an address: ids of stored queries, numbers of the collection. @param {Query} query */
export const othersIn = ({ other = '' }) => other.split(',').filter(Boolean);

/** @param {string} id */
const isIndexed = (id) => /^\d+$/.test(id);

/** @param {string[]} others */
const inAddress = (others) => [...new Set(others)].slice(0, MOST).join(',');

/** @param {string} id */
const smallPicture = (id) => (isIndexed(id) ? thumbnail({ id }, SMALL)
  : url('GET /queries/{query}/picture', { path: { query: id }, query: { size: SMALL } }).href);

/**
 * The address of a search with one more picture of the collection; that with the picture alone where there is no
 * search.
 * @param {string} target @param {number} id
 */
export function withOther(target, id) {
  const [path, text = ''] = target.split('?');
  const query = Object.fromEntries(new URLSearchParams(text));
  if (path !== '#/search') return href('search', { image: id });
  return href('search', { ...query, other: inAddress([...othersIn(query), String(id)]) });
}

/** The address of a search with pictures of the collection as one query. @param {number[]} ids */
export const togetherAddress = ([first, ...others]) =>
  href('search', { image: first, other: inAddress(others.map(String)) });

/** The address of the comparison of a hit with the picture that proves it. @param {string} id @param {Api.Hit} hit */
export const matchOfOther = (id, hit) => (isIndexed(id)
  ? href('match', {}, id, hit.id) : href('match', { query: id }, 'q', hit.id));

/** Those of the others that the server still has. @param {Query} query */
export async function othersLeft(query) {
  const others = othersIn(query);
  const isThere = await Promise.all(others.map(async (id) => isIndexed(id) || isStored(id)));
  return inAddress(others.filter((_, i) => isThere[i]));
}

/** Sends pictures; returns the ids that the server knows them by. @param {File[]} files */
async function sent(files) {
  const { remove } = lastingNote(t('query.sending'));
  try {
    return await Promise.all(files.map(async (file) => storedId(await loadPicture(file))));
  } finally {
    remove();
  }
}

/**
 * The strip of the other pictures, with buttons that add and remove one.
 * @param {Query} query @param {(others: string) => void} onChange is given what the address says from then on
 */
export function strip(query, onChange) {
  const others = othersIn(query);
  /** @param {HTMLInputElement} input */
  const add = async (input) => {
    const files = [...input.files ?? []];
    input.value = '';
    if (others.length + files.length > MOST) toast(t('together.most', { n: MOST + 1 }));
    try {
      const ids = await sent(files.slice(0, MOST - others.length));
      onChange(inAddress([...others, ...ids]));
    } catch (error) {
      toast(errorText(error));
    }
  };
  /** @param {string} id @param {number} i */
  const item = (id, i) => h('li', {},
    h('img', { src: smallPicture(id), alt: t('together.nth', { nth: i + 2 }) }),
    button(t('together.remove', { nth: i + 2 }), () => onChange(inAddress(others.filter((one) => one !== id))),
      { icon: 'close', quiet: true, name: `remove-${i}` }));
  const input = h('input', {
    type: 'file', class: 'unseen', accept: 'image/*,.tif,.tiff', id: 'choose-other', multiple: true,
    onchange: ({ currentTarget }) => add(currentTarget),
  });
  return h('div', { class: 'together', role: 'group', 'aria-label': t('together') },
    others.length ? h('p', { class: 'small' }, t('together.with', { n: others.length })) : null,
    others.length ? h('ul', { class: 'others' }, others.map(item)) : null,
    others.length < MOST && h('div', { class: 'row' },
      h('label', { class: 'button', title: t('together.why') }, icon('plus'), h('span', {}, t('together.add')), input),
      link(t('together.pick'), href('collection', { pick: 1, to: location.hash }),
        { icon: 'collection', quiet: true, id: 'pick-other' })));
}
