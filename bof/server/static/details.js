// @ts-check
// One picture of the collection: its facts, its tags, what the reader can do with it; of a hit, also its verdict.

import { call, container, original } from './api.js';
import { button, dialog, h, icon, link } from './dom.js';
import { removeAll, setTags, tagForm } from './editing.js';
import { errorBox } from './errors.js';
import { timesOf } from './film_times.js';
import { partText, several } from './hit_card.js';
import { judgmentBox } from './judging.js';
import { day, number, size, t, tOr } from './language.js';
import { searchWith } from './picture_input.js';
import { chips, picture, verdictLine, why } from './results.js';
import { href } from './router.js';

/**
 * A hit of an answer. onJudged: what follows a judgment; shots: of a film, the numbers of all pictures that are hits.
 * @typedef {{
 *   hit: Api.Hit, query: Api.Answer['query'], onJudged: () => unknown, shots?: () => Promise<Set<number>>,
 * }} Found
 */

const N_TAGS = 30;
const N_VALUES = 20;

/** @param {string} tag @param {() => unknown} onclick */
const takeOff = (tag, onclick) =>
  h('button', { type: 'button', 'aria-label': t('tag.take-off', { tag }), onclick }, icon('close'));

/** @param {Api.Image} image @param {boolean} canWrite @param {(tags: string[]) => unknown} change */
const tagList = ({ tags }, canWrite, change) => chips(tags, (tag) => [tag,
  canWrite ? takeOff(tag, () => change(tags.filter((other) => other !== tag))) : null,
], N_TAGS) ?? h('p', { class: 'small' }, t('tag.none'));

/** Where it lies in a file with several pictures. @param {Api.Image} image @returns {[string, string][]} */
function places({ file_name: name, part }) {
  return part ? [[t('image.part'), `${partText(part)} (${name.split('#')[0] ?? ''})`]] : [];
}

/** @param {Api.Image} image */
const facts = (image) => h('dl', {}, [
  ...places(image),
  ...Object.entries(image.fields).map(([name, values]) => [tOr(`field.${name}`, name), several(values, N_VALUES)]),
  [t('image.size'), `${number(image.width)} × ${number(image.height)}`],
  [t('image.bytes'), size(image.n_bytes)],
  [t('image.features'), number(image.n_features)],
  [t('image.modified'), day(image.modified)],
  [t('image.origin'), t(image.uploaded ? 'image.uploaded' : 'image.folder')],
].map(([name, value]) => [h('dt', {}, name), h('dd', {}, value)]));

/** @param {Api.Hit | undefined} hit */
function archiveLink(hit) {
  const address = hit?.iiif?.manifests[0] ?? hit?.iiif?.canvas ?? '';
  return /^https?:/.test(address)
    ? link(t('image.archive'), address, { icon: 'link', target: '_blank', rel: 'noopener' }) : null;
}

/** @param {Api.Image} image @param {Api.Hit | undefined} hit @param {() => void} leave */
const actions = (image, hit, leave) => [
  link(t('hit.search-short'), href('search', { image: image.id }), { icon: 'search', kind: 'primary', onclick: leave }),
  link(t('image.original'), original(image), { icon: 'download', target: '_blank', rel: 'noopener' }),
  image.part ? link(t('image.container'), container(image), { icon: 'link', target: '_blank', rel: 'noopener' }) : null,
  archiveLink(hit),
  hit ? link(t('image.in-collection'), href('collection', { show: image.id }), { icon: 'collection', onclick: leave })
    : null,
];

/** @param {Found} found @param {boolean} canWrite @param {() => void} done */
const findings = ({ hit, query, onJudged }, canWrite, done) => [
  verdictLine(hit), h('div', {}, why(hit)),
  judgmentBox(hit, query, canWrite, () => {
    done();
    return onJudged();
  }),
];

/**
 * A film in the place of its frame: the player and its shots, fetched when they are needed.
 * @param {Api.Image} image @param {Found | undefined} found @param {() => void} leave
 */
function filmPlace(image, found, leave) {
  const place = h('div', { class: 'of-film' }, picture(image, 640, image.name));
  const draw = async () => {
    const { player, timeline } = await import('./film.js');
    const time = found?.hit.film?.time ?? timesOf(image.part)?.time ?? 0;
    const { element, seek } = player(image, time, (file) => {
      leave();
      searchWith(file);
    });
    place.replaceChildren(element);
    place.append(await timeline(image, seek, found?.shots?.() ?? Promise.resolve(new Set())));
  };
  draw().catch((/** @type {unknown} */ error) => place.append(errorBox(error, draw)));
  return place;
}

/**
 * Opens it over the page; it closes with 'left' where the reader goes elsewhere.
 * @param {string} id @param {boolean} canWrite @param {Api.Index['tags']} knownTags @param {Found} [found]
 */
export function showDetails(id, canWrite, knownTags, found) {
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
      timesOf(image.part) ? filmPlace(image, found, () => close('left')) : picture(image, 640, image.name),
      h('div', {},
        h('p', { class: 'name' }, image.name),
        found ? findings(found, canWrite, () => close('left')) : null,
        facts(image),
        h('h3', {}, t('tags')), tagList(image, canWrite, change),
        canWrite ? tagForm(knownTags, (tag) => change([...new Set([...image.tags, tag])])) : null,
        h('p', { class: 'row' },
          actions(image, found?.hit, () => close('left')),
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
