// @ts-check
// A hit as a card: its picture with what was found in it, why, what the collection says of it, and where it leads.

import { thumbnail } from './api.js';
import { button, h, icon, link, svg } from './dom.js';
import { onceBack } from './errors.js';
import { clock, timesOf } from './film_times.js';
import { number, percent, t, tOr } from './language.js';
import { href } from './router.js';

/** @typedef {Api.Hit} Hit */
/** @typedef {Api.Answer['query']} AnsweredQuery */
/**
 * match: the address of the comparison with a hit; details: opens what is known of it; all: the address of all pictures
 * of its group; outlines: where hits lie in the query, if that is shown; own: the query's number, where it is a picture
 * of the collection; tools: beside the total; isJoint: are several pictures the query?
 * @typedef {object} Links
 * @property {(hit: Hit) => string} match
 * @property {(hit: Hit) => unknown} details
 * @property {(group: NonNullable<Hit['group']>) => string} all
 * @property {string | undefined} ranker
 * @property {number | null} [own]
 * @property {Node} [tools]
 * @property {boolean} [isJoint]
 * @property {import('./outlines.js').QueryOutlines | null} outlines
 */

const N_TAGS = 6;
const N_FIELDS = 3;
const N_VALUES = 3;

/** Something differs, so that not everything is shared. */
const MOST = 0.99;

/**
 * A picture; it says so when its file is gone.
 * @param {Api.Image | Hit} image @param {number} size @param {string} alt
 */
export function picture(image, size, alt) {
  const src = thumbnail(image, size);
  const gone = h('span', { class: 'gone', hidden: true }, icon('warning'), t('file.gone'));
  /** @param {boolean} isGone */
  const show = (isGone) => {
    [shown.hidden, gone.hidden] = [isGone, !isGone];
  };
  const again = () => {
    show(false);
    shown.src = src;
  };
  const shown = h('img', { src, alt, loading: 'lazy', decoding: 'async', onerror: () => {
    show(true);
    onceBack(again);
  } });
  return h('span', { class: 'thumb' }, shown, gone);
}

/** Where the query lies in a hit, or what both share. @param {Hit} hit */
export const outlineOf = ({ outline, hit_region: shared, verdict }) => (verdict === 'part' ? shared : outline);

