// @ts-check
// The tray, above the view: a line for each task that takes a while, with its progress, what became of it, and a button
// that cancels it. The bar at the top says how many lines there are.

import { button, byId, h, icon, say } from './dom.js';
import { number, t } from './language.js';

const STAYS_MS = 8000;
const MOST_NAMED = 200;

/** Why a file was skipped, where the page knows the server's reason. @type {[reason: RegExp, words: WordKey][]} */
const REASONS = [
  [/broken, truncated|file that begins with|empty file/, 'reason.broken'],
  [/pixels/, 'reason.large'],
  [/memory|longer than/, 'reason.costly'],
  [/cannot read|not there|no such/i, 'reason.gone'],
];

/** @param {string} reason */
function because(reason) {
  const [, words] = REASONS.find(([pattern]) => pattern.test(reason)) ?? [];
  return words ? h('span', { title: reason }, ` – ${t(words)}`) : h('span', { lang: 'en' }, ` – ${reason}`);
}

/** @param {Skipped} skipped */
function skippedList(skipped) {
  return h('details', {}, h('summary', {}, t('job.skipped', { n: skipped.length })),
    h('ul', { class: 'skipped' }, skipped.slice(0, MOST_NAMED).map(({ name, reason }) =>
      h('li', {}, h('b', {}, name), reason ? because(reason) : null))),
    skipped.length > MOST_NAMED
      ? h('p', { class: 'small' }, t('job.skipped-more', { n: skipped.length - MOST_NAMED })) : null);
}

/** Files that are no pictures for bof, by kind, and what to do about them. @param {PassedOver} passedOver */
function passedOverList(passedOver) {
  const total = passedOver.reduce((sum, { count }) => sum + count, 0);
  return h('details', {}, h('summary', {}, t('job.passed-over', { n: total })),
    h('ul', { class: 'skipped' }, passedOver.map(({ kind, count, advice }) =>
      h('li', {}, h('b', {}, `${number(count)} ${kind}`), advice ? h('span', { lang: 'en' }, ` – ${advice}`) : null))));
}

/** How many lines there are, in the bar. */
function count() {
  const [work, n] = [byId('work'), byId('tray').childElementCount];
  work.hidden = n === 0;
  work.setAttribute('aria-label', t('job.count', { n }));
  work.replaceChildren(icon('refresh'), h('span', {}, number(n)));
}

/**
 * A line in the tray. cancel: what its button does; without it there is none.
 * @param {string} title @param {() => unknown} [cancel] @returns {TaskLine}
 */
export function taskLine(title, cancel) {
  const name = h('b', {}, title);
  const words = h('span', { class: 'small' }, t('job.waiting'));
  const bar = h('progress', { 'aria-label': title });
  const details = h('div', {});
  const remove = () => {
    box.remove();
    count();
  };
  const close = button(t('close'), remove, { icon: 'close', quiet: true, hidden: true });
  const stop = button(t('cancel'), ({ currentTarget }) => {
    /** @type {HTMLButtonElement} */ (currentTarget).disabled = true;
    cancel?.();
  }, { kind: 'compact', hidden: !cancel });
  const box = h('section', { class: 'task', 'aria-label': title },
    h('div', { class: 'row between' }, name, h('span', { class: 'row tight' }, stop, close)), bar, words, details);
  const leave = () => {
    if (box.contains(document.activeElement)) box.addEventListener('focusout', () => setTimeout(leave), { once: true });
    else remove();
  };
  byId('tray').append(box);
  count();
  say(title);
  return {
    remove,
    progress(done, total, stage = '') {
      if (total) [bar.max, bar.value] = [total, done];
      const text = total ? t('job.progress', { done: number(done), total: number(total) }) : t('job.waiting');
      words.textContent = stage && total ? `${stage}: ${text}` : text;
    },
    finish(text, skipped = [], kind = 'good', passedOver = [], offer = null) {
      for (const part of [bar, words, stop]) part.remove();
      close.hidden = false;
      name.replaceChildren(icon(kind === 'good' ? 'check' : 'warning'), ' ', text);
      box.setAttribute('aria-label', text);
      box.classList.add(kind);
      if (skipped.length) details.append(skippedList(skipped));
      if (passedOver.length) details.append(passedOverList(passedOver));
      if (offer) details.append(offer);
      say(text);
      if (kind === 'good' && !skipped.length && !passedOver.length) setTimeout(leave, STAYS_MS);
    },
  };
}

