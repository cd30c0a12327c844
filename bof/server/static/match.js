// Two pictures and the proof that they show the same thing.

import { knownAnswer, matchOf, pictureOf, wayOf } from './answers.js';
import { copyLink, savePicture, sceneOf } from './comparing.js';
import { button, byId, h, link, say, segments } from './dom.js';
import { number, percent, t } from './language.js';
import { inDetail, ofCollection } from './pictures.js';
import { verdictLine, why } from './results.js';
import { href } from './router.js';
import { onTop, paintBeside, paintOnTop, sideBySide } from './scene.js';
import { keep, setting } from './settings.js';
import { Stage } from './stage.js';
import { start } from './start.js';
import { trouble } from './trouble.js';

const FLICKER_MS = 700;
const LINES = ['inliers', 'all', 'none'];

export const title = () => t('match.title');

export const show = (root, route) => new Match(root, route);

const isStill = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

const step = (target, words, name) => target && link(words, target, { icon: name, quiet: true, 'data-step': name });

const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));

function verdictBox(match, scene, n) {
  const { hit } = match;
  return h('div', { class: `panel facts ${hit.verdict}` },
    verdictLine(hit), h('p', {}, why(hit)),
    h('dl', {},
      fact(t('fact.agreeing'), t('fact.agreeing-of', { n, total: match.points.inlier.length })),
      hit.probability === null ? null : fact(t('fact.sure'), percent(hit.probability)),
      fact(t('fact.score'), number(hit.score, 1)),
      match.mirrored ? fact(t('fact.mirrored'), t('yes')) : null),
    scene.overlay ? null : h('p', { class: 'small' }, t(match.hit_from_query ? 'match.not-drawn' : 'match.no-overlay')),
    link(t('hit.search-short'), href('search', { image: hit.id }), { icon: 'search' }));
}

class Match {
  constructor(root, route) {
    const { mode = 'beside', lines = setting('lines', 'inliers') } = route.query;
    Object.assign(this, { root, route, stage: null, scene: null, flickering: 0, turn: 0 });
    this.look = { mode, which: lines, framed: true, opacity: 0.5 };
    this.draw();
  }

  update(route) {
    this.route = route;
    this.draw();
  }

  close() {
    this.turn += 1;
    this.stopFlicker();
    this.stage?.close();
    this.root.removeAttribute('aria-busy');
  }

  /** The question whose answer the hit stands in. */
  question() {
    const { parts: [asked], query } = this.route;
    return { ...query, mode: '', lines: '', [asked?.startsWith('u') ? 'upload' : 'image']: asked };
  }

  async draw() {
    const turn = ++this.turn;
    this.root.setAttribute('aria-busy', 'true');
    try {
      await this.load(() => turn === this.turn);
    } catch (error) {
      if (turn === this.turn) this.root.replaceChildren(trouble(error, () => this.draw()));
    }
    if (turn === this.turn) this.root.setAttribute('aria-busy', 'false');
  }

  /** First with thumbnails, then with every pixel. */
  async load(isWanted) {
    const { parts: [, id], query } = this.route;
    const asked = await pictureOf(this.question());
    if (!asked) {
      this.root.replaceChildren(start(true, (error) => trouble(error, () => this.draw())));
      return;
    }
    const [hit, match] = await Promise.all([ofCollection(id), matchOf(asked, id, query)]);
    if (!isWanted()) return;
    const scene = (bitmaps) => sceneOf(match, asked, hit, bitmaps, wayOf(query));
    this.scene = scene([asked.bitmap, hit.bitmap]);
    this.open(asked, hit, match);
    const sharp = await Promise.all([inDetail(asked), inDetail(hit)]);
    if (!isWanted()) return;
    this.scene = scene(sharp);
    this.stage.draw();
  }

  // ---- what is painted

  layout(width, height) {
    return this.look.mode === 'beside' ? sideBySide(this.scene, width < height) : onTop(this.scene);
  }

  paint(pen, px, { width, height }) {
    const paint = this.look.mode === 'beside' ? paintBeside : paintOnTop;
    paint(pen, this.scene, this.layout(width, height), this.look, px);
  }

  /** Shows it differently. */
  become(change) {
    const isOther = change.mode && change.mode !== this.look.mode;
    Object.assign(this.look, change);
    if (change.which) keep('lines', change.which);
    if (isOther) {
      this.stopFlicker();
      this.stage.fit();
      this.drawTools();
    }
    this.stage.draw();
  }

  // ---- what stands around it

  /** Which hit of its answer this is, and where the ones before and after are. */
  neighbours(asked, id) {
    const answer = knownAnswer(asked, this.question());
    const i = answer ? answer.hits.findIndex((hit) => hit.id === id) : -1;
    if (i < 0) return null;
    const to = (hit) => hit && href('match', this.route.query, this.route.parts[0], hit.id);
    return h('span', { class: 'row tight' }, step(to(answer.hits[i - 1]), t('match.before'), 'back'),
      h('span', { class: 'small', id: 'place' }, t('match.place', { place: i + 1, n: answer.hits.length })),
      step(to(answer.hits[i + 1]), t('match.after'), 'next'));
  }

