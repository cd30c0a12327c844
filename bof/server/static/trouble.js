// What went wrong, in words; what the server said lies one click deeper.

import { Unreachable } from './api.js';
import { button, h, icon } from './dom.js';
import { t } from './language.js';

/** A box for an error; `retry`: what to do again, or null; it is done by itself once an absent server is back. */
export function trouble(error, retry = null) {
  const detail = error.document?.detail;
  if (!error.words) console.error(error);
  const box = h('div', { class: 'trouble', role: 'alert' }, icon('warning'),
    h('div', {},
      h('p', {}, error.words ?? t('problem.page')),
      detail ? h('details', {},
        h('summary', {}, t('problem.detail')), h('p', { class: 'small', lang: 'en' }, detail)) : null,
      retry ? button(t('retry'), retry, { icon: 'refresh' }) : null));
  const again = () => box.isConnected && retry();
  if (retry && error instanceof Unreachable) addEventListener('server-back', again, { once: true });
  return box;
}

export const inWords = (error) => error.words ?? t('problem.page');
