// The reader's language: words, numbers, sizes, times.

import { WORDS } from './words.js';
import { keep } from './settings.js';

export const LANGUAGES = { en: 'English', zh: '中文' };
export const TAGS = { en: 'en', zh: 'zh-Hans' };
const FORMATS = { en: 'en-GB', zh: 'zh-CN' };

let language = document.documentElement.lang.slice(0, 2) === 'zh' ? 'zh' : 'en';

export const current = () => language;

export function speak(name) {
  language = name;
  document.documentElement.lang = TAGS[name];
  keep('language', name);
}

export const known = (key) => key in WORDS[language];

/** The words of a key; {name} is filled in; "one|many" is chosen by {n}. */
export function t(key, args = {}) {
  const [one, many] = (WORDS[language][key] ?? key).split('|');
  const chosen = many !== undefined && args.n !== 1 ? many : one;
  return chosen.replace(/\{(\w+)\}/g, (_, name) =>
    typeof args[name] === 'number' ? number(args[name]) : String(args[name] ?? ''));
}

/** The words of a key, or what the server says where the key is not known. */
export const tOr = (key, args, otherwise) => (known(key) ? t(key, args) : otherwise);

export const number = (value, digits = 0) =>
  value.toLocaleString(FORMATS[language], { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** 0.998 is 99.8%; what is not certain never reads 100 %. */
export function percent(share) {
  const shown = share < 1 ? Math.min(share * 100, 99.9) : 100;
  return `${number(shown, shown > 99 && shown < 100 ? 1 : 0)}%`;
}

export function size(bytes) {
  const step = Math.min(4, Math.max(0, Math.floor(Math.log10(Math.max(bytes, 1)) / 3)));
  const value = bytes / 1000 ** step;
  return `${number(value, step && value < 100 ? 1 : 0)} ${['B', 'kB', 'MB', 'GB', 'TB'][step]}`;
}

export const seconds = (value) => (value < 1
  ? `${number(value * 1000, value < 0.01 ? 1 : 0)} ms`
  : `${number(value, 2)} s`);

export const day = (value) => new Date(value).toLocaleDateString(FORMATS[language], { dateStyle: 'medium' });
