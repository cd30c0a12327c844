// @ts-check
// An answer as pictures: what is proved has a green frame, what shares a part a violet one; the rest follows below a
// line that says so.

import { thumbnail } from './api.js';
import { button, h, icon, link, svg, toast } from './dom.js';
import { errorText } from './errors.js';
import { number, percent, seconds, t, tOr } from './language.js';
import { href } from './router.js';

/** @typedef {Api.Hit} Hit */
/**
 * match: the address of the comparison with a hit; own: the query's number, where it is a picture of the collection;
 * tools: beside the total.
 * @typedef {{match: (hit: Hit) => string, ranker: string | undefined, own?: number | null, tools?: Node}} Links
 */

const STAGES = [
  'wait', 'decode', 'extract', 'subject', 'assign', 'vote', 'verify', 'mirror', 'expand', 'rank', 'pixels',
];

/** Something differs, so that not everything is shared. */
const MOST = 0.99;

/**
 * A picture; it says so when its file is gone.
 * @param {Api.Image | Hit} image @param {number} size @param {string} alt
 */
export function picture(image, size, alt) {
  const place = h('span', { class: 'thumb' });
  place.append(h('img', {
    src: thumbnail(image, size), alt, loading: 'lazy', decoding: 'async',
    onerror: () => place.replaceChildren(h('span', { class: 'gone' }, icon('warning'), t('file.gone'))),
  }));
  return place;
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
    svg('polygon', { points, 'vector-effect': 'non-scaling-stroke' }));
}

/** A share of the detail that agrees. @param {number | null} value */
export const sharePercent = (value) => percent(Math.min(value ?? 0, MOST));

