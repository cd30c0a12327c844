// @ts-check
// Above what is printed stands where it comes from: the address of the page, and the day.

import { h } from './dom.js';
import { day } from './language.js';

const place = h('p', { id: 'printed', hidden: true });
document.body.prepend(place);

addEventListener('beforeprint', () => {
  place.textContent = `${document.title} · ${decodeURI(location.href)} · ${day(new Date().toISOString())}`;
});
