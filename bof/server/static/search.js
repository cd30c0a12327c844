// @ts-check
// The search: the query with its region on one side, the answer on the other. The address says what to search for.

import { rights } from './access.js';
import { boxOf, nextPage, poseOf, queryPicture, search, withinGroup } from './answers.js';
import { indexFacts } from './api.js';
import { button, h, icon, link, redraw, say, toast } from './dom.js';
import { errorBox, errorText, Unreachable } from './errors.js';
import { t } from './language.js';
import { cameraButton, chooseButton } from './picture_input.js';
import { turned } from './pictures.js';
import { Region } from './region.js';
import { go, href } from './router.js';
import { start } from './start.js';
import { carriedBox, turnedSize, turnOf } from './transforms.js';

const FEW_FEATURES = 30;
const FILTERS = ['verdict', 'folder', 'tag', 'text', 'where'];

/** @param {unknown} error */
const failed = (error) => toast(errorText(error));

/** What only an answer needs is not fetched before. @template T @param {Promise<T>} module */
const fetched = (module) => module.catch(() => { throw new Unreachable(); });
const answerModules = async () => {
  const [{ Results }, { QueryOutlines }, { faultOf }] = await fetched(
    Promise.all([import('./results.js'), import('./outlines.js'), import('./filters.js')]));
  return { Results, QueryOutlines, faultOf };
};

/** @typedef {Awaited<ReturnType<typeof answerModules>>} AnswerModules */

/** How far the reader had scrolled, by address. @type {Map<string, number>} */
const scrolled = new Map();

export const title = () => t('nav.search');

/** @type {ViewModule['show']} */
export const show = (root, route) => new Search(root, route);

/** @param {number} top */
const jump = (top) => scrollTo({ top, behavior: 'instant' });

/** What the answer says about the query itself. @param {Api.Answer} answer @param {boolean} isAuto */
function notes({ query: { box, n_features: n }, overlay }, isAuto) {
  const texts = [];
  if (isAuto && !box) texts.push(t('query.no-subject'));
  if (n === 0) texts.push(t('query.no-features'));
  else if (n < FEW_FEATURES) texts.push(t('query.few-features', { n }));
  if (overlay) texts.push(t('query.overlay', { n: overlay.n_images }));
  return texts.map((text) => h('p', { class: 'notice' }, text));
}

/** @param {Query} query */
const noHits = (query) => h('div', { class: 'empty' }, icon('search'),
  h('p', {}, t(FILTERS.some((name) => query[name]) ? 'none.filtered' : 'none.why')));

/** @param {QueryPicture} picture */
const nameOf = ({ name }) => name || t('query.yours');

/** @implements {View} */
class Search {
  /** @type {QueryPicture | null} */
  #picture = null;
  /** The editor of the region, where the picture can be drawn. @type {Region | null} */
  #region = null;
  #pose = '';
  /** @type {import('./results.js').Results | null} */
  #results = null;
  #request = new AbortController();
  /** What the server said of a filter. @type {import('./filters.js').Fault | null} */
  #fault = null;

  /** @param {HTMLElement} root @param {Route} route */
  constructor(root, route) {
    this.root = root;
    this.route = route;
    this.place = {
      tools: h('div', {}), picture: h('div', {}), filters: h('div', {}),
      results: h('div', { class: 'found', 'aria-busy': 'false' }),
    };
    this.draw();
  }

  /** @param {Route} route */
  update(route) {
    this.route = route;
    this.draw();
  }

  /** @param {string} hash */
  leave(hash) {
    scrolled.set(hash, scrollY);
  }

  close() {
    this.#request.abort();
    this.#results?.close();
  }

  /** Changes parts of the address; `update` follows. @param {Record<string, Value>} parts */
  change(parts) {
    go(href('search', { ...this.route.query, ...parts }));
  }

  // ---- the query

