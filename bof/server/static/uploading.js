// @ts-check
// Sends pictures and folders to the server, a batch at a time, and follows each batch until it is indexed.

import { call, indexFacts } from './api.js';
import { errorDetail, errorText, ExplainedError } from './errors.js';
import { cancelJob, changed, ending, follow } from './jobs.js';
import { t } from './language.js';
import { taskLine } from './tray.js';

/** @typedef {import('./folders.js').Source} Source */

const BATCH = 24;
const BATCH_BYTES = 48e6;
// eslint-disable-next-line max-len -- a regular expression has no line breaks
const SUFFIXES = /\.(jpe?g?|jfif|mpo|a?png|webp|tiff?|bmp|dib|gif|avif|p[bgpn]m|hei[cf]|hif|jxl|svg|ico|jp[2cfx]|j2[kc]|tga|icb|vda|vst|dng|cr[23w]|n[er][fw]|arw|raf|orf|rw[2l]|pef|srw|sr[2f]|3fr|fff|iiq|mos|mrw|x3f|erf|kdc|dcr|mef|gpr|raw)$/i;

/** @param {Source} source */
const isPicture = ({ file }) => file.type.startsWith('image/') || SUFFIXES.test(file.name);

/** @param {Source} source */
const isHidden = ({ path }) => path.split('/').some((part) => part.startsWith('.'));

/** Is it a picture, as far as its name says, and not hidden? @param {Source} source */
export const isShownPicture = (source) => isPicture(source) && !isHidden(source);

/**
 * Batches that one request may hold; leaves out files above the server's limit.
 * @param {Source[]} sources @param {Api.Index['limits']} limits
 */
function inBatches(sources, limits) {
  const mostBytes = Math.min(BATCH_BYTES, (limits.batch_megabytes ?? Infinity) * 0.9e6);
  const most = Math.min(BATCH, limits.batch_images ?? BATCH);
  const mostFileBytes = (limits.upload_megabytes ?? Infinity) * 1e6;
  /** @param {Source} source */
  const isTooLarge = ({ file }) => file.size > mostFileBytes;
  /** @type {Source[][]} */
  const batches = [];
  /** @type {Source[]} */
  let batch = [];
  let bytes = 0;
  for (const source of sources.filter((one) => !isTooLarge(one))) {
    if (!batch.length || bytes + source.file.size > mostBytes || batch.length >= most) {
      batch = [];
      bytes = 0;
      batches.push(batch);
    }
    batch.push(source);
    bytes += source.file.size;
  }
  const reason = t('upload.too-large');
  return { batches, skipped: sources.filter(isTooLarge).map(({ path }) => ({ name: path, reason })) };
}

/** An upload as far as it is. */
class Upload {
  added = 0;
  unchanged = 0;
  done = 0;
  isBroken = false;
  /** @type {Skipped} */
  skipped = [];
  /** @type {Api.Job | null} */
  #job = null;
  #abort = new AbortController();

  /** @param {number} total */
  constructor(total) {
    this.total = total;
    this.line = taskLine(t('upload.title', { n: total }), () => this.#cancel());
  }

  get isCancelled() {
    return this.#abort.signal.aborted;
  }

  #cancel() {
    this.#abort.abort();
    return this.#job && cancelJob(this.#job);
  }

  /** @param {number} done of the batch that is sent */
  progress(done = 0) {
    this.line.progress(this.done + done, this.total);
  }

  /** Sends a batch, and follows it until it is indexed. @param {Source[]} batch */
  async send(batch) {
    const form = new FormData();
    for (const { file, path } of batch) form.append('image', file, path);
    const { job } = await call('POST /images', { body: form, signal: this.#abort.signal });
    this.#job = job;
    const last = await follow(job, ({ done }) => this.progress(Math.min(done, batch.length)));
    this.#job = null;
    this.added += last.added;
    this.unchanged += last.unchanged;
    this.skipped.push(...last.skipped);
    if (last.state !== 'done' && !this.isCancelled) throw new ExplainedError(ending(last));
  }

  /** Sends a batch; what cannot be sent is named. @param {Source[]} batch */
  async try(batch) {
    this.progress();
    try {
      await this.send(batch);
    } catch (error) {
      if (this.isCancelled) return;
      const reason = `${errorText(error)} ${errorDetail(error)}`;
      this.skipped.push(...batch.map(({ path }) => ({ name: path, reason })));
      this.isBroken = true;
    }
    this.done += batch.length;
    changed();
  }

  finish() {
    const words = [this.isCancelled ? t('job.cancelled') : null, t('job.added', { n: this.added }),
      this.unchanged ? t('job.unchanged', { n: this.unchanged }) : null];
    const isGood = !this.isBroken && !this.isCancelled;
    this.line.finish(words.filter(Boolean).join(this.isCancelled ? ' ' : ', '), this.skipped, isGood ? 'good' : 'bad');
  }
}

/** Adds files to the collection; it names those that fail, and goes on with the rest. @param {Source[]} sources */
export async function upload(sources) {
  const pictures = sources.filter(isShownPicture);
  if (!pictures.length) {
    taskLine(t('upload.title', { n: 0 })).finish(t('upload.none'), [], 'bad');
    return;
  }
  const task = new Upload(pictures.length);
  try {
    const { batches, skipped } = inBatches(pictures, (await indexFacts()).limits);
    task.skipped.push(...skipped);
    task.done = skipped.length;
    for (const batch of batches) if (!task.isCancelled) await task.try(batch);
    if (task.isCancelled) changed();
    task.finish();
  } catch (error) {
    task.line.finish(errorText(error), task.skipped, 'bad');
  }
}
