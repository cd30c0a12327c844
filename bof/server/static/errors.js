// @ts-check
// Errors, and how the reader sees them; the server's message is one click away.

import { button, h, icon } from './dom.js';
import { t } from './language.js';

/**
 * An error that the page can explain. userText: in the reader's language; detail: the server's message, in English;
 * kind: of the server's problem, the last part of its type; parameter: of the request, where one was at fault; mayPass:
 * the same request may be answered once the server is well again.
 * @typedef {{kind?: string, parameter?: string, mayPass?: boolean}} Fault
 */
export class ExplainedError extends Error {
  /** @param {string} userText @param {string} detail @param {Fault} fault */
  constructor(userText, detail = '', { kind = '', parameter = '', mayPass = false } = {}) {
    super(detail || userText);
    this.userText = userText;
    this.detail = detail;
    this.kind = kind;
    this.parameter = parameter;
    this.mayPass = mayPass;
  }
}

/** Has the server forgotten the query? @param {unknown} error */
export const isQueryGone = (error) => error instanceof ExplainedError && error.kind === 'query-gone';

/** No answer: the server or the network is down. */
export class Unreachable extends ExplainedError {
  constructor() {
    super(t('problem.unreachable'), '', { mayPass: true });
  }
}

/** @param {unknown} error */
export const errorText = (error) => (error instanceof ExplainedError ? error.userText : t('problem.page'));

/** @param {unknown} error */
export const errorDetail = (error) => (error instanceof ExplainedError ? error.detail : '');

/** Does it help to wait for the server? @param {unknown} error */
const mayPass = (error) => error instanceof ExplainedError && error.mayPass;

/**
 * Does something once after an event, and lets the frame of the page find out how the server is.
 * @param {'server-well' | 'server-back'} event @param {() => unknown} act
 */
function onceAfter(event, act) {
  addEventListener(event, act, { once: true });
  dispatchEvent(new Event('server-doubtful'));
}

/** Does something once the server is well. @param {() => unknown} act */
export const onceWell = (act) => onceAfter('server-well', act);

/** Does something once the server is back, if it was away. @param {() => unknown} act */
export const onceBack = (act) => onceAfter('server-back', act);

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
  if (mayPass(error)) onceWell(() => box.isConnected && retry());
  return box;
}
