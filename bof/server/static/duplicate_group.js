// @ts-check
// One group of duplicates: its pictures with their facts, why they are one group, and why one of them is to stay.

import { button, h, icon, link } from './dom.js';
import { accept, keepOnly, reject } from './duplicate_decisions.js';
import { day, number, percent, size, t, tOr } from './language.js';
import { picture } from './results.js';
import { href } from './router.js';

/** @typedef {Api.Group} Group */
/** @typedef {Group['members'][number]} Member */
/**
 * How a group is shown. isAlone: on a page of its own, with all members.
 * @typedef {{kind: Api.Groups['kind'], actions: Api.Groups['actions'], canWrite: boolean, query: Query,
 *   isAlone: boolean}} Shown
 */

/** Pictures of a group in the list; its own page shows all. */
const MOST_SHOWN = 12;

/** How a member differs from the representative of its group. @param {NonNullable<Member['link']>} link */
function linkText({ kind, changes, agreement, n_inliers: points }) {
  const texts = changes.length ? changes.map((change) => tOr(`dup.change.${change}`, change)) : [t(`dup.${kind}`)];
  if (agreement !== null && kind !== 'exact') texts.push(t('dup.agreement', { percent: percent(agreement) }));
  if (points) texts.push(t('dup.points', { n: points }));
  return texts.join(' · ');
}

/** What the one to keep has that another has not. @param {Api.Reason} reason */
function reasonText({ key, text, times, name }) {
  const changes = name.split(' ').map((change) => tOr(`dup.change.${change}`, change)).join(', ');
  const degree = times === null ? '' : number(times, times < 10 ? 1 : 0);
  return tOr(`dup.because.${key}`, text, { times: degree, name: key === 'usual' ? changes : name });
}

/** Why a picture is left alone, where the page knows the server's reason. @type {[reason: RegExp, words: WordKey][]} */
const HELD = [
  [/shows parts/, 'dup.held.parts'], [/shows a part/, 'dup.held.finer'], [/one file with/, 'dup.held.one-file'],
  [/protected/, 'dup.held.protected'],
  [/gone|no such/i, 'dup.held.gone'], [/changed|not what/, 'dup.held.changed'],
];

/** @param {string} reason */
function heldText(reason) {
  const [, words] = HELD.find(([pattern]) => pattern.test(reason)) ?? [];
  return words ? h('span', { title: reason }, t(words)) : h('span', { lang: 'en' }, reason);
}

/** Can a person's choice of another picture to keep touch it? @param {Member} member */
const canGo = ({ left_alone: reason }) => !reason || /shows parts|one file with/.test(reason);

/** The one to keep, the one that the others are compared with, and the others. @param {Group} group */
function shownOrder({ members }) {
  const kept = members.filter(({ keep }) => keep);
  return [...kept, ...members.filter(({ keep }) => !keep)];
}

/** @param {Group} group @param {Shown} shown */
export function groupBox(group, shown) {
  const { id, kind, members, reasons, keep } = group;
  const address = href('duplicates', { kind: shown.query.kind }, id);
  const few = shownOrder(group).slice(0, shown.isAlone ? members.length : MOST_SHOWN);
  const title = [t(`dup.${kind}`), t('dup.n-pictures', { n: members.length }),
    t('dup.would-free', { bytes: size(group.bytes_to_free) })].join(' · ');
  return h('section', { class: 'group panel', 'aria-label': `${title} · ${members[0]?.name ?? ''}` },
    h('div', { class: 'row between' },
      h('h2', {}, shown.isAlone ? title : h('a', { href: address }, title)), suggestion(group, shown)),
    keep === null ? h('p', { class: 'why' }, t('dup.no-keep'))
      : h('p', { class: 'why because' }, t('dup.because'), ' ', reasons.map(reasonText).join(t('dup.and'))),
    h('ul', { class: 'grid' }, few.map((member) => card(group, member, shown))),
    few.length < members.length
      ? h('p', {}, link(t('dup.more', { n: members.length - few.length }), address, { icon: 'next' })) : null);
}

/** @param {Group} group @param {Shown} shown */
function suggestion(group, { kind, actions, canWrite }) {
  const going = group.members.filter((member) => group.keep !== null && !member.keep && !member.left_alone);
  if (!canWrite || !going.length) return null;
  const uploads = going.filter((member) => member.uploaded).length;
  const figures = {
    groups: 1, pictures: group.members.length, duplicates: going.length, bytes_to_free: group.bytes_to_free, uploads,
  };
  return button(t('dup.accept-one'), () => accept({ kind, groups: [group.id] }, figures, actions), { icon: 'check' });
}

/** @param {Group} group @param {Member} member @param {Shown} shown */
function card(group, member, shown) {
  const [first = member] = group.members;
  const { id, name, keep, reason, left_alone: held } = member;
  const target = member === first
    ? href('collection', { show: id }) : href('match', { group: group.id, kind: shown.query.kind }, first.id, id);
  const words = t(member === first ? 'image.open' : 'hit.compare', { name });
  return h('li', { class: `card ${keep ? 'keep' : ''}` },
    h('a', { class: 'face', href: target, 'aria-label': words }, picture(member, shown.isAlone ? 640 : 320, '')),
    h('div', { class: 'about' },
      keep ? h('p', { class: 'verdict same' }, icon('check'), t('dup.keep')) : null,
      h('p', { class: 'name', title: name }, name), facts(member, shown.isAlone),
      member.link ? h('p', { class: 'why' }, linkText(member.link)) : h('p', { class: 'why' }, t('dup.head')),
      reason && !keep ? h('p', { class: 'why' }, t('dup.kept-has'), ' ', reasonText(reason)) : null,
      held ? h('p', { class: 'why held' }, icon('warning'), ' ', t('dup.left-alone'), ' ', heldText(held)) : null,
      shown.canWrite ? decisions(group, member, shown) : null));
}

/** @param {Member} member @param {boolean} isAlone */
function facts({ width, height, n_bytes: bytes, modified, n_features: features, uploaded }, isAlone) {
  const short = [`${number(width)} × ${number(height)}`, size(bytes), day(modified)];
  const more = [t('dup.features', { n: features }), t(uploaded ? 'image.uploaded' : 'image.folder')];
  return h('p', { class: 'small' }, [...short, ...(isAlone ? more : [])].join(' · '));
}

/** @param {Group} group @param {Member} member @param {Shown} shown */
function decisions(group, member, { kind, actions }) {
  const [first = member] = group.members;
  const others = group.members.filter((other) => other !== member && canGo(other));
  return h('p', { class: 'row' },
    others.length ? button(t('dup.remove-others'),
      () => keepOnly({ kind, groups: [group.id], keep: member.id }, others, actions), { icon: 'check' }) : null,
    member === first ? null : button(t('dup.reject'), () => reject(first.id, member.id), { icon: 'close' }));
}
