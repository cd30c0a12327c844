// The search: the query with its region on one side, what was found on the other. The address holds the question.

import { answerTo, boxOf, more, pictureOf, wayOf } from './answers.js';
import { button, h, icon, link, redraw, say } from './dom.js';
import { filters } from './filters.js';
import { t } from './language.js';
import { Region } from './region.js';
import { Results } from './results.js';
import { go, href } from './router.js';
import { start } from './start.js';
import { cameraButton, chooseButton } from './taking.js';
import { carriedBox } from './transforms.js';
import { inWords, trouble } from './trouble.js';

const FEW_FEATURES = 30;
const FILTERS = ['verdict', 'folder', 'tag', 'text', 'where'];
const scrolled = new Map();

export const title = () => t('nav.search');

export const show = (root, route) => new Search(root, route);

const jump = (top) => scrollTo({ top, behavior: 'instant' });

/** What the answer says about the query itself. */
function notes({ query }, isAuto) {
  return [
    isAuto && !query.box ? t('query.no-subject') : null,
    query.n_features === 0 ? t('query.no-features') : null,
    query.n_features > 0 && query.n_features < FEW_FEATURES ? t('query.few-features', { n: query.n_features }) : null,
  ].filter(Boolean).map((text) => h('p', { class: 'notice' }, text));
}

const noHits = (query) => h('div', { class: 'empty' }, icon('search'),
  h('p', {}, t(FILTERS.some((name) => query[name]) ? 'none.filtered' : 'none.why')));

class Search {
  constructor(root, route) {
    Object.assign(this, { root, route, picture: null, region: null, way: '', results: null });
    this.asking = new AbortController();
    const results = h('div', { class: 'found', 'aria-busy': 'false' });
    this.place = { tools: h('div', {}), picture: h('div', {}), filters: h('div', {}), results };
    this.draw();
  }

  update(route) {
    this.route = route;
    this.draw();
  }

  leaving(hash) {
    scrolled.set(hash, scrollY);
  }

  close() {
    this.asking.abort();
    this.results?.close();
  }

  /** Ask something else: the address changes, and `update` follows it. */
  change(parts) {
    go(href('search', { ...this.route.query, ...parts }));
  }

  // ---- the query

  turn(degrees) {
    const way = wayOf(this.route.query);
    this.show({ turn: (way.turn + (way.flip ? -degrees : degrees) + 360) % 360, flip: way.flip });
  }

  mirror() {
    const way = wayOf(this.route.query);
    this.show({ ...way, flip: !way.flip });
  }

  /** The picture another way; the region stays on what it lies on. */
  show(way) {
    const { query } = this.route;
    const box = boxOf(query);
    const carried = box ? carriedBox(box, this.picture, wayOf(query), way).join(',') : query.box;
    this.change({ turn: way.turn || '', flip: way.flip ? 1 : '', box: carried });
  }

  drawTools() {
    const { query } = this.route;
    const isAuto = query.box === 'auto';
    const tool = (name, onclick, attributes = {}) =>
      button(t(`query.${name}`), onclick, { icon: name, quiet: true, name, ...attributes });
    redraw(this.place.tools, h('div', { class: 'row tools', role: 'group', 'aria-label': t('query.tools') },
      tool('region', () => this.region.start()),
      tool('subject', () => this.change({ box: isAuto ? '' : 'auto' }), { 'aria-pressed': String(isAuto) }),
      tool('whole', () => this.change({ box: '' }), { disabled: !query.box }),
      tool('left', () => this.turn(-90)),
      tool('right', () => this.turn(90)),
      tool('mirror', () => this.mirror(), { 'aria-pressed': String(wayOf(query).flip) })));
  }

  drawPicture() {
    const { picture, place, route: { query } } = this;
    const name = h('p', { class: 'name', title: picture.name }, picture.name || t('query.yours'));
    const others = h('div', { class: 'row' },
      chooseButton(t('take.choose-short')), cameraButton(t('take.camera-short')),
      link(t('take.pick-short'), href('collection', { pick: 1 }), { icon: 'collection' }));
    this.region = picture.bitmap && new Region({
      picture, ...wayOf(query), box: boxOf(query), onChange: (box) => this.change({ box: box ? box.join(',') : '' }),
    });
    place.tools.replaceChildren();
    const shown = this.region?.element ?? h('p', { class: 'notice' }, t('query.not-shown'));
    place.picture.replaceChildren(shown, name, others);
  }

  /** The picture as the address says; the editor stays where only the region is another. */
  drawQuery(isNew) {
    const { query } = this.route;
    const way = JSON.stringify(wayOf(query));
    if (isNew || way !== this.way) this.drawPicture();
    else if (query.box !== 'auto') this.region?.setBox(boxOf(query));
    this.way = way;
    if (this.region) this.drawTools();
  }

  async drawFilters() {
    try {
      redraw(this.place.filters, await filters(this.route.query, (parts) => this.change(parts)));
    } catch (error) {
      this.place.filters.replaceChildren(trouble(error, () => this.drawFilters()));
    }
  }

  // ---- the answer

  showAnswer(answer, query) {
    const { picture, place } = this;
    const isAuto = query.box === 'auto';
    this.results?.close();
    if (isAuto) this.region?.setBox(answer.query.box);
    const links = {
      ranker: query.ranker,
      match: (hit) => href('match', { ...query, image: '', upload: '' }, picture.id ?? picture.key, hit.id),
    };
    this.results = new Results(answer, links, () => more(picture, query, answer), noHits(query));
    place.results.replaceChildren(...notes(answer, isAuto), this.results.element);
    say(place.results.querySelector('h2').textContent);
    jump(scrolled.get(location.hash) ?? scrollY);
  }

  showTrouble(error) {
    this.results?.close();
    this.place.results.replaceChildren(trouble(error, () => this.drawAnswer()));
    say(inWords(error));
  }

  async drawAnswer() {
    this.asking.abort();
    this.asking = new AbortController();
    const { asking: { signal }, picture, route: { query }, place: { results } } = this;
    results.setAttribute('aria-busy', 'true');
    if (!results.children.length) results.append(h('p', { class: 'waiting' }, t('searching')));
    try {
      const answer = await answerTo(picture, query, signal);
      if (!signal.aborted) this.showAnswer(answer, query);
    } catch (error) {
      if (!signal.aborted) this.showTrouble(error);
    }
    if (!signal.aborted) results.setAttribute('aria-busy', 'false');
  }

  // ---- all of it

  frame() {
    const { picture, place } = this;
    jump(0);
    place.results.replaceChildren();
    const side = h('div', { class: 'side' }, place.tools, place.picture, place.filters);
    this.root.replaceChildren(
      h('h1', { class: 'unseen' }, t('search.title', { name: picture.name || t('query.yours') })),
      h('div', { class: 'search' }, side, place.results));
  }

  async draw() {
    const again = (error) => trouble(error, () => this.draw());
    const { route } = this;
    let picture;
    try {
      picture = await pictureOf(route.query);
    } catch (error) {
      this.root.replaceChildren(again(error));
      return;
    }
    if (route !== this.route) return;
    const isNew = this.picture?.key !== picture?.key || !picture;
    this.picture = picture;
    if (!picture) {
      this.root.replaceChildren(start(picture === undefined, again));
      return;
    }
    if (isNew) this.frame();
    this.drawQuery(isNew);
    this.drawFilters();
    await this.drawAnswer();
  }
}
