// @ts-check
// A ZIP archive of files as they are, not compressed: pictures are so already. Names are UTF-8.
// Source: PKWARE, .ZIP File Format Specification (APPNOTE.TXT) 6.3.10, sections 4.3.7, 4.3.12, 4.3.16 and 4.4.4.

import { ExplainedError } from './errors.js';
import { t } from './language.js';

const VERSION = 20;
const UTF8_NAMES = 1 << 11;
const MOST_FILES = 0xffff;
const MOST_BYTES = 0xffffffff;
const POLYNOMIAL = 0xedb88320;

const CRCS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc >>> 0;
});

/** @param {Uint8Array} bytes */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (CRCS[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** Whole numbers, least significant byte first. @param {[value: number, bytes: 2 | 4][]} fields */
function packed(fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [, n]) => sum + n, 0)));
  let at = 0;
  for (const [value, n] of fields) {
    if (n === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += n;
  }
  return view;
}

/** Date and time as MS-DOS has them: from 1980, in steps of two seconds. @param {Date} moment */
function stampOf(moment) {
  const year = Math.min(127, Math.max(0, moment.getFullYear() - 1980));
  return {
    time: (moment.getHours() << 11) | (moment.getMinutes() << 5) | (moment.getSeconds() >> 1),
    date: (year << 9) | ((moment.getMonth() + 1) << 5) | moment.getDate(),
  };
}

const tooLarge = () => new ExplainedError(t('zip.too-large'));

/** An archive that grows file by file; the bytes of each are handed to the browser, not held here. */
export class Zip {
  /** @type {BlobPart[]} */
  #parts = [];
  /** @type {BlobPart[]} */
  #directory = [];
  #directoryBytes = 0;
  #offset = 0;
  /** @type {Set<string>} */
  #names = new Set();

  /** The name, or one like it that no file of the archive has yet. @param {string} name */
  #freeName(name) {
    const dot = name.lastIndexOf('.') > name.lastIndexOf('/') ? name.lastIndexOf('.') : name.length;
    let free = name;
    for (let n = 2; this.#names.has(free.toLowerCase()); n += 1) free = `${name.slice(0, dot)}-${n}${name.slice(dot)}`;
    this.#names.add(free.toLowerCase());
    return free;
  }

  /**
   * Adds a file; returns the name that it got. Throws where the archive would pass 4 GB or 65,535 files.
   * @param {string} wished a path with `/` @param {Blob} content @param {Date} moment
   */
  async add(wished, content, moment = new Date()) {
    const name = this.#freeName(wished);
    const letters = new TextEncoder().encode(name);
    const bytes = 30 + letters.length + content.size;
    if (this.#names.size > MOST_FILES || this.#offset + bytes + this.#directoryBytes > MOST_BYTES) throw tooLarge();
    const { time, date } = stampOf(moment);
    const crc = crc32(new Uint8Array(await content.arrayBuffer()));
    /** @type {[number, 2 | 4][]} */
    const facts = [[VERSION, 2], [UTF8_NAMES, 2], [0, 2], [time, 2], [date, 2], [crc, 4], [content.size, 4],
      [content.size, 4], [letters.length, 2], [0, 2]];
    this.#parts.push(packed([[0x04034b50, 4], ...facts]), letters, content);
    this.#directory.push(packed([[0x02014b50, 4], [VERSION, 2], ...facts, [0, 2], [0, 2], [0, 2], [0, 4],
      [this.#offset, 4]]), letters);
    this.#offset += bytes;
    this.#directoryBytes += 46 + letters.length;
    return name;
  }

  /** The archive as a file. */
  finish() {
    const n = this.#directory.length / 2;
    const end = packed([[0x06054b50, 4], [0, 2], [0, 2], [n, 2], [n, 2], [this.#directoryBytes, 4], [this.#offset, 4],
      [0, 2]]);
    return new Blob([...this.#parts, ...this.#directory, end], { type: 'application/zip' });
  }
}
