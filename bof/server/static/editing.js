// @ts-check
// Changes to pictures of the collection: tags, removal. The server makes a job of a change that must wait for another.

import { call } from './api.js';
import { button, dialog, h, toast } from './dom.js';
import { errorText } from './errors.js';
import { changed, showJob } from './jobs.js';
import { t } from './language.js';
import { forgetPicture } from './pictures.js';
import { taskLine } from './tray.js';

/**
 * Waits for the job of a change, where there is one.
 * @param {Api.Image | Api.Removed | Api.Accepted} answer @param {'tag' | 'remove'} kind
 */
async function settle(answer, kind) {
  if ('job' in answer) await showJob(answer.job, t(`job.kind.${kind}`));
}

/**
 * Changes pictures one after the other; the tray shows the progress of several. Returns how many it changed.
 * @param {Api.Image[]} images @param {(image: Api.Image) => Promise<void>} change @param {string} title
 */
async function changeEach(images, change, title) {
  let done = 0;
  const stop = new AbortController();
  const line = images.length > 1 ? taskLine(title, () => stop.abort()) : null;
  try {
    for (const image of images) {
      if (stop.signal.aborted) break;
      await change(image);
      forgetPicture(image.id);
      done += 1;
      line?.progress(done, images.length);
    }
  } catch (error) {
    toast(errorText(error));
  }
  line?.remove();
  changed();
  return done;
}

/** @param {Api.Image[]} images @param {(image: Api.Image) => string[]} tagsOf the tags that a picture shall have */
const setTagsOf = (images, tagsOf) => changeEach(images, async (image) => {
  await settle(await call('PUT /images/{id}/tags', { path: { id: image.id }, json: { tags: tagsOf(image) } }), 'tag');
}, t('job.kind.tag'));

/** @param {Api.Image} image @param {string[]} tags */
export const setTags = (image, tags) => setTagsOf([image], () => tags);

/** Asks, then removes pictures; resolves with whether any was removed. @param {Api.Image[]} images */
export async function removeAll(images) {
  const n = images.length;
  const what = n === 1 && images[0] ? images[0].name : t('remove.several', { n });
  const answer = await dialog(t('remove.title', { n }), t('close'), (close) => h('div', {},
    h('p', {}, what),
    h('p', {}, t('remove.why')),
    h('p', { class: 'row' },
      button(t('remove.do'), () => close('remove'), { kind: 'danger', id: 'really-remove' }),
      button(t('cancel'), () => close('cancel'))))).closed;
  if (answer !== 'remove') return false;
  const done = await changeEach(images, async ({ id }) => {
    await settle(await call('DELETE /images/{id}', { path: { id } }), 'remove');
  }, t('job.kind.remove'));
  if (done) toast(t('remove.done', { n: done }));
  return done > 0;
}

/**
 * Asks for a tag, then adds it to several pictures.
 * @param {Api.Image[]} images @param {Api.Index['tags']} knownTags
 */
export async function tagAll(images, knownTags) {
  const title = t('tag.title', { n: images.length });
  const tag = await dialog(title, t('close'), (close) => tagForm(knownTags, close)).closed;
  if (!tag) return;
  const done = await setTagsOf(images, (image) => [...new Set([...image.tags, tag])]);
  if (done) toast(t('tag.added', { n: done, tag }));
}

/** @param {Api.Index['tags']} knownTags @param {(tag: string) => void} onTag */
export function tagForm(knownTags, onTag) {
  const field = h('input', { type: 'text', list: 'known-tags', required: true, maxlength: 200, class: 'new-tag' });
  /** @param {SubmitEvent} event */
  const send = (event) => {
    event.preventDefault();
    const tag = field.value.trim();
    if (tag) onTag(tag);
    field.value = '';
  };
  return h('form', { class: 'row end', onsubmit: send },
    h('label', { class: 'field' }, h('span', {}, t('tag.new')), field),
    h('datalist', { id: 'known-tags' }, knownTags.map(({ name }) => h('option', { value: name }))),
    button(t('tag.add'), () => {}, { type: 'submit', icon: 'plus' }));
}
