// @ts-check
// Groups of duplicates, as the last search for them found them; the reader decides what happens to them. The first
// picture of a group represents it: the others are linked to it.

import { rights } from './access.js';
import { call, indexFacts } from './api.js';
import { button, h, icon, link, redraw, select, toast } from './dom.js';
import { removeAll } from './editing.js';
import { errorBox } from './errors.js';
import { showJob } from './jobs.js';
import { number, percent, size, t, tOr } from './language.js';
import { picture } from './results.js';
import { go, href } from './router.js';

/** @typedef {Api.Groups['groups'][number]} Group */
/** @typedef {Group['members'][number]} Member */

const KINDS = /** @type {const} */ (['exact', 'copy', 'crop', 'scene']);
const PAGE = 20;

export const title = () => t('nav.duplicates');

/** How a member differs from the representative of its group. @param {NonNullable<Member['link']>} link */
function linkText({ kind, changes, agreement }) {
  const texts = changes.length ? changes.map((change) => tOr(`dup.change.${change}`, change)) : [t(`dup.${kind}`)];
  if (agreement !== null) texts.push(t('dup.agreement', { percent: percent(agreement) }));
  return texts.join(' · ');
}

/** @type {ViewModule['show']} */
export const show = (root, route) => new Duplicates(root, route);

/** @param {WordKey} words */
const nothing = (words) => h('div', { class: 'empty' }, icon('duplicates'), h('p', {}, t(words)));

/** @implements {View} */
class Duplicates {
  #canWrite = false;

  /** @param {HTMLElement} root @param {Route} route */
  constructor(root, route) {
    this.route = route;
    this.place = { tools: h('div', { class: 'row end' }), groups: h('div', { class: 'found', 'aria-busy': 'true' }) };
    this.refresh = () => this.#load();
    addEventListener('collection-changed', this.refresh);
    root.replaceChildren(h('section', { class: 'duplicates' },
      h('h1', {}, t('nav.duplicates')), h('p', {}, t('dup.lead')), this.place.tools, this.place.groups));
    this.#draw();
  }

  close() {
    removeEventListener('collection-changed', this.refresh);
  }

  /** @param {Route} route */
  update(route) {
    this.route = route;
    this.#draw();
  }

  get #kind() {
    return KINDS.find((kind) => kind === this.route.query.kind) ?? 'crop';
  }

  async #draw() {
    const { groups } = this.place;
    try {
      const facts = await indexFacts();
      this.#canWrite = (await rights()).canWrite;
      if (facts.duplicates) {
        this.#drawTools();
        await this.#load();
      } else groups.replaceChildren(nothing('dup.missing'));
    } catch (error) {
      groups.replaceChildren(errorBox(error, () => this.#draw()));
    }
    groups.setAttribute('aria-busy', 'false');
  }

  #drawTools() {
    const find = async () => {
      const { job } = await call('POST /duplicates', { json: { kind: this.#kind } });
      await showJob(job, t('job.kind.duplicates'));
    };
    redraw(this.place.tools,
      select(t('dup.kind'), KINDS.map((kind) => [kind, t(`dup.${kind}`)]), this.#kind,
        (kind) => go(href('duplicates', { kind })), { name: 'kind' }),
      ...(this.#canWrite ? [button(t('dup.find'), find, { icon: 'refresh' })] : []));
  }

  async #load() {
    const offset = Number(this.route.query.offset) || 0;
    try {
      const answer = await call('GET /duplicates', { query: { kind: this.#kind, offset, limit: PAGE } });
      this.place.groups.replaceChildren(...this.#groups(answer, offset));
    } catch (error) {
      this.place.groups.replaceChildren(errorBox(error, () => this.#load()));
    }
  }

  /** @param {Api.Groups} answer @param {number} offset */
  #groups({ groups, found, total }, offset) {
    if (!groups.length) return [nothing(found ? 'dup.none' : 'dup.never')];
    const next = offset + PAGE;
    const target = href('duplicates', { ...this.route.query, offset: next });
    return [
      ...groups.map((group, i) => this.#group(group, offset + i + 1)),
      h('p', { class: 'row center' }, next < total ? link(t('page.after'), target, { icon: 'next' }) : null),
    ];
  }

  /** @param {Group} group @param {number} n */
  #group({ kind, members }, n) {
    return h('section', { class: 'group panel', 'aria-label': t('dup.group', { n }) },
      h('h2', {}, t('dup.group', { n }), ' · ', t(`dup.${kind}`)),
      h('ul', { class: 'grid' }, members.map((member) => this.#card(members, member))));
  }

  /** @param {Member[]} members @param {Member} member */
  #card(members, member) {
    const [representative = member] = members;
    const { id, name, keep, width, height } = member;
    const target = member === representative
      ? href('collection', { show: id }) : href('match', {}, representative.id, id);
    return h('li', { class: `card ${keep ? 'keep' : ''}` },
      h('a', { class: 'face', href: target }, picture(member, 320, name)),
      h('div', { class: 'about' },
        keep ? h('p', { class: 'verdict same' }, icon('check'), t('dup.keep')) : null,
        h('p', { class: 'name', title: name }, name),
        h('p', { class: 'small' }, `${number(width)} × ${number(height)} · ${size(member.n_bytes)}`),
        member.link ? h('p', { class: 'why' }, linkText(member.link)) : null,
        this.#canWrite ? this.#decisions(members, member) : null));
  }

  /** @param {Member[]} members @param {Member} member */
  #decisions(members, member) {
    const [representative = member] = members;
    const others = members.filter((other) => other !== member);
    return h('p', { class: 'row' },
      button(t('dup.remove-others'), () => removeAll(others), { icon: 'check' }),
      member === representative ? null
        : button(t('dup.reject'), () => this.#reject(representative.id, member.id), { icon: 'close' }));
  }

  /** @param {number} a @param {number} b */
  async #reject(a, b) {
    await call('POST /duplicates/reject', { json: { a, b } });
    toast(t('dup.rejected'));
    this.#load();
  }
}
