// @ts-check
// Sends pictures and folders to the server, a batch at a time, and follows each batch until it is indexed.

import { call, indexFacts } from './api.js';
import { errorDetail, errorText, ExplainedError } from './errors.js';
import { changed, failure, follow, taskLine } from './jobs.js';
import { t } from './language.js';

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

/** @param {Source[]} batch @param {(state: Api.Job) => void} onState */
async function sendBatch(batch, onState) {
  const form = new FormData();
  for (const { file, path } of batch) form.append('image', file, path);
  const { job } = await call('POST /images', { body: form });
  return follow(job.id, onState);
}

/** Adds files to the collection; it names those that fail, and goes on with the rest. @param {Source[]} sources */
export async function upload(sources) {
  const pictures = sources.filter(isShownPicture);
  const line = taskLine(t('upload.title', { n: pictures.length }));
  if (!pictures.length) {
    line.finish(t('upload.none'), [], 'bad');
    return;
  }
  const { limits } = await indexFacts();
  const { batches, skipped } = inBatches(pictures, limits);
  let [added, unchanged, done] = [0, 0, skipped.length];
  let isBroken = false;
  line.progress(done, pictures.length);
  for (const batch of batches) {
    const before = done;
    /** @param {Api.Job} state */
    const onState = (state) => line.progress(before + Math.min(state.done, batch.length), pictures.length);
    try {
      const job = await sendBatch(batch, onState);
      added += job.added;
      unchanged += job.unchanged;
      skipped.push(...job.skipped);
      if (job.state !== 'done') throw new ExplainedError(failure(job));
    } catch (error) {
      const reason = `${errorText(error)} ${errorDetail(error)}`;
      skipped.push(...batch.map(({ path }) => ({ name: path, reason })));
      isBroken = true;
    }
    done += batch.length;
    line.progress(done, pictures.length);
    changed();
  }
  const words = [t('job.added', { n: added }), unchanged ? t('job.unchanged', { n: unchanged }) : null];
  line.finish(words.filter(Boolean).join(', '), skipped, isBroken ? 'bad' : 'good');
}
