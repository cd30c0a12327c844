// The collection: looked through page by page, by words and tags; added to, tagged, taken from.

import { rights, signIn } from './access.js';
import { openEnded } from './answers.js';
import { call, forget, indexFacts } from './api.js';
import { showDetails } from './details.js';
import { button, byId, h, icon, link, redraw, say, select } from './dom.js';
import { askTag, removeAll } from './editing.js';
import { folderChoice, tagChoice, textChoice } from './filters.js';
import { showJob } from './jobs.js';
import { number, t } from './language.js';
import { chips, picture } from './results.js';
import { go, href } from './router.js';
import { noPictures } from './start.js';
import { trouble } from './trouble.js';
import { filesIn, upload } from './uploading.js';

const PAGE = 48;

export const title = () => t('nav.collection');

export const show = (root, route) => new Collection(root, route);

function fileButton(words, name, id, attributes) {
  const input = h('input', { type: 'file', class: 'unseen', multiple: true, id, ...attributes, onchange: () => {
    const files = [...input.files];
    input.value = '';
    if (files.length) upload(files);
  } });
  return h('label', { class: 'button' }, icon(name), h('span', {}, words), input);
}

function pager(total, page, query) {
  const last = Math.max(1, Math.ceil(total / PAGE));
  if (last === 1) return null;
  const step = (target, words, name) => (target >= 1 && target <= last
    ? link(words, href('collection', { ...query, page: target > 1 ? target : '' }), { icon: name })
    : h('span', { class: 'button off', 'aria-disabled': 'true' }, icon(name), h('span', {}, words)));
  const turn = (event) => go(href('collection', { ...query, page: event.target.value }));
  return h('nav', { class: 'row center', 'aria-label': t('page.nav') },
    step(page - 1, t('page.before'), 'back'),
    h('label', { class: 'field inline' }, h('span', {}, t('page.of', { last: number(last) })),
      h('input', { type: 'number', min: 1, max: last, value: page, onchange: turn })),
    step(page + 1, t('page.after'), 'next'));
}

const searchLink = (image) => link(t('hit.search-short'), href('search', { image: image.id }), {
  icon: 'search', quiet: true, 'aria-label': t('hit.search', { name: image.name }),
});

const nameOf = (image) => h('span', { class: 'name', title: image.name }, image.name);

class Collection {
  constructor(root, route) {
    Object.assign(this, { root, route, may: { canWrite: false }, tags: [] });
    Object.assign(this, { images: [], total: 0, opened: null, picked: new Set() });
    const grid = h('div', { 'aria-busy': 'true' });
    this.place = { actions: h('div', {}), filters: h('div', {}), bar: h('div', {}), grid };
    this.refresh = () => this.drawFilters().then(() => this.load()).catch((error) => this.showTrouble(error));
    addEventListener('collection-changed', this.refresh);
    root.replaceChildren(h('section', { class: 'collection' },
      h('h1', {}, t(this.isPicking ? 'collection.pick' : 'nav.collection')), ...Object.values(this.place)));
    this.draw().then(() => this.drawDetails());
  }

  close() {
    removeEventListener('collection-changed', this.refresh);
    document.querySelector('dialog.of-image')?.close('left');
  }

  update(route) {
    const isSame = JSON.stringify({ ...route.query, show: '' }) === JSON.stringify({ ...this.route.query, show: '' });
    this.route = route;
    if (!isSame) this.refresh();
    this.drawDetails();
  }

  /** Files that are dropped here join the collection. */
  takes(transfer) {
    if (!this.canChange) return false;
    filesIn(transfer).then(upload);
    return true;
  }

  /** Is a picture picked to search with? */
  get isPicking() {
    return this.route.query.pick === '1';
  }

  get canChange() {
    return this.may.canWrite && !this.isPicking;
  }

  change(parts) {
    go(href('collection', { ...this.route.query, page: '', ...parts }));
  }

  showTrouble(error) {
    this.place.grid.replaceChildren(trouble(error, () => this.draw()));
    this.place.grid.setAttribute('aria-busy', 'false');
  }

  async draw() {
    try {
      forget();
      this.may = await rights();
      this.drawActions();
      await Promise.all([this.drawFilters(), this.load()]);
    } catch (error) {
      this.showTrouble(error);
    }
  }

  // ---- above the pictures

  drawActions() {
    const sync = async () => showJob((await call('sync', { method: 'POST' })).job, t('job.kind.sync'));
    const change = () => h('div', { class: 'row' },
      fileButton(t('add.pictures'), 'plus', 'add-pictures', { accept: 'image/*' }),
      h('span', { class: 'if-mouse' }, fileButton(t('add.folder'), 'folder', 'add-folder', { webkitdirectory: true })),
      button(t('add.sync'), sync, { icon: 'refresh' }),
      h('span', { class: 'small if-mouse' }, t('add.drop')));
    const enter = () => button(t('token.sign-in'), async () => (await signIn(false)) && this.draw());
    this.place.actions.replaceChildren(...(this.canChange ? [change()] : []), ...(this.may.canSignIn ? [enter()] : []));
  }

