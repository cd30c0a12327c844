// @ts-check
// The server: its address, the token that it gave this extension, and what is sent to it.

export const DEFAULT_ADDRESS = 'http://127.0.0.1:8000';
const OWN_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);
const ID = /^[\w-]{1,200}$/;

/** What went wrong: the key of a text, and what the server itself says. */
export class Trouble extends Error {
  /** @param {string} key @param {string} detail */
  constructor(key, detail = '') {
    super(key);
    this.key = key;
    this.detail = detail;
  }
}

/**
 * The origin of a server that pictures may be sent to: any with https, and this machine.
 * @param {string} text @returns {string}
 */
export function originOf(text) {
  const trimmed = text.trim();
  const url = URL.parse(/^[a-z]+:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username || url.password) {
    throw new Trouble('badAddress');
  }
  if (url.protocol === 'http:' && !OWN_NAMES.has(url.hostname)) throw new Trouble('notSecure');
  return url.origin;
}

/** The server that this extension is paired with. @returns {Promise<Paired | null>} */
export async function paired() {
  const { server, token, id } = await chrome.storage.local.get(['server', 'token', 'id']);
  return typeof server === 'string' && typeof token === 'string' ? { server, token, id: String(id) } : null;
}

/**
 * One request. No cookie goes with it, and the page that a picture is on is not named.
 * @param {string} server @param {string} path @param {RequestInit} request
 */
async function ask(server, path, request) {
  try {
    return await fetch(`${server}/api/v1${path}`, {
      ...request, credentials: 'omit', cache: 'no-store', redirect: 'error', referrerPolicy: 'no-referrer',
    });
  } catch {
    throw new Trouble('noServer', server);
  }
}

/** @param {string} token */
const bearer = (token) => ({ Authorization: `Bearer ${token}` });

/** @param {Response} response @returns {Promise<Record<string, unknown>>} */
async function objectOf(response) {
  try {
    const value = /** @type {unknown} */ (await response.json());
    if (value && typeof value === 'object') return /** @type {Record<string, unknown>} */ (value);
  } catch { /* no JSON: another program answers there */ }
  throw new Trouble('notBof');
}

/** @param {Response} response @param {string} key */
async function troubleOf(response, key) {
  const { detail } = await objectOf(response);
  return new Trouble(key, typeof detail === 'string' ? detail.slice(0, 500) : '');
}

/** What the browser and the system are called, so that a list of pairings says something. */
function ownName() {
  const found = /(Firefox|Edg|OPR|Chrome)\/\d+/.exec(navigator.userAgent)?.[0] ?? 'browser';
  const system = /Windows|Mac OS X|Android|CrOS|Linux/.exec(navigator.userAgent)?.[0] ?? '';
  return `${found} ${system}`.trim();
}

/** Exchanges the code of the terminal for a token. @param {string} server @param {string} code */
export async function pair(server, code) {
  const response = await ask(server, '/pairing', {
    method: 'POST', body: JSON.stringify({ code, name: ownName() }),
    headers: { 'Content-Type': 'application/json', 'X-Bof': '1' },
  });
  if (response.status === 429) throw await troubleOf(response, 'tooMany');
  if (response.status === 401) throw await troubleOf(response, 'wrongCode');
  if (response.status !== 201) throw await troubleOf(response, 'refused');
  const { id, token } = await objectOf(response);
  if (typeof id !== 'string' || typeof token !== 'string') throw new Trouble('notBof');
  await chrome.storage.local.set({ server, token, id });
}

/** Ends the pairing, on both sides where the server answers. @param {Paired} known */
export async function unpair({ server, token }) {
  await chrome.storage.local.remove(['server', 'token', 'id']);
  await ask(server, '/pairing', { method: 'DELETE', headers: { ...bearer(token), 'X-Bof': '1' } });
}

/** Does the server still know this extension's token? @param {Paired} known */
export async function isPaired({ server, token }) {
  const response = await ask(server, '/pairing', { headers: bearer(token) });
  if (!response.ok) return false;
  return (await objectOf(response)).paired === true;
}

/**
 * A refusal by CORS looks like a server that is gone: only the address for pairing answers every extension.
 * @param {Paired} known
 */
async function requirePairing(known) {
  if (!await isPaired(known)) throw new Trouble('revoked');
}

/**
 * Sends a picture to search with.
 * @param {Paired} known @param {Blob} picture @returns {Promise<string>} where its results are
 */
export async function send(known, picture) {
  const type = picture.type.startsWith('image/') ? picture.type : 'application/octet-stream';
  const headers = { ...bearer(known.token), 'Content-Type': type, 'X-Bof': '1' };
  let response;
  try {
    response = await ask(known.server, '/queries', { method: 'POST', body: picture, headers });
  } catch (error) {
    await requirePairing(known);
    throw error;
  }
  if (response.status === 401 || response.status === 403) throw await troubleOf(response, 'revoked');
  if (response.status === 413) throw await troubleOf(response, 'tooLarge');
  if (response.status === 415 || response.status === 422) throw await troubleOf(response, 'unreadable');
  if (response.status !== 201) throw await troubleOf(response, 'refused');
  const { id } = await objectOf(response);
  if (typeof id !== 'string' || !ID.test(id)) throw new Trouble('notBof');
  return `${known.server}/#/search?query=${encodeURIComponent(id)}`;
}
