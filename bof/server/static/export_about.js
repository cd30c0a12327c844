// @ts-check
// Where and when exported answers were made.

import { day, t } from './language.js';

/** The day in digits, for names of files. */
export const dayStamp = () => {
  const now = new Date();
  return [now.getFullYear(), now.getMonth() + 1, now.getDate()].map((part) => String(part).padStart(2, '0')).join('-');
};

/** The server, the day, and how was searched. @param {Query} settings */
export function aboutServer(settings) {
  const chosen = Object.entries(settings).filter(([, value]) => value);
  const how = chosen.map(([name, value = '']) => `${name} = ${value}`).join(', ');
  const server = new URL('.', document.baseURI).href;
  const made = t('export.made', { server, date: day(new Date().toISOString()) });
  return how ? [made, how] : [made];
}
