// @ts-check
// Files and folders that the reader chose or dropped.

import { toast } from './dom.js';
import { t } from './language.js';

/** A file with its path in the folder that the reader gave. @typedef {{file: File, path: string}} Source */

/** @param {Iterable<File> | null} files @returns {Source[]} */
export const sourcesOf = (files) =>
  [...files ?? []].map((file) => ({ file, path: file.webkitRelativePath || file.name }));

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
const fileOf = (entry) => new Promise((resolve, reject) => { entry.file(resolve, reject); });

/** @param {FileSystemDirectoryEntry} folder @returns {Promise<FileSystemEntry[]>} */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const some = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!some.length) return found;
    found.push(...some);
  }
}

/**
 * All files below a file or folder; what cannot be read is named in `unread`.
 * @param {FileSystemEntry} entry @param {string[]} unread @returns {Promise<Source[]>}
 */
async function filesBelow(entry, unread) {
  try {
    if (entry.isFile) {
      return [{ file: await fileOf(/** @type {FileSystemFileEntry} */ (entry)), path: entry.fullPath.slice(1) }];
    }
    const found = [];
    for (const inner of await entriesOf(/** @type {FileSystemDirectoryEntry} */ (entry))) {
      found.push(...await filesBelow(inner, unread));
    }
    return found;
  } catch {
    unread.push(entry.fullPath.slice(1));
    return [];
  }
}

/** @param {DataTransfer} transfer */
const entriesIn = (transfer) =>
  [...transfer.items].map((item) => item.webkitGetAsEntry()).filter((entry) => entry !== null);

/** @param {DataTransfer} transfer */
export const holdsFolder = (transfer) => entriesIn(transfer).some((entry) => entry.isDirectory);

/** All files in what was dropped, those of folders too. @param {DataTransfer} transfer */
export async function filesIn(transfer) {
  const entries = entriesIn(transfer);
  if (!entries.some((entry) => entry.isDirectory)) return sourcesOf(transfer.files);
  /** @type {string[]} */
  const unread = [];
  const found = [];
  for (const entry of entries) found.push(...await filesBelow(entry, unread));
  if (unread.length) toast(t('folder.unread', { n: unread.length, name: unread[0] ?? '' }));
  return found;
}
