// @ts-check
// The reader's language: texts, numbers, sizes, times.

import { save } from './settings.js';
import { WORDS } from './words.js';

export const LANGUAGES = { en: 'English', zh: '中文' };
export const TAGS = { en: 'en', zh: 'zh-Hans' };
const FORMATS = { en: 'en-GB', zh: 'zh-CN' };

/** @type {Language} */
let language = document.documentElement.lang.startsWith('zh') ? 'zh' : 'en';

export const currentLanguage = () => language;

export const otherLanguage = () => (language === 'en' ? 'zh' : 'en');

/** @param {Language} name */
export function setLanguage(name) {
  language = name;
  document.documentElement.lang = TAGS[name];
  save('language', name);
}

/** @param {string} key @returns {key is WordKey} */
const hasWords = (key) => Object.hasOwn(WORDS[language], key);

/**
 * The text of a key; {name} is filled in; {n} chooses between "one|many".
 * @param {WordKey} key @param {Filling} filling
 */
export function t(key, filling = {}) {
  const [one = '', many] = (WORDS[language][key] ?? key).split('|');
  const text = many !== undefined && filling.n !== 1 ? many : one;
  return text.replace(/\{(\w+)\}/g, (_, /** @type {string} */ name) => {
    const value = filling[name] ?? '';
    return typeof value === 'number' ? number(value) : value;
  });
}

/**
 * The text of a key; the other text where there is none.
 * @param {string} key @param {string} otherwise @param {Filling} filling
 */
export const tOr = (key, otherwise, filling = {}) => (hasWords(key) ? t(key, filling) : otherwise);

/** @param {number} value @param {number} digits after the point */
export const number = (value, digits = 0) =>
  value.toLocaleString(FORMATS[language], { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** 0.998 is 99.8%; only 1 is 100%. @param {number} share */
export function percent(share) {
  const shown = share < 1 ? Math.min(share * 100, 99.9) : 100;
  return `${number(shown, shown > 99 && shown < 100 ? 1 : 0)}%`;
}

/** @param {number} bytes */
export function size(bytes) {
  const step = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  const value = bytes / 1000 ** step;
  return `${number(value, step && value < 100 ? 1 : 0)} ${['B', 'kB', 'MB', 'GB', 'TB'][step]}`;
}

/** @param {number} value */
export const seconds = (value) => (value < 1
  ? `${number(value * 1000, value < 0.01 ? 1 : 0)} ms`
  : `${number(value, 2)} s`);

/** @param {string} value a date and time in ISO 8601 */
export const when = (value) =>
  new Date(value).toLocaleString(FORMATS[language], { dateStyle: 'medium', timeStyle: 'short' });

/** @param {string} value a date and time in ISO 8601 */
export const day = (value) => new Date(value).toLocaleDateString(FORMATS[language], { dateStyle: 'medium' });
