// Pictures and folders go to the server, some at a time; each lot is followed until it is indexed.

import { call, indexFacts } from './api.js';
import { changed, follow, task } from './jobs.js';
import { t } from './language.js';

const LOT = 24;
const LOT_BYTES = 48e6;
const SUFFIXES = /\.(jpe?g|png|webp|tiff?|bmp|gif|avif|p[bgpn]m)$/i;

const pathOf = (file) => file.path ?? (file.webkitRelativePath || file.name);
const isPicture = (file) => file.type.startsWith('image/') || SUFFIXES.test(file.name);
const isHidden = (file) => pathOf(file).split('/').some((part) => part.startsWith('.'));

/** All files below what was dropped, folders too. */
export async function filesIn(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some((entry) => entry.isDirectory)) return [...transfer.files];
  const found = [];
  const visit = async (entry) => {
    if (entry.isFile) {
      const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
      file.path = entry.fullPath.slice(1);
      found.push(file);
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) return;
      for (const inner of some) await visit(inner);
    }
  };
  for (const entry of entries) await visit(entry);
  return found;
}

/** Lots of files that one request may hold; a file above the server's limit is left out and named. */
function inLots(files, limits) {
  const bytes = Math.min(LOT_BYTES, limits.batch_megabytes * 0.9e6);
  const most = Math.min(LOT, limits.batch_images);
  const skipped = [];
  const lots = [];
  let weight = Infinity;
  for (const file of files) {
    if (file.size > limits.upload_megabytes * 1e6) {
      skipped.push({ name: pathOf(file), reason: t('upload.too-large') });
      continue;
    }
    if (weight + file.size > bytes || lots.at(-1).length >= most) {
      lots.push([]);
      weight = 0;
    }
    lots.at(-1).push(file);
    weight += file.size;
  }
  return { lots, skipped };
}

async function sendLot(lot, onState) {
  const form = new FormData();
  for (const file of lot) form.append('image', file, pathOf(file));
  const { job } = await call('images', { method: 'POST', body: form });
  return follow(job.id, onState);
}

/** A job that did not come to its end. */
class JobError extends Error {
  constructor(job) {
    super(job.error?.detail ?? job.state);
    this.words = `${t(`job.${job.state}`)} ${job.error?.detail ?? ''}`;
  }
}

/** Add files to the collection; what fails is named, the rest goes on. */
export async function upload(files) {
  const wanted = files.filter((file) => isPicture(file) && !isHidden(file));
  const line = task(t('upload.title', { n: wanted.length }));
  if (!wanted.length) {
    line.finish(t('upload.none'), [], 'bad');
    return;
  }
  const { limits } = await indexFacts();
  const { lots, skipped } = inLots(wanted, limits);
  const sum = { added: 0, unchanged: 0 };
  let done = skipped.length;
  let isBroken = false;
  line.progress(done, wanted.length);
  for (const lot of lots) {
    try {
      const job = await sendLot(lot, (state) => line.progress(done + Math.min(state.done, lot.length), wanted.length));
      for (const name of Object.keys(sum)) sum[name] += job[name];
      skipped.push(...job.skipped);
      if (job.state !== 'done') throw new JobError(job);
    } catch (error) {
      const reason = error.words ?? t('problem.page');
      skipped.push(...lot.map((file) => ({ name: pathOf(file), reason: `${reason} ${error.document?.detail ?? ''}` })));
      isBroken = true;
    }
    done += lot.length;
    line.progress(done, wanted.length);
    changed();
  }
  const words = [t('job.added', { n: sum.added }), sum.unchanged ? t('job.unchanged', { n: sum.unchanged }) : null];
  line.finish(words.filter(Boolean).join(', '), skipped, isBroken ? 'bad' : 'good');
}
