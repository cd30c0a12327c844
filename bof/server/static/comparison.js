// @ts-check
// A comparison of two pictures: the painting, how the reader wants it shown, and the verdict below.

import { button, h, link, segments } from './dom.js';
import { judgmentBox } from './judging.js';
import { number, percent, t, tOr } from './language.js';
import { copyLink, savePicture } from './match_export.js';
import { sharePercent, verdictLine, why } from './results.js';
import { href } from './router.js';
import { onTop, paintBeside, paintOnTop, sideBySide } from './scene.js';
import { save } from './settings.js';
import { Viewport } from './viewport.js';

/** @typedef {{canWrite: boolean, onJudged: () => unknown}} Judging whether the reader may judge, and what follows */

const FLICKER_MS = 700;
const ZOOM = 1.4;

const wantsNoMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

/** @param {string} name @param {string} value */
const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

/** How much of both pictures agrees. @param {Api.Hit} hit */
const sharedFact = ({ query_overlap: query, hit_overlap: hit }) =>
  fact(t('fact.shared'), t('fact.shared-of', { query: sharePercent(query), hit: sharePercent(hit) }));

/**
 * @param {Api.Match} match @param {boolean} isOverlaid @param {number} n agreeing points @param {Judging} judging
 */
function verdictBox(match, isOverlaid, n, { canWrite, onJudged }) {
  const { hit, points, mirrored, variant, hit_from_query: transform } = match;
  return h('div', { class: `panel facts ${hit.verdict}` },
    verdictLine(hit), h('div', {}, why(hit)),
    h('dl', {},
      fact(t('fact.agreeing'), t('fact.agreeing-of', { n, total: points.inlier.length })),
      hit.probability === null || hit.verdict === 'part' ? null : fact(t('fact.sure'), percent(hit.probability)),
      hit.verdict === 'part' ? sharedFact(hit) : null,
      fact(t('fact.score'), number(hit.score, 1)),
      mirrored ? fact(t('fact.mirrored'), t('yes')) : null,
      variant ? fact(t('fact.variant'), tOr(`variant.${variant}`, variant)) : null),
    isOverlaid ? null : h('p', { class: 'small' }, t(transform ? 'match.not-drawn' : 'match.no-overlay')),
    link(t('hit.search-short'), href('search', { image: hit.id }), { icon: 'search' }),
    judgmentBox(hit, match.query, canWrite, onJudged));
}

export class Comparison {
  #flickering = 0;

  /**
   * @param {Scene} scene @param {Api.Match} match @param {{query: string, hit: string}} names @param {Display} display
   * @param {{addressOf: (display: Display) => string, isUpload: boolean}} links isUpload: the query is the reader's own
   * @param {Judging} judging
   */
  constructor(scene, match, names, display, links, judging) {
    this.scene = scene;
    this.names = names;
    this.links = links;
    this.display = scene.overlay ? display : { ...display, mode: /** @type {Mode} */ ('beside') };
    const total = match.points.inlier.length;
    const n = match.hit.n_inliers ?? match.points.inlier.filter(Boolean).length;
    this.summary = t('match.summary', { a: names.query, b: names.hit, n, total });
    this.canvas = h('canvas', {
      tabindex: 0, role: 'img', 'aria-label': this.summary, id: 'viewport', 'aria-describedby': 'viewport-keys',
    });
    this.viewport = new Viewport(this.canvas, (width, height) => this.#layout(width, height),
      (pen, px) => this.#paint(pen, px, this.canvas.getBoundingClientRect()));
    this.tools = h('div', { class: 'row tools match-tools' });
    this.#drawTools();
    this.elements = [
      h('h1', { id: 'match-title', class: 'names' },
        h('span', { class: 'is-query' }, names.query), ' ', h('span', {}, names.hit)),
      this.tools, h('div', { class: 'viewport' }, this.canvas),
      h('p', { class: 'small', id: 'viewport-keys' }, t('match.keys')),
      verdictBox(match, Boolean(scene.overlay), n, judging),
    ];
  }

  draw() {
    this.viewport.draw();
  }

  close() {
    this.#stopFlicker();
    this.viewport.close();
  }

  /** Shows the same pictures in other sizes. @param {Scene} scene */
  setScene(scene) {
    this.scene = scene;
    this.draw();
  }

  // ---- the painting

  /** @param {number} width @param {number} height */
  #layout(width, height) {
    return this.display.mode === 'beside' ? sideBySide(this.scene, width < height) : onTop(this.scene);
  }

