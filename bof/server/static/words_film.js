// @ts-check
// The texts of films, which are loaded when one is opened.

import { addWords } from './words.js';

export const FILM = {
  'film.not-played': ['This browser cannot play the film. Open its file with a player instead.', '此浏览器无法播放该影片，请用播放器打开文件。'],
  'film.search': ['Search with this frame', '用这一帧搜索'],
  'film.line': ['{n} frame of the film|{n} frames of the film', '影片的 {n} 帧'],
  'film.shot-at': ['Go to {time}', '跳到 {time}'],
  'film.found-at': ['Found here: go to {time}', '在此处找到：跳到 {time}'],
};

addWords(FILM);
