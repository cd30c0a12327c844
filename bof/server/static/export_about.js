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
  const chosen = Object.entries(settings).filter(([, value]) => value).map(([name, value]) => `${name} = ${value ?? ''}`);
  const server = new URL('.', document.baseURI).href;
  return [t('export.made', { server, date: day(new Date().toISOString()) }), ...chosen.length ? [chosen.join(', ')] : []];
}
