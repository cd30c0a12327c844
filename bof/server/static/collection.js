// @ts-check
// The collection, page by page, by words and tags; the reader adds, tags and removes pictures.

import { rights, signIn } from './access.js';
import { openEnded } from './answers.js';
import { call, forgetIndexFacts, indexFacts } from './api.js';
import { showDetails } from './details.js';
import { button, byId, h, icon, link, redraw, say, select } from './dom.js';
import { removeAll, tagAll } from './editing.js';
import { errorBox } from './errors.js';
import { folderChoice, tagChoice, textChoice } from './filters.js';
import { filesIn, sourcesOf } from './folders.js';
import { showJob } from './jobs.js';
import { t } from './language.js';
import { pager } from './pager.js';
import { chips, picture } from './results.js';
import { go, href } from './router.js';
import { searchWithSeveral } from './several.js';
import { noPictures } from './start.js';
import { isOneQuery, togetherAddress, withOther } from './together.js';
import { upload } from './uploading.js';

const PAGE = 48;

export const title = () => t('nav.collection');

/** @type {ViewModule['show']} */
export const show = (root, route) => new Collection(root, route);

/** @param {string} words @param {IconName} name @param {string} id @param {Attributes<HTMLInputElement>} attributes */
function fileButton(words, name, id, attributes) {
  const input = h('input', { type: 'file', class: 'unseen', multiple: true, id, ...attributes, onchange: () => {
    const sources = sourcesOf(input.files);
    input.value = '';
    if (sources.length) upload(sources);
  } });
  return h('label', { class: 'button' }, icon(name), h('span', {}, words), input);
}

/** @param {Api.Image} image */
const searchLink = ({ id, name }) => link(t('hit.search-short'), href('search', { image: id }), {
  icon: 'search', quiet: true, 'aria-label': t('hit.search', { name }),
});

/** @param {Api.Image} image */
const nameOf = ({ name }) => h('span', { class: 'name', title: name }, name);

/** @implements {View} */
class Collection {
  #rights = { canWrite: false, canSignIn: false };
  /** @type {Api.Index['tags']} */
  #tags = [];
  /** @type {Api.Image[]} */
  #images = [];
  #total = 0;
  /** Ids of the selected pictures. @type {Set<number>} */
  #selected = new Set();
  /** The dialog of one picture. @type {{id: string, close: (result: 'left') => void} | null} */
  #details = null;

