// @ts-check
// Searches with many pictures, several at once. The run belongs to the tab: views come and go.

import { indexFacts } from './api.js';
import { errorDetail, errorText, ExplainedError, Unreachable } from './errors.js';
import { searchOne } from './many_sending.js';

/** Of the six connections that a browser has to a server; the others are for thumbnails. */
const MOST_AT_ONCE = 4;
const N_CALM = 20;
const MOST_TRIES = 8;
const BUSY_MS = 2000;
/** The server may take it later. */
const BUSY = ['busy', 'too-many-requests'];
/** The next picture would meet the same. */
const FOR_ALL = ['unauthorised', 'forbidden', 'no-index', 'wrong-host'];
/** @type {Api.Hit['verdict'][]} */
const BEST_FIRST = ['same', 'part', 'maybe', 'unverified', 'no'];
/** A picture that waits. @type {Partial<Item>} */
const FRESH = { state: 'waiting', summary: null, answer: null, problem: '', detail: '', tries: 0 };

/** What is shown of an answer; outlines stay in the answer alone. @param {Api.Answer} answer @returns {Summary} */
function summaryOf({ hits, total }) {
  /** @param {Api.Hit['verdict']} verdict */
  const count = (verdict) => hits.filter((hit) => hit.verdict === verdict).length;
  const verdict = BEST_FIRST.find((one) => count(one) > 0);
  const best = hits.find((hit) => hit.verdict === verdict);
  return {
    best: best ? { ...best, outline: null, query_region: null, hit_region: null } : null,
    nProved: count('same'), nParts: count('part'), nHits: hits.length, total,
  };
}

export class Run {
  /** @type {Item[]} */
  items = [];
  /** away: the server does not answer; over: nothing waits. @type {'running' | 'paused' | 'away' | 'over'} */
  state = 'over';
  /** Why it paused by itself, in the reader's language. */
  reason = '';
  /** Are there answers that were not exported? */
  isUnsaved = false;
  /** How to search. @type {Query} */
  settings = {};
  /** Called after each change, with the item that changed. @type {(item: Item | null) => void} */
  onchange = () => {};
  /** @type {Item[]} */
  #queue = [];
  #active = 0;
  #width = MOST_AT_ONCE;
  #calm = 0;
  #abort = new AbortController();
  #pace = { since: 0, done: 0 };

  /** @param {(source: SeveralSource, settings: Query, signal: AbortSignal) => Promise<FoundOne>} search */
  constructor(search = searchOne) {
    this.search = search;
    addEventListener('server-back', () => this.state === 'away' && this.go());
  }

  /** @param {SeveralSource[]} sources */
  add(sources) {
    const added = sources.map((source, i) => /** @type {Item} */ ({
      ...FRESH, number: this.items.length + i + 1, source, small: null, thumb: null, seconds: 0,
    }));
    this.items = [...this.items, ...added];
    this.#queue.push(...added);
    if (this.state === 'over') this.go();
    else this.onchange(null);
  }

  /** Begins, or goes on. */
  async go() {
    this.state = this.#queue.length || this.#active ? 'running' : 'over';
    this.reason = '';
    this.#pace = { since: performance.now(), done: 0 };
    this.onchange(null);
    const { limits } = await indexFacts().catch(() => ({ limits: /** @type {Api.Index['limits']} */ ({}) }));
    this.#width = Math.min(MOST_AT_ONCE, 1 + (limits.waiting ?? MOST_AT_ONCE));
    this.#fill();
  }

  /** Starts no further search; those that run end. */
  pause() {
    if (this.state === 'running') this.state = 'paused';
    this.onchange(null);
  }

