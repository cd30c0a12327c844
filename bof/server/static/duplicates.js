// Groups of pictures that are copies of each other, as the last look found them; the reader decides what becomes of
// them. GET duplicates -> {kind, found, total, groups: [{kind, members}]}, the head first; a member is an Image with
// keep and link: {kind, n_inliers, agreement, changes}, null for the head.

import { rights } from './access.js';
import { call, indexFacts } from './api.js';
import { button, h, icon, link, redraw, select, toast } from './dom.js';
import { removeAll } from './editing.js';
import { showJob } from './jobs.js';
import { number, percent, size, t } from './language.js';
import { picture } from './results.js';
import { go, href } from './router.js';
import { trouble } from './trouble.js';

const KINDS = ['exact', 'copy', 'crop', 'scene'];
const PAGE = 20;

export const title = () => t('nav.duplicates');

const likeness = (link) => [
  ...(link.changes.length ? link.changes.map((change) => t(`dup.change.${change}`)) : [t(`dup.${link.kind}`)]),
  link.agreement === null ? null : t('dup.agreement', { percent: percent(link.agreement) }),
].filter(Boolean).join(' · ');

export const show = (root, route) => new Duplicates(root, route);

const nothing = (words) => h('div', { class: 'empty' }, icon('duplicates'), h('p', {}, t(words)));

class Duplicates {
  constructor(root, route) {
    Object.assign(this, { root, route, may: { canWrite: false } });
    this.place = { tools: h('div', { class: 'row end' }), groups: h('div', { class: 'found', 'aria-busy': 'true' }) };
    this.refresh = () => this.load();
    addEventListener('collection-changed', this.refresh);
    root.replaceChildren(h('section', { class: 'duplicates' },
      h('h1', {}, t('nav.duplicates')), h('p', {}, t('dup.lead')), this.place.tools, this.place.groups));
    this.draw();
  }

  close() {
    removeEventListener('collection-changed', this.refresh);
  }

  update(route) {
    this.route = route;
    this.draw();
  }

  get kind() {
    return this.route.query.kind || 'crop';
  }

  async draw() {
    const { groups } = this.place;
    try {
      const facts = await indexFacts();
      this.may = await rights();
      if (facts.duplicates) {
        this.drawTools();
        await this.load();
      } else groups.replaceChildren(nothing('dup.missing'));
    } catch (error) {
      groups.replaceChildren(trouble(error, () => this.draw()));
    }
    groups.setAttribute('aria-busy', 'false');
  }

  drawTools() {
    const find = async () => {
      const { job } = await call('duplicates', { method: 'POST', json: { kind: this.kind } });
      await showJob(job, t('job.kind.duplicates'));
    };
    const kinds = KINDS.map((key) => [key, t(`dup.${key}`)]);
    redraw(this.place.tools,
      select(t('dup.kind'), kinds, this.kind, (kind) => go(href('duplicates', { kind })), { name: 'kind' }),
      ...(this.may.canWrite ? [button(t('dup.find'), find, { icon: 'refresh' })] : []));
  }

  async load() {
    const offset = Number(this.route.query.offset) || 0;
    try {
      const answer = await call('duplicates', { query: { kind: this.kind, offset, limit: PAGE } });
      this.place.groups.replaceChildren(...this.groups(answer, offset));
    } catch (error) {
      this.place.groups.replaceChildren(trouble(error, () => this.load()));
    }
  }

  groups(answer, offset) {
    if (!answer.groups.length) return [nothing(answer.found ? 'dup.none' : 'dup.never')];
    const target = href('duplicates', { ...this.route.query, offset: offset + PAGE });
    return [
      ...answer.groups.map((group, i) => this.group(group, offset + i + 1)),
      h('p', { class: 'row center' }, offset + PAGE < answer.total ? link(t('page.after'), target, { icon: 'next' }) : null),
    ];
  }

  group(group, n) {
    return h('section', { class: 'group panel', 'aria-label': t('dup.group', { n }) },
      h('h2', {}, t('dup.group', { n }), ' · ', t(`dup.${group.kind}`)),
      h('ul', { class: 'grid' }, group.members.map((member) => this.card(group, member))));
  }

  card(group, member) {
    const [head] = group.members;
    const target = member === head ? href('collection', { show: member.id }) : href('match', {}, head.id, member.id);
    return h('li', { class: `card ${member.keep ? 'keep' : ''}` },
      h('a', { class: 'face', href: target }, picture(member, 320, member.name)),
      h('div', { class: 'about' },
        member.keep ? h('p', { class: 'verdict same' }, icon('check'), t('dup.keep')) : null,
        h('p', { class: 'name', title: member.name }, member.name),
        h('p', { class: 'small' }, `${number(member.width)} × ${number(member.height)} · ${size(member.n_bytes)}`),
        member.link ? h('p', { class: 'why' }, likeness(member.link)) : null,
        this.may.canWrite ? this.decisions(group, member) : null));
  }

  decisions(group, member) {
    const [head] = group.members;
    const others = group.members.filter((one) => one !== member);
    return h('p', { class: 'row' },
      button(t('dup.remove-others'), () => removeAll(others), { icon: 'check' }),
      member === head ? null : button(t('dup.reject'), () => this.reject(head, member), { icon: 'close' }));
  }

  async reject(head, member) {
    await call('duplicates/reject', { method: 'POST', json: { a: head.id, b: member.id } });
    toast(t('dup.rejected'));
    this.load();
  }
}
