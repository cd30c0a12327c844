// An answer as pictures: what is proved framed green, the rest below a line that says so.

import { thumbnail } from './api.js';
import { button, h, icon, link, svg, toast } from './dom.js';
import { number, percent, seconds, t, tOr } from './language.js';
import { href } from './router.js';
import { inWords } from './trouble.js';

const STAGES = ['wait', 'decode', 'extract', 'subject', 'assign', 'vote', 'verify', 'mirror', 'expand', 'rank'];
const SIGNS = { same: 'check', maybe: 'help' };

/** A picture that says so when its file is gone. */
export function picture(image, size, alt) {
  const place = h('span', { class: 'thumb' });
  place.append(h('img', {
    src: thumbnail(image, size), alt, loading: 'lazy', decoding: 'async',
    onerror: () => place.replaceChildren(h('span', { class: 'gone' }, icon('warning'), t('file.gone'))),
  }));
  return place;
}

const points = (corners) => corners.map(([x, y]) => `${x + 0.5},${y + 0.5}`).join(' ');

function outline(hit) {
  if (!hit.outline || hit.verdict !== 'same') return null;
  return svg('svg', { class: 'outline', viewBox: `0 0 ${hit.width} ${hit.height}`, 'aria-hidden': 'true' },
    svg('polygon', { points: points(hit.outline), 'vector-effect': 'non-scaling-stroke' }));
}

const CERTAINTY = { same: 'verdict.sure', maybe: 'verdict.likely' };
const verdictWords = ({ verdict, probability }) => t(`verdict.${verdict}`)
  + (CERTAINTY[verdict] && probability ? ` · ${t(CERTAINTY[verdict], { percent: percent(probability) })}` : '');

export const why = ({ explanation }) => tOr(`why.${explanation.key}`, { n: explanation.args.n_inliers }, '');

export const verdictLine = (hit) => h('p', { class: `verdict ${hit.verdict}` },
  SIGNS[hit.verdict] ? icon(SIGNS[hit.verdict]) : null, verdictWords(hit));

export const chips = (tags) => (tags.length
  ? h('ul', { class: 'chips', 'aria-label': t('tags') }, tags.map((tag) => h('li', {}, tag))) : null);

const act = (name, target, hit) => link(t(`hit.${name}-short`), target, {
  icon: name, quiet: true, 'aria-label': t(`hit.${name}`, { name: hit.name }),
});

function card(hit, place, links) {
  const thumb = picture(hit, 320, t('hit.alt', { name: hit.name, place }));
  const drawn = outline(hit);
  if (drawn) thumb.append(drawn);
  return h('li', { class: `card hit ${hit.verdict}` },
    h('a', { class: 'face', href: links.match(hit), 'data-id': hit.id }, thumb),
    h('div', { class: 'about' },
      verdictLine(hit),
      hit.verdict === 'unverified' ? null : h('p', { class: 'why' }, why(hit)),
      h('p', { class: 'name', title: hit.name }, hit.name),
      chips(hit.tags),
      h('p', { class: 'row between' },
        h('span', { class: 'small' }, t('hit.score', { score: number(hit.score, hit.score < 1 ? 3 : 1) })),
        h('span', { class: 'row tight' },
          act('compare', links.match(hit), hit),
          act('search', href('search', { image: hit.id, ranker: links.ranker }), hit)))));
}

/** How many are proved, as far as is known. */
function headline(answer) {
  const n = answer.hits.filter((hit) => hit.verdict === 'same').length;
  if (!answer.hits.length) return t('found.nothing');
  const isOpen = n === answer.hits.length && !answer.isWhole;
  if (n) return t(isOpen ? 'found.at-least' : 'found.same', { n });
  return t(answer.hits.every((hit) => hit.verdict === 'unverified') ? 'found.unchecked' : 'found.none');
}

function dividing(answer, nSame) {
  if (answer.hits.every((hit) => hit.verdict === 'unverified')) return t('rest.unchecked');
  return t(nSame ? 'rest.below' : 'rest.alone');
}

function times(answer) {
  const spent = Object.entries(answer.seconds);
  const place = (name) => (STAGES.indexOf(name) + STAGES.length + 1) % (STAGES.length + 1);
  const total = spent.reduce((sum, [, value]) => sum + value, 0);
  return h('p', { class: 'small times' }, t('times', { total: seconds(total) }), ' ',
    spent.sort(([a], [b]) => place(a) - place(b)).map(([name, value]) =>
      `${tOr(`stage.${name}`, {}, name)} ${seconds(value)}`).join(' · '));
}

/** An answer on the page; it grows as one scrolls. */
export class Results {
  /** links: {match(hit), ranker}; more: asks for the next page of hits; noHits: shown where there are none. */
  constructor(answer, links, more, noHits) {
    Object.assign(this, { answer, links, more, shown: 0 });
    this.same = h('ol', { class: 'grid proved' });
    this.rest = h('ol', { class: 'grid' });
    this.title = h('h2', { id: 'found' }, headline(answer));
    this.line = h('p', { class: 'divider' });
    this.next = button(t('more'), () => this.load(), { icon: 'plus' });
    const onSight = (seen) => seen.some((entry) => entry.isIntersecting) && this.load();
    this.watcher = new IntersectionObserver(onSight, { rootMargin: '400px' });
    this.add(answer.hits);
    this.element = h('section', { class: 'results', 'aria-labelledby': 'found' },
      h('div', { class: 'row between' },
        this.title, h('span', { class: 'small' }, t('found.total', { n: answer.total }))),
      answer.hits.length ? null : noHits,
      this.same, this.line, this.rest, h('p', { class: 'row center' }, this.next), times(answer));
  }

  add(hits) {
    const { answer, same, rest, line } = this;
    for (const hit of hits) {
      this.shown += 1;
      (hit.verdict === 'same' ? same : rest).append(card(hit, this.shown, this.links));
    }
    rest.start = same.children.length + 1;
    this.title.textContent = headline(answer);
    line.textContent = dividing(answer, same.children.length);
    [same.hidden, rest.hidden, line.hidden] = [!same.children.length, !rest.children.length, !rest.children.length];
    this.next.hidden = answer.isWhole;
    if (!answer.isWhole) this.watcher.observe(this.next);
  }

  async load() {
    if (this.next.disabled || this.answer.isWhole) return;
    this.next.disabled = true;
    this.watcher.unobserve(this.next);
    try {
      this.add(await this.more());
    } catch (error) {
      toast(inWords(error));
    }
    this.next.disabled = false;
  }

  close() {
    this.watcher.disconnect();
  }
}
