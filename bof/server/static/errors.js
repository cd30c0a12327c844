// @ts-check
// Errors, and how the reader sees them; the server's message is one click away.

import { button, h, icon } from './dom.js';
import { t } from './language.js';

/**
 * An error that the page can explain. userText: in the reader's language; detail: the server's message, in English;
 * kind: of the server's problem, the last part of its type.
 */
export class ExplainedError extends Error {
  /** @param {string} userText @param {string} detail @param {string} kind */
  constructor(userText, detail = '', kind = '') {
    super(detail || userText);
    this.userText = userText;
    this.detail = detail;
    this.kind = kind;
  }
}

/** Has the server forgotten the query? @param {unknown} error */
export const isQueryGone = (error) => error instanceof ExplainedError && error.kind === 'query-gone';

/** No answer: the server or the network is down. */
export class Unreachable extends ExplainedError {
  constructor() {
    super(t('problem.unreachable'));
  }
}

/** @param {unknown} error */
export const errorText = (error) => (error instanceof ExplainedError ? error.userText : t('problem.page'));

/** @param {unknown} error */
export const errorDetail = (error) => (error instanceof ExplainedError ? error.detail : '');

/**
 * A box that shows an error. retry: what its button does; it happens by itself when a lost server is back.
 * @param {unknown} error @param {() => unknown} retry
 */
export function errorBox(error, retry) {
  const detail = errorDetail(error);
  if (!(error instanceof ExplainedError)) console.error(error);
  const box = h('div', { class: 'error', role: 'alert' }, icon('warning'),
    h('div', {},
      h('p', {}, errorText(error)),
      detail ? h('details', {},
        h('summary', {}, t('problem.detail')), h('p', { class: 'small', lang: 'en' }, detail)) : null,
      button(t('retry'), retry, { icon: 'refresh' })));
  if (error instanceof Unreachable) addEventListener('server-back', () => box.isConnected && retry(), { once: true });
  return box;
}
