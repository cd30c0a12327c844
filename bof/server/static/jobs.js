// Work that the server does for a while: its progress in a tray at the edge, told by server-sent events.

import { call, forget, url } from './api.js';
import { forgetAnswers } from './answers.js';
import { button, byId, h, icon, say } from './dom.js';
import { number, t } from './language.js';

const OVER = ['done', 'failed', 'stopped'];
const POLL_MS = 1500;
const STAYS_MS = 8000;
const SHOWN = 200;

/** After a change of the collection: what was known of it is asked again. */
export function changed() {
  forget();
  forgetAnswers();
  dispatchEvent(new Event('collection-changed'));
}

/** Follows a job by its events, by asking where they break off; onState gets each state; resolves with the last one. */
export function follow(id, onState) {
  return new Promise((resolve, reject) => {
    const events = new EventSource(url(`jobs/${id}/events`), { withCredentials: true });
    const take = (job) => {
      onState(job);
      if (!OVER.includes(job.state)) return false;
      events.close();
      resolve(job);
      return true;
    };
    const poll = async () => {
      try {
        if (!take(await call(`jobs/${id}`))) setTimeout(poll, POLL_MS);
      } catch (error) {
        reject(error);
      }
    };
    events.onmessage = (event) => take(JSON.parse(event.data));
    events.onerror = () => {
      events.close();
      poll();
    };
  });
}

/** Why a file was skipped, in the reader's language where the reason is a known one. */
const REASONS = [
  [/broken, truncated|file that begins with|empty file/, 'reason.broken'],
  [/pixels/, 'reason.large'],
  [/memory|longer than/, 'reason.costly'],
  [/cannot read|not there|no such/i, 'reason.gone'],
];

function because(reason) {
  const found = REASONS.find(([pattern]) => pattern.test(reason));
  return found ? h('span', { title: reason }, ` – ${t(found[1])}`) : h('span', { lang: 'en' }, ` – ${reason}`);
}

function skippedList(skipped) {
  return h('details', {}, h('summary', {}, t('job.skipped', { n: skipped.length })),
    h('ul', { class: 'skipped' }, skipped.slice(0, SHOWN).map(({ name, reason }) =>
      h('li', {}, h('b', {}, name), reason ? because(reason) : null))),
    skipped.length > SHOWN ? h('p', { class: 'small' }, t('job.skipped-more', { n: skipped.length - SHOWN })) : null);
}

/** A line in the tray: {progress(done, total), finish(words, skipped, kind), remove()}. */
export function task(title) {
  const words = h('span', { class: 'small' });
  const bar = h('progress', { 'aria-label': title });
  const rest = h('div', {});
  const away = button(t('close'), () => box.remove(), { icon: 'close', quiet: true, hidden: true });
  const box = h('section', { class: 'task', 'aria-label': title },
    h('div', { class: 'row between' }, h('b', {}, title), away), bar, words, rest);
  byId('tray').append(box);
  say(title);
  return {
    remove: () => box.remove(),
    progress(done, total) {
      if (total) [bar.max, bar.value] = [total, done];
      words.textContent = total ? t('job.progress', { done: number(done), total: number(total) }) : t('job.waiting');
    },
    finish(text, skipped = [], kind = 'good') {
      bar.remove();
      away.hidden = false;
      words.replaceChildren(icon(kind === 'good' ? 'check' : 'warning'), ' ', text);
      box.classList.add(kind);
      if (skipped.length) rest.append(skippedList(skipped));
      say(`${title}: ${text}`);
      const leave = () => box.contains(document.activeElement) || box.remove();
      if (kind === 'good' && !skipped.length) setTimeout(leave, STAYS_MS);
    },
  };
}

const NUMBERS = ['added', 'removed', 'moved', 'unchanged'];

/** What a job did, in words. */
const outcome = (job) => NUMBERS.filter((name) => job[name])
  .map((name) => t(`job.${name}`, { n: job[name] })).join(', ') || t('job.nothing');

function finishJob(line, job) {
  if (job.state === 'done') line.finish(outcome(job), job.skipped);
  else line.finish(`${t(`job.${job.state}`)} ${job.error?.detail ?? ''}`, job.skipped, 'bad');
}

/** Follows a job, as a request answered it, in the tray until it is over; resolves with its last state. */
export async function showJob({ id }, title, line = task(title)) {
  try {
    const job = await follow(id, (state) => line.progress(state.done, state.total));
    finishJob(line, job);
    changed();
    return job;
  } catch (error) {
    line.finish(error.words ?? t('problem.page'), [], 'bad');
    return null;
  }
}

/** Jobs that go on already, started by another page or before a reload. */
export async function resume() {
  const { jobs } = await call('jobs');
  for (const job of jobs) if (!OVER.includes(job.state)) showJob(job, t(`job.kind.${job.kind}`));
}
