// How a picture comes in: chosen, photographed, pasted, dropped. Each way leads to a search with it.

import { h, icon, toast } from './dom.js';
import { t } from './language.js';
import { pictureIn, take } from './pictures.js';
import { go, here, href } from './router.js';

/** Search with a file; the address keeps its question if it was waiting for just this picture. */
async function searchWith(file) {
  if (file.type && !file.type.startsWith('image/')) {
    toast(t('query.no-picture', { name: file.name }));
    return;
  }
  const picture = await take(file);
  const now = here();
  if (now.query.upload === picture.key) dispatchEvent(new HashChangeEvent('hashchange'));
  else go(href('search', { upload: picture.key, ranker: now.view === 'search' ? now.query.ranker : '' }));
}

function fileButton(words, name, attributes, kind = '') {
  const input = h('input', { type: 'file', class: 'unseen', ...attributes, onchange: () => {
    if (input.files.length) searchWith(input.files[0]);
    input.value = '';
  } });
  return h('label', { class: `button ${kind}` }, icon(name), h('span', {}, words), input);
}

export const chooseButton = (words, kind = '') =>
  fileButton(words, 'upload', { accept: 'image/*,.tif,.tiff', id: 'choose' }, kind);

/** Only devices with a touch screen show it: there the camera opens at once. */
export const cameraButton = (words) =>
  fileButton(words, 'camera', { accept: 'image/*', capture: 'environment', id: 'camera' }, 'if-touch');

/** Listens on the whole page; `onFiles` may take dropped files for something else and then returns true. */
export function listen(onFiles) {
  let depth = 0;
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes('Files');
  const over = (change) => (event) => {
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
    if (onFiles(event.dataTransfer)) return;
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