  /** @param {CanvasRenderingContext2D} pen @param {number} px @param {Size} size of the canvas */
  #paint(pen, px, { width, height }) {
    const paint = this.display.mode === 'beside' ? paintBeside : paintOnTop;
    paint(pen, this.scene, this.#layout(width, height), this.display, px);
  }

  #save() {
    const wide = { width: 2, height: 1 };
    savePicture(this.#layout(2, 1), (pen, px) => this.#paint(pen, px, wide), `${this.names.query} - ${this.names.hit}`);
  }

  // ---- how it is shown

  /** @param {Partial<Display>} change */
  #setDisplay(change) {
    const isOtherMode = change.mode !== undefined && change.mode !== this.display.mode;
    this.display = { ...this.display, ...change };
    if (change.lines) save('lines', change.lines);
    if (isOtherMode) {
      this.#stopFlicker();
      this.viewport.fit();
      this.#drawTools();
    }
    this.draw();
  }

  #drawTools() {
    const { display, scene, tools } = this;
    tools.replaceChildren(
      this.#modeChoice(!scene.overlay),
      ...(display.mode === 'beside' ? [this.#lineChoice()] : this.#overlayTools()),
      h('label', { class: 'check' }, h('input', {
        type: 'checkbox', checked: display.framed,
        onchange: ({ currentTarget }) => this.#setDisplay({ framed: currentTarget.checked }),
      }), t('match.framed')),
      this.#actions());
  }

  /** @param {boolean} hasNoOverlay */
  #modeChoice(hasNoOverlay) {
    return segments(t('match.mode'), 'mode',
      [['beside', t('match.beside')], ['over', t('match.over'), hasNoOverlay]], this.display.mode, (mode) => {
        this.#setDisplay({ mode });
        const chosen = this.tools.querySelector(`input[value="${mode}"]`);
        if (chosen instanceof HTMLElement) chosen.focus();
      });
  }

  #lineChoice() {
    return segments(t('match.lines'), 'lines', [
      ['inliers', t('match.lines.inliers')], ['all', t('match.lines.all')], ['none', t('match.lines.none')],
    ], this.display.lines, (lines) => this.#setDisplay({ lines }));
  }

  #overlayTools() {
    const slider = h('input', {
      type: 'range', id: 'opacity', min: 0, max: 1, step: 0.02, value: this.display.opacity,
      oninput: ({ currentTarget }) => {
        this.#stopFlicker();
        this.#setDisplay({ opacity: Number(currentTarget.value) });
      },
    });
    const flicker = button(t(wantsNoMotion() ? 'match.swap' : 'match.flicker'), () => this.#flicker(slider, flicker), {
      icon: 'play', id: 'flicker', 'aria-pressed': 'false',
    });
    return [h('label', { class: 'field inline' }, h('span', {}, t('match.opacity')), slider), flicker];
  }

  #actions() {
    const { viewport, links } = this;
    /** @param {WordKey} words @param {IconName} icon @param {() => unknown} onclick */
    const action = (words, icon, onclick) => button(t(words), onclick, { icon, quiet: true });
    return h('span', { class: 'row tight push' },
      action('zoom.out', 'minus', () => viewport.zoom(1 / ZOOM)),
      action('zoom.in', 'plus', () => viewport.zoom(ZOOM)),
      action('zoom.fit', 'whole', () => viewport.fit()),
      action('match.link', 'link', () => copyLink(links.addressOf(this.display), links.isUpload)),
      action('match.png', 'download', () => this.#save()));
  }

  // ---- flicker

  #stopFlicker() {
    clearInterval(this.#flickering);
    this.#flickering = 0;
    this.tools.querySelector('#flicker')?.setAttribute('aria-pressed', 'false');
  }

  /**
   * Shows query and hit in turns; one turn per press where the reader wants no motion.
   * @param {HTMLInputElement} slider @param {HTMLButtonElement} pressed
   */
  #flicker(slider, pressed) {
    if (this.#flickering) {
      this.#stopFlicker();
      return;
    }
    const swap = () => {
      this.#setDisplay({ opacity: this.display.opacity > 0.5 ? 0 : 1 });
      slider.value = String(this.display.opacity);
    };
    swap();
    if (wantsNoMotion()) return;
    this.#flickering = setInterval(swap, FLICKER_MS);
    pressed.setAttribute('aria-pressed', 'true');
  }
}