  async drawFilters() {
    const facts = await indexFacts();
    this.tags = facts.tags;
    const { query } = this.route;
    const change = (parts) => this.change(parts);
    const orders = [['', t('sort.name')], ['newest', t('sort.newest')]];
    redraw(this.place.filters, h('div', { class: 'fields line', role: 'search' },
      textChoice(query, change), folderChoice(facts, query, change), tagChoice(facts, query, change),
      select(t('sort'), orders, query.sort, (sort) => change({ sort }), { name: 'sort' })));
  }

  drawBar() {
    const { bar } = this.place;
    const n = this.picked.size;
    const chosen = () => this.images.filter((image) => this.picked.has(image.id));
    bar.className = n ? 'selection' : '';
    bar.replaceChildren(...(n ? [
      h('b', {}, t('selected', { n })),
      button(t('tag.several'), () => askTag(chosen(), this.tags), { icon: 'tag' }),
      button(t('remove.one'), () => removeAll(chosen()), { icon: 'remove', kind: 'danger-text' }),
      button(t('selected.none'), () => this.pick([]), { icon: 'close' }),
    ] : []));
  }

  // ---- the pictures

  pick(images) {
    this.picked = new Set(images.map((image) => image.id));
    this.drawGrid();
  }

  tick(image) {
    const change = (event) => {
      this.picked[event.target.checked ? 'add' : 'delete'](image.id);
      this.drawBar();
    };
    const label = t('select', { name: image.name });
    return h('label', { class: 'check' },
      h('input', { type: 'checkbox', checked: this.picked.has(image.id), 'aria-label': label, onchange: change }),
      nameOf(image));
  }

  card(image) {
    const target = this.isPicking
      ? href('search', { image: image.id }) : href('collection', { ...this.route.query, show: image.id });
    const words = t(this.isPicking ? 'hit.search' : 'image.open', { name: image.name });
    return h('li', { class: 'card' },
      h('a', { class: 'face', href: target, 'aria-label': words, 'data-id': image.id }, picture(image, 320, '')),
      h('div', { class: 'about' },
        h('p', { class: 'row between' },
          this.canChange ? this.tick(image) : nameOf(image), this.isPicking ? null : searchLink(image)),
        chips(image.tags)));
  }

  async load() {
    const { text, tag, folder, sort, page } = this.route.query;
    this.place.grid.setAttribute('aria-busy', 'true');
    const offset = ((Number(page) || 1) - 1) * PAGE;
    const answer = await call('images', { query: { text: openEnded(text), tag, folder, sort, offset, limit: PAGE } });
    [this.images, this.total] = [answer.images, answer.total];
    for (const id of this.picked) if (!this.images.some((image) => image.id === id)) this.picked.delete(id);
    this.drawGrid();
    this.place.grid.setAttribute('aria-busy', 'false');
    say(t('collection.count', { n: this.total }));
  }

  drawGrid() {
    const { route: { query }, images, total, place: { grid } } = this;
    this.drawBar();
    if (!images.length) {
      const isFiltered = query.text || query.tag || query.folder;
      grid.replaceChildren(isFiltered
        ? h('div', { class: 'empty' }, icon('search'), h('p', {}, t('collection.none'))) : noPictures(false));
      return;
    }
    const all = this.canChange ? button(t('selected.all'), () => this.pick(images), { kind: 'small' }) : null;
    grid.replaceChildren(
      h('p', { class: 'row' }, h('span', { class: 'small', id: 'count' }, t('collection.count', { n: total })), all),
      h('ul', { class: 'grid', 'aria-label': t('nav.collection') }, images.map((image) => this.card(image))),
      ...[pager(total, Number(query.page) || 1, query)].filter(Boolean));
  }

  /** The dialog of one picture, as long as the address names it. */
  async drawDetails() {
    const { show: id } = this.route.query;
    if (this.opened !== (id ?? null)) document.querySelector('dialog.of-image')?.close('left');
    if (!id || this.opened === id) return;
    this.opened = id;
    const closing = showDetails(id, { canWrite: this.may.canWrite, tags: this.tags });
    document.querySelector('dialog:last-of-type').classList.add('of-image');
    const how = await closing;
    this.opened = null;
    if (how === 'left') return;
    this.change({ show: '', page: this.route.query.page });
    byId('main').querySelector(`[data-id="${CSS.escape(id)}"]`)?.focus();
  }
}
