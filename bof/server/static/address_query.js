// @ts-check
// A link that names a picture by where it is: #/search?url=. Any site can make such a link, and following it must not
// make the server fetch: it may reach what that site cannot. So the page shows the address and asks.

import { call } from './api.js';
import { button, h, link } from './dom.js';
import { ExplainedError, errorBox } from './errors.js';
import { t } from './language.js';
import { go, href } from './router.js';

/** Does the address name a picture by where it is, and by nothing else? @param {Query} query */
export const isByAddress = ({ url, query, upload, image }) => Boolean(url && !query && !upload && !image);

/** The address of a picture on the web; null for any other. @param {string} text */
function addressOf(text) {
  try {
    const url = new URL(text);
    return ['http:', 'https:'].includes(url.protocol) && !url.username && !url.password ? url : null;
  } catch {
    return null;
  }
}

/** @param {unknown} error */
const explained = (error) => (error instanceof ExplainedError && error.kind === 'forbidden'
  ? new ExplainedError(t('address.forbidden'), error.detail, { kind: error.kind }) : error);

/** Asks before the server fetches. @param {Query} query */
export function askForAddress(query) {
  const url = addressOf(query.url ?? '');
  const place = h('div', {});
  const fetchIt = async () => {
    place.replaceChildren(h('p', { class: 'waiting' }, t('address.fetching')));
    try {
      const { id } = await call('POST /queries', { query: { url: url?.href } });
      go(href('search', { ...query, url: '', query: id }));
    } catch (error) {
      place.replaceChildren(errorBox(explained(error), fetchIt));
    }
  };
  place.append(h('div', { class: 'row' },
    url && button(t('address.fetch'), fetchIt, { icon: 'search', kind: 'primary' }),
    link(t('address.other'), href('search'))));
  return h('section', { class: 'welcome' },
    h('h1', {}, t(url ? 'address.title' : 'address.none')),
    h('p', { class: 'address' }, url?.href ?? query.url ?? ''),
    url && h('p', {}, t('address.why', { host: url.host })), place);
}
