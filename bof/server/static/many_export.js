// @ts-check
// The rows of the table, for export.

import { number, t } from './language.js';
import { countsOf } from './many_order.js';
import { withFile } from './many_sending.js';
import { fetchBitmap, thumbnail } from './api.js';
import { aboutServer, dayStamp } from './export_about.js';
import { indexedPicture } from './pictures.js';
import { progressText } from './many_parts.js';
import { smallCopy } from './small_copies.js';

/** @param {Item} item @param {Query} query @returns {Exported} */
const exportedOf = ({ source: { path, file, image }, answer, state, problem, detail, small }, query) => ({
  name: path,
  query,
  problem: state === 'done' ? '' : [problem || t(`many.row.${state}`), detail].filter(Boolean).join(' '),
  answer: async () => (answer ? /** @type {Api.Answer} */ (JSON.parse(await answer.text())) : null),
  withPicture: async (use) => (file ? withFile(file, use) : use(await indexedPicture(String(image.id)))),
  async thumb(side) {
    const bitmap = await (image ? fetchBitmap(thumbnail(image)) : createImageBitmap(small ?? new Blob()));
    return smallCopy(bitmap, side).finally(() => bitmap.close());
  },
});

/** @param {import('./many_run.js').Run} run @param {Item[]} items @param {() => unknown} print @returns {ExportJob} */
export const manyExport = (run, items, print) => ({
  title: t('export.heading'),
  about: [progressText(run, countsOf(items)), ...aboutServer(run.settings)],
  what: t('export.what', { n: items.length }),
  fileName: `bof-${number(items.length).replace(/\D/g, '')}-${dayStamp()}`,
  found: items.map((item) => exportedOf(item, run.settings)),
  isSingle: false,
  print,
  onSaved: () => {
    run.isUnsaved = false;
  },
});