  /** @param {HTMLElement} root @param {Route} route */
  constructor(root, route) {
    this.route = route;
    this.place = {
      actions: h('div', {}), filters: h('div', {}), bar: h('div', {}), grid: h('div', { 'aria-busy': 'true' }),
    };
    this.refresh = () => this.#reload();
    addEventListener('collection-changed', this.refresh);
    root.replaceChildren(h('section', { class: 'collection' },
      h('h1', {}, t(this.#isPicking ? 'collection.pick' : 'nav.collection')), Object.values(this.place)));
    this.#draw().then(() => this.#drawDetails());
  }

  close() {
    removeEventListener('collection-changed', this.refresh);
    this.#details?.close('left');
  }

  /** @param {Route} route */
  update(route) {
    const isSame = JSON.stringify({ ...route.query, show: '' }) === JSON.stringify({ ...this.route.query, show: '' });
    this.route = route;
    if (!isSame) this.refresh();
    this.#drawDetails();
  }

  /** Adds files that are dropped here. @param {DataTransfer} transfer */
  acceptDrop(transfer) {
    if (!this.#canChange) return false;
    filesIn(transfer).then(upload);
    return true;
  }

  /** Does the reader pick a picture to search with? */
  get #isPicking() {
    return this.route.query.pick === '1';
  }

  get #canChange() {
    return this.#rights.canWrite && !this.#isPicking;
  }

  /** @param {Record<string, Value>} parts */
  #change(parts) {
    go(href('collection', { ...this.route.query, page: '', ...parts }));
  }

  async #reload() {
    try {
      await this.#drawFilters();
      await this.#load();
    } catch (error) {
      this.#showError(error);
    }
  }

  /** @param {unknown} error */
  #showError(error) {
    this.place.grid.replaceChildren(errorBox(error, () => this.#draw()));
    this.place.grid.setAttribute('aria-busy', 'false');
  }

  async #draw() {
    try {
      forgetIndexFacts();
      this.#rights = await rights();
      this.#drawActions();
      await Promise.all([this.#drawFilters(), this.#load()]);
    } catch (error) {
      this.#showError(error);
    }
  }

  // ---- above the pictures

  #drawActions() {
    const sync = async () => showJob((await call('POST /sync')).job, t('job.kind.sync'));
    const change = () => h('div', { class: 'row' },
      fileButton(t('add.pictures'), 'plus', 'add-pictures', { accept: 'image/*' }),
      h('span', { class: 'if-mouse' }, fileButton(t('add.folder'), 'folder', 'add-folder', { webkitdirectory: true })),
      button(t('add.sync'), sync, { icon: 'refresh' }),
      h('span', { class: 'small if-mouse' }, t('add.drop')));
    const enter = () => button(t('token.sign-in'), async () => (await signIn(false)) && this.#draw());
    this.place.actions.replaceChildren(
      ...(this.#canChange ? [change()] : []), ...(this.#rights.canSignIn ? [enter()] : []));
  }

  async #drawFilters() {
    const facts = await indexFacts();
    this.#tags = facts.tags;
    const { query } = this.route;
    /** @param {Record<string, Value>} parts */
    const change = (parts) => this.#change(parts);
    redraw(this.place.filters, h('div', { class: 'fields line', role: 'search' },
      textChoice(query, change), folderChoice(facts, query, change), tagChoice(facts, query, change),
      select(t('sort'), [['', t('sort.name')], ['newest', t('sort.newest')]], query.sort, (sort) => change({ sort }),
        { name: 'sort' })));
  }

  #drawBar() {
    const { bar } = this.place;
    const n = this.#selected.size;
    const images = () => this.#images.filter((image) => this.#selected.has(image.id));
    const search = () => searchWithSeveral(images().map((image) => ({ path: image.name, image })));
    const join = () => go(togetherAddress(images().map(({ id }) => id)));
    bar.className = n ? 'selection' : '';
    bar.replaceChildren(...(n ? [
      h('b', {}, t('selected', { n })),
      button(t('selected.search'), search, { icon: 'search' }),
      ...(isOneQuery(n) ? [button(t('together.selected'), join, { icon: 'search', name: 'together' })] : []),
      ...(this.#canChange ? [
        button(t('tag.several'), () => tagAll(images(), this.#tags), { icon: 'tag' }),
        button(t('remove.one'), () => removeAll(images()), { icon: 'remove', kind: 'danger-text' })] : []),
      button(t('selected.none'), () => this.#select([]), { icon: 'close' }),
    ] : []));
  }

  // ---- the pictures

  /** @param {Api.Image[]} images */
  #select(images) {
    this.#selected = new Set(images.map((image) => image.id));
    this.#drawGrid();
  }

  /** @param {Api.Image} image */
  #tick(image) {
    return h('label', { class: 'check' },
      h('input', {
        type: 'checkbox', checked: this.#selected.has(image.id), 'aria-label': t('select', { name: image.name }),
        onchange: ({ currentTarget }) => {
          this.#selected[currentTarget.checked ? 'add' : 'delete'](image.id);
          this.#drawBar();
        },
      }),
      nameOf(image));
  }

  /** @param {Api.Image} image */
  #card(image) {
    const { id, name } = image;
    const isPicking = this.#isPicking;
    const { query } = this.route;
    const target = isPicking ? withOther(query.to ?? '', id) : href('collection', { ...query, show: id });
    const words = t(isPicking ? 'hit.search' : 'image.open', { name });
    return h('li', { class: 'card' },
      h('a', { class: 'face', href: target, 'aria-label': words, 'data-id': id }, picture(image, 320, '')),
      h('div', { class: 'about' },
        h('p', { class: 'row between' },
          isPicking ? nameOf(image) : this.#tick(image), isPicking ? null : searchLink(image)),
        chips(image.tags)));
  }

  async #load() {
    const { text, tag, folder, sort, page } = this.route.query;
    const { grid } = this.place;
    grid.setAttribute('aria-busy', 'true');
    const offset = ((Number(page) || 1) - 1) * PAGE;
    const filter = { text: openEnded(text), tag, folder };
    const answer = await call('GET /images', { query: { ...filter, sort, offset, limit: PAGE } });
    this.#images = answer.images;
    this.#total = answer.total;
    const shown = new Set(answer.images.map((image) => image.id));
    this.#selected = new Set([...this.#selected].filter((id) => shown.has(id)));
    this.#drawGrid();
    grid.setAttribute('aria-busy', 'false');
    say(t('collection.count', { n: this.#total }));
  }

  #drawGrid() {
    const { route: { query }, place: { grid } } = this;
    this.#drawBar();
    if (!this.#images.length) {
      const isFiltered = query.text || query.tag || query.folder;
      grid.replaceChildren(isFiltered
        ? h('div', { class: 'empty' }, icon('search'), h('p', {}, t('collection.none'))) : noPictures(false));
      return;
    }
    const all = this.#isPicking ? null : button(t('selected.all'), () => this.#select(this.#images), { kind: 'small' });
    const pages = pager('collection', Math.ceil(this.#total / PAGE), query);
    grid.replaceChildren(
      h('p', { class: 'row' },
        h('span', { class: 'small', id: 'count' }, t('collection.count', { n: this.#total })), all),
      h('ul', { class: 'grid', 'aria-label': t('nav.collection') }, this.#images.map((image) => this.#card(image))),
      ...(pages ? [pages] : []));
  }

  /** Opens the dialog of the picture that the address names; closes any other. */
  async #drawDetails() {
    const { show: id } = this.route.query;
    if (this.#details?.id === id) return;
    this.#details?.close('left');
    if (!id) return;
    const { close, closed } = showDetails(id, this.#rights.canWrite, this.#tags);
    const details = { id, close };
    this.#details = details;
    const result = await closed;
    if (this.#details === details) this.#details = null;
    if (result === 'left') return;
    this.#change({ show: '', page: this.route.query.page });
    const card = byId('main').querySelector(`[data-id="${CSS.escape(id)}"]`);
    if (card instanceof HTMLElement) card.focus();
  }
}
