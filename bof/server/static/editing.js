// Changes to pictures of the collection: tags, removal. A change that must wait for another becomes a job.

import { call } from './api.js';
import { button, dialog, h, toast } from './dom.js';
import { changed, showJob, task } from './jobs.js';
import { t } from './language.js';
import { forgetPicture } from './pictures.js';
import { inWords } from './trouble.js';

async function settle(answer, kind) {
  if (answer?.job) await showJob(answer.job, t(`job.kind.${kind}`));
}

/** One after the other; several show how far they are. Returns how many were done. */
async function each(images, change, title) {
  let done = 0;
  const line = images.length > 1 ? task(title) : null;
  try {
    for (const image of images) {
      await change(image);
      forgetPicture(image.id);
      done += 1;
      line?.progress(done, images.length);
    }
  } catch (error) {
    toast(inWords(error));
  }
  line?.remove();
  changed();
  return done;
}

export const setTags = (image, tags) => each([image], async () => {
  await settle(await call(`images/${image.id}/tags`, { method: 'PUT', json: { tags } }), 'tag');
});

/** Add a tag to several pictures. */
async function tagAll(images, tag) {
  const done = await each(images, async (image) => {
    const tags = [...new Set([...image.tags, tag])];
    await settle(await call(`images/${image.id}/tags`, { method: 'PUT', json: { tags } }), 'tag');
  }, t('job.kind.tag'));
  if (done) toast(t('tag.added', { n: done, tag }));
}

/** Asks, then takes pictures out; resolves with whether it was done. */
export async function removeAll(images) {
  const answer = await dialog(t('remove.title', { n: images.length }), t('close'), (close) => h('div', {},
    h('p', {}, images.length === 1 ? images[0].name : t('remove.several', { n: images.length })),
    h('p', {}, t('remove.why')),
    h('p', { class: 'row' },
      button(t('remove.do'), () => close('remove'), { kind: 'danger', id: 'really-remove' }),
      button(t('cancel'), () => close()))));
  if (answer !== 'remove') return false;
  const done = await each(images, async (image) => {
    await settle(await call(`images/${image.id}`, { method: 'DELETE' }), 'remove');
  }, t('job.kind.remove'));
  if (done) toast(t('remove.done', { n: done }));
  return done > 0;
}

/** Asks for a tag for several pictures. */
export async function askTag(images, known) {
  const title = t('tag.title', { n: images.length });
  const tag = await dialog(title, t('close'), (close) => tagForm(known, t('tag.add'), close));
  if (tag) await tagAll(images, tag);
}

export function tagForm(known, words, onTag) {
  const field = h('input', { type: 'text', list: 'known-tags', required: true, maxlength: 200, class: 'new-tag' });
  const send = (event) => {
    event.preventDefault();
    const tag = field.value.trim();
    if (tag) onTag(tag);
    field.value = '';
  };
  return h('form', { class: 'row end', onsubmit: send },
    h('label', { class: 'field' }, h('span', {}, t('tag.new')), field),
    h('datalist', { id: 'known-tags' }, known.map(({ name }) => h('option', { value: name }))),
    button(words, () => {}, { type: 'submit', icon: 'plus' }));
}
