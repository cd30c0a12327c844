// @ts-check
// A film in a dialog: played from the time of a hit, searched with a frame of it, and its shots on a line of time.

import { call, container, thumbnail } from './api.js';
import { button, h, icon } from './dom.js';
import { clock, timesOf } from './film_times.js';
import { t } from './language.js';
import { penOf } from './pictures.js';
import { jpegOf } from './small_copies.js';
import './words_film.js';

const QUALITY = 0.92;
/** The frame that is shown. @param {HTMLVideoElement} video @param {string} name @returns {Promise<File>} */
async function frameOf(video, name) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
  penOf(canvas).drawImage(video, 0, 0);
  const file = name.split('/').at(-1) ?? name;
  return new File([await jpegOf(canvas, QUALITY)], `${file} ${clock(video.currentTime)}.jpg`, { type: 'image/jpeg' });
}

/**
 * A player that begins at a time. onFrame: takes the frame that the reader stops at, to search with it.
 * @param {Api.Image} image @param {number} time in seconds @param {(file: File) => unknown} onFrame
 */
export function player(image, time, onFrame) {
  const src = container({ ...image, part: `t=${time}` });
  const video = h('video', { controls: true, preload: 'metadata', playsinline: true, src });
  const fault = h('p', { class: 'notice', hidden: true }, icon('warning'), t('film.not-played'));
  video.addEventListener('error', () => {
    fault.hidden = false;
    search.disabled = true;
  });
  const name = image.name.split('#')[0] ?? image.name;
  const search = button(t('film.search'), async () => {
    video.pause();
    onFrame(await frameOf(video, name));
  }, { icon: 'search', disabled: true });
  video.addEventListener('loadeddata', () => { search.disabled = false; });
  return {
    element: h('div', { class: 'film' }, video, fault, h('p', { class: 'row' }, search)),
    /** @param {number} seconds */
    seek: (seconds) => { video.currentTime = seconds; },
  };
}

/** Every picture that the index has of a film, in order of time. @param {Api.Image} image */
async function framesOf(image) {
  const folder = image.file_name.split('#')[0] ?? '';
  /** @type {Api.Image[]} */
  const found = [];
  for (;;) {
    const page = { folder, offset: found.length, limit: 500 };
    const { images, total } = await call('GET /images', { query: page });
    found.push(...images);
    if (!images.length || found.length >= total) break;
  }
  /** @param {Api.Image} one */
  const timeOf = (one) => timesOf(one.part)?.time ?? 0;
  return found.filter(({ part }) => timesOf(part)).sort((a, b) => timeOf(a) - timeOf(b));
}

/**
 * The shots of a film on a line of time. seek: goes to a time; found: numbers of pictures that are hits, to be marked.
 * @param {Api.Image} image @param {(seconds: number) => void} seek @param {Promise<Set<number>>} found
 */
export async function timeline(image, seek, found) {
  const [frames, hits] = await Promise.all([framesOf(image), found]);
  const length = Math.max(...frames.map(({ part }) => timesOf(part)?.stop ?? 0), 0);
  /** @param {number} seconds */
  const share = (seconds) => `${(100 * seconds) / (length || 1)}%`;
  const marks = frames.map((frame) => {
    const { time, start, stop } = timesOf(frame.part) ?? { time: 0, start: 0, stop: 0 };
    const isHit = hits.has(frame.id);
    const words = t(isHit ? 'film.found-at' : 'film.shot-at', { time: clock(time) });
    const mark = h('button', {
      type: 'button', class: isHit ? 'shot found' : 'shot', title: words, 'aria-label': words,
      onclick: () => seek(time),
    });
    mark.style.left = share(start);
    mark.style.width = share(stop - start);
    return mark;
  });
  const strip = frames.map((frame) => {
    const time = timesOf(frame.part)?.time ?? 0;
    return h('button', {
      type: 'button', class: hits.has(frame.id) ? 'frame found' : 'frame', onclick: () => seek(time),
      'aria-label': t('film.shot-at', { time: clock(time) }),
    }, h('img', { src: thumbnail(frame, 160), alt: '', loading: 'lazy', decoding: 'async' }), clock(time));
  });
  return h('div', { class: 'timeline' },
    h('div', { class: 'marks', role: 'group', 'aria-label': t('film.line', { n: frames.length }) }, marks),
    h('div', { class: 'frames', tabindex: 0 }, strip));
}
