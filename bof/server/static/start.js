// @ts-check
// The start: every way to give a picture, and a few of the collection as examples.

import { call, indexFacts, thumbnail } from './api.js';
import { h, icon, link } from './dom.js';
import { errorBox } from './errors.js';
import { t } from './language.js';
import { cameraButton, chooseButton } from './picture_input.js';
import { href } from './router.js';

const N_EXAMPLES = 12;

/** @param {boolean} isMissing */
function welcome(isMissing) {
  return h('section', { class: 'welcome' },
    h('h1', {}, t(isMissing ? 'start.again' : 'start.title')),
    isMissing ? h('p', { class: 'notice' }, t('start.again-why')) : h('p', { class: 'lead' }, t('start.lead')),
    h('div', { class: 'drop' },
      icon('upload'),
      h('p', {}, t('start.drop')),
      h('div', { class: 'row' }, chooseButton(t('take.choose'), 'primary'), cameraButton(t('take.camera')),
        link(t('take.pick'), href('collection', { pick: 1 }), { icon: 'collection' }),
        link(t('take.several'), href('many'), { icon: 'folder' })),
      h('p', { class: 'small' }, t('start.private'))));
}

/** An empty collection. @param {boolean} isElsewhere outside the view of the collection */
export function noPictures(isElsewhere) {
  return h('div', { class: 'empty' }, icon('collection'), h('h2', {}, t('empty.title')), h('p', {}, t('empty.why')),
    isElsewhere && link(t('empty.add'), href('collection'), { icon: 'plus', kind: 'primary' }));
}

async function examples() {
  const facts = await indexFacts();
  if (!facts.pictures) return noPictures(true);
  const { images } = await call('GET /images', { query: { limit: N_EXAMPLES, sort: 'newest' } });
  return h('section', { class: 'examples' }, h('h2', {}, t('start.examples')),
    h('ul', { class: 'strip' }, images.map((image) => h('li', {},
      h('a', { href: href('search', { image: image.id }), title: image.name },
        h('img', { src: thumbnail(image, 160), alt: t('start.with', { name: image.name }), loading: 'lazy' }))))),
    h('p', { class: 'small' }, t('start.size', { n: facts.pictures })));
}

/**
 * @param {boolean} isMissing the address names a picture that the reader must give again
 * @param {(error: unknown) => Node} onError
 */
export function start(isMissing, onError) {
  const place = h('div', { 'aria-busy': 'true' });
  examples().catch(onError).then((element) => {
    place.replaceChildren(element);
    place.setAttribute('aria-busy', 'false');
  });
  return h('div', { class: 'start' }, welcome(isMissing), place);
}

export const title = () => t('nav.search');

/** The view of an address without a picture. @type {ViewModule['show']} */
export function show(root) {
  const update = () => root.replaceChildren(start(false, (error) => errorBox(error, update)));
  update();
  return { update };
}