/** A verdict on a line. @param {Hit} hit */
export function verdictText({ verdict, probability, basis, query_overlap: share }) {
  if (basis === 'content') return t('verdict.file');
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

/** @param {string[]} tags */
export const chips = (tags) => (tags.length
  ? h('ul', { class: 'chips', 'aria-label': t('tags') }, tags.map((tag) => h('li', {}, tag))) : null);

/** @param {'compare' | 'search'} action @param {string} target @param {Hit} hit */
const actionLink = (action, target, hit) => link(t(`hit.${action}-short`), target, {
  icon: action, quiet: true, 'aria-label': t(`hit.${action}`, { name: hit.name }),
});

/** @param {Hit} hit @param {number} place @param {Links} links */
function card(hit, place, links) {
  const thumb = picture(hit, 320, t('hit.alt', { name: hit.name, place }));
  const drawn = drawnOutline(hit);
  if (drawn) thumb.append(drawn);
  return h('li', { class: `card hit ${hit.verdict}` },
    h('a', { class: 'face', href: links.match(hit), 'data-id': hit.id }, thumb),
    h('div', { class: 'about' },
      verdictLine(hit),
      hit.verdict === 'unverified' ? null : why(hit),
      h('p', { class: 'name', title: hit.name }, hit.name),
      chips(hit.tags),
      h('p', { class: 'row between' },
        h('span', { class: 'small' }, t('hit.score', { score: number(hit.score, hit.score < 1 ? 3 : 1) })),
        h('span', { class: 'row tight' },
          actionLink('compare', links.match(hit), hit),
          actionLink('search', href('search', { image: hit.id, ranker: links.ranker }), hit)))));
}

/** @param {PartialAnswer} answer */
const isUnchecked = ({ hits }) => hits.every(({ verdict, basis }) => verdict === 'unverified' || basis === 'content');

/** @param {Hit[]} hits @param {Hit['verdict']} verdict */
const count = (hits, verdict) => hits.filter((hit) => hit.verdict === verdict).length;

/**
 * How many are proved, and how many share a part, as far as the answer is complete. own: the query, left out.
 * @param {PartialAnswer} answer @param {number | null} own
 */
function headline(answer, own) {
  const { hits, isComplete } = answer;
  if (!hits.length) return t('found.nothing');
  const others = hits.filter(({ id }) => id !== own);
  const isOwn = others.length < hits.length;
  const [n, nParts] = [count(others, 'same'), count(others, 'part')];
  const mayFollow = !isComplete && n + nParts === others.length;
  const proved = n ? t(mayFollow ? 'found.at-least' : isOwn ? 'found.others' : 'found.same', { n })
    : t(isUnchecked(answer) ? 'found.unchecked' : isOwn ? 'found.no-other' : 'found.none');
  return nParts ? t('found.also', { proved, parts: t('found.parts', { n: nParts }) }) : proved;
}

/** @param {PartialAnswer} answer @param {boolean} isFirst */
const divider = (answer, isFirst) =>
  t(isUnchecked(answer) ? 'rest.unchecked' : isFirst ? 'rest.alone' : 'rest.below');

/** How long each stage took on the server. @param {PartialAnswer} answer */
function times({ seconds: spent }) {
  /** @param {string} stage */
  const place = (stage) => (STAGES.includes(stage) ? STAGES.indexOf(stage) : STAGES.length);
  const total = Object.values(spent).reduce((sum, value) => sum + value, 0);
  const stages = Object.entries(spent).sort(([a], [b]) => place(a) - place(b));
  return h('p', { class: 'small times' }, t('times', { total: seconds(total) }), ' ',
    stages.map(([stage, value]) => `${tOr(`stage.${stage}`, stage)} ${seconds(value)}`).join(' · '));
}

/** An answer on the page; it grows while the reader scrolls. */
export class Results {
  #shown = 0;

  /**
   * @param {PartialAnswer} answer @param {Links} links @param {() => Promise<Hit[]>} nextPage requests further hits
   * @param {Node} noHits shown where there are none
   */
  constructor(answer, links, nextPage, noHits) {
    this.answer = answer;
    this.links = links;
    this.nextPage = nextPage;
    this.same = h('ol', { class: 'grid proved' });
    this.parts = h('ol', { class: 'grid shared' });
    this.rest = h('ol', { class: 'grid' });
    this.title = h('h2', { id: 'found' });
    this.total = h('span', { class: 'small' });
    this.partsDivider = h('p', { class: 'parts-divider' }, t('parts.below'));
    this.divider = h('p', { class: 'divider' });
    this.more = button(t('more'), () => this.load(), { icon: 'plus' });
    this.watcher = new IntersectionObserver((seen) => {
      if (seen.some((entry) => entry.isIntersecting)) this.load();
    }, { rootMargin: '400px' });
    this.#add(answer.hits);
    this.element = h('section', { class: 'results', 'aria-labelledby': 'found' },
      h('div', { class: 'row between' },
        this.title, h('span', { class: 'row' }, this.total, answer.hits.length ? links.tools : null)),
      answer.hits.length ? null : noHits,
      this.same, this.partsDivider, this.parts, this.divider, this.rest,
      h('p', { class: 'row center' }, this.more), times(answer));
  }

  /** @param {Hit['verdict']} verdict */
  #groupOf(verdict) {
    if (verdict === 'same') return this.same;
    return verdict === 'part' ? this.parts : this.rest;
  }

  /** @param {Hit[]} hits */
  #add(hits) {
    const { answer, same, parts, rest } = this;
    for (const hit of hits) {
      this.#shown += 1;
      this.#groupOf(hit.verdict).append(card(hit, this.#shown, this.links));
    }
    const [nSame, nParts, nRest] = [same.children.length, parts.children.length, rest.children.length];
    [parts.start, rest.start] = [nSame + 1, nSame + nParts + 1];
    const own = this.links.own ?? null;
    this.title.textContent = headline(answer, own);
    this.total.textContent = t('found.total', { n: answer.total - (answer.hits.some(({ id }) => id === own) ? 1 : 0) });
    this.divider.textContent = divider(answer, nSame + nParts === 0);
    [same.hidden, parts.hidden, rest.hidden] = [!nSame, !nParts, !nRest];
    [this.partsDivider.hidden, this.divider.hidden] = [!nParts, !nRest];
    this.more.hidden = answer.isComplete;
    if (!answer.isComplete) this.watcher.observe(this.more);
  }

  async load() {
    if (this.more.disabled || this.answer.isComplete) return;
    this.more.disabled = true;
    this.watcher.unobserve(this.more);
    try {
      this.#add(await this.nextPage());
    } catch (error) {
      toast(errorText(error));
    }
    this.more.disabled = false;
  }

  close() {
    this.watcher.disconnect();
  }
}
