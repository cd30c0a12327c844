// @ts-check
// The match view: two pictures and the proof that they show the same thing, between results before and after.

import { matchOf, poseOf, queryPicture, retainedAnswer } from './answers.js';
import { Comparison } from './comparison.js';
import { h, link, say } from './dom.js';
import { errorBox } from './errors.js';
import { t } from './language.js';
import { fullBitmap, indexedPicture } from './pictures.js';
import { href } from './router.js';
import { sceneOf } from './scene.js';
import { PictureNeeded } from './sending.js';
import { choice } from './settings.js';
import { start } from './start.js';

/** @type {[Lines, ...Lines[]]} */
const LINES = ['inliers', 'all', 'none'];

export const title = () => t('match.title');

/** @type {ViewModule['show']} */
export const show = (root, route) => new MatchView(root, route);

/** @param {Query} query @returns {Display} */
const displayOf = ({ mode, lines }) => ({
  mode: mode === 'over' ? 'over' : 'beside',
  lines: LINES.find((name) => name === lines) ?? choice('lines', LINES),
  framed: true,
  opacity: 0.5,
});

/** @implements {View} */
class MatchView {
  #turn = 0;
  /** @type {Comparison | null} */
  #comparison = null;

  /** @param {HTMLElement} root @param {Route} route */
  constructor(root, route) {
    this.root = root;
    this.route = route;
    this.#draw();
  }

  /** @param {Route} route */
  update(route) {
    this.route = route;
    this.#draw();
  }

  close() {
    this.#turn += 1;
    this.#comparison?.close();
    this.root.removeAttribute('aria-busy');
  }

  /** The query, as a picture of the collection or the reader's own, and the id of the hit. */
  get #ids() {
    const [query = '', hit = 'none'] = this.route.parts;
    return { query, hit };
  }

  /** The address of the search that found the hit. @returns {Query} */
  get #search() {
    const { query } = this.#ids;
    const own = query.startsWith('u') ? { upload: query } : {};  // 'q': the address names the stored query alone
    return { ...this.route.query, mode: '', lines: '', .../^\d/.test(query) ? { image: query } : own };
  }

  async #draw() {
    const turn = ++this.#turn;
    this.root.setAttribute('aria-busy', 'true');
    try {
      await this.#load(() => turn === this.#turn);
    } catch (error) {
      if (turn !== this.#turn) return;
      if (error instanceof PictureNeeded) this.#askForPicture();
      else this.root.replaceChildren(errorBox(error, () => this.#draw()));
    }
    if (turn === this.#turn) this.root.setAttribute('aria-busy', 'false');
  }

  #askForPicture() {
    this.root.replaceChildren(start(true, (error) => errorBox(error, () => this.#draw())));
  }

  /** First with thumbnails, then in full size. @param {() => boolean} isCurrent */
  async #load(isCurrent) {
    const { query } = this.route;
    const id = this.#ids.hit;
    const picture = await queryPicture(this.#search);
    if (!picture) {
      this.#askForPicture();
      return;
    }
    const [hit, match] = await Promise.all([indexedPicture(id), matchOf(picture, id, query)]);
    if (!isCurrent()) return;
    /** @param {[query: Bitmap | null, hit: Bitmap | null]} bitmaps */
    const scene = (bitmaps) => sceneOf(match, picture, hit, bitmaps, poseOf(query));
    const comparison = this.#open(scene([picture.bitmap, hit.bitmap]), match, picture, hit);
    const full = await Promise.all([fullBitmap(picture), fullBitmap(hit)]);
    if (isCurrent()) comparison.setScene(scene(full));
  }

  /** @param {Scene} scene @param {Api.Match} match @param {QueryPicture} picture @param {IndexedPicture} hit */
  #open(scene, match, picture, hit) {
    const { parts, query } = this.route;
    const display = this.#comparison?.display ?? displayOf(query);
    this.#comparison?.close();
    const names = { query: picture.name || t('query.yours'), hit: hit.name };
    /** @param {Display} shown */
    const addressOf = ({ mode, lines }) => href('match', { ...query, mode, lines }, ...parts);
    const comparison = new Comparison(scene, match, names, display, { addressOf, isUpload: picture.id === null });
    this.#comparison = comparison;
    this.root.replaceChildren(h('section', { class: 'match', 'aria-labelledby': 'match-title' },
      h('div', { class: 'row between' },
        link(t('match.back'), href('search', this.#search), { icon: 'back', id: 'back' }),
        this.#neighbours(picture, hit.id)),
      comparison.elements));
    comparison.draw();
    say(comparison.summary);
    return comparison;
  }

  /**
   * Which hit of its answer this is, with links to the ones before and after.
   * @param {QueryPicture} picture @param {number} id
   */
  #neighbours(picture, id) {
    const hits = retainedAnswer(picture, this.#search)?.hits ?? [];
    const i = hits.findIndex((hit) => hit.id === id);
    if (i < 0) return null;
    /** @param {Api.Hit | undefined} hit @param {string} words @param {'back' | 'next'} step */
    const to = (hit, words, step) => hit && link(words, href('match', this.route.query, this.#ids.query, hit.id), {
      icon: step, quiet: true, 'data-step': step,
    });
    return h('span', { class: 'row tight' }, to(hits[i - 1], t('match.before'), 'back'),
      h('span', { class: 'small', id: 'place' }, t('match.place', { place: i + 1, n: hits.length })),
      to(hits[i + 1], t('match.after'), 'next'));
  }

  /** A key anywhere on the page presses what it stands for. @param {string} name */
  key(name) {
    if (!this.#comparison) return false;
    const { mode, lines } = this.#comparison.display;
    const selector = new Map([
      ['o', `input[value="${mode === 'beside' ? 'over' : 'beside'}"]`],
      ['l', `input[value="${LINES[(LINES.indexOf(lines) + 1) % LINES.length]}"]`],
      ['f', '#flicker'],
      ['[', '[data-step="back"]'],
      [']', '[data-step="next"]'],
      ['Escape', '#back'],
    ]).get(name);
    if (!selector) return false;
    const target = this.root.querySelector(selector);
    if (target instanceof HTMLElement) target.click();
    return true;
  }
}
