// What this reader may do, and the token where the server wants one.

import { call, forget } from './api.js';
import { button, dialog, h } from './dom.js';
import { t } from './language.js';

let session = null;

const sessionFacts = () => {
  session ??= call('session').catch((error) => {
    session = null;
    throw error;
  });
  return session;
};

/** {canWrite, canSignIn}: may the collection be changed, and would a token help. */
export async function rights() {
  const { required, write } = await sessionFacts();
  return { canWrite: write, canSignIn: required && !write };
}

let asking = null;

/** Asks for the token; resolves with whether there is now a session. */
export function signIn(wasWrong) {
  asking ??= dialog(t('token.title'), t('close'), (close) => {
    const field = h('input', { type: 'password', id: 'token', autocomplete: 'current-password', required: true });
    const wrong = h('p', { class: 'notice', role: 'alert', hidden: !wasWrong }, t('token.wrong'));
    const send = async (event) => {
      event.preventDefault();
      try {
        await call('session', { method: 'POST', json: { token: field.value } }, 3);
        session = null;
        forget();
        close('signed-in');
      } catch {
        wrong.hidden = false;
        field.select();
      }
    };
    return h('form', { onsubmit: send }, h('p', {}, t('token.why')), wrong,
      h('label', { class: 'field' }, h('span', {}, t('token.field')), field),
      h('p', { class: 'row' }, button(t('token.send'), () => {}, { kind: 'primary', type: 'submit' })));
  }).then((value) => {
    asking = null;
    return value === 'signed-in';
  });
  return asking;
}
