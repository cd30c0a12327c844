// @ts-check
// Groups of duplicates, as the last search for them found them: figures of all, then the groups, those first that free
// most; or one group by its address. The reader decides what happens to them.

import { rights, signIn } from './access.js';
import { call, indexFacts } from './api.js';
import { button, h, icon, link, redraw, select } from './dom.js';
import { find, undoList } from './duplicate_decisions.js';
import { groupBox } from './duplicate_group.js';
import { totalsBox } from './duplicate_totals.js';
import { errorBox } from './errors.js';
import { folderChoice } from './filters.js';
import { t } from './language.js';
import { pageOf, pager } from './pager.js';
import { go, href } from './router.js';
import './words_duplicates.js';

const KINDS = /** @type {const} */ (['exact', 'copy', 'crop', 'scene']);
const ORDERS = /** @type {const} */ (['frees', 'pictures', 'kind', 'name']);
const PAGE = 20;

/** How far the reader had scrolled, by address. @type {Map<string, number>} */
const scrolled = new Map();

export const title = () => t('nav.duplicates');

/** @type {ViewModule['show']} */
export const show = (root, route) => new Duplicates(root, route);

/** @param {WordKey} words @param {Child} offer */
const nothing = (words, offer = null) =>
  h('div', { class: 'empty' }, icon('duplicates'), h('p', {}, t(words)), offer);

/** @implements {View} */
class Duplicates {
  #canWrite = false;
  #canSignIn = false;
  #turn = 0;

  /** @param {HTMLElement} root @param {Route} route */
  constructor(root, route) {
    this.route = route;
    this.place = {
      tools: h('div', {}), figures: h('div', {}), filters: h('div', {}),
      groups: h('div', { class: 'found', 'aria-busy': 'true' }), past: h('div', {}),
    };
    this.refresh = () => this.#load();
    addEventListener('collection-changed', this.refresh);
    root.replaceChildren(h('section', { class: 'duplicates' },
      h('h1', {}, t('nav.duplicates')), Object.values(this.place)));
    this.#draw();
  }

  close() {
    removeEventListener('collection-changed', this.refresh);
  }

  /** @param {string} hash */
  leave(hash) {
    scrolled.set(hash, scrollY);
  }

  /** @param {Route} route */
  update(route) {
    this.route = route;
    this.#draw();
  }

  get #kind() {
    return KINDS.find((kind) => kind === this.route.query.kind) ?? 'crop';
  }

  /** The group that the address names. */
  get #group() {
    return this.route.parts[0];
  }

  async #draw() {
    const { groups } = this.place;
    groups.setAttribute('aria-busy', 'true');
    try {
      const facts = await indexFacts();
      ({ canWrite: this.#canWrite, canSignIn: this.#canSignIn } = await rights());
      if (!facts.duplicates) groups.replaceChildren(nothing('dup.missing'));
      else {
        this.#drawTools(facts);
        await this.#load();
        scrollTo({ top: scrolled.get(location.hash) ?? 0, behavior: 'instant' });
      }
    } catch (error) {
      this.#showError(error);
    }
  }

  /** @param {unknown} error */
  #showError(error) {
    this.place.groups.replaceChildren(errorBox(error, () => this.#draw()));
    this.place.groups.setAttribute('aria-busy', 'false');
  }

  /** Another part of the address; the list begins at its first page. @param {Record<string, Value>} parts */
  #change(parts) {
    go(href('duplicates', { ...this.route.query, page: '', ...parts }));
  }

  /** @param {Api.Index} facts */
  #drawTools(facts) {
    const { tools, filters } = this.place;
    const { query } = this.route;
    if (this.#group) {
      filters.replaceChildren();
      redraw(tools, h('p', {}, link(t('dup.all'), href('duplicates', query), { icon: 'back', id: 'back' })));
      return;
    }
    redraw(tools, h('div', { class: 'dup-tools' }, h('p', { class: 'lead' }, t('dup.lead')),
      h('div', { class: 'row end' },
        select(t('dup.kind'), KINDS.map((kind) => [kind, t(`dup.up-to.${kind}`)]), this.#kind,
          (kind) => this.#change({ kind, only: '' }), { name: 'kind' }),
        this.#canWrite ? find(this.#kind) : null,
        this.#canSignIn ? button(t('token.sign-in'), async () => (await signIn(false)) && this.#draw()) : null)));
    const inside = KINDS.slice(0, KINDS.indexOf(this.#kind) + 1);
    redraw(filters, h('div', { class: 'fields line', role: 'search' },
      select(t('dup.only'), [['', t('dup.only.all')], ...inside.map((kind) => pair(kind, t(`dup.${kind}`)))],
        query.only, (only) => this.#change({ only }), { name: 'only' }),
      facts.folders.length > 1 || query.folder
        ? folderChoice(facts, query, (parts) => this.#change(parts)) : null,
      select(t('sort'), ORDERS.map((order) => [order === 'frees' ? '' : order, t(`dup.sort.${order}`)]), query.sort,
        (sort) => this.#change({ sort }), { name: 'sort' })));
  }

  async #load() {
    const turn = ++this.#turn;
    try {
      const drawn = this.#group ? await this.#one(this.#group) : await this.#list();
      if (turn !== this.#turn) return;
      redraw(this.place.groups, ...drawn);
      this.place.groups.setAttribute('aria-busy', 'false');
    } catch (error) {
      if (turn === this.#turn) this.#showError(error);
    }
  }

  /** @param {string} name @returns {Promise<HTMLElement[]>} */
  async #one(name) {
    const kind = this.#kind;
    const { actions, found } = await call('GET /duplicates', { query: { kind, limit: 1 } });
    this.place.figures.replaceChildren();
    this.place.past.replaceChildren();
    if (!found) return [nothing('dup.never', this.#canWrite ? find(kind) : null)];
    const group = await call('GET /duplicates/groups/{group}', { path: { group: name }, query: { kind } });
    return [groupBox(group, { kind, actions, canWrite: this.#canWrite, query: this.route.query, isAlone: true })];
  }

  /** @returns {Promise<HTMLElement[]>} */
  async #list() {
    const { query } = this.route;
    const kind = this.#kind;
    const filter = { kind, only: query.only, folder: query.folder };
    const offset = (pageOf(query) - 1) * PAGE;
    const answer = await call('GET /duplicates', { query: { ...filter, sort: query.sort, offset, limit: PAGE } });
    const { actions } = answer;
    this.place.filters.hidden = !answer.found;
    redraw(this.place.figures, ...(answer.found ? [totalsBox(answer, filter, this.#canWrite)] : []));
    redraw(this.place.past, await undoList(this.#canWrite));
    if (!answer.groups.length) return [nothing(answer.found ? 'dup.none' : 'dup.never')];
    const pages = pager('duplicates', Math.ceil(answer.total / PAGE), query);
    const options = { kind, actions, canWrite: this.#canWrite, query, isAlone: false };
    return [...answer.groups.map((group) => groupBox(group, options)), ...(pages ? [pages] : [])];
  }

  /** @param {string} name */
  key(name) {
    if (name !== 'Escape' || !this.#group) return false;
    this.place.tools.querySelector('a')?.click();
    return true;
  }
}

/** @param {string} key @param {string} text @returns {[key: string, text: string]} */
const pair = (key, text) => [key, text];
