// @ts-check
// What a person judges of the query and a hit: the same, or not. It is kept in the index, and ranks from then on.

import { forgetAnswers } from './answers.js';
import { call } from './api.js';
import { button, h, say, toast } from './dom.js';
import { errorDetail, errorText } from './errors.js';
import { t } from './language.js';

/** @typedef {'same' | 'different'} Said */

/** @param {Api.Hit} hit @returns {Said | null} */
const saidOf = ({ basis, verdict }) => (basis !== 'person' ? null : verdict === 'same' ? 'same' : 'different');

/** @param {string} query the SHA-256 of its file @param {number} image @param {Said | null} said null: forget it */
async function send(query, image, said) {
  if (said === null) await call('DELETE /judgments', { query: { query, image: String(image) } });
  else await call('PUT /judgments', { json: { query, image, judgment: said } });
  forgetAnswers();
}

/**
 * Buttons for a reader who may change the collection; `onJudged` follows a judgment, and its undoing.
 * @param {Api.Hit} hit @param {Api.Answer['query']} query @param {boolean} canWrite @param {() => unknown} onJudged
 */
export function judgmentBox(hit, query, canWrite, onJudged) {
  const said = saidOf(hit);
  if (!canWrite || hit.basis === 'content') return null;
  if (query.sha256 === null) return h('p', { class: 'small' }, t('judge.region'));
  const content = query.sha256;
  /** @param {Said | null} now */
  const judge = async (now) => {
    for (const one of box.querySelectorAll('button')) one.disabled = true;
    try {
      await send(content, hit.id, now);
      say(t(now === null ? 'judge.undone' : `judge.done.${now}`));
      await onJudged();
    } catch (error) {
      toast([errorText(error), errorDetail(error)].filter(Boolean).join('\n'));
      for (const one of box.querySelectorAll('button')) one.disabled = false;
    }
  };
  /** @param {Said} one */
  const choice = (one) => button(t(`judge.${one}`), () => judge(said === one ? null : one), {
    icon: one === 'same' ? 'check' : 'close', 'aria-pressed': String(said === one), 'data-judge': one,
  });
  const box = h('div', { class: 'judging', role: 'group', 'aria-label': t('judge.title') },
    h('p', { class: 'small' }, t(said === null ? 'judge.ask' : `judge.done.${said}`)),
    h('p', { class: 'row' }, choice('same'), choice('different'),
      said === null ? null : button(t('judge.undo'), () => judge(null), { icon: 'left', 'data-judge': 'undo' })));
  return box;
}
