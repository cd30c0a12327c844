// @ts-check
// Parts of the view for many pictures: its start, its buttons for files, its line of progress.

import { button, dialog, h, icon, link } from './dom.js';
import { sourcesOf } from './folders.js';
import { number, t } from './language.js';
import { href } from './router.js';

/**
 * @param {string} words @param {IconName} name @param {Attributes<HTMLInputElement> & {kind?: string}} attributes
 * @param {(files: FileList | null) => unknown} onFiles
 */
export function fileButton(words, name, { kind = '', ...attributes }, onFiles) {
  const input = h('input', {
    type: 'file', class: 'unseen', multiple: true, accept: 'image/*,.tif,.tiff', name: attributes.id, ...attributes,
    onchange: () => {
      onFiles(input.files);
      input.value = '';
    },
  });
  return h('label', { class: `button ${kind}` }, icon(name), h('span', {}, words), input);
}

/** @param {number} nLost how many a reload took @param {(sources: SeveralSource[]) => unknown} add */
export function welcome(nLost, add) {
  /** @param {FileList | null} files */
  const take = (files) => add(sourcesOf(files));
  return h('div', { class: 'welcome' },
    nLost ? h('p', { class: 'notice', role: 'status' }, t('many.lost', { n: nLost })) : null,
    h('p', { class: 'lead' }, t('many.lead')),
    h('div', { class: 'drop' }, icon('folder'), h('p', {}, t('many.drop')),
      h('div', { class: 'row' },
        fileButton(t('many.choose'), 'upload', { id: 'choose-many', kind: 'primary' }, take),
        h('span', { class: 'if-mouse' },
          fileButton(t('many.folder'), 'folder', { id: 'choose-folder', webkitdirectory: true }, take)),
        link(t('many.collection'), href('collection'), { icon: 'collection' })),
      h('p', { class: 'small' }, t('many.private'))));
}

/** @param {number} value */
const timeText = (value) => (value < 60
  ? t('many.seconds', { n: Math.ceil(value / 5) * 5 }) : t('many.minutes', { n: Math.round(value / 60) }));

/** @param {import('./many_run.js').Run} run @param {ReturnType<typeof import('./many_order.js').countsOf>} counts */
export function progressText({ secondsLeft }, { all, waiting, proved, failed }) {
  const parts = [t('many.progress', { done: number(all - waiting), total: number(all) })];
  parts.push(t('many.proved', { n: proved }));
  if (failed) parts.push(t('many.failed', { n: failed }));
  if (secondsLeft) parts.push(t('many.left', { time: timeText(secondsLeft) }));
  return parts.join(' · ');
}

/** Asks whether the table may go. @param {number} n its rows */
export async function clearQuestion(n) {
  const answer = await dialog(t('many.clear-title'), t('close'), (close) => h('div', {},
    h('p', {}, t('many.clear-why', { n })),
    h('p', { class: 'row' },
      button(t('many.clear'), () => close('clear'), { kind: 'danger', id: 'really-clear' }),
      button(t('cancel'), () => close('cancel'))))).closed;
  return answer === 'clear';
}
