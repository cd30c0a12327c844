// One picture of the collection: what is known of it, its tags, what can be done with it.

import { call, original } from './api.js';
import { button, dialog, h, icon, link } from './dom.js';
import { removeAll, setTags, tagForm } from './editing.js';
import { day, number, size, t, tOr } from './language.js';
import { picture } from './results.js';
import { href } from './router.js';
import { trouble } from './trouble.js';

const takeOff = (tag, onclick) =>
  h('button', { type: 'button', 'aria-label': t('tag.take-off', { tag }), onclick }, icon('close'));

function tagList(image, canWrite, change) {
  if (!image.tags.length) return h('p', { class: 'small' }, t('tag.none'));
  return h('ul', { class: 'chips', 'aria-label': t('tags') }, image.tags.map((tag) => h('li', {}, tag,
    canWrite ? takeOff(tag, () => change(image.tags.filter((one) => one !== tag))) : null)));
}

const known = (image) => [
  [t('image.size'), `${number(image.width)} × ${number(image.height)}`],
  [t('image.bytes'), size(image.n_bytes)],
  [t('image.features'), number(image.n_features)],
  [t('image.modified'), day(image.modified)],
  [t('image.origin'), t(image.uploaded ? 'image.uploaded' : 'image.folder')],
  ...Object.entries(image.fields).map(([name, values]) => [tOr(`field.${name}`, {}, name), values.join(', ')]),
];

const facts = (image) => h('dl', {}, known(image).map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));

/** Opens it over the page; resolves when it is closed. */
export function showDetails(id, { canWrite, tags }) {
  return dialog(t('image.title'), t('close'), (close) => {
    const place = h('div', { class: 'details' }, h('p', { class: 'waiting' }, t('loading')));
    const load = async () => {
      try {
        draw(await call(`images/${id}`));
      } catch (error) {
        place.replaceChildren(trouble(error, load));
      }
    };
    const draw = (image) => {
      const change = async (tags) => {
        await setTags(image, tags);
        await load();
      };
      place.replaceChildren(
        picture(image, 640, image.name),
        h('div', {},
          h('p', { class: 'name' }, image.name), facts(image),
          h('h3', {}, t('tags')), tagList(image, canWrite, change),
          canWrite ? tagForm(tags, t('tag.add'), (tag) => change([...new Set([...image.tags, tag])])) : null,
          h('p', { class: 'row' },
            link(t('hit.search-short'), href('search', { image: image.id }), {
              icon: 'search', kind: 'primary', onclick: () => close('left'),
            }),
            link(t('image.original'), original(image), { icon: 'download', target: '_blank', rel: 'noopener' }),
            canWrite ? button(t('remove.one'), async () => {
              if (await removeAll([image])) close('removed');
            }, { icon: 'remove', kind: 'danger-text' }) : null)));
    };
    load();
    return place;
  });
}
