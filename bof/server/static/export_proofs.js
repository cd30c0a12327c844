// @ts-check
// Pictures of proofs: a query beside its hit, with lines between the points that agree, and a line of text below. A ZIP
// holds them with the table.

import { matchOf, poseOf } from './answers.js';
import { fetchBitmap, thumbnail } from './api.js';
import { h, toast } from './dom.js';
import { ExplainedError } from './errors.js';
import { forEach, GrowingTable, safeName } from './export_files.js';
import { captionOf } from './export_html.js';
import { t } from './language.js';
import { penOf } from './pictures.js';
import { recordsOf } from './records.js';
import { paintBeside, sceneOf, sideBySide } from './scene.js';
import { jpegOf } from './small_copies.js';
import { Zip } from './zip.js';

const SIDE = 1800;
const QUALITY = 0.88;
const TEXT = 30;
const LINE = 1.5 * TEXT;
const HIT_PX = 640;

/** @param {Api.Hit} hit */
const isProved = ({ verdict }) => verdict === 'same' || verdict === 'part';

/** @param {QueryPicture} picture @param {Query} query @param {Api.Hit} hit */
async function sceneWith(picture, query, hit) {
  const [match, bitmap] = await Promise.all([
    matchOf(picture, String(hit.id), query),
    fetchBitmap(thumbnail({ ...hit, film: null }, HIT_PX)),  // matches are of the keyframe
  ]);
  // what is drawn of a hit are its size and its picture
  const shown = /** @type {IndexedPicture} */ (/** @type {unknown} */ ({ ...hit, key: `id-${hit.id}`, bitmap }));
  return sceneOf(match, picture, shown, [picture.bitmap, bitmap], poseOf(query));
}

/** @param {Scene} scene @param {string[]} lines of text */
function drawn(scene, lines) {
  const extent = sideBySide(scene, false);
  const scale = SIDE / Math.max(extent.width, extent.height);
  const [width, height] = [Math.round(extent.width * scale), Math.round(extent.height * scale)];
  const canvas = h('canvas', { width, height: height + LINE * lines.length + TEXT / 2 });
  const pen = penOf(canvas);
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  paintBeside(pen, scene, extent, { mode: 'beside', lines: 'inliers', framed: true, opacity: 1 }, 1.3 / scale);
  pen.resetTransform();
  [pen.fillStyle, pen.font, pen.textBaseline] = ['#222', `${TEXT}px system-ui, sans-serif`, 'middle'];
  for (const [i, line] of lines.entries()) pen.fillText(line, TEXT / 2, height + LINE * (i + 0.6), width - TEXT);
  return canvas;
}

/** The comparison as a JPEG. @param {QueryPicture} picture @param {Exported} one @param {Api.Hit} hit */
async function proofOf(picture, one, hit) {
  const scene = await sceneWith(picture, one.query, hit);
  const blob = await jpegOf(drawn(scene, [`${one.name}  ↔  ${hit.name}`, captionOf(hit)]), QUALITY);
  if (scene.hit.bitmap instanceof ImageBitmap) scene.hit.bitmap.close();
  return blob;
}

/** @param {string} path */
const stemOf = (path) => safeName((path.split('/').pop() ?? path).replace(/\.[^.]*$/, ''));

/**
 * What the file of a proof is called.
 * @param {string} query @param {number} n its number @param {number} rank @param {Api.Hit} hit
 */
function fileName(query, n, rank, { verdict, name }) {
  const [number, place] = [String(n).padStart(4, '0'), String(rank).padStart(2, '0')];
  return `proofs/${number}_${stemOf(query)}_${place}_${verdict}_${stemOf(name)}.jpg`;
}

/**
 * Adds the proofs of one query; returns their names by rank, and how many are missing.
 * @param {Zip} zip @param {Exported} one @param {Api.Hit[]} hits @param {number} n @param {AbortSignal} signal
 */
async function addProofs(zip, one, hits, n, signal) {
  /** @type {Map<number, string>} */
  const names = new Map();
  const proved = [...hits.entries()].filter(([, hit]) => isProved(hit));
  if (!proved.length) return { names, nMissing: 0 };
  let nMissing = 0;
  await one.withPicture(async (picture) => {
    for (const [i, hit] of proved) {
      signal.throwIfAborted();
      const proof = await proofOf(picture, one, hit).catch((/** @type {unknown} */ error) => orMissing(error));
      if (proof) names.set(i + 1, await zip.add(fileName(one.name, n, i + 1, hit), proof));
      else nMissing += 1;
    }
  });
  return { names, nMissing };
}

/** A proof whose file is gone is missing; any other error ends the export. @param {unknown} error */
function orMissing(error) {
  if (error instanceof ExplainedError && ['gone', 'not-found'].includes(error.kind)) return null;
  throw error;
}

/** @type {MakeExport} */
export async function zipOf({ found }, onProgress, signal) {
  const zip = new Zip();
  const table = new GrowingTable();
  let [nProofs, nMissing] = [0, 0];
  await forEach(found, onProgress, signal, async (one, answer, i) => {
    const hits = answer?.hits ?? [];
    const added = await addProofs(zip, one, hits, i + 1, signal);
    nProofs += added.names.size;
    nMissing += added.nMissing;
    table.add(recordsOf(one.name, hits, one.problem)
      .map((row) => ({ ...row, proof: added.names.get(Number(row.rank)) ?? null })));
  });
  if (!nProofs && !nMissing) throw new ExplainedError(t('export.no-proofs'));
  if (nMissing) toast(t('export.missing', { n: nMissing }));
  await zip.add('results.csv', await table.finish('proof'));
  return zip.finish();
}
