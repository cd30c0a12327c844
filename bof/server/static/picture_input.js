// @ts-check
// Ways to give a picture: choose, photograph, paste, drop. Each one leads to a search.

import { call } from './api.js';
import { h, icon, lastingNote, toast } from './dom.js';
import { errorText, ExplainedError } from './errors.js';
import { filesIn, holdsFolder, sourcesOf } from './folders.js';
import { t } from './language.js';
import { addressIn, inSearchOrder, isKnown, loadPicture } from './pictures.js';
import { go, here, href } from './router.js';
import { searchWithSeveral } from './several.js';

const SLOW_BYTES = 1e6;

/**
 * Searches with a file. Where the address waits for this very picture, it stays as it is; where it waits for another,
 * the page says so.
 * @param {File} file
 */
export async function searchWith(file) {
  if (file.type && !file.type.startsWith('image/')) {
    toast(t('query.no-picture', { name: file.name }));
    return;
  }
  import('./search.js').catch(() => {});  // while the picture is read
  const { view, parts: [first = ''], query } = here();
  const named = query.upload ?? (view === 'match' && first.startsWith('u') ? first : '');
  const awaited = isKnown(named) ? '' : named;
  const { key, stored } = await read(file);
  if (named === key) {
    dispatchEvent(new HashChangeEvent('hashchange'));
    return;
  }
  const ranker = view === 'search' && !awaited ? query.ranker : '';
  go(href('search', { query: stored?.id, upload: key, ranker, instead: awaited && 1 }));
}

/** Reads a picture; of a large one that takes seconds on a telephone, and the page says so. @param {File} file */
function read(file) {
  if (file.size < SLOW_BYTES) return loadPicture(file);
  const { remove } = lastingNote(t('query.reading'));
  return loadPicture(file).finally(remove);
}

/** Searches with one picture, or in a view of their own with several. @param {File[]} files */
function searchWithAll(files) {
  const [first, ...others] = inSearchOrder(files);
  if (others.length) searchWithSeveral(sourcesOf(files));
  else if (first) searchWith(first);
}

/** The number of a picture of this collection that an address shows, else null. @param {string} address */
const ownImage = (address) =>
  (address.startsWith(location.origin) && /\/api\/v1\/images\/(\d+)\/(?:thumbnail|file)/.exec(address)?.[1]) || null;

/**
 * A picture that came as the address where it is, as browsers give one of another page: the server fetches it, if it
 * may.
 * @param {string} address
 */
export async function searchWithAddress(address) {
  const image = ownImage(address);
  if (image) {
    go(href('search', { image }));
    return;
  }
  try {
    const { id } = await call('POST /queries', { query: { url: address } });
    go(href('search', { query: id }));
  } catch (error) {
    const isForbidden = error instanceof ExplainedError && error.kind === 'forbidden';
    toast(isForbidden ? t('query.link') : `${errorText(error)} ${t('query.link')}`);
  }
}

/**
 * @param {string} words @param {IconName} name @param {Attributes<HTMLInputElement>} attributes @param {string} kind
 */
function fileButton(words, name, attributes, kind) {
  const input = h('input', { type: 'file', class: 'unseen', ...attributes, onchange: () => {
    const files = [...input.files ?? []];
    input.value = '';
    searchWithAll(files);
  } });
  return h('label', { class: `button ${kind}` }, icon(name), h('span', {}, words), input);
}

/** @param {string} words @param {string} kind */
export const chooseButton = (words, kind = '') =>
  fileButton(words, 'upload', { accept: 'image/*,.tif,.tiff', id: 'choose', multiple: true }, kind);

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
  const hasFiles = ({ dataTransfer }) =>
    ['Files', 'text/uri-list'].some((kind) => dataTransfer?.types.includes(kind)) && !isOfThisPage;
  let isOfThisPage = false;
  addEventListener('dragstart', () => { isOfThisPage = true; });
  addEventListener('dragend', () => { isOfThisPage = false; });
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
    if (!event.dataTransfer || (event.dataTransfer.files.length && acceptDrop(event.dataTransfer))) return;
    const { dataTransfer } = event;
    const address = addressIn(dataTransfer);
    if (holdsFolder(dataTransfer)) filesIn(dataTransfer).then(searchWithSeveral);
    else if (dataTransfer.files.length) searchWithAll([...dataTransfer.files]);
    else if (address) searchWithAddress(address);
    else toast(t('query.no-file'));
  });
  addEventListener('paste', (event) => {
    const files = [...event.clipboardData?.files ?? []];
    if (!files.length) return;
    event.preventDefault();
    searchWithAll(files);
  });
}
