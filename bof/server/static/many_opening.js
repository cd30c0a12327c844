// @ts-check
// From a row of the table to its full answer, or to the comparison with its best hit.

import { toast } from './dom.js';
import { t } from './language.js';
import { run } from './many_run.js';
import { loadPicture } from './pictures.js';
import { href } from './router.js';

/** Replaces the address, so that Back leads to the table. @param {string} target */
const replace = (target) => location.replace(target);

/** @param {Item | undefined} item @param {string} [hit] to compare with */
export async function openItem(item, hit) {
  if (!item) {
    toast(t('many.gone'));
    replace(href('many'));
    return;
  }
  const { source: { file, image } } = item;
  const key = image ? String(image.id) : (await loadPicture(file)).key;
  const { settings } = run;
  replace(hit ? href('match', settings, key, hit) : href('search', { ...settings, [image ? 'image' : 'upload']: key }));
}
