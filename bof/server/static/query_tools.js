// @ts-check
// The tools above the query: what of the picture is searched with, and how it is turned.

import { boxOf, poseOf } from './answers.js';
import { button, h } from './dom.js';
import { t } from './language.js';
import { carriedBox, turnOf } from './transforms.js';

/**
 * The parts of the address that show the picture in another pose; the region stays on what it lies on.
 * @param {QueryPicture} picture @param {Query} query @param {Pose} pose
 */
function posed(picture, query, pose) {
  const box = boxOf(query);
  const carried = box ? carriedBox(box, picture, poseOf(query), pose).join(',') : query.box;
  return { turn: pose.turn || '', flip: pose.flip ? 1 : '', box: carried };
}

/**
 * @param {QueryPicture} picture @param {Query} query @param {import('./region.js').Region} region
 * @param {(parts: Record<string, Value>) => void} onChange is given the parts of the address that change
 */
export function queryTools(picture, query, region, onChange) {
  const { turn, flip } = poseOf(query);
  const isAuto = query.box === 'auto';
  /** @param {Pose} pose */
  const show = (pose) => onChange(posed(picture, query, pose));
  /** @param {number} degrees */
  const rotate = (degrees) => show({ turn: turnOf((turn + (flip ? -degrees : degrees) + 360) % 360), flip });
  /**
   * @param {'region' | 'subject' | 'whole' | 'left' | 'right' | 'mirror'} name @param {() => unknown} onclick
   * @param {Attributes<HTMLButtonElement>} attributes
   */
  const tool = (name, onclick, attributes = {}) =>
    button(t(`query.${name}`), onclick, { icon: name, quiet: true, name, ...attributes });
  return h('div', { class: 'row tools', role: 'group', 'aria-label': t('query.tools') },
    tool('region', () => region.start(), { 'aria-pressed': String(region.isDrawing) }),
    tool('subject', () => onChange({ box: isAuto ? '' : 'auto' }), { 'aria-pressed': String(isAuto) }),
    tool('whole', () => onChange({ box: '' }), { disabled: !query.box }),
    tool('left', () => rotate(-90)),
    tool('right', () => rotate(90)),
    tool('mirror', () => show({ turn, flip: !flip }), { 'aria-pressed': String(flip) }));
}
