// @ts-check
// Jobs: work of the server that takes a while. A tray at the edge shows their progress, from server-sent events.

import { call, forgetIndexFacts, pause, url } from './api.js';
import { forgetAnswers } from './answers.js';
import { button, byId, h, icon, say } from './dom.js';
import { errorText } from './errors.js';
import { number, t } from './language.js';

const POLL_S = 1.5;
const STAYS_MS = 8000;
const MOST_NAMED = 200;

/** @param {Api.Job} job */
const isOver = ({ state }) => state !== 'queued' && state !== 'running';

/** After a change of the collection: forgets what was requested of it, and tells the view. */
export function changed() {
  forgetIndexFacts();
  forgetAnswers();
  dispatchEvent(new Event('collection-changed'));
}

/**
 * Follows a job by its events, and by requests once they break off; resolves with its last state.
 * @param {string} job its id @param {(state: Api.Job) => void} onState
 * @returns {Promise<Api.Job>}
 */
export function follow(job, onState) {
  return new Promise((resolve, reject) => {
    const events = new EventSource(url('GET /jobs/{job}/events', { path: { job } }), { withCredentials: true });
    /** @param {Api.Job} state */
    const take = (state) => {
      onState(state);
      if (!isOver(state)) return false;
      events.close();
      resolve(state);
      return true;
    };
    const poll = async () => {
      while (!take(await call('GET /jobs/{job}', { path: { job } }))) await pause(POLL_S);
    };
    events.onmessage = ({ data }) => take(/** @type {Api.Job} */ (JSON.parse(String(data))));
    events.onerror = () => {
      events.close();
      poll().catch(reject);
    };
  });
}

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

/** A line in the tray. @param {string} title @returns {TaskLine} */
export function taskLine(title) {
  const words = h('span', { class: 'small' });
  const bar = h('progress', { 'aria-label': title });
  const details = h('div', {});
  const close = button(t('close'), () => box.remove(), { icon: 'close', quiet: true, hidden: true });
  const box = h('section', { class: 'task', 'aria-label': title },
    h('div', { class: 'row between' }, h('b', {}, title), close), bar, words, details);
  byId('tray').append(box);
  say(title);
  return {
    remove: () => box.remove(),
    progress(done, total) {
      if (total) [bar.max, bar.value] = [total, done];
      words.textContent = total ? t('job.progress', { done: number(done), total: number(total) }) : t('job.waiting');
    },
    finish(text, skipped = [], kind = 'good', passedOver = []) {
      bar.remove();
      close.hidden = false;
      words.replaceChildren(icon(kind === 'good' ? 'check' : 'warning'), ' ', text);
      box.classList.add(kind);
      if (skipped.length) details.append(skippedList(skipped));
      if (passedOver.length) details.append(passedOverList(passedOver));
      say(`${title}: ${text}`);
      const leave = () => box.contains(document.activeElement) || box.remove();
      if (kind === 'good' && !skipped.length && !passedOver.length) setTimeout(leave, STAYS_MS);
    },
  };
}

const COUNTS = /** @type {const} */ (['added', 'removed', 'moved', 'unchanged']);

/** What a job changed. @param {Api.Job} job */
const outcome = (job) => COUNTS.filter((name) => job[name])
  .map((name) => t(`job.${name}`, { n: job[name] })).join(', ') || t('job.nothing');

/** Why a job did not come to its end. @param {Api.Job} job */
export const failure = ({ state, error }) =>
  `${t(state === 'stopped' ? 'job.stopped' : 'job.failed')} ${error?.detail ?? ''}`;

/**
 * Follows a job in the tray until it is over; resolves with its last state.
 * @param {Api.Job} job @param {string} title
 */
export async function showJob({ id }, title) {
  const line = taskLine(title);
  try {
    const job = await follow(id, ({ done, total }) => line.progress(done, total));
    if (job.state === 'done') line.finish(outcome(job), job.skipped, 'good', job.passed_over);
    else line.finish(failure(job), job.skipped, 'bad');
    changed();
    return job;
  } catch (error) {
    line.finish(errorText(error), [], 'bad');
    return null;
  }
}

/** Shows the jobs that run already: another page started them, or this one before a reload. */
export async function resume() {
  const { jobs } = await call('GET /jobs');
  for (const job of jobs) if (!isOver(job)) showJob(job, t(`job.kind.${job.kind}`));
}
