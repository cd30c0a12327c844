// @ts-check
// Export: the reader chooses a kind of file; it is made in the browser, with progress and a way to stop.

import { button, dialog, h, icon, say, toast } from './dom.js';
import { errorText } from './errors.js';
import { csvOf, jsonOf, saveFile } from './export_files.js';
import { htmlOf } from './export_html.js';
import { zipOf } from './export_proofs.js';
import { number, t } from './language.js';
import { loadSheet } from './sheets.js';
import './words_many.js';

await loadSheet('exports.css');

/** @type {[kind: 'csv' | 'json' | 'html' | 'zip', icon: IconName, make: MakeExport][]} */
const KINDS = [
  ['csv', 'statistics', csvOf], ['json', 'link', jsonOf], ['html', 'collection', htmlOf], ['zip', 'compare', zipOf],
];

/** @param {ExportJob} job */
export function exportDialog(job) {
  const abort = new AbortController();
  const box = dialog(t('export.title'), t('close'), (/** @type {(value: string) => void} */ close) => {
    const place = h('div', { class: 'exports' });
    /** @param {string} kind @param {MakeExport} make */
    const start = async (kind, make) => {
      await save(job, kind, make, place, abort.signal);
      close('done');
    };
    place.append(
      h('p', {}, job.what),
      h('ul', { class: 'export-kinds' },
        KINDS.map(([kind, name, make]) => h('li', {}, choice(kind, name, () => start(kind, make)))),
        h('li', {}, choice('print', 'download', () => {
          close('print');
          box.closed.then(() => job.print());
        }))));
    return place;
  }, 'export');
  box.closed.then(() => abort.abort());
}

/** @param {'csv' | 'json' | 'html' | 'zip' | 'print'} kind @param {IconName} name @param {() => unknown} onclick */
const choice = (kind, name, onclick) =>
  h('button', { type: 'button', class: 'button wide', name: `export-${kind}`, onclick }, icon(name),
    h('span', {}, h('b', {}, t(`export.${kind}`)), h('span', { class: 'small' }, t(`export.${kind}-why`))));

/**
 * Makes a file while the dialog shows how far it is; closing the dialog stops it.
 * @param {ExportJob} job @param {string} kind @param {MakeExport} make @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
async function save(job, kind, make, place, signal) {
  const total = job.found.length;
  const bar = h('progress', { max: total, value: 0, 'aria-label': t('export.title') });
  const words = h('p', { class: 'small', role: 'status' });
  const stop = button(t('cancel'), () => place.closest('dialog')?.close(), { icon: 'close' });
  place.replaceChildren(bar, words, h('p', { class: 'row' }, stop));
  stop.focus();
  /** @param {number} done */
  const onProgress = (done) => {
    bar.value = done;
    words.textContent = t('export.working', { done: number(done), total: number(total) });
  };
  onProgress(0);
  try {
    const blob = await make(job, onProgress, signal);
    signal.throwIfAborted();
    const name = `${job.fileName}.${kind}`;
    saveFile(blob, name);
    job.onSaved();
    toast(t('export.done', { name }));
    say(t('export.done', { name }));
  } catch (error) {
    if (!signal.aborted) toast(errorText(error));
  }
}
