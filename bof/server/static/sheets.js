// @ts-check
// Style sheets of views that are loaded when they are first shown.

import { h } from './dom.js';

/** Resolves when the sheet is in force. @param {string} name */
export const loadSheet = (name) => new Promise((resolve, reject) => {
  document.head.append(h('link', { rel: 'stylesheet', href: `static/${name}`, onload: resolve, onerror: reject }));
});
