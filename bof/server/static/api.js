// The HTTP API: one function for a request; what goes wrong comes back as an error that can be shown in words.

import { t, known } from './language.js';

const BASE = new URL('api/v1/', document.baseURI);

/** A refusal by the server, as its problem document says (RFC 9457). */
class Problem extends Error {
  constructor(status, document) {
    super(document.detail || document.title || String(status));
    this.status = status;
    this.document = document;
  }

  /** What it means, in the reader's language: by the problem's own name, else by its status. */
  get words() {
    const name = String(this.document.type || '').split(/[/:#]/).pop();
    for (const key of [`problem.${name}`, `problem.${this.status}`]) if (known(key)) return t(key);
    return t(this.status >= 500 ? 'problem.500' : 'problem.400');
  }
}

/** No answer: the server is down, or the network is. */
export class Unreachable extends Error {
  get words() {
    return t('problem.unreachable');
  }
}

let askForToken = async () => false;
let onReach = () => {};

/** askForToken: called on 401, resolves with whether it is worth another try; onReach: told whether an answer came. */
export function connect(hooks) {
  ({ askForToken, onReach } = hooks);
}

export const url = (path, query = {}) => {
  const target = new URL(path, BASE);
  for (const [key, value] of Object.entries(query)) {
    for (const one of [value].flat()) {
      if (one !== undefined && one !== null && one !== '') target.searchParams.append(key, one);
    }
  }
  return target;
};

/** Where the bytes of a picture are; with its version the browser may keep them for ever. */
export const thumbnail = ({ id, version }, size = 320) => url(`images/${id}/thumbnail`, { size, v: version }).href;
export const original = ({ id, version }) => url(`images/${id}/file`, { v: version }).href;

async function send(target, options) {
  try {
    const answer = await fetch(target, { credentials: 'same-origin', ...options });
    onReach(true);
    return answer;
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    onReach(false);
    throw new Unreachable();
  }
}

async function problem(answer) {
  let document = {};
  try {
    document = await answer.json();
  } catch { /* no document: the status alone speaks */ }
  return new Problem(answer.status, document);
}

const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** A request; returns the answer's JSON, or null where there is none. Busy servers are asked again, twice. */
export async function call(path, { method = 'GET', query, json, body, signal, headers = {} } = {}, tries = 0) {
  const more = method === 'GET' ? {} : { 'X-Bof': '1' };
  if (json !== undefined) more['Content-Type'] = 'application/json';
  else if (body instanceof Blob) more['Content-Type'] = 'application/octet-stream';
  const sent = json === undefined ? body : JSON.stringify(json);
  const answer = await send(url(path, query), { method, body: sent, signal, headers: { ...more, ...headers } });
  const again = () => call(path, { method, query, json, body, signal, headers }, tries + 1);
  if (answer.status === 401 && tries < 3 && await askForToken(tries > 0)) return again();
  if ((answer.status === 429 || answer.status === 503) && tries < 2) {
    const seconds = Number(answer.headers.get('Retry-After') || 1);
    if (seconds <= 10) {
      await pause(seconds);
      return again();
    }
  }
  if (!answer.ok) throw await problem(answer);
  return answer.status === 204 || !answer.headers.get('Content-Type')?.includes('json') ? null : answer.json();
}

/** The bytes of a picture of the collection, as something that can be drawn. */
export async function drawable(address) {
  const answer = await send(address, {});
  if (!answer.ok) throw await problem(answer);
  return createImageBitmap(await answer.blob());
}

let statistics = null;

/** What the index says of itself; asked once until `forget`. */
export function indexFacts() {
  statistics ??= call('index').catch((error) => {
    statistics = null;
    throw error;
  });
  return statistics;
}

export function forget() {
  statistics = null;
}

let rankerList = null;

export function rankers() {
  rankerList ??= call('rankers').catch((error) => {
    rankerList = null;
    throw error;
  });
  return rankerList;
}
