// Where the reader is, in the address: #/match/3/7?box=10,10,90,80. Back and forward and links work because of it.

export function here() {
  const [path, query = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const parts = path.split('/').filter(Boolean).map(decodeURIComponent);
  return { view: parts[0] || 'search', parts: parts.slice(1), query: Object.fromEntries(new URLSearchParams(query)) };
}

export function href(view, query = {}, ...parts) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString().replaceAll('%2C', ',');
  return `#/${[view, ...parts].map(encodeURIComponent).join('/')}${text && `?${text}`}`;
}

/** Go somewhere; `replace`: without a step in the history. */
export function go(target, { replace = false } = {}) {
  if (target === location.hash) return;
  if (!replace) {
    location.hash = target;
    return;
  }
  history.replaceState(null, '', target);
  dispatchEvent(new HashChangeEvent('hashchange'));
}
