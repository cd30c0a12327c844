// @ts-check
// An answer as pictures: what is proved has a green frame, what shares a part a violet one; the rest follows below a
// line that says so.

import { button, h, toast } from './dom.js';
import { errorText } from './errors.js';
import { card } from './hit_card.js';
import { seconds, t, tOr } from './language.js';

export { chips, outlineOf, picture, sharePercent, verdictLine, verdictText, why, whyTexts } from './hit_card.js';

/** @typedef {Api.Hit} Hit */
/** @typedef {import('./hit_card.js').Links} Links */

const STAGES = [
  'wait', 'decode', 'extract', 'subject', 'assign', 'vote', 'verify', 'mirror', 'inverse', 'enlarge', 'tilt',
  'expand', 'rank', 'pixels',
];

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
  if (answer.group_by && n) return t('found.groups', { n, field: answer.group_by });
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
      const drawn = card(hit, this.#shown, this.links);
      this.#groupOf(hit.verdict).append(drawn);
      this.links.outlines?.add(hit, drawn);
    }
    const [nSame, nParts, nRest] = [same.children.length, parts.children.length, rest.children.length];
    [parts.start, rest.start] = [nSame + 1, nSame + nParts + 1];
    const own = this.links.own ?? null;
    this.title.textContent = headline(answer, own);
    const nOthers = answer.total - (answer.hits.some(({ id }) => id === own) ? 1 : 0);
    this.total.textContent = t(answer.group_by ? 'found.total-groups' : 'found.total', { n: nOthers });
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
    this.links.outlines?.close();
    this.watcher.disconnect();
  }
}
