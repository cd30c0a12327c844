// @ts-check
// What the reader decides about duplicates: a suggestion is accepted, one is kept, a pair is none; and undoes.

import { call } from './api.js';
import { button, dialog, h, icon, segments, toast } from './dom.js';
import { changed, showJob } from './jobs.js';
import { number, size, t, when } from './language.js';

/** @typedef {import('./duplicate_totals.js').Figures} Figures */
/** @typedef {import('./duplicate_totals.js').Filter & {groups?: string[], keep?: number}} Wish */
/** @typedef {Api.Groups['actions'][number]} Action */

/** Searches for groups up to a kind. @param {Api.Groups['kind']} kind */
export const find = (kind) => button(t('dup.find'), async () => {
  const { job } = await call('POST /duplicates', { json: { kind } });
  await showJob(job, t('job.kind.duplicates'));
}, { icon: 'refresh' });

// ---- accepting

/**
 * Says exactly what would go, asks what is to be done with it, and does that.
 * @param {Wish} wish @param {Figures} figures @param {Action[]} actions that this server offers
 */
export async function accept(wish, figures, actions) {
  const action = await acceptDialog(figures, actions);
  if (!action) return;
  const { kind, only, folder, groups, keep } = wish;
  const json = {
    kind, action, pictures: figures.duplicates, ...(only ? { only: [/** @type {Wish['kind']} */ (only)] } : {}),
    ...(folder ? { folder } : {}), ...(groups ? { groups } : {}), ...(keep === undefined ? {} : { keep }),
  };
  const { job } = await call('POST /duplicates/accept', { json });
  const last = await showJob(job, t(`job.kind.${job.kind}`));
  const n = last ? last.removed + last.moved : 0;
  if (n) toast(t(`dup.done.${action}`, { n }), action === 'trash' ? undefined : { words: t('undo'), act: undoLast });
}

/**
 * Keeps one picture of a group instead of the suggested one.
 * @param {Wish} wish @param {Api.Image[]} others what would go @param {Action[]} actions
 */
export const keepOnly = (wish, others, actions) => accept(wish, {
  groups: 1, pictures: others.length + 1, duplicates: others.length,
  bytes_to_free: others.reduce((sum, { n_bytes: bytes }) => sum + bytes, 0),
  uploads: others.filter(({ uploaded }) => uploaded).length,
}, actions);

/** @param {Figures} figures @param {Action[]} actions @returns {Promise<Action | null>} */
async function acceptDialog(figures, actions) {
  const n = figures.duplicates;
  /** @type {Action} */
  let action = 'remove';
  const does = h('span', {});
  const about = h('p', { class: 'small' });
  const choose = (/** @type {Action} */ chosen) => {
    action = chosen;
    does.textContent = t(`dup.do.${action}`, { n });
    about.textContent = t(`dup.about.${action}`);
  };
  choose(action);
  const answer = await dialog(t('dup.accept-title', { n }), t('close'), (close) => {
    const send = button('', () => close('yes'), { kind: 'danger', id: 'really-accept', autofocus: true });
    send.replaceChildren(does);
    return h('div', {},
      h('p', {}, t('dup.accept-what', {
        n: number(n), groups: t('dup.n-groups', { n: figures.groups }), bytes: size(figures.bytes_to_free),
      })),
      figures.uploads ? h('p', { class: 'notice' }, t('dup.accept-uploads', { n: figures.uploads })) : null,
      actions.length > 1 ? segments(t('dup.action'), 'action',
        actions.map((one) => /** @type {[Action, string]} */ ([one, t(`dup.action.${one}`)])), action, choose) : null,
      about,
      h('p', { class: 'row' }, send, button(t('cancel'), () => close('no'))));
  }).closed;
  return answer === 'yes' ? action : null;
}

// ---- undoing

/** @param {string} action its id */
async function undo(action) {
  const { job } = await call('POST /duplicates/actions/{action}/undo', { path: { action } });
  await showJob(job, t('job.kind.undo'));
}

async function undoLast() {
  const { actions: [last] } = await call('GET /duplicates/actions');
  if (last) await undo(last.id);
}

/** What can be undone: what went, and pairs that were called none. @param {boolean} canWrite */
export async function undoList(canWrite) {
  const [{ actions }, { pairs }] = await Promise.all([
    call('GET /duplicates/actions'), call('GET /duplicates/rejected')]);
  return h('div', { class: 'past' },
    actions.length ? h('details', {}, h('summary', {}, t('dup.past', { n: actions.length })),
      h('ul', {}, actions.map(({ id, action, created, pictures }) => h('li', { class: 'row between' },
        h('span', {}, t(`dup.past.${action}`, { n: pictures }), ' ', h('span', { class: 'small' }, when(created))),
        canWrite ? button(t('undo'), () => undo(id), { icon: 'left' }) : null)))) : null,
    pairs.length ? h('details', {}, h('summary', {}, t('dup.rejected-pairs', { n: pairs.length })),
      h('ul', {}, pairs.map(({ one, other }) => h('li', { class: 'row between' },
        h('span', { class: 'names-of-pair' }, icon('close'), ' ', `${one.name} ≠ ${other.name}`),
        canWrite ? button(t('undo'), () => forget(one.id, other.id), { icon: 'left' }) : null)))) : null);
}

// ---- pairs that are none

/** @param {number} a @param {number} b */
export async function reject(a, b) {
  await call('POST /duplicates/reject', { json: { a, b } });
  toast(t('dup.rejected'), { words: t('undo'), act: () => forget(a, b) });
  changed();
}

/** @param {number} a @param {number} b */
async function forget(a, b) {
  await call('POST /duplicates/forget', { json: { a, b } });
  toast(t('dup.forgotten'));
  changed();
}
