// @ts-check
// The view for many pictures: they come in, the table fills, the reader sorts, retries, exports.

import { button, h, icon, link, redraw, say, select, toast } from './dom.js';
import { exportDialog } from './export_dialog.js';
import { filters } from './filters.js';
import { filesIn, sourcesOf } from './folders.js';
import { number, t } from './language.js';
import { manyExport } from './many_export.js';
import { openItem } from './many_opening.js';
import { BUCKETS, countsOf, orderOf, shownItems } from './many_order.js';
import { keepTrack, settingsOf, takeLost } from './many_record.js';
import { run } from './many_run.js';
import { ROWS, sortChoices, Table } from './many_table.js';
import { showInTray } from './many_tray.js';
import { clearQuestion, fileButton, progressText, welcome } from './many_parts.js';
import { go, href } from './router.js';
import { takeHanded } from './several.js';
import { loadSheet } from './sheets.js';
import { isShownPicture } from './uploading.js';

await loadSheet('many.css');
keepTrack(run);
const DRAW_MS = 200;
const nLost = takeLost();

/** @type {ReturnType<typeof showInTray> | null} */
let tray = null;

export const title = () => t('many.title');

/** @type {ViewModule['show']} */
export const show = (root, route) => new Many(root, route);

/** @implements {View} */
class Many {
  /** @type {Set<Item>} */
  #changed = new Set();
  #waiting = 0;
  #state = '';
  #nLost = nLost;

  /** @param {HTMLElement} root @param {Route} route */
  constructor(root, route) {
    this.root = root;
    this.route = route;
    tray?.remove();
    tray = null;
    this.table = new Table({
      retry: (item) => this.#retry([item]),
      sort: (sort, isDown) => this.#change({ sort: sort === 'number' ? '' : sort, down: isDown ? 1 : '' }),
    });
    this.place = {
      welcome: h('div', {}), state: h('div', { class: 'run panel', tabindex: -1 }), filters: h('div', {}),
      choices: h('div', { class: 'row end choices' }), table: h('div', {}), pager: h('div', {}),
    };
    root.replaceChildren(h('section', { class: 'many', 'aria-labelledby': 'many-title' },
      h('h1', { id: 'many-title' }, t('many.title')), Object.values(this.place)));
    this.place.table.append(this.table.element);
    this.take = () => this.#add(takeHanded());
    addEventListener('pictures-handed', this.take);
    run.onchange = (item) => this.#onChange(item);
    this.update(route);
    this.take();
  }

  close() {
    removeEventListener('pictures-handed', this.take);
    clearTimeout(this.#waiting);
    run.onchange = () => {};
    if (run.state === 'over') return;
    tray = showInTray(run);
    run.onchange = tray.draw;
  }

  /** @param {Route} route */
  update(route) {
    this.route = route;
    const [row, hit] = route.parts;
    if (row) {
      openItem(run.items[Number(row) - 1], hit);
      return;
    }
    if (!run.items.length) run.settings = settingsOf(route.query);
    this.#drawFilters();
    this.#draw();
  }

  /** @param {DataTransfer} transfer */
  acceptDrop(transfer) {
    filesIn(transfer).then((sources) => this.#add(sources));
    return true;
  }

  /** @param {SeveralSource[]} sources */
  #add(sources) {
    if (!sources.length) return;
    /** @param {SeveralSource} one */
    const isPicture = (one) => Boolean(one.image ?? isShownPicture(one));
    const pictures = sources.filter(isPicture);
    const others = sources.filter((one) => !isPicture(one));
    const [first] = others;
    if (!pictures.length) toast(t('many.nothing'));
    else if (first) toast(t('many.passed-over', { n: others.length, name: first.path }));
    if (!pictures.length) return;
    this.#nLost = 0;
    if (!run.items.length) run.settings = settingsOf(this.route.query);
    run.add(pictures);
  }

  /** @param {Item[]} items */
  #retry(items) {
    run.retry(items);
    this.place.state.focus({ preventScroll: true });
  }