  open(asked, hit, match) {
    this.stage?.close();
    this.stopFlicker();
    if (!this.scene.overlay || this.look.mode !== 'over') this.look.mode = 'beside';
    const n = match.hit.n_inliers ?? match.points.inlier.filter(Boolean).length;
    this.names = [asked.name || t('query.yours'), hit.name];
    this.isUpload = Boolean(asked.file);
    const summary = t('match.summary', { a: this.names[0], b: this.names[1], n, total: match.points.inlier.length });
    const canvas = h('canvas', {
      tabindex: 0, role: 'img', 'aria-label': summary, id: 'stage', 'aria-describedby': 'stage-keys',
    });
    const holder = h('div', { class: 'stage' }, canvas);
    this.stage = new Stage(canvas, (width, height) => this.layout(width, height),
      (pen, px) => this.paint(pen, px, canvas.getBoundingClientRect()));
    this.tools = h('div', { class: 'row tools match-tools' });
    this.drawTools();
    this.root.replaceChildren(h('section', { class: 'match', 'aria-labelledby': 'match-title' },
      h('div', { class: 'row between' },
        link(t('match.back'), href('search', this.question()), { icon: 'back', id: 'back' }),
        this.neighbours(asked, hit.id)),
      h('h1', { id: 'match-title', class: 'names' },
        h('span', { class: 'is-query' }, this.names[0]), ' ', h('span', {}, this.names[1])),
      this.tools, holder, h('p', { class: 'small', id: 'stage-keys' }, t('match.keys')),
      verdictBox(match, this.scene, n)));
    this.stage.draw();
    say(summary);
  }

  drawTools() {
    const { look, scene } = this;
    const isBeside = look.mode === 'beside';
    const modes = [['beside', t('match.beside')], ['over', t('match.over'), !scene.overlay]];
    this.tools.replaceChildren(
      segments(t('match.mode'), 'mode', modes, look.mode, (mode) => {
        this.become({ mode });
        this.tools.querySelector(`input[value="${mode}"]`).focus();
      }),
      ...(isBeside ? [this.lineChoice()] : this.overlayTools()),
      h('label', { class: 'check' }, h('input', {
        type: 'checkbox', checked: look.framed, onchange: (event) => this.become({ framed: event.target.checked }),
      }), t('match.framed')),
      this.actions());
  }

  lineChoice() {
    return segments(t('match.lines'), 'lines', LINES.map((key) => [key, t(`match.lines.${key}`)]), this.look.which,
      (which) => this.become({ which }));
  }

  overlayTools() {
    const slide = (event) => {
      this.stopFlicker();
      this.become({ opacity: Number(event.target.value) });
    };
    return [
      h('label', { class: 'field inline' }, h('span', {}, t('match.opacity')),
        h('input', {
          type: 'range', id: 'opacity', min: 0, max: 1, step: 0.02, value: this.look.opacity, oninput: slide,
        })),
      button(t(isStill() ? 'match.swap' : 'match.flicker'), () => this.flicker(), {
        icon: 'play', id: 'flicker', 'aria-pressed': 'false',
      }),
    ];
  }

  actions() {
    const act = (words, name, onclick) => button(t(words), onclick, { icon: name, quiet: true });
    const { stage, look, route } = this;
    const here = () => href('match', { ...route.query, mode: look.mode, lines: look.which }, ...route.parts);
    return h('span', { class: 'row tight push' },
      act('zoom.out', 'minus', () => stage.zoom(1 / 1.4)),
      act('zoom.in', 'plus', () => stage.zoom(1.4)),
      act('zoom.fit', 'whole', () => stage.fit()),
      act('match.link', 'link', () => copyLink(here(), this.isUpload)),
      act('match.png', 'download', () => this.save()));
  }

  save() {
    const wide = { width: 2, height: 1 };
    savePicture(this.layout(2, 1), (pen, px) => this.paint(pen, px, wide), this.names.join(' - '));
  }

  // ---- flicker and keys

  stopFlicker() {
    clearInterval(this.flickering);
    this.flickering = 0;
    byId('flicker')?.setAttribute('aria-pressed', 'false');
  }

  /** Query and hit in turns; one turn a press where the reader wants no motion. */
  flicker() {
    if (this.flickering) {
      this.stopFlicker();
      return;
    }
    const swap = () => {
      this.become({ opacity: this.look.opacity > 0.5 ? 0 : 1 });
      byId('opacity').value = this.look.opacity;
    };
    swap();
    if (isStill()) return;
    this.flickering = setInterval(swap, FLICKER_MS);
    byId('flicker').setAttribute('aria-pressed', 'true');
  }

  /** A key anywhere on the page; returns whether it meant something. */
  key(name) {
    const click = (selector) => this.root.querySelector(selector)?.click();
    const keys = {
      o: () => click(`input[value="${this.look.mode === 'beside' ? 'over' : 'beside'}"]`),
      l: () => click(`input[value="${LINES[(LINES.indexOf(this.look.which) + 1) % LINES.length]}"]`),
      f: () => click('#flicker'),
      '[': () => click('[data-step="back"]'),
      ']': () => click('[data-step="next"]'),
      Escape: () => click('#back'),
    };
    if (!this.stage || !keys[name]) return false;
    keys[name]();
    return true;
  }
}
