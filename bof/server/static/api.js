// @ts-check
// The HTTP API: one function for all requests. Its errors say in the reader's language what went wrong.

import { ExplainedError, Unreachable } from './errors.js';
import { t, tOr } from './language.js';
import { watchedFetch } from './watched_fetch.js';

const BASE = new URL('api/v1', document.baseURI).href;
const LONGEST_PAUSE_S = 10;
/** Statuses of a server, or of a proxy before it, that may answer later. */
const AWAY = new Set([502, 503, 504]);

/** The server refused a request; its answer is a problem document (RFC 9457). @param {Response} response */
async function problemOf(response) {
  const document = /** @type {Partial<Api.Problem> | null} */ (await response.json().catch(() => null));
  const name = String(document?.type).split('/').pop() ?? '';
  const general = t(response.status >= 500 ? 'problem.500' : 'problem.400');
  const text = tOr(`problem.${name}`, general);
  const mayPass = AWAY.has(response.status);
  if (mayPass && name !== 'busy') hooks.onLost(text);
  const detail = document?.detail ?? document?.title ?? '';
  return new ExplainedError(text, detail, { kind: name, parameter: document?.parameter, mayPass });
}

/** What the frame of the page does for requests: it requests a token, and waits for a server that is away. */
const hooks = {
  /** @type {(wasWrong: boolean) => Promise<boolean>} returns whether another try makes sense */
  askForToken: () => Promise.resolve(false),
  /** @type {(why: string) => void} */
  onLost: () => {},
};

/** @param {typeof hooks} given */
export const connect = (given) => Object.assign(hooks, given);

/**
 * The address of an endpoint.
 * @template {Endpoint} E
 * @param {E} endpoint @param {RequestOf<E>} request
 */
export function url(endpoint, { path, query = {} } = {}) {
  const [, template = ''] = endpoint.split(' ');
  const values = new Map(Object.entries(path ?? {}));
  /** @param {string} name */
  const fill = (name) => encodeURIComponent(String(values.get(name)));
  const target = new URL(BASE + template.replace(/\{(\w+)\}/g, (_, /** @type {string} */ name) => fill(name)));
  for (const [key, given] of Object.entries(query)) {
    for (const value of [given].flat()) {
      if (value !== undefined && value !== null && value !== '') target.searchParams.append(key, String(value));
    }
  }
  return target;
}

/**
 * Where a small copy is; with its version the browser may store it. Of a hit in a film: of the frame that was found.
 * @param {ImageVersion & {film?: Api.Hit['film']}} image @param {number} size
 */
export const thumbnail = ({ id, version, film }, size = 320) => url('GET /images/{id}/thumbnail', {
  path: { id }, query: { size, v: version, ...film ? { t: film.time.toFixed(3) } : {} },
}).href;

/** Where the file is. @param {ImageVersion} image */
export const original = ({ id, version }) => url('GET /images/{id}/file', { path: { id }, query: { v: version } }).href;

/**
 * Where the file is that holds a page, a frame or another part; browsers open a PDF at the page, a film at the time.
 * @param {{id: number, part: string}} image
 */
export const container = ({ id, part }) => {
  const place = /^(page|t)=/.test(part) ? `#${part.split('&')[0] ?? ''}` : '';
  return url('GET /images/{id}/container', { path: { id } }).href + place;
};

/** @param {string | URL} target @param {RequestInit} options @param {OnProgress} [onProgress] */
async function send(target, options, onProgress) {
  try {
    return await (onProgress
      ? watchedFetch(target, options, onProgress) : fetch(target, { credentials: 'same-origin', ...options }));
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    hooks.onLost(t('offline'));
    throw new Unreachable();
  }
}

/** @param {number} seconds */
export const pause = (seconds) => new Promise((resolve) => { setTimeout(resolve, seconds * 1000); });

/** @param {string} method @param {RequestOf<any>} request @returns {RequestInit} */
function prepare(method, { json, body, signal }) {
  const headers = new Headers(method === 'GET' ? {} : { 'X-Bof': '1' });
  if (json !== undefined) headers.set('Content-Type', 'application/json');
  else if (body instanceof Blob) headers.set('Content-Type', 'application/octet-stream');
  return { method, headers, body: json === undefined ? body : JSON.stringify(json), signal };
}

/** Whether a refused request may be sent again; waits until then. @param {Response} response @param {number} tries */
async function mayTryAgain({ status, headers }, tries) {
  if (status === 401) return tries < 3 && hooks.askForToken(tries > 0);
  const seconds = Number(headers.get('Retry-After') || 1);
  if (!headers.has('Retry-After') || (status !== 429 && status !== 503)) return false;
  if (tries >= 2 || seconds > LONGEST_PAUSE_S) return false;
  await pause(seconds);
  return true;
}

/**
 * Sends a request; returns the answer's JSON. It tries twice more where the server is busy. tries: how many there were.
 * @template {Endpoint} E
 * @param {E} endpoint @param {RequestOf<E>} request
 * @returns {Promise<Api.Endpoints[E]['answer']>}
 */
export async function call(endpoint, request = {}, tries = 0) {
  const [method = ''] = endpoint.split(' ');
  const response = await send(url(endpoint, request), prepare(method, request), request.onProgress);
  if (response.ok) return /** @type {Api.Endpoints[E]['answer']} */ (await response.json());
  if (await mayTryAgain(response, tries)) return call(endpoint, request, tries + 1);
  throw await problemOf(response);
}

/** The bytes of a picture of the collection, decoded. @param {string} address */
export async function fetchBitmap(address) {
  const response = await send(address, {});
  if (!response.ok) throw await problemOf(response);
  return createImageBitmap(await response.blob());
}

/**
 * Something that is requested once, until `forget`; a failed request is not retained.
 * @template T
 * @param {() => Promise<T>} request
 */
export function once(request) {
  /** @type {Promise<T> | null} */
  let answer = null;
  const forget = () => {
    answer = null;
  };
  const get = () => {
    answer ??= request().catch((/** @type {unknown} */ error) => {
      forget();
      throw error;
    });
    return answer;
  };
  return { get, forget };
}

const index = once(() => call('GET /index'));

/** What the index says of itself. */
export const indexFacts = index.get;
export const forgetIndexFacts = index.forget;
export const { get: rankers } = once(() => call('GET /rankers'));
