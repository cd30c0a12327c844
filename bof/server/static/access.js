// @ts-check
// What this reader may do; the token where the server wants one.

import { call, forgetIndexFacts, once } from './api.js';
import { button, dialog, h } from './dom.js';
import { t } from './language.js';

const session = once(() => call('GET /session'));

/** canWrite: the reader may change the collection; canSignIn: a token would allow it. */
export async function rights() {
  const { required, write } = await session.get();
  return { canWrite: write, canSignIn: required && !write };
}

/** @type {Promise<boolean> | null} */
let signingIn = null;

/** Asks for the token; resolves with whether there is now a session. @param {boolean} wasWrong */
export function signIn(wasWrong) {
  signingIn ??= tokenDialog(wasWrong).closed.then((result) => {
    signingIn = null;
    return result === 'signed-in';
  });
  return signingIn;
}

/** @param {boolean} wasWrong */
const tokenDialog = (wasWrong) => dialog(t('token.title'), t('close'), (close) => {
  const field = h('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true });
  const wrong = h('p', { class: 'notice', role: 'alert', hidden: !wasWrong }, t('token.wrong'));
  /** @param {SubmitEvent} event */
  const send = async (event) => {
    event.preventDefault();
    try {
      await call('POST /session', { json: { token: field.value } }, 3);
      session.forget();
      forgetIndexFacts();
      close('signed-in');
    } catch {
      wrong.hidden = false;
      field.select();
    }
  };
  return h('form', { onsubmit: send }, h('p', {}, t('token.why')), wrong,
    h('label', { class: 'field' }, h('span', {}, t('token.field')), field),
    h('p', { class: 'row' }, button(t('token.send'), () => {}, { kind: 'primary', type: 'submit' })));
});
