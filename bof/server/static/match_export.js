// @ts-check
// A match as a link or a file.

import { h, toast } from './dom.js';
import { t } from './language.js';
import { penOf } from './pictures.js';

const PNG_SIDE = 2000;
const RETAINED_MS = 10000;

/** Copies an address, or shows it where there is no clipboard. @param {string} target @param {boolean} isUpload */
export async function copyLink(target, isUpload) {
  const address = new URL(target, location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    toast(t(isUpload ? 'match.link-upload' : 'match.link-done'));
  } catch {
    toast(isUpload ? `${address}\n${t('match.link-upload')}` : address);
  }
}

/** @param {Size} extent of the painting, in its units @param {Paint} paint @param {string} name */
export function savePicture(extent, paint, name) {
  const scale = PNG_SIDE / Math.max(extent.width, extent.height);
  const canvas = h('canvas', { width: Math.round(extent.width * scale), height: Math.round(extent.height * scale) });
  const pen = penOf(canvas);
  pen.fillStyle = '#fff';
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.setTransform(scale, 0, 0, scale, 0, 0);
  paint(pen, 1.3 / scale);
  canvas.toBlob((blob) => {
    if (!blob) {
      toast(t('problem.page'));
      return;
    }
    const address = URL.createObjectURL(blob);
    h('a', { href: address, download: `${name.replace(/[/\\:*?"<>|]+/g, '_')}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(address), RETAINED_MS);
    toast(t('match.saved'));
  }, 'image/png');
}
