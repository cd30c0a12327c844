// @ts-check
// Answers as one page that needs no other file and no network: small pictures with what was found, drawn and said.

import { fetchBitmap, thumbnail } from './api.js';
import { forEach } from './export_files.js';
import { currentLanguage, number, t, TAGS } from './language.js';
import { outlineOf, verdictText, whyTexts } from './results.js';
import { dataAddress, smallCopy } from './small_copies.js';

const HIT_PX = 320;
const QUERY_PX = 320;
const MOST_HITS = 24;
/** @type {Partial<Record<Api.Hit['verdict'], string>>} */
const COLOURS = { same: '#22c55e', part: '#b15cf0' };
const POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; style-src 'unsafe-inline'";
const STYLE = `
:root { color-scheme: light dark; --line: #d5dae0; --soft: #59636e; --good: #1b7f46; --part: #8336bf; --bad: #c8322b; }
@media (prefers-color-scheme: dark) {
  :root { --line: #353b43; --soft: #98a1ac; --good: #45b877; --part: #c79bf0; --bad: #f0716a; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 76rem; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; margin: .5rem 0 0; } h2 { font-size: 1.2rem; margin: 0; } figure, p { margin: 0; }
.soft { color: var(--soft); font-size: .88rem; }
.query { display: flex; gap: 1rem; align-items: start; border-top: 1px solid var(--line); margin-top: 1.5rem;
  padding-top: 1rem; break-inside: avoid; break-after: avoid; }
.query img { width: 10rem; border: 4px solid var(--bad); border-radius: 4px; }
.hits { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: 1rem; margin-top: 1rem; }
.hits figure { border: 1px solid var(--line); border-radius: 8px; padding: .5rem; break-inside: avoid; }
.hits .same { border: 3px solid var(--good); } .hits .part { border: 3px dashed var(--part); }
.hits img { width: 100%; height: 11rem; object-fit: contain; }
.same b { color: var(--good); } .part b { color: var(--part); }
[contenteditable]:hover, [contenteditable]:focus { outline: 1px dashed var(--soft); }
@media print { :root { color-scheme: light; } body { max-width: none; padding: 0; font-size: 11pt; }
  .hits { grid-template-columns: repeat(3, 1fr); } .hits img { height: 4cm; } }
`;

/** @type {Record<string, string>} */
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** @param {string} text */
export const escaped = (text) => text.replace(/[&<>"']/g, (letter) => ENTITIES[letter] ?? letter);

/** What there is to say of a hit, on a line. @param {Api.Hit} hit */
export const captionOf = (hit) => [verdictText(hit), ...hit.verdict === 'unverified' ? [] : whyTexts(hit)].join(' · ');

/** Those that say something; where nothing was found the first. @param {Api.Hit[]} hits @param {boolean} isSingle */
function shownHits(hits, isSingle) {
  if (isSingle) return hits;
  const found = hits.filter(({ verdict }) => verdict === 'same' || verdict === 'part' || verdict === 'maybe');
  return (found.length ? found : hits.slice(0, 1)).slice(0, MOST_HITS);
}

/** A small picture with its outline, inside the page; why there is none. @param {Api.Hit} hit */
async function pictureOf(hit) {
  try {
    const bitmap = await fetchBitmap(thumbnail(hit, HIT_PX));
    const [corners, colour] = [outlineOf(hit), COLOURS[hit.verdict]];
    const blob = await smallCopy(bitmap, HIT_PX, corners && colour ? { corners, of: hit, colour } : null);
    bitmap.close();
    return `<img src="${await dataAddress(blob)}" alt="${escaped(hit.name)}">`;
  } catch {
    return `<p class="soft">${escaped(t('file.gone'))}</p>`;
  }
}

/** What the reader of the page may change before printing it. @param {string} markup */
const editable = (markup) => `<div contenteditable="plaintext-only" role="textbox" aria-multiline="true" aria-label="${
  escaped(t('export.caption'))}">${markup}</div>`;

/** @param {Api.Hit} hit */
const factsOf = (hit) => [
  `${number(hit.width)} × ${number(hit.height)} · ${t('hit.score', { score: number(hit.score, 1) })}`,
  ...hit.tags.length ? [hit.tags.join(', ')] : [],
  ...Object.entries(hit.fields).map(([name, values]) => `${name}: ${values.join(', ')}`),
];

/** @param {Api.Hit} hit @param {number} rank */
async function figureOf(hit, rank) {
  const { verdict } = hit;
  const why = verdict === 'unverified' ? [] : whyTexts(hit);
  const caption = [`${rank}. <b>${escaped(verdictText(hit))}</b>`, escaped(hit.name), ...why.map(escaped),
    ...factsOf(hit).map((fact) => `<span class="soft">${escaped(fact)}</span>`)].join('<br>');
  return `<figure class="${verdict === 'same' || verdict === 'part' ? verdict : ''}">${await pictureOf(hit)}
<figcaption>${editable(caption)}</figcaption></figure>`;
}

/** @param {Exported} one */
async function queryPicture(one) {
  const blob = await one.thumb(QUERY_PX).catch(() => null);
  return blob ? `<img src="${await dataAddress(blob)}" alt="${escaped(one.name)}">` : '';
}

/** @param {Exported} one @param {Api.Answer | null} answer @param {boolean} isSingle @param {AbortSignal} signal */
async function sectionOf(one, answer, isSingle, signal) {
  const hits = answer?.hits ?? [];
  const n = hits.filter(({ verdict }) => verdict === 'same').length;
  const said = one.problem || (hits.length ? t(n ? 'found.same' : 'found.none', { n }) : t('found.nothing'));
  const figures = [];
  for (const hit of shownHits(hits, isSingle)) {
    signal.throwIfAborted();
    figures.push(await figureOf(hit, hits.indexOf(hit) + 1));
  }
  return `<section><div class="query">${await queryPicture(one)}<div><h2>${escaped(one.name)}</h2>${
    editable(escaped(said))}</div></div><div class="hits">${figures.join('\n')}</div></section>\n`;
}

/** @param {ExportJob} job */
const headOf = ({ title, about }) => `<!DOCTYPE html>
<html lang="${TAGS[currentLanguage()]}">
<head>
<meta charset="utf-8">
<meta name="generator" content="bof">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header><h1>${escaped(title)}</h1>
${about.map((line) => `<p class="soft">${escaped(line)}</p>`).join('\n')}</header>
<main>
`;

/** @type {MakeExport} */
export async function htmlOf(job, onProgress, signal) {
  /** @type {BlobPart[]} */
  const parts = [headOf(job)];
  await forEach(job.found, onProgress, signal, async (one, answer) => {
    parts.push(new Blob([await sectionOf(one, answer, job.isSingle, signal)]));
  });
  return new Blob([...parts, '</main>\n</body>\n</html>\n'], { type: 'text/html' });
}