  /** @param {Record<string, Value>} parts */
  #change(parts) {
    go(href('many', { ...this.route.query, page: '', ...parts }));
  }

  /** Draws soon: at most a few times a second, whatever the run does. @param {Item | null} item */
  #onChange(item) {
    if (item) this.#changed.add(item);
    this.#waiting ||= setTimeout(() => {
      this.#waiting = 0;
      this.#draw();
    }, DRAW_MS);
  }

  // ---- drawing

  #draw() {
    const { welcome: start, table, pager } = this.place;
    const { items } = run;
    const isEmpty = !items.length;
    if (isEmpty) {
      this.table.reset();
      if (!start.childElementCount) start.replaceChildren(welcome(this.#nLost, (sources) => this.#add(sources)));
    } else start.replaceChildren();
    for (const [name, place] of Object.entries(this.place)) place.hidden = isEmpty === (name !== 'welcome');
    if (isEmpty) return;
    const order = orderOf(this.route.query);
    const counts = countsOf(items);
    const shown = shownItems(items, order);
    const page = Math.min(order.page, Math.ceil(shown.length / ROWS) || 1);
    this.table.draw(shown.slice((page - 1) * ROWS, page * ROWS), order, this.#changed);
    this.#changed.clear();
    table.classList.toggle('none', !shown.length);
    this.#drawState(counts);
    this.#drawChoices(counts, order);
    this.#drawPager(page, shown.length);
    pager.hidden = shown.length <= ROWS;
  }

  /** @param {ReturnType<typeof countsOf>} counts */
  #drawState(counts) {
    const { state } = this.place;
    const done = counts.all - counts.waiting;
    if (this.#state && this.#state !== run.state) say(`${t(`many.state.${run.state}`)}. ${progressText(run, counts)}`);
    this.#state = run.state;
    const failed = run.items.filter((item) => item.state === 'failed' || item.state === 'stopped');
    redraw(state,
      h('div', { class: 'row between' },
        h('p', { class: 'run-state' }, h('b', {}, t(`many.state.${run.state}`)), ' ', progressText(run, counts)),
        h('div', { class: 'row' }, this.#buttons(failed))),
      h('progress', { 'aria-label': t('many.title'), max: counts.all, value: done }),
      ...(run.reason ? [h('p', { class: 'notice' }, run.reason)] : []),
      ...this.#settingsNotice());
  }

  /** @param {Item[]} failed */
  #buttons(failed) {
    const { state } = run;
    const isActive = state !== 'over';
    return [
      state === 'running' ? button(t('many.pause'), () => run.pause(), { icon: 'pause', name: 'pause' }) : null,
      state === 'paused' || state === 'away'
        ? button(t('many.go'), () => run.go(), { icon: 'play', name: 'pause', kind: 'primary' }) : null,
      isActive ? button(t('many.stop'), () => run.stop(), { icon: 'close', name: 'stop' }) : null,
      failed.length ? button(t('many.retry-all', { n: failed.length }), () => this.#retry(failed),
        { icon: 'refresh', name: 'retry-all' }) : null,
      button(t('export'), () => this.#export(), { icon: 'download', name: 'export' }),
      fileButton(t('many.add'), 'plus', { id: 'more-pictures' }, (files) => this.#add(sourcesOf(files))),
      button(t('many.clear'), () => this.#clear(), { icon: 'remove', quiet: true, name: 'clear' }),
    ];
  }

  /** Says so where the answers are to other settings than the address has now. */
  #settingsNotice() {
    const settings = settingsOf(this.route.query);
    if (JSON.stringify(settings) === JSON.stringify(run.settings)) return [];
    const again = () => {
      run.settings = settings;
      run.retry(run.items);
      this.#draw();
    };
    return [h('p', { class: 'notice row between' }, t('many.settings-changed'),
      button(t('many.again'), again, { icon: 'refresh', name: 'again' }))];
  }

  /** @param {ReturnType<typeof countsOf>} counts @param {import('./many_order.js').Order} order */
  #drawChoices(counts, { bucket, sort, isDown }) {
    const shown = BUCKETS.filter((name) => counts[name] || name === 'all' || name === bucket);
    redraw(this.place.choices,
      h('div', { class: 'row buckets', role: 'group', 'aria-label': t('many.filter') }, shown.map((name) =>
        button(`${t(`many.bucket.${name}`)} ${number(counts[name])}`,
          () => this.#change({ show: name === 'all' ? '' : name }),
          { 'aria-pressed': String(name === bucket), name: `show-${name}`, kind: `bucket ${name}` }))),
      select(t('many.sort'), sortChoices(), isDown ? `${sort} 1` : sort, (value) => {
        const [by = '', down = ''] = value.split(' ');
        this.#change({ sort: by === 'number' ? '' : by, down });
      }, { name: 'sort' }),
      ...(counts[bucket] ? [] : [h('p', { class: 'empty' }, t('many.none-here'))]));
  }

  /** @param {number} page @param {number} total */
  #drawPager(page, total) {
    /** @param {number} target @param {string} words @param {IconName} name */
    const step = (target, words, name) => ((target - 1) * ROWS < total && target >= 1
      ? link(words, href('many', { ...this.route.query, page: target > 1 ? target : '' }), { icon: name, name })
      : h('span', { class: 'button off', 'aria-disabled': 'true' }, icon(name), h('span', {}, words)));
    const [first, last] = [(page - 1) * ROWS + 1, Math.min(page * ROWS, total)];
    redraw(this.place.pager, h('nav', { class: 'row center', 'aria-label': t('page.nav') },
      step(page - 1, t('page.before'), 'back'),
      h('span', { class: 'small' }, t('many.rows', { first: number(first), last: number(last), total: number(total) })),
      step(page + 1, t('page.after'), 'next')));
  }

  async #drawFilters() {
    const isOpen = this.place.filters.querySelector('details')?.open ?? false;
    const box = await filters(this.route.query, (parts) => this.#change(parts));
    box.querySelector('details')?.toggleAttribute('open', isOpen);
    redraw(this.place.filters, box);
  }

  // ---- what the buttons do

  #export() {
    const order = orderOf(this.route.query);
    exportDialog(manyExport(run, shownItems(run.items, order), () => this.#printAll(order)));
  }

  /** Prints all rows, with their pictures. @param {import('./many_order.js').Order} order */
  async #printAll(order) {
    this.table.draw(shownItems(run.items, order), order, new Set());
    const images = [...this.table.element.querySelectorAll('img')];
    for (const image of images) image.loading = 'eager';
    await Promise.all(images.map((image) => image.decode().catch(() => {})));
    print();
    this.#draw();
  }

  async #clear() {
    if (await clearQuestion(run.items.length)) run.clear();
  }
}
