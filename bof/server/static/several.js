// @ts-check
// Several pictures to search with, on their way to the view that does it, from wherever the reader gave them.

import { go, here, href } from './router.js';

/** @type {SeveralSource[]} */
let handed = [];

/** Searches with all of them. @param {SeveralSource[]} sources */
export function searchWithSeveral(sources) {
  handed = [...handed, ...sources];
  if (here().view === 'many') dispatchEvent(new Event('pictures-handed'));
  else go(href('many'));
}

/** What was handed over, once. */
export function takeHanded() {
  const taken = handed;
  handed = [];
  return taken;
}
