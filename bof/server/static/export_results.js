// @ts-check
// The results of one search, for export.

import { aboutServer, dayStamp } from './export_about.js';
import { exportDialog } from './export_dialog.js';
import { safeName } from './export_files.js';
import { t } from './language.js';
import { poseOf } from './answers.js';
import { turned } from './pictures.js';
import { smallCopy } from './small_copies.js';

/** Exports what is shown. @param {QueryPicture} picture @param {PartialAnswer} answer @param {Query} query */
export function exportResults(picture, answer, query) {
  const name = picture.name || t('query.yours');
  const whole = { ...answer, isComplete: undefined };
  const settings = { ...query, image: '', upload: '', query: '' };
  exportDialog({
    title: t('export.heading'),
    about: aboutServer(settings),
    what: t('export.what-hits', { n: answer.hits.length, name }),
    fileName: `bof-${safeName(name.replace(/\.[^.]*$/, ''))}-${dayStamp()}`,
    found: [{
      name, query, problem: '',
      answer: () => Promise.resolve(whole),
      withPicture: (use) => use(picture),
      thumb: (side) => (picture.bitmap
        ? smallCopy(turned(picture.bitmap, poseOf(query)), side) : Promise.reject(new Error('no picture to show'))),
    }],
    isSingle: true,
    print: () => print(),
    onSaved: () => {},
  });
}