  /** Stops those that run, and takes those that wait out of the queue; `retry` takes them in again. */
  stop() {
    this.#abort.abort();
    this.#abort = new AbortController();
    for (const item of this.#queue.splice(0)) this.#set(item, { state: 'stopped' });
    this.#settle();
  }

  /** @param {Item[]} items */
  retry(items) {
    const again = items.filter(({ state }) => state !== 'waiting' && state !== 'running');
    for (const item of again) this.#set(item, FRESH);
    this.#queue.push(...again);
    if (this.state === 'over') this.go();
    else this.onchange(null);
  }

  /** Forgets everything. */
  clear() {
    this.stop();
    for (const { thumb } of this.items) if (thumb) URL.revokeObjectURL(thumb);
    this.items = [];
    this.isUnsaved = false;
    this.state = 'over';
    this.onchange(null);
  }

  /** About how long the rest takes, in seconds; 0 where nobody can say yet. */
  get secondsLeft() {
    const { since, done } = this.#pace;
    const rest = this.#queue.length + this.#active;
    return done < 3 || this.state !== 'running' ? 0 : ((performance.now() - since) / 1000 / done) * rest;
  }

  /** @param {Item} item @param {Partial<Item>} change */
  #set(item, change) {
    Object.assign(item, change);
    this.onchange(item);
  }

  #fill() {
    while (this.state === 'running' && this.#active < this.#width) {
      const item = this.#queue.shift();
      if (!item) break;
      this.#active += 1;
      this.#run(item).finally(() => {
        this.#active -= 1;
        this.#fill();
      });
    }
    this.#settle();
  }

  #settle() {
    if (this.#queue.length || this.#active || this.state === 'over') return;
    this.state = 'over';
    this.onchange(null);
  }

  /** @param {Item} item */
  async #run(item) {
    const { signal } = this.#abort;
    const start = performance.now();
    this.#set(item, { state: 'running' });
    try {
      const { answer, thumb } = await this.search(item.source, this.settings, signal);
      if (signal.aborted) throw new DOMException('stopped', 'AbortError');
      this.#finish(item, answer, thumb, (performance.now() - start) / 1000);
    } catch (error) {
      if (signal.aborted) this.#set(item, { state: 'stopped' });
      else await this.#fail(item, error);
    }
  }

  /** @param {Item} item @param {Api.Answer} answer @param {Blob | null} thumb @param {number} seconds */
  #finish(item, answer, thumb, seconds) {
    this.isUnsaved = true;
    this.#pace.done += 1;
    this.#calm += 1;
    if (this.#calm % N_CALM === 0) this.#width = Math.min(MOST_AT_ONCE, this.#width + 1);
    this.#set(item, {
      state: 'done', seconds, summary: summaryOf(answer),
      answer: new Blob([JSON.stringify(answer)], { type: 'application/json' }),
      small: thumb, thumb: item.thumb ?? (thumb && URL.createObjectURL(thumb)),
    });
  }

  /**
   * Puts the picture back where the next one would fail as well, or the server is busy.
   * @param {Item} item @param {unknown} error
   */
  async #fail(item, error) {
    const problem = error instanceof ExplainedError ? error.kind : '';
    const isBusy = BUSY.includes(problem) && item.tries < MOST_TRIES;
    const isAway = error instanceof Unreachable;
    if (!isBusy && !isAway && !FOR_ALL.includes(problem)) {
      this.#pace.done += 1;
      this.#set(item, { state: 'failed', problem: errorText(error), detail: errorDetail(error) });
      return;
    }
    this.#queue.unshift(item);
    this.#set(item, { state: 'waiting', tries: item.tries + Number(isBusy) });
    if (isBusy) await this.#slowDown();
    else if (this.state === 'running') {
      this.state = isAway ? 'away' : 'paused';
      this.reason = errorText(error);
      this.onchange(null);
    }
  }

  async #slowDown() {
    [this.#width, this.#calm] = [Math.max(1, Math.floor(this.#width / 2)), 0];
    await new Promise((resolve) => { setTimeout(resolve, BUSY_MS); });
  }
}

/** The one of this tab. */
export const run = new Run();