  /**
   * Shows the picture in another pose; the region stays on what it lies on.
   * @param {QueryPicture} picture @param {Pose} pose
   */
  #setPose(picture, pose) {
    const { query } = this.route;
    const box = boxOf(query);
    const carried = box ? carriedBox(box, picture, poseOf(query), pose).join(',') : query.box;
    this.change({ turn: pose.turn || '', flip: pose.flip ? 1 : '', box: carried });
  }

  /** @param {QueryPicture} picture @param {Region} region */
  #drawTools(picture, region) {
    const { query } = this.route;
    const { turn, flip } = poseOf(query);
    const isAuto = query.box === 'auto';
    /** @param {number} degrees */
    const rotate = (degrees) =>
      this.#setPose(picture, { turn: turnOf((turn + (flip ? -degrees : degrees) + 360) % 360), flip });
    /**
     * @param {'region' | 'subject' | 'whole' | 'left' | 'right' | 'mirror'} name @param {() => unknown} onclick
     * @param {Attributes<HTMLButtonElement>} attributes
     */
    const tool = (name, onclick, attributes = {}) =>
      button(t(`query.${name}`), onclick, { icon: name, quiet: true, name, ...attributes });
    redraw(this.place.tools, h('div', { class: 'row tools', role: 'group', 'aria-label': t('query.tools') },
      tool('region', () => region.start()),
      tool('subject', () => this.change({ box: isAuto ? '' : 'auto' }), { 'aria-pressed': String(isAuto) }),
      tool('whole', () => this.change({ box: '' }), { disabled: !query.box }),
      tool('left', () => rotate(-90)),
      tool('right', () => rotate(90)),
      tool('mirror', () => this.#setPose(picture, { turn, flip: !flip }), { 'aria-pressed': String(flip) })));
  }

  /** @param {QueryPicture} picture @returns {Region | null} */
  #regionOf(picture) {
    const { query } = this.route;
    const pose = poseOf(query);
    return picture.bitmap && new Region(
      turned(picture.bitmap, pose), nameOf(picture), turnedSize(picture, pose.turn), boxOf(query),
      (box) => this.change({ box: box ? box.join(',') : '' }));
  }

  /** @param {QueryPicture} picture */
  #drawPicture(picture) {
    this.#region = this.#regionOf(picture);
    this.place.tools.replaceChildren();
    this.place.picture.replaceChildren(
      this.#region?.element ?? h('p', { class: 'notice' }, t('query.not-shown')),
      h('p', { class: 'name', title: picture.name }, nameOf(picture)),
      h('div', { class: 'row' },
        chooseButton(t('take.choose-short')), cameraButton(t('take.camera-short')),
        link(t('take.pick-short'), href('collection', { pick: 1 }), { icon: 'collection' })));
  }

  /**
   * The picture as the address says; where only the region changes, the editor stays.
   * @param {QueryPicture} picture @param {boolean} isNew
   */
  #drawQuery(picture, isNew) {
    const { query } = this.route;
    const pose = JSON.stringify(poseOf(query));
    if (isNew || pose !== this.#pose) this.#drawPicture(picture);
    else if (query.box !== 'auto') this.#region?.setBox(boxOf(query));
    this.#pose = pose;
    if (this.#region) this.#drawTools(picture, this.#region);
  }

  async #drawFilters() {
    try {
      const { filters } = await fetched(import('./filters.js'));
      redraw(this.place.filters, await filters(this.route.query, (parts) => this.change(parts), this.#fault));
    } catch (error) {
      this.place.filters.replaceChildren(errorBox(error, () => this.#drawFilters()));
    }
  }

  // ---- the answer

  /** @param {QueryPicture} picture @param {PartialAnswer} answer @param {Query} query @param {AnswerModules} modules */
  #showAnswer(picture, answer, query, { Results, QueryOutlines }) {
    const { results } = this.place;
    const isAuto = query.box === 'auto';
    this.#results?.close();
    if (isAuto) this.#region?.setBox(answer.query.box);
    const links = {
      ranker: query.ranker,
      outlines: this.#region && new QueryOutlines(this.#region.area, this.#region.size),
      /** @param {Api.Hit} hit */
      match: (hit) => href('match', { ...query, image: '', upload: '' }, picture.id ?? picture.key, hit.id),
      /** @param {Api.Hit} hit */
      details: (hit) => this.#showDetails(picture, hit, answer).catch(failed),
      /** @param {NonNullable<Api.Hit['group']>} group */
      all: (group) => href('search', { ...query, group_by: '', where: withinGroup(group, query.where) }),
    };
    this.#results = new Results(answer, links, () => nextPage(picture, query, answer), noHits(query));
    results.replaceChildren(...notes(answer, isAuto), this.#results.element);
    say(this.#results.title.textContent);
    jump(scrolled.get(location.hash) ?? scrollY);
  }

  /** @param {QueryPicture} picture @param {Api.Hit} hit @param {PartialAnswer} answer */
  async #showDetails(picture, hit, answer) {
    const [{ showDetails }, { tags }, { canWrite }] = await Promise.all([
      fetched(import('./details.js')), indexFacts(), rights(),
    ]);
    const goBack = () => {
      const opener = this.root.querySelector(`[data-details="${hit.id}"]`);
      if (opener instanceof HTMLElement) opener.focus({ preventScroll: true });
    };
    const onJudged = async () => {
      await this.#drawAnswer(picture);
      goBack();
    };
    await showDetails(String(hit.id), canWrite, tags, { hit, query: answer.query, onJudged }).closed;
    goBack();
  }

  /**
   * Says beside a filter what is wrong with it; what was found before stays.
   * @param {import('./filters.js').Fault} fault
   */
  async #showFault(fault) {
    const { results } = this.place;
    results.querySelector('.waiting, .stale')?.remove();
    const text = t(results.querySelector('.results') ? 'filter.fault-before' : 'filter.fault');
    results.prepend(h('div', { class: 'error stale', role: 'alert' }, icon('warning'),
      h('div', {}, h('p', {}, text), h('p', { class: 'small', lang: 'en' }, fault.text))));
    this.#fault = fault;
    await this.#drawFilters();
  }

  async #forgetFault() {
    if (!this.#fault) return;
    this.#fault = null;
    await this.#drawFilters();
  }

  /** @param {QueryPicture} picture */
  async #drawAnswer(picture) {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const { route: { query }, place: { results } } = this;
    results.setAttribute('aria-busy', 'true');
    if (!results.children.length) results.append(h('p', { class: 'waiting' }, t('searching')));
    try {
      const [answer, modules] = await Promise.all([search(picture, query, signal), answerModules()]);
      if (!signal.aborted) this.#showAnswer(picture, answer, query, modules);
      await this.#forgetFault();
    } catch (error) {
      if (signal.aborted) return;
      const fault = (await answerModules().catch(() => null))?.faultOf(error) ?? null;
      if (fault) await this.#showFault(fault);
      else {
        this.#results?.close();
        results.replaceChildren(errorBox(error, () => this.#drawAnswer(picture)));
      }
      say(fault?.text ?? errorText(error));
    }
    if (!signal.aborted) results.setAttribute('aria-busy', 'false');
  }

  // ---- all of it

  /** @param {QueryPicture} picture */
  #drawFrame(picture) {
    const { tools, picture: own, filters: chosen, results } = this.place;
    jump(0);
    results.replaceChildren();
    this.root.replaceChildren(
      h('h1', { class: 'unseen' }, t('search.title', { name: nameOf(picture) })),
      h('div', { class: 'search' }, h('div', { class: 'side' }, tools, own, chosen), results));
  }

  async draw() {
    /** @param {unknown} error */
    const again = (error) => errorBox(error, () => this.draw());
    const { route } = this;
    let picture;
    try {
      picture = await queryPicture(route.query);
    } catch (error) {
      this.root.replaceChildren(again(error));
      return;
    }
    if (route !== this.route) return;
    const isNew = this.#picture?.key !== picture?.key || !picture;
    this.#picture = picture ?? null;
    if (!picture) {
      this.root.replaceChildren(start(picture === undefined, again));
      return;
    }
    if (isNew) this.#drawFrame(picture);
    this.#drawQuery(picture, isNew);
    this.#drawFilters();
    await this.#drawAnswer(picture);
  }
}