/** @param {Hit} hit */
function drawnOutline(hit) {
  const { verdict, width, height } = hit;
  const corners = outlineOf(hit);
  if (!corners || (verdict !== 'same' && verdict !== 'part')) return null;
  const points = corners.map(([x, y]) => `${x + 0.5},${y + 0.5}`).join(' ');
  return svg('svg', { class: `outline ${verdict}`, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' },
    svg('svg', { width, height }, svg('polygon', { points, 'vector-effect': 'non-scaling-stroke' })));  // clips it
}

/** A share of the detail that agrees. @param {number | null} value */
export const sharePercent = (value) => percent(Math.min(value ?? 0, MOST));

/** @param {Hit} hit */
export function verdictText({ verdict, probability, basis, query_overlap: share }) {
  if (basis === 'content') return t('verdict.file');
  if (basis === 'person') return t(verdict === 'same' ? 'verdict.judged-same' : 'verdict.judged-different');
  const text = t(`verdict.${verdict}`);
  if (verdict === 'same' && basis === 'points') return `${text} · ${t('verdict.points')}`;
  if (verdict === 'part' && share !== null) return `${text} · ${t('verdict.shared', { percent: sharePercent(share) })}`;
  if (!probability || (verdict !== 'same' && verdict !== 'maybe')) return text;
  return `${text} · ${t(verdict === 'same' ? 'verdict.sure' : 'verdict.likely', { percent: percent(probability) })}`;
}

/** Why a hit has its verdict, in sentences. @param {Hit} hit */
export const whyTexts = ({ basis, explanation: { key, args } }) =>
  [t(`why.${key}`, { n: args.n_inliers ?? 0 }), ...basis === 'points' ? [t('why.points')] : []];

/** @param {Hit} hit */
export const why = (hit) => whyTexts(hit).map((text, i) => h('p', { class: i ? 'why basis' : 'why' }, text));

/** @type {Record<Hit['verdict'], IconName | null>} */
const SIGNS = { same: 'check', part: 'part', maybe: 'help', no: null, unverified: null };

/** @param {Hit} hit */
export function verdictLine(hit) {
  const sign = SIGNS[hit.verdict];
  return h('p', { class: `verdict ${hit.verdict}` }, sign && icon(sign), verdictText(hit));
}

/**
 * Tags; of very many the first, and a button for the others. drawn: what stands for a tag.
 * @param {string[]} tags @param {(tag: string) => Child} drawn @param {number} most
 */
export function chips(tags, drawn = (tag) => tag, most = N_TAGS) {
  if (!tags.length) return null;
  /** @param {string} tag */
  const item = (tag) => h('li', {}, drawn(tag));
  const rest = tags.slice(most);
  const list = h('ul', { class: 'chips', 'aria-label': t('tags') }, tags.slice(0, most).map(item));
  const more = h('li', { class: 'more' }, button(t('tags.more', { n: rest.length }), () => {
    const others = rest.map(item);
    more.replaceWith(...others);
    others[0]?.setAttribute('tabindex', '-1');
    others[0]?.focus();
  }, { kind: 'small', 'aria-label': t('tags.all', { n: tags.length }) }));
  if (rest.length) list.append(more);
  return list;
}

/** @param {string[]} values @param {number} most */
export const several = (values, most) => (values.length <= most ? values.join(', ')
  : t('values.more', { values: values.slice(0, most).join(', '), n: values.length - most }));

/** The first fields that the collection has of a picture. @param {Hit} hit */
function fieldLines({ fields, group }) {
  const shown = Object.entries(fields).filter(([name]) => name !== 'title' && name !== group?.field);
  return shown.length ? h('dl', { class: 'small hit-fields' }, shown.slice(0, N_FIELDS).map(([name, values]) =>
    h('div', {}, h('dt', {}, tOr(`field.${name}`, name)), h('dd', {}, several(values, N_VALUES))))) : null;
}

/** A page, a frame, a time of a film, or a file in an archive. @param {string} part */
export function partText(part) {
  const times = timesOf(part);
  if (times) return t('part.t', { value: clock(times.time) });
  const [kind = '', value = ''] = (part.split('&')[0] ?? '').split('=');
  return tOr(`part.${kind}`, part).replace('{value}', decodeURIComponent(value));
}

/** Where in its file a hit is; of a film also its shot, and how many shots show the same. @param {Hit} hit */
function placeText({ part, film }) {
  if (!film) return partText(part);
  const { time, start, stop, n_shots: n } = film;
  return [t('part.t', { value: clock(time) }), t('film.shot', { start: clock(start), stop: clock(stop) }),
    ...n > 1 ? [t('film.shots', { n })] : []].join(' · ');
}

/** A score, or the distance of two, as exact as scores of its size are. @param {number} value @param {number} score */
const scoreText = (value, score) => number(value, score < 1 ? 3 : 1);

/**
 * Of a group: its value, how many of its pictures agree (where that was checked), and by how much it leads.
 * @param {Hit} hit @param {Links} links
 */
function groupLine({ group, verdict, score }, links) {
  if (!group) return null;
  const { field, value, n_agree: n, n_pictures: total, margin } = group;
  if (value === null) return h('p', { class: 'small' }, t('group.none', { field }));
  const lead = margin === null ? ''
    : t(margin >= 0 ? 'group.ahead' : 'group.behind', { margin: scoreText(Math.abs(margin), score) });
  const agree = verdict === 'unverified' ? '' : t('group.agree', { n, total });
  return h('p', { class: 'group-line' },
    h('b', {}, value), ' ', h('span', { class: 'small' }, [agree, lead].filter(Boolean).join(' · ')), ' ',
    total > 1 ? h('a', { class: 'small', href: links.all(group) }, t('group.all', { n: total })) : null);
}

/** @param {'compare' | 'search'} action @param {string} target @param {Hit} hit */
const actionLink = (action, target, hit) => link(t(`hit.${action}-short`), target, {
  icon: action, quiet: true, 'aria-label': t(`hit.${action}`, { name: hit.name }),
});

/** @param {Hit} hit @param {Links} links */
const actions = (hit, links) => h('span', { class: 'row tight' },
  actionLink('compare', links.match(hit), hit),
  button(t('hit.details-short'), () => links.details(hit), {
    icon: 'info', quiet: true, 'aria-label': t('image.open', { name: hit.name }), 'data-details': hit.id,
  }),
  actionLink('search', href('search', { image: hit.id, ranker: links.ranker }), hit));

/** @param {Hit} hit @param {number} place @param {Links} links */
export function card(hit, place, links) {
  const thumb = picture(hit, 320, t('hit.alt', { name: hit.name, place }));
  const drawn = drawnOutline(hit);
  if (drawn) thumb.append(drawn);
  return h('li', { class: `card hit ${hit.verdict}` },
    h('a', { class: 'face', href: links.match(hit), 'data-id': hit.id }, thumb),
    h('div', { class: 'about' },
      groupLine(hit, links),
      verdictLine(hit),
      hit.verdict === 'unverified' ? null : why(hit),
      links.isJoint && hit.verdict !== 'unverified'
        ? h('p', { class: 'small by' }, t('together.by', { nth: hit.query_number + 1 })) : null,
      h('p', { class: 'name', title: hit.name }, hit.name),
      hit.part ? h('p', { class: 'small' }, placeText(hit)) : null,
      chips(hit.tags), fieldLines(hit),
      h('p', { class: 'row between' },
        h('span', { class: 'small' }, t('hit.score', { score: scoreText(hit.score, hit.score) })),
        actions(hit, links))));
}
