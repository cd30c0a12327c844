// @ts-check
// Ways to give a picture: choose, photograph, paste, drop. Each one leads to a search.

import { h, icon, toast } from './dom.js';
import { t } from './language.js';
import { loadPicture, pictureIn } from './pictures.js';
import { go, here, href } from './router.js';

/** Searches with a file; where the address waits for this very picture, it stays as it is. @param {File} file */
async function searchWith(file) {
  if (file.type && !file.type.startsWith('image/')) {
    toast(t('query.no-picture', { name: file.name }));
    return;
  }
  const { key } = await loadPicture(file);
  const { view, query } = here();
  if (query.upload === key) dispatchEvent(new HashChangeEvent('hashchange'));
  else go(href('search', { upload: key, ranker: view === 'search' ? query.ranker : '' }));
}

/**
 * @param {string} words @param {IconName} name @param {Attributes<HTMLInputElement>} attributes @param {string} kind
 */
function fileButton(words, name, attributes, kind) {
  const input = h('input', { type: 'file', class: 'unseen', ...attributes, onchange: () => {
    const [file] = input.files ?? [];
    input.value = '';
    if (file) searchWith(file);
  } });
  return h('label', { class: `button ${kind}` }, icon(name), h('span', {}, words), input);
}

/** @param {string} words @param {string} kind */
export const chooseButton = (words, kind = '') =>
  fileButton(words, 'upload', { accept: 'image/*,.tif,.tiff', id: 'choose' }, kind);

/** Opens the camera; only devices with a touch screen show it. @param {string} words */
export const cameraButton = (words) =>
  fileButton(words, 'camera', { accept: 'image/*', capture: 'environment', id: 'camera' }, 'if-touch');

/**
 * Accepts pictures on the whole page. acceptDrop: may use what is dropped for something else.
 * @param {(transfer: DataTransfer) => boolean} acceptDrop
 */
export function listen(acceptDrop) {
  let depth = 0;
  /** @param {DragEvent} event */
  const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
  /** @param {number} change */
  const over = (change) => /** @param {DragEvent} event */ (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    depth = Math.max(0, depth + change);
    document.body.classList.toggle('dropping', depth > 0);
  };
  addEventListener('dragenter', over(1));
  addEventListener('dragover', over(0));
  addEventListener('dragleave', over(-1));
  addEventListener('drop', (event) => {
    event.preventDefault();
    depth = 0;
    document.body.classList.remove('dropping');
    if (!event.dataTransfer || acceptDrop(event.dataTransfer)) return;
    const file = pictureIn(event.dataTransfer);
    if (file) searchWith(file);
    else toast(t('query.no-file'));
  });
  addEventListener('paste', (event) => {
    const file = pictureIn(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    searchWith(file);
  });
}
