// @ts-check
// Does one job: takes the picture, sends it to the server, and becomes the page with its results.

import { takeJob } from './jobs.js';
import { patiently } from './patience.js';
import { Trouble, paired, send } from './server.js';
import { element, fillTexts, t } from './words.js';

const title = element('title', HTMLElement);
const text = element('text', HTMLElement);
const detail = element('detail', HTMLElement);
const choices = element('choices', HTMLElement);
const shown = element('shown', HTMLImageElement);

/** @param {string} heading @param {string} line @param {string} small */
function show(heading, line, small = '') {
  title.textContent = heading;
  text.textContent = line;
  detail.textContent = small;
  choices.replaceChildren();
}

/** @param {string} label @param {() => unknown} onclick */
function choice(label, onclick) {
  const button = document.createElement('button');
  button.textContent = label;
  button.onclick = onclick;
  choices.append(button);
}

async function comeToFront() {
  const own = await chrome.tabs.getCurrent();
  if (own?.id !== undefined) await chrome.tabs.update(own.id, { active: true });
}

/** @param {string} address @returns {Promise<Blob>} */
const blobOf = async (address) => (await fetch(address)).blob();

/** A part of what the screen shows. @param {string} screen @param {Area} area */
async function cropped(screen, { x, y, width, height, viewport }) {
  const whole = await createImageBitmap(await blobOf(screen));
  const scale = whole.width / viewport;
  const [left, top] = [Math.round(x * scale), Math.round(y * scale)];
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  return bofPictures.painted(await createImageBitmap(whole, left, top, w, h), w, h, 'image/png');
}

/** What the screen shows of the tab, while it is still in front. @param {Job} job */
async function screenOf({ tab, window }) {
  try {
    return await patiently(async () => {
      const { active } = await chrome.tabs.get(tab);
      return active ? chrome.tabs.captureVisibleTab(window, { format: 'png' }) : '';
    });
  } catch { // the tab is gone, or shows what no extension may see
    return '';
  }
}

/** @param {Job} job @returns {Promise<Taken>} */
async function takenInPage(job) {
  /** @type {Taken} */
  const nothing = { picture: null, url: job.url, area: null };
  if (job.kind !== 'clicked' && job.kind !== 'element') return nothing;
  const target = { tabId: job.tab, frameIds: [job.frame] };
  try {
    await patiently(() => chrome.scripting.executeScript({ target, files: ['in_page.js'] }));
    const func = (/** @type {Job} */ each) => bofPictures.take(each);
    const [found] = await chrome.scripting.executeScript({ target, func, args: [job] });
    return /** @type {Taken | undefined} */ (found?.result) ?? nothing;
  } catch {
    return nothing;
  }
}

/** @param {string} url */
function siteOf(url) {
  const parsed = URL.parse(url);
  return parsed && (parsed.protocol === 'http:' || parsed.protocol === 'https:') ? parsed : null;
}

/** The bytes of a picture of another site, with the reader's login there. @param {string} url */
async function fetchedElsewhere(url) {
  const response = await fetch(url, { credentials: 'include', cache: 'force-cache', referrerPolicy: 'no-referrer' });
  const picture = await response.blob();
  if (!response.ok || !picture.size || picture.type.startsWith('text/')) throw new Trouble('notFetched');
  return bofPictures.shrunk(picture);
}

/**
 * Lets the reader choose between the file, which takes a permission, and what the screen shows.
 * @param {URL} site @param {Blob | null} screen
 */
function askForSite(site, screen) {
  show(t('otherSite'), t('otherSiteWhy', site.host));
  /** @param {string[]} origins */
  const fetchWith = async (origins) => {
    if (await chrome.permissions.request({ origins })) await finish(async () => fetchedElsewhere(site.href), screen);
  };
  choice(t('allowSite', site.host), () => fetchWith([`${site.protocol}//${site.hostname}/*`]));
  choice(t('allowAll'), () => fetchWith(['http://*/*', 'https://*/*']));
  if (!screen) return;
  choice(t('asShown'), () => finish(() => Promise.resolve(screen), null));
  shown.src = URL.createObjectURL(screen);
  shown.hidden = false;
}

/** A picture of a kind that the server cannot read, as the browser shows it. @param {Blob} picture */
async function repainted(picture) {
  const image = new Image();
  image.src = URL.createObjectURL(picture);
  await image.decode();
  return bofPictures.painted(image, image.naturalWidth, image.naturalHeight, 'image/png');
}

/** @param {Paired} known @param {Blob} picture */
async function sent(known, picture) {
  try {
    return await send(known, picture);
  } catch (error) {
    if (!(error instanceof Trouble) || error.key !== 'unreadable') throw error;
    const other = await repainted(picture).catch(() => null);
    if (!other) throw error;
    return send(known, other);
  }
}

/** @param {unknown} error @param {Blob | null} screen what may be sent instead */
function explain(error, screen) {
  const { key, detail: small } = error instanceof Trouble ? error : new Trouble('broken', String(error));
  show(t('failed'), t(key, small), small);
  if (screen) choice(t('asShown'), () => finish(() => Promise.resolve(screen), null));
  if (['notPaired', 'revoked', 'noServer', 'notBof'].includes(key)) {
    choice(t('settings'), () => chrome.runtime.openOptionsPage());
  }
}

/** @param {() => Promise<Blob>} get @param {Blob | null} screen */
async function finish(get, screen) {
  try {
    show(t('sending'), '');
    const known = await paired();
    if (!known) throw new Trouble('notPaired');
    location.replace(await sent(known, await get()));
  } catch (error) {
    explain(error, screen);
    choice(t('again'), () => finish(get, screen));
  }
}

/** @param {Job} job */
async function run(job) {
  const screen = await screenOf(job);
  const taken = await takenInPage(job);
  await comeToFront();
  const area = job.area ?? taken.area;
  const isWhole = (job.kind === 'area' && !job.area) || job.kind === 'screen';
  const seen = !screen ? null : isWhole ? await blobOf(screen) : area && await cropped(screen, area);
  const { picture } = taken;
  if (picture) return finish(() => blobOf(picture), null);
  const site = siteOf(taken.url);
  if (!site) return seen ? finish(() => Promise.resolve(seen), null) : explain(new Trouble('nothing'), null);
  const isAllowed = await chrome.permissions.contains({ origins: [`${site.protocol}//${site.hostname}/*`] });
  return isAllowed ? finish(() => fetchedElsewhere(site.href), seen) : askForSite(site, seen);
}

fillTexts();
const job = await takeJob(location.hash.slice(1));
if (job) await run(job);
else explain(new Trouble('noJob'), null);
