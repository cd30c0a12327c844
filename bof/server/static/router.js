// @ts-check
// The address says what the page shows: #/match/3/7?box=10,10,90,80. Back, forward and links work because of it.

/** @returns {Route} */
export function here() {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [view = 'search', ...parts] = path.split('/').filter(Boolean).map(decodeURIComponent);
  return { view, parts, query: Object.fromEntries(new URLSearchParams(query)) };
}

/**
 * The address of a view.
 * @param {string} view @param {Record<string, Value>} query @param {...(string | number)} parts
 */
export function href(view, query = {}, ...parts) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString().replaceAll('%2C', ',');
  return `#/${[view, ...parts].map(encodeURIComponent).join('/')}${text && `?${text}`}`;
}

/** Says the same in other words: nothing is drawn again, and `back` skips no view. @param {string} target */
export function rename(target) {
  history.replaceState(history.state, '', target);
  dispatchEvent(new Event('renamed'));
}

/** @param {string} target */
export function go(target) {
  if (target !== location.hash) location.hash = target;
}
