// @ts-check
// The search: the query with its region on one side, the answer on the other. The address says what to search for.

import { rights } from './access.js';
import { askForAddress, isByAddress } from './address_query.js';
import {
  boxOf, forgetAnswers, isBeginning, nameInPath, nextPage, poseOf, queryPicture, search, shotsFound, withinGroup,
} from './answers.js';
import { indexFacts } from './api.js';
import { button, h, icon, link, redraw, say, toast } from './dom.js';
import { errorBox, errorText, isQueryGone, Unreachable } from './errors.js';
import { percent, size, t, tOr } from './language.js';
import { arrivalNotes, asksFeatures, notes } from './notes.js';
import { cameraButton, chooseButton } from './picture_input.js';
import { showStored, turned } from './pictures.js';
import { queryTools } from './query_tools.js';
import { Region } from './region.js';
import { go, href, rename } from './router.js';
import { PictureNeeded, sendOriginal } from './sending.js';
import { start } from './start.js';
import { matchOfOther, othersIn, othersLeft, strip } from './together.js';
import { turnedSize } from './transforms.js';

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
  /** Until the first page of the results is whole. @type {Promise<void>} */
  #isFilled = Promise.resolve();
  #request = new AbortController();
  /** What the server said of a filter. @type {import('./filters.js').Fault | null} */
  #fault = null;

  /** @param {HTMLElement} root @param {Route} route */
  constructor(root, route) {
    this.root = root;
    this.route = route;
    this.place = {
      tools: h('div', { class: 'tools-place' }), picture: h('div', { class: 'picture' }),
      sent: h('p', { class: 'small sent', hidden: true }), others: h('div', {}), filters: h('div', { class: 'chosen' }),
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
    go(href('search', { ...this.route.query, more: '', instead: '', ...parts }));
  }

  // ---- the query

  /** @param {QueryPicture} picture @returns {Region | null} */
  #regionOf(picture) {
    const { query } = this.route;
    const pose = poseOf(query);
    return picture.bitmap && new Region(
      turned(picture.bitmap, pose), nameOf(picture), turnedSize(picture, pose.turn), boxOf(query),
      (box) => this.change({ box: box ? box.join(',') : '' }),
      (isDrawing) => this.place.tools.querySelector('[name=region]')?.setAttribute('aria-pressed', String(isDrawing)));
  }

  /** @param {QueryPicture} picture */
  #drawPicture(picture) {
    this.#region = this.#regionOf(picture);
    this.place.tools.replaceChildren();
    this.place.picture.replaceChildren(
      this.#region?.element ?? h('p', { class: 'notice' }, t('query.not-shown')),
      h('div', { class: 'own' },
        h('p', { class: 'name', title: picture.name }, nameOf(picture)),
        h('div', { class: 'row ways' },
          chooseButton(t('take.choose-short')), cameraButton(t('take.camera-short')),
          link(t('take.pick-short'), href('collection', { pick: 1 }), { icon: 'collection' }))),
      this.place.sent, this.place.others);
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
    if (this.#region) {
      redraw(this.place.tools, queryTools(picture, query, this.#region, (parts) => this.change(parts)));
    }
    redraw(this.place.others, strip(query, (other) => this.change({ other })));
  }

  async #drawFilters() {
    try {
      const { filters } = await fetched(import('./filters.js'));
      redraw(this.place.filters, await filters(this.route.query, (parts) => this.change(parts), this.#fault));
    } catch (error) {
      this.place.filters.replaceChildren(errorBox(error, () => this.#drawFilters()));
    }
  }

  /** Says what was sent in the place of a large file. @param {OwnPicture} picture */
  #drawSent(picture) {
    const { file, stored, sentBytes, sendsOriginal } = picture;
    const isCopy = file && stored && picture.copy && !sendsOriginal;
    this.place.sent.hidden = !isCopy;
    if (!isCopy) return;
    redraw(this.place.sent, h('span', {}, t('query.copy', { sent: size(sentBytes), size: size(file.size) })),
      button(t('query.original'), () => {
        sendOriginal(picture);
        forgetAnswers();
        this.#drawAnswer(picture);
      }, { name: 'original', kind: 'as-text' }));
  }

  /** What is known once the picture is on the server. @param {QueryPicture} picture */
  #onStored(picture) {
    if (picture.id !== null || !picture.stored) return;
    const { route } = this;
    const query = { ...route.query, query: picture.stored.id };
    if (route.query.query !== query.query) {
      this.route = { ...route, query };
      rename(href('search', query));
    }
    this.#drawSent(picture);
    showStored(picture).then((isNew) => {
      if (isNew && this.#picture === picture) this.#drawQuery(picture, true);
    });
  }

  // ---- the answer

  /**
   * @param {QueryPicture} picture @param {PartialAnswer} answer @param {boolean} isOfFeatures
   * @param {AnswerModules} modules
   */
  #showAnswer(picture, answer, isOfFeatures, { Results, QueryOutlines }) {
    this.#onStored(picture);
    const { place: { results }, route: { query } } = this;
    const isAuto = query.box === 'auto';
    this.#results?.close();
    if (isAuto) this.#region?.setBox(answer.query.box);
    const exportThem = async () => (await import('./export_results.js')).exportResults(picture, answer, query);
    const links = {
      tools: button(t('export'), exportThem, { icon: 'download', kind: 'small' }),
      ranker: query.ranker,
      outlines: this.#region && new QueryOutlines(this.#region.area, this.#region.size),
      /** @param {Api.Hit} hit */
      match: (hit) => this.#matchAddress(picture, hit),
      isJoint: othersIn(query).length > 0,
      own: picture.id,
      /** @param {Api.Hit} hit */
      details: (hit) => this.#showDetails(picture, hit, answer).catch(failed),
      /** @param {NonNullable<Api.Hit['group']>} group */
      all: (group) => href('search', { ...query, group_by: '', where: withinGroup(group, query.where) }),
    };
    this.#results = new Results(answer, links, () => nextPage(picture, query, answer), noHits(query));
    results.replaceChildren(
      ...arrivalNotes(query), ...notes(answer, isAuto, isOfFeatures), this.#results.element);
    say(this.#results.title.textContent);
    jump(scrolled.get(location.hash) ?? scrollY);
    this.#isFilled = isBeginning(answer) ? this.#results.load() : Promise.resolve();
  }

  /**
   * The comparison of a hit with the picture of the query that proves it.
   * @param {QueryPicture} picture @param {Api.Hit} hit
   */
  #matchAddress(picture, hit) {
    const { query } = this.route;
    const other = othersIn(query)[hit.query_number - 1];
    return other ? matchOfOther(other, hit)
      : href('match', { ...query, image: '', upload: '' }, nameInPath(picture), hit.id);
  }

  /** Goes on without the pictures beside the first that the server has forgotten; returns whether there were any. */
  async #leaveOutGone() {
    const { query } = this.route;
    const other = await othersLeft(query).catch(() => query.other ?? '');
    if (other === (query.other ?? '')) return false;
    toast(t('together.gone'));
    this.change({ other });
    return true;
  }

  /** Shows how much of the picture is sent, where there is no answer yet. */
  #progress() {
    const { results } = this.place;
    const line = h('span', {}, t('searching'));
    if (!results.children.length) results.append(h('p', { class: 'waiting' }, line));
    const bar = h('progress', { max: 1, 'aria-label': t('query.sending') });
    return /** @type {OnProgress} */ (share) => {
      line.replaceChildren(t(share < 1 ? 'query.sending' : 'searching'), ' ',
        ...(share < 1 ? [percent(share), bar] : []));
      bar.value = share;
    };
  }

  /** @param {QueryPicture} picture @param {Api.Hit} hit @param {PartialAnswer} answer */
  async #showDetails(picture, hit, answer) {
    const [{ showDetails }, { tags }, { canWrite }] = await Promise.all([
      fetched(import('./details.js')), indexFacts(), rights(),
    ]);
    const goBack = async () => {
      await this.#isFilled;
      const opener = this.root.querySelector(`[data-details="${hit.id}"]`);
      if (opener instanceof HTMLElement) opener.focus({ preventScroll: true });
    };
    const onJudged = async () => {
      await this.#drawAnswer(picture);
      goBack();
    };
    const shots = () => shotsFound(picture, this.route.query, hit.name.split('#')[0] ?? '');
    await showDetails(String(hit.id), canWrite, tags, { hit, query: answer.query, onJudged, shots }).closed;
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
    try {
      const [answer, modules] = await Promise.all([
        search(picture, query, signal, this.#progress()), answerModules(),
      ]);
      const isOfFeatures = await asksFeatures(answer.ranker);
      if (!signal.aborted) this.#showAnswer(picture, answer, isOfFeatures, modules);
      await this.#forgetFault();
    } catch (error) {
      if (signal.aborted) return;
      if (isQueryGone(error) && await this.#leaveOutGone()) return;
      if (error instanceof PictureNeeded) {
        this.#askForPicture(true);
        return;
      }
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

  /** @param {boolean} isMissing the address names a picture that nobody has any more */
  #askForPicture(isMissing) {
    const { query: { problem } } = this.route;
    this.#picture = null;
    const notice = problem && h('p', { class: 'notice', role: 'alert' }, tOr(`problem.${problem}`, t('problem.400')),
      ' ', t('share.again'));
    this.root.replaceChildren(...[notice, start(isMissing, (error) => errorBox(error, () => this.draw()))]
      .filter((element) => element instanceof Node));
  }

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
    if (isByAddress(route.query)) {
      this.#picture = null;
      this.root.replaceChildren(askForAddress(route.query));
      return;
    }
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
      this.#askForPicture(picture === undefined);
      return;
    }
    if (isNew) this.#drawFrame(picture);
    this.place.sent.hidden = true;
    this.#drawQuery(picture, isNew);
    this.#drawFilters();
    await this.#drawAnswer(picture);
  }
}
