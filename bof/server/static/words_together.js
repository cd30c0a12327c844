// @ts-check
// The texts of several pictures as one query, which are loaded with a search.

import { addWords } from './words.js';

export const TOGETHER = {
  'together': ['Several pictures of one thing', '同一物体的多张图片'],
  'together.why': ['Several pictures of one thing, from other sides, find more than one of them.', '同一物体从不同角度拍摄的多张图片，比单张图片能找到更多。'],
  'together.add': ['Add a picture of the same thing', '添加同一物体的图片'],
  'together.pick': ['Add one from the collection', '从图库中添加一张'],
  'together.with': ['One query with {n} other picture:|One query with {n} other pictures:', '与另外 {n} 张图片合为一次查询：'],
  'together.nth': ['Picture {nth} of the query', '查询的第 {nth} 张图片'],
  'together.remove': ['Leave out picture {nth}', '去掉第 {nth} 张图片'],
  'together.by': ['Proved by picture {nth} of the query.', '由查询的第 {nth} 张图片证明。'],
  'together.gone': ['The server has forgotten a picture of this search; it was left out.', '服务器已清除本次搜索的一张图片，已将其去掉。'],
  'together.most': ['One query has at most {n} pictures.', '一次查询最多可用 {n} 张图片。'],
  'together.selected': ['Search with them as one', '合为一次查询'],
};

addWords(TOGETHER);
