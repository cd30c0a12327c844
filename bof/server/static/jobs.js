// @ts-check
// Jobs: work of the server that takes a while. One request tells of all that are followed, however many there are: a
// stream for each would take up the few connections that a browser has to a server.

import { rights } from './access.js';
import { forgetAnswers } from './answers.js';
import { call, forgetIndexFacts, pause } from './api.js';
import { ExplainedError, errorText, onceWell } from './errors.js';
import { t, tOr } from './language.js';
import { taskLine } from './tray.js';

/** How soon the next request follows: sooner while jobs are new. */
const SOONEST_S = 0.25;
const LATEST_S = 1.5;

/** @param {Api.Job} job */
const isOver = ({ state }) => state !== 'queued' && state !== 'running';

/** After a change of the collection: forgets what was requested of it, and tells the view. */
export function changed() {
  forgetIndexFacts();
  forgetAnswers();
  dispatchEvent(new Event('collection-changed'));
}

/**
 * @typedef {{job: Api.Job, onState: (state: Api.Job) => void, resolve: (state: Api.Job) => void,
 *   reject: (error: unknown) => void}} Followed
 */

/** @type {Set<Followed>} */
const followed = new Set();
let wait = SOONEST_S;
let isLooking = false;

/**
 * Follows a job; resolves with its last state. While the server is away it waits; of a job that the server does not
 * know any more, because it was started again, it says that it was stopped.
 * @param {Api.Job} job @param {(state: Api.Job) => void} onState
 * @returns {Promise<Api.Job>}
 */
export function follow(job, onState) {
  return new Promise((resolve, reject) => {
    followed.add({ job, onState, resolve, reject });
    wait = SOONEST_S;
    if (!isLooking) lookAfter();
  });
}

const untilWell = () => new Promise((resolve) => { onceWell(() => resolve(null)); });

async function lookAfter() {
  isLooking = true;
  while (followed.size) {
    await pause(wait);
    wait = Math.min(wait * 1.3, LATEST_S);
    try {
      take((await call('GET /jobs')).jobs);
    } catch (error) {
      if (error instanceof ExplainedError && error.mayPass) await untilWell();
      else giveUp(error);
    }
  }
  isLooking = false;
}

/** @param {Api.Job[]} jobs as the server knows them */
function take(jobs) {
  for (const one of [...followed]) {
    const known = jobs.find(({ id, created }) => id === one.job.id && created === one.job.created);
    const state = known ?? { ...one.job, state: 'stopped' };
    one.onState(state);
    if (!isOver(state)) continue;
    followed.delete(one);
    one.resolve(state);
  }
}

/** @param {unknown} error */
function giveUp(error) {
  for (const one of followed) one.reject(error);
  followed.clear();
}

/** Ends a job; what is done stays. @param {Api.Job} job */
export const cancelJob = ({ id }) => call('POST /jobs/{job}/cancel', { path: { job: id } });

const COUNTS = /** @type {const} */ (['added', 'removed', 'moved', 'unchanged']);

/** What a job changed. @param {Api.Job} job */
const outcome = (job) => COUNTS.filter((name) => job[name])
  .map((name) => t(`job.${name}`, { n: job[name] })).join(', ');

/** How a job ended. @param {Api.Job} job */
export function ending(job) {
  const done = outcome(job);
  if (job.state === 'done') return job.kind === 'duplicates' ? t('job.searched') : done || t('job.nothing');
  const words = t(job.state === 'failed' ? 'job.failed' : `job.${job.state === 'cancelled' ? 'cancelled' : 'stopped'}`);
  return [words, job.error?.detail, done].filter(Boolean).join(' ');
}

/**
 * Follows a job in the tray until it is over; resolves with its last state.
 * @param {Api.Job} job @param {string} title
 */
export async function showJob(job, title) {
  const { canWrite } = await rights().catch(() => ({ canWrite: false }));
  const line = taskLine(title, canWrite ? () => cancelJob(job) : undefined);
  try {
    const last = await follow(job,
      ({ done, total, stage }) => line.progress(done, total, tOr(`job.stage.${stage}`, '')));
    line.finish(ending(last), last.skipped, last.state === 'done' ? 'good' : 'bad', last.passed_over);
    changed();
    return last;
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
