// @ts-check
// Sends pictures and folders to the server, a batch at a time, and follows each batch until it is indexed.

import { call, indexFacts } from './api.js';
import { errorDetail, errorText, ExplainedError } from './errors.js';
import { changed, failure, follow, taskLine } from './jobs.js';
import { t } from './language.js';

/** A file with its path in the folder that the reader gave. @typedef {{file: File, path: string}} Source */

const BATCH = 24;
const BATCH_BYTES = 48e6;
// eslint-disable-next-line max-len -- a regular expression has no line breaks
const SUFFIXES = /\.(jpe?g?|jfif|mpo|a?png|webp|tiff?|bmp|dib|gif|avif|p[bgpn]m|hei[cf]|hif|jxl|svg|ico|jp[2cfx]|j2[kc]|tga|icb|vda|vst|dng|cr[23w]|n[er][fw]|arw|raf|orf|rw[2l]|pef|srw|sr[2f]|3fr|fff|iiq|mos|mrw|x3f|erf|kdc|dcr|mef|gpr|raw)$/i;

/** @param {Source} source */
const isPicture = ({ file }) => file.type.startsWith('image/') || SUFFIXES.test(file.name);

/** @param {Source} source */
const isHidden = ({ path }) => path.split('/').some((part) => part.startsWith('.'));

/** @param {Iterable<File> | null} files */
export const sourcesOf = (files) =>
  [...files ?? []].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

/** All files below a file or folder. @param {FileSystemEntry} entry @returns {Promise<Source[]>} */
async function filesBelow(entry) {
  if (entry.isFile) {
    const fileEntry = /** @type {FileSystemFileEntry} */ (entry);
    /** @type {File} */
    const file = await new Promise((resolve, reject) => { fileEntry.file(resolve, reject); });
    return [{ file, path: entry.fullPath.slice(1) }];
  }
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return found;
    for (const inner of some) found.push(...await filesBelow(inner));
  }
}

/** All files in what was dropped, those of folders too. @param {DataTransfer} transfer */
export async function filesIn(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);
  if (!entries.some((entry) => entry.isDirectory)) return sourcesOf(transfer.files);
  const found = [];
  for (const entry of entries) found.push(...await filesBelow(entry));
  return found;
}

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
  const pictures = sources.filter((source) => isPicture(source) && !isHidden(source));
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
