// @ts-check
// One picture of the collection: its facts, its tags, what the reader can do with it.

import { call, original } from './api.js';
import { button, dialog, h, icon, link } from './dom.js';
import { removeAll, setTags, tagForm } from './editing.js';
import { errorBox } from './errors.js';
import { day, number, size, t, tOr } from './language.js';
import { picture } from './results.js';
import { href } from './router.js';

/** @param {string} tag @param {() => unknown} onclick */
const takeOff = (tag, onclick) =>
  h('button', { type: 'button', 'aria-label': t('tag.take-off', { tag }), onclick }, icon('close'));

/** @param {Api.Image} image @param {boolean} canWrite @param {(tags: string[]) => unknown} change */
function tagList({ tags }, canWrite, change) {
  if (!tags.length) return h('p', { class: 'small' }, t('tag.none'));
  return h('ul', { class: 'chips', 'aria-label': t('tags') }, tags.map((tag) => h('li', {}, tag,
    canWrite ? takeOff(tag, () => change(tags.filter((other) => other !== tag))) : null)));
}

/** @param {Api.Image} image */
const facts = (image) => h('dl', {}, [
  [t('image.size'), `${number(image.width)} × ${number(image.height)}`],
  [t('image.bytes'), size(image.n_bytes)],
  [t('image.features'), number(image.n_features)],
  [t('image.modified'), day(image.modified)],
  [t('image.origin'), t(image.uploaded ? 'image.uploaded' : 'image.folder')],
  ...Object.entries(image.fields).map(([name, values]) => [tOr(`field.${name}`, name), values.join(', ')]),
].map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));

/** @param {Api.Image} image @param {() => void} leave */
const actions = (image, leave) => [
  link(t('hit.search-short'), href('search', { image: image.id }), { icon: 'search', kind: 'primary', onclick: leave }),
  link(t('image.original'), original(image), { icon: 'download', target: '_blank', rel: 'noopener' }),
];

/**
 * Opens it over the page; it closes with 'left' where the reader goes elsewhere.
 * @param {string} id @param {boolean} canWrite @param {Api.Index['tags']} knownTags
 */
export function showDetails(id, canWrite, knownTags) {
  const place = h('div', { class: 'details' }, h('p', { class: 'waiting' }, t('loading')));
  /** @param {Api.Image} image @param {(result: 'left' | 'removed') => void} close */
  const draw = (image, close) => {
    /** @param {string[]} tags */
    const change = async (tags) => {
      await setTags(image, tags);
      await load(close);
    };
    const remove = async () => {
      if (await removeAll([image])) close('removed');
    };
    place.replaceChildren(
      picture(image, 640, image.name),
      h('div', {},
        h('p', { class: 'name' }, image.name), facts(image),
        h('h3', {}, t('tags')), tagList(image, canWrite, change),
        canWrite ? tagForm(knownTags, (tag) => change([...new Set([...image.tags, tag])])) : null,
        h('p', { class: 'row' },
          actions(image, () => close('left')),
          canWrite ? button(t('remove.one'), remove, { icon: 'remove', kind: 'danger-text' }) : null)));
  };
  /** @param {(result: 'left' | 'removed') => void} close */
  const load = async (close) => {
    try {
      draw(await call('GET /images/{id}', { path: { id } }), close);
    } catch (error) {
      place.replaceChildren(errorBox(error, () => load(close)));
    }
  };
  return dialog(t('image.title'), t('close'), (close) => {
    load(close);
    return place;
  }, 'of-image');
}
